//! Random trading, and the book that a stream tells of.

use std::collections::BTreeMap;

use betex_proto::v1::market_update::Update;
use betex_proto::v1::{
    CancelOrderRequest, GetOrderBookResponse, MarketUpdate, OrderUpdateEvent, SubmitOrderRequest,
};

use crate::harness::{Client, MARKET, book, limit, on, shares, submit};

/// What is traded in [`MARKET`].
#[derive(Clone, Copy)]
pub(crate) struct Arena {
    /// Each has a book.
    pub(crate) outcomes: &'static [&'static str],
    /// What else orders may be for.
    pub(crate) quarters: &'static [&'static str],
    /// In ticks of a hundredth, not at odds.
    pub(crate) binary: bool,
}

/// Three outcomes at odds.
pub(crate) const MATCH: Arena =
    Arena { outcomes: &["Liverpool", "Draw", "Arsenal"], quarters: &[], binary: false };

/// Numbers that look random and are the same every time.
struct Dice(u64);

impl Dice {
    fn throw(&mut self, sides: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % sides
    }
}

/// Orders of all kinds, and cancels.
pub(crate) async fn trade(mut client: Client, arena: Arena, seed: u64, count: usize) {
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
        let mut order = arena.order(&mut dice);
        match dice.throw(8) {
            0 => order.order_type = "MARKET".to_owned(),
            1 => order.time_in_force = 1,
            3 => order.self_trade_prevention = i32::try_from(dice.throw(4)).unwrap(),
            4 if dice.throw(2) == 0 => order.post_only = true,
            5 if dice.throw(2) == 0 => (order.time_in_force, order.min_fill_quantity) = (2, 100),
            2 => order.client_order_id = format!("c-{}", dice.throw(1 << 40)),
            _ => (),
        }
        let answer = submit(&mut client, order).await;
        if answer.remaining_quantity > 0 {
            resting.push(answer.order_id);
        }
    }
}

impl Arena {
    /// A limit order somewhere in the middle.
    fn order(self, dice: &mut Dice) -> SubmitOrderRequest {
        let names = [self.outcomes, self.quarters].concat();
        let outcome = names[usize::try_from(dice.throw(names.len() as u64)).unwrap()];
        let yes = dice.throw(2) == 0;
        let (step, quantity) = (dice.throw(15), 100 * (1 + dice.throw(9)));
        let user = format!("user-{}", dice.throw(4));
        if self.binary {
            // Around the price at which every outcome is as likely as the others.
            let middle = 100 / self.outcomes.len() as u64;
            let ticks = u32::try_from(middle + step).unwrap() - 7;
            return shares(outcome, if yes { "BUY" } else { "SELL" }, ticks, quantity, &user);
        }
        // The same in odds: so that orders meet, and make sets.
        let hundredths = match self.outcomes.len() {
            _ if !self.quarters.is_empty() => 200 + 2 * step,
            3 => 300 + 5 * step,
            _ => 400 + 10 * step,
        };
        #[expect(clippy::cast_precision_loss)]
        let odds = hundredths as f64 / 100.0;
        on(outcome, limit(if yes { "BACK" } else { "LAY" }, odds, quantity, &user))
    }
}

/// A book as a stream tells of it, by outcome, side and price: odds, or ticks counted downwards, so that in
/// both markets whoever takes bids wants the lowest.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Replica(pub(crate) BTreeMap<(String, &'static str, i64), (u64, i32)>);

#[expect(clippy::cast_possible_truncation)]
fn height(odds: f64, ticks: u32) -> i64 {
    assert_ne!(odds == 0.0, ticks == 0, "{odds} or {ticks}");
    (odds * 10_000.0).round() as i64 - i64::from(ticks)
}

fn list(side: &str) -> &'static str {
    match side {
        "BACK" | "BUY" => "bids",
        "LAY" | "SELL" => "asks",
        other => panic!("{other:?}"),
    }
}

impl Replica {
    /// Adds a resting order to its level.
    pub(crate) fn add(&mut self, order: &OrderUpdateEvent) {
        let key = (order.outcome_id.clone(), list(&order.side), height(order.odds, order.ticks));
        let level = self.0.entry(key).or_default();
        level.0 += order.remaining_quantity;
        level.1 += 1;
    }

    pub(crate) fn show(&mut self, book: &GetOrderBookResponse) {
        for (list, levels) in [("bids", &book.bids), ("asks", &book.asks)] {
            for level in levels {
                let key = (book.outcome_id.clone(), list, height(level.odds, level.ticks));
                self.0.insert(key, (level.quantity, level.order_count));
            }
        }
    }

    pub(crate) fn hear(&mut self, update: &MarketUpdate) {
        match &update.update {
            Some(Update::Snapshot(snapshot)) => snapshot.books.iter().for_each(|book| self.show(book)),
            Some(Update::BookUpdate(level)) => {
                let key = (level.outcome_id.clone(), list(&level.side), height(level.odds, level.ticks));
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
        for (outcome, list, bid) in self.0.keys().filter(|(_, list, _)| *list == "bids") {
            let asks =
                self.0.range((outcome.clone(), "asks", i64::MIN)..=(outcome.clone(), "asks", i64::MAX));
            let ask = asks.map(|((_, _, ask), _)| *ask).next_back();
            assert!(ask.is_none_or(|ask| ask < *bid), "{outcome}: {list} {bid} and asks {ask:?}");
        }
    }

    /// The book as it is, and the last event that it shows.
    pub(crate) async fn of(client: &mut Client, arena: Arena) -> (Self, u64) {
        let (mut replica, mut sequence) = (Self::default(), 0);
        for outcome in arena.outcomes {
            let book = book(client, outcome).await;
            replica.show(&book);
            sequence = book.sequence;
        }
        (replica, sequence)
    }
}
