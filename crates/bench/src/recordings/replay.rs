//! The replay of one recording: line by line, and after every line the ladders must be equal.

use std::path::Path;

use anyhow::{Context, Result, bail, ensure};
use betex_core::types::{Quantity, Side};
use futures::future::{try_join, try_join_all};

use super::changes;
use super::exchange::{BookLevel, Exchange, Taken};
use super::ladders::{MarketLadders, RunnerIndex};
use super::line::{self, Line};
use super::orders::{Action, OrderNumber, Orders, RunnerActions};
use super::summary::{Counts, Progress};

/// Lines after which the other files, and whoever shows the progress, get their turn, even if the
/// exchange never makes us wait.
const YIELD_EVERY: usize = 256;

/// A recording in memory.
#[derive(Debug)]
pub struct Recording {
    /// Its file's name.
    pub name: String,
    lines: Vec<Line>,
    ladders: MarketLadders,
}

impl Recording {
    /// Reads a file.
    ///
    /// # Errors
    /// If it cannot be read, is not a recording, or its first line does not define the market.
    pub fn read(path: &Path) -> Result<Self> {
        let text = std::fs::read_to_string(path).with_context(|| path.display().to_string())?;
        let name = path.file_name().unwrap_or(path.as_os_str()).to_string_lossy().into_owned();
        Self::parse(&name, &text)
    }

    /// Reads the text of one.
    ///
    /// # Errors
    /// As [`Recording::read`].
    pub fn parse(name: &str, text: &str) -> Result<Self> {
        let parsed = (1..)
            .zip(text.lines())
            .map(|(number, text)| line::parse(text).with_context(|| format!("{name}, line {number}")));
        let lines = parsed.collect::<Result<Vec<_>>>()?;
        let first = lines.first().with_context(|| format!("{name} is empty"))?;
        ensure!(!first.defined.is_empty(), "{name}: the first line does not define the market");
        let other = lines.iter().find(|line| line.market != first.market);
        ensure!(other.is_none(), "{name} is of more than one market");
        Ok(Self { name: name.to_owned(), ladders: MarketLadders::new(&first.defined), lines })
    }

    /// How many lines it has.
    pub fn len(&self) -> usize {
        self.lines.len()
    }

    /// Whether it has none.
    pub fn is_empty(&self) -> bool {
        self.lines.is_empty()
    }
}

/// Replays a recording in a market of this name. At the end the ladders must be empty, and the market
/// is closed.
///
/// Every `all_every` lines, and at the end, all runners are compared, otherwise those that the line touched.
///
/// # Errors
/// If the exchange refuses something or its ladder is not the recorded one.
pub async fn replay<E: Exchange>(
    exchange: &E,
    recording: Recording,
    market_name: &str,
    all_every: usize,
    progress: &Progress,
) -> Result<()> {
    let Recording { name, lines, ladders } = recording;
    let market = exchange.open_market(market_name, ladders.runners()).await.context(name.clone())?;
    let mut replay = Replay { exchange, market, ladders, orders: Orders::default(), ids: Vec::new() };
    for (number, line) in (1..).zip(&lines) {
        let all = number % all_every == 0 || number == lines.len();
        let counts = replay.line(line, all).await.with_context(|| format!("{name}, line {number}"))?;
        progress.add(counts);
        if number % YIELD_EVERY == 0 {
            tokio::task::yield_now().await;
        }
    }
    ensure!(replay.ladders.are_empty(), "{name} does not end with empty ladders");
    exchange.close_market(&replay.market).await.context(name)
}

struct Replay<'e, E: Exchange> {
    exchange: &'e E,
    market: E::Market,
    ladders: MarketLadders,
    orders: Orders,
    /// What the exchange calls our orders, by [`OrderNumber`].
    ids: Vec<u64>,
}

/// What came of an action: the id of a new order, the fills of a taker.
enum Done {
    Placed(OrderNumber, u64),
    Taken(u64),
    Cancelled,
}

