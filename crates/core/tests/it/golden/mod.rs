//! Scenarios that an independent model worked out, played by the core and by its twin.

mod core;
mod twin;

use std::io::Write;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use self::core::Core;
use self::twin::Twin;

#[derive(Deserialize)]
struct Scenario {
    name: String,
    model: String,
    #[serde(alias = "runners")]
    outcomes: u64,
    /// Binary ones say nothing: they have sets where there can be some.
    #[serde(default = "yes")]
    synthetic: bool,
    /// Binary ones say nothing: they are in whole shares.
    #[serde(default = "one")]
    stake_increment: i64,
    /// Of binary ones.
    max_price_ticks: Option<u32>,
    steps: Vec<Step>,
    book_after: Vec<Levels>,
    /// Of scenarios at odds that have sets.
    virtual_after: Option<Vec<VirtualLevels>>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Step {
    Submit {
        submit: Submit,
        expect: Expected,
    },
    Cancel {
        cancel: String,
        /// What may remain.
        #[serde(default)]
        keep: i64,
        expect: Released,
    },
}

#[derive(Deserialize)]
struct Submit {
    #[serde(rename = "ref")]
    name: String,
    account: String,
    #[serde(alias = "runner")]
    outcome: u16,
    side: BackOrLay,
    #[serde(alias = "odds_x10000", alias = "price_ticks")]
    price: Option<u32>,
    #[serde(alias = "shares")]
    stake: i64,
    #[serde(rename = "type")]
    kind: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
enum BackOrLay {
    #[serde(alias = "BUY")]
    Back,
    #[serde(alias = "SELL")]
    Lay,
}

#[derive(Debug, PartialEq, Deserialize)]
struct Expected {
    status: String,
    remaining: i64,
    cancelled: i64,
    /// What rests exactly, where that is not whole pennies.
    #[serde(default)]
    left: i64,
    /// What the taker left when it was filled.
    #[serde(default)]
    dust: i64,
    #[serde(default)]
    reason: String,
    trades: Vec<Trade>,
}

#[derive(Debug, PartialEq, Deserialize)]
struct Trade {
    kind: String,
    taker: Leg,
    makers: Vec<Leg>,
}

#[derive(Clone, Debug, PartialEq, Deserialize)]
struct Leg {
    order: String,
    #[serde(alias = "runner")]
    outcome: u16,
    side: BackOrLay,
    #[serde(alias = "odds_x10000", alias = "price_ticks")]
    price: u32,
    /// Exact.
    #[serde(alias = "shares")]
    stake: i64,
    /// By how much the order's whole pennies fell. The file says how many pennies, and leaves it out where it
    /// is the stake.
    #[serde(default)]
    quantity: i64,
    /// What a maker left when it was filled.
    #[serde(default)]
    dust: i64,
    /// In quanta. Binary scenarios leave it out: a share pays a currency unit.
    #[serde(default)]
    payout: i64,
}

#[derive(Deserialize)]
struct Released {
    released: i64,
}

#[derive(Debug, PartialEq, Deserialize)]
struct Levels {
    #[serde(alias = "runner")]
    outcome: u16,
    side: BackOrLay,
    /// Price, total, orders.
    levels: Vec<(u32, i64, u32)>,
}

#[derive(Debug, PartialEq, Deserialize)]
struct VirtualLevels {
    outcome: u16,
    side: BackOrLay,
    /// Price, total.
    levels: Vec<(u32, i64)>,
}

fn yes() -> bool {
    true
}

fn one() -> i64 {
    1
}

/// Where the vectors are: in `tests/golden`, or others of their kind in `BETEX_VECTORS`.
fn vectors() -> PathBuf {
    if let Some(folder) = std::env::var_os("BETEX_VECTORS") {
        return folder.into();
    }
    let package = std::env::var_os("CARGO_MANIFEST_DIR").unwrap_or_else(|| env!("CARGO_MANIFEST_DIR").into());
    Path::new(&package).join("tests").join("golden")
}

/// What both players of a scenario can do.
trait Player {
    fn submit(&mut self, order: &Submit) -> Expected;
    fn cancel(&mut self, name: &str, keep: i64) -> i64;
    fn levels(&self, outcome: u16, side: BackOrLay) -> Vec<(u32, i64, u32)>;
    /// The first so many.
    fn virtual_levels(&self, outcome: u16, side: BackOrLay, depth: usize) -> Vec<(u32, i64)>;
}

fn rejected(order: &Submit, reason: &str) -> Expected {
    let (status, reason) = ("REJECTED".into(), reason.into());
    Expected { status, remaining: 0, cancelled: order.stake, left: 0, dust: 0, reason, trades: vec![] }
}

fn play(scenario: &Scenario, player: &mut dyn Player) {
    for (place, step) in scenario.steps.iter().enumerate() {
        let at = format!("{}, step {place}", scenario.name);
        match step {
            Step::Submit { submit, expect } => assert_eq!(player.submit(submit), *expect, "{at}"),
            Step::Cancel { cancel, keep, expect } => {
                assert_eq!(player.cancel(cancel, *keep), expect.released, "{at}");
            }
        }
    }
    play_levels(scenario, player);
    if let Some(expected) = &scenario.virtual_after {
        assert_eq!(virtual_levels(scenario, player), *expected, "{}", scenario.name);
    }
}

fn play_levels(scenario: &Scenario, player: &dyn Player) {
    let mut book = Vec::new();
    for outcome in (0..).take_while(|outcome| u64::from(*outcome) < scenario.outcomes) {
        for side in [BackOrLay::Back, BackOrLay::Lay] {
            let levels = player.levels(outcome, side);
            if !levels.is_empty() {
                book.push(Levels { outcome, side, levels });
            }
        }
    }
    assert_eq!(book, scenario.book_after, "{}", scenario.name);
}

/// The first three of every outcome; of two outcomes if there are more than eight.
fn virtual_levels(scenario: &Scenario, player: &dyn Player) -> Vec<VirtualLevels> {
    let outcomes = if scenario.outcomes > 8 { 2 } else { scenario.outcomes };
    let mut all = Vec::new();
    for outcome in (0..).take_while(|outcome| u64::from(*outcome) < outcomes) {
        for side in [BackOrLay::Back, BackOrLay::Lay] {
            let levels = player.virtual_levels(outcome, side, 3);
            if !levels.is_empty() {
                all.push(VirtualLevels { outcome, side, levels });
            }
        }
    }
    all
}

/// Whoever runs the tests is to see how many there were: past the capture of the test harness.
fn say(text: &str) {
    writeln!(std::io::stderr(), "golden scenarios: {text}").expect("stderr takes it");
}

/// The scenarios of a file.
fn load(name: &str) -> Vec<Scenario> {
    let file = vectors().join(name);
    let json = std::fs::read_to_string(&file).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
    let mut scenarios: Vec<Scenario> =
        serde_json::from_str(&json).expect("the vectors are as their README says");
    assert!(!scenarios.is_empty(), "{} has no scenario", file.display());
    for scenario in &mut scenarios {
        assert_eq!(scenario.max_price_ticks.is_some(), scenario.model == "BinaryYes", "{}", scenario.name);
        if scenario.max_price_ticks.is_some() {
            scenario.pay_shares();
        }
        let at_odds = scenario.max_price_ticks.is_none();
        assert_eq!(scenario.virtual_after.is_some(), at_odds && scenario.synthetic, "{}", scenario.name);
        scenario.fill_in_quantities();
    }
    scenarios
}

impl Scenario {
    /// A winning share pays a currency unit.
    fn pay_shares(&mut self) {
        self.trades().flat_map(Trade::legs).for_each(|leg| leg.payout = leg.stake * 10_000);
    }

