//! Looks at the wall clock now and then, away from the line of the engine, and raises the alarm.

use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use betex_journal::SegmentSupply;

use super::time::{EngineTime, Found};
use crate::engine::pipeline;
use crate::error::EngineError;
use crate::metrics::{CLOCK_AHEAD, CLOCK_STEPS};

/// How often. A wall clock that is wrong for less than that may not be seen, and moves nothing.
const LOOK_AGAIN: Duration = Duration::from_millis(100);

/// Keeps the time near the wall clock until the journal is closed.
pub(crate) fn watch(
    time: Arc<EngineTime>,
    supply: Arc<SegmentSupply>,
) -> Result<JoinHandle<()>, EngineError> {
    ::metrics::describe_counter!(
        CLOCK_STEPS,
        "times that the machine's clock was set by a second or more at once"
    );
    ::metrics::describe_gauge!(
        CLOCK_AHEAD,
        ::metrics::Unit::Seconds,
        "seconds by which the engine's time is ahead of the machine's clock; negative: behind it"
    );
    ::metrics::counter!(CLOCK_STEPS).increment(0);
    if let Some(warning) = show(&time) {
        tracing::error!("{warning}");
    }
    pipeline::spawn("clock", move || {
        while !supply.is_stopped() {
            step(&time);
            supply.wait_for_change(LOOK_AGAIN);
        }
    })
}

fn step(time: &EngineTime) {
    let found = time.look();
    let warning = show(time);
    match (found, warning) {
        (Found::Nothing, _) => (),
        (Found::Stepped(step), warning) => {
            ::metrics::counter!(CLOCK_STEPS).increment(1);
            tracing::error!("{step}. {}", warning.as_deref().unwrap_or("The engine's time agrees with it."));
        }
        (Found::Apart, warning) => tracing::error!("{}", warning.unwrap_or_default()),
        (Found::Together, _) => tracing::info!("the engine's time and the machine's clock agree again"),
    }
}

/// Brings the gauge up to date; the warning, if there is one.
fn show(time: &EngineTime) -> Option<String> {
    let report = time.report();
    #[expect(clippy::cast_precision_loss, reason = "a figure for people")]
    ::metrics::gauge!(CLOCK_AHEAD).set(report.ahead_ns as f64 / 1e9);
    report.warning()
}
