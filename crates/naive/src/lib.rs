//! The obvious twin of the book: the rules of matching as they are told, at odds and in ticks, directly
//! and by complete sets. A market is a list of all the orders it ever took, in the order of their
//! arrival, and whatever is asked is found by looking through all of them. It is slow, and it shares
//! nothing with the engine, so that the two can only agree if both follow the rules.
//!
//! Odds are x 10 000 (`25_000` is 2.50), other prices are ticks; stakes are in quanta (`10_000` is 1.00) or
//! shares. Times are nanoseconds, but for an order's expiry in milliseconds.

mod life;
mod market;
mod order;
mod sets;
mod submit;
mod terms;
#[cfg(test)]
mod tests;
mod ticks;
mod walk;

pub use life::{Filter, Taken};
pub use market::Market;
pub use order::{Answer, Leg, Order, Part, Reason, Report, Status, Trade};
pub use terms::{
    Hold, Ladder, Lasting, MarketState, NewOrder, Phase, Price, Refusal, SelfTrade, Side, Transition,
};

/// Most resting orders that one order may trade with; every maker of a set is one.
pub const FILLS_MAX: usize = 4_096;
/// Most orders of its own account that one order may pass over or cancel.
pub const OWN_ORDERS_SKIPPED_MAX: usize = 4_096;
/// Most makers that sets may pass over for one order.
pub const PASSED_OVER_MAX: usize = 4_096;
/// Most payouts that are looked at for one order.
pub const PAYOUTS_MAX: usize = 65_536;
/// The largest stake of one order.
pub const STAKE_MAX: i64 = 100_000_000_000_000;
