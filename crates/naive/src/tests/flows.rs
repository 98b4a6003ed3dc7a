//! Random flows of orders of every kind: whatever happens, money is conserved, prices are kept, and no
//! book is left crossed.

use std::collections::BTreeMap;

use super::dice::Dice;
use crate::{Ladder, Lasting, Market, NewOrder, Part, Price, Reason, SelfTrade, Side, Trade};

/// What a leg brings its owner, in quanta, or quanta of ticks, if its outcome wins or loses.
fn result(market: &Market, side: Side, price: u32, stake: i64, payout: i128, wins: bool) -> i128 {
    let (stake, payout) = match market.ladder {
        Ladder::Classic | Ladder::Finest => (i128::from(stake), payout),
        // A share costs its price of so many ticks, of which it pays all.
        Ladder::Ticks(max) => {
            assert_eq!(payout, i128::from(stake) * 10_000);
            (i128::from(stake) * i128::from(price), i128::from(stake) * i128::from(max))
        }
    };
    let backer = if wins { payout - stake } else { -stake };
    if side == Side::Back { backer } else { -backer }
}

/// Whatever wins, what some lose is what the others win; and every order has its price or a better one.
fn check_trade(market: &Market, trade: &Trade, taken: &NewOrder, limit: u32) {
    let taker = market.order(trade.taker).expect("it was taken");
    let mut outcomes = vec![taker.outcome];
    outcomes.extend(trade.makers.iter().map(|leg| leg.outcome));
    outcomes.sort_unstable();
    outcomes.dedup();
    let at_odds = !matches!(market.ladder, Ladder::Ticks(_));
    if trade.set {
        let stakes = trade.stake + trade.makers.iter().map(|leg| leg.stake).sum::<i64>();
        assert!(!at_odds || i128::from(stakes) == trade.payout, "the stakes are the payout: {trade:?}");
        assert!(trade.makers.iter().all(|leg| leg.payout == trade.payout), "{trade:?}");
        assert_eq!(outcomes.len(), trade.makers.len() + 1, "one leg on every outcome");
        let mut group = market.others(taker.outcome);
        group.push(taker.outcome);
        group.sort_unstable();
        assert_eq!(outcomes, group);
    } else {
        assert_eq!(trade.makers.len(), 1);
        let leg = trade.makers[0];
        assert!(trade.stake == leg.stake && trade.stake % market.ladder.unit() == 0, "{trade:?}");
        let exact = i128::from(leg.stake) * i128::from(leg.price);
        assert!(!at_odds || exact == leg.payout * 10_000, "the payout is exact: {trade:?}");
        // The outcome loses, too, in favour of one that was not traded.
        outcomes.push(usize::MAX);
    }
    for winner in outcomes {
        // The other one of a pair wins if this one does not.
        let pair = winner == usize::MAX && market.is_pair();
        let wins = |outcome: usize| if pair { outcome == 1 } else { outcome == winner };
        let taker_result =
            result(market, taker.side, trade.price, trade.stake, trade.payout, wins(taker.outcome));
        let makers = trade
            .makers
            .iter()
            .map(|leg| result(market, leg.side, leg.price, leg.stake, leg.payout, wins(leg.outcome)));
        // At odds legs of a set are settled by the payout, which is what `result` does.
        assert_eq!(taker_result + makers.sum::<i128>(), 0, "{trade:?} if {winner} wins");
    }
    let good = |side, price| market.ladder.good(side, price);
    assert!(good(taker.side, trade.price) >= good(taker.side, limit), "{trade:?}");
    if at_odds {
        let at_its_limit = i128::from(trade.stake) * i128::from(limit);
        match taker.side {
            Side::Back => assert!(trade.payout * 10_000 >= at_its_limit, "{trade:?}"),
            Side::Lay => assert!(trade.payout * 10_000 <= at_its_limit, "{trade:?}"),
        }
    }
    for leg in &trade.makers {
        let maker = market.order(leg.maker).expect("it rested");
        assert_eq!((leg.outcome, leg.side, leg.price), (maker.outcome, maker.side, maker.price));
        assert!(taken.account == 0 || maker.account != taken.account, "a self-trade: {trade:?}");
        if at_odds {
            let at_its_price = i128::from(leg.stake) * i128::from(leg.price);
            match leg.side {
                Side::Back => assert!(leg.payout * 10_000 >= at_its_price, "{trade:?}"),
                Side::Lay => assert!(leg.payout * 10_000 <= at_its_price, "{trade:?}"),
            }
        }
    }
}

