//! Cross-matching over the outcomes of a market: complete sets.
//!
//! A BACK on one outcome can be filled by resting BACKs on all the others, a LAY by resting LAYs on all the
//! others; in a binary market BUYs on all outcomes mint a set, SELLs redeem one. There is no engine of its
//! own for it: sets compete with direct orders at every step of the one matching sweep, for any number of
//! outcomes. The stakes of a set at odds are exact to the quantum (1/10 000 of a unit): settle by `stake` and
//! `payout`. This module gathers what is seen of sets; the rules are in `docs/matching.md`.
//!
//! - a market says with [`NewMarket::synthetic`](crate::types::NewMarket::synthetic) whether it matches sets;
//! - [`SetMatched`] is the taker's leg of a set, the [`TradeMatched`] after it with `leg > 0` are the makers';
//! - [`MarketView::virtual_levels`](crate::book::MarketView::virtual_levels) are the prices that sets would give.
//!
//! ```
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let directory = tempfile::tempdir()?;
//! use betex::cross_match::SetMatched;
//! use betex::prelude::*;
//!
//! let engine = EngineBuilder::new(Config::default(), directory.path())?.build()?;
//! let market = NewMarket { state: BookMarketState::Open, ..NewMarket::new("cup", ["Home", "Draw", "Away"]) };
//! engine.call(Command::new(MarketId::NONE, CommandKind::CreateMarket(Box::new(market))))?.result?;
//! let back = |runner, odds, stake| {
//!     let order = NewOrder::limit(RunnerId(runner), Side::Yes, Price(odds), Quantity(stake));
//!     engine.call(Command::new(MarketId(1), CommandKind::SubmitOrder(order)))
//! };
//! back(2, 40_000, 100_000)?.result?; // Draw at 4.00, 10.00
//! back(3, 40_000, 100_000)?.result?; // Away at 4.00, 10.00
//! let answer = back(1, 20_000, 200_000)?; // Home at 2.00, 20.00
//!
//! let set = answer.events.iter().find_map(|event| match event {
//!     Event::SetMatched(set) => Some(*set),
//!     _ => None,
//! });
//! let SetMatched { stake, payout, price, .. } = set.ok_or("no set")?;
//! assert_eq!((stake, payout, price), (Quantity(200_000), Money(400_000), Price(20_000)));
//! # Ok(())
//! # }
//! ```

pub use betex_core::event::{SetMatched, TradeMatched};
