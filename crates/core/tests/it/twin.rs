//! Random flows through the core and through its twin: after every step both say the same, and their
//! books are the same, order by order.

use betex_core::command::{CommandKind, NewOrder, OrderPrice, OrderRef};
use betex_core::decide::Receipt;
use betex_core::event::{CancelReason, Event, OutcomeIndex};
use betex_core::ladder::Ladder;
use betex_core::reject::{OrderReport, Rejection};
use betex_core::types::{
    AccountId, BookMarketState, OrderId, OrderStatus, Price, Quantity, Side, TimeInForce,
};
use betex_naive as naive;
use proptest::prelude::*;

use crate::exchange::Exchange;
use crate::flow::{Flow, INCREMENTS, LADDERS, MINIMA, OUTCOMES, Step, flow, market_id};

/// The twins of the markets, and which of the core's orders is which of theirs.
#[derive(Default)]
struct Twins {
    markets: Vec<naive::Market>,
    /// By market, by the twin's number less one.
    ids: [Vec<OrderId>; 2],
    /// All orders, as they were taken.
    taken: Vec<(usize, OrderId)>,
}

impl Twins {
    fn new() -> Self {
        let market = |place: usize| naive::Market {
            ladder: match LADDERS[place] {
                Ladder::Classic => naive::Ladder::Classic,
                Ladder::Finest => naive::Ladder::Finest,
                Ladder::Binary { .. } => unreachable!("the flows are at odds"),
            },
            increment: INCREMENTS[place],
            min_stake: MINIMA[place],
            synthetic: false,
            ..naive::Market::new(OUTCOMES)
        };
        Self { markets: (0..2).map(market).collect(), ..Self::default() }
    }

    fn number(&self, place: usize, id: OrderId) -> u64 {
        self.ids[place].iter().zip(1..).find(|(known, _)| **known == id).map_or(0, |(_, number)| number)
    }

    fn submit(
        &mut self,
        place: usize,
        order: &NewOrder,
        now_ms: u64,
        core: Result<(Receipt, Vec<Event>), Rejection>,
    ) {
        let twin = self.markets[place].submit(now_ms * 1_000_000, &translate(order));
        if let Ok((Receipt::Order { report, .. }, _)) = &core {
            self.ids[place].push(report.order_id);
            self.taken.push((place, report.order_id));
            assert_eq!(report.order_id, OrderId(self.taken.len() as u64), "ids are counted over all markets");
        }
        if let (Err(Rejection::DuplicateClientId(first)), Err(naive::Refusal::DuplicateClientId(number))) =
            (&core, &twin)
        {
            self.compare_report(place, *number, first);
        }
        let core = core.map(|(receipt, events)| self.answer(place, &receipt, &events)).map_err(|rejection| {
            match &rejection {
                Rejection::DuplicateClientId(first) => {
                    naive::Refusal::DuplicateClientId(self.number(place, first.order_id))
                }
                other => refusal(other),
            }
        });
        assert_eq!(core, twin, "core left, twin right");
    }

    fn answer(&self, place: usize, receipt: &Receipt, events: &[Event]) -> naive::Answer {
        let Receipt::Order { report, reason } = receipt else { panic!("{receipt:?}") };
        let trades = events.iter().filter_map(|event| match event {
            Event::TradeMatched(trade) => {
                let (price, stake, payout) = (trade.price.0, trade.quantity.0, i128::from(trade.payout.0));
                let maker = naive::Leg {
                    maker: self.number(place, trade.maker_order_id),
                    outcome: trade.outcome.index(),
                    side: side(trade.maker_side),
                    price,
                    stake,
                    payout,
                };
                let taker = self.number(place, trade.taker_order_id);
                Some(naive::Trade { taker, set: false, price, stake, payout, makers: vec![maker] })
            }
            _ => None,
        });
        naive::Answer {
            number: self.number(place, report.order_id),
            status: status(report.status),
            filled: report.filled.0,
            remaining: report.remaining.0,
            reason: reason.map(|reason| match reason {
                CancelReason::Unfilled => naive::Reason::NeverRests,
                CancelReason::SelfTrade => naive::Reason::SelfTrade,
                CancelReason::OrderLimit => naive::Reason::OrderLimit,
                other => panic!("{other:?} is no reason for a new order"),
            }),
            trades: trades.collect(),
            own_cancelled: Vec::new(),
        }
    }