    /// Only sets at odds take what is not whole pennies, and say how many pennies that is.
    fn fill_in_quantities(&mut self) {
        let in_shares = self.max_price_ticks.is_some();
        for trade in self.trades() {
            let is_exact = !in_shares && trade.kind == "SYNTHETIC";
            trade.legs().for_each(|leg| leg.quantity = if is_exact { leg.quantity * 100 } else { leg.stake });
        }
    }

    fn trades(&mut self) -> impl Iterator<Item = &mut Trade> {
        let expected = self.steps.iter_mut().filter_map(|step| match step {
            Step::Submit { expect, .. } => Some(expect),
            Step::Cancel { .. } => None,
        });
        expected.flat_map(|expect| &mut expect.trades)
    }
}

impl Trade {
    fn legs(&mut self) -> impl Iterator<Item = &mut Leg> {
        std::iter::once(&mut self.taker).chain(&mut self.makers)
    }
}

/// Plays every scenario of both files with a player of its own.
fn play_all<P: Player>(who: &str, player: impl Fn(&Scenario) -> P) {
    for file in ["exchange_odds.json", "binary_yes.json"] {
        let scenarios = load(file);
        for scenario in &scenarios {
            play(scenario, &mut player(scenario));
        }
        let steps: usize = scenarios.iter().map(|scenario| scenario.steps.len()).sum();
        say(&format!("{} of {file} played by the {who} ({steps} steps)", scenarios.len()));
    }
}

#[test]
fn golden_scenarios_played_by_the_core() {
    play_all("core", Core::new);
}

#[test]
fn golden_scenarios_played_by_the_twin() {
    play_all("twin", Twin::new);
}
