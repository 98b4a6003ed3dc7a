//! How many tests ran, read from what the test runners print last.

use std::fmt;

/// Tests by what became of them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Counts {
    pub(crate) passed: u64,
    pub(crate) failed: u64,
    pub(crate) skipped: u64,
}

impl Counts {
    /// Adds up the closing lines of `cargo test`, Python's unittest and Node's test runner (as TAP).
    pub(crate) fn of_log(log: &str) -> Self {
        let mut counts = Self::default();
        let mut unittests = 0;
        for line in log.lines() {
            if let Some(rest) = line.strip_prefix("test result: ") {
                counts.passed += number_before(rest, " passed");
                counts.failed += number_before(rest, " failed");
                counts.skipped += number_before(rest, " ignored");
            } else if let Some(rest) = line.strip_prefix("Ran ") {
                unittests = number_before(rest, " test");
            } else if unittests > 0 && (line.starts_with("OK") || line.starts_with("FAILED")) {
                let failed = number_after(line, "failures=") + number_after(line, "errors=");
                let skipped = number_after(line, "skipped=");
                counts.passed += unittests.saturating_sub(failed + skipped);
                counts.failed += failed;
                counts.skipped += skipped;
                unittests = 0;
            } else {
                counts.passed += number_after_prefix(line, "# pass ");
                counts.failed += number_after_prefix(line, "# fail ");
                counts.failed += number_after_prefix(line, "# cancelled ");
                counts.skipped += number_after_prefix(line, "# skipped ");
            }
        }
        counts
    }

    /// Adds others.
    pub(crate) const fn add(&mut self, others: &Self) {
        self.passed += others.passed;
        self.failed += others.failed;
        self.skipped += others.skipped;
    }

    /// `N passed, N failed`, alone on a line.
    pub(crate) fn closing_line(&self) -> String {
        let mut line = format!("{} passed, {} failed", self.passed, self.failed);
        if self.skipped > 0 {
            line.push_str(&format!(", {} skipped", self.skipped));
        }
        line
    }
}

impl fmt::Display for Counts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.passed, self.failed) {
            (0, 0) => Ok(()),
            (passed, 0) => write!(f, "{passed} tests"),
            (passed, failed) => write!(f, "{passed} tests passed, {failed} failed"),
        }
    }
}

/// The number that ends where `word` begins.
fn number_before(text: &str, word: &str) -> u64 {
    let before = text.split(word).next().filter(|before| before.len() < text.len());
    let digits = before.and_then(|before| before.rsplit(|c: char| !c.is_ascii_digit()).next());
    digits.and_then(|digits| digits.parse().ok()).unwrap_or(0)
}

/// The number that begins where `word` ends.
fn number_after(text: &str, word: &str) -> u64 {
    let after = text.split_once(word).map(|(_, after)| after);
    let digits = after.and_then(|after| after.split(|c: char| !c.is_ascii_digit()).next());
    digits.and_then(|digits| digits.parse().ok()).unwrap_or(0)
}

fn number_after_prefix(line: &str, prefix: &str) -> u64 {
    if line.starts_with(prefix) { number_after(line, prefix) } else { 0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn closing_lines_of_three_runners_are_counted() {
        let log = "running 3 tests\n\
            test result: FAILED. 12 passed; 1 failed; 2 ignored; 0 measured; 0 filtered out; finished in 0.01s\n\
            Ran 23 tests in 1.204s\n\nFAILED (failures=1, errors=2, skipped=4)\n\
            Ran 1 test in 0.1s\n\nOK\n\
            # tests 9\n# pass 7\n# fail 1\n# cancelled 1\n# skipped 1\n";
        assert_eq!(Counts::of_log(log), Counts { passed: 12 + 16 + 1 + 7, failed: 6, skipped: 7 });
        assert_eq!(Counts::of_log("Finished\nOK\n"), Counts::default());
    }
}
