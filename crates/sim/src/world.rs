//! One run: the engine's stages on one thread, a disk, clients, handlers, time, and dice that decide what
//! happens next.

use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use betex::config::Config;
use betex::engine::OwnedResponse;
use betex::engine::rig::{Rig, Tap, Turn};
use betex::prelude::*;
use betex_journal::{SegmentPreparer, SnapshotMaker};

use crate::clock::VirtualClock;
use crate::desk::Desk;
use crate::dice::Dice;
use crate::disk::{Call, Disk};
use crate::failure::{Check, Checked, Failure, ensure};
use crate::limits::limits;
use crate::listener::Listener;
use crate::report::Report;
use crate::sabotage::Sabotage;
use crate::traffic::Traffic;
use crate::truth::Truth;

/// A run, in the middle of it.
pub(crate) struct World {
    pub(crate) dice: Dice,
    pub(crate) disk: Disk,
    pub(crate) clock: VirtualClock,
    pub(crate) config: Config,
    pub(crate) truth: Truth,
    pub(crate) desk: Desk,
    traffic: Traffic,
    pub(crate) listeners: Vec<Listener>,
    pub(crate) running: Option<Running>,
    pub(crate) sabotage: Option<Sabotage>,
    pub(crate) report: Report,
    /// Commands that are still to be sent, one a step.
    backlog: Vec<Command>,
}

/// An engine that runs.
pub(crate) struct Running {
    pub(crate) rig: Rig,
    pub(crate) preparer: Arc<Mutex<SegmentPreparer>>,
    pub(crate) maker: SnapshotMaker,
    /// Sees everything at once.
    pub(crate) observer: Tap,
    /// Whether the log has failed, whatever the engine was told.
    pub(crate) failed: Arc<AtomicBool>,
}

/// What can happen next.
#[derive(Clone, Copy, Debug)]
enum Step {
    Send,
    AskAgain,
    Sequencer,
    Journaler,
    Dispatcher,
    Listener,
    Preparer,
    Snapshots,
    Time,
    ClockSetBack,
    SlowDisk,
    Fault,
    Full,
    Room,
    LookAtGate,
    Compare,
    Kill,
    PowerCut,
    Stop,
}

const STEPS: [(u64, Step); 19] = [
    (3_000, Step::Send),
    (60, Step::AskAgain),
    (1_600, Step::Sequencer),
    (1_300, Step::Journaler),
    (1_300, Step::Dispatcher),
    (1_500, Step::Listener),
    (60, Step::Preparer),
    (100, Step::Snapshots),
    (400, Step::Time),
    (20, Step::ClockSetBack),
    (10, Step::SlowDisk),
    (24, Step::Fault),
    (10, Step::Full),
    (40, Step::Room),
    (30, Step::LookAtGate),
    (10, Step::Compare),
    (12, Step::Kill),
    (20, Step::PowerCut),
    (6, Step::Stop),
];

/// Steps that a handler takes in a row, at most.
const LISTENS: u64 = 40;

/// How often, in a thousand times that a handler has its turn, it begins to hang.
const HANGS: u64 = 8;

/// How often, in a thousand steps of the dispatcher, it is asked what a power cut would leave.
const LOOKS: u64 = 100;

/// When the world begins: long enough after the epoch for clocks to be set back.
const BEGINNING_NS: u64 = 1_700_000_000_000_000_000;

impl World {
    pub(crate) fn new(seed: u64, sabotage: Option<Sabotage>) -> Self {
        let mut dice = Dice::new(seed);
        let clock = VirtualClock::at(BEGINNING_NS);
        let disk = Disk::new(clock.clone(), dice.next());
        disk.set_lies(sabotage.map(Sabotage::lies).unwrap_or_default());
        let lane = dice.pick(&[8, 256, 1_024]);
        let config = Config {
            limits: limits(&mut dice),
            segment_bytes: 1 << 20,
            snapshot_every_segments: 1,
            retention_bytes: dice.pick(&[0, 0, 1 << 20]),
            retention_age: Duration::from_secs(dice.pick(&[0, 0, 10])),
            ring_slots: dice.pick(&[64, 128, 1_024]),
            normal_lane: lane,
            priority_lane: lane,
            job_orders_per_s: dice.pick(&[0, 20_000]),
            handler_claim: Duration::from_secs(dice.pick(&[1, 1, 86_400])),
            ..Config::default()
        };
        let careful = [2, 300, 1_024].map(|queue| Listener::new(queue, true, true));
        let others = [Listener::new(40, true, false), Listener::new(8, false, false)];
        let listeners = careful.into_iter().chain(others).collect();
        Self {
            dice,
            disk,
            clock,
            config,
            truth: Truth::default(),
            desk: Desk::default(),
            traffic: Traffic::default(),
            listeners,
            running: None,
            sabotage,
            report: Report::default(),
            backlog: Vec::new(),
        }
    }

