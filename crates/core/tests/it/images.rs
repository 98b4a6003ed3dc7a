//! A state told in pieces: what is left out, told twice, in another order or otherwise is refused or makes a
//! state with another digest. That the right pieces make the same state is proved where scripts and random
//! flows are played ([`Exchange::remade`]).

use betex_core::command::{CommandKind, MassCancel, NewMarket, NewOrder};
use betex_core::event::{CancelReason, Half, OutcomeIndex};
use betex_core::image::{
    ClientIdImage, ClosedImage, EngineImage, JobImage, MarketImage, OrderImage, Piece, TurnImage,
};
use betex_core::ladder::Ladder;
use betex_core::reject::OrderReport;
use betex_core::state::State;
use betex_core::types::{
    AccountId, BookMarketState, ClientOrderId, MarketId, MarketKind, MarketPhase, OrderId, OrderStatus,
    Persistence, Price, Quantity, RunnerId, Side, TimeInForce, TransitionPolicy,
};

use crate::exchange::{Exchange, MARKET, made_of, pieces};
use crate::script::{check_market, play};

/// Everything there is in a state: five markets, of which one is closing and one closed, two jobs, a pair,
/// halves of orders on quarter lines, sets, expiries and client order ids.
fn busy() -> Exchange {
    let mut exchange = check_market(
        "market finest Home_0.0 Away_0.0 Home_-0.5 Away_+0.5
         a back Home_-0.25 2.50 10 id:q  => #1 RESTING rests 10.00
         b lay Home_0.0 2.50 2           => #4 FILLED 2.00@2.50#2
         c back Away_0.0 3.00 7 gtd:9000 id:x => #5 RESTING rests 7.00
         - back Home_-0.5 2.60 7 persist => #6 RESTING rests 7.00
         a back Home_-0.25 2.70 10       => #7 RESTING rests 10.00
         c cancel 5 keep 4               => #5 RESTING rests 4.00 cancelled 3.00
         suspend rain                    => SUSPENDED",
    );
    let why = Some("because".into());
    for name in ["alice", "bob"] {
        let kind = CommandKind::RegisterAccount { name: name.into() };
        exchange.run(MarketId::NONE, &kind).expect("a name");
    }
    let open = |market: NewMarket| NewMarket { state: BookMarketState::Open, ..market };
    let pair = exchange.create(open(NewMarket::binary("pair", 100, ["YES", "NO"])));
    let trio = exchange.create(open(NewMarket::new("trio", ["Home", "Draw", "Away"])));
    let crowded = exchange.create(open(NewMarket::new("crowded", ["Home", "Away"])));
    let closing = exchange.create(open(NewMarket::new("closing", ["Home", "Away"])));
    let closed = exchange.create(open(NewMarket::new("closed", ["Home", "Away"])));
    let mut order = |market, runner, side, price, quantity| {
        let order =
            NewOrder::limit(RunnerId(runner), side, Price(price), Quantity(quantity)).by(AccountId(1));
        exchange.run(market, &CommandKind::SubmitOrder(order)).expect("taken");
    };
    for (runner, side) in [(1, Side::Yes), (2, Side::Yes), (2, Side::No)] {
        order(pair, runner, side, 60 - 20 * u32::from(side == Side::Yes), 100);
    }
    order(trio, 2, Side::Yes, 40_000, 100_000);
    order(trio, 3, Side::Yes, 40_000, 100_000);
    for market in [crowded, closing] {
        for n in 0..1_100 {
            order(market, 1, Side::Yes, 20_000 + n % 5 * 200, 100);
        }
    }
    let taker = NewOrder::limit(RunnerId(1), Side::Yes, Price(20_000), Quantity(100_000)).by(AccountId(2));
    let client_order_id = ClientOrderId::new("set").ok();
    let taker = NewOrder { client_order_id, time_in_force: TimeInForce::Ioc, ..taker };
    exchange.run(trio, &CommandKind::SubmitOrder(taker)).expect("taken");
    for market in [closing, closed] {
        exchange.run(market, &CommandKind::CloseMarket { reason: why.clone() }).expect("closed");
        exchange.now_ms += 1;
    }
    let withdraw = CommandKind::RemoveRunner { runner_id: RunnerId(2), reduction: 150, reason: None };
    exchange.run(trio, &withdraw).expect("withdrawn");
    for account_id in [AccountId(1), AccountId::NONE] {
        let mass = MassCancel { account_id, ..MassCancel::default() };
        exchange.run(crowded, &CommandKind::CancelOrders(mass)).expect("begun");
    }
    exchange.work().expect("a job is waiting");
    exchange
}

