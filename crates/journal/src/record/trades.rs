//! The records of trades, sets and what declares them void.

use betex_core::command::VoidedTrades;
use betex_core::event::{Event, OutcomeIndex, SetMatched, TradeMatched};
use betex_core::types::{AccountId, Money, OrderId, Price, Quantity, TradeId};

use super::codes::Code as _;
use super::decode::RecordProblem;
use super::encode::EncodeError;
use super::fields::{Decoded, OLDER_VERSION, code, ends, fixed_part, malformed, unused, whole};
use super::fractions::{self, exact, fell, may_fall};
use super::kind;
use super::layout::{HAS_REASON, IS_WINDOW, SetMatchedV1, SetMatchedV2, TradeMatchedV1, TradesVoidedV1};
use super::out::{Encoded, Out, set};
use super::preceding::Preceding;

impl Out<'_> {
    pub(super) fn trade_matched(&mut self, trade: &TradeMatched, flags: u8) -> Encoded {
        let (kind, version) = if trade.is_synthetic() {
            (kind::LEG_MATCHED, if has_fraction(trade) { 2 } else { 1 })
        } else if trade.stake != trade.quantity {
            return Err(EncodeError::Invalid("a direct trade whose stake is not its quantity"));
        } else if trade.payout == payout_at_odds(trade.price, trade.quantity) {
            (kind::TRADE_MATCHED, if has_fraction(trade) { 3 } else { 1 })
        } else if trade.payout != payout_of_shares(trade.quantity) {
            return Err(EncodeError::Invalid(
                "a direct trade that pays neither its stake at its odds nor a unit a share",
            ));
        } else if trade.maker_fraction != 0 {
            return Err(EncodeError::Invalid("a fraction of a share"));
        } else {
            (kind::TRADE_MATCHED, 2)
        };
        let (stake, left) =
            if has_fraction(trade) { exact_amounts(trade)? } else { (trade.quantity, trade.maker_remaining) };
        self.fixed(kind, version, |head| TradeMatchedV1 {
            head,
            price: trade.price.0.into(),
            outcome: trade.outcome.0.into(),
            maker_side: trade.maker_side.code(),
            flags,
            maker_order_id: trade.maker_order_id.0.into(),
            maker_account: trade.maker_account.0.into(),
            quantity: stake.0.into(),
            maker_quantity: trade.maker_quantity.0.into(),
            maker_filled: trade.maker_filled.0.into(),
            maker_remaining: left.0.into(),
        })
    }

    pub(super) fn set_matched(&mut self, set: &SetMatched, flags: u8) -> Encoded {
        if set.stake != set.quantity {
            return self.exact_set_matched(set, flags);
        }
        self.fixed(kind::SET_MATCHED, 1, |head| SetMatchedV1 {
            head,
            price: set.price.0.into(),
            outcome: set.outcome.0.into(),
            side: set.side.code(),
            flags,
            quantity: set.quantity.0.into(),
            payout: set.payout.0.into(),
            makers: set.makers.into(),
            reserved: [0; 6],
        })
    }

    fn exact_set_matched(&mut self, set: &SetMatched, flags: u8) -> Encoded {
        if !may_fall(set.quantity, set.stake) {
            return Err(EncodeError::Invalid("a set whose quantity does not follow from its stake"));
        }
        self.fixed(kind::SET_MATCHED, 2, |head| SetMatchedV2 {
            head,
            price: set.price.0.into(),
            outcome: set.outcome.0.into(),
            side: set.side.code(),
            flags,
            quantity: set.quantity.0.into(),
            stake: set.stake.0.into(),
            payout: set.payout.0.into(),
            makers: set.makers.into(),
            reserved: [0; 6],
        })
    }

    pub(super) fn trades_voided(&mut self, trades: VoidedTrades, reason: Option<&str>, flags: u8) -> Encoded {
        let (is_window, first, until_ns) = match trades {
            VoidedTrades::One(trade) => (false, trade.0, 0),
            VoidedTrades::Window { from_ns, until_ns } => (true, from_ns, until_ns),
        };
        self.with_reason(kind::TRADES_VOIDED, reason, |head, flag, reason_len| TradesVoidedV1 {
            head,
            flags: flags | flag | set(IS_WINDOW, is_window),
            reserved: [0; 3],
            reason_len: reason_len.into(),
            first: first.into(),
            until_ns: until_ns.into(),
        })
    }
}

/// Whether the oldest version cannot say it, because amounts in it have fractions of a penny.
fn has_fraction(trade: &TradeMatched) -> bool {
    trade.stake != trade.quantity || trade.maker_fraction != 0
}

/// The exact stake and the exact amount that the maker has left: what stands for the whole pennies in the record.
fn exact_amounts(trade: &TradeMatched) -> Result<(Quantity, Quantity), EncodeError> {
    let left = exact(trade.maker_remaining, trade.maker_fraction)?;
    if fell(left, trade.stake.0) != Some(trade.quantity) {
        return Err(EncodeError::Invalid("a trade whose quantity does not follow from its stake"));
    }
    Ok((trade.stake, Quantity(left)))
}

/// What a direct trade at odds pays: stake and profit. Version 1 says no more of it, so this holds for
/// ever and for any numbers; the core's are in their bounds, where nothing is cut and nothing saturates.
fn payout_at_odds(price: Price, stake: Quantity) -> Money {
    let payout = i128::from(stake.0) * i128::from(price.0) / 10_000;
    Money(i64::try_from(payout).unwrap_or(if payout < 0 { i64::MIN } else { i64::MAX }))
}

