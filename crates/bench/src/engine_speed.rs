//! The embedded engine with its journal on disk.

use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use anyhow::Result;
use betex::prelude::*;
use betex_core::command::Command;

use crate::driver::{Answers, Pace, drive};
use crate::flow::{Flow, Shape};
use crate::report::Figures;

struct Counter(Arc<Answers>);

impl Responder for Counter {
    fn respond(&self, token: u64, _response: &Response<'_>) {
        self.0.note(usize::try_from(token).unwrap_or(0));
    }
}

fn open(directory: &Path) -> Result<Engine, EngineError> {
    EngineBuilder::new(Config::default(), directory)?.build()
}

fn set_up(engine: &Engine) -> Result<()> {
    for market in Flow::new(Shape::Direct(1)).markets() {
        engine.call(market)?.result?;
    }
    Ok(())
}

/// Runs commands of the one-market flow through an engine in a fresh directory below `directory`.
#[expect(clippy::cast_precision_loss, reason = "figures for people")]
pub fn measure(name: &str, commands: &[Command], pace: Pace, directory: &Path) -> Result<Figures> {
    let directory = tempfile::tempdir_in(directory)?;
    let engine = open(directory.path())?;
    set_up(&engine)?;
    let (before, answers) = (engine.journal_stats(), Answers::new(commands.len()));
    let counter: Arc<dyn Responder> = Arc::new(Counter(Arc::clone(&answers)));
    let (per_second, latency) = drive(&answers, commands.len(), pace, |command| {
        // One lane, so that cancels stay behind the orders they cancel.
        let to = Arc::clone(&counter);
        engine.submit_to(CommandLane::Normal, commands[command].clone(), to, command as u64).is_ok()
    });
    let after = engine.journal_stats();
    let count = commands.len() as f64;
    Ok(Figures::new(name)
        .with("commands_per_s", per_second)
        .with_latency(&latency)
        .with("bytes_per_command", (after.bytes - before.bytes) as f64 / count)
        .with("commands_per_sync", count / (after.frames - before.frames) as f64))
}

/// Runs commands into a journal, and times how long an engine takes to be ready over it.
#[expect(clippy::cast_precision_loss, reason = "figures for people")]
pub fn measure_recovery(commands: &[Command], directory: &Path) -> Result<Figures> {
    let directory = tempfile::tempdir_in(directory)?;
    let engine = open(directory.path())?;
    set_up(&engine)?;
    for command in commands {
        while engine.submit_on(CommandLane::Normal, command.clone()).is_err() {
            std::thread::yield_now();
        }
    }
    engine.stop();
    let digest = engine.read().digest();
    drop(engine);
    let start = Instant::now();
    let engine = open(directory.path())?;
    let seconds = start.elapsed().as_secs_f64();
    anyhow::ensure!(engine.read().digest() == digest, "the recovered state is another one");
    let events = engine.recovery().events as f64;
    Ok(Figures::new(format!("recovery of {} commands", commands.len()))
        .with("events_per_s", events / seconds)
        .with("ready_after_s", seconds)
        .with("events", events))
}
