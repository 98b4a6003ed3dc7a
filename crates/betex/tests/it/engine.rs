use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use betex::engine::consumers::ResponseCallbackHandler;
use betex::prelude::*;

use crate::shop::{HOME, Latch, MARKET, builder, cancel, config, market, open, order, placed};

#[test]
fn an_order_rests_matches_and_is_there_after_a_restart() {
    let directory = tempfile::tempdir().unwrap();
    let engine = open(&directory);
    let resting = placed(&engine, order(Side::No, 250, 100, 1));
    assert_eq!(resting.status, OrderStatus::Resting);
    let response = engine.call(order(Side::Yes, 240, 30, 2)).unwrap();
    let Ok(Receipt::Order { report, reason: None }) = response.result else { panic!("{response:?}") };
    assert_eq!((report.status, report.filled), (OrderStatus::Filled, Quantity(3_000)));
    assert_eq!((response.first_sequence, response.sequence), (4, 5), "limits, market, order; then two more");
    let digest = engine.read().digest();
    engine.stop();
    assert!(matches!(engine.call(cancel(resting.order_id)), Err(EngineError::Stopped)));
    drop(engine);

    let engine = open(&directory);
    assert_eq!(engine.read().digest(), digest);
    assert_eq!(engine.recovery().last_sequence, 5);
    let state = engine.read();
    let level = state.market(MARKET).unwrap().levels(betex::book::OutcomeIndex(0), Side::No).next().unwrap();
    assert_eq!((level.price, level.quantity, level.orders), (Price(25_000), Quantity(7_000), 1));
}

#[test]
fn a_rejection_is_answered_and_leaves_nothing() {
    let directory = tempfile::tempdir().unwrap();
    let engine = open(&directory);
    let before = engine.read().digest();
    let response = engine.call(order(Side::No, 201, 100, 1)).unwrap();
    let rejection = response.result.unwrap_err();
    assert_eq!(rejection.class(), betex::error::RejectionClass::Order("INVALID_PRICE"));
    assert_eq!(
        rejection.to_string(),
        "price: 2.01 is not on the market's ladder; the nearest are 2.00 and 2.02"
    );
    assert_eq!((response.first_sequence, response.sequence), (3, 2));
    assert_eq!(engine.read().digest(), before);
}

#[test]
fn a_second_engine_on_the_directory_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    let _first = open(&directory);
    let Err(second) = builder(directory.path()).build() else { panic!("two engines on one directory") };
    assert!(second.to_string().contains("in use by another process"), "{second}");
}

#[test]
fn answers_come_by_correlation_id() {
    let directory = tempfile::tempdir().unwrap();
    let responses = ResponseCallbackHandler::default();
    let engine = builder(directory.path())
        .register_handler(responses.clone(), HandlerRecovery::LiveOnly, None)
        .build()
        .unwrap();
    let id = CorrelationId::from("my order");
    let pending = responses.expect(id.clone()).unwrap();
    let mut command = order(Side::No, 250, 100, 1);
    command.correlation_id = Some(id.clone());
    engine.submit(command).unwrap();
    let response = pending.wait().unwrap();
    assert_eq!(response.correlation_id, Some(id));
    assert!(response.result.is_ok() && response.events.len() == 1);
}

#[test]
fn answers_that_nobody_waits_for_any_more_take_no_room() {
    let responses = ResponseCallbackHandler::default();
    assert!(responses.expect("x".repeat(129).as_str().into()).is_err(), "no command can have it");
    // More than may be waited for at once.
    for n in 0..70_000 {
        drop(responses.expect(n.to_string().as_str().into()).unwrap());
    }
    let (first, second) = (responses.expect("a".into()).unwrap(), responses.expect("a".into()).unwrap());
    drop(first);
    let directory = tempfile::tempdir().unwrap();
    let engine = builder(directory.path())
        .register_handler(responses.clone(), HandlerRecovery::LiveOnly, None)
        .build()
        .unwrap();
    let mut command = order(Side::No, 250, 100, 1);
    command.correlation_id = Some("a".into());
    engine.submit(command).unwrap();
    assert!(second.wait().unwrap().result.is_ok(), "the earlier one took only its own place with it");
}

#[test]
fn a_long_correlation_id_is_refused_at_the_door() {
    let directory = tempfile::tempdir().unwrap();
    let engine = open(&directory);
    let mut command = order(Side::No, 250, 100, 1);
    command.correlation_id = Some(CorrelationId::from("x".repeat(129).as_str()));
    let refused = engine.submit(command).unwrap_err();
    assert_eq!(refused.to_string(), "correlation_id: valid is at most 128 bytes");
}

