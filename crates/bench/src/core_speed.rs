//! The core alone: one thread, decide and apply with full events, no journal.

use std::time::Instant;

use betex_core::command::Command;
use betex_core::decide::decide;
use betex_core::event::Event;
use betex_core::state::State;

use crate::flow::{Flow, Shape};
use crate::report::{Figures, latencies};

/// A core that is ready for the flow.
pub struct Core {
    state: State,
    events: Vec<Event>,
    now_ns: u64,
}

impl Core {
    /// A core with the markets of a flow.
    pub fn new(flow: &Flow) -> Self {
        let mut core = Self { state: State::new(), events: Vec::with_capacity(8_192), now_ns: 1 };
        for market in flow.markets() {
            core.execute(&market);
        }
        core
    }

    /// Decides and applies one command; its events stay in place until the next.
    pub fn execute(&mut self, command: &Command) -> &[Event] {
        self.now_ns += 1;
        let decided = decide(&self.state, command.market_id, &command.kind, self.now_ns, &mut self.events);
        if let Ok(receipt) = decided
            && !self.events.is_empty()
        {
            self.state.apply_next(receipt.market_id(command.market_id), self.now_ns, &self.events);
        }
        &self.events
    }
}

/// The commands of a flow, found by running it once.
pub fn record(mut flow: Flow, operations: usize) -> (Vec<Command>, Flow) {
    let mut core = Core::new(&flow);
    let commands = (0..operations)
        .map(|_| {
            let command = flow.next_command();
            flow.observe(command.market_id, core.execute(&command));
            command
        })
        .collect();
    (commands, flow)
}

/// Runs the flow through the core: once for throughput and allocations, once timing every command.
#[expect(clippy::cast_precision_loss, reason = "figures for people")]
pub fn measure(shape: Shape, operations: usize, allocations: fn() -> u64) -> Figures {
    let (commands, flow) = record(Flow::new(shape), operations);
    let mut core = Core::new(&Flow::new(shape));
    let (before, start) = (allocations(), Instant::now());
    for command in &commands {
        core.execute(command);
    }
    let (seconds, allocated) = (start.elapsed().as_secs_f64(), allocations() - before);

    let mut core = Core::new(&Flow::new(shape));
    let mut latency = latencies();
    for command in &commands {
        let start = Instant::now();
        core.execute(command);
        latency.saturating_record(u64::try_from(start.elapsed().as_nanos()).unwrap_or(u64::MAX));
    }
    Figures::new(match shape {
        Shape::Direct(markets) => format!("core direct, {markets} market(s)"),
        Shape::Sets(outcomes) => format!("core sets, {outcomes} outcomes"),
        Shape::Binary => "core binary, 10 000 ticks".to_owned(),
    })
    .with("ops_per_s", operations as f64 / seconds)
    .with_latency(&latency)
    .with("allocations_per_op", allocated as f64 / operations as f64)
    .with("fills", flow.fills as f64)
    .with("sets", flow.sets as f64)
    .with("live_orders", flow.live() as f64)
}