fn check_books(market: &Market) {
    for outcome in 0..market.outcomes {
        let best = |side| {
            let queue = market.queue(outcome, side);
            queue.first().and_then(|order| market.seen_from(outcome, order)).map(|(_, price)| price)
        };
        if let (Some(backed), Some(laid)) = (best(Side::Back), best(Side::Lay)) {
            let good = |price| market.ladder.good(Side::Back, price);
            assert!(good(laid) < good(backed), "outcome {outcome} is crossed at {backed} and {laid}");
        }
    }
    for order in &market.orders {
        assert_eq!(order.remaining, market.ladder.whole(order.left));
        assert!(order.filled >= 0 && order.remaining >= 0 && order.filled + order.remaining <= order.stake);
        assert!(order.part != Part::Split || order.filled + order.remaining == 0);
    }
}

fn order(dice: &mut Dice, market: &Market, prices: &[u32], lines: bool) -> NewOrder {
    let side = [Side::Back, Side::Lay][dice.roll(2)];
    let price = prices[dice.roll(prices.len())];
    let most = [3, 60, 60, 2_000][dice.roll(4)];
    let stake = (dice.amount(most) + 1) * market.increment;
    let least = dice.amount(2) * (stake / market.increment / 2) * market.increment;
    let account = dice.roll(5) as u64;
    let outcome = dice.roll(market.outcomes);
    NewOrder {
        far: if lines && outcome < 2 && dice.roll(3) == 0 { Some(outcome + 2) } else { None },
        price: match dice.roll(12) {
            0 => Price::Market(None),
            1 => Price::Market(Some(price)),
            _ => Price::Limit(price),
        },
        lasting: match dice.roll(8) {
            0 => Lasting::Immediate,
            1 => Lasting::AtLeast(least),
            _ => Lasting::UntilCancelled,
        },
        post_only: dice.roll(10) == 0,
        self_trade: [SelfTrade::Skip, SelfTrade::Reject, SelfTrade::CancelResting, SelfTrade::CancelTaker]
            [dice.roll(4)],
        ..NewOrder::limit(account, outcome, side, price, stake)
    }
}

/// What has become of an order, or half of one, by its legs: quantities, and exact stakes.
type Legs = BTreeMap<u64, (i64, i64)>;

/// Legs add up to what is filled, and exact stakes to that but for a fraction of a penny; a reduction drops
/// one, too.
fn check_legs(market: &Market, legs: &Legs) {
    for order in market.orders.iter().filter(|order| order.part != Part::Split) {
        let (quantities, stakes) = legs.get(&order.number).copied().unwrap_or_default();
        assert_eq!(quantities, order.filled, "{order:?}");
        assert!(stakes <= quantities, "{stakes} of {order:?}");
        if order.filled + order.remaining == order.stake {
            assert!(quantities - stakes < market.ladder.unit(), "{stakes} of {order:?}");
            assert!(order.remaining == 0 || order.left == order.stake - stakes, "{stakes} of {order:?}");
        }
    }
}

/// Virtual levels are sorted, and a unit of 1.00 meets a set, or something better, at the price of each.
fn check_virtual_levels(market: &Market) -> usize {
    let mut shown = 0;
    for (outcome, side) in (0..market.outcomes).flat_map(|o| [(o, Side::Back), (o, Side::Lay)]) {
        let levels = market.virtual_levels(outcome, side);
        let good = |price| market.ladder.good(side.other(), price);
        assert!(levels.is_sorted_by(|a, b| good(a.price) > good(b.price)), "{levels:?}");
        for level in &levels {
            assert!(level.sets > 0 && level.quantity > 0 && market.ladder.has(level.price), "{level:?}");
            let unit = if market.ladder.unit() == 100 { 10_000 } else { 1 };
            let mut market = Market { increment: 1, min_stake: 1, ..market.clone() };
            let order = NewOrder::limit(0, outcome, side.other(), level.price, unit);
            let answer = market.submit(0, &NewOrder { lasting: Lasting::Immediate, ..order }).expect("valid");
            assert!(answer.filled > 0, "{level:?} of {outcome}, {side:?}");
            shown += 1;
        }
    }
    shown
}

fn play(empty: &Market, prices: &[u32], lines: bool) -> Played {
    let (mut dice, mut played) = (Dice(11), Played::default());
    for _ in 0..60 {
        let (mut market, mut legs) = (empty.clone(), Legs::new());
        for _ in 0..80 {
            if dice.roll(8) == 0 && !market.orders.is_empty() {
                reduce(&mut dice, &mut market);
            } else {
                let order = order(&mut dice, &market, prices, lines);
                submit(&mut market, &order, &mut legs, &mut played);
            }
            check_books(&market);
        }
        check_legs(&market, &legs);
        played.shown += check_virtual_levels(&market);
    }
    played
}

