//! Binary markets: one outcome, a pair that is one ladder, a group, independent outcomes.

use betex_proto::v1::market_update::Update;
use betex_proto::v1::{CancelOrdersRequest, CreateMarketRequest, MarketModel, PriceType, SubmitOrderRequest};
use tonic::Code;

use crate::harness::{
    Client, MARKET, Running, book, market, next, on, open, refused, shares, submit, subscribe, tick_ladder,
};

fn binary(max_price_ticks: u32, outcomes: &[&str]) -> CreateMarketRequest {
    let model = MarketModel::BinaryYes.into();
    CreateMarketRequest { model, max_price_ticks, ..market(MARKET, outcomes) }
}

async fn start(request: CreateMarketRequest) -> (Running, Client) {
    let server = Running::start();
    let mut client = server.client().await;
    open(&mut client, request).await;
    (server, client)
}

#[tokio::test]
async fn one_question() {
    let (_server, mut client) = start(CreateMarketRequest { min_quantity: 5, ..binary(0, &["Rain"]) }).await;
    let maker = submit(&mut client, shares("Rain", "SELL", 5_500, 100, "ben")).await;
    let taker = submit(&mut client, shares("Rain", "BUY", 6_000, 80, "anna")).await;
    assert_eq!((taker.status.as_str(), taker.filled_quantity), ("FILLED", 80));
    let [fill] = &taker.fills[..] else { panic!("{taker:?}") };
    assert_eq!(
        (fill.maker_order_id, fill.ticks, fill.price, fill.odds),
        (maker.order_id, 5_500, 550_000, 0.0)
    );
    // 10 000 hundredths of a penny a share.
    assert_eq!((fill.quantity, fill.taker_quantity, fill.payout), (80, 80, 800_000));
    let shown = book(&mut client, "Rain").await;
    assert_eq!(tick_ladder(&shown.asks), [(5_500, 20, 1)]);
    assert_eq!(
        (shown.last_traded_ticks, shown.last_traded_price, shown.last_traded_odds),
        (5_500, 550_000, 0.0)
    );
    assert_eq!((shown.traded_quantity, shown.overround), (80, 0.55));
    // The other names of the sides, and the other way to write the price.
    submit(&mut client, shares("Rain", "YES", 4_000, 10, "anna")).await;
    let ppm = SubmitOrderRequest {
        price_type: PriceType::BasisPoints.into(),
        price: 450_000.0,
        ..shares("Rain", "BUY", 0, 30, "anna")
    };
    submit(&mut client, ppm).await;
    submit(&mut client, shares("Rain", "NO", 5_600, 40, "ben")).await;
    let shown = book(&mut client, "Rain").await;
    // The best for the taker first: a seller wants high prices, a buyer low ones.
    assert_eq!(tick_ladder(&shown.bids), [(4_500, 30, 1), (4_000, 10, 1)]);
    assert_eq!(tick_ladder(&shown.asks), [(5_500, 20, 1), (5_600, 40, 1)]);
    let market_order =
        SubmitOrderRequest { order_type: "MARKET".to_owned(), ..shares("Rain", "BUY", 0, 100, "dora") };
    let swept = submit(&mut client, market_order).await;
    assert_eq!((swept.filled_quantity, swept.cancelled_quantity), (60, 40));
    let small = submit(&mut client, shares("Rain", "BUY", 100, 4, "dora")).await;
    assert_eq!(small.rejection_reason, "INVALID_QUANTITY");
    assert!(
        small.message.contains("at least 5, at most 100000000000000, in steps of 1 (shares)"),
        "{small:?}"
    );
}

#[tokio::test]
async fn a_mass_cancel_on_either_outcome_of_a_pair_takes_what_its_book_shows() {
    for outcome in ["Yes", "No"] {
        let (_server, mut client) = start(binary(100, &["Yes", "No"])).await;
        // As near to 29 as a client comes that computes it.
        let ticks =
            SubmitOrderRequest { price: 28.999_999_999_999_996, ..shares("Yes", "BUY", 0, 100, "ben") };
        submit(&mut client, ticks).await;
        submit(&mut client, shares("No", "BUY", 45, 40, "anna")).await;
        let shown = book(&mut client, outcome).await;
        assert_eq!((shown.bids.len(), shown.asks.len()), (1, 1));
        let (market_id, outcome_id) = (MARKET.to_owned(), outcome.to_owned());
        let all = CancelOrdersRequest { market_id, outcome_id, ..CancelOrdersRequest::default() };
        let answer = client.cancel_orders(all).await.unwrap().into_inner();
        assert_eq!((answer.orders, answer.shares, answer.done), (2, 140, true));
        let shown = book(&mut client, outcome).await;
        assert_eq!((shown.bids.len(), shown.asks.len()), (0, 0));
    }
}