#[test]
fn a_full_lane_refuses_and_every_command_that_was_taken_is_answered() {
    let directory = tempfile::tempdir().unwrap();
    let config = Config { ring_slots: 64, normal_lane: 8, ..config() };
    let engine = EngineBuilder::with_markets(config, [market(1)], directory.path()).unwrap().build().unwrap();
    let (latch, answered) = (Arc::new(Latch::default()), Arc::new(AtomicU64::new(0)));
    let held = Arc::clone(&latch);
    engine.submit_with(order(Side::No, 250, 1, 1), move |_| held.hold()).unwrap();
    // The dispatcher stands still: the ring fills, then the lane, and then the door is shut.
    let (mut taken, mut refused) = (0, 0);
    while refused < 10 {
        let count = Arc::clone(&answered);
        match engine.submit_with(order(Side::No, 250, 1, 1), move |_| {
            count.fetch_add(1, Ordering::SeqCst);
        }) {
            Ok(()) => taken += 1,
            Err(EngineError::QueueFull { lane: CommandLane::Normal }) => {
                refused += 1;
                std::thread::sleep(std::time::Duration::from_millis(2));
            }
            Err(other) => panic!("{other}"),
        }
    }
    assert!(taken < 64 + 256 + 8 + 1, "{taken} commands were taken by a ring of 64 and a lane of 8");
    latch.release();
    engine.stop();
    assert_eq!(answered.load(Ordering::SeqCst), taken);
    assert_eq!(engine.read().market(MARKET).unwrap().resting_orders() as u64, taken + 1);
}

#[test]
fn expiry_comes_by_itself_and_right_after_a_restart() {
    let directory = tempfile::tempdir().unwrap();
    let now_ms = || std::time::UNIX_EPOCH.elapsed().unwrap().as_millis() as u64;
    let gtd = |in_ms| {
        let order = NewOrder::limit(HOME, Side::No, Price(25_000), Quantity(100))
            .lasting(TimeInForce::Gtd { expiry_ms: now_ms() + in_ms });
        Command::new(MARKET, CommandKind::SubmitOrder(order))
    };
    let resting = |engine: &Engine| engine.read().market(MARKET).unwrap().resting_orders();
    let wait = |engine: &Engine| {
        while resting(engine) > 0 {
            std::thread::sleep(std::time::Duration::from_millis(5));
        }
    };
    let engine = open(&directory);
    placed(&engine, gtd(50));
    assert_eq!(resting(&engine), 1);
    wait(&engine);
    placed(&engine, gtd(100));
    drop(engine);
    std::thread::sleep(std::time::Duration::from_millis(110));
    wait(&open(&directory));
}

#[test]
fn an_async_request_is_answered() {
    let directory = tempfile::tempdir().unwrap();
    let engine = open(&directory);
    let mut request = std::pin::pin!(engine.request(order(Side::No, 250, 100, 1)));
    let mut context = std::task::Context::from_waker(std::task::Waker::noop());
    let response = loop {
        if let std::task::Poll::Ready(response) = request.as_mut().poll(&mut context) {
            break response.unwrap();
        }
        std::thread::yield_now();
    };
    assert!(response.result.is_ok());
}

#[test]
fn a_configuration_out_of_range_is_refused_by_name() {
    for (config, problem) in [
        (Config { ring_slots: 100, ..config() }, "ring_slots: valid is a power of two, 64 to 1048576"),
        (
            Config { segment_bytes: 100, ..config() },
            "segment_bytes: valid is 1 MiB to 1 GiB, a multiple of 64",
        ),
        (Config { normal_lane: 0, ..config() }, "normal_lane: valid is 1 to 1048576"),
        (Config { priority_lane: 0, ..config() }, "priority_lane: valid is 1 to 1048576"),
        (Config { handler_queue_events: 0, ..config() }, "handler_queue_events: valid is 1024 to 1048576"),
    ] {
        let Err(refused) = EngineBuilder::new(config, "nowhere") else { panic!("{problem}") };
        assert_eq!(refused.to_string(), problem);
    }
}

#[test]
fn a_market_closes_in_steps_while_orders_go_on_elsewhere() {
    let directory = tempfile::tempdir().unwrap();
    let markets = [market(1), market(2)];
    let engine = EngineBuilder::with_markets(config(), markets, directory.path()).unwrap().build().unwrap();
    for _ in 0..1_999 {
        engine.submit(order(Side::No, 250, 1, 1)).unwrap();
    }
    // Closing takes the priority lane: it must not overtake the orders.
    placed(&engine, order(Side::No, 250, 1, 1));
    let close = engine.call(Command::new(MARKET, CommandKind::CloseMarket { reason: None })).unwrap();
    assert_eq!(close.result, Ok(Receipt::MarketStatus(BookMarketState::Closed)));
    let mut elsewhere = order(Side::No, 250, 1, 1);
    elsewhere.market_id = MarketId(2);
    placed(&engine, elsewhere);
    while engine.read().market(MARKET).unwrap().resting_orders() > 0 {
        std::thread::sleep(std::time::Duration::from_millis(1));
    }
    engine.stop();
    let mut reader = engine.journal_reader().unwrap();
    let (mut events, mut steps, mut cancelled) = (Vec::new(), 0, 0);
    while reader.next_transaction(&mut events).unwrap().is_some() {
        let closing = events.iter().filter(|event| matches!(event, Event::OrderCancelled(_))).count();
        assert!(closing <= 512, "a step of {closing} orders");
        steps += usize::from(closing > 0);
        cancelled += closing;
    }
    assert_eq!((steps, cancelled), (4, 2_000));
}
