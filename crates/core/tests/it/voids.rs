//! Voided trades: an event for whoever keeps positions, and nothing else.

use betex_core::command::{CommandKind, REASON_BYTES_MAX, VoidedTrades};
use betex_core::decide::Receipt;
use betex_core::event::Event;
use betex_core::reject::Rejection;
use betex_core::types::TradeId;

use crate::exchange::{Exchange, MARKET, queues};
use crate::script::{check, play};

fn void(exchange: &mut Exchange, trades: VoidedTrades) -> Result<Receipt, &'static str> {
    let reason: Option<Box<str>> = Some("dead heat".into());
    match exchange.run(MARKET, &CommandKind::VoidTrades { trades, reason: reason.clone() }) {
        Ok((receipt, events)) => {
            assert_eq!(events, [Event::TradesVoided { trades, reason }]);
            Ok(receipt)
        }
        Err(Rejection::InvalidField { field, .. }) => Err(field),
        other => panic!("{other:?}"),
    }
}

fn window(from_ns: u64, until_ns: u64) -> VoidedTrades {
    VoidedTrades::Window { from_ns, until_ns }
}

#[test]
fn trades_are_void_in_any_state() {
    let mut exchange = check(
        "a lay Home 2 10  => #1 RESTING rests 10.00
         b back Home 2 4  => #2 FILLED 4.00@2.00#1",
    );
    for step in ["suspend => SUSPENDED", "hold halted => SUSPENDED", "close => CLOSED"] {
        assert_eq!(void(&mut exchange, window(0, 1)), Ok(Receipt::TradesVoided));
        assert_eq!(void(&mut exchange, VoidedTrades::One(TradeId(4))), Ok(Receipt::TradesVoided));
        play(&mut exchange, step);
    }
    let (before, sequence) = (queues(&exchange.state), exchange.state.sequence());
    assert_eq!(void(&mut exchange, VoidedTrades::One(TradeId(sequence))), Ok(Receipt::TradesVoided));
    assert_eq!(queues(&exchange.state), before, "the book is not wound back");
    assert_eq!(exchange.state.sequence(), sequence + 1);
    assert_eq!(exchange.replay(exchange.log.len()).digest(), exchange.state.digest());
}

#[test]
fn what_cannot_be_void_is_refused() {
    let mut exchange = Exchange::open();
    for (trades, answer) in [
        (VoidedTrades::One(TradeId(0)), Err("trade_id")),
        (VoidedTrades::One(TradeId(2)), Err("trade_id")),
        (VoidedTrades::One(TradeId(u64::MAX)), Err("trade_id")),
        (window(7, 7), Err("until_ns")),
        (window(8, 7), Err("until_ns")),
        (window(7, 0), Err("until_ns")),
        (VoidedTrades::One(TradeId(1)), Ok(Receipt::TradesVoided)),
        (window(0, u64::MAX), Ok(Receipt::TradesVoided)),
    ] {
        assert_eq!(void(&mut exchange, trades), answer, "{trades:?}");
    }
    let kind = CommandKind::VoidTrades {
        trades: window(0, 1),
        reason: Some("r".repeat(REASON_BYTES_MAX + 1).into()),
    };
    let refused = exchange.run(MARKET, &kind);
    assert!(matches!(refused, Err(Rejection::InvalidText { field: "reason", .. })), "{refused:?}");
}
