//! What happens to a market as a whole: its life, its event's time, its outcomes, and orders that leave
//! because of that, all in one go.

use crate::{Hold, Market, MarketState, Order, Phase, Refusal, Status, Transition};

/// Which orders a mass cancel takes out. What is left at its default does not restrict it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Filter {
    /// Only this account's; 0: of any.
    pub account: u64,
    /// Only what the book of this outcome shows: of a pair the orders on both.
    pub outcome: Option<usize>,
    /// Only those that came at or after this time.
    pub from_ns: u64,
    /// Only those that came before this time; 0: whenever.
    pub until_ns: u64,
}

/// What was taken out of the market: the orders, or halves, by number, and how much of each.
pub type Taken = Vec<(u64, i64)>;

impl Market {
    /// Where it is in its life, holds included.
    pub fn state_now(&self) -> MarketState {
        match self.state {
            MarketState::Closed => MarketState::Closed,
            _ if !self.holds.is_empty() => MarketState::Suspended,
            other => other,
        }
    }

    /// `Created -> Open <-> Suspended -> Closed`, and closed from anywhere; never open under a hold.
    /// Closing cancels every resting order. A suspension while the market awaits going live is the one
    /// for in-play, so orders lapse.
    pub fn change_state(&mut self, to: MarketState) -> Result<Taken, Refusal> {
        use MarketState::{Closed, Created, Open, Suspended};
        let allowed = match to {
            Created => false,
            Open => self.state == Created || self.state == Suspended,
            Suspended => self.state == Open,
            Closed => self.state != Closed,
        };
        if to == Open && !self.holds.is_empty() && self.state != Closed {
            return Err(Refusal::Held);
        }
        if !allowed {
            return Err(Refusal::InvalidTransition);
        }
        self.state = to;
        Ok(match to {
            Closed => self.take_out_all(|_| true, Status::Cancelled),
            Suspended if self.phase == Phase::PreAwaitLive => self.lapse(),
            _ => Taken::new(),
        })
    }

    /// Sets or lifts a hold.
    pub fn change_hold(&mut self, hold: Hold, on: bool) -> Result<(), Refusal> {
        if self.state == MarketState::Closed {
            return Err(Refusal::MarketClosed);
        }
        if self.holds.contains(&hold) == on {
            return Err(Refusal::HoldUnchanged);
        }
        self.holds.retain(|held| *held != hold);
        if on {
            self.holds.push(hold);
        }
        Ok(())
    }

    /// Moves on in the event's time. Live is for good, and orders lapse as the transition says.
    pub fn change_phase(&mut self, to: Phase) -> Result<Taken, Refusal> {
        if self.state == MarketState::Closed {
            return Err(Refusal::MarketClosed);
        }
        if self.phase == Phase::Live || self.phase == to {
            return Err(Refusal::InvalidPhase);
        }
        if to != Phase::Pre && !self.in_play_capable {
            return Err(Refusal::NotPossible);
        }
        self.phase = to;
        Ok(if to == Phase::Live { self.lapse() } else { Taken::new() })
    }

    /// What is to lapse when the market turns in-play.
    fn lapse(&mut self) -> Taken {
        match self.transition {
            Transition::KeepAll => Taken::new(),
            Transition::CancelAll => self.take_out_all(|_| true, Status::Lapsed),
            Transition::RespectPersistence => self.take_out_all(|order| !order.persists, Status::Lapsed),
        }
    }

    /// Adds an outcome, to a group if a place is given (that of a new one is their number). None joins a
    /// group in which a set has traded, or a YES/NO market.
    pub fn add_outcome(&mut self, group: Option<usize>) -> Result<(), Refusal> {
        if self.state == MarketState::Closed {
            return Err(Refusal::MarketClosed);
        }
        if self.is_whole() || group.is_some_and(|group| self.set_traded.contains(&group)) {
            return Err(Refusal::NotPossible);
        }
        if let Some(group) = group {
            self.groups.resize(self.groups.len().max(group + 1), Vec::new());
            self.groups[group].push(self.outcomes);
        }
        self.outcomes += 1;
        Ok(())
    }

    /// Takes an outcome out: its orders are cancelled, and its group is what remains. A YES/NO market stays
    /// whole, and one outcome at least remains.
    pub fn remove_outcome(&mut self, outcome: usize) -> Result<Taken, Refusal> {
        if self.state == MarketState::Closed {
            return Err(Refusal::MarketClosed);
        }
        if outcome >= self.outcomes {
            return Err(Refusal::InvalidOutcome);
        }
        if !self.has(outcome) || self.is_whole() || self.removed.len() + 1 == self.outcomes {
            return Err(Refusal::NotPossible);
        }
        self.removed.push(outcome);
        for group in &mut self.groups {
            group.retain(|member| *member != outcome);
        }
        Ok(self.take_out_all(|order| order.outcome == outcome, Status::Cancelled))
    }

    /// Cancels every resting order that fits; an outcome may be one that was removed.
    pub fn cancel_all(&mut self, filter: Filter) -> Result<Taken, Refusal> {
        if self.state == MarketState::Closed {
            return Err(Refusal::MarketClosed);
        }
        if filter.outcome.is_some_and(|outcome| outcome >= self.outcomes) {
            return Err(Refusal::InvalidOutcome);
        }
        if filter.until_ns != 0 && filter.from_ns >= filter.until_ns {
            return Err(Refusal::InvalidField);
        }
        // The book of either outcome of a pair shows the orders of both.
        let either = self.is_pair();
        let fits = |order: &Order| {
            (filter.account == 0 || filter.account == order.account)
                && filter.outcome.is_none_or(|outcome| either || outcome == order.outcome)
                && filter.from_ns <= order.arrived_ns
                && (filter.until_ns == 0 || order.arrived_ns < filter.until_ns)
        };
        Ok(self.take_out_all(fits, Status::Cancelled))
    }

    /// Ends every order whose time has come; says which, first to expire first.
    pub fn expire(&mut self, now_ns: u64) -> Taken {
        let now_ms = now_ns / 1_000_000;
        let mut times: Vec<_> = self.orders.iter().filter_map(|order| order.expiry_ms).collect();
        times.retain(|expiry_ms| *expiry_ms <= now_ms);
        times.sort_unstable();
        times.dedup();
        let mut expired = Taken::new();
        for time in times {
            expired.extend(self.take_out_all(|order| order.expiry_ms == Some(time), Status::Expired));
        }
        expired
    }

    /// Takes out whatever rests and fits, in the order of arrival.
    fn take_out_all(&mut self, fits: impl Fn(&Order) -> bool, end: Status) -> Taken {
        let fitting = self.orders.iter().filter(|order| order.remaining > 0 && fits(order));
        let taken: Taken = fitting.map(|order| (order.number, order.remaining)).collect();
        for (number, remaining) in &taken {
            self.take_out(*number, *remaining, end);
        }
        taken
    }
}
