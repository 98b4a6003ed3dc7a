//! The command line with what the environment says. The table of options is the one of [`Args`], so that a new
//! option is known here too.

use std::ffi::{OsStr, OsString};

use clap::error::ErrorKind;
use clap::{Command, CommandFactory as _, FromArgMatches as _};

use crate::options::Args;

/// What the variables of the server begin with.
const PREFIX: &str = "BETEX_";
/// Variables of the project's own tests, which may be set where a test starts the server.
const OF_TESTS: [&str; 4] = ["BETEX_SERVER", "BETEX_VECTORS", "BETEX_FUZZ_", "BETEX_TEST_"];
/// From this likeness on, of 1, a name is taken for a misspelling of another.
const ALIKE: f64 = 0.6;

/// A variable that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum EnvironmentError {
    /// The server has no such option.
    #[error("{name}: the server has no such option; {valid}")]
    Unknown {
        /// The variable, escaped.
        name: String,
        /// What would be valid.
        valid: String,
    },
    /// Its value cannot be one.
    #[error("{name}: {problem}")]
    Value {
        /// The variable.
        name: String,
        /// What is wrong, and what would be valid.
        problem: String,
    },
}

impl Args {
    /// The arguments of this process. A variable that is empty counts as absent. Where the arguments make no sense,
    /// or ask for help, the process ends as clap ends it.
    ///
    /// # Errors
    /// A variable `BETEX_…` that is no option, or a value that cannot be one.
    pub fn of_process() -> Result<Self, EnvironmentError> {
        let command = Self::command().mut_args(|argument| {
            let is_empty = |name| std::env::var_os(name).is_some_and(|value| value.is_empty());
            if argument.get_env().is_some_and(is_empty) { argument.env(None::<&str>) } else { argument }
        });
        let parsed = command.try_get_matches();
        // Help and the version are for people who look for the right name.
        if let Err(said) = &parsed
            && matches!(said.kind(), ErrorKind::DisplayHelp | ErrorKind::DisplayVersion)
        {
            said.exit();
        }
        check(std::env::vars_os())?;
        let matches = parsed.unwrap_or_else(|error| error.exit());
        Ok(Self::from_arg_matches(&matches).unwrap_or_else(|error| error.exit()))
    }
}

/// Refuses the first variable, by name, that is misspelt or has a value that cannot be meant.
fn check(variables: impl Iterator<Item = (OsString, OsString)>) -> Result<(), EnvironmentError> {
    let command = Args::command();
    let names: Vec<&str> = names(&command).collect();
    let mut variables: Vec<_> = variables
        .filter(|(name, _)| {
            let start = name.as_encoded_bytes().get(..PREFIX.len());
            start.is_some_and(|start| start.eq_ignore_ascii_case(PREFIX.as_bytes()))
        })
        .collect();
    variables.sort();
    for (name, value) in variables {
        let name = name.to_string_lossy();
        if OF_TESTS.iter().any(|own| name.starts_with(own)) {
            continue;
        }
        if !names.contains(&&*name) {
            let valid = nearest(&name, &names);
            return Err(EnvironmentError::Unknown { name: name.escape_debug().to_string(), valid });
        }
        if let Some(problem) = problem_of(&value) {
            return Err(EnvironmentError::Value { name: name.into_owned(), problem });
        }
    }
    Ok(())
}

/// The variables that are options.
fn names(command: &Command) -> impl Iterator<Item = &str> {
    command.get_arguments().filter_map(|argument| argument.get_env().and_then(OsStr::to_str))
}

/// The name that was probably meant, in words; all of them where none is near.
fn nearest(name: &str, names: &[&str]) -> String {
    let part =
        |name: &str| name.to_ascii_uppercase().get(PREFIX.len()..).unwrap_or_default().replace('-', "_");
    let given = part(name);
    let likeness = |known: &str| {
        let known = part(known);
        let (whole, contained) = (strsim::normalized_damerau_levenshtein(&given, &known), !given.is_empty());
        // `PORT` and `DATA_DIRECTORY` are near, however much is missing or added.
        let contained = contained && (known.contains(&given) || given.contains(&known));
        whole.max(if contained { ALIKE } else { 0.0 })
    };
    let near = names.iter().map(|known| (likeness(known), *known)).max_by(|a, b| a.0.total_cmp(&b.0));
    match near {
        Some((likeness, known)) if likeness >= ALIKE => format!("the nearest is {known}"),
        _ => format!("valid are {}", names.join(", ")),
    }
}

/// Why this is no value of any option, whichever.
fn problem_of(value: &OsStr) -> Option<String> {
    let text = value.to_string_lossy();
    if text.contains(char::is_control) {
        return Some(format!("{text:?} has a control character; a value without one is valid"));
    }
    let trimmed = text.trim();
    (trimmed != text).then(|| match trimmed {
        "" => format!("{text:?} is only blanks; a value, or an empty one for none, is valid"),
        trimmed => format!("{text:?} begins or ends with a blank; {trimmed:?} would be valid"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(name: &str, value: &str) -> String {
        check([(name.into(), value.into())].into_iter())
            .err()
            .map(|error| error.to_string())
            .unwrap_or_default()
    }

    #[test]
    fn a_misspelt_variable_names_the_nearest() {
        for (name, meant) in [
            ("BETEX_DATADIR", "BETEX_DATA_DIR"),
            ("BETEX_DATA_DIRECTORY", "BETEX_DATA_DIR"),
            ("BETEX_GPRC_PORT", "BETEX_GRPC_PORT"),
            ("BETEX_HTTPPORT", "BETEX_HTTP_PORT"),
            ("BETEX_SEGMENT_SIZE", "BETEX_SEGMENT_BYTES"),
            ("BETEX_DURABLE", "BETEX_DURABILITY"),
            ("BETEX_RETENTION_SECONDS", "BETEX_RETENTION_S"),
            ("betex_grpc_port", "BETEX_GRPC_PORT"),
            ("BETEX_DATA-DIR", "BETEX_DATA_DIR"),
        ] {
            let expected = format!("the server has no such option; the nearest is {meant}");
            assert!(said(name, "x").contains(&expected), "{name}: {}", said(name, "x"));
        }
        for name in ["BETEX_", "BETEX_FROBNICATE", "BETEX_\u{1b}[2J"] {
            let said = said(name, "");
            assert!(said.contains("valid are BETEX_GRPC_PORT, BETEX_HTTP_PORT, BETEX_DATA_DIR"), "{said}");
            assert!(!said.contains(char::is_control), "{said:?}");
        }
    }

    #[test]
    fn values_that_cannot_be_meant_are_refused() {
        for (value, words) in [
            (" 3000", "begins or ends with a blank; \"3000\" would be valid"),
            ("data ", "begins or ends with a blank; \"data\" would be valid"),
            ("  ", "only blanks"),
            ("da\nta", "has a control character"),
            ("da\u{7f}ta", "has a control character"),
        ] {
            let said = said("BETEX_DATA_DIR", value);
            assert!(said.starts_with("BETEX_DATA_DIR: ") && said.contains(words), "{said}");
            assert!(!said.contains(char::is_control), "{said:?}");
        }
    }

    #[test]
    fn what_is_an_option_or_of_somebody_else_is_none_of_its_business() {
        let command = Args::command();
        for name in names(&command).chain(["BETEX_SERVER", "BETEX_FUZZ_SECONDS", "BETTER", "PATH"]) {
            assert_eq!(said(name, ""), "");
        }
        assert!(names(&command).count() >= 13);
    }
}