/// The pieces do not make this state.
fn assert_other(state: &State, pieces: impl IntoIterator<Item = Piece>, what: &str) -> bool {
    match made_of(pieces) {
        Ok(other) => {
            assert!(other.digest() != state.digest(), "{what}: not noticed");
            true
        }
        Err(_) => false,
    }
}

#[test]
fn what_is_left_out_repeated_or_in_another_order_is_noticed() {
    let exchange = busy();
    let (state, pieces) = (&exchange.state, pieces(&exchange.state));
    let [mut refused, mut another] = [0; 2];
    let mut note = |made: bool| if made { another += 1 } else { refused += 1 };
    for place in 0..pieces.len() {
        let what = format!("{:?}", pieces[place]);
        let mut less = pieces.clone();
        less.remove(place);
        note(assert_other(state, less, &what));
        note(assert_other(state, pieces[..place].to_vec(), &what));
        let mut more = pieces.clone();
        more.insert(place, pieces[place].clone());
        note(assert_other(state, more, &what));
        for with in [place + 1, place + 2, pieces.len() / 2, pieces.len() - 1] {
            if with < pieces.len() && pieces[with] != pieces[place] {
                let mut swapped = pieces.clone();
                swapped.swap(place, with);
                note(assert_other(state, swapped, &what));
            }
        }
    }
    assert!(refused > 1_000 && another > 100, "{refused} {another}");
}

#[test]
fn what_is_told_otherwise_is_noticed() {
    let exchange = busy();
    let (state, pieces) = (&exchange.state, pieces(&exchange.state));
    let (mut told, mut kinds) = (0, std::collections::BTreeSet::new());
    for (place, piece) in pieces.iter().enumerate() {
        for otherwise in otherwise(piece) {
            let what = format!("{otherwise:?}");
            assert!(otherwise != *piece, "{what}: as it was");
            let mut other = pieces.clone();
            other[place] = otherwise;
            assert_other(state, other, &what);
            told += 1;
            kinds.insert(what.split(['(', ' ']).next().map(str::to_owned));
        }
    }
    assert!(told > 5_000, "{told}");
    assert_eq!(kinds.len(), 8, "{kinds:?}");
}

/// The piece with each of its fields changed, one at a time, a little and a lot.
fn otherwise(piece: &Piece) -> Vec<Piece> {
    match piece {
        Piece::Engine(engine) => engines(*engine).into_iter().map(Piece::Engine).collect(),
        Piece::Account(name) => vec![Piece::Account(format!("{name}s").into()), Piece::Account("".into())],
        Piece::Market(market) => {
            let change = |change: &fn(&mut MarketImage)| {
                let mut other = market.clone();
                change(&mut other);
                (other != *market).then_some(Piece::Market(other))
            };
            MARKET_CHANGES.iter().filter_map(change).collect()
        }
        Piece::ClientId(client) => {
            let mut others = vec![Piece::ClientId({
                let id = ClientOrderId::new("another").expect("short");
                ClientIdImage { id, ..*client }
            })];
            let account = AccountId(client.account.0 + 1);
            others.push(Piece::ClientId(ClientIdImage { account, ..*client }));
            let reports = reports(client.report).into_iter();
            others.extend(reports.map(|report| Piece::ClientId(ClientIdImage { report, ..*client })));
            others
        }
        Piece::Order(order) => {
            let change = |change: &fn(&mut OrderImage)| {
                let mut other = *order;
                change(&mut other);
                (other != *order).then_some(Piece::Order(other))
            };
            let mut others: Vec<_> = ORDER_CHANGES.iter().filter_map(change).collect();
            let wholes = order.whole.into_iter().flat_map(reports);
            others.extend(wholes.map(|whole| Piece::Order(OrderImage { whole: Some(whole), ..*order })));
            others
        }
        Piece::Job(job) => {
            let (mut others, number) = (Vec::new(), job.number);
            for number in [number - 1, number + 1, 0, u64::MAX] {
                others.push(Piece::Job(JobImage { number, ..*job }));
            }
            for market in [1, 2, 99] {
                let market = MarketId(market);
                others.push(Piece::Job(JobImage { market, ..*job }));
            }
            for next in [OrderId::NONE, OrderId(1), OrderId(job.job.next.0 + 1), OrderId(u64::MAX)] {
                let mut other = *job;
                other.job.next = next;
                others.push(Piece::Job(other));
            }
            for change in [0, 1, 2, 3, 4, 5, 6] {
                let mut other = *job;
                let filter = &mut other.job.filter;
                match change {
                    0 => filter.account = AccountId(filter.account.0 + 1),
                    1 => filter.outcome = Some(OutcomeIndex(1)),
                    2 => filter.lapsing ^= true,
                    3 => filter.from_ns += 1,
                    4 => filter.until_ns += 1,
                    5 => filter.reason = CancelReason::Lapsed,
                    _ => other.job.last_order_id.0 += 1,
                }
                others.push(Piece::Job(other));
            }
            others
        }
        Piece::Turn(turn) => {
            let turns =
                (0..8).map(MarketId).map(TurnImage::Closing).chain([0, 1, u64::MAX].map(TurnImage::Job));
            turns.filter(|other| other != turn).map(Piece::Turn).collect()
        }
        Piece::Closed(closed) => {
            let mut others = Vec::new();
            for time_ns in [0, closed.time_ns + 1, u64::MAX] {
                others.push(ClosedImage { time_ns, ..*closed });
            }
            for market in (0..8).map(MarketId).filter(|market| *market != closed.market) {
                others.push(ClosedImage { market, ..*closed });
            }
            others.into_iter().filter(|other| other != closed).map(Piece::Closed).collect()
        }
    }
}

