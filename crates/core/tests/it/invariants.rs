//! What holds after any flow, steps of closing between the commands included.

use std::collections::BTreeMap;

use betex_core::command::NewOrder;
use betex_core::decide::Receipt;
use betex_core::event::OutcomeIndex;
use betex_core::reject::Rejection;
use betex_core::state::State;
use betex_core::types::{
    AccountId, BookMarketState, OrderId, Persistence, Price, Quantity, Side, TimeInForce,
};
use betex_core::view::MarketView;
use proptest::prelude::*;

use crate::exchange::{Exchange, HOME, queues};
use crate::flow::{Flow, Step, flow, market_id};
use crate::ledger::Ledger;

pub(crate) fn play(flow: &Flow) -> Exchange {
    let mut exchange = flow.exchange();
    go_on(&mut exchange, flow, &flow.steps, &mut Vec::new());
    exchange
}

/// The same flow, by an exchange that is made again of its image after each transaction.
fn check_images(flow: &Flow) {
    let mut remade = Exchange { remade: true, ..flow.exchange() };
    go_on(&mut remade, flow, &flow.steps, &mut Vec::new());
    let mut whole = play(flow);
    for exchange in [&mut whole, &mut remade] {
        exchange.now_ms += 60;
        exchange.work_off();
    }
    assert_eq!(remade.log, whole.log);
    assert_eq!(remade.state.digest(), whole.state.digest());
}

fn go_on(exchange: &mut Exchange, flow: &Flow, steps: &[Step], taken: &mut Vec<(usize, OrderId)>) {
    for step in steps {
        advance(exchange, flow, step, taken);
    }
}

/// Takes one step of a flow; answers with what the commands were answered.
pub(crate) fn advance(
    exchange: &mut Exchange,
    flow: &Flow,
    step: &Step,
    taken: &mut Vec<(usize, OrderId)>,
) -> Vec<Result<Receipt, Rejection>> {
    match step {
        Step::Pass { ms } => exchange.now_ms += ms,
        Step::Work => {
            exchange.work();
        }
        _ => (),
    }
    let (place, commands) = flow.commands(step, exchange, taken);
    // Of a crowd everybody is like the others: they need not all be decided twice.
    exchange.suspicious = commands.len() < 100;
    let answers =
        commands.iter().map(|kind| exchange.run(market_id(place), kind).map(|(receipt, _)| receipt));
    let answers: Vec<_> = answers.collect();
    for answer in &answers {
        if let Ok(Receipt::Order { report, .. }) = answer {
            let ids = report.order_id.0..=report.order_id.0 + if report.split { 2 } else { 0 };
            taken.extend(ids.map(|id| (place, OrderId(id))));
        }
    }
    answers
}

/// Holds all that happened, to its end, against the rules.
pub(crate) fn check_events(exchange: &Exchange) -> Ledger {
    let mut ledger = Ledger::default();
    for (stamp, events) in &exchange.log {
        ledger.take(stamp, events);
    }
    let mut resting: Vec<_> = queues(&exchange.state)
        .iter()
        .map(|o| {
            let (remaining, fraction) = (o.remaining.0, i64::from(o.fraction));
            (o.id, o.market_id, o.account, o.price.0, o.filled.0, remaining, fraction)
        })
        .collect();
    resting.sort();
    assert_eq!(resting, ledger.resting(), "book left, events right");
    for market in exchange.state.markets() {
        assert!(market.state() != BookMarketState::Closed || market.resting_orders() == 0);
        for outcome in (0..).map(OutcomeIndex).take(market.spec().runners.len()) {
            let left = [Side::Yes, Side::No].map(|side| market.levels(outcome, side).next());
            assert!(market.removed(outcome).is_none() || left == [None; 2], "{outcome:?} was removed");
            check_totals(&market, outcome);
            let told = ledger.traded.get(&(market.id(), outcome)).copied();
            let (price, traded) = told.map_or((None, 0), |(price, traded)| (Some(price), traded));
            assert_eq!((market.last_price(outcome), market.traded(outcome)), (price, traded));
        }
    }
    ledger
}

/// A level is the sum of the whole pennies that its orders have left, fractions aside.
fn check_totals(market: &MarketView<'_>, outcome: OutcomeIndex) {
    for side in [Side::Yes, Side::No] {
        let mut totals = BTreeMap::<_, (i64, u32)>::new();
        // Orders of a pair are in the words of the outcome that they were entered for.
        let orders = market.orders(outcome, side).filter(|order| order.outcome == outcome);
        for order in orders {
            assert!(order.remaining > Quantity::ZERO, "{order:?}");
            let total = totals.entry(order.price).or_default();
            *total = (total.0 + order.remaining.0, total.1 + 1);
        }
        let levels =
            market.levels(outcome, side).map(|level| (level.price, (level.quantity.0, level.orders)));
        let is_pair = market.is_mirror(OutcomeIndex(1));
        assert!(is_pair || totals == levels.collect(), "{totals:?}");
    }
}

