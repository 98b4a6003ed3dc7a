//! The embedded engine: the core behind its queues, with a journal that is synced.

use std::path::PathBuf;

use anyhow::{Context, Result, bail, ensure};
use betex::engine::OwnedResponse;
use betex::prelude::{Config, Engine, EngineBuilder};
use betex_core::command::{Command, CommandKind};
use betex_core::decide::Receipt;
use betex_core::types::{AccountId, MarketId, Quantity, RunnerId, TimeInForce};

use super::core_exchange::{self as words, CoreMarket};
use super::exchange::{BookLevel, Exchange, MAKER, TAKER, Taken};
use super::ladders::RunnerIndex;
use super::orders::Order;

/// An engine over a directory.
pub struct EngineExchange {
    engine: Engine,
    directory: PathBuf,
    maker: AccountId,
    taker: AccountId,
}

impl EngineExchange {
    /// Starts an engine over a directory.
    ///
    /// # Errors
    /// If it cannot start there.
    pub fn start(directory: impl Into<PathBuf>) -> Result<Self> {
        let directory = directory.into();
        let engine = start(&directory)?;
        let (maker, taker) = (account(&engine, MAKER)?, account(&engine, TAKER)?);
        Ok(Self { engine, directory, maker, taker })
    }

    /// Stops the engine and starts another one over the same directory, which must come to the same
    /// state; what it says of its recovery.
    ///
    /// # Errors
    /// If it cannot, or the state is another one.
    pub fn recover(self) -> Result<String> {
        let digest = self.engine.read().digest();
        self.engine.stop();
        drop(self.engine);
        let engine = start(&self.directory)?;
        ensure!(
            engine.read().digest() == digest,
            "the recovered state is another one: {}",
            engine.recovery()
        );
        Ok(engine.recovery().to_string())
    }

    async fn ask(&self, market: MarketId, kind: CommandKind) -> Result<(Receipt, OwnedResponse)> {
        let response = self.engine.request(Command::new(market, kind)).await?;
        Ok((response.result.clone()?, response))
    }
}

impl Exchange for EngineExchange {
    type Market = CoreMarket;

    async fn open_market(&self, name: &str, runners: &[RunnerId]) -> Result<CoreMarket> {
        let (receipt, _) = self.ask(MarketId::NONE, words::new_market(name, runners)).await?;
        words::created(receipt, runners)
    }

    async fn place(&self, market: &CoreMarket, order: &Order) -> Result<u64> {
        let kind = words::submission(market, self.maker, order, TimeInForce::Gtc)?;
        words::placed(self.ask(market.id, kind).await?.0, order)
    }

    async fn take(&self, market: &CoreMarket, taker: &Order) -> Result<Taken> {
        let kind = words::submission(market, self.taker, taker, TimeInForce::Ioc)?;
        let (receipt, response) = self.ask(market.id, kind).await?;
        words::taken(receipt, taker, &response.events)
    }

    async fn cancel(&self, market: &CoreMarket, order_id: u64, keep: Quantity) -> Result<()> {
        words::cancelled(self.ask(market.id, words::cancellation(order_id, keep)).await?.0, keep)
    }

    async fn book(&self, market: &CoreMarket, runner: RunnerIndex) -> Result<[Vec<BookLevel>; 2]> {
        words::book(&self.engine.read(), market, runner)
    }

    async fn close_market(&self, market: &CoreMarket) -> Result<()> {
        self.ask(market.id, CommandKind::CloseMarket { reason: None }).await?;
        Ok(())
    }
}

fn start(directory: &PathBuf) -> Result<Engine> {
    let builder = EngineBuilder::new(Config::default(), directory).context("the engine")?;
    builder.build().with_context(|| directory.display().to_string())
}

fn account(engine: &Engine, name: &str) -> Result<AccountId> {
    let kind = CommandKind::RegisterAccount { name: name.into() };
    match engine.call(Command::new(MarketId::NONE, kind))?.result? {
        Receipt::Account(account) => Ok(account),
        other => bail!("{other:?} for an account"),
    }
}
