//! Standard output, in large pieces.

use std::io::{BufWriter, StdoutLock};

/// Standard output, in large pieces: flushed when it is dropped, and by whoever must know that it was written.
pub(crate) fn stdout() -> BufWriter<StdoutLock<'static>> {
    BufWriter::with_capacity(64 << 10, std::io::stdout().lock())
}

/// Bytes in hex.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