impl<E: Exchange> Replay<'_, E> {
    async fn line(&mut self, line: &Line, all: bool) -> Result<Counts> {
        let after = self.ladders.after(line)?;
        let mut runners = Vec::with_capacity(after.len());
        let mut touched: Vec<RunnerIndex> = after.keys().copied().collect();
        for (runner, new) in after {
            runners.push(self.orders.act(runner, &changes::between(self.ladders.of(runner), &new))?);
            self.ladders.set(runner, new);
        }
        self.ids.resize(self.orders.count(), 0);

        let mut counts = Counts { lines: 1, ..Counts::default() };
        for done in
            try_join_all(runners.iter().map(|actions| self.runner(actions))).await?.into_iter().flatten()
        {
            match done {
                Done::Placed(OrderNumber(number), id) => {
                    self.ids[number] = id;
                    counts.placed += 1;
                }
                Done::Taken(fills) => {
                    counts.taken += 1;
                    counts.fills += fills;
                }
                Done::Cancelled => counts.cancelled += 1,
            }
        }

        if all {
            touched = (0..self.ladders.runners().len()).collect();
        }
        let levels = try_join_all(touched.iter().map(|runner| self.compare(*runner))).await?;
        counts.checks = levels.len() as u64;
        counts.levels = levels.iter().sum();
        Ok(counts)
    }

    /// All actions of a runner: both sides' decreases, then the increases.
    async fn runner(&self, actions: &RunnerActions) -> Result<Vec<Done>> {
        let [yes, no] = &actions.decreases;
        let (mut done, more) = try_join(self.waves(yes), self.waves(no)).await?;
        done.extend(more);
        done.extend(self.wave(&actions.increases).await?);
        Ok(done)
    }

    async fn waves(&self, waves: &[Vec<Action>]) -> Result<Vec<Done>> {
        let mut done = Vec::new();
        for wave in waves {
            done.extend(self.wave(wave).await?);
        }
        Ok(done)
    }

    async fn wave(&self, wave: &[Action]) -> Result<Vec<Done>> {
        match wave {
            [] => Ok(Vec::new()),
            [one] => Ok(vec![self.act(one).await?]),
            many => try_join_all(many.iter().map(|action| self.act(action))).await,
        }
    }

    async fn act(&self, action: &Action) -> Result<Done> {
        match action {
            Action::Place(order) => {
                let id = self.exchange.place(&self.market, order).await;
                Ok(Done::Placed(order.number, id.with_context(|| format!("{order:?}"))?))
            }
            Action::Take { taker, makers } => {
                let taken = self.exchange.take(&self.market, taker).await;
                let expected = makers.iter().map(|(maker, quantity)| (self.ids[maker.0], *quantity));
                match taken.with_context(|| format!("{taker:?}"))? {
                    Taken::Fills(fills) => {
                        let expected: Vec<(u64, Quantity)> = expected.collect();
                        ensure!(fills == expected, "{taker:?} met {fills:?}, expected {expected:?}");
                    }
                    // The book is compared anyway.
                    Taken::Before => {}
                }
                Ok(Done::Taken(makers.len() as u64))
            }
            Action::Cancel { order, keep } => {
                let id = self.ids[order.0];
                let done = self.exchange.cancel(&self.market, id, *keep).await;
                done.with_context(|| format!("cancellation of order {id} down to {keep}"))?;
                Ok(Done::Cancelled)
            }
        }
    }

    /// Compares the exchange's book of a runner with the recorded ladders; how many levels there are.
    async fn compare(&self, runner: RunnerIndex) -> Result<u64> {
        let id = self.ladders.runners()[runner];
        let books = self.exchange.book(&self.market, runner).await.with_context(|| format!("runner {id}"))?;
        let mut levels = 0;
        for side in [Side::Yes, Side::No] {
            let recorded = self.ladders.of(runner).best_first(side).into_iter();
            let recorded: Vec<BookLevel> = recorded
                .map(|(price, quantity)| BookLevel {
                    price,
                    quantity,
                    orders: self.orders.at(runner, side, price),
                })
                .collect();
            let found = &books[side.index()];
            if *found != recorded {
                bail!("runner {id}, {side:?}: {}", difference(found, &recorded));
            }
            levels += recorded.len() as u64;
        }
        Ok(levels)
    }
}

/// The first level that is not as recorded.
fn difference(found: &[BookLevel], recorded: &[BookLevel]) -> String {
    let same = found.iter().zip(recorded).take_while(|(found, recorded)| found == recorded).count();
    let level = |levels: &[BookLevel]| match levels.get(same) {
        None => "no level".to_owned(),
        Some(BookLevel { price, quantity, orders }) => {
            format!("{quantity} at {} in {orders} orders", price.odds())
        }
    };
    format!("as level {} the exchange has {}, recorded is {}", same + 1, level(found), level(recorded))
}
