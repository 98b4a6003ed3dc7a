//! Complete sets: who is filled with what, and that the money of all legs adds up.

use betex_proto::v1::market_update::Update;
use betex_proto::v1::{
    CreateMarketRequest, Fill, GetOrderBookRequest, GetOrderBookResponse, MatchEvent, SubmitOrderResponse,
};

use crate::harness::{
    Client, MARKET, Running, book, ladder, limit, market, next, on, open, open_market, submit, subscribe,
};

const OUTCOMES: [&str; 3] = ["Liverpool", "Draw", "Arsenal"];

async fn with_virtual(client: &mut Client, outcome: &str, depth: u32) -> GetOrderBookResponse {
    let request = GetOrderBookRequest {
        market_id: MARKET.to_owned(),
        outcome_id: outcome.to_owned(),
        depth,
        include_synthetic: true,
    };
    client.get_order_book(request).await.unwrap().into_inner()
}

/// The exact stakes of all legs of the one set in this answer, in hundredths of a penny: they are its payout.
#[track_caller]
fn funded(answer: &SubmitOrderResponse) -> u64 {
    let [first, ..] = &answer.fills[..] else { panic!("{answer:?}") };
    let one_trade =
        |fill: &Fill| fill.synthetic && (fill.trade_id, fill.payout) == (first.trade_id, first.payout);
    assert!(answer.fills.iter().all(one_trade), "{answer:?}");
    let of_taker = |fill: &Fill| (fill.taker_quantity, fill.taker_stake);
    assert!(answer.fills[1..].iter().all(|fill| of_taker(fill) == (0, 0)), "{answer:?}");
    assert_eq!(first.taker_quantity, answer.filled_quantity);
    let stakes: i64 = answer.fills.iter().map(|fill| fill.stake).sum();
    u64::try_from(stakes + first.taker_stake).unwrap()
}

#[tokio::test]
async fn the_stakes_of_a_set_are_its_payout() {
    for side in ["BACK", "LAY"] {
        let server = Running::start();
        let mut client = server.client().await;
        open_market(&mut client).await;
        let draw = submit(&mut client, on("Draw", limit(side, 4.0, 5_000, "ben"))).await;
        let arsenal = submit(&mut client, on("Arsenal", limit(side, 4.0, 6_000, "carol"))).await;
        assert_eq!((draw.status.as_str(), arsenal.status.as_str()), ("RESTING", "RESTING"));
        let taker = submit(&mut client, limit(side, 2.0, 10_000, "anna")).await;
        assert_eq!((taker.status.as_str(), taker.filled_quantity), ("FILLED", 10_000));
        assert_eq!(funded(&taker), taker.fills[0].payout);
        assert_eq!(taker.fills[0].payout, 2_000_000);
        let legs: Vec<_> = taker
            .fills
            .iter()
            .map(|fill| (fill.outcome_id.as_str(), fill.maker_order_id, fill.odds, fill.quantity))
            .collect();
        assert_eq!(legs, [("Draw", draw.order_id, 4.0, 5_000), ("Arsenal", arsenal.order_id, 4.0, 5_000)]);
        // What was traded is told of each outcome at its own stake and price.
        for (outcome, quantity, odds) in
            [("Liverpool", 10_000, 2.0), ("Draw", 5_000, 4.0), ("Arsenal", 5_000, 4.0)]
        {
            let shown = book(&mut client, outcome).await;
            assert_eq!((shown.traded_quantity, shown.last_traded_odds), (quantity, odds), "{outcome}");
        }
        let left = book(&mut client, "Arsenal").await;
        let left = if side == "BACK" { left.bids } else { left.asks };
        assert_eq!(ladder(&left), [(4.0, 1_000, 1)]);
        server.stop();
    }
}

#[tokio::test]
async fn an_uneven_set_still_adds_up() {
    let server = Running::start();
    let mut client = server.client().await;
    open_market(&mut client).await;
    submit(&mut client, on("Draw", limit("BACK", 3.45, 777, "ben"))).await;
    submit(&mut client, on("Arsenal", limit("BACK", 5.1, 10_001, "carol"))).await;
    let taker = submit(&mut client, limit("BACK", 1.5, 1_234, "anna")).await;
    assert_eq!(funded(&taker), taker.fills[0].payout);
    assert!(taker.filled_quantity > 1_000, "{taker:?}");
    for fill in &taker.fills {
        // Each maker gets its odds, or better.
        #[expect(clippy::cast_precision_loss)]
        let (payout, stake) = (fill.payout as f64, fill.stake as f64);
        assert!(payout / stake >= fill.odds, "{fill:?}");
    }
}

