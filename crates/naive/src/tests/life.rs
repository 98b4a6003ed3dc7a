//! What happens to a market as a whole.

use super::{back, filled, lay, market, met, on};
use crate::{Filter, Hold, Market, MarketState, NewOrder, Phase, Refusal, Status, Transition};

/// Orders 1 and 3 lapse, order 2 persists.
fn waiting(transition: Transition) -> Market {
    let persists = NewOrder { persists: true, ..back(1, 25_000, 200) };
    let book = [back(1, 25_000, 100), persists, on(1, lay(2, 20_000, 300))];
    filled(Market { transition, ..Market::new(3) }, &book)
}

#[test]
fn going_live_applies_the_transition_and_is_for_good() {
    for (transition, lapsed) in [
        (Transition::RespectPersistence, vec![(1, 100), (3, 300)]),
        (Transition::KeepAll, vec![]),
        (Transition::CancelAll, vec![(1, 100), (2, 200), (3, 300)]),
    ] {
        let mut market = waiting(transition);
        assert_eq!(market.change_phase(Phase::Live), Ok(lapsed.clone()));
        for number in 1..=3 {
            let gone = lapsed.iter().any(|(lapsed, _)| *lapsed == number);
            let status = if gone { Status::Lapsed } else { Status::Resting };
            assert_eq!(market.report(number).map(|report| report.status), Some(status));
        }
        for phase in [Phase::Pre, Phase::PreAwaitLive, Phase::Live] {
            assert_eq!(market.change_phase(phase), Err(Refusal::InvalidPhase));
        }
        assert_eq!(market.state_now(), MarketState::Open);
    }
}

#[test]
fn a_suspension_while_going_live_is_awaited_applies_it_too() {
    let mut market = waiting(Transition::RespectPersistence);
    assert_eq!(market.change_state(MarketState::Suspended), Ok(vec![]));
    assert_eq!(market.change_state(MarketState::Open), Ok(vec![]));
    assert_eq!(market.change_phase(Phase::Pre), Err(Refusal::InvalidPhase));
    assert_eq!(market.change_phase(Phase::PreAwaitLive), Ok(vec![]));
    assert_eq!(market.change_state(MarketState::Suspended), Ok(vec![(1, 100), (3, 300)]));
    assert_eq!(market.change_phase(Phase::Live), Ok(vec![]));
}

#[test]
fn only_some_markets_go_live() {
    let mut market = Market { in_play_capable: false, ..Market::new(2) };
    assert_eq!(market.change_phase(Phase::Live), Err(Refusal::NotPossible));
    assert_eq!(market.change_phase(Phase::PreAwaitLive), Err(Refusal::NotPossible));
    assert_eq!(market.change_phase(Phase::Pre), Err(Refusal::InvalidPhase));
}

#[test]
fn a_held_market_is_suspended_until_the_last_hold_is_lifted() {
    use MarketState::{Open, Suspended};
    let mut market = market(&[back(1, 25_000, 100)]);
    assert_eq!(market.change_hold(Hold::Halted, false), Err(Refusal::HoldUnchanged));
    assert_eq!(market.change_hold(Hold::Halted, true), Ok(()));
    assert_eq!(market.change_hold(Hold::Halted, true), Err(Refusal::HoldUnchanged));
    assert_eq!(market.change_hold(Hold::Deactivated, true), Ok(()));
    assert_eq!(market.change_hold(Hold::Halted, false), Ok(()));
    assert_eq!(market.state_now(), Suspended);
    assert_eq!(market.submit(0, &back(1, 25_000, 100)), Err(Refusal::MarketNotOpen));
    assert_eq!(market.cancel(1, 1, 0), Ok(100));
    // What it is told meanwhile holds afterwards, but it does not open.
    assert_eq!(market.change_state(Suspended), Ok(vec![]));
    assert_eq!(market.change_state(Open), Err(Refusal::Held));
    assert_eq!(market.change_hold(Hold::Deactivated, false), Ok(()));
    assert_eq!(market.state_now(), Suspended);
    assert_eq!(market.change_state(Open), Ok(vec![]));
    assert_eq!(market.state_now(), Open);
}

