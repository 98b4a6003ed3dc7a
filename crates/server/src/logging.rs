//! What is logged, and how: a line for each event on stderr.

use std::io::{self, IsTerminal as _, Write};

use tracing_subscriber::EnvFilter;

/// What chooses what is logged.
const FILTER: &str = "RUST_LOG";

/// Begins to log to stderr, in colours only where somebody sees them.
///
/// # Errors
/// `RUST_LOG` is not a filter.
pub fn begin() -> Result<(), String> {
    let filter = match std::env::var(FILTER) {
        Ok(text) if !text.trim().is_empty() => EnvFilter::try_new(&text).map_err(|error| {
            format!(
                "{FILTER}: {text:?} is no filter ({error}); for example info, or warn,betex=debug, is valid"
            )
        })?,
        Err(std::env::VarError::NotUnicode(_)) => return Err(format!("{FILTER}: it is not text")),
        _ => EnvFilter::new("info"),
    };
    let is_plain = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
    let colours = io::stderr().is_terminal() && !is_plain;
    let writer = move || Lines { to: io::stderr(), colours };
    tracing_subscriber::fmt().with_env_filter(filter).with_ansi(colours).with_writer(writer).init();
    Ok(())
}

/// Escapes what would make another line, or move the cursor: an event may hold text of a client.
struct Lines<W> {
    to: W,
    /// The formatter colours, and escapes escapes in values by itself.
    colours: bool,
}

impl<W: Write> Write for Lines<W> {
    /// Each event comes whole, with its line break.
    fn write(&mut self, event: &[u8]) -> io::Result<usize> {
        let text = String::from_utf8_lossy(event);
        let line = text.strip_suffix('\n').unwrap_or(&text);
        let mut escaped = String::with_capacity(text.len());
        for char in line.chars() {
            match char {
                '\u{1b}' if self.colours => escaped.push(char),
                char if char.is_control() || is_invisible(char) => escaped.extend(char.escape_default()),
                char => escaped.push(char),
            }
        }
        escaped.push('\n');
        self.to.write_all(escaped.as_bytes())?;
        Ok(event.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.to.flush()
    }
}

/// What separates lines, or turns the direction of text, and is no control character.
fn is_invisible(char: char) -> bool {
    matches!(char, '\u{2028}' | '\u{2029}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn logged(text: &str, colours: bool) -> String {
        let mut lines = Lines { to: Vec::new(), colours };
        lines.write_all(text.as_bytes()).unwrap();
        String::from_utf8(lines.to).unwrap()
    }

    #[test]
    fn an_event_is_one_line_whatever_is_in_it() {
        let event = "WARN market \"a\nERROR b\r\u{1b}[2J\u{202e}\u{85}é\"\n";
        let expected = "WARN market \"a\\nERROR b\\r\\u{1b}[2J\\u{202e}\\u{85}é\"\n";
        assert_eq!(logged(event, false), expected);
        assert_eq!(logged("\u{1b}[31mWARN\u{1b}[0m a\nb\n", true), "\u{1b}[31mWARN\u{1b}[0m a\\nb\n");
    }
}