    /// Lets so much happen, and then the end of it.
    pub(crate) fn run(&mut self, steps: u64) -> Checked {
        self.restart()?;
        for step in 1..=steps {
            self.report.step = step;
            self.step()?;
        }
        self.disk.heal();
        self.stop()?;
        self.restart()?;
        self.stop()
    }

    fn step(&mut self) -> Checked {
        self.take_step()?;
        if self.disk.is_dead() {
            self.report.deaths += 1;
            return self.crash();
        }
        Ok(())
    }

    fn take_step(&mut self) -> Checked {
        let step = self.dice.weighted(&STEPS);
        self.report.note(&(step as u64, self.truth.sequence()));
        match step {
            Step::Send => {
                let crowd = if self.backlog.len() > 100 { 100 } else { 1 };
                (0..=self.dice.below(5) * crowd).for_each(|_| self.send());
            }
            Step::AskAgain => self.ask_again(),
            Step::Sequencer => {
                self.rig().step_sequencer();
            }
            Step::Journaler => return self.journal().map(drop),
            Step::Dispatcher => return self.dispatch().map(drop),
            Step::Listener => {
                let listener = self.dice.place(self.listeners.len());
                let (listener, now_ns) = (&mut self.listeners[listener], self.clock.now());
                if self.dice.chance(HANGS) {
                    listener.hang(now_ns + self.dice.below(60_000_000_000));
                }
                for _ in 0..=self.dice.below(LISTENS) {
                    listener.step(&self.truth, &mut self.dice, now_ns)?;
                }
            }
            Step::Preparer => self.prepare(),
            Step::Snapshots => self.keep_snapshots(),
            Step::Time => {
                let ns = self.dice.pick(&[50_000, 1_000_000, 20_000_000, 2_000_000_000]);
                self.clock.advance(self.dice.below(ns));
            }
            Step::ClockSetBack => self.clock.set_back(self.dice.below(10_000_000_000)),
            Step::SlowDisk => self.disk.set_sync_ns(self.dice.pick(&[0, 100_000, 10_000_000, 1_000_000_000])),
            Step::Fault => self.arm(),
            Step::Full => self.disk.set_full(true),
            Step::Room => self.disk.set_full(false),
            Step::LookAtGate => return self.look_at_gate(),
            Step::Compare => return self.compare(),
            Step::Kill => return self.kill(),
            Step::PowerCut => return self.cut_power(),
            Step::Stop => {
                self.stop()?;
                return self.restart();
            }
        }
        Ok(())
    }

    pub(crate) fn running(&mut self) -> &mut Running {
        self.running.as_mut().expect("it runs between a restart and the next end")
    }

    pub(crate) fn rig(&mut self) -> &mut Rig {
        &mut self.running().rig
    }

    /// One more command goes in, if the door lets it.
    fn send(&mut self) {
        let command = self.backlog.pop().or_else(|| self.desk.retry()).or_else(|| {
            let running = self.running.as_ref().expect("it runs");
            let state = running.rig.read();
            let mut commands = self.traffic.next(&state, self.clock.now(), &mut self.dice);
            commands.reverse();
            self.backlog = commands;
            self.backlog.pop()
        });
        if let Some(command) = command {
            self.submit(command, None);
        }
    }

    /// A client is not sure that its order was taken.
    fn ask_again(&mut self) {
        if let Some((command, order)) = self.desk.ask_again(&mut self.dice) {
            self.submit(command, Some(order));
        }
    }

    fn submit(&mut self, command: Command, must_name: Option<OrderId>) {
        let token = self.desk.token();
        let inbox = Arc::clone(&self.desk.inbox);
        match self.rig().submit(command.clone(), inbox, token) {
            Ok(()) => self.desk.taken(token, command, must_name),
            Err(error) => self.report.refused(&error),
        }
    }

    pub(crate) fn prepare(&mut self) {
        let preparer = Arc::clone(&self.running().preparer);
        let mut preparer = preparer.lock().unwrap_or_else(PoisonError::into_inner);
        // If there is no room, new orders are refused until there is.
        self.report.unprepared += u64::from(preparer.step().is_err());
    }

