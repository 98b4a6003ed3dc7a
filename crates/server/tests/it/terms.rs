//! What a newcomer learns of a market: its terms from a snapshot, its overround from a book.

use betex_proto::v1::{CreateMarketRequest, Ladder, MarketKind, MarketModel, Snapshot, TransitionPolicy};

use crate::harness::{Client, MARKET, Running, book, limit, market, on, open, submit};
use crate::lifecycle::snapshot;

#[tokio::test]
async fn a_snapshot_tells_what_the_market_was_created_with() {
    let plain = market(MARKET, &["A", "B"]);
    let by_default = Snapshot { min_quantity: 1, synthetic_matching: true, ..Snapshot::default() };
    for (request, told) in [
        (plain.clone(), by_default.clone()),
        (
            CreateMarketRequest {
                name: "The final".to_owned(),
                ladder: Ladder::Finest.into(),
                min_quantity: 200,
                market_kind: MarketKind::InPlayCapable.into(),
                synthetic_matching: Some(false),
                transition_policy: TransitionPolicy::CancelAll.into(),
                ..plain.clone()
            },
            Snapshot {
                name: "The final".to_owned(),
                ladder: Ladder::Finest.into(),
                min_quantity: 200,
                market_kind: MarketKind::InPlayCapable.into(),
                synthetic_matching: false,
                transition_policy: TransitionPolicy::CancelAll.into(),
                ..by_default.clone()
            },
        ),
        (
            CreateMarketRequest {
                model: MarketModel::BinaryYes.into(),
                min_quantity: 7,
                transition_policy: TransitionPolicy::KeepAll.into(),
                ..plain.clone()
            },
            Snapshot {
                model: MarketModel::BinaryYes.into(),
                max_price_ticks: 10_000,
                min_quantity: 7,
                transition_policy: TransitionPolicy::KeepAll.into(),
                ..by_default.clone()
            },
        ),
        (
            CreateMarketRequest { independent_outcomes: true, ..plain },
            Snapshot { independent_outcomes: true, synthetic_matching: false, ..by_default },
        ),
    ] {
        let server = Running::start();
        let mut client = server.client().await;
        open(&mut client, request).await;
        let got = snapshot(&mut client).await;
        assert_eq!((got.market_id.as_str(), got.status.as_str(), got.books.len()), (MARKET, "OPEN", 2));
        let terms = |of: Snapshot| Snapshot {
            name: of.name,
            model: of.model,
            ladder: of.ladder,
            max_price_ticks: of.max_price_ticks,
            min_quantity: of.min_quantity,
            market_kind: of.market_kind,
            synthetic_matching: of.synthetic_matching,
            independent_outcomes: of.independent_outcomes,
            transition_policy: of.transition_policy,
            ..Snapshot::default()
        };
        assert_eq!(terms(got), told);
    }
}

async fn overround(client: &mut Client, outcome: &str) -> f64 {
    book(client, outcome).await.overround
}

#[tokio::test]
async fn the_overround_of_a_line_is_that_of_its_two_sides() {
    for synthetic_matching in [None, Some(false)] {
        let server = Running::start();
        let mut client = server.client().await;
        let lines = ["Home_-0.5", "Away_+0.5", "Over_2.5", "Under_2.5", "Home_0.0"];
        open(&mut client, CreateMarketRequest { synthetic_matching, ..market(MARKET, &lines) }).await;
        for (outcome, odds) in [("Home_-0.5", 2.5), ("Away_+0.5", 1.6), ("Over_2.5", 2.0), ("Home_0.0", 4.0)]
        {
            submit(&mut client, on(outcome, limit("LAY", odds, 100, ""))).await;
        }
        let told = snapshot(&mut client).await;
        for (place, (outcome, expected)) in lines.into_iter().zip([1.025, 1.025, 0.5, 0.5, 0.25]).enumerate()
        {
            let shown = overround(&mut client, outcome).await;
            assert!((shown - expected).abs() < 1e-12, "{outcome}: {shown}");
            assert_eq!(told.books[place].overround, shown);
        }
    }
    // Of all others it is over the whole market, though several may win.
    let server = Running::start();
    let mut client = server.client().await;
    let places = CreateMarketRequest { independent_outcomes: true, ..market(MARKET, &["A", "B", "C"]) };
    open(&mut client, places).await;
    for outcome in ["A", "B"] {
        submit(&mut client, on(outcome, limit("LAY", 1.25, 100, ""))).await;
    }
    for outcome in ["A", "C"] {
        assert!((overround(&mut client, outcome).await - 1.6).abs() < 1e-12);
    }
}
