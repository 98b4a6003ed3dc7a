//! Random steps in the life of a market.

use betex_core::command::{CommandKind, MassCancel, VoidedTrades};
use betex_core::types::{AccountId, BookMarketState, Hold, MarketPhase, RunnerId, TradeId};
use proptest::prelude::*;

use super::market::Plan;
use super::order::account;

#[derive(Clone, Debug)]
pub(crate) enum Life {
    To(BookMarketState),
    Hold(Hold, bool),
    /// All holds that a command can lift are lifted, and the market is opened.
    Recover,
    Phase(MarketPhase),
    SuspendForInPlay,
    /// The next outcome is added.
    Add,
    Remove {
        outcome: u8,
        reduction: u16,
    },
    Mass {
        account: u64,
        outcome: Option<u8>,
        /// Milliseconds before now.
        from: Option<u64>,
        until: Option<u64>,
    },
    VoidOne(u64),
    /// Milliseconds before now.
    VoidWindow(u64, u64),
}

pub(super) fn life() -> BoxedStrategy<Life> {
    use BookMarketState::{Closed, Open, Suspended};
    use MarketPhase::{Live, Pre, PreAwaitLive};
    let ago = || prop_oneof![3 => Just(None), 1 => (0..80_u64).prop_map(Some)];
    let listed = || prop_oneof![1 => Just(None), 1 => any::<u8>().prop_map(Some)];
    prop_oneof![
        5 => Just(Life::To(Suspended)),
        8 => Just(Life::To(Open)),
        1 => Just(Life::To(Closed)),
        8 => (prop::sample::select(Hold::ALL.to_vec()), any::<bool>())
            .prop_map(|(hold, on)| Life::Hold(hold, on)),
        70 => Just(Life::Recover),
        12 => prop_oneof![2 => Just(Pre), 4 => Just(PreAwaitLive), 1 => Just(Live)].prop_map(Life::Phase),
        6 => Just(Life::Add),
        4 => (any::<u8>(), prop_oneof![9 => 0..10_001_u16, 1 => Just(10_001)])
            .prop_map(|(outcome, reduction)| Life::Remove { outcome, reduction }),
        16 => (account(), listed(), ago(), ago())
            .prop_map(|(account, outcome, from, until)| Life::Mass { account, outcome, from, until }),
        3 => (0..300_u64).prop_map(Life::VoidOne),
        3 => (0..80_u64, 0..80_u64).prop_map(|(from, until)| Life::VoidWindow(from, until)),
    ]
    .boxed()
}

/// What takes out more orders than one transaction may, where so many are.
pub(super) fn clearing() -> BoxedStrategy<Life> {
    let all = Life::Mass { account: 0, outcome: None, from: None, until: None };
    prop_oneof![
        3 => Just(all),
        2 => any::<u8>().prop_map(|outcome| Life::Remove { outcome, reduction: 500 }),
        3 => Just(Life::Phase(MarketPhase::Live)),
        2 => Just(Life::SuspendForInPlay),
        1 => Just(Life::To(BookMarketState::Closed)),
    ]
    .boxed()
}

impl Life {
    /// The commands that it stands for, in a market that has had so many outcomes.
    pub(super) fn commands(&self, plan: &Plan, outcomes: usize, now_ms: u64) -> Vec<CommandKind> {
        let reason = Some("because".into());
        let ago = |ms: u64| now_ms.saturating_sub(ms) * 1_000_000;
        // One more than there are, so that once in a while it is none of them.
        let runner = |outcome: u8| RunnerId((usize::from(outcome) % (outcomes + 1)) as u64 + 1);
        let kind = match *self {
            Self::To(BookMarketState::Suspended) => CommandKind::SuspendMarket { reason },
            Self::To(BookMarketState::Closed) => CommandKind::CloseMarket { reason },
            Self::To(BookMarketState::Created | BookMarketState::Open) => CommandKind::OpenMarket { reason },
            Self::Hold(hold, true) => CommandKind::HoldMarket { hold, reason },
            Self::Hold(hold, false) => CommandKind::LiftHold { hold, reason },
            Self::Recover => {
                let lift = [Hold::Halted, Hold::Deactivated].map(|hold| Self::Hold(hold, false));
                let all = lift.into_iter().chain([Self::To(BookMarketState::Open)]);
                return all.flat_map(|step| step.commands(plan, outcomes, now_ms)).collect();
            }
            Self::SuspendForInPlay => {
                let all = [Self::Phase(MarketPhase::PreAwaitLive), Self::To(BookMarketState::Suspended)];
                return all.iter().flat_map(|step| step.commands(plan, outcomes, now_ms)).collect();
            }
            Self::Phase(phase) => CommandKind::SetPhase { phase, reason },
            // There is no end to outcomes, but to the names of lines there is.
            Self::Add if outcomes == plan.outcomes + 8 => return Vec::new(),
            Self::Add => CommandKind::AddRunners { runners: vec![plan.runner(outcomes)] },
            Self::Remove { outcome, reduction } => {
                CommandKind::RemoveRunner { runner_id: runner(outcome), reduction, reason }
            }
            Self::Mass { account, outcome, from, until } => CommandKind::CancelOrders(MassCancel {
                account_id: AccountId(account),
                runner_id: outcome.map_or(RunnerId::NONE, runner),
                from_ns: from.map_or(0, ago),
                until_ns: until.map_or(0, ago),
            }),
            Self::VoidOne(trade) => {
                CommandKind::VoidTrades { trades: VoidedTrades::One(TradeId(trade)), reason }
            }
            Self::VoidWindow(from, until) => {
                let trades = VoidedTrades::Window { from_ns: ago(from), until_ns: ago(until) };
                CommandKind::VoidTrades { trades, reason }
            }
        };
        vec![kind]
    }
}
