//! Times in requests. A time in the wrong unit is a valid number and means another time, so each time must lie
//! where clients can mean it.

use tonic::Status;

use super::fault::invalid;

/// The unit of a time field, since the Unix epoch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unit {
    /// Fields that end in `_ns`. Valid until the year 2200.
    Nanoseconds,
    /// Fields that end in `_ms`. Valid until the year 10000: clients write "never" as a day of the year 9999.
    Milliseconds,
}

/// 2000-01-01, in seconds since the Unix epoch.
const YEAR_2000_S: u64 = 946_684_800;
/// 2200-01-01.
const YEAR_2200_S: u64 = 7_258_118_400;
/// 10000-01-01.
const YEAR_10000_S: u64 = 253_402_300_800;

/// The units that clients mix up, with the number of them in a second.
const UNITS: [(&str, u64); 4] =
    [("seconds", 1), ("milliseconds", 1_000), ("microseconds", 1_000_000), ("nanoseconds", 1_000_000_000)];

impl Unit {
    const fn name(self) -> &'static str {
        match self {
            Self::Nanoseconds => "nanoseconds",
            Self::Milliseconds => "milliseconds",
        }
    }

    const fn per_second(self) -> u64 {
        match self {
            Self::Nanoseconds => 1_000_000_000,
            Self::Milliseconds => 1_000,
        }
    }

    /// The first valid time, the first that is too late, and the year that this one begins.
    const fn range(self) -> (u64, u64, u32) {
        let (end_s, year) = match self {
            Self::Nanoseconds => (YEAR_2200_S, 2_200),
            Self::Milliseconds => (YEAR_10000_S, 10_000),
        };
        (YEAR_2000_S * self.per_second(), end_s * self.per_second(), year)
    }
}

/// The time in a field; 0 means that none is given.
///
/// # Errors
/// `INVALID_ARGUMENT` for a time before the year 2000, or so late that the client counts in another unit. The
/// message names the unit, the valid range, and the value that was probably meant.
pub(crate) fn time(field: &str, value: u64, unit: Unit) -> Result<u64, Status> {
    let (first, end, year) = unit.range();
    if value == 0 || (first..end).contains(&value) {
        return Ok(value);
    }
    let (name, side) = (
        unit.name(),
        if value < first {
            "before the year 2000".to_owned()
        } else {
            format!("after the year {}", year - 1)
        },
    );
    let meant = meant(value, unit).map_or_else(String::new, |(other, meant)| {
        format!("; it looks like {other}, which are {meant} {name}")
    });
    Err(invalid(
        field,
        format!(
            "{value} is {side}: the field counts {name} since the Unix epoch, and valid is {first} to {}{meant}",
            end - 1
        ),
    ))
}

/// The unit in which the value is a time of this age, and the same time in the field's own unit.
fn meant(value: u64, unit: Unit) -> Option<(&'static str, u64)> {
    // Between the year 2000 and the year 2200 the ranges of the four units do not overlap.
    let (name, per_second) = UNITS
        .into_iter()
        .find(|(_, per_second)| (YEAR_2000_S..YEAR_2200_S).contains(&(value / per_second)))?;
    let meant = u128::from(value) * u128::from(unit.per_second()) / u128::from(per_second);
    Some((name, u64::try_from(meant).ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use Unit::{Milliseconds, Nanoseconds};

    fn words(value: u64, unit: Unit) -> String {
        time("at", value, unit).expect_err("not a time").message().to_owned()
    }

    #[test]
    fn a_time_that_clients_can_mean_is_taken() {
        for (value, unit) in [
            (0, Nanoseconds),
            (0, Milliseconds),
            (946_684_800_000_000_000, Nanoseconds),
            (1_764_547_200_000_000_000, Nanoseconds),
            (7_258_118_399_999_999_999, Nanoseconds),
            (946_684_800_000, Milliseconds),
            (1_764_547_200_000, Milliseconds),
            (253_402_300_799_999, Milliseconds),
        ] {
            assert_eq!(time("at", value, unit).expect("a time"), value);
        }
    }

    #[test]
    fn a_time_in_another_unit_is_refused_with_the_value_that_was_meant() {
        let now_s = 1_764_547_200;
        for (value, unit, says) in [
            (now_s, Nanoseconds, "it looks like seconds, which are 1764547200000000000 nanoseconds"),
            (
                now_s * 1_000,
                Nanoseconds,
                "it looks like milliseconds, which are 1764547200000000000 nanoseconds",
            ),
            (
                now_s * 1_000_000,
                Nanoseconds,
                "it looks like microseconds, which are 1764547200000000000 nanoseconds",
            ),
            (now_s, Milliseconds, "it looks like seconds, which are 1764547200000 milliseconds"),
            (
                now_s * 1_000_000,
                Milliseconds,
                "it looks like microseconds, which are 1764547200000 milliseconds",
            ),
            (
                now_s * 1_000_000_000,
                Milliseconds,
                "it looks like nanoseconds, which are 1764547200000 milliseconds",
            ),
        ] {
            let words = words(value, unit);
            assert!(words.starts_with("INVALID_AT: at: ") && words.ends_with(says), "{words}");
        }
        assert_eq!(
            words(1, Nanoseconds),
            "INVALID_AT: at: 1 is before the year 2000: the field counts nanoseconds since the Unix epoch, and valid is \
             946684800000000000 to 7258118399999999999"
        );
        for (value, unit) in [
            (946_684_799_999_999_999, Nanoseconds),
            (7_258_118_400_000_000_000, Nanoseconds),
            (u64::MAX, Nanoseconds),
            (946_684_799_999, Milliseconds),
            (253_402_300_800_000, Milliseconds),
            (u64::MAX, Milliseconds),
        ] {
            assert!(words(value, unit).contains("valid is"), "{value}");
        }
    }
}
