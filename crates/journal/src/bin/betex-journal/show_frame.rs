//! One frame, whatever its condition.

use std::io::Write;

use betex_core::types::AccountId;
use betex_journal::record::{BodyDecoder, raw_records};
use betex_journal::{HEADER_BYTES, JournalEvent, RawFrame};
use clap::Args;

use crate::Place;
use crate::failure::Failure;
use crate::lines::Line;
use crate::output::{hex, stdout};

#[derive(Args)]
pub(crate) struct Options {
    #[command(flatten)]
    place: Place,
    /// The frame of this number
    #[arg(long, value_name = "NUMBER", required_unless_present = "at", conflicts_with = "at",
        value_parser = clap::value_parser!(u64).range(1..))]
    frame: Option<u64>,
    /// What lies in this segment at this offset, a multiple of 64
    #[arg(long, value_name = "SEGMENT:OFFSET", value_parser = place)]
    at: Option<(u64, u64)>,
    /// Not its bytes
    #[arg(long)]
    no_hex: bool,
}

fn place(text: &str) -> Result<(u64, u64), String> {
    let parsed = text.split_once(':').and_then(|(segment, offset)| {
        let (segment, offset) = (segment.parse().ok()?, offset.parse::<u64>().ok()?);
        offset.is_multiple_of(HEADER_BYTES as u64).then_some((segment, offset))
    });
    parsed.ok_or_else(|| "a place is SEGMENT:OFFSET, the offset a multiple of 64, as in 2:576".to_owned())
}

pub(crate) fn run(options: &Options) -> Result<(), Failure> {
    let files = options.place.files()?;
    let found = match (options.frame, options.at) {
        (Some(number), _) => {
            files.frame(number)?.ok_or_else(|| Failure::NotThere(format!("there is no frame {number}")))?
        }
        (None, at) => {
            let (segment, offset) = at.unwrap_or_default();
            let missing = || {
                Failure::NotThere(format!(
                    "no frame of this journal begins in {segment:08}.segment at offset {offset}"
                ))
            };
            files.frame_at(segment, offset)?.ok_or_else(missing)?
        }
    };
    let chains = files.chains(&found)?;
    let mut out = stdout();
    let mut problems = tell_header(&mut out, &found, chains)?;
    problems.extend(tell_records(&mut out, &found)?);
    problems.extend(tell_events(&mut out, &found)?);
    if !options.no_hex {
        tell_bytes(&mut out, &found.bytes)?;
    }
    out.flush()?;
    if problems.is_empty() {
        return Ok(());
    }
    let (number, folder) = (found.frame.number, files.folder().display());
    Err(Failure::Damaged(format!("frame {number} of {folder} is damaged: {}", problems.join("; "))))
}

/// What the header says; and what is wrong with it.
fn tell_header(out: &mut impl Write, found: &RawFrame, chains: Option<bool>) -> std::io::Result<Vec<String>> {
    let frame = &found.frame;
    writeln!(out, "frame {} in {:08}.segment at offset {}", frame.number, frame.segment, frame.offset)?;
    writeln!(
        out,
        "  version {}, kind {}, flags {}, epoch {}",
        frame.version, frame.kind, frame.flags, frame.epoch
    )?;
    let (first, last) = (frame.first_sequence, frame.last_sequence());
    writeln!(out, "  {} events, sequence numbers {first} to {last}", frame.events)?;
    writeln!(out, "  {} bytes of body, {} bytes in its segment", frame.body_bytes, frame.bytes())?;
    let checksum = if found.is_whole { "right" } else { "WRONG: header or body is not what was written" };
    writeln!(out, "  crc32c {:08x}: {checksum}", frame.crc32c)?;
    let chain = match chains {
        Some(true) => "that of the frame before",
        Some(false) => "NOT that of the frame before",
        None => "the frame before is not there",
    };
    writeln!(out, "  prev_hash {}: {chain}", hex(&frame.prev_hash))?;
    writeln!(out, "  hash of this frame {}", hex(&found.hash()))?;
    let checksum = (!found.is_whole).then(|| "its checksum is wrong".to_owned());
    let chain = (chains == Some(false)).then(|| "it does not chain to the frame before it".to_owned());
    Ok(checksum.into_iter().chain(chain).collect())
}

fn tell_records(out: &mut impl Write, found: &RawFrame) -> std::io::Result<Option<String>> {
    writeln!(out, "records")?;
    for record in raw_records(found.body()) {
        match record {
            Ok(record) => {
                let name = record.name().map_or_else(|| format!("kind {}", record.kind), str::to_owned);
                let (at, version, len) = (record.at, record.version, record.bytes.len());
                writeln!(out, "  {at:>6}  {name} version {version}, {len} bytes")?;
            }
            Err(error) => return Ok(Some(error.to_string())),
        }
    }
    Ok(None)
}

fn tell_events(out: &mut impl Write, found: &RawFrame) -> std::io::Result<Option<String>> {
    writeln!(out, "events")?;
    let (mut decoder, mut events) = (BodyDecoder::new(found.frame.first_sequence), Vec::new());
    loop {
        let stamp = match decoder.next_transaction(found.body(), &mut events) {
            Ok(Some(stamp)) => stamp,
            Ok(None) => break,
            Err(error) => return Ok(Some(error.to_string())),
        };
        let (count, mut taker) = (events.len() as u64, AccountId::NONE);
        for (index, event) in (0..).zip(events.drain(..)) {
            let event = JournalEvent::of(&stamp, index, count, event);
            taker = Line::taker(&event.event).unwrap_or(taker);
            write!(out, "  ")?;
            serde_json::to_writer(&mut *out, &Line::of(&event, taker))?;
            writeln!(out)?;
        }
    }
    let counted = found.frame.first_sequence.checked_add(found.frame.events.into());
    let wrong = counted != Some(decoder.next_sequence());
    Ok(wrong.then(|| "its header does not count the events of its body".to_owned()))
}

fn tell_bytes(out: &mut impl Write, bytes: &[u8]) -> std::io::Result<()> {
    writeln!(out, "bytes")?;
    for (row, bytes) in bytes.chunks(32).enumerate() {
        let words: Vec<String> = bytes.chunks(8).map(hex).collect();
        writeln!(out, "  {:>6}  {}", 32 * row, words.join(" "))?;
    }
    Ok(())
}
