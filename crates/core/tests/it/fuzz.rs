//! Names of lines, mutated: never a panic, and a line is written in one way only.

use betex_core::line::{Line, LineProblem};
use betex_fuzz::{Corpus, run};

const NAMES: [&str; 16] = [
    "Home_-0.5",
    "Away_+0.5",
    "Home_0.0",
    "Home_-0.25",
    "Away_+1.75",
    "Real_Madrid_+1.0",
    "Over_2.5",
    "Under_10.25",
    "Home_-999.75",
    "Over_999.75",
    "Runner_7",
    "Étoile",
    "Over_2",
    "Home_-.5",
    "_+1.0",
    "",
];
const WORDS: [&str; 18] = [
    "_",
    "+",
    "-",
    ".",
    "0",
    "5",
    ".25",
    ".75",
    ".0",
    "Over_",
    "Under_",
    "Home",
    "999",
    "1000",
    "4294967296",
    "00",
    "é",
    "\0",
];

#[test]
fn lines() {
    let corpus = Corpus::new(NAMES.map(|name| name.as_bytes().to_vec())).with_words(WORDS);
    run("lines", 50_000, |dice| {
        let input = corpus.input(dice);
        let name = String::from_utf8_lossy(&input);
        match Line::parse(&name) {
            Ok(None) => false,
            Ok(Some(line)) => {
                assert_eq!(line.to_string(), name, "a line is written in one way");
                assert!(line.quarters != 0 || !line.is_total(), "{name}");
                if line.is_quarter() {
                    let (near, far) = line.halves();
                    assert!(near.quarters.abs() + 1 == line.quarters.abs(), "{name}: {near}");
                    assert!(far.quarters.abs() - 1 == line.quarters.abs(), "{name}: {far}");
                    assert!(!near.is_quarter() && !far.is_quarter(), "{name}");
                }
                true
            }
            Err(error) => {
                assert_eq!(error.name, name);
                assert!(!error.to_string().is_empty());
                if let LineProblem::Spelling(Some(nearest)) = error.problem {
                    let parsed = Line::parse(&nearest);
                    assert!(matches!(parsed, Ok(Some(_))), "{name}: {nearest} is offered, and is {parsed:?}");
                }
                false
            }
        }
    });
}