    fn cancel(&mut self, place: usize, kind: &CommandKind, core: Result<(Receipt, Vec<Event>), Rejection>) {
        let CommandKind::CancelOrder { order, account_id, keep } = kind else { unreachable!() };
        let market = &self.markets[place];
        let number = match order {
            OrderRef::Id(id) => self.number(place, *id),
            OrderRef::Client(id) => {
                market.find_client_id(account_id.0, Some(id.as_str())).map_or(0, |order| order.number)
            }
        };
        let twin = self.markets[place].cancel(number, account_id.0, keep.0);
        if let Ok((Receipt::Cancelled { report, .. }, _)) = &core {
            self.compare_report(place, number, report);
        }
        let core = core.map_err(|rejection| refusal(&rejection)).map(|(receipt, _)| match receipt {
            Receipt::Cancelled { cancelled, .. } => cancelled.0,
            other => panic!("{other:?}"),
        });
        assert_eq!(core, twin, "core left, twin right");
    }

    fn change(&mut self, place: usize, kind: &CommandKind, core: Result<(Receipt, Vec<Event>), Rejection>) {
        let (to, twin_to) = match kind {
            CommandKind::OpenMarket { .. } => (BookMarketState::Open, naive::MarketState::Open),
            CommandKind::SuspendMarket { .. } => (BookMarketState::Suspended, naive::MarketState::Suspended),
            _ => (BookMarketState::Closed, naive::MarketState::Closed),
        };
        let core = core.map_err(|rejection| refusal(&rejection)).map(|(receipt, _)| receipt);
        let twin = self.markets[place].change_state(twin_to).map(|_| Receipt::MarketStatus(to));
        assert_eq!(core, twin, "core left, twin right");
    }

    fn expire(&mut self, exchange: &mut Exchange) {
        let events = exchange.expire();
        for place in 0..2 {
            let of_market = events.iter().filter(|(market, _)| *market == market_id(place));
            let core: Vec<_> = of_market
                .map(|(_, event)| match event {
                    Event::OrderCancelled(order) => (self.number(place, order.order_id), order.cancelled.0),
                    other => panic!("{other:?}"),
                })
                .collect();
            assert_eq!(
                core,
                self.markets[place].expire(exchange.now_ms * 1_000_000),
                "core left, twin right"
            );
        }
    }

    fn compare_report(&self, place: usize, number: u64, report: &OrderReport) {
        let order = self.markets[place].report(number).expect("the twin has the order, too");
        assert_eq!(self.number(place, report.order_id), number);
        assert_eq!(
            (report.quantity.0, report.filled.0, report.remaining.0, status(report.status)),
            (order.stake, order.filled, order.remaining, order.status),
            "core left, twin right, order {number}"
        );
    }

    /// Every queue, level and client id.
    fn compare_books(&self, exchange: &Exchange) {
        for (place, twin) in self.markets.iter().enumerate() {
            let market = exchange.state.market(market_id(place)).expect("the market is there");
            let mut resting = 0;
            for (outcome, index) in (0..OUTCOMES).zip((0..).map(OutcomeIndex)) {
                for (side, twin_side) in [(Side::Yes, naive::Side::Back), (Side::No, naive::Side::Lay)] {
                    let queue = twin.queue(outcome, twin_side);
                    resting += queue.len();
                    let core = market.orders(index, side).map(|order| {
                        let number = self.number(place, order.id);
                        let (price, quantity) = (order.price.0, order.quantity.0);
                        (number, order.account.0, price, quantity, order.filled.0, order.remaining.0)
                    });
                    let twin = queue.iter().map(|order| {
                        let (price, stake) = (order.price, order.stake);
                        (order.number, order.account, price, stake, order.filled, order.remaining)
                    });
                    assert_eq!(core.collect::<Vec<_>>(), twin.collect::<Vec<_>>(), "core left, twin right");
                    let levels = queue.chunk_by(|a, b| a.price == b.price).map(|level| {
                        let total: i64 = level.iter().map(|order| order.remaining).sum();
                        (level[0].price, total, level.len())
                    });
                    let core = market.levels(index, side);
                    let core = core.map(|level| (level.price.0, level.quantity.0, level.orders as usize));
                    assert_eq!(core.collect::<Vec<_>>(), levels.collect::<Vec<_>>(), "core left, twin right");
                }
            }
            assert_eq!(market.resting_orders() as usize, resting);
            for order in twin.orders.iter().filter(|order| order.client_id.is_some()) {
                let name = order.client_id.as_deref().unwrap_or_default();
                let report = market.client_order(order.account.into(), name).expect("the id is remembered");
                self.compare_report(place, order.number, &report);
            }
        }
    }
}

