//! A long run of everything at once against the embedded engine, restarts included, that must not grow.
//!
//! Markets come, fill up, are closed and removed; orders rest, match, expire, are cancelled and refused; a
//! handler whose position the engine keeps is now and then too slow; every command has an idempotency key.
//! All of that is bounded, so after a warm-up the memory of the process must be, too.

use std::collections::VecDeque;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use betex::idempotency::{Begun, Bounds, Idempotency};
use betex::prelude::*;
use parking_lot::Mutex;

/// Markets that are open at once.
const MARKETS: u64 = 16;
/// Commands after which the oldest market gives way to a new one.
const COMMANDS_PER_MARKET: u64 = 5_000;
/// Orders that the client remembers to cancel them.
const REMEMBERED: usize = 4_096;
/// Restarts before growth counts: by then every thread has had its turn with every allocator's arena.
const WARM_UP_RESTARTS: u32 = 3;

/// How long, and what is too much.
#[derive(Clone, Copy, Debug)]
pub struct Plan {
    /// It ends after this time, or
    pub time: Option<Duration>,
    /// after so many commands; by default after ten seconds.
    pub commands: Option<u64>,
    /// Commands from one restart to the next.
    pub commands_per_restart: u64,
    /// Bytes that the journal may have at a restart: what is behind two snapshots is removed.
    pub journal_bytes: u64,
    /// Bytes that the process may grow by after the warm-up.
    pub growth_bytes: u64,
    /// Of the dice.
    pub seed: u64,
}

/// What was done, and how large the process was.
#[derive(Clone, Copy, Debug, Default)]
pub struct Course {
    /// Commands that were taken.
    pub commands: u64,
    /// Commands that a full lane refused at first.
    pub refused: u64,
    /// Restarts, after each of which the state was the same.
    pub restarts: u32,
    /// Events that the handler has seen.
    pub seen: u64,
    /// The most resident bytes of the process in the warm-up.
    pub warm_bytes: u64,
    /// The most resident bytes after it.
    pub most_bytes: u64,
}

struct Dice(u64);

impl Dice {
    fn below(&mut self, n: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % n
    }
}

/// Hears the answers: which orders rest.
#[derive(Default)]
struct Ear {
    answered: AtomicU64,
    resting: Mutex<VecDeque<(MarketId, OrderId)>>,
}

impl Responder for Ear {
    fn respond(&self, _token: u64, response: &Response<'_>) {
        self.answered.fetch_add(1, Ordering::Release);
        let Ok(Receipt::Order { report, .. }) = response.result else { return };
        if report.status == OrderStatus::Resting {
            let mut resting = self.resting.lock();
            if resting.len() == REMEMBERED {
                resting.pop_front();
            }
            resting.push_back((response.market_id, report.order_id));
        }
    }
}

/// Counts what it sees, and that nothing is missing or repeated; rests now and then.
struct Watcher {
    seen: Arc<AtomicU64>,
}

impl EventHandler for Watcher {
    fn on_event(&mut self, event: &EngineEvent) {
        let before = self.seen.swap(event.record.sequence, Ordering::AcqRel);
        assert_eq!(before + 1, event.record.sequence, "a gap, or a repeat");
        if event.record.sequence.is_multiple_of(100_003) {
            // Longer than its queue lasts: it catches up from the journal.
            std::thread::sleep(Duration::from_millis(400));
        }
    }
}

/// The run.
pub struct Soak {
    plan: Plan,
    dice: Dice,
    course: Course,
    ear: Arc<Ear>,
    answers: Idempotency<u64>,
    seen: Arc<AtomicU64>,
    /// The oldest market that is open, and the one to be created next.
    markets: std::ops::Range<u64>,
    began: Instant,
    sampled: Instant,
}

impl Soak {
    /// A run that has not begun.
    pub fn new(plan: Plan) -> Self {
        let bounds = Bounds { keys: 10_000, ..Bounds::default() };
        Self {
            plan,
            dice: Dice(plan.seed.max(1)),
            course: Course::default(),
            ear: Arc::default(),
            answers: Idempotency::new(bounds),
            seen: Arc::default(),
            markets: 1..1,
            began: Instant::now(),
            sampled: Instant::now(),
        }
    }

