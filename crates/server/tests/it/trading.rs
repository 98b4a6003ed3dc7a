//! Random trading, and the book that a stream tells of.

use std::collections::BTreeMap;

use betex_proto::v1::market_update::Update;
use betex_proto::v1::{CancelOrderRequest, GetOrderBookResponse, MarketUpdate};

use crate::harness::{Client, MARKET, book, limit, submit};

const OUTCOMES: [&str; 3] = ["Liverpool", "Draw", "Arsenal"];

/// Numbers that look random and are the same every time.
struct Dice(u64);

impl Dice {
    fn throw(&mut self, sides: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % sides
    }
}

/// Orders of all kinds, and cancels.
pub(crate) async fn trade(mut client: Client, seed: u64, count: usize) {
    let mut dice = Dice(seed);
    let mut resting = Vec::new();
    for _ in 0..count {
        if dice.throw(5) == 0 && !resting.is_empty() {
            let index = usize::try_from(dice.throw(resting.len() as u64)).unwrap();
            let keep_quantity = if dice.throw(2) == 0 { 0 } else { 100 };
            let order_id: u64 = if keep_quantity == 0 { resting.swap_remove(index) } else { resting[index] };
            let request = CancelOrderRequest {
                market_id: MARKET.to_owned(),
                order_id,
                keep_quantity,
                ..Default::default()
            };
            // It may have been filled.
            let _ = client.cancel_order(request).await;
            continue;
        }
        let side = if dice.throw(2) == 0 { "BACK" } else { "LAY" };
        #[expect(clippy::cast_precision_loss)]
        let odds = (200 + 2 * dice.throw(15)) as f64 / 100.0;
        let mut order = limit(side, odds, 100 * (1 + dice.throw(9)), &format!("user-{}", dice.throw(4)));
        order.outcome_id = OUTCOMES[usize::try_from(dice.throw(3)).unwrap()].to_owned();
        match dice.throw(8) {
            0 => order.order_type = "MARKET".to_owned(),
            1 => order.time_in_force = 1,
            2 => order.client_order_id = format!("c-{}", dice.throw(1 << 40)),
            _ => (),
        }
        let answer = submit(&mut client, order).await;
        if answer.remaining_quantity > 0 {
            resting.push(answer.order_id);
        }
    }
}

/// A book as a stream tells of it.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Replica(pub(crate) BTreeMap<(String, String, i64), (u64, i32)>);

#[expect(clippy::cast_possible_truncation)]
fn ten_thousandths(odds: f64) -> i64 {
    (odds * 10_000.0).round() as i64
}

impl Replica {
    fn show(&mut self, book: &GetOrderBookResponse) {
        for (side, levels) in [("BACK", &book.bids), ("LAY", &book.asks)] {
            for level in levels {
                let key = (book.outcome_id.clone(), side.to_owned(), ten_thousandths(level.odds));
                self.0.insert(key, (level.quantity, level.order_count));
            }
        }
    }

    pub(crate) fn hear(&mut self, update: &MarketUpdate) {
        match &update.update {
            Some(Update::Snapshot(snapshot)) => snapshot.books.iter().for_each(|book| self.show(book)),
            Some(Update::BookUpdate(level)) => {
                let key = (level.outcome_id.clone(), level.side.clone(), ten_thousandths(level.odds));
                if level.quantity == 0 {
                    assert_eq!(level.order_count, 0);
                    self.0.remove(&key);
                } else {
                    self.0.insert(key, (level.quantity, level.order_count));
                }
            }
            _ => (),
        }
        if update.ends_transaction {
            self.check_uncrossed();
        }
    }

    /// Whoever backs wants high odds, so a book is crossed when somebody lays at what somebody backs at.
    fn check_uncrossed(&self) {
        for outcome in OUTCOMES {
            let odds = |wanted: &str| {
                let of_side = self.0.keys().filter(|(name, side, _)| name == outcome && side == wanted);
                of_side.map(|(_, _, odds)| *odds).collect::<Vec<_>>()
            };
            let (back, lay) = (odds("BACK").into_iter().min(), odds("LAY").into_iter().max());
            assert!(back.is_none_or(|back| lay.is_none_or(|lay| lay < back)), "{outcome}: {lay:?} {back:?}");
        }
    }

    /// The book as it is, and the last event that it shows.
    pub(crate) async fn of(client: &mut Client) -> (Self, u64) {
        let (mut replica, mut sequence) = (Self::default(), 0);
        for outcome in OUTCOMES {
            let book = book(client, outcome).await;
            replica.show(&book);
            sequence = book.sequence;
        }
        (replica, sequence)
    }
}