#[tokio::test]
async fn a_better_direct_price_comes_first_and_a_market_can_do_without_sets() {
    let server = Running::start();
    let mut client = server.client().await;
    open_market(&mut client).await;
    submit(&mut client, on("Draw", limit("BACK", 4.0, 5_000, "ben"))).await;
    submit(&mut client, on("Arsenal", limit("BACK", 4.0, 5_000, "carol"))).await;
    submit(&mut client, limit("LAY", 2.1, 1_000, "dora")).await;
    let taker = submit(&mut client, limit("BACK", 2.0, 3_000, "anna")).await;
    let kinds: Vec<_> = taker.fills.iter().map(|fill| (fill.synthetic, fill.taker_quantity)).collect();
    assert_eq!(kinds, [(false, 1_000), (true, 2_000), (true, 0)]);

    let request = CreateMarketRequest { synthetic_matching: Some(false), ..market("plain", &OUTCOMES) };
    open(&mut client, request).await;
    let elsewhere = |order| betex_proto::v1::SubmitOrderRequest { market_id: "plain".to_owned(), ..order };
    for (outcome, odds) in [("Draw", 4.0), ("Arsenal", 4.0), ("Liverpool", 2.0)] {
        let order = elsewhere(on(outcome, limit("BACK", odds, 5_000, "")));
        assert_eq!(submit(&mut client, order).await.status, "RESTING");
    }
}

#[tokio::test]
async fn a_set_in_a_stream_is_a_leg_of_the_taker_and_one_of_each_maker() {
    let server = Running::start();
    let mut client = server.client().await;
    open_market(&mut client).await;
    submit(&mut client, on("Draw", limit("BACK", 4.0, 5_000, "ben"))).await;
    submit(&mut client, on("Arsenal", limit("BACK", 4.0, 6_000, "carol"))).await;
    let mut stream = subscribe(&mut client, 0, false).await;
    let taker = submit(&mut client, limit("BACK", 2.0, 12_000, "anna")).await;
    let (mut legs, mut orders): (Vec<MatchEvent>, Vec<_>) = (Vec::new(), Vec::new());
    loop {
        let update = next(&mut stream).await.unwrap();
        match update.update {
            Some(Update::MatchEvent(leg)) => legs.push(leg),
            Some(Update::OrderUpdate(order)) => {
                orders.push((order.order_id, order.status, order.filled_quantity, order.remaining_quantity))
            }
            _ => (),
        }
        if update.sequence == taker.sequence && update.ends_transaction {
            break;
        }
    }
    let trade_id = taker.fills[0].trade_id;
    assert!(legs.iter().all(|leg| leg.synthetic && (leg.trade_id, leg.payout) == (trade_id, 2_000_000)));
    assert!(legs.iter().all(|leg| (leg.maker_side.as_str(), leg.taker_side.as_str()) == ("BACK", "BACK")));
    let legs: Vec<_> = legs
        .iter()
        .map(|leg| (leg.maker_order_id, leg.taker_order_id, leg.outcome_id.as_str(), leg.odds, leg.quantity))
        .collect();
    assert_eq!(
        legs,
        [(0, 3, "Liverpool", 2.0, 10_000), (1, 3, "Draw", 4.0, 5_000), (2, 3, "Arsenal", 4.0, 5_000)]
    );
    let status = |id, status: &str, filled, remaining| (id, status.to_owned(), filled, remaining);
    let expected = [
        status(3, "PARTIALLY_FILLED", 10_000, 2_000),
        status(1, "FILLED", 5_000, 0),
        status(2, "PARTIALLY_FILLED", 5_000, 1_000),
    ];
    assert_eq!(orders, expected);
}

#[tokio::test]
async fn virtual_levels_are_shown_to_who_asks_and_apart_from_orders() {
    let server = Running::start();
    let mut client = server.client().await;
    open_market(&mut client).await;
    submit(&mut client, on("Draw", limit("BACK", 4.0, 5_000, "ben"))).await;
    submit(&mut client, on("Arsenal", limit("BACK", 4.0, 6_000, "carol"))).await;
    let plain = book(&mut client, "Liverpool").await;
    assert!(plain.virtual_bids.is_empty() && plain.virtual_asks.is_empty() && plain.asks.is_empty());
    for depth in [0, 1, 1_000_000] {
        let shown = with_virtual(&mut client, "Liverpool", depth).await;
        // BACKs on all others are what a backer takes.
        assert_eq!(ladder(&shown.virtual_asks), [(2.0, 10_000, 1)], "depth {depth}");
        assert!(shown.virtual_bids.is_empty() && shown.asks.is_empty() && shown.bids.is_empty());
    }
    // And he gets it.
    assert_eq!(submit(&mut client, limit("BACK", 2.0, 10_000, "anna")).await.status, "FILLED");
    assert!(with_virtual(&mut client, "Liverpool", 0).await.virtual_asks.is_empty());
}