/// What a direct trade of shares pays: a currency unit each. Version 2 says no more of it.
const fn payout_of_shares(shares: Quantity) -> Money {
    Money(shares.0.saturating_mul(Money::UNIT.0))
}

pub(super) fn trade_matched(version: u16, record: &[u8], preceding: &Preceding) -> Decoded<(Event, bool)> {
    let (mut trade, ends) = trade(record, preceding)?;
    let at_odds = payout_at_odds(trade.price, trade.quantity);
    trade.payout = if version == 2 { payout_of_shares(trade.quantity) } else { at_odds };
    if version == 2 && trade.payout == at_odds {
        return malformed(OLDER_VERSION);
    }
    if version == 3 {
        divide(&mut trade)?;
        if trade.stake != trade.quantity {
            return malformed("a direct trade of a fraction of a penny");
        }
    }
    Ok((Event::TradeMatched(trade), ends))
}

pub(super) fn leg_matched(version: u16, record: &[u8], preceding: &Preceding) -> Decoded<(Event, bool)> {
    let (leg, payout) = preceding.leg().map_err(RecordProblem::Malformed)?;
    let (mut trade, ends) = trade(record, preceding)?;
    if version == 2 {
        divide(&mut trade)?;
    }
    Ok((Event::TradeMatched(TradeMatched { leg, payout, ..trade }), ends))
}

/// Makes whole pennies and a fraction of the exact amounts that a record had for them.
fn divide(trade: &mut TradeMatched) -> Decoded<()> {
    let left = trade.maker_remaining.0;
    trade.quantity = fell(left, trade.stake.0).ok_or(fractions::UNFOLLOWED)?;
    (trade.maker_remaining, trade.maker_fraction) = fractions::parts(left)?;
    if has_fraction(trade) { Ok(()) } else { malformed(OLDER_VERSION) }
}

/// A trade, but for its payout and its place in a set.
fn trade(record: &[u8], preceding: &Preceding) -> Decoded<(TradeMatched, bool)> {
    let trade: &TradeMatchedV1 = whole(record)?;
    let matched = TradeMatched {
        taker_order_id: preceding.taker().map_err(RecordProblem::Malformed)?,
        maker_order_id: OrderId(trade.maker_order_id.get()),
        maker_account: AccountId(trade.maker_account.get()),
        outcome: OutcomeIndex(trade.outcome.get()),
        maker_side: code(trade.maker_side)?,
        price: Price(trade.price.get()),
        quantity: Quantity(trade.quantity.get()),
        stake: Quantity(trade.quantity.get()),
        maker_quantity: Quantity(trade.maker_quantity.get()),
        maker_filled: Quantity(trade.maker_filled.get()),
        maker_remaining: Quantity(trade.maker_remaining.get()),
        maker_fraction: 0,
        payout: Money::ZERO,
        leg: 0,
    };
    Ok((matched, ends(trade.flags, 0)?))
}

pub(super) fn set_matched(record: &[u8], preceding: &Preceding) -> Decoded<(Event, bool)> {
    let set: &SetMatchedV1 = whole(record)?;
    unused(set.reserved == [0; 6])?;
    let event = Event::SetMatched(SetMatched {
        taker_order_id: preceding.taker().map_err(RecordProblem::Malformed)?,
        outcome: OutcomeIndex(set.outcome.get()),
        side: code(set.side)?,
        price: Price(set.price.get()),
        quantity: Quantity(set.quantity.get()),
        stake: Quantity(set.quantity.get()),
        payout: Money(set.payout.get()),
        makers: set.makers.get(),
    });
    Ok((event, ends(set.flags, 0)?))
}

pub(super) fn exact_set_matched(record: &[u8], preceding: &Preceding) -> Decoded<(Event, bool)> {
    let set: &SetMatchedV2 = whole(record)?;
    unused(set.reserved == [0; 6])?;
    let (quantity, stake) = (Quantity(set.quantity.get()), Quantity(set.stake.get()));
    if stake == quantity {
        return malformed(OLDER_VERSION);
    }
    if !may_fall(quantity, stake) {
        return Err(fractions::UNFOLLOWED);
    }
    let event = Event::SetMatched(SetMatched {
        taker_order_id: preceding.taker().map_err(RecordProblem::Malformed)?,
        outcome: OutcomeIndex(set.outcome.get()),
        side: code(set.side)?,
        price: Price(set.price.get()),
        quantity,
        stake,
        payout: Money(set.payout.get()),
        makers: set.makers.get(),
    });
    Ok((event, ends(set.flags, 0)?))
}

pub(super) fn trades_voided(record: &[u8]) -> Decoded<(Event, bool)> {
    let (voided, tail) = fixed_part::<TradesVoidedV1>(record)?;
    let (first, until_ns) = (voided.first.get(), voided.until_ns.get());
    let is_window = voided.flags & IS_WINDOW != 0;
    unused(voided.reserved == [0; 3] && (is_window || until_ns == 0))?;
    let trades = if is_window {
        VoidedTrades::Window { from_ns: first, until_ns }
    } else {
        VoidedTrades::One(TradeId(first))
    };
    let reason = tail.reason(voided.flags, voided.reason_len.get())?;
    Ok((Event::TradesVoided { trades, reason }, ends(voided.flags, HAS_REASON | IS_WINDOW)?))
}