    /// A snapshot is made if one is due, and what it stands for removed.
    fn keep_snapshots(&mut self) {
        let (before, now_ns) = (self.disk.names(), self.clock.now());
        let Running { rig, maker, .. } = self.running();
        let all_is_well = rig.step_snapshots(maker, now_ns);
        self.listeners.iter_mut().for_each(Listener::was_looked_at);
        let after = self.disk.names();
        let new = after.iter().filter(|name| name.ends_with(".snapshot") && !before.contains(*name));
        self.report.snapshots += new.count() as u64;
        let gone = before.iter().filter(|name| name.ends_with(".segment") && !after.contains(*name));
        self.report.pruned += gone.count() as u64;
        // The engine goes on without them.
        self.report.snapshots_failed += u64::from(!all_is_well);
    }

    /// Some call of the disk is to fail.
    pub(crate) fn arm(&mut self) {
        if self.dice.chance(500) {
            return self.disk.die(self.dice.below(12));
        }
        let call = self.dice.pick(&[Call::Write, Call::Sync, Call::Sync, Call::Name]);
        let error =
            self.dice.pick(&[io::ErrorKind::StorageFull, io::ErrorKind::Other, io::ErrorKind::TimedOut]);
        let after = self.dice.below(6);
        self.disk.fail(call, after, error);
    }

    /// The journaler takes its step; whether the engine still runs as before.
    pub(crate) fn journal(&mut self) -> Result<Turn, Failure> {
        if !self.rig().supply().is_ready() {
            self.prepare();
            if self.disk.is_dead() {
                self.report.deaths += 1;
                self.crash()?;
                return Ok(Turn::Finished);
            }
            if !self.rig().supply().is_ready() {
                // The log would wait for a segment.
                return Ok(Turn::Full);
            }
        }
        let running = self.running();
        match running.rig.step_journaler() {
            Ok(turn) => {
                let failed = running.failed.load(Ordering::Relaxed);
                let words = || "a write or a sync failed, and the engine goes on".to_owned();
                ensure(!failed, Check::Failed, words)?;
                Ok(turn)
            }
            Err(_) => {
                self.fail()?;
                Ok(Turn::Finished)
            }
        }
    }

    /// The dispatcher takes its step, and everybody looks at what it shows.
    pub(crate) fn dispatch(&mut self) -> Result<Turn, Failure> {
        let running = self.running.as_mut().expect("it runs");
        let turn = running.rig.step_dispatcher();
        let mut result = Ok(());
        loop {
            let seen = running.observer.step(|event| {
                if result.is_ok() {
                    result = self.truth.show(event.record.clone());
                }
            });
            std::mem::replace(&mut result, Ok(()))?;
            match seen {
                Ok(Turn::Worked) => (),
                Ok(_) => break,
                Err(error) => return Err(Failure::new(Check::Handler, format!("nothing is heard: {error}"))),
            }
        }
        let looks = turn == Turn::Worked && self.dice.chance(LOOKS);
        let answers = self.desk.answers(&self.truth, &running.rig.read())?;
        answers.iter().for_each(|answer| self.learn(answer));
        if looks {
            self.look_at_gate()?;
        }
        Ok(turn)
    }

    fn learn(&mut self, answer: &OwnedResponse) {
        self.report.note(&(answer.sequence, answer.result.is_ok(), answer.events.len() as u64));
        if let Ok(Receipt::Order { report, .. }) = &answer.result {
            self.traffic.note(answer.market_id, report);
        }
    }

    /// The read state is what was shown, no more and no less.
    pub(crate) fn compare(&mut self) -> Checked {
        let running = self.running.as_ref().expect("it runs");
        let state = running.rig.read();
        self.truth.compare(&state)?;
        self.desk.check_names(&state)?;
        self.report.note(&(state.sequence(), state.digest()));
        self.report.comparisons += 1;
        Ok(())
    }
}

impl World {
    /// All that has been counted.
    pub(crate) fn reported(&self) -> Report {
        let volume = self.truth.volume();
        let heard = |of: fn(&Listener) -> u64| self.listeners.iter().map(of).sum();
        Report {
            events: volume.events,
            trades: volume.trades,
            sets: volume.sets,
            unseen: self.truth.unseen,
            answered: self.desk.answered,
            rejected: self.desk.rejected,
            lost: self.desk.lost,
            heard: heard(|listener| listener.heard),
            caught_up: heard(|listener| listener.caught_up),
            let_go: heard(|listener| listener.let_go),
            cut_off: heard(|listener| listener.cut_off),
            ..self.report
        }
    }
}