    /// Runs in a fresh directory below this one; `tell` hears of it about once a second.
    ///
    /// # Errors
    /// Memory or a journal that grew, a state that was another one after a restart, events that the handler missed, or an
    /// engine that does not start.
    pub fn run(mut self, below: &Path, mut tell: impl FnMut(&Course, Duration, u64)) -> Result<Course> {
        let directory = tempfile::tempdir_in(below).with_context(|| below.display().to_string())?;
        let mut engine = self.open(directory.path())?;
        while !self.is_over() {
            let until = self.course.commands + self.plan.commands_per_restart;
            while self.course.commands < until && !self.is_over() {
                self.command(&engine)?;
                self.sample(&mut tell)?;
            }
            engine = self.restart(directory.path(), engine)?;
        }
        engine.stop();
        let first = engine.recovery().folder.join("00000001.segment");
        ensure!(!first.exists(), "nothing of the journal was removed");
        let Course { warm_bytes, most_bytes, restarts, .. } = self.course;
        ensure!(restarts > WARM_UP_RESTARTS, "only {restarts} restarts: too short to say anything");
        let growth = most_bytes.saturating_sub(warm_bytes);
        ensure!(
            growth <= self.plan.growth_bytes,
            "the process grew by {growth} bytes after the warm-up, from {warm_bytes}; {} are allowed",
            self.plan.growth_bytes
        );
        Ok(self.course)
    }

    fn is_over(&self) -> bool {
        // The warm-up is always gone through, and something after it.
        let has_said = self.course.restarts > WARM_UP_RESTARTS;
        let time_is_over = self.plan.time.is_some_and(|time| self.began.elapsed() >= time);
        let commands_are = self.plan.commands.is_some_and(|commands| self.course.commands >= commands);
        has_said && (time_is_over || commands_are)
    }

    fn open(&self, directory: &Path) -> Result<Engine> {
        let limits = Limits { client_ids_per_market: 10_000, closed_market_ttl_ms: 1, ..Limits::default() };
        let config = Config {
            limits,
            job_orders_per_s: 0,
            normal_lane: 1_024,
            // Snapshots and pruning all the time.
            segment_bytes: 4 << 20,
            snapshot_every_segments: 1,
            retention_bytes: 0,
            retention_age: Duration::ZERO,
            ..Config::default()
        };
        let options = HandlerOptions { name: "soak".to_owned(), queue_events: 8_192 };
        let watcher = Watcher { seen: Arc::clone(&self.seen) };
        let kept = HandlerRecovery::Kept { new_after: 0 };
        Ok(EngineBuilder::new(config, directory)?.register_handler(watcher, kept, Some(options)).build()?)
    }

    fn restart(&mut self, directory: &Path, engine: Engine) -> Result<Engine> {
        engine.stop();
        let (digest, last) = (engine.read().digest(), engine.durable_sequence());
        let bytes = directory_bytes(&engine.recovery().folder)?;
        ensure!(engine.health() == Health::Stopping, "it does not stop");
        for handler in engine.handlers() {
            ensure!(handler.state == HandlerState::Finished, "the handler has not finished: {handler:?}");
        }
        ensure!(self.seen.load(Ordering::Acquire) == last, "the handler has not seen all of {last} events");
        drop(engine);
        let engine = self.open(directory)?;
        ensure!(engine.read().digest() == digest, "the recovered state is another one");
        self.course.restarts += 1;
        ensure!(bytes <= self.plan.journal_bytes, "the journal has {bytes} bytes");
        Ok(engine)
    }

    /// Sends one command, whenever the engine has room for it.
    fn command(&mut self, engine: &Engine) -> Result<()> {
        let command = self.next();
        let lane = match &command.kind {
            CommandKind::SubmitOrder(_) => CommandLane::Normal,
            _ => CommandLane::Priority,
        };
        let key = format!("key {}", self.course.commands);
        let Begun::First(claim) = self.answers.begin(&key, self.course.commands)? else {
            anyhow::bail!("{key} is not new")
        };
        loop {
            let to: Arc<dyn Responder> = Arc::clone(&self.ear) as Arc<dyn Responder>;
            match engine.submit_to(lane, command.clone(), to, 0) {
                Ok(()) => break,
                Err(EngineError::QueueFull { .. }) => {
                    self.course.refused += 1;
                    std::thread::sleep(Duration::from_micros(200));
                }
                Err(other) => return Err(other.into()),
            }
        }
        claim.answer(self.course.commands);
        self.course.commands += 1;
        Ok(())
    }

