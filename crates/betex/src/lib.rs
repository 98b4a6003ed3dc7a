//! An event-sourced matching engine for betting exchanges and prediction markets.
//!
//! Commands come in, one writer decides, events go out through a ring, and nothing is acknowledged
//! before it is in the journal on disk. Replaying the journal is the state.
//!
//! ```
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let directory = tempfile::tempdir()?;
//! use betex::prelude::*;
//! use betex::engine::consumers::ResponseCallbackHandler;
//!
//! // Create engine with markets
//! let config = Config::default();
//! let engine = EngineBuilder::with_markets(
//!     config,
//!     [MarketConfig::TwoRunner {
//!         market_id: MarketId(1),
//!         name: "Match Odds".to_string(),
//!         runner_a: RunnerId(1),
//!         runner_b: RunnerId(2),
//!         market_kind: MarketKind::InPlayCapable,
//!         market_state: BookMarketState::Open,
//!         market_phase: MarketPhase::Pre,
//!     }],
//! #   directory.path(), /*
//!     "/tmp/wal",
//! #   */
//! )?
//! .register_handler(ResponseCallbackHandler::default(), HandlerRecovery::LiveOnly, None)
//! .build()?;
//!
//! // Submit orders
//! engine.submit(Command {
//!     correlation_id: Some(CorrelationId("11111111-1111-1111-1111-111111111111".into())),
//!     market_id: MarketId(1),
//!     kind: CommandKind::PlaceOrder {
//!         runner_id: RunnerId(1),
//!         account_id: AccountId::from(1),
//!         client_order_id: None,
//!         side: Side::Yes,
//!         odds: OddsX10000(20000), // 2.0
//!         stake: Money(10000), // $1.00
//!         persistence: Persistence::Persist,
//!         time_in_force: TimeInForce::Gtc,
//!     },
//! })?;
//! # Ok(())
//! # }
//! ```

pub mod book;
pub mod config;
pub mod cross_match;
pub mod disruptor;
pub mod engine;
pub mod error;
pub mod idempotency;
pub mod metrics;
pub mod prelude;
pub mod snapshot;
pub mod types;

pub use crate::engine::core::CommandLane;
pub use crate::engine::core::Engine;
pub use crate::engine::core::EngineBuilder;
pub use crate::engine::core::EngineEvent;
pub use crate::engine::core::HandlerRecovery;
pub use crate::engine::journal::JournalEvent;
pub use crate::engine::journal::JournalReader;
pub use crate::engine::state::MarketConfig;
pub use crate::snapshot::BinaryMarketSnapshot;
pub use crate::snapshot::ExchangeMarketSnapshot;
pub use crate::snapshot::MarketBookSnapshot;
pub use crate::snapshot::MarketSnapshot;
pub use crate::snapshot::RunnerRefSnapshot;
pub use crate::snapshot::RunnerSnapshot;
pub use crate::snapshot::SnapshotPriceSelection;
pub use crate::snapshot::SnapshotPriceSelections;
