//! Binary markets: one ladder, a pair, a group, independent ladders.

use betex_core::command::{CommandKind, NewMarket};
use betex_core::line::LineProblem;
use betex_core::reject::Rejection;
use betex_core::types::MarketId;

use crate::exchange::Exchange;
use crate::script::check_market;

#[test]
fn buyers_meet_the_lowest_price_first() {
    check_market(
        "market ticks:100 YES
         a sell YES 60 10        => #1 RESTING rests 10
         a sell YES 55 10        => #2 RESTING rests 10
         b sell YES 55 5         => #3 RESTING rests 5
         book YES                => sell 55: 15 of 2, sell 60: 10 of 1
         c buy YES 60 22         => #4 FILLED 10@55#2 5@55#3 7@60#1
         c buy YES 54 10         => #5 RESTING rests 10
         d sell YES mkt 20       => #6 CANCELLED 10@54#5 cancelled 10
         d sell YES 0 20         => INVALID_PRICE
         d sell YES 100 20       => INVALID_PRICE",
    );
}

#[test]
fn yes_and_no_are_one_ladder() {
    check_market(
        "market ticks:100 YES NO
         a buy YES 60 10         => #1 RESTING rests 10
         b buy NO 35 10          => #2 RESTING rests 10
         book YES                => buy 60: 10 of 1, sell 65: 10 of 1
         book NO                 => buy 35: 10 of 1, sell 40: 10 of 1
         c buy NO 40 4           => #3 FILLED 4@60#1
         a sell NO 41 3          => #4 RESTING rests 3
         d buy YES mkt 20        => #5 CANCELLED 10@35#2 cancelled 10
         b cancel 2              => OrderNotFound
         book NO                 => sell 40: 6 of 1, sell 41: 3 of 1
         a buy NO 99 50          => SELF_TRADE",
    );
}

/// What the book of an outcome shows goes when its orders are cancelled, whichever of the two they came for.
#[test]
fn a_mass_cancel_on_either_outcome_of_a_pair_empties_the_book_of_both() {
    for outcome in ["YES", "NO"] {
        check_market(&format!(
            "market ticks:100 YES NO
             a buy YES 60 10         => #1 RESTING rests 10
             b buy NO 35 9           => #2 RESTING rests 9
             a sell NO 45 8          => #3 RESTING rests 8
             - mass {outcome}        => 3 for 0.0027, cancelled #1 #3 #2
             book YES                => empty"
        ));
    }
}

#[test]
fn buyers_of_all_outcomes_mint_a_set() {
    check_market(
        "market ticks:100 Ann Ben Cat
         a buy Ann 40 10         => #1 RESTING rests 10
         b buy Ben 35 8          => #2 RESTING rests 8
         b buy Ben 30 8          => #3 RESTING rests 8
         book Cat                => virtual sell 25: 8, virtual sell 30: 2
         c buy Cat 30 10         => #4 FILLED set 8@25 pays 8.00 (8@40#1 8@35#2) set 2@30 pays 2.00 (2@40#1 2@30#3)",
    );
}

#[test]
fn sellers_of_all_outcomes_redeem_a_set() {
    check_market(
        "market ticks:100 Ann Ben Cat
         a sell Ann 40 10        => #1 RESTING rests 10
         b sell Ben 35 8         => #2 RESTING rests 8
         b sell Ben 38 8         => #3 RESTING rests 8
         book Cat                => virtual buy 25: 8, virtual buy 22: 2
         c sell Cat 20 10        => #4 FILLED set 8@25 pays 8.00 (8@40#1 8@35#2) set 2@22 pays 2.00 (2@40#1 2@38#3)",
    );
}

#[test]
fn independent_questions_have_no_sets() {
    check_market(
        "market ticks:100 independent Ann Ben
         a buy Ann 60 10         => #1 RESTING rests 10
         b buy Ben 60 10         => #2 RESTING rests 10
         c sell Ben 60 10        => #3 FILLED 10@60#2",
    );
}

/// With four goals both Overs pay: no set of them could be funded.
#[test]
fn lines_are_no_exclusive_group_of_shares() {
    let create = |market: NewMarket| {
        Exchange::default().run(MarketId::NONE, &CommandKind::CreateMarket(Box::new(market))).map(|_| ())
    };
    let binary = |outcomes: &[&str]| NewMarket::binary("", 100, outcomes.iter().copied());
    for outcomes in [
        &["Over_2.5", "Over_3.5", "Under_2.5"][..],
        &["Over_2.5", "Over_3.5"],
        &["Home_0.0", "Away_0.0"],
        &["Home_-1.0", "Away_+1.0"],
        &["Home_-0.25", "Away_+0.25"],
        &["Over_2.5", "None of them"],
    ] {
        let Err(Rejection::InvalidLine(error)) = create(binary(outcomes)) else { panic!("{outcomes:?}") };
        assert_eq!(error.problem, LineProblem::NotExclusive);
        let independent = NewMarket { independent: true, ..binary(outcomes) };
        assert_eq!(create(independent), Ok(()));
    }
    for outcomes in [&["Over_2.5", "Under_2.5"][..], &["Home_-0.5", "Away_+0.5"], &["Over_2.5"]] {
        assert_eq!(create(binary(outcomes)), Ok(()), "{outcomes:?}");
    }
}