fn engines(engine: EngineImage) -> Vec<EngineImage> {
    let mut others = Vec::new();
    for change in 0..15 {
        let mut other = engine;
        match change {
            0 => other.sequence += 1,
            1 => other.time_ns += 1,
            2 => other.last_order_id.0 += 1,
            3 => other.last_market_id.0 += 1,
            4 => other.last_removed_id.0 += 1,
            5 => other.limits.markets -= 1,
            6 => other.limits.accounts -= 1,
            7 => other.limits.resting_orders -= 1,
            8 => other.limits.client_ids_per_market -= 1,
            9 => other.limits.market_bytes -= 1,
            10 => other.limits.accounts_per_market -= 1,
            11 => other.limits.resting_orders_per_account -= 1,
            12 => other.limits.client_ids -= 1,
            13 => other.limits.client_ids_per_account -= 1,
            _ => other.limits.closed_market_ttl_ms += 1,
        }
        others.push(other);
    }
    others.push(EngineImage::default());
    others
}

fn reports(report: OrderReport) -> Vec<OrderReport> {
    use OrderStatus as S;
    let ids = [0, report.order_id.0 + 1, u64::MAX].map(|id| OrderReport { order_id: OrderId(id), ..report });
    let by = [1, -1, i64::MAX - 1_000_000, -1_000_000_000];
    let more = |quantity: Quantity| by.map(|by| Quantity(quantity.0.wrapping_add(by)));
    let statuses = [S::Resting, S::PartiallyFilled, S::Filled, S::Cancelled, S::Expired, S::Lapsed];
    let mut others = ids.to_vec();
    others.extend(more(report.quantity).map(|quantity| OrderReport { quantity, ..report }));
    others.extend(more(report.filled).map(|filled| OrderReport { filled, ..report }));
    others.extend(more(report.remaining).map(|remaining| OrderReport { remaining, ..report }));
    others.extend(statuses.map(|status| OrderReport { status, ..report }));
    others.push(OrderReport { split: !report.split, ..report });
    others.retain(|other| *other != report);
    others
}

const MARKET_CHANGES: [fn(&mut MarketImage); 33] = [
    |market| market.id = MarketId(0),
    |market| market.id.0 += 1,
    |market| market.id.0 = u64::MAX,
    |market| market.spec.key.push('s'),
    |market| market.spec.key = "pair".into(),
    |market| market.spec.name.push('s'),
    |market| market.spec.ladder = Ladder::Classic,
    |market| market.spec.ladder = Ladder::Finest,
    |market| market.spec.ladder = Ladder::Binary { max_price_ticks: 0 },
    |market| market.spec.ladder = Ladder::Binary { max_price_ticks: 50 },
    |market| market.spec.ladder = Ladder::Binary { max_price_ticks: u16::MAX },
    |market| market.spec.independent ^= true,
    |market| market.spec.synthetic ^= true,
    |market| market.spec.transition = TransitionPolicy::KeepAll,
    |market| market.spec.kind = MarketKind::InPlayCapable,
    |market| market.spec.state = BookMarketState::Created,
    |market| market.spec.phase = MarketPhase::Live,
    |market| market.spec.increment.0 += 1,
    |market| market.spec.min_quantity.0 += 1,
    |market| market.spec.runners[0].id.0 += 100,
    |market| market.spec.runners[1].name.push('s'),
    |market| market.spec.runners[0].name = "Home_-0.25".into(),
    |market| drop(market.spec.runners.pop()),
    |market| drop((market.spec.runners.pop(), market.runners.pop())),
    |market| market.runners.push(market.runners[0]),
    |market| market.own_state = BookMarketState::Closed,
    |market| market.holds ^= 1,
    |market| market.holds |= 0x80,
    |market| market.phase = MarketPhase::PreAwaitLive,
    |market| market.reason = if market.reason.is_some() { None } else { Some("".into()) },
    |market| market.sequence += 1,
    |market| {
        let runner = &mut market.runners[0];
        runner.removed = if runner.removed.is_some() { None } else { Some(0) };
    },
    |market| {
        let runner = &mut market.runners[1];
        (runner.last_price, runner.traded) = (Some(Price(0)), runner.traded);
    },
];

