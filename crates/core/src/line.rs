//! Handicap and total lines: outcomes named `<Team>_<line>`, as in `Home_-0.5`, `Away_+1.0`, `Over_2.5`.
//!
//! A line counts in quarters. Half and whole lines have a book of their own; a quarter line is two orders,
//! half on each of its neighbours.

use std::fmt::{self, Write as _};

/// Highest line either way, in quarters: 999.75.
const QUARTERS_MAX: u32 = 3_999;

/// An outcome that is a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Line<'a> {
    /// Who: a team, or `Over` or `Under`.
    pub team: &'a str,
    /// The line in quarters: -2 is -0.5. Of a total always more than 0.
    pub quarters: i32,
}

/// A name that looks like a line and is not written as one.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub struct LineError {
    /// The name.
    pub name: String,
    /// What is wrong with it.
    pub problem: LineProblem,
}

/// What is wrong with a line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LineProblem {
    /// Not written as lines are. With the nearest that is, if there is one.
    Spelling(Option<String>),
    /// A quarter line has no book of its own; these are its neighbours.
    Quarter(String, String),
    /// The market has lines, and this is none.
    NotALine,
    /// Lines are of two teams, and this is of a third.
    ThirdTeam,
    /// Several lines can win at once, so they are no group of shares of which one pays.
    NotExclusive,
}

impl fmt::Display for LineError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = &self.name;
        match &self.problem {
            LineProblem::Spelling(Some(nearest)) => write!(f, "{name:?} is not a line; {nearest:?} is")?,
            LineProblem::Spelling(None) => write!(f, "{name:?} is not a line")?,
            LineProblem::Quarter(near, far) => write!(
                f,
                "{name:?} is a quarter line and has no book of its own: list {near:?} and {far:?}, and orders \
                 for {name:?} are split between them"
            )?,
            LineProblem::NotALine => write!(f, "{name:?} is not a line, and the others are")?,
            LineProblem::ThirdTeam => write!(f, "{name:?} is of a third team; lines are of two")?,
            LineProblem::NotExclusive => write!(
                f,
                "{name:?} is a line, and lines do not exclude each other: in a binary market they are independent \
                 outcomes, or the two sides of one half line",
            )?,
        }
        f.write_str(
            ". Handicaps are Team_+0.5, Team_-1.0, Team_0.0, in steps of 0.25 with a sign and without needless \
             zeros; totals Over_2.5 and Under_2.5, without a sign",
        )
    }
}

impl<'a> Line<'a> {
    /// The line that a name stands for; `None` for a name that looks like none, `Err` for one that looks
    /// like a line and is written wrongly.
    pub fn parse(name: &'a str) -> Result<Option<Self>, LineError> {
        let Some((team, line)) = name.rsplit_once('_').filter(|(team, line)| looks_like_a_line(team, line))
        else {
            return Ok(None);
        };
        let parsed = Self { team, quarters: quarters(line, is_total(team)).unwrap_or_default() };
        if parsed.is_written(name) && (parsed.quarters > 0 || !is_total(team)) {
            return Ok(Some(parsed));
        }
        let nearest = nearest(team, line).map(|line| line.to_string());
        Err(LineError { name: name.to_owned(), problem: LineProblem::Spelling(nearest) })
    }

    /// Whether this is how it is written.
    fn is_written(self, name: &str) -> bool {
        let mut rest = Rest(name);
        write!(rest, "{self}").is_ok() && rest.0.is_empty()
    }

    /// Whether it lies between two lines that have books.
    pub const fn is_quarter(self) -> bool {
        self.quarters % 2 != 0
    }

    /// The neighbours of a quarter line: the one nearer to zero, then the other.
    pub const fn halves(self) -> (Self, Self) {
        let away = self.quarters.signum();
        (Self { quarters: self.quarters - away, ..self }, Self { quarters: self.quarters + away, ..self })
    }

    /// Whether it cannot end in a draw: one side wins.
    pub const fn is_half(self) -> bool {
        self.quarters % 4 == 2 || self.quarters % 4 == -2
    }

    /// Whether these two are the two sides of one line.
    pub fn is_opposite(self, other: Self) -> bool {
        let sides = if is_total(self.team) { self.quarters } else { -self.quarters };
        self.team != other.team && is_total(self.team) == is_total(other.team) && sides == other.quarters
    }

    /// Whether it is over or under a number of goals, not a handicap.
    pub fn is_total(self) -> bool {
        is_total(self.team)
    }
}

impl fmt::Display for Line<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = match self.quarters {
            _ if is_total(self.team) => "",
            1.. => "+",
            0 => "",
            _ => "-",
        };
        let quarters = self.quarters.unsigned_abs();
        let fraction = ["0", "25", "5", "75"][quarters as usize % 4];
        write!(f, "{}_{sign}{}.{fraction}", self.team, quarters / 4)
    }
}

/// What of a text has not been written yet.
struct Rest<'a>(&'a str);

impl fmt::Write for Rest<'_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.0 = self.0.strip_prefix(text).ok_or(fmt::Error)?;
        Ok(())
    }
}

fn is_total(team: &str) -> bool {
    team == "Over" || team == "Under"
}

/// A number with a sign or a decimal point; a total is one without. `Runner_7` is just a name.
fn looks_like_a_line(team: &str, line: &str) -> bool {
    let number = line.strip_prefix(['+', '-']);
    let marked = number.is_some() || line.contains('.') || is_total(team);
    let number = number.unwrap_or(line);
    let digits = number.bytes().any(|byte| byte.is_ascii_digit());
    !team.is_empty() && marked && digits && number.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.')
}