/// The levels that the events touch make the book.
fn check_levels(exchange: &Exchange) {
    let (mut state, mut levels) = (State::new(), BTreeMap::new());
    for (stamp, events) in &exchange.log {
        let mut seen = 0;
        state.apply_each(stamp, events, |event, level| {
            assert_eq!(*event, events[seen]);
            seen += 1;
            let Some(level) = level() else { return };
            let own = (level.outcome, level.side, level.price);
            for (outcome, side, price) in [own].into_iter().chain(level.mirror) {
                let key = (stamp.market_id, outcome, side, price);
                match level.orders {
                    0 => assert!(levels.remove(&key).is_some() && level.quantity == Quantity::ZERO),
                    orders => drop(levels.insert(key, (level.quantity, orders))),
                }
            }
        });
        assert_eq!(seen, events.len());
        if let Some(market) = state.market(stamp.market_id) {
            for outcome in (0..).map(OutcomeIndex).take(market.spec().runners.len()) {
                for side in [Side::Yes, Side::No] {
                    let followed = levels.range((market.id(), outcome, side, Price(0))..);
                    let followed =
                        followed.take_while(|(key, _)| (key.0, key.1, key.2) == (market.id(), outcome, side));
                    let followed = followed.map(|(key, (quantity, orders))| (key.3, *quantity, *orders));
                    let book = market.levels(outcome, side).map(|l| (l.price, l.quantity, l.orders));
                    let mut book: Vec<_> = book.collect();
                    book.sort();
                    assert_eq!(followed.collect::<Vec<_>>(), book, "events left, book right");
                }
            }
        }
    }
}

/// Plays a flow with a restart in the middle: the state that the log makes is the one that was there, and
/// all that follows is as if nothing had happened.
fn check_replay(flow: &Flow) {
    let (mut restarted, mut taken) = (flow.exchange(), Vec::new());
    let (before, after) = flow.steps.split_at(flow.steps.len() / 2);
    go_on(&mut restarted, flow, before, &mut taken);
    let replayed = restarted.replay(restarted.log.len());
    assert_eq!(replayed.digest(), restarted.state.digest());
    assert_eq!(queues(&replayed), queues(&restarted.state));
    restarted.state = replayed;
    go_on(&mut restarted, flow, after, &mut taken);
    let mut whole = play(flow);
    for exchange in [&mut whole, &mut restarted] {
        exchange.now_ms += 60;
        exchange.work_off();
    }
    assert_eq!(restarted.log, whole.log);
    assert_eq!(restarted.state.digest(), whole.state.digest());
    assert_eq!(queues(&restarted.state), queues(&whole.state));
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_events_keep_the_rules_and_tell_the_book(flow in flow(200)) {
        let mut exchange = play(&flow);
        exchange.work_off();
        check_events(&exchange);
    }

    #[test]
    fn the_levels_that_events_touch_make_the_book(flow in flow(100)) {
        check_levels(&play(&flow));
    }

    #[test]
    fn an_image_is_the_state(flow in flow(200)) {
        check_images(&flow);
    }

    #[test]
    fn replay_is_the_state(flow in flow(200)) {
        check_replay(&flow);
    }
}

/// A digest that never differs would prove nothing.
#[test]
fn another_state_has_another_digest() {
    let order = |price, quantity| NewOrder::limit(HOME, Side::Yes, Price(price), Quantity(quantity));
    let base = order(25_000, 1_000).by(AccountId(1));
    let mut digests = Vec::new();
    for orders in [
        vec![],
        vec![base],
        vec![order(26_000, 1_000).by(AccountId(1))],
        vec![order(25_000, 1_100).by(AccountId(1))],
        vec![base.by(AccountId(2))],
        vec![NewOrder { side: Side::No, ..base }],
        vec![NewOrder { persistence: Persistence::Persist, ..base }],
        vec![base.lasting(TimeInForce::Gtd { expiry_ms: 9 })],
        vec![base.named("x".try_into().expect("an id"))],
        vec![base, base.by(AccountId(2))],
        vec![base.by(AccountId(2)), base],
        vec![base.named("y".try_into().expect("an id"))],
        vec![NewOrder { side: Side::No, quantity: Quantity(900), ..base }],
    ] {
        let mut exchange = Exchange::open();
        for order in orders {
            exchange.submit(order).expect("taken");
        }
        digests.push(exchange.state.digest());
    }
    // The same but for whose order is filled and whose is reduced.
    for (filled, reduced) in [(1, 2), (2, 1)] {
        let mut exchange = Exchange::open();
        for account in [1, 2] {
            exchange.submit(base.by(AccountId(account))).expect("rests");
        }
        let taker = order(25_000, 600).by(AccountId(reduced)).lasting(TimeInForce::Ioc);
        exchange.submit(NewOrder { side: Side::No, ..taker }).expect("filled");
        assert_eq!(exchange.state.order(OrderId(filled)).map(|order| order.filled), Some(Quantity(600)));
        exchange.cancel(reduced, 400).expect("reduced");
        digests.push(exchange.state.digest());
    }
    let count = digests.len();
    digests.sort_unstable();
    digests.dedup();
    assert_eq!(digests.len(), count);
}
