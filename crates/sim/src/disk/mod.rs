//! A disk in memory that does what disks do: it forgets what was not synced, keeps half of it, or keeps it
//! in another order, loses names, fills up, fails, and is slow.

mod storage;

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::clock::VirtualClock;
use crate::dice::Dice;

/// What can be told to fail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Call {
    /// Of bytes, of which half then may be there.
    Write,
    /// Of a file: what it was to cover is shown from then on, but never reaches the disk.
    Sync,
    /// Making, moving or removing a file, and syncing a folder.
    Name,
}

/// What a disk does that it must not, for the sabotages.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Lies {
    /// A sync of a file says that it is done, and does nothing.
    pub(crate) sync: bool,
    /// A sync of a folder says that it is done, and does nothing.
    pub(crate) sync_dir: bool,
}

/// A handle; clones are the same disk.
#[derive(Clone, Debug)]
pub(crate) struct Disk {
    state: Arc<Mutex<State>>,
    clock: VirtualClock,
}

#[derive(Clone, Debug, Default)]
struct State {
    names: BTreeMap<String, usize>,
    /// As they are after a power cut.
    durable_names: BTreeMap<String, usize>,
    /// What happened to names since their folder was synced.
    renamings: Vec<Renaming>,
    contents: Vec<Content>,
    is_locked: bool,
    fault: Option<Fault>,
    /// The machine stands still: nothing works any more until it has been started again.
    is_dead: bool,
    is_full: bool,
    /// How long a sync takes, in nanoseconds.
    sync_ns: u64,
    lies: Lies,
    /// For what becomes of a write whose sync failed.
    dice: Dice,
}

/// A change of the directory: `from` is gone, `to` is this content.
#[derive(Clone, Debug)]
struct Renaming {
    from: Option<String>,
    to: Option<(String, usize)>,
}

#[derive(Clone, Debug, Default)]
struct Content {
    now: Vec<u8>,
    durable: Vec<u8>,
    /// Written since the last sync.
    pending: Vec<(usize, Vec<u8>)>,
}

#[derive(Clone, Copy, Debug)]
struct Fault {
    /// Of any kind if none is said: then it is the last one of all.
    call: Option<Call>,
    /// The calls of the kind that still succeed.
    left: u64,
    error: io::ErrorKind,
}

/// What reaches a disk whole, or not at all.
const SECTOR: usize = 512;

impl Disk {
    /// An empty one.
    pub(crate) fn new(clock: VirtualClock, seed: u64) -> Self {
        let state = State { dice: Dice::new(seed), ..State::default() };
        Self { state: Arc::new(Mutex::new(state)), clock }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // Nothing that holds it panics half way.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Another disk with the same on it, to try something out.
    pub(crate) fn fork(&self) -> Self {
        let mut state = self.state().clone();
        state.restarted();
        state.is_full = false;
        Self { state: Arc::new(Mutex::new(state)), clock: VirtualClock::at(self.clock.now()) }
    }

    /// From now on one call of this kind fails, after so many that succeed.
    pub(crate) fn fail(&self, call: Call, after: u64, error: io::ErrorKind) {
        self.state().fault = Some(Fault { call: Some(call), left: after, error });
    }

    /// The machine stands still in the middle of a call, after so many that succeed.
    pub(crate) fn die(&self, after: u64) {
        self.state().fault = Some(Fault { call: None, left: after, error: io::ErrorKind::BrokenPipe });
    }

    /// Whether it stands still.
    pub(crate) fn is_dead(&self) -> bool {
        self.state().is_dead
    }

    /// Whether a fault that was armed has not struck yet.
    pub(crate) fn is_armed(&self) -> bool {
        self.state().fault.is_some()
    }

    /// Nothing fails any more, and there is room.
    pub(crate) fn heal(&self) {
        let mut state = self.state();
        (state.fault, state.is_dead, state.is_full) = (None, false, false);
    }

    /// Whether files may grow.
    pub(crate) fn set_full(&self, is_full: bool) {
        self.state().is_full = is_full;
    }

    /// Whether they may not.
    pub(crate) fn is_full(&self) -> bool {
        self.state().is_full
    }

    /// How long a sync takes from now on.
    pub(crate) fn set_sync_ns(&self, sync_ns: u64) {
        self.state().sync_ns = sync_ns;
    }

    /// What it lies about from now on.
    pub(crate) fn set_lies(&self, lies: Lies) {
        self.state().lies = lies;
    }

    /// The process died: what it wrote is there, synced or not.
    pub(crate) fn kill(&self) {
        self.state().restarted();
    }

    /// The power went: of what was not synced there is any part, or nothing without `keeps`, sector by sector
    /// and name by name.
    pub(crate) fn cut_power(&self, mut keeps: Option<&mut Dice>) {
        let mut state = self.state();
        let state = &mut *state;
        state.restarted();
        let mut keep = || keeps.as_mut().is_some_and(|dice| dice.chance(500));
        for renaming in std::mem::take(&mut state.renamings) {
            if keep() {
                renaming.apply(&mut state.durable_names);
            }
        }
        for content in &mut state.contents {
            content.write_back(&mut keep);
            content.now.clone_from(&content.durable);
        }
        state.names = state.durable_names.clone();
        state.forget_nameless();
    }

    /// Turns one bit over, anywhere in what is written of a file; says where.
    pub(crate) fn rot(&self, dice: &mut Dice) -> Option<(String, usize)> {
        let mut state = self.state();
        let files: Vec<(String, usize)> = state.names.iter().map(|(name, id)| (name.clone(), *id)).collect();
        let written = |content: &Content| content.now.iter().rposition(|byte| *byte != 0);
        let files: Vec<_> =
            files.into_iter().filter(|(_, id)| written(&state.contents[*id]).is_some()).collect();
        if files.is_empty() {
            return None;
        }
        let (name, id) = files[dice.place(files.len())].clone();
        let content = &mut state.contents[id];
        let at = dice.place(written(content)? + 1);
        let bit = 1 << dice.below(8);
        content.now[at] ^= bit;
        if let Some(byte) = content.durable.get_mut(at) {
            *byte ^= bit;
        }
        Some((name, at))
    }

    /// The names of the files.
    pub(crate) fn names(&self) -> BTreeSet<String> {
        self.state().names.keys().cloned().collect()
    }

    /// The names and what is in the files, to look at.
    pub(crate) fn files(&self) -> Vec<(String, Vec<u8>)> {
        let state = self.state();
        state.names.iter().map(|(name, id)| (name.clone(), state.contents[*id].now.clone())).collect()
    }

    /// Puts these bytes there, durably.
    pub(crate) fn overwrite(&self, name: &str, at: usize, bytes: &[u8]) {
        let mut state = self.state();
        let Some(&id) = state.names.get(name) else { return };
        put(&mut state.contents[id].now, at, bytes);
        put(&mut state.contents[id].durable, at, bytes);
    }
}

impl Renaming {
    fn apply(self, names: &mut BTreeMap<String, usize>) {
        if let Some(from) = self.from {
            names.remove(&from);
        }
        names.extend(self.to);
    }

