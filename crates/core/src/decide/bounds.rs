//! No shape of a book makes one command work without end: the work is counted, not timed. Every turn of
//! every loop of a sweep counts as one of the four things that [`Work`] counts, looks at one maker of such a
//! thing - at most 255 of them - or ends the sweep.

use super::sweep::{End, Sweep, sweep};
use super::taker::{Taker, Work};
use super::{Receipt, decide};
use crate::command::{CommandKind, NewMarket, NewOrder};
use crate::event::{Event, OutcomeIndex};
use crate::ladder::Ladder;
use crate::limits::{FILLS_MAX, OWN_ORDERS_SKIPPED_MAX, PASSED_OVER_MAX, PAYOUTS_MAX};
use crate::state::State;
use crate::types::{
    AccountId, BookMarketState, MarketId, OrderId, Price, Quantity, SelfTradePrevention, Side,
};

const MARKET: MarketId = MarketId(1);
const PENNY: i64 = 100;

struct Book {
    state: State,
    events: Vec<Event>,
}

impl Book {
    fn new(ladder: Ladder, outcomes: u64) -> Self {
        let names = (0..outcomes).map(|name| name.to_string());
        let market = match ladder {
            Ladder::Binary { max_price_ticks } => NewMarket::binary("", max_price_ticks, names),
            ladder => NewMarket { ladder, ..NewMarket::new("", names) },
        };
        let market = NewMarket { state: BookMarketState::Open, ..market };
        let mut book = Self { state: State::new(), events: Vec::new() };
        book.run(MarketId::NONE, &CommandKind::CreateMarket(Box::new(market)));
        book
    }

    fn run(&mut self, market: MarketId, kind: &CommandKind) -> Receipt {
        let receipt = decide(&self.state, market, kind, 0, &mut self.events).expect("taken");
        self.state.apply_next(receipt.market_id(market), 0, &self.events);
        receipt
    }

    /// Orders that rest, all of them.
    fn rest(&mut self, count: u64, account: u64, outcome: u64, side: Side, price: u32, quantity: i64) {
        for _ in 0..count {
            let order = NewOrder::limit((outcome + 1).into(), side, Price(price), Quantity(quantity));
            let receipt = self.run(MARKET, &CommandKind::SubmitOrder(order.by(AccountId(account))));
            assert!(
                matches!(receipt, Receipt::Order { report, .. } if report.remaining == Quantity(quantity))
            );
        }
    }

    /// What a taker on outcome 0 does, and how much work that is.
    fn take(
        &mut self,
        account: u64,
        side: Side,
        price: u32,
        quantity: i64,
        self_trade: SelfTradePrevention,
    ) -> (Sweep, Work) {
        let market = self.state.markets.find(MARKET).expect("the market is there");
        let tick = market.spec.ladder.tick(Price(price)).expect("on the ladder");
        let taker = Taker {
            id: OrderId(1_000_000),
            account: AccountId(account),
            place: market.place(OutcomeIndex(0), side, tick),
            quantity,
            post_only: false,
            self_trade,
        };
        let mut work = Work::default();
        self.events.clear();
        let swept = sweep(&self.state, market, &taker, &mut work, &mut self.events);
        assert!(work.fills <= FILLS_MAX, "{} fills", work.fills);
        assert!(work.own_orders <= OWN_ORDERS_SKIPPED_MAX, "{} own orders", work.own_orders);
        assert!(work.passed_over <= PASSED_OVER_MAX, "{} passed over", work.passed_over);
        assert!(work.payouts <= PAYOUTS_MAX, "{} payouts", work.payouts);
        (swept, work)
    }
}

const SKIP: SelfTradePrevention = SelfTradePrevention::Skip;

#[test]
fn pennies_in_front_of_a_queue_are_passed_over_within_the_bounds() {
    let mut book = Book::new(Ladder::Classic, 3);
    // A penny at 4.00 can carry a payout of 4, of which the other maker's whole pennies leave nothing fair.
    book.rest(5_000, 1, 1, Side::Yes, 37_000, PENNY);
    book.rest(1, 1, 1, Side::Yes, 37_000, 1_000_000);
    book.rest(1, 1, 2, Side::Yes, 41_000, 1_000_000);
    let (_, work) = book.take(2, Side::Yes, 20_200, 1_000_000, SKIP);
    assert!(work.passed_over == PASSED_OVER_MAX || work.payouts == PAYOUTS_MAX, "the bounds were met");
    // A direct order is met all the same.
    book.rest(1, 3, 0, Side::No, 20_200, 1_000_000);
    let (swept, _) = book.take(2, Side::Yes, 20_200, 1_000_000, SKIP);
    assert!(swept.left == 0 && swept.end == End::Through);
}

