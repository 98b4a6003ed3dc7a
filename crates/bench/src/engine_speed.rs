//! The embedded engine with its journal on disk.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::Result;
use betex::prelude::*;
use betex_core::command::Command;

use crate::core_speed::Core;
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

/// Segments that are small enough for a snapshot now and then.
fn open_with_snapshots(directory: &Path) -> Result<Engine, EngineError> {
    let config = Config { segment_bytes: 8 << 20, snapshot_every_segments: 1, ..Config::default() };
    EngineBuilder::new(config, directory)?.build()
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

/// Runs commands into a journal of which snapshots are made, and times how long an engine takes to be ready
/// over the newest one and what lies behind it.
pub fn measure_snapshot(name: &str, commands: &[Command], directory: &Path) -> Result<Figures> {
    recovered_with_snapshot(name, directory, |engine| {
        commands.iter().for_each(|command| push(engine, command))
    })
}

/// A day of a busy market: so many commands of the flow, made as they go, and how long an engine takes to be
/// ready after it. The memory is that of the whole program, with a second core that makes the flow.
pub fn measure_day(operations: u64, directory: &Path) -> Result<Figures> {
    let day = |engine: &Engine| {
        let mut flow = Flow::new(Shape::Direct(1));
        let mut core = Core::new(&flow);
        for _ in 0..operations {
            let command = flow.next_command();
            flow.observe(command.market_id, core.execute(&command));
            push(engine, &command);
        }
    };
    let name = format!("recovery of a day of {operations} commands, with snapshots");
    Ok(recovered_with_snapshot(&name, directory, day)?.with("peak_memory_mib", peak_memory_mib()))
}

fn push(engine: &Engine, command: &Command) {
    while engine.submit_on(CommandLane::Normal, command.clone()).is_err() {
        std::thread::yield_now();
    }
}

/// The most memory that this process has had, as Linux tells it; 0 elsewhere.
fn peak_memory_mib() -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let kib =
        status.lines().find_map(|line| line.strip_prefix("VmHWM:")?.trim().strip_suffix(" kB")?.parse().ok());
    kib.unwrap_or(0.0_f64) / 1_024.0
}

#[expect(clippy::cast_precision_loss, reason = "figures for people")]
fn recovered_with_snapshot(name: &str, directory: &Path, run: impl FnOnce(&Engine)) -> Result<Figures> {
    let directory = tempfile::tempdir_in(directory)?;
    let engine = open_with_snapshots(directory.path())?;
    set_up(&engine)?;
    run(&engine);
    wait_for_snapshots(directory.path())?;
    engine.stop();
    let digest = engine.read().digest();
    drop(engine);
    let start = Instant::now();
    let engine = open_with_snapshots(directory.path())?;
    let seconds = start.elapsed().as_secs_f64();
    anyhow::ensure!(engine.read().digest() == digest, "the recovered state is another one");
    anyhow::ensure!(engine.recovery().snapshot.is_some(), "there was no snapshot");
    Ok(Figures::new(name)
        .with("ready_after_s", seconds)
        .with("events_behind", engine.recovery().events as f64)
        .with("events", engine.recovery().last_sequence as f64)
        .with("resting_orders", engine.read().resting_orders() as f64))
}

/// Orders of a book that is full, so many of them, that meet nobody.
pub fn full_book(orders: u32) -> Vec<Command> {
    let order = |n: u32| {
        let (side, price) = if n.is_multiple_of(2) { (Side::Yes, 500_000) } else { (Side::No, 20_000) };
        let price = Price(price - n % 50 * if n.is_multiple_of(2) { 10_000 } else { 100 });
        NewOrder::limit(RunnerId(1), side, price, Quantity(10_000)).by(AccountId(u64::from(n % 1_000) + 1))
    };
    (0..orders).map(|n| Command::new(MarketId(1), CommandKind::SubmitOrder(order(n)))).collect()
}

/// Until no further snapshot is made.
fn wait_for_snapshots(directory: &Path) -> Result<()> {
    let newest = || -> Result<Option<PathBuf>> {
        let mut newest = None;
        for folder in std::fs::read_dir(directory)?.map(|entry| entry.map(|entry| entry.path())) {
            let Ok(files) = std::fs::read_dir(folder?) else { continue };
            for file in files {
                let path = file?.path();
                let is_snapshot = path.extension().is_some_and(|ending| ending == "snapshot");
                newest = newest.max(is_snapshot.then_some(path));
            }
        }
        Ok(newest)
    };
    let (mut last, mut since, asked) = (None, Instant::now(), Instant::now());
    while last.is_none() || since.elapsed() < Duration::from_secs(2) {
        anyhow::ensure!(asked.elapsed() < Duration::from_secs(120), "no snapshot was made");
        let now = newest()?;
        if now != last {
            (last, since) = (now, Instant::now());
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    Ok(())
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