#[tokio::test]
async fn yes_and_no_are_one_ladder() {
    let (_server, mut client) = start(binary(100, &["Yes", "No"])).await;
    let yes = submit(&mut client, shares("Yes", "BUY", 55, 100, "ben")).await;
    let (of_yes, of_no) = (book(&mut client, "Yes").await, book(&mut client, "No").await);
    assert_eq!((tick_ladder(&of_yes.bids), of_yes.asks.len()), (vec![(55, 100, 1)], 0));
    assert_eq!((tick_ladder(&of_no.asks), of_no.bids.len()), (vec![(45, 100, 1)], 0));

    let mut stream = subscribe(&mut client, 0, false).await;
    let no = submit(&mut client, shares("No", "BUY", 45, 40, "anna")).await;
    let [fill] = &no.fills[..] else { panic!("{no:?}") };
    // In the words of whoever came.
    assert_eq!((fill.maker_order_id, fill.outcome_id.as_str(), fill.ticks), (yes.order_id, "No", 45));
    assert_eq!((fill.price, fill.quantity, fill.payout, fill.synthetic), (450_000, 40, 400_000, false));
    // Of shares there are no fractions: stakes are the same shares.
    assert_eq!((fill.stake, fill.taker_quantity, fill.taker_stake), (40, 40, 40));
    let (mut traded, mut levels) = (None, Vec::new());
    loop {
        let update = next(&mut stream).await.unwrap();
        match update.update {
            Some(Update::MatchEvent(event)) => traded = Some(event),
            Some(Update::BookUpdate(level)) => {
                levels.push((level.outcome_id, level.side, level.ticks, level.quantity, level.order_count));
            }
            _ => (),
        }
        if update.sequence == no.sequence && update.ends_transaction {
            break;
        }
    }
    // In the words of the maker.
    let traded = traded.unwrap();
    assert_eq!((traded.outcome_id.as_str(), traded.ticks, traded.price), ("Yes", 55, 550_000));
    assert_eq!((traded.maker_side.as_str(), traded.taker_side.as_str()), ("BUY", "SELL"));
    // Every level as it looks from either.
    let level = |outcome: &str, side: &str, ticks| (outcome.to_owned(), side.to_owned(), ticks, 60, 1);
    assert_eq!(levels, [level("Yes", "BUY", 55), level("No", "SELL", 45)]);
    assert_eq!(book(&mut client, "Yes").await.last_traded_ticks, 55);
    assert_eq!(book(&mut client, "No").await.last_traded_ticks, 45);
    // The same ladder, so the same prevention.
    let own = submit(&mut client, shares("No", "BUY", 45, 10, "ben")).await;
    assert_eq!(own.rejection_reason, "SELF_TRADE");
}

#[tokio::test]
async fn a_group_mints_and_redeems_sets() {
    let (_server, mut client) = start(binary(0, &["A", "B", "C"])).await;
    for outcome in ["B", "C"] {
        submit(&mut client, shares(outcome, "BUY", 2_500, 100, "ben")).await;
    }
    let mint = submit(&mut client, shares("A", "BUY", 5_500, 60, "anna")).await;
    let legs: Vec<_> = mint
        .fills
        .iter()
        .map(|fill| (fill.outcome_id.as_str(), fill.ticks, fill.quantity, fill.taker_quantity, fill.payout))
        .collect();
    assert_eq!(legs, [("B", 2_500, 60, 60, 600_000), ("C", 2_500, 60, 0, 600_000)]);
    assert_eq!((mint.status.as_str(), mint.filled_quantity), ("FILLED", 60));
    let shown = book(&mut client, "A").await;
    assert_eq!((shown.last_traded_ticks, shown.traded_quantity), (5_000, 60));
}

#[tokio::test]
async fn independent_outcomes_have_no_sets() {
    let request = CreateMarketRequest { independent_outcomes: true, ..binary(100, &["A", "B"]) };
    let (_server, mut client) = start(request).await;
    for outcome in ["A", "B"] {
        let placed = submit(&mut client, shares(outcome, "BUY", 90, 100, "")).await;
        assert_eq!(placed.status, "RESTING");
    }
    assert!(book(&mut client, "A").await.asks.is_empty());
}

#[tokio::test]
async fn what_belongs_to_the_other_model_is_refused() {
    let (_server, mut client) = start(binary(100, &["Yes", "No"])).await;
    let base = shares("Yes", "BUY", 55, 100, "anna");
    let with = |change: fn(&mut SubmitOrderRequest)| {
        let mut order = base.clone();
        change(&mut order);
        order
    };
    for (order, word, words) in [
        (with(|o| o.side = "BACK".into()), "INVALID_SIDE", "\"BACK\" is not valid; BUY or SELL"),
        (with(|o| o.side = "LAY".into()), "INVALID_SIDE", "where YES and NO mean the same"),
        (
            with(|o| o.price_type = 1),
            "INVALID_PRICE_TYPE",
            "DECIMAL_ODDS are for markets at odds; this one is binary: send TICKS (2)",
        ),
        (with(|o| o.quantity = 0), "INVALID_QUANTITY", "0 is not valid; 1 to 100000000000000 shares"),
        (with(|o| o.quantity = u64::MAX), "INVALID_QUANTITY", "at most 100000000000000 shares"),
        (with(|o| o.price = f64::NAN), "INVALID_PRICE", "or in a binary market 55 with TICKS"),
    ] {
        let message = refused(client.submit_order(order).await, Code::InvalidArgument, word);
        assert!(message.contains(words), "{message}");
    }
    for (order, words) in [
        (with(|o| o.price = 0.0), "the nearest is 1"),
        (with(|o| o.price = 100.0), "0.0 ticks are not on the market's ladder (1 to 99); the nearest is 99"),
        (with(|o| o.price = 55.5), "the nearest are 55 and 56"),
        (
            with(|o| (o.price_type, o.price) = (0, 555_000.0)),
            "the nearest are 550000 (55 ticks) and 560000 (56 ticks)",
        ),
        (with(|o| o.price_type = 0), "for ticks set price_type to TICKS"),
    ] {
        let answer = submit(&mut client, order).await;
        assert_eq!(answer.rejection_reason, "INVALID_PRICE");
        assert!(answer.message.contains(words), "{answer:?}");
    }
    let lines = submit(&mut client, on("Home_-0.25", base)).await;
    assert_eq!(lines.rejection_reason, "INVALID_OUTCOME");
}
