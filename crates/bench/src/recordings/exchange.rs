//! What the replay needs of an exchange.

use std::future::Future;

use anyhow::Result;
use betex_core::types::{Price, Quantity, RunnerId, Side};

use super::ladders::RunnerIndex;
use super::orders::{Order, OrderNumber};

/// Who places the resting orders.
pub const MAKER: &str = "recorded-maker";
/// Who takes them: somebody else, since nobody is matched against himself.
pub const TAKER: &str = "recorded-taker";

/// An exchange that markets can be replayed on.
///
/// All futures of a replay are driven by one thread, many at once.
pub trait Exchange {
    /// What it calls one of its markets.
    type Market;

    /// Sets up an open market of this name on the classic ladder, its outcomes named by their ids.
    fn open_market(&self, name: &str, runners: &[RunnerId]) -> impl Future<Output = Result<Self::Market>>;

    /// Places an order that must rest whole; its id at the exchange.
    fn place(&self, market: &Self::Market, order: &Order) -> impl Future<Output = Result<u64>>;

    /// Places an order that must be filled whole.
    fn take(&self, market: &Self::Market, taker: &Order) -> impl Future<Output = Result<Taken>>;

    /// Cancels what an order has beyond `keep`.
    fn cancel(
        &self,
        market: &Self::Market,
        order_id: u64,
        keep: Quantity,
    ) -> impl Future<Output = Result<()>>;

    /// The book of a runner, by side ([`Side::index`]), best for the taker first.
    fn book(
        &self,
        market: &Self::Market,
        runner: RunnerIndex,
    ) -> impl Future<Output = Result<[Vec<BookLevel>; 2]>>;

    /// Closes the market: nothing rests in it any more.
    fn close_market(&self, market: &Self::Market) -> impl Future<Output = Result<()>>;

    /// Answers that were lost and asked for again.
    fn retries(&self) -> u64 {
        0
    }
}

/// What a taker is told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Taken {
    /// The ids of its makers and how much each gave, in the order they were met.
    Fills(Vec<(u64, Quantity)>),
    /// The answer was lost; the exchange says that all of it is filled.
    Before,
}

/// A price of the exchange's book.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BookLevel {
    /// The price.
    pub price: Price,
    /// What rests.
    pub quantity: Quantity,
    /// In how many orders.
    pub orders: usize,
}

/// The client's own name for an order: the same for every try.
pub(super) fn client_order_id(number: OrderNumber) -> String {
    format!("recorded-{}", number.0)
}

/// What a side is called.
pub(super) const fn side_name(side: Side) -> &'static str {
    match side {
        Side::Yes => "BACK",
        Side::No => "LAY",
    }
}
