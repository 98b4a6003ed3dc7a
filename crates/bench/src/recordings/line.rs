//! One line of a recording: what changed on the ladders of one market.

use anyhow::{Context, Result, ensure};
use betex_core::types::{Money, Price, Quantity, RunnerId};
use serde::Deserialize;
use serde_json::value::RawValue;

use super::decimal::ten_thousandths;

/// A line.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Line {
    /// The market's id in the recording.
    pub market: String,
    /// Whether it is an image: replaces all ladders, also those it does not name.
    pub image: bool,
    /// The runners of the market, where the line defines it.
    pub defined: Vec<RunnerId>,
    /// What changed, in the order of the line; a runner may be named more than once.
    pub changes: Vec<RunnerLine>,
}

/// What changed on a runner's ladders: prices and what now stands there, 0 for nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunnerLine {
    /// Which runner.
    pub runner: RunnerId,
    /// What a backer can take: resting LAYs (`atb`).
    pub available_to_back: Vec<(Price, Quantity)>,
    /// What a layer can take: resting BACKs (`atl`).
    pub available_to_lay: Vec<(Price, Quantity)>,
    /// What was traded, both sides of each bet counted (`trd`).
    pub traded: Vec<(Price, Quantity)>,
}

#[derive(Deserialize)]
struct WireLine<'a> {
    op: &'a str,
    #[serde(borrow)]
    mc: Vec<WireMarket<'a>>,
}

#[derive(Deserialize)]
struct WireMarket<'a> {
    id: &'a str,
    #[serde(default)]
    img: bool,
    #[serde(default, borrow)]
    rc: Vec<WireRunner<'a>>,
    #[serde(default, rename = "marketDefinition")]
    definition: Option<WireDefinition>,
}

#[derive(Deserialize)]
struct WireDefinition {
    runners: Vec<WireDefined>,
}

#[derive(Deserialize)]
struct WireDefined {
    id: u64,
}

#[derive(Deserialize)]
struct WireRunner<'a> {
    id: u64,
    #[serde(default, borrow)]
    atb: Vec<WireLevel<'a>>,
    #[serde(default, borrow)]
    atl: Vec<WireLevel<'a>>,
    #[serde(default, borrow)]
    trd: Vec<WireLevel<'a>>,
}

/// Price and size, kept as they are spelled.
#[derive(Deserialize)]
struct WireLevel<'a>(#[serde(borrow)] &'a RawValue, #[serde(borrow)] &'a RawValue);

/// Reads a line.
///
/// # Errors
/// If it is not a line of one market, or a price or size is not exact in our units.
pub fn parse(text: &str) -> Result<Line> {
    let line: WireLine<'_> = serde_json::from_str(text).context("not a line of a recording")?;
    ensure!(line.op == "mcm", "op {:?}, expected \"mcm\"", line.op);
    let [market] = &line.mc[..] else { anyhow::bail!("{} markets in a line, expected 1", line.mc.len()) };
    let definition = market.definition.iter().flat_map(|definition| &definition.runners);
    Ok(Line {
        market: market.id.to_owned(),
        image: market.img,
        defined: definition.map(|runner| RunnerId(runner.id)).collect(),
        changes: market.rc.iter().map(runner).collect::<Result<_>>()?,
    })
}

fn runner(wire: &WireRunner<'_>) -> Result<RunnerLine> {
    let levels = |levels: &[WireLevel<'_>]| levels.iter().map(level).collect::<Result<Vec<_>>>();
    Ok(RunnerLine {
        runner: RunnerId(wire.id),
        available_to_back: levels(&wire.atb)?,
        available_to_lay: levels(&wire.atl)?,
        traded: levels(&wire.trd)?,
    })
}

fn level(WireLevel(price, size): &WireLevel<'_>) -> Result<(Price, Quantity)> {
    let price = u32::try_from(ten_thousandths(price.get())?).with_context(|| price.get().to_owned())?;
    let quanta = ten_thousandths(size.get())?;
    ensure!(quanta % Money::PENNY.0 == 0, "{} is not a whole number of pennies", size.get());
    Ok((Price(price), Quantity(quanta)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_read_exactly() {
        let text = r#"{"op":"mcm","clk":null,"pt":1,"mc":[{"id":"1.5","img":true,"con":false,
            "marketDefinition":{"status":"OPEN","runners":[{"id":7,"sortPriority":1},{"id":9}]},
            "rc":[{"atb":[[1.01,228.55],[3.0,0]],"trd":[[12,0.07]],"ltp":12.5,"id":7,"spn":1.23456}]}]}"#;
        let line = parse(text).unwrap();
        assert_eq!((line.market.as_str(), line.image), ("1.5", true));
        assert_eq!(line.defined, [RunnerId(7), RunnerId(9)]);
        let [change] = &line.changes[..] else { panic!("{line:?}") };
        assert_eq!(
            change.available_to_back,
            [(Price(10_100), Quantity(2_285_500)), (Price(30_000), Quantity(0))]
        );
        assert_eq!(change.traded, [(Price(120_000), Quantity(700))]);
        assert!(change.available_to_lay.is_empty());
    }

    #[test]
    fn what_would_lose_a_penny_is_refused() {
        for (text, complaint) in [
            (
                r#"{"op":"mcm","mc":[{"id":"1","rc":[{"id":7,"atb":[[2,0.005]]}]}]}"#,
                "whole number of pennies",
            ),
            (r#"{"op":"mcm","mc":[{"id":"1","rc":[{"id":7,"atb":[[2,-1]]}]}]}"#, "plain decimal"),
            (r#"{"op":"ocm","mc":[]}"#, "expected \"mcm\""),
            (r#"{"op":"mcm","mc":[]}"#, "0 markets"),
            ("{", "not a line"),
        ] {
            let error = parse(text).unwrap_err();
            assert!(error.to_string().contains(complaint), "{error}");
        }
    }
}