    fn is_in(&self, folder: &str) -> bool {
        let name = self.from.as_ref().or(self.to.as_ref().map(|(name, _)| name));
        name.is_some_and(|name| folder_of(name) == folder)
    }
}

impl State {
    fn called(&mut self, call: Call) -> io::Result<()> {
        if self.is_dead {
            return Err(io::ErrorKind::BrokenPipe.into());
        }
        let Some(fault) = self.fault.as_mut().filter(|fault| fault.call.is_none_or(|of| of == call)) else {
            return Ok(());
        };
        if fault.left > 0 {
            fault.left -= 1;
            return Ok(());
        }
        let Fault { call, error, .. } = *fault;
        (self.fault, self.is_dead) = (None, call.is_none());
        Err(error.into())
    }

    fn restarted(&mut self) {
        (self.is_locked, self.fault, self.is_dead) = (false, None, false);
    }

    fn rename(&mut self, renaming: Renaming) {
        renaming.clone().apply(&mut self.names);
        self.renamings.push(renaming);
    }

    /// Gives the memory back of what has no name any more.
    fn forget_nameless(&mut self) {
        for (id, content) in self.contents.iter_mut().enumerate() {
            if !self.names.values().any(|named| *named == id) {
                *content = Content::default();
            }
        }
    }

    fn id(&self, name: &str) -> io::Result<usize> {
        self.names.get(name).copied().ok_or_else(|| io::ErrorKind::NotFound.into())
    }

    fn create(&mut self, name: String) -> usize {
        let id = self.contents.len();
        self.contents.push(Content::default());
        self.rename(Renaming { from: None, to: Some((name, id)) });
        id
    }
}

impl Content {
    /// Of what was not synced this and that reaches the disk, and the rest never will.
    fn write_back(&mut self, mut keep: impl FnMut() -> bool) {
        let mut sectors = Vec::new();
        for (offset, bytes) in std::mem::take(&mut self.pending) {
            let pieces = (offset..).step_by(SECTOR).zip(bytes.chunks(SECTOR));
            sectors.extend(pieces.filter(|_| keep()).map(|(at, sector)| (at, sector.to_vec())));
        }
        // Nobody promised an order.
        if keep() {
            sectors.reverse();
        }
        sectors.iter().for_each(|(at, sector)| put(&mut self.durable, *at, sector));
    }
}

fn folder_of(name: &str) -> &str {
    name.rsplit_once('/').map_or("", |(folder, _)| folder)
}

fn put(content: &mut Vec<u8>, offset: usize, bytes: &[u8]) {
    if content.len() < offset + bytes.len() {
        content.resize(offset + bytes.len(), 0);
    }
    content[offset..offset + bytes.len()].copy_from_slice(bytes);
}