const ORDER_CHANGES: [fn(&mut OrderImage); 24] = [
    |order| order.id.0 = 0,
    |order| order.id.0 += 1,
    |order| order.id.0 -= 1,
    |order| order.id.0 = u64::MAX,
    |order| order.account.0 += 1,
    |order| order.outcome.0 += 1,
    |order| order.outcome.0 = u16::MAX,
    |order| order.side = order.side.opposite(),
    |order| order.tick.0 += 1,
    |order| order.tick.0 -= 1,
    |order| order.tick.0 = u32::MAX,
    |order| order.mirrored ^= true,
    |order| order.half = if order.half == Half::Whole { Half::Near } else { Half::Whole },
    |order| order.half = Half::Far,
    |order| order.persistence = Persistence::Persist,
    |order| order.quantity.0 += 1,
    |order| order.quantity.0 = 0,
    |order| order.filled.0 += 1,
    |order| order.filled.0 = i64::MIN,
    |order| order.remaining.0 = 0,
    |order| order.remaining.0 += 1,
    |order| (order.remaining, order.quantity) = (Quantity(i64::MAX - order.filled.0), Quantity(i64::MAX)),
    |order| order.accepted_ns += 1,
    |order| order.expiry_ms += 1,
];

/// A price, a sum and a set that were told otherwise, where there are some.
#[test]
fn what_was_traded_is_told() {
    let exchange = busy();
    let (state, pieces) = (&exchange.state, pieces(&exchange.state));
    let mut told = 0;
    for (place, piece) in pieces.iter().enumerate() {
        let Piece::Market(market) = piece else { continue };
        for outcome in 0..market.runners.len() {
            let runner = market.runners[outcome];
            let mut others = vec![runner; 4];
            others[0].traded += 1;
            others[1].traded = i128::MIN;
            others[2].set_traded ^= true;
            others[3].last_price = if runner.last_price.is_some() { None } else { Some(Price(20_000)) };
            for other in others {
                // Of a group a set has traded, or not: it is told of each of its outcomes.
                let all = other.set_traded != runner.set_traded;
                let mut market = market.clone();
                market.runners[outcome] = other;
                if all {
                    market.runners.iter_mut().for_each(|runner| runner.set_traded = other.set_traded);
                }
                let mut others = pieces.clone();
                others[place] = Piece::Market(market);
                assert_other(state, others, &format!("{other:?}"));
                told += 1;
            }
        }
    }
    assert!(told > 40, "{told}");
}

/// The busy state really is, and goes on when it is made again of its pieces.
#[test]
fn all_there_is_goes_on() {
    let whole = busy();
    let pieces = pieces(&whole.state);
    let count = |is: fn(&Piece) -> bool| pieces.iter().filter(|piece| is(piece)).count();
    assert_eq!(count(|piece| matches!(piece, Piece::Market(_))), 6);
    assert_eq!(count(|piece| matches!(piece, Piece::Job(_))), 2);
    assert_eq!(count(|piece| matches!(piece, Piece::Turn(_))), 3);
    assert_eq!(count(|piece| matches!(piece, Piece::Closed(_))), 2);
    assert_eq!(count(|piece| matches!(piece, Piece::ClientId(_))), 3);
    assert_eq!(count(|piece| matches!(piece, Piece::Order(order) if order.half != Half::Whole)), 4);
    assert_eq!(count(|piece| matches!(piece, Piece::Order(order) if order.mirrored)), 2);
    let mut remade = Exchange { state: made_of(pieces).expect("they fit"), ..whole.clone() };
    let mut whole = whole;
    for exchange in [&mut whole, &mut remade] {
        exchange.remade = false;
        exchange.work_off();
        play(exchange, "open => OPEN");
        exchange.now_ms = 10_000;
        exchange.expire();
        exchange.run(MARKET, &CommandKind::CloseMarket { reason: None }).expect("closed");
        exchange.work_off();
    }
    assert_eq!(remade.log, whole.log);
    assert_eq!(remade.state.digest(), whole.state.digest());
}
