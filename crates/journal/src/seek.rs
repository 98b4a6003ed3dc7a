//! Finding a place in the middle of a journal by its headers alone, without reading what is before.

use std::sync::Arc;

use crate::error::{Damage, DiskError, Fault};
use crate::frame::{FrameHeader, HEADER_BYTES};
use crate::segment;
use crate::storage::Storage;
use crate::walk::{Expect, Walk};
use crate::window::Window;

impl Walk {
    /// At the first frame there is.
    pub(crate) fn from_start(storage: Arc<dyn Storage>, folder: String, journal: u64) -> Result<Self, Fault> {
        let number = first_number(&*storage, &folder)?;
        let mut window = Window::open(&*storage, &folder, number)?;
        let header = header(&*storage, &mut window, journal, 0)?;
        let expect = first_expected(journal, number, header.as_ref());
        Ok(Self::begin(storage, folder, journal, number, expect)?)
    }

    /// To the frame that has the event with this number, or to a place before it; and the number of the
    /// first event there is.
    ///
    /// Headers are only believed as far as they fit each other: the frame itself is checked by
    /// [`Walk::next`] against the one before it. Where there is none in its segment, it is taken at its
    /// word: its checksum, its journal and a number higher than that of every segment before it.
    pub(crate) fn seek(&mut self, sequence: u64) -> Result<u64, Fault> {
        let (storage, journal) = (Arc::clone(&self.storage), self.journal);
        let storage = &*storage;
        let numbers = segment::numbers(storage, &self.folder)?;
        let first = first_number(storage, &self.folder)?;
        let (mut begin, mut first_sequence, mut last_frame) = (None, 1, 0);
        for number in numbers {
            let mut window = Window::open(storage, &self.folder, number)?;
            let Some(header) = header(storage, &mut window, journal, 0)? else { break };
            if number == first {
                first_sequence = header.first_seq.get();
            }
            // What a segment held before it was used again has lower numbers.
            if header.frame_no.get() <= last_frame || (header.first_seq.get() > sequence && begin.is_some()) {
                break;
            }
            last_frame = header.frame_no.get();
            begin = Some((number, window));
        }
        let begin = match begin {
            Some((number, mut window)) => window.frame(storage, journal, 0)?.map(|_| number),
            None => None,
        };
        // Where there is nothing yet, or something damaged, the walk from the first segment meets it.
        let number = begin.unwrap_or(first);
        let mut walk =
            Self::begin(Arc::clone(&self.storage), self.folder.clone(), journal, number, self.expect)?;
        let header = header(storage, &mut walk.window, journal, 0)?;
        walk.expect = first_expected(journal, number, header.as_ref());
        if let Some(header) = header {
            walk.skip_to(sequence, header)?;
        }
        *self = walk;
        Ok(first_sequence)
    }

    /// Within the segment, from its first frame on, as long as the headers fit each other.
    fn skip_to(&mut self, sequence: u64, first: FrameHeader) -> Result<(), DiskError> {
        let storage = Arc::clone(&self.storage);
        let (mut before, mut this, mut offset) = (None, first, 0);
        loop {
            let next_sequence = this.first_seq.get().saturating_add(this.count.get().into());
            if next_sequence > sequence {
                break;
            }
            before = Some((this, offset));
            offset += this.padded_len() as u64;
            match header(&*storage, &mut self.window, self.journal, offset)? {
                Some(next)
                    if next.frame_no.get() == this.frame_no.get() + 1
                        && next.first_seq.get() == next_sequence =>
                {
                    this = next;
                }
                _ => break,
            }
        }
        // The frame before says what the next one must be, provided that it is whole; otherwise the walk
        // begins with the segment, and what is not wanted is passed over.
        if let Some((before, at)) = before
            && self.window.frame(&*storage, self.journal, at)? == Some(before)
            && let Some(bytes) = self.window.held(at, before.frame_len())
        {
            self.expect = Expect::after(&before, bytes);
            self.offset = offset;
        }
        Ok(())
    }
}

/// What looks like a header of this journal.
fn header(
    storage: &dyn Storage,
    window: &mut Window,
    journal: u64,
    offset: u64,
) -> Result<Option<FrameHeader>, DiskError> {
    Ok(FrameHeader::of(window.bytes(storage, offset, HEADER_BYTES)?, journal))
}

fn first_number(storage: &dyn Storage, folder: &str) -> Result<u64, Fault> {
    segment::numbers(storage, folder)?.first().copied().ok_or_else(|| {
        let what = "its folder holds no segments".to_owned();
        Fault::Corrupt(Damage { segment: 1, offset: 0, frame: 1, what })
    })
}

/// What the first frame of a segment must be, where the walk begins with it.
fn first_expected(journal: u64, number: u64, header: Option<&FrameHeader>) -> Expect {
    match header {
        Some(header) if number > 1 => {
            Expect { frame: header.frame_no.get(), sequence: header.first_seq.get(), hash: None, epoch: 0 }
        }
        _ => Expect::first(journal),
    }
}