#[test]
fn nothing_is_done_in_a_closed_market() {
    let mut market = market(&[]);
    market.change_hold(Hold::Halted, true).expect("it is not held");
    market.change_state(MarketState::Closed).expect("a hold does not keep it open");
    assert_eq!(market.state_now(), MarketState::Closed);
    assert_eq!(market.change_hold(Hold::Halted, false), Err(Refusal::MarketClosed));
    assert_eq!(market.change_phase(Phase::Live), Err(Refusal::MarketClosed));
    assert_eq!(market.remove_outcome(0), Err(Refusal::MarketClosed));
    assert_eq!(market.add_outcome(None), Err(Refusal::MarketClosed));
    assert_eq!(market.cancel_all(Filter::default()), Err(Refusal::MarketClosed));
}

#[test]
fn a_removed_outcome_leaves_the_others_a_smaller_group() {
    let book = [on(1, back(1, 30_000, 3_000)), on(2, back(1, 30_000, 3_000)), on(2, lay(2, 20_000, 100))];
    let mut market = filled(Market::new(3), &book);
    assert_eq!(market.remove_outcome(2), Ok(vec![(2, 3_000), (3, 100)]));
    assert_eq!(market.report(2).map(|report| report.status), Some(Status::Cancelled));
    assert_eq!(market.remove_outcome(2), Err(Refusal::NotPossible));
    assert_eq!(market.submit(0, &on(2, back(1, 30_000, 100))), Err(Refusal::InvalidOutcome));
    // 3.0 of the one that is left is 1.5 of the other.
    assert_eq!(met(&mut market, &back(3, 15_000, 6_000)), [(1, 30_000, 3_000)]);
    assert_eq!(market.remove_outcome(3), Err(Refusal::InvalidOutcome));
    assert_eq!(market.remove_outcome(1).map(|taken| taken.len()), Ok(0));
    assert_eq!(market.remove_outcome(0), Err(Refusal::NotPossible), "the last one");
    assert_eq!(Market::binary(2, 100).remove_outcome(0), Err(Refusal::NotPossible), "YES and NO");
}

#[test]
fn an_outcome_joins_its_group_before_a_set_has_traded() {
    let mut market = filled(Market::new(2), &[on(1, back(1, 30_000, 10_000)), lay(1, 14_000, 100)]);
    market.submit(0, &back(2, 14_000, 200)).expect("valid");
    assert_eq!(market.add_outcome(Some(0)), Err(Refusal::NotPossible));
    assert_eq!(market.add_outcome(Some(1)), Ok(()));
    // One alone makes no set.
    let mut market = Market::new(2);
    assert_eq!(market.add_outcome(Some(0)), Ok(()));
    market = filled(market, &[on(1, back(1, 30_000, 10_000))]);
    assert_eq!(met(&mut market, &back(2, 15_000, 100)), []);
    market = filled(market, &[on(2, back(1, 30_000, 10_000))]);
    assert_eq!(met(&mut market, &back(3, 30_000, 100)).len(), 2);
    for outcomes in [1, 2] {
        assert_eq!(Market::binary(outcomes, 100).add_outcome(Some(0)), Err(Refusal::NotPossible));
    }
}

#[test]
fn a_mass_cancel_takes_out_what_fits() {
    let mut market = Market::new(2);
    for (at, order) in [
        (10, back(1, 25_000, 100)),
        (20, on(1, back(1, 25_000, 200))),
        (20, lay(2, 20_000, 300)),
        (30, back(2, 25_000, 400)),
    ] {
        market.submit(at, &order).expect("valid");
    }
    let all = Filter::default();
    for (filter, numbers) in [
        (all, vec![1, 2, 3, 4]),
        (Filter { account: 2, ..all }, vec![3, 4]),
        (Filter { account: 2, outcome: Some(1), ..all }, vec![]),
        (Filter { outcome: Some(0), ..all }, vec![1, 3, 4]),
        (Filter { from_ns: 20, ..all }, vec![2, 3, 4]),
        (Filter { from_ns: 20, until_ns: 30, ..all }, vec![2, 3]),
        (Filter { until_ns: 20, account: 1, ..all }, vec![1]),
    ] {
        let mut market = market.clone();
        let taken = market.cancel_all(filter).expect("valid");
        assert_eq!(taken.iter().map(|(number, _)| *number).collect::<Vec<_>>(), numbers, "{filter:?}");
        let rests = market.orders.iter().filter(|order| order.remaining > 0).count();
        assert_eq!(rests, 4 - numbers.len());
    }
    assert_eq!(market.cancel_all(Filter { outcome: Some(2), ..all }), Err(Refusal::InvalidOutcome));
    let never = Filter { from_ns: 20, until_ns: 20, ..all };
    assert_eq!(market.cancel_all(never), Err(Refusal::InvalidField));
}
