//! Times as people write them, and as the journal counts them.

use betex_journal::utc;

/// UTC, to the nanosecond: `2026-10-03T12:30:00.000001000Z`.
pub(crate) fn exact(time_ns: u64) -> String {
    let mut text = utc(time_ns);
    text.pop();
    format!("{text}.{:09}Z", time_ns % 1_000_000_000)
}

/// Nanoseconds since the Unix epoch: given as that number, or as a time in UTC, with or without a fraction.
pub(crate) fn parse(text: &str) -> Result<u64, String> {
    if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()) {
        return text.parse().map_err(|_| "more nanoseconds than there are".to_owned());
    }
    calendar(text).ok_or_else(|| {
        "a time is 2026-10-03, 2026-10-03T12:30:00Z or 2026-10-03T12:30:00.25Z, in UTC, or nanoseconds since the \
         Unix epoch"
            .to_owned()
    })
}

fn calendar(text: &str) -> Option<u64> {
    let (date, time) = match text.split_once('T') {
        Some((date, time)) => (date, time.strip_suffix('Z')?),
        None => (text, "00:00:00"),
    };
    let (whole, fraction) = time.split_once('.').unwrap_or((time, "0"));
    let [year, month, day] = numbers(date, '-', [4, 2, 2])?;
    let [hour, minute, second] = numbers(whole, ':', [2, 2, 2])?;
    if fraction.is_empty() || fraction.len() > 9 || !fraction.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let nanoseconds: u64 = format!("{fraction:0<9}").parse().ok()?;
    // Years that begin in March: the leap day is then the last one.
    let (from_march, year) = if month > 2 { (month - 3, year) } else { (month + 9, year.checked_sub(1)?) };
    let days = 365 * year + year / 4 - year / 100 + year / 400 + (153 * from_march + 2) / 5 + day;
    let seconds = days.checked_sub(719_469)? * 86_400 + hour * 3_600 + minute * 60 + second;
    let time_ns = seconds.checked_mul(1_000_000_000)?.checked_add(nanoseconds)?;
    // A thirty-first of June is written back as something else.
    utc(time_ns).starts_with(&format!("{date}T{whole}")).then_some(time_ns)
}

/// Three numbers of so many digits.
fn numbers(text: &str, between: char, digits: [usize; 3]) -> Option<[u64; 3]> {
    let mut parts = text.split(between);
    let mut numbers = [0; 3];
    for (number, digits) in numbers.iter_mut().zip(digits) {
        let part = parts.next().filter(|part| part.len() == digits)?;
        *number = part.bytes().all(|byte| byte.is_ascii_digit()).then(|| part.parse().ok())??;
    }
    parts.next().is_none().then_some(numbers)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_as_they_are_written() {
        for (text, time_ns) in [
            ("1970-01-01", 0),
            ("0", 0),
            ("2026-10-03T12:30:00Z", 1_791_030_600_000_000_000),
            ("2026-10-03T12:30:00.000001Z", 1_791_030_600_000_001_000),
            ("2000-02-29T00:00:00Z", 951_782_400_000_000_000),
            ("2100-03-01", 4_107_542_400_000_000_000),
            ("1791030600000000007", 1_791_030_600_000_000_007),
        ] {
            assert_eq!(parse(text), Ok(time_ns), "{text}");
            assert_eq!(parse(&exact(time_ns)), Ok(time_ns), "{text}");
        }
        for text in [
            "",
            "noon",
            "2026-02-29",
            "2026-10-03T12:30:00",
            "2026-10-03T24:00:00Z",
            "2026-10-03T12:30:60Z",
            "2026-13-01",
            "2026-00-01",
            "2026-1-1",
            "+026-01-01",
            "1969-12-31",
            "2026-10-03T12:30:00.Z",
            "2026-10-03T12:30:00.0000000001Z",
            "9999-01-01",
            "99999999999999999999",
        ] {
            assert!(parse(text).is_err(), "{text}");
        }
    }
}
