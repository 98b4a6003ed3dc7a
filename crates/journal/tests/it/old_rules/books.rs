//! A state as text, for people to read and for a test to compare: everything that rests, and every client order id.

use std::convert::Infallible;
use std::fmt::Write as _;

use betex_core::event::OutcomeIndex;
use betex_core::image::Piece;
use betex_core::state::State;
use betex_core::types::{MarketId, Side};

/// The state in lines: the digest; the markets with their outcomes, levels and orders; the client order ids.
pub(crate) fn books(state: &State) -> String {
    let mut text = String::new();
    write_books(&mut text, state).unwrap();
    text
}

fn write_books(text: &mut String, state: &State) -> std::fmt::Result {
    let digest: String = state.digest().iter().map(|byte| format!("{byte:02x}")).collect();
    writeln!(text, "digest {digest}")?;
    let (sequence, resting) = (state.sequence(), state.resting_orders());
    writeln!(text, "sequence {sequence}, time {}, {resting} orders rest", state.time_ns())?;
    for market in state.markets() {
        let spec = market.spec();
        let holds: Vec<&str> = market.holds().map(|hold| hold.name()).collect();
        writeln!(
            text,
            "market {} {:?}: {} {holds:?} {:?} {:?}, {} events, {} orders rest",
            market.id().0,
            spec.key,
            market.state().name(),
            market.phase(),
            market.reason(),
            market.sequence(),
            market.resting_orders()
        )?;
        for (outcome, runner) in (0..).map(OutcomeIndex).zip(&spec.runners) {
            let traded = market.traded(outcome);
            let levels = [Side::Yes, Side::No].map(|side| market.levels(outcome, side).count());
            if traded == 0 && levels == [0, 0] && market.removed(outcome).is_none() {
                continue;
            }
            writeln!(
                text,
                "  outcome {:?}: removed {:?}, last price {:?}, traded {traded}",
                runner.name,
                market.removed(outcome),
                market.last_price(outcome).map(|price| price.0),
            )?;
            for side in [Side::Yes, Side::No] {
                for level in market.levels(outcome, side) {
                    let (price, quantity) = (level.price.0, level.quantity.0);
                    writeln!(text, "    {side:?} {price}: {quantity} of {}", level.orders)?;
                }
                for order in market.orders(outcome, side) {
                    let (quantity, filled, remaining) = (order.quantity.0, order.filled.0, order.remaining.0);
                    writeln!(
                        text,
                        "    {side:?} {} order {} of {}: {quantity} filled {filled} remaining {remaining}",
                        order.price.0, order.id.0, order.account.0
                    )?;
                }
            }
        }
    }
    let mut market = MarketId::NONE;
    let told = state.image(|piece| {
        match piece {
            Piece::Market(image) => market = image.id,
            Piece::ClientId(client) => {
                let (account, id, report) = (client.account.0, client.id, client.report);
                let found =
                    state.market(market).and_then(|view| view.client_order(client.account, id.as_str()));
                assert_eq!(found, Some(report), "the report and the orders differ");
                let _ = writeln!(
                    text,
                    "client order {:?} of {account} in {}: order {} {} {} filled {} remaining {}{}",
                    id.as_str(),
                    market.0,
                    report.order_id.0,
                    report.status.name(),
                    report.quantity.0,
                    report.filled.0,
                    report.remaining.0,
                    if report.split { " split" } else { "" }
                );
            }
            Piece::Closed(closed) => {
                let _ = writeln!(text, "closed {} at {}", closed.market.0, closed.time_ns);
            }
            _ => {}
        }
        Ok::<(), Infallible>(())
    });
    told.map_err(|never| match never {})
}
