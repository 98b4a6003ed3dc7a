//! No shape of a book makes one command work without end. The work is counted, not timed: fills, own orders,
//! and makers that sets look at.

use super::sweep::{End, Sweep, sweep};
use super::taker::{Taker, Work};
use super::{Receipt, decide};
use crate::command::{CommandKind, NewMarket, NewOrder};
use crate::event::{Event, OutcomeIndex};
use crate::ladder::Ladder;
use crate::limits::{FILLS_MAX, MAKERS_LOOKED_AT_MAX, OWN_ORDERS_SKIPPED_MAX};
use crate::reject::Rejection;
use crate::state::State;
use crate::types::{
    AccountId, BookMarketState, MarketId, OrderId, Price, Quantity, SelfTradePrevention, Side, TimeInForce,
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
        assert!(work.looked_at <= MAKERS_LOOKED_AT_MAX, "{} makers looked at", work.looked_at);
        (swept, work)
    }
}

const SKIP: SelfTradePrevention = SelfTradePrevention::Skip;

/// A penny at odds of 1.47 rounds too badly for a set with a maker at 4.10, at each of the payouts that are
/// tried: it pays 147 quanta, of which the taker's 12 lose most of one.
const BAD: u32 = 14_700;

#[test]
fn a_wall_of_pennies_is_passed_over_until_the_bound_is_met() {
    let walled = |pennies: u64| {
        let mut book = Book::new(Ladder::Classic, 3);
        book.rest(pennies, 1, 1, Side::Yes, BAD, PENNY);
        book.rest(1, 1, 1, Side::Yes, BAD, 1_000_000);
        book.rest(1, 1, 2, Side::Yes, 41_000, 1_000_000);
        book
    };
    // Each look counts two makers.
    let looks = u64::from(MAKERS_LOOKED_AT_MAX / 2);
    let (swept, work) = walled(looks - 1).take(2, Side::Yes, 20_200, 50_000, SKIP);
    assert!(swept.left < PENNY && !work.sets_ended, "the order after the wall is met: {}", swept.left);
    let mut book = walled(looks);
    let (swept, work) = book.take(2, Side::Yes, 20_200, 1_000_000, SKIP);
    assert_eq!((swept.left, work.looked_at, work.sets_ended), (1_000_000, MAKERS_LOOKED_AT_MAX, true));
    assert!(swept.end == End::Through, "what is left may rest");
    // A direct order is met all the same.
    book.rest(1, 3, 0, Side::No, 20_200, 1_000_000);
    let (swept, _) = book.take(2, Side::Yes, 20_200, 1_000_000, SKIP);
    assert!(swept.left == 0 && swept.end == End::Through);
    // A FOK that falls short because of the bound says so.
    let fok = TimeInForce::Fok { min_fill: Quantity::ZERO };
    let order = NewOrder::limit(1.into(), Side::Yes, Price(20_200), Quantity(2_000_000)).lasting(fok);
    let kind = CommandKind::SubmitOrder(order.by(AccountId(2)));
    let refused = decide(&book.state, MARKET, &kind, 0, &mut book.events);
    assert_eq!(refused, Err(Rejection::OrderLimit));
}

#[test]
fn makers_are_passed_over_once_for_each_price_to_beat() {
    let looks = |prices: &[u32]| {
        let mut book = Book::new(Ladder::Classic, 3);
        book.rest(100, 1, 1, Side::Yes, BAD, PENNY);
        book.rest(1, 1, 2, Side::Yes, 41_000, 1_000_000);
        for price in prices {
            book.rest(10, 3, 0, Side::No, *price, PENNY);
        }
        let (swept, work) = book.take(2, Side::Yes, 20_200, 300_000, SKIP);
        assert_eq!((300_000 - swept.left) / PENNY, i64::from(work.fills));
        work.looked_at / 2
    };
    // The implied odds are 13.19. Each of the 100 pennies is passed over once, however many direct orders of
    // one price follow, and once more for the price that comes next, and for none at the end.
    assert_eq!(looks(&[]), 101);
    assert_eq!(looks(&[20_400]), 101 + 9 + 101);
    assert_eq!(looks(&[20_400, 20_200]), 101 + 9 + 101 + 9 + 101);
}

#[test]
fn runs_of_own_and_used_up_orders_are_walked_once() {
    // The wall of own orders stands after a penny that is passed over again for each of many prices.
    let mut book = Book::new(Ladder::Finest, 3);
    book.rest(1, 1, 1, Side::Yes, BAD, PENNY);
    book.rest(4_000, 2, 1, Side::Yes, BAD + 100, 1_000);
    book.rest(1, 1, 2, Side::Yes, 41_000, 1_000_000);
    for price in 0..400 {
        book.rest(1, 3, 0, Side::No, 20_000 + price * 100, PENNY);
    }
    super::lane::STEPS.set(0);
    let (_, work) = book.take(2, Side::Yes, 10_100, 1_000_000, SKIP);
    assert_eq!((work.fills, work.own_orders), (400, 4_000));
    let steps = super::lane::STEPS.get();
    assert!(steps < 4_000 + 3 * 400 + 10, "{steps} steps");
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
    assert!(swept.end == End::Limit, "there is another maker after them");
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
        assert!(swept.end == End::Through && work.sets_ended, "what is left may rest");
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
            .map(|event| if let Event::SetMatched(set) = event { set.stake.0 } else { 0 })
            .sum();
        assert_eq!(stakes > 0, found, "{side:?} {maker} {outcomes}");
        assert_eq!(swept.left, Quantity::MAX.0 - stakes);
    }
}
