//! Market snapshots for bots: a market by value, whole, of one sequence number.
//!
//! ```
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let directory = tempfile::tempdir()?;
//! use betex::prelude::*;
//! use betex::snapshot::MarketSnapshot;
//!
//! let engine = EngineBuilder::new(Config::default(), directory.path())?.build()?;
//! let market = NewMarket { state: BookMarketState::Open, ..NewMarket::new("final", ["Home", "Away"]) };
//! engine.call(Command::new(MarketId::NONE, CommandKind::CreateMarket(Box::new(market))))?.result?;
//! // Backers of Away at 1.50 are an implied price of 3.00 for backers of Home.
//! let back = NewOrder::limit(RunnerId(2), Side::Yes, Price(15_000), Quantity(1_000_000));
//! let market = MarketId(1);
//! let placed = engine.call(Command::new(market, CommandKind::SubmitOrder(back)))?;
//! placed.result?;
//!
//! let snapshot = engine.market_snapshot(market, 10).ok_or("no such market")?;
//! assert_eq!(snapshot.book().sequence, placed.sequence);
//! let MarketSnapshot::Exchange(snapshot) = snapshot else { return Err("not at odds".into()) };
//! let home = &snapshot.book.runners[0].prices;
//! assert!(home.available_to_back.is_empty());
//! assert_eq!(home.virtual_to_back[0].price, Price(30_000));
//! assert_eq!(home.virtual_to_back[0].quantity, Quantity(500_000));
//! # Ok(())
//! # }
//! ```
//!
//! From a snapshot on, whoever follows the events with higher sequence numbers has the market at every moment.

pub use betex_core::snapshot::{
    BinaryMarketSnapshot, ExchangeMarketSnapshot, MarketBookSnapshot, MarketSnapshot, RunnerRefSnapshot,
    RunnerSnapshot, SnapshotPriceSelection, SnapshotPriceSelections,
};
