//! What small bettors get from sets in books of small stakes: the prices that are shown, and the implied ones to
//! less than a 1,024th.

use betex_core::command::{CommandKind, NewMarket, NewOrder};
use betex_core::decide::{Receipt, decide};
use betex_core::event::{Event, OutcomeIndex};
use betex_core::ladder::{Ladder, Tick};
use betex_core::types::{AccountId, BookMarketState, Price, Quantity, RunnerId, Side, TimeInForce};
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;

use crate::exchange::{Exchange, MARKET};
use crate::invariants::check_events;

/// One currency unit.
const UNIT: i64 = 10_000;

#[derive(Clone, Debug)]
struct Book {
    ladder: Ladder,
    /// How likely the outcomes are, against each other.
    weights: Vec<u32>,
    orders: Vec<Order>,
}

#[derive(Clone, Debug)]
struct Order {
    outcome: u8,
    back: bool,
    /// Ticks from what the outcome is worth: most ask for more than that.
    ticks: i32,
    pennies: i64,
    account: u64,
    /// It takes what there is and does not rest.
    takes: bool,
}

fn book() -> impl Strategy<Value = Book> {
    let order = (any::<u8>(), any::<bool>(), -3..9_i32, 200..20_000_i64, 1..9_u64, prop::bool::weighted(0.2));
    let order = order.prop_map(|(outcome, back, ticks, pennies, account, takes)| {
        let pennies = if pennies % 3 == 0 { 200 } else { pennies };
        Order { outcome, back, ticks, pennies, account, takes }
    });
    let weights =
        prop_oneof![prop::collection::vec(1..30_u32, 2..=20), prop::collection::vec(1..3_u32, 2..6),];
    let ladder = prop::sample::select(vec![Ladder::Classic, Ladder::Finest]);
    (ladder, weights, prop::collection::vec(order, 20..200)).prop_map(|(ladder, weights, orders)| Book {
        ladder,
        weights,
        orders,
    })
}

impl Book {
    fn price(&self, outcome: usize, ticks: i32) -> Price {
        let fair = Price(10_000 * self.weights.iter().sum::<u32>() / self.weights[outcome]);
        let (below, above) = self.ladder.neighbours(fair);
        let near = self.ladder.tick(fair).map(|_| fair).or(below).or(above).expect("a ladder has prices");
        let tick = self.ladder.tick(near).expect("it is on the ladder").0;
        self.ladder.price(Tick(tick.saturating_add_signed(ticks).min(self.ladder.len() - 1)))
    }

    fn play(&self) -> Exchange {
        let mut exchange = Exchange::default();
        let names = (0..self.weights.len()).map(|name| name.to_string());
        let (state, ladder) = (BookMarketState::Open, self.ladder);
        exchange.create(NewMarket { state, ladder, ..NewMarket::new("small", names) });
        for order in &self.orders {
            let outcome = usize::from(order.outcome) % self.weights.len();
            let (side, ticks) = if order.back { (Side::Yes, order.ticks) } else { (Side::No, -order.ticks) };
            let price = self.price(outcome, if order.takes { -3 * ticks } else { ticks });
            let quantity = Quantity(order.pennies * 100);
            let new = NewOrder::limit(RunnerId(outcome as u64 + 1), side, price, quantity);
            let lasting = if order.takes { TimeInForce::Ioc } else { TimeInForce::Gtc };
            // An order that own ones stop is refused.
            let _ = exchange.submit(new.by(AccountId(order.account)).lasting(lasting));
        }
        exchange
    }
}

/// What became of orders of a unit at prices that were shown.
#[derive(Default)]
struct Tried {
    all: u32,
    /// Orders that were not filled whole: a smaller trade came first.
    short: u32,
}

/// Sets smaller than this, of which rounding may be more than what a shown price leaves for it, are not shown.
const SHOWN: i64 = 8_192;

/// An order of a unit at the best price at which sets are shown to give as much is filled, at that price or a
/// better one. A smaller trade may come first: a direct one, a set too small to be shown, or one that the level adds
/// up with others. Then less may be left than is shown, and only that may stay unfilled.
fn check_shown(exchange: &Exchange) -> Tried {
    let market = exchange.state.market(MARKET).expect("the market is there");
    let mut tried = Tried::default();
    for outcome in (0..).map(OutcomeIndex).take(market.spec().runners.len()) {
        for shown in [Side::Yes, Side::No] {
            let levels = market.virtual_levels(outcome, shown, 10);
            let Some(level) = levels.iter().find(|level| level.quantity.0 >= UNIT) else { continue };
            let runner = RunnerId(u64::from(outcome.0) + 1);
            let unit =
                NewOrder::limit(runner, shown.opposite(), level.price, Quantity(UNIT)).by(AccountId(99));
            let take = |lasting, events: &mut Vec<Event>| {
                let kind = CommandKind::SubmitOrder(unit.lasting(lasting));
                decide(&exchange.state, MARKET, &kind, exchange.state.time_ns(), events)
            };
            let mut events = Vec::new();
            let killed = take(TimeInForce::Fok { min_fill: Quantity::ZERO }, &mut events);
            let answer = take(TimeInForce::Ioc, &mut events);
            let Ok(Receipt::Order { report, .. }) = answer else { panic!("{answer:?}") };
            // FOK and IOC meet the same.
            assert_eq!(killed.is_ok(), report.filled == Quantity(UNIT), "{killed:?}");
            tried.all += 1;
            tried.short += u32::from(killed.is_err());
            let unfilled = UNIT - report.filled.0;
            assert!(unfilled < SHOWN, "{outcome:?} {shown:?} shows {levels:?}, but {unfilled} is unfilled");
            let better = |price: Price| match shown {
                Side::No => price >= level.price,
                Side::Yes => price <= level.price,
            };
            assert!(events.iter().all(|event| match event {
                Event::SetMatched(set) => better(set.price),
                Event::TradeMatched(trade) if !trade.is_synthetic() => better(trade.price),
                _ => true,
            }));
        }
    }
    tried
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_shown_price_leaves_little_of_a_unit_unfilled(book in book()) {
        check_shown(&book.play());
    }

    /// The ledger knows what every set costs its taker and gives its makers.
    #[test]
    fn rounding_costs_next_to_nothing(book in book()) {
        check_events(&book.play());
    }
}

/// Books without sets would prove nothing.
#[test]
fn small_bettors_meet_sets() {
    let mut runner = TestRunner::deterministic();
    let (mut tried, mut sets, mut fractions) = (Tried::default(), 0, 0);
    for _ in 0..100 {
        let exchange = book().new_tree(&mut runner).expect("a book").current().play();
        let Tried { all, short } = check_shown(&exchange);
        (tried.all, tried.short) = (tried.all + all, tried.short + short);
        let ledger = check_events(&exchange);
        sets += ledger.sets;
        fractions += ledger.fractions;
    }
    assert!(tried.all > 300 && sets > 300 && fractions > 300, "{} {sets} {fractions}", tried.all);
    assert!(tried.short * 50 <= tried.all, "{} of {} were short", tried.short, tried.all);
}
