//! Words that must not be committed, and where.

use super::files::Tracked;

/// Words, the files they must not be in, and why.
struct Ban {
    words: &'static [&'static str],
    applies: fn(&Tracked) -> bool,
    because: &'static str,
}

const BANS: [Ban; 7] = [
    Ban {
        words: &["todo!", "unimplemented!", "TODO", "FIXME", "XXX", "#[ignore", "dbg!"],
        applies: |file| file.is(&[".rs", ".py", ".ts", ".proto"]),
        because: "what is committed is finished",
    },
    Ban {
        words: &["/root/", "/home/", "/Users/", "/work/", "/tmp/target"],
        applies: |_| true,
        because: "a path of somebody's machine",
    },
    Ban {
        words: &["\"resolved\":"],
        applies: |file| file.is(&["package-lock.json"]),
        because: "the lock names packages and hashes, not hosts (see .npmrc beside it)",
    },
    Ban {
        words: &["index-url", "[registries", "replace-with"],
        applies: |file| file.is(&[".toml", ".npmrc", "requirements.txt"]),
        because: "packages come from the registry that the machine is set up with",
    },
    Ban {
        words: &["unsafe {", "unsafe impl", "unsafe fn", "allow(unsafe_code"],
        applies: |file| file.is(&[".rs"]) && !UNSAFE_PLACES.contains(&file.path.as_str()),
        because: "unsafe code has named places (xtask/src/structure/words.rs)",
    },
    Ban {
        words: &["std::fs", "std::net", "std::thread", "std::time", "SystemTime", "Instant::", "rand::"],
        applies: |file| file.path.starts_with("crates/core/src/"),
        because: "core is a function: no clock, no input and output, no threads, no randomness",
    },
    Ban {
        words: &["f64", "f32"],
        applies: |file| {
            file.path.starts_with("crates/core/src/") || file.path.starts_with("crates/journal/src/")
        },
        because: "money and odds are integers; floats stop at the server's edge",
    },
];

/// Files that may hold unsafe code, each for a reason that it says itself.
const UNSAFE_PLACES: [&str; 2] = ["crates/bench/src/bin/bench.rs", "crates/core/tests/allocations.rs"];

/// The one file that has to spell the words out.
const THIS_FILE: &str = "xtask/src/structure/words.rs";

/// What is where it must not be.
pub(super) fn problems(tracked: &[Tracked]) -> Vec<String> {
    tracked.iter().filter(|file| file.path != THIS_FILE).flat_map(problems_of).collect()
}

fn problems_of(file: &Tracked) -> Vec<String> {
    let bans: Vec<&Ban> = BANS.iter().filter(|ban| (ban.applies)(file)).collect();
    let mut problems = Vec::new();
    for (number, line) in (1..).zip(file.text.lines()) {
        for ban in &bans {
            if let Some(word) = ban.words.iter().find(|word| holds(line, word)) {
                problems.push(format!("{}:{number}: `{word}`: {}", file.path, ban.because));
            }
        }
    }
    problems
}

/// Whether a line holds a word that does not merely end or begin a longer one.
fn holds(line: &str, word: &str) -> bool {
    let part_of_name = |c: char| c.is_alphanumeric() || c == '_';
    line.match_indices(word).any(|(at, _)| {
        let before = line[..at].chars().next_back();
        let after = line[at + word.len()..].chars().next();
        let joined_before =
            word.starts_with(|c: char| part_of_name(c) || c == '/') && before.is_some_and(part_of_name);
        let joined_after = word.ends_with(part_of_name) && after.is_some_and(part_of_name);
        !joined_before && !joined_after
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_found_where_they_must_not_be() {
        for (path, text, found) in [
            ("crates/core/src/book.rs", "let price = 2.5f64;", 0),
            ("crates/core/src/book.rs", "let price: f64 = 2.5;", 1),
            ("crates/server/src/price.rs", "let price: f64 = 2.5;", 0),
            ("crates/betex/src/ring.rs", "unsafe { read() }", 1),
            ("crates/betex/src/ring.rs", "// FIXME\nuse std::thread;", 1),
            ("README.md", "cd /home/me/betex", 1),
            ("README.md", "see docs/home/page and FIXME", 0),
            ("tests/clients/typescript/package-lock.json", "  \"resolved\": \"somewhere\"", 1),
        ] {
            let file = Tracked { path: path.to_owned(), text: text.to_owned() };
            assert_eq!(problems_of(&file).len(), found, "{path}: {text}");
        }
    }
}
