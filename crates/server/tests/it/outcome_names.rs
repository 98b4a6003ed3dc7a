//! Names of outcomes that are none: the words blame what is wrong.

use betex_proto::v1::{
    AddOutcomesRequest, CancelOrdersRequest, CreateMarketRequest, GetOrderBookRequest, RemoveOutcomeRequest,
};
use tonic::Code;

use crate::harness::{
    MARKET, Running, limit, market, on, open, open_market, open_market_named, refused, submit,
};

fn adding(outcomes: Vec<String>) -> AddOutcomesRequest {
    AddOutcomesRequest { market_id: MARKET.to_owned(), outcomes }
}

fn numbered(numbers: std::ops::Range<u32>) -> Vec<String> {
    numbers.map(|number| format!("late {number}")).collect()
}

#[tokio::test]
async fn a_line_among_names_is_to_blame_and_not_the_names() {
    let server = Running::start();
    let mut client = server.client().await;
    open_market(&mut client).await;
    for line in ["Home_-0.5", "Home_-0.25"] {
        let answer = client.add_outcomes(adding(vec!["New".to_owned(), line.to_owned()])).await;
        let message = refused(answer, Code::InvalidArgument, "INVALID_LINE");
        let words = format!("\"{line}\" is a line, and the outcomes of market \"{MARKET}\" are not");
        assert!(message.contains(&words), "{message}");
    }
    // In a binary market that has room for them these are just names.
    let server = Running::start();
    let mut client = server.client().await;
    let binary = CreateMarketRequest { model: 1, independent_outcomes: true, ..market(MARKET, &["A", "B"]) };
    open(&mut client, binary).await;
    client.add_outcomes(adding(vec!["Home_-0.5".to_owned()])).await.unwrap();
    // And a name among lines.
    let server = Running::start();
    let mut client = server.client().await;
    open_market_named(&mut client, MARKET, &["Home_-0.5", "Away_+0.5"]).await;
    let answer = client.add_outcomes(adding(vec!["Draw".to_owned()])).await;
    let message = refused(answer, Code::InvalidArgument, "INVALID_LINE");
    assert!(message.contains("\"Draw\" is not a line, and the others are"), "{message}");
    client.add_outcomes(adding(vec!["Over_2.5".to_owned()])).await.unwrap();
}

#[tokio::test]
async fn too_many_are_told_how_many_more_fit() {
    let server = Running::start();
    let mut client = server.client().await;
    open_market(&mut client).await;
    let answer = client.add_outcomes(adding(numbered(0..254))).await;
    let message = refused(answer, Code::InvalidArgument, "INVALID_OUTCOMES");
    assert!(message.contains("254 of them are too many") && message.contains("253 more fit"), "{message}");
    client.add_outcomes(adding(numbered(0..253))).await.unwrap();
    let answer = client.add_outcomes(adding(numbered(253..254))).await;
    let message = refused(answer, Code::InvalidArgument, "INVALID_OUTCOMES");
    assert!(
        message.contains("has 256, removed ones included") && message.contains("0 more fit"),
        "{message}"
    );
}

#[tokio::test]
async fn a_quarter_line_and_a_misspelt_one_say_what_there_is() {
    let server = Running::start();
    let mut client = server.client().await;
    let lines = ["Home_-0.5", "Away_+0.5", "Home_0.0", "Away_0.0", "Home_-1.0"];
    open_market_named(&mut client, MARKET, &lines).await;
    let removing = |outcome: &str| RemoveOutcomeRequest {
        market_id: MARKET.to_owned(),
        outcome_id: outcome.to_owned(),
        ..RemoveOutcomeRequest::default()
    };
    let cancelling = |outcome: &str| CancelOrdersRequest {
        market_id: MARKET.to_owned(),
        outcome_id: outcome.to_owned(),
        ..CancelOrdersRequest::default()
    };
    for answer in [
        client.remove_outcome(removing("Home_-0.25")).await.map(drop),
        client.cancel_orders(cancelling("Home_-0.25")).await.map(drop),
    ] {
        let message = refused(answer, Code::InvalidArgument, "INVALID_OUTCOME_ID");
        assert!(message.contains("half on \"Home_0.0\" and half on \"Home_-0.5\""), "{message}");
    }
    client.remove_outcome(removing("Home_-1.0")).await.unwrap();
    for (outcome, words) in [
        ("Home_-0.75", "half on \"Home_-0.5\" and half on \"Home_-1.0\", of which \"Home_-1.0\" was removed"),
        ("Away_+0.75", "of which \"Away_+1.0\" is not an outcome"),
        ("Over_2.25", "of which \"Over_2.0\" is not an outcome and \"Over_2.5\" is not an outcome"),
        ("Home_0.5", "\"Home_0.5\" is not a line; \"Home_+0.5\" is"),
        ("Home_-.5", "\"Home_-.5\" is not a line; \"Home_-0.5\" is"),
    ] {
        let answer = submit(&mut client, on(outcome, limit("BACK", 2.0, 100, ""))).await;
        assert_eq!(answer.rejection_reason, "INVALID_OUTCOME");
        assert!(answer.message.contains(words), "{answer:?}");
        let request = GetOrderBookRequest {
            market_id: MARKET.to_owned(),
            outcome_id: outcome.to_owned(),
            ..GetOrderBookRequest::default()
        };
        for answer in [
            client.get_order_book(request).await.map(drop),
            client.remove_outcome(removing(outcome)).await.map(drop),
            client.cancel_orders(cancelling(outcome)).await.map(drop),
        ] {
            let message = refused(answer, Code::NotFound, "OUTCOME_NOT_FOUND");
            assert!(message.contains(words), "{message}");
        }
    }
}