fn translate(order: &NewOrder) -> naive::NewOrder {
    // The outcome with the id 1 is the first; 0 is none.
    let outcome = usize::try_from(order.runner_id.0).map_or(usize::MAX, |id| id.wrapping_sub(1));
    naive::NewOrder {
        client_id: order.client_order_id.map(|id| id.as_str().to_owned()),
        price: match order.price {
            OrderPrice::Limit(price) => naive::Price::Limit(price.0),
            OrderPrice::Market { worst } => naive::Price::Market(worst.map(|price| price.0)),
        },
        lasting: match order.time_in_force {
            TimeInForce::Gtc => naive::Lasting::UntilCancelled,
            TimeInForce::Ioc => naive::Lasting::Immediate,
            TimeInForce::Fok { .. } => unreachable!("the flows have none"),
            TimeInForce::Gtd { expiry_ms } => naive::Lasting::Until(expiry_ms),
        },
        ..naive::NewOrder::limit(order.account_id.0, outcome, side(order.side), 0, order.quantity.0)
    }
}

const fn side(side: Side) -> naive::Side {
    match side {
        Side::Yes => naive::Side::Back,
        Side::No => naive::Side::Lay,
    }
}

fn status(status: OrderStatus) -> naive::Status {
    match status {
        OrderStatus::Resting => naive::Status::Resting,
        OrderStatus::PartiallyFilled => naive::Status::PartiallyFilled,
        OrderStatus::Filled => naive::Status::Filled,
        OrderStatus::Cancelled => naive::Status::Cancelled,
        OrderStatus::Expired => naive::Status::Expired,
        OrderStatus::Lapsed => unreachable!("the flows never go in-play"),
    }
}

fn refusal(rejection: &Rejection) -> naive::Refusal {
    match rejection {
        Rejection::MarketNotOpen(_) => naive::Refusal::MarketNotOpen,
        Rejection::MarketClosed => naive::Refusal::MarketClosed,
        Rejection::InvalidTransition { .. } => naive::Refusal::InvalidTransition,
        Rejection::InvalidOutcome(_) => naive::Refusal::InvalidOutcome,
        Rejection::InvalidPrice { .. } => naive::Refusal::InvalidPrice,
        Rejection::InvalidQuantity { .. } => naive::Refusal::InvalidStake,
        Rejection::InvalidExpiry { .. } => naive::Refusal::InvalidExpiry,
        Rejection::SelfTrade => naive::Refusal::SelfTrade,
        Rejection::OrderNotFound(_) | Rejection::ClientIdNotFound => naive::Refusal::NotFound,
        Rejection::NotTheOwner { .. } => naive::Refusal::NotTheOwner,
        other => panic!("the twin knows no {other:?}"),
    }
}

fn play(flow: &Flow) {
    let (mut exchange, mut twins) = (Flow::exchange(), Twins::new());
    for step in &flow.steps {
        if let Step::Pass { ms } = step {
            exchange.now_ms += ms;
        }
        twins.expire(&mut exchange);
        if let Some((place, kind)) = flow.command(step, exchange.now_ms, &twins.taken) {
            let core = exchange.run(market_id(place), &kind);
            match &kind {
                CommandKind::SubmitOrder(order) => twins.submit(place, order, exchange.now_ms, core),
                CommandKind::CancelOrder { .. } => twins.cancel(place, &kind, core),
                _ => twins.change(place, &kind, core),
            }
        }
        // The twin closes in one go.
        exchange.work_off();
        twins.compare_books(&exchange);
    }
}

/// The bounds on the work of one command, where the price-time order of thousands counts, too.
#[test]
fn core_and_twin_stop_at_the_same_bound() {
    let (mut exchange, mut twins) = (Flow::exchange(), Twins::new());
    exchange.suspicious = false;
    let mut submit = |account, side, price, quantity| {
        let order = NewOrder::limit(1.into(), side, Price(price), Quantity(quantity)).by(AccountId(account));
        let core = exchange.run(market_id(0), &CommandKind::SubmitOrder(order));
        twins.submit(0, &order, 0, core);
    };
    for n in 0..4_200_u32 {
        submit(u64::from(n) % 2 + 1, Side::No, 20_000 - n % 7 * 100, 100);
    }
    for (account, quantity) in [(3, 500_000), (1, 6_000), (2, 100), (3, 100)] {
        submit(account, Side::Yes, 19_400, quantity);
    }
    for _ in 0..4_200 {
        submit(1, Side::No, 20_000, 100);
    }
    submit(2, Side::No, 19_900, 100);
    for account in [1, 2, 1] {
        submit(account, Side::Yes, 19_400, 400_000);
    }
    twins.compare_books(&exchange);
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn core_and_twin_say_the_same(flow in flow(200)) {
        play(&flow);
    }
}