    fn next(&mut self) -> Command {
        let open = self.markets.end - self.markets.start;
        if open < MARKETS {
            let id = self.markets.end;
            self.markets.end += 1;
            let market = NewMarket {
                state: BookMarketState::Open,
                ..NewMarket::new(format!("market {id}"), ["Home", "Draw", "Away"])
            };
            return Command::new(MarketId(id), CommandKind::CreateMarket(Box::new(market)));
        }
        if self.course.commands.is_multiple_of(COMMANDS_PER_MARKET) {
            let id = self.markets.start;
            self.markets.start += 1;
            return Command::new(MarketId(id), CommandKind::CloseMarket { reason: None });
        }
        let dice = self.dice.below(100);
        if dice < 20
            && let Some((market, id)) = self.ear.resting.lock().pop_front()
        {
            let (order, account_id, keep) = (OrderRef::Id(id), AccountId::NONE, Quantity::ZERO);
            return Command::new(market, CommandKind::CancelOrder { order, account_id, keep });
        }
        let market = MarketId(self.markets.start + self.dice.below(MARKETS));
        let side = if self.dice.below(2) == 0 { Side::Yes } else { Side::No };
        // Around 3.00 in steps of 0.05; one in a hundred is off the ladder.
        let steps = 50 + self.dice.below(21);
        let price = u32::try_from(steps * 500 + u64::from(dice == 99)).unwrap_or(30_000);
        let quantity = Quantity(100 * i64::try_from(1 + self.dice.below(100)).unwrap_or(1));
        let runner = RunnerId(1 + self.dice.below(3));
        let account = AccountId(1 + self.dice.below(1_000));
        let order = NewOrder::limit(runner, side, Price(price), quantity).by(account);
        let order = match dice {
            20..=29 => order.lasting(TimeInForce::Ioc),
            30..=39 => order.lasting(TimeInForce::Gtd { expiry_ms: now_ms() + self.dice.below(500) + 1 }),
            40..=59 => match ClientOrderId::try_from(self.course.commands.to_string().as_str()) {
                Ok(id) => order.named(id),
                Err(_) => order,
            },
            _ => order,
        };
        Command::new(market, CommandKind::SubmitOrder(order))
    }

    fn sample(&mut self, tell: &mut impl FnMut(&Course, Duration, u64)) -> Result<()> {
        if !self.course.commands.is_multiple_of(256) || self.sampled.elapsed() < Duration::from_millis(200) {
            return Ok(());
        }
        self.sampled = Instant::now();
        let bytes = resident_bytes()?;
        self.course.seen = self.seen.load(Ordering::Relaxed);
        let most = if self.course.restarts < WARM_UP_RESTARTS {
            &mut self.course.warm_bytes
        } else {
            &mut self.course.most_bytes
        };
        *most = bytes.max(*most);
        tell(&self.course, self.began.elapsed(), bytes);
        Ok(())
    }
}

fn now_ms() -> u64 {
    let since = std::time::UNIX_EPOCH.elapsed().unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}

fn directory_bytes(folder: &Path) -> Result<u64> {
    let mut bytes = 0;
    for entry in std::fs::read_dir(folder)? {
        bytes += entry?.metadata()?.len();
    }
    Ok(bytes)
}

/// What of the process is in memory.
fn resident_bytes() -> Result<u64> {
    let status =
        std::fs::read_to_string("/proc/self/status").context("resident memory is known on Linux only")?;
    let kib =
        status.lines().find_map(|line| line.strip_prefix("VmRSS:")?.trim().strip_suffix(" kB")?.parse().ok());
    let kib: u64 = kib.context("/proc/self/status does not tell VmRSS")?;
    Ok(kib << 10)
}