/// The line in quarters, if it is one at all, however it is written.
fn quarters(line: &str, total: bool) -> Option<i32> {
    let number = line.trim_start_matches(['+', '-']);
    let (whole, fraction) = number.split_once('.').unwrap_or((number, "0"));
    let quarter = match fraction {
        "0" => 0,
        "25" => 1,
        "5" => 2,
        "75" => 3,
        _ => return None,
    };
    let quarters = whole.parse::<u32>().ok()?.checked_mul(4)?.checked_add(quarter)?;
    let quarters = i32::try_from(quarters).ok().filter(|_| quarters <= QUARTERS_MAX)?;
    Some(if line.starts_with('-') && !total { -quarters } else { quarters })
}

/// The line that somebody who wrote this may have meant.
fn nearest<'a>(team: &'a str, line: &str) -> Option<Line<'a>> {
    let number = line.trim_start_matches(['+', '-']);
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    let whole: u32 = if whole.is_empty() { 0 } else { whole.parse().ok()? };
    // Two decimals are enough to find the quarter.
    let hundredths = format!("{fraction:0<2}").get(..2)?.parse::<u32>().ok()?;
    let quarters = whole.checked_mul(4)?.checked_add((hundredths + 12) / 25)?;
    let quarters = i32::try_from(quarters).ok().filter(|_| quarters <= QUARTERS_MAX)?;
    match (is_total(team), line.starts_with('-')) {
        (true, _) => Some(Line { team, quarters: quarters.max(1) }),
        (false, true) => Some(Line { team, quarters: -quarters }),
        (false, false) => Some(Line { team, quarters }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_read_strictly() {
        for (name, quarters) in [
            ("Home_-0.5", -2),
            ("Away_+0.5", 2),
            ("Home_0.0", 0),
            ("Home_-0.25", -1),
            ("Home_-0.75", -3),
            ("Real_Madrid_+1.0", 4),
            ("Over_2.25", 9),
            ("Under_10.5", 42),
            ("Home_-999.75", -3_999),
        ] {
            let line = Line::parse(name).expect("a line").expect("not just a name");
            assert_eq!((line.quarters, line.to_string().as_str()), (quarters, name));
        }
    }

    #[test]
    fn names_are_not_lines() {
        for name in
            ["Home", "Runner_7", "Home_", "Home_-", "-0.5", "_+1", "A_b", "Over", "Over_the_top", "A_.", "_"]
        {
            assert_eq!(Line::parse(name), Ok(None), "{name}");
        }
    }

    #[test]
    fn a_wrong_line_is_told_the_nearest_right_one() {
        for (name, nearest) in [
            ("Home_0.5", Some("Home_+0.5")),
            ("Home_-1", Some("Home_-1.0")),
            ("Home_-.5", Some("Home_-0.5")),
            ("Home_-0.50", Some("Home_-0.5")),
            ("Home_-00.5", Some("Home_-0.5")),
            ("Home_+0.0", Some("Home_0.0")),
            ("Home_-0.0", Some("Home_0.0")),
            ("Home_-0.3", Some("Home_-0.25")),
            ("Home_-0.9", Some("Home_-1.0")),
            ("Home_1.", Some("Home_+1.0")),
            ("Over_2", Some("Over_2.0")),
            ("Over_+2.5", Some("Over_2.5")),
            ("Over_-2.5", Some("Over_2.5")),
            ("Over_0.0", Some("Over_0.25")),
            ("Home_-1000.0", None),
            ("Home_1.2.3", None),
            ("Home_+99999999999.5", None),
        ] {
            let problem = LineProblem::Spelling(nearest.map(str::to_owned));
            assert_eq!(Line::parse(name), Err(LineError { name: name.to_owned(), problem }), "{name}");
        }
    }

    #[test]
    fn a_quarter_line_has_a_nearer_half_and_a_further_one() {
        for (name, near, far) in [
            ("Home_-0.25", "Home_0.0", "Home_-0.5"),
            ("Home_-0.75", "Home_-0.5", "Home_-1.0"),
            ("Home_+0.25", "Home_0.0", "Home_+0.5"),
            ("Over_2.25", "Over_2.0", "Over_2.5"),
            ("Over_2.75", "Over_2.5", "Over_3.0"),
        ] {
            let line = Line::parse(name).expect("a line").expect("not just a name");
            let halves = line.halves();
            assert!(line.is_quarter());
            assert_eq!((halves.0.to_string().as_str(), halves.1.to_string().as_str()), (near, far));
        }
    }

    #[test]
    fn the_two_sides_of_a_line_are_opposite() {
        let opposite = |a, b| {
            let line = |name| Line::parse(name).expect("a line").expect("not just a name");
            assert_eq!(line(a).is_opposite(line(b)), line(b).is_opposite(line(a)));
            line(a).is_opposite(line(b))
        };
        assert!(opposite("Home_-0.5", "Away_+0.5") && opposite("Home_0.0", "Away_0.0"));
        assert!(opposite("Over_2.5", "Under_2.5"));
        assert!(!opposite("Home_-0.5", "Away_-0.5") && !opposite("Home_-0.5", "Home_+0.5"));
        assert!(!opposite("Over_2.5", "Under_3.5") && !opposite("Over_2.5", "Away_+2.5"));
    }
}
