//! Random flows of orders of every kind: whatever happens, money is conserved, prices are kept, and no
//! book is left crossed.

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

/// Whoever wins, what some lose is what the others win; and everybody has their price or a better one.
fn check_trade(market: &Market, trade: &Trade, taken: &NewOrder, limit: u32) {
    let taker = market.order(trade.taker).expect("it was taken");
    let mut outcomes = vec![taker.outcome];
    outcomes.extend(trade.makers.iter().map(|leg| leg.outcome));
    outcomes.sort_unstable();
    outcomes.dedup();
    if trade.set {
        assert_eq!(outcomes.len(), trade.makers.len() + 1, "one leg on every outcome");
        let mut group = market.others(taker.outcome);
        group.push(taker.outcome);
        group.sort_unstable();
        assert_eq!(outcomes, group);
    } else {
        assert_eq!(trade.makers.len(), 1);
        // The outcome loses, too, in favour of one that nobody traded.
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
    for leg in &trade.makers {
        let maker = market.order(leg.maker).expect("it rested");
        assert_eq!((leg.outcome, leg.side, leg.price), (maker.outcome, maker.side, maker.price));
        assert!(taken.account == 0 || maker.account != taken.account, "a self-trade: {trade:?}");
        if !matches!(market.ladder, Ladder::Ticks(_)) {
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
        assert!(order.filled >= 0 && order.remaining >= 0 && order.filled + order.remaining <= order.stake);
        assert!(order.part != Part::Split || order.filled + order.remaining == 0);
    }
}

fn order(dice: &mut Dice, market: &Market, prices: &[u32], lines: bool) -> NewOrder {
    let side = [Side::Back, Side::Lay][dice.roll(2)];
    let price = prices[dice.roll(prices.len())];
    let most = [3, 60, 60, 60][dice.roll(4)];
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

fn play(empty: &Market, prices: &[u32], lines: bool) -> (usize, usize) {
    let (mut dice, mut direct, mut sets) = (Dice(11), 0, 0);
    for _ in 0..60 {
        let mut market = empty.clone();
        for _ in 0..80 {
            if dice.roll(8) == 0 && !market.orders.is_empty() {
                let number = dice.roll(market.orders.len()) as u64 + 1;
                let keep = dice.amount(20) * market.increment;
                let before = market.report(number).expect("it is there").remaining;
                if let Ok(cancelled) = market.cancel(number, 0, keep) {
                    assert_eq!(cancelled, (before - keep).max(0));
                    assert_eq!(market.report(number).expect("it is there").remaining, before.min(keep));
                }
            } else {
                let order = order(&mut dice, &market, prices, lines);
                let before = market.orders.clone();
                let Ok(answer) = market.submit(0, &order) else {
                    assert_eq!(market.orders, before, "a refusal changes nothing");
                    continue;
                };
                let limit = market.order(answer.number).expect("it was taken").price;
                answer.trades.iter().for_each(|trade| check_trade(&market, trade, &order, limit));
                assert_eq!(answer.filled, answer.trades.iter().map(|trade| trade.quantity).sum::<i64>());
                let exact: i64 = answer.trades.iter().map(|trade| trade.stake).sum();
                let unit = market.ladder.unit();
                assert!(answer.filled - exact < 2 * unit && answer.dust < 2 * unit, "{answer:?}");
                if answer.reason.is_none() {
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
                sets += answer.trades.iter().filter(|trade| trade.set).count();
                direct += answer.trades.iter().filter(|trade| !trade.set).count();
            }
            check_books(&market);
        }
    }
    (direct, sets)
}

#[test]
fn at_odds() {
    let classic: Vec<u32> = (10_100..100_000).filter(|price| Ladder::Classic.has(*price)).collect();
    for (outcomes, from, to) in [(2, 80, 120), (3, 130, 160), (5, 180, 205)] {
        let (direct, sets) = play(&Market::new(outcomes), &classic[from..to], false);
        assert!(direct > 300 && sets > 50, "{outcomes}: {direct} {sets}");
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
    let (direct, sets) = play(&market, &prices, true);
    assert!(direct > 300 && sets > 300, "{direct} {sets}");
}

#[test]
fn in_ticks() {
    let prices = |from: u32, to: u32| (from..to).collect::<Vec<_>>();
    let (direct, sets) = play(&Market::binary(1, 100), &prices(40, 60), false);
    assert!(direct > 300 && sets == 0, "{direct} {sets}");
    let (direct, sets) = play(&Market::binary(2, 100), &prices(40, 60), false);
    assert!(direct > 300 && sets == 0, "{direct} {sets}");
    let (direct, sets) =
        play(&Market { increment: 5, min_stake: 5, ..Market::binary(3, 1_000) }, &prices(320, 345), false);
    assert!(direct > 300 && sets > 50, "{direct} {sets}");
}