#[test]
fn what_was_passed_over_is_not_looked_at_for_ever_after_every_direct_fill() {
    let mut book = Book::new(Ladder::Classic, 3);
    book.rest(100, 1, 1, Side::Yes, 37_000, PENNY);
    book.rest(1, 1, 2, Side::Yes, 41_000, 1_000_000);
    book.rest(3_000, 3, 0, Side::No, 20_400, PENNY);
    let (swept, work) = book.take(2, Side::Yes, 20_200, 300_000, SKIP);
    assert_eq!((swept.left, work.fills), (0, 3_000));
    assert!(work.passed_over == PASSED_OVER_MAX || work.payouts == PAYOUTS_MAX, "they were looked at again");
}

#[test]
fn thousands_of_own_orders_in_front_end_the_search() {
    for self_trade in [SKIP, SelfTradePrevention::CancelResting] {
        let mut book = Book::new(Ladder::Classic, 3);
        book.rest(5_000, 2, 0, Side::No, 20_400, PENNY);
        book.rest(1, 1, 0, Side::No, 20_200, PENNY);
        let (swept, work) = book.take(2, Side::Yes, 20_200, 1_000_000, self_trade);
        assert_eq!((swept.left, work.own_orders), (1_000_000, OWN_ORDERS_SKIPPED_MAX));
        assert!(swept.end == End::Limit);
    }
    // And among the makers of sets.
    let mut book = Book::new(Ladder::Classic, 3);
    book.rest(5_000, 2, 1, Side::Yes, 37_000, 1_000);
    book.rest(1, 1, 1, Side::Yes, 38_000, 1_000_000);
    book.rest(1, 1, 2, Side::Yes, 41_000, 1_000_000);
    let (swept, work) = book.take(2, Side::Yes, 20_200, 1_000_000, SKIP);
    assert_eq!((swept.left, work.own_orders), (1_000_000, OWN_ORDERS_SKIPPED_MAX));
    assert!(swept.end == End::Limit, "there is somebody behind them");
    let (_, work) = book.take(2, Side::Yes, 20_200, 1_000_000, SelfTradePrevention::CancelResting);
    assert_eq!(work.own_orders, OWN_ORDERS_SKIPPED_MAX);
}

#[test]
fn many_outcomes_make_one_set() {
    for outcomes in [64, 256] {
        let mut book = Book::new(Ladder::Finest, outcomes);
        for outcome in 1..outcomes {
            let price = u32::try_from(outcomes).expect("few") * 10_000 + 1_000;
            book.rest(1, 1, outcome, Side::Yes, price, 100_000);
        }
        let (swept, work) = book.take(2, Side::Yes, 10_100, 1_000_000, SKIP);
        assert_eq!(u64::from(work.fills), outcomes - 1, "one set with a leg on every outcome");
        assert!(swept.left < 1_000_000);
    }
}

#[test]
fn many_outcomes_with_many_orders_end_at_the_bound_on_fills() {
    for ladder in [Ladder::Finest, Ladder::Binary { max_price_ticks: 10_000 }] {
        let mut book = Book::new(ladder, 64);
        for outcome in 1..64 {
            let (price, quantity) = if ladder == Ladder::Finest { (650_000, 10_000) } else { (100, 1) };
            book.rest(100, 1, outcome, Side::Yes, price, quantity);
        }
        let worst = if ladder == Ladder::Finest { 10_100 } else { 9_999 };
        let (swept, work) = book.take(2, Side::Yes, worst, Quantity::MAX.0, SKIP);
        assert!((FILLS_MAX - 62..=FILLS_MAX).contains(&work.fills), "{} fills", work.fills);
        assert!(swept.end == End::Limit);
    }
}

#[test]
fn the_largest_stakes_overflow_nothing() {
    // Whether a set must be found: the implied price of the others is neither worse than 1.01 nor too good.
    for (side, maker, outcomes, found) in [
        (Side::Yes, 20_000, 2, true),
        (Side::Yes, 10_000_000, 2, false),
        (Side::Yes, 10_000_000, 256, true),
        (Side::No, 20_000, 2, true),
        (Side::No, 10_000_000, 3, false),
        (Side::No, 10_100, 2, true),
    ] {
        let mut book = Book::new(Ladder::Classic, outcomes);
        for outcome in 1..outcomes {
            book.rest(2, 1, outcome, side, maker, Quantity::MAX.0);
        }
        let worst = Ladder::Classic.worst(side).0;
        let (swept, _) = book.take(2, side, worst, Quantity::MAX.0, SKIP);
        let stakes: i64 = book
            .events
            .iter()
            .map(|event| if let Event::SetMatched(set) = event { set.quantity.0 } else { 0 })
            .sum();
        assert_eq!(stakes > 0, found, "{side:?} {maker} {outcomes}");
        assert_eq!(swept.left, Quantity::MAX.0 - stakes);
    }
}
