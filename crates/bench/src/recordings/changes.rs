//! From one ladder to the next: how much was taken, cancelled and placed.
//!
//! Recordings hold levels, not orders, so this is a choice, and this one:
//!
//! - A level that shrinks lost orders. If it is the best of its side and trading at its price grew, a
//!   taker came for half of that growth (`trd` counts both sides of a bet), or for the decrease if that
//!   is less; the rest was cancelled. Anywhere else all of it was cancelled.
//! - Half of an odd number of pennies is rounded down to a whole penny. The odd penny is then
//!   cancelled with the rest; on the ladder both look the same.
//! - Decreases come before increases, the best price first, so that a level is the best once those
//!   before it are gone. An increase is one new order for the difference. Nothing ever crosses, since
//!   no line leaves a crossed book.

use betex_core::types::{Money, Price, Quantity, Side};

use super::ladders::RunnerLadders;

/// What led from one ladder of a runner to the next.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Changes {
    /// By the side that rests ([`Side::index`]), best price first.
    pub decreases: [Vec<Decrease>; 2],
    /// By the side that rests, best price first.
    pub increases: [Vec<Increase>; 2],
}

/// A level that shrinks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Decrease {
    /// Where.
    pub price: Price,
    /// What a taker gets.
    pub taken: Quantity,
    /// What is cancelled.
    pub cancelled: Quantity,
}

/// A level that grows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Increase {
    /// Where.
    pub price: Price,
    /// What is placed.
    pub placed: Quantity,
}

/// What leads from the old ladders of a runner to the new ones.
pub fn between(old: &RunnerLadders, new: &RunnerLadders) -> Changes {
    let mut changes = Changes::default();
    for side in [Side::Yes, Side::No] {
        let (stood, stands) = (old.resting(side), new.resting(side));
        // All levels before this one are gone: it is the best.
        let mut best = true;
        for (price, before) in old.best_first(side) {
            let after = stands.get(&price).copied().unwrap_or_default();
            let decrease = before.0 - after.0;
            if decrease > 0 {
                let taken = if best { decrease.min(half_of_growth(old, new, price)) } else { 0 };
                let (taken, cancelled) = (Quantity(taken), Quantity(decrease - taken));
                changes.decreases[side.index()].push(Decrease { price, taken, cancelled });
            }
            best &= after.0 == 0;
        }
        for (price, after) in new.best_first(side) {
            let increase = after.0 - stood.get(&price).map_or(0, |before| before.0);
            if increase > 0 {
                changes.increases[side.index()].push(Increase { price, placed: Quantity(increase) });
            }
        }
    }
    changes
}

/// Half of what trading at a price grew by, in whole pennies. It may shrink (bets are voided): 0.
fn half_of_growth(old: &RunnerLadders, new: &RunnerLadders, price: Price) -> i64 {
    let traded = |ladders: &RunnerLadders| ladders.traded.get(&price).map_or(0, |traded| traded.0);
    let half = (traded(new) - traded(old)).max(0) / 2;
    half - half % Money::PENNY.0
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::recordings::ladders::MarketLadders;
    use crate::recordings::line::parse;
    use betex_core::types::RunnerId;

    /// Changes of the LAY side from one `atb`/`trd` to another, as `price taken cancelled placed`.
    fn check(first: &str, second: &str, expected: &[&str]) {
        let mut ladders = MarketLadders::new(&[RunnerId(7)]);
        let mut lines = Vec::new();
        for entry in [first, second] {
            let text = format!(r#"{{"op":"mcm","mc":[{{"id":"1","rc":[{{"id":7,{entry}}}]}}]}}"#);
            let new = ladders.after(&parse(&text).unwrap()).unwrap().remove(&0).unwrap();
            let changes = between(ladders.of(0), &new);
            lines = changes.decreases[Side::No.index()]
                .iter()
                .map(|d| format!("{} {} {} 0", d.price.odds(), d.taken.0 / 100, d.cancelled.0 / 100))
                .collect();
            let placed = &changes.increases[Side::No.index()];
            lines.extend(placed.iter().map(|i| format!("{} 0 0 {}", i.price.odds(), i.placed.0 / 100)));
            assert_eq!(changes.decreases[Side::Yes.index()], []);
            ladders.set(0, new);
        }
        assert_eq!(lines, expected);
    }

    #[test]
    fn half_of_the_growth_is_taken_at_the_best_price() {
        check(r#""atb":[[2,1],[3,1]]"#, r#""atb":[[3,0.4]],"trd":[[3,0.5]]"#, &["3.00 25 35 0"]);
        // Not more than what is gone.
        check(r#""atb":[[3,1]],"trd":[[3,8]]"#, r#""atb":[[3,0.9]],"trd":[[3,9]]"#, &["3.00 10 0 0"]);
        // An odd penny is cancelled.
        check(r#""atb":[[3,1]]"#, r#""atb":[[3,0.9]],"trd":[[3,0.07]]"#, &["3.00 3 7 0"]);
        // Voided bets are nobody's order.
        check(r#""atb":[[3,1]],"trd":[[3,8]]"#, r#""atb":[[3,0.9]],"trd":[[3,7]]"#, &["3.00 0 10 0"]);
    }

    #[test]
    fn behind_the_best_price_all_is_cancelled() {
        let before = r#""atb":[[2,1],[3,1]]"#;
        check(before, r#""atb":[[2,0.5]],"trd":[[2,0.4]]"#, &["2.00 0 50 0"]);
        // But once the best is gone the next one is the best.
        let second = r#""atb":[[3,0],[2,0.5]],"trd":[[2,0.4],[3,0.2]]"#;
        check(before, second, &["3.00 10 90 0", "2.00 20 30 0"]);
    }

    #[test]
    fn what_grows_is_placed_after_what_shrinks() {
        check(
            r#""atb":[[2,1],[3,1]]"#,
            r#""atb":[[2,3],[3,0],[4,5]]"#,
            &["3.00 0 100 0", "4.00 0 0 500", "2.00 0 0 200"],
        );
    }
}
