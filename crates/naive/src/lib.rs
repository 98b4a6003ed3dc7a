//! The obvious twin of the book: the rules of matching as they are told, at odds and in ticks, directly
//! and by complete sets. A market is a list of all the orders it ever took, in the order of their
//! arrival, and whatever is asked is found by looking through all of them. It is slow, and it shares
//! nothing with the engine, so that the two can only agree if both follow the rules.
//!
//! Odds are x 10 000 (`25_000` is 2.50), other prices are ticks; stakes are in quanta (`10_000` is 1.00) or
//! shares. A penny is 100 quanta. Orders are of whole pennies, but what a set at odds takes of them is exact
//! to the quantum. Times are nanoseconds, but for an order's expiry in milliseconds.

mod life;
mod market;
mod order;
mod sets;
mod submit;
mod terms;
#[cfg(test)]
mod tests;
mod ticks;
mod virtual_levels;
mod walk;

pub use life::{Filter, Taken};
pub use market::Market;
pub use order::{Answer, Leg, Order, Part, Reason, Report, Status, Trade};
pub use terms::{
    Hold, Ladder, Lasting, MarketState, NewOrder, Phase, Price, Refusal, SelfTrade, Side, Transition,
};
pub use virtual_levels::VirtualLevel;

/// Most resting orders that one order may trade with; every maker of a set is one.
pub const FILLS_MAX: usize = 4_096;
/// Most orders of its own account that one order may pass over or cancel.
pub const OWN_ORDERS_SKIPPED_MAX: usize = 4_096;
/// Most work on sets for one order: each look for one counts the other outcomes of the group.
pub const WORK_MAX: usize = 131_072;
/// Most work on sets for the virtual levels of one side of an outcome.
pub const VIRTUAL_WORK_MAX: usize = 16_384;
/// The largest stake of one order.
pub const STAKE_MAX: i64 = 100_000_000_000_000;