/// What is filled, and what is shown, in a flow.
#[derive(Debug, Default)]
struct Played {
    direct: usize,
    sets: usize,
    /// Legs that are not whole pennies.
    fractions: usize,
    dust: usize,
    /// Virtual levels.
    shown: usize,
}

fn reduce(dice: &mut Dice, market: &mut Market) {
    let number = dice.roll(market.orders.len()) as u64 + 1;
    let keep = dice.amount(20) * market.increment;
    let before = market.report(number).expect("it is there").remaining;
    let was = market.orders.clone();
    match market.cancel(number, 0, keep) {
        Ok(0) => assert!(keep >= before && market.orders == was),
        Ok(cancelled) => {
            assert_eq!(cancelled, before - keep);
            assert_eq!(market.report(number).expect("it is there").remaining, keep);
        }
        Err(_) => assert_eq!(market.orders, was),
    }
}

fn submit(market: &mut Market, order: &NewOrder, legs: &mut Legs, played: &mut Played) {
    let before = market.orders.clone();
    let Ok(answer) = market.submit(0, order) else {
        assert_eq!(market.orders, before, "a refusal changes nothing");
        return;
    };
    let limit = market.order(answer.number).expect("it was taken").price;
    answer.trades.iter().for_each(|trade| check_trade(market, trade, order, limit));
    for trade in &answer.trades {
        let makers = trade.makers.iter().map(|leg| (leg.maker, leg.quantity, leg.stake));
        for (number, quantity, stake) in makers.chain([(trade.taker, trade.quantity, trade.stake)]) {
            let sum = legs.entry(number).or_default();
            *sum = (sum.0 + quantity, sum.1 + stake);
            played.fractions += usize::from(stake % market.ladder.unit() != 0);
        }
    }
    assert_eq!(answer.filled, answer.trades.iter().map(|trade| trade.quantity).sum::<i64>());
    if answer.reason.is_none() {
        let exact: i64 = answer.trades.iter().map(|trade| trade.stake).sum();
        assert_eq!(exact + answer.left + answer.dust, order.stake, "{answer:?}");
    }
    let all = answer.filled + answer.remaining == order.stake;
    assert_eq!(all, answer.reason.is_none());
    assert!(answer.remaining == 0 || order.may_rest());
    assert!(!order.post_only || answer.filled == 0);
    assert!(answer.reason != Some(Reason::OrderLimit));
    if let Lasting::AtLeast(least) = order.lasting {
        assert!(answer.filled >= if least == 0 { order.stake } else { least });
    }
    played.sets += answer.trades.iter().filter(|trade| trade.set).count();
    played.direct += answer.trades.iter().filter(|trade| !trade.set).count();
    played.dust += usize::from(answer.dust > 0);
}

#[test]
fn at_odds() {
    let classic = Ladder::Classic.prices();
    for (outcomes, from, to) in [(2, 80, 120), (3, 130, 160), (5, 180, 205)] {
        let played = play(&Market::new(outcomes), &classic[from..to], false);
        assert!(played.direct > 200 && played.sets > 50, "{outcomes}: {played:?}");
        assert!(played.fractions > 50 && played.dust > 5 && played.shown > 50, "{outcomes}: {played:?}");
    }
}

#[test]
fn on_lines() {
    let market = Market {
        groups: vec![vec![0, 1], vec![2, 3]],
        quarters: vec![(0, 2), (1, 3)],
        ladder: Ladder::Finest,
        increment: 300,
        min_stake: 300,
        ..Market::new(4)
    };
    let prices: Vec<u32> = (0..30).map(|place| 18_500 + place * 100).collect();
    let played = play(&market, &prices, true);
    assert!(played.direct > 300 && played.sets > 300 && played.fractions > 300, "{played:?}");
}

#[test]
fn in_ticks() {
    let prices = |from: u32, to: u32| (from..to).collect::<Vec<_>>();
    for outcomes in [1, 2] {
        let played = play(&Market::binary(outcomes, 100), &prices(40, 60), false);
        assert!(played.direct > 300 && played.sets + played.shown == 0, "{played:?}");
    }
    let market = Market { increment: 5, min_stake: 5, ..Market::binary(3, 1_000) };
    let played = play(&market, &prices(320, 345), false);
    assert!(played.direct > 300 && played.sets > 50 && played.shown > 50, "{played:?}");
    assert_eq!(played.fractions + played.dust, 0, "{played:?}");
}
