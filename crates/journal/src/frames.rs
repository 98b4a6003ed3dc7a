//! Reading a journal frame by frame, as recovery does, without touching it.

use std::path::PathBuf;
use std::sync::Arc;

use betex_core::event::{Event, Stamp};

use crate::error::{Fault, ReadError};
use crate::files::Frame;
use crate::reader::again;
use crate::record::BodyDecoder;
use crate::recover::torn_tail;
use crate::report::TornTail;
use crate::segment;
use crate::storage::Storage;
use crate::walk::{Behind, Walk};

/// The frames of a journal in order, each checked like recovery checks it: whole, of this journal, chained
/// to the one before, and nothing lost behind the last. May be used while another process writes.
#[derive(Debug)]
pub struct FrameReader {
    walk: Walk,
    folder: PathBuf,
    /// The frame that was found last, and whose body is held.
    found: Option<Frame>,
    events: Vec<Event>,
}

/// What comes next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NextFrame {
    /// A frame.
    Frame(Frame),
    /// The end, for now.
    End(Tail),
}

/// What lies behind the last frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tail {
    /// The segment of the last frame.
    pub segment: u64,
    /// Where in it the next frame would begin.
    pub offset: u64,
    /// Bytes that are neither a whole frame nor zeros: a write that is under way, or that a crash left.
    pub torn: Option<TornTail>,
    /// Segments behind, in which no frame is yet.
    pub prepared: usize,
}

impl FrameReader {
    pub(crate) fn new(storage: Arc<dyn Storage>, journal: u64) -> Result<Self, ReadError> {
        let name = segment::folder_name(journal);
        let folder = storage.root().join(&name);
        let begin = || Walk::from_start(Arc::clone(&storage), name.clone(), journal);
        let walk = again(begin).map_err(|fault| fault.reading(&folder))?;
        Ok(Self { walk, folder, found: None, events: Vec::new() })
    }

    /// The next frame, or the end there is now; a later call may then find more.
    pub fn next_frame(&mut self) -> Result<NextFrame, ReadError> {
        self.found = None;
        let next = self.find().map_err(|fault| fault.reading(&self.folder))?;
        if let NextFrame::Frame(frame) = next {
            self.found = Some(frame);
        }
        Ok(next)
    }

    /// The body of the frame that was found last.
    pub fn body(&self) -> &[u8] {
        if self.found.is_some() { self.walk.body() } else { &[] }
    }

    /// What the next frame must have as its `prev_hash`; `None` before the first one of a journal whose
    /// beginning is no longer there.
    pub fn chain_hash(&self) -> Option<[u8; 16]> {
        self.walk.expect.hash
    }

    /// The sequence number of the event that comes next.
    pub fn next_sequence(&self) -> u64 {
        self.walk.expect.sequence
    }

    /// The transactions of the frame that was found last, each of them whole.
    pub fn transactions(&mut self, each: &mut dyn FnMut(&Stamp, &[Event])) -> Result<(), ReadError> {
        let Some(frame) = self.found else { return Ok(()) };
        let Self { walk, folder, events, .. } = self;
        let mut decode = || {
            let mut body = BodyDecoder::new(frame.first_sequence);
            while let Some(stamp) =
                body.next_transaction(walk.body(), events).map_err(|error| walk.in_frame(error))?
            {
                each(&stamp, events);
            }
            walk.check_count(body.next_sequence())
        };
        decode().map_err(|fault| fault.reading(folder))
    }

    fn find(&mut self) -> Result<NextFrame, Fault> {
        if let Some(frame) = self.step()? {
            return Ok(NextFrame::Frame(frame));
        }
        // What was read ahead may be older than the frame.
        self.walk.forget();
        if let Some(frame) = self.step()? {
            return Ok(NextFrame::Frame(frame));
        }
        let Behind { damage, dirty_end, following } = self.walk.look_behind()?;
        let (segment, offset) = (self.walk.number, self.walk.offset);
        let torn = torn_tail(&self.walk, dirty_end, &following);
        self.walk.forget();
        let Some(damage) = damage else {
            return Ok(NextFrame::End(Tail { segment, offset, torn, prepared: following.len() }));
        };
        // A writer may have written the frame, and others behind it, while this looked. They are written in
        // order: if it is not there now it never will be.
        self.step()?.map(NextFrame::Frame).ok_or(Fault::Corrupt(damage))
    }

    fn step(&mut self) -> Result<Option<Frame>, Fault> {
        let found = self.walk.next()?;
        Ok(found.map(|header| {
            let (offset, _) = self.walk.found();
            Frame::of(&header, self.walk.number, offset)
        }))
    }
}
