//! How scenarios are written down.

use serde::Deserialize;

#[derive(Deserialize)]
pub(super) struct Scenario {
    pub(super) name: String,
    pub(super) model: String,
    #[serde(alias = "runners")]
    pub(super) outcomes: usize,
    pub(super) synthetic: Option<bool>,
    #[serde(default)]
    pub(super) max_price_ticks: u32,
    pub(super) steps: Vec<Step>,
    pub(super) book_after: Vec<Levels<(u32, u64, i32)>>,
    /// The first levels of the first outcomes; not given for every scenario.
    pub(super) virtual_after: Option<Vec<Levels<(u32, u64)>>>,
}

#[derive(Deserialize)]
#[serde(untagged)]
pub(super) enum Step {
    Submit {
        submit: Submit,
        expect: Expected,
    },
    Cancel {
        cancel: String,
        #[serde(default)]
        keep: u64,
        expect: Released,
    },
}

#[derive(Deserialize)]
pub(super) struct Submit {
    #[serde(rename = "ref")]
    pub(super) name: String,
    pub(super) account: String,
    #[serde(alias = "runner")]
    pub(super) outcome: usize,
    pub(super) side: String,
    #[serde(alias = "odds_x10000", alias = "price_ticks")]
    pub(super) price: Option<u32>,
    #[serde(alias = "shares")]
    pub(super) stake: u64,
    #[serde(rename = "type")]
    pub(super) kind: String,
}

#[derive(Debug, PartialEq, Deserialize)]
pub(super) struct Expected {
    pub(super) status: String,
    pub(super) remaining: u64,
    pub(super) cancelled: u64,
    /// What rests exactly, where that is not whole pennies.
    pub(super) left: Option<u64>,
    /// What was left of it when it was FILLED.
    #[serde(default)]
    pub(super) dust: u64,
    #[serde(default)]
    pub(super) reason: String,
    pub(super) trades: Vec<Trade>,
}

#[derive(Debug, PartialEq, Deserialize)]
pub(super) struct Trade {
    pub(super) kind: String,
    pub(super) taker: Leg,
    pub(super) makers: Vec<Leg>,
}

#[derive(Debug, PartialEq, Deserialize)]
pub(super) struct Leg {
    pub(super) order: String,
    #[serde(alias = "runner")]
    pub(super) outcome: usize,
    pub(super) side: String,
    #[serde(alias = "odds_x10000", alias = "price_ticks")]
    pub(super) price: u32,
    /// Exact.
    #[serde(alias = "shares")]
    pub(super) stake: u64,
    pub(super) payout: Option<u64>,
    /// On the wire; only of sets at odds.
    pub(super) quantity: Option<u64>,
    /// What this leg left of a maker that it filled.
    #[serde(default)]
    pub(super) dust: u64,
}

#[derive(Deserialize)]
pub(super) struct Released {
    pub(super) released: u64,
}

/// Levels of one side, each with its price, its total and perhaps its number of orders.
#[derive(Debug, PartialEq, Deserialize)]
pub(super) struct Levels<L> {
    #[serde(alias = "runner")]
    pub(super) outcome: usize,
    pub(super) side: String,
    pub(super) levels: Vec<L>,
}
