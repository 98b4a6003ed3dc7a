//! A complete set over many outcomes, and sets of which an own order would be a leg.

use betex_proto::v1::market_update::Update;
use betex_proto::v1::{
    CreateMarketRequest, Ladder, MarketUpdate, MatchEvent, SelfTradePrevention, SubmitOrderRequest,
};

use crate::harness::{Running, book, ladder, limit, market, on, open, open_market, submit};
use crate::lifecycle::snapshot;
use crate::streams::hear;

fn legs<'a>(updates: &'a [MarketUpdate]) -> Vec<&'a MatchEvent> {
    let leg = |update: &'a MarketUpdate| match &update.update {
        Some(Update::MatchEvent(leg)) => Some(leg),
        _ => None,
    };
    updates.iter().filter_map(leg).collect()
}

#[tokio::test]
async fn a_set_of_64_outcomes_adds_up_and_is_the_same_after_a_restart() {
    let directory = tempfile::tempdir().unwrap();
    let data = directory.path().join("data");
    let server = Running::on(&data, &[]);
    let mut client = server.client().await;
    let outcomes: Vec<_> = (0..64).map(|number| format!("Runner {number}")).collect();
    let names: Vec<_> = outcomes.iter().map(String::as_str).collect();
    let request =
        CreateMarketRequest { ladder: Ladder::Finest.into(), ..market(crate::harness::MARKET, &names) };
    open(&mut client, request).await;
    let maker = |number: u32| SubmitOrderRequest {
        client_order_id: format!("maker {number}"),
        ..on(
            names[number as usize],
            limit("BACK", 65.0 + f64::from(number) / 100.0, 1_000 + u64::from(number), &format!("m{number}")),
        )
    };
    let mut makers = Vec::new();
    for number in 1..64 {
        let placed = submit(&mut client, maker(number)).await;
        assert_eq!(placed.status, "RESTING", "{placed:?}");
        makers.push(placed);
    }
    let taker = submit(&mut client, on("Runner 0", limit("BACK", 20.0, 1_000, "anna"))).await;
    assert_eq!((taker.status.as_str(), taker.filled_quantity, taker.fills.len()), ("FILLED", 1_000, 63));
    let (trade_id, payout) = (taker.fills[0].trade_id, taker.fills[0].payout);
    for ((number, fill), placed) in (1_u32..).zip(&taker.fills).zip(&makers) {
        assert_eq!((fill.trade_id, fill.payout, fill.synthetic), (trade_id, payout, true));
        assert_eq!(
            (fill.outcome_id.as_str(), fill.maker_order_id),
            (names[number as usize], placed.order_id)
        );
        assert_eq!(fill.taker_quantity, if number == 1 { 1_000 } else { 0 });
    }
    let stakes: i64 = taker.fills.iter().map(|fill| fill.stake).sum();
    assert_eq!(u64::try_from(stakes + taker.fills[0].taker_stake).unwrap(), payout);
    // Legs of a few pennies each, and none of them whole.
    assert!(taker.fills.iter().any(|fill| fill.stake % 100 != 0), "{taker:?}");

    // The stream tells 64 legs, the taker's first, and they add up to it as well.
    let told = hear(&mut client, trade_id, taker.sequence).await;
    let told_legs = legs(&told);
    assert_eq!((told_legs.len(), told_legs[0].maker_order_id, told_legs[0].quantity), (64, 0, 1_000));
    assert!(told_legs.iter().all(|leg| (leg.trade_id, leg.payout) == (trade_id, payout)));
    assert_eq!(u64::try_from(told_legs.iter().map(|leg| leg.stake).sum::<i64>()).unwrap(), payout);
    let before = snapshot(&mut client).await;
    server.stop();

    let server = Running::on(&data, &[]);
    let mut client = server.client().await;
    assert_eq!(snapshot(&mut client).await, before);
    assert_eq!(hear(&mut client, trade_id, taker.sequence).await, told);
    for ((number, fill), placed) in (1_u32..).zip(&taker.fills).zip(&makers) {
        let again = submit(&mut client, maker(number)).await;
        assert_eq!(again.rejection_reason, "DUPLICATE_CLIENT_ID");
        assert_eq!((again.order_id, again.first_status.as_str()), (placed.order_id, "PARTIALLY_FILLED"));
        let left = 1_000 + u64::from(number) - fill.quantity;
        assert_eq!((again.filled_quantity, again.remaining_quantity), (fill.quantity, left));
    }
    server.stop();
}

#[tokio::test]
async fn each_way_of_not_being_a_leg_of_ones_own_set() {
    for mode in [
        SelfTradePrevention::Skip,
        SelfTradePrevention::Reject,
        SelfTradePrevention::CancelResting,
        SelfTradePrevention::CancelTaker,
    ] {
        let server = Running::start();
        let mut client = server.client().await;
        open_market(&mut client).await;
        // In this order: the own one has somebody in front of it, and somebody behind.
        let mut front = Vec::new();
        for (user, quantity) in [("ben", 500), ("anna", 500), ("dora", 5_000)] {
            front.push(submit(&mut client, on("Draw", limit("BACK", 4.0, quantity, user))).await.order_id);
        }
        let (ben, dora) = (front[0], front[2]);
        let carol = submit(&mut client, on("Arsenal", limit("BACK", 4.0, 20_000, "carol"))).await.order_id;
        let order =
            SubmitOrderRequest { self_trade_prevention: mode.into(), ..limit("BACK", 2.0, 4_000, "anna") };
        let taken = submit(&mut client, order).await;
        let answer = (
            taken.status.as_str(),
            taken.rejection_reason.as_str(),
            taken.filled_quantity,
            taken.cancelled_quantity,
        );
        let fills: Vec<_> = taken.fills.iter().map(|fill| (fill.maker_order_id, fill.quantity)).collect();
        let left = ladder(&book(&mut client, "Draw").await.bids);
        let all = vec![(ben, 500), (carol, 500), (dora, 1_500), (carol, 1_500)];
        let expected = match mode {
            SelfTradePrevention::Skip => (("FILLED", "", 4_000, 0), all, [(4.0, 4_000, 2)]),
            SelfTradePrevention::Reject => (("REJECTED", "SELF_TRADE", 0, 0), vec![], [(4.0, 6_000, 3)]),
            SelfTradePrevention::CancelResting => (("FILLED", "", 4_000, 0), all, [(4.0, 3_500, 1)]),
            SelfTradePrevention::CancelTaker => {
                (("CANCELLED", "SELF_TRADE", 1_000, 3_000), all[..2].to_vec(), [(4.0, 5_500, 2)])
            }
        };
        assert_eq!((answer, fills, left), (expected.0, expected.1, expected.2.to_vec()), "{mode:?}");
        // In none of them anything of it rests.
        assert!(book(&mut client, "Liverpool").await.bids.is_empty(), "{mode:?}");
    }
}
