//! What clients and operators send: every kind of command, good and bad, at prices that meet.

use std::collections::BTreeMap;

use betex::engine::state::State;
use betex::prelude::*;
use betex_core::command::{MassCancel, NewOrder, OrderPrice, OrderRef, UserOrder, VoidedTrades};
use betex_core::types::{ClientOrderId, Hold, SelfTradePrevention, TradeId};

use crate::dice::Dice;
use crate::markets::{Plan, Shape};

/// Whoever sends commands, and what they know.
#[derive(Debug, Default)]
pub(crate) struct Traffic {
    plans: BTreeMap<String, Plan>,
    /// Orders that were taken, and halves of them.
    taken: Vec<(MarketId, OrderId)>,
    /// Markets that were only to be long.
    wide: u64,
}

/// Markets at a time.
const MARKETS: usize = 4;
/// How many ticks around what an outcome is worth orders are.
const SPREAD: i64 = 5;
/// Orders of a crowd: more than one step of a job takes out.
const CROWD: u64 = 560;

/// What a market is called that is only there to be long in the journal, so that segments fill.
const WIDE: &str = "wide-";
/// How often, in a thousand times, one comes and goes.
const WIDE_OFTEN: u64 = 80;
/// Its outcomes.
const WIDE_OUTCOMES: usize = 250;

/// A market as the sender sees it.
#[derive(Clone, Copy)]
struct Seen<'a> {
    id: MarketId,
    plan: &'a Plan,
    /// That it has, or had.
    outcomes: usize,
    now_ms: u64,
}

impl Traffic {
    /// An answer tells of an order.
    pub(crate) fn note(&mut self, market: MarketId, report: &OrderReport) {
        let ids = report.order_id.0..=report.order_id.0 + if report.split { 2 } else { 0 };
        self.taken.extend(ids.map(|id| (market, OrderId(id))));
    }

    /// What somebody who sees this state sends next.
    pub(crate) fn next(&mut self, state: &State, now_ns: u64, dice: &mut Dice) -> Vec<Command> {
        let (wide, markets): (Vec<_>, Vec<_>) =
            state.markets().partition(|market| market.spec().key.starts_with(WIDE));
        if let Some(market) = wide.first() {
            let kind = match market.state() {
                BookMarketState::Closed => CommandKind::RemoveMarket,
                _ => CommandKind::CloseMarket { reason: None },
            };
            return vec![Command::new(market.id(), kind)];
        }
        if dice.chance(WIDE_OFTEN) {
            return self.pass_wide();
        }
        if markets.is_empty() || markets.len() < MARKETS && dice.chance(100) {
            return vec![self.create(dice)];
        }
        let market = markets[dice.place(markets.len())];
        let outcomes = market.spec().runners.len();
        let Some(plan) = self.plans.get(&market.spec().key) else { return Vec::new() };
        let seen = Seen { id: market.id(), plan, outcomes, now_ms: now_ns / 1_000_000 };
        let kinds = match dice.below(1_000) {
            0..640 => vec![seen.order(dice)],
            640..730 => seen.quote(dice),
            730..733 => seen.crowd(dice),
            733..830 => return vec![self.cancel(dice)],
            830..850 => vec![CommandKind::CancelOrder {
                order: OrderRef::Client(client_id(dice.below(12))),
                account_id: account(dice),
                keep: keep(dice),
            }],
            850..860 => {
                let name = format!("account-{}", dice.below(6)).into();
                return vec![Command::new(MarketId::NONE, CommandKind::RegisterAccount { name })];
            }
            860..865 => vec![CommandKind::RemoveMarket],
            _ => seen.life(dice),
        };
        kinds.into_iter().map(|kind| Command::new(seen.id, kind)).collect()
    }

    fn create(&mut self, dice: &mut Dice) -> Command {
        let key = format!("market-{}", self.plans.len());
        let plan = Plan::new(key.clone(), dice);
        let command = Command::new(MarketId::NONE, CommandKind::CreateMarket(Box::new(plan.spec())));
        self.plans.insert(key, plan);
        command
    }

    /// A market that comes and goes. Its id is above all that the engine has given out.
    fn pass_wide(&mut self) -> Vec<Command> {
        self.wide += 1;
        let names = (0..WIDE_OUTCOMES).map(|outcome| format!("{outcome:0120}"));
        let spec = NewMarket { independent: true, ..NewMarket::new(format!("{WIDE}{}", self.wide), names) };
        let close = CommandKind::CloseMarket { reason: None };
        let all = [CommandKind::CreateMarket(Box::new(spec)), close, CommandKind::RemoveMarket];
        all.map(|kind| Command::new(MarketId(self.wide << 32), kind)).into()
    }

    fn cancel(&self, dice: &mut Dice) -> Command {
        // Once in a while one that never was.
        let (market, id) = match self.taken.len() {
            0 => (MarketId(1), OrderId(77_777)),
            // Mostly one that is likely to rest.
            len => {
                let recent = if dice.chance(800) { len.min(60) } else { len };
                self.taken[len - 1 - dice.place(recent)]
            }
        };
        let (order, account_id, keep) = (OrderRef::Id(id), account(dice), keep(dice));
        let account_id = if dice.chance(700) { AccountId::NONE } else { account_id };
        Command::new(market, CommandKind::CancelOrder { order, account_id, keep })
    }
}

fn account(dice: &mut Dice) -> AccountId {
    AccountId(dice.weighted(&[(2, 0), (2, 1), (2, 2), (2, 3), (2, 4)]))
}

fn keep(dice: &mut Dice) -> Quantity {
    Quantity(if dice.chance(600) { 0 } else { dice.within(-1, 20) * 500 })
}

fn client_id(name: u64) -> ClientOrderId {
    ClientOrderId::new(&format!("order-{name}")).expect("a short name")
}

fn amount(dice: &mut Dice) -> i64 {
    match dice.below(10) {
        0..2 => dice.within(1, 8),
        2..6 => dice.within(5, 80),
        _ => dice.within(10_000, 400_000),
    }
}

impl Seen<'_> {
    fn limit(&self, outcome: usize, side: Side, offset: i64, quantity: i64) -> NewOrder {
        let price = self.plan.near(outcome, offset);
        NewOrder::limit(RunnerId(outcome as u64 + 1), side, price, Quantity(quantity))
    }

    fn order(&self, dice: &mut Dice) -> CommandKind {
        let plan = self.plan;
        let side = dice.pick(&[Side::Yes, Side::No]);
        let outcome = dice.place(self.outcomes);
        let offset = dice.within(-SPREAD, SPREAD);
        let quantity = Quantity(match dice.below(100) {
            0 => Quantity::MAX.0 / plan.increment * plan.increment + dice.within(-1, 1) * plan.increment,
            1 => dice.within(i64::MIN, i64::MAX),
            2 => dice.within(-2, 3) * plan.increment + dice.within(0, 300),
            _ => amount(dice) * plan.increment,
        });
        let mut order = self.limit(outcome, side, offset, quantity.0).by(account(dice));
        order.price = match dice.below(100) {
            0..2 => OrderPrice::Limit(Price(u32::try_from(dice.below(20_000_000)).unwrap_or_default())),
            2..6 => OrderPrice::Limit(plan.price(dice.within(0, 400))),
            6..12 => OrderPrice::Market { worst: None },
            12..18 => OrderPrice::Market { worst: Some(plan.near(outcome, offset)) },
            _ => order.price,
        };
        order.time_in_force = match dice.below(100) {
            0..64 => TimeInForce::Gtc,
            64..73 => TimeInForce::Ioc,
            73..78 => TimeInForce::Fok { min_fill: Quantity::ZERO },
            78..84 => {
                let min_fill = Quantity((quantity.0 / 100).saturating_mul(dice.within(0, 100)));
                TimeInForce::Fok { min_fill }
            }
            _ => TimeInForce::Gtd { expiry_ms: self.now_ms.saturating_add_signed(dice.within(-3, 400)) },
        };
        if plan.shape == Shape::Lines && dice.chance(400) {
            order.far_runner_id = RunnerId(order.runner_id.0 + 2);
        } else if dice.chance(10) {
            order.runner_id = RunnerId(dice.below(20));
        }
        order.client_order_id = dice.chance(150).then(|| client_id(dice.below(150)));
        order.persistence = dice.pick(&[Persistence::Lapse, Persistence::Persist]);
        order.post_only = dice.chance(50);
        order.self_trade = dice.weighted(&[
            (6, SelfTradePrevention::Skip),
            (1, SelfTradePrevention::Reject),
            (2, SelfTradePrevention::CancelResting),
            (1, SelfTradePrevention::CancelTaker),
        ]);
        match order {
            NewOrder { price: OrderPrice::Limit(price), far_runner_id: RunnerId::NONE, .. }
                if !matches!(plan.ladder, betex_core::ladder::Ladder::Binary { .. }) && dice.chance(100) =>
            {
                CommandKind::PlaceOrder {
                    runner_id: order.runner_id,
                    account_id: order.account_id,
                    client_order_id: order.client_order_id,
                    side,
                    odds: OddsX10000(price.0),
                    stake: Money(quantity.0),
                    persistence: order.persistence,
                    time_in_force: order.time_in_force,
                }
            }
            // Accounts with a name and accounts with a number share one space, which is what makes some of
            // these meet orders of their own.
            order if dice.chance(30) => {
                let user = format!("account-{}", dice.below(6)).into();
                CommandKind::SubmitOrderAs(Box::new(UserOrder { user, order }))
            }
            order => CommandKind::SubmitOrder(order),
        }
    }

    /// Somebody quotes every outcome on one side.
    fn quote(&self, dice: &mut Dice) -> Vec<CommandKind> {
        let (side, account) = (dice.pick(&[Side::Yes, Side::No]), account(dice));
        let (offset, quantity) = (dice.within(-SPREAD, SPREAD), amount(dice) * self.plan.increment);
        let quotes = (0..self.outcomes).map(|outcome| self.limit(outcome, side, offset, quantity));
        quotes.map(|order| CommandKind::SubmitOrder(order.by(account))).collect()
    }

    /// Hundreds of small orders that wait behind all others.
    fn crowd(&self, dice: &mut Dice) -> Vec<CommandKind> {
        let (side, outcome) = (dice.pick(&[Side::Yes, Side::No]), dice.place(self.outcomes));
        let offset = if side == Side::Yes { 3 * SPREAD } else { -3 * SPREAD };
        let order = |n: u64| self.limit(outcome, side, offset, self.plan.minimum).by(AccountId(n % 5));
        (0..CROWD).map(|n| CommandKind::SubmitOrder(order(n))).collect()
    }

    fn life(&self, dice: &mut Dice) -> Vec<CommandKind> {
        let reason = || Some("because".into());
        let ago = |dice: &mut Dice| self.now_ms.saturating_sub(dice.below(400)) * 1_000_000;
        // One more than there are, so that once in a while it is none of them.
        let runner = |dice: &mut Dice| RunnerId(dice.below(self.outcomes as u64 + 1) + 1);
        let kind = match dice.below(170) {
            0..5 => CommandKind::SuspendMarket { reason: reason() },
            5..12 => CommandKind::OpenMarket { reason: reason() },
            12..14 => CommandKind::CloseMarket { reason: reason() },
            14..18 => CommandKind::HoldMarket { hold: dice.pick(&Hold::ALL), reason: reason() },
            18..22 => CommandKind::LiftHold { hold: dice.pick(&Hold::ALL), reason: reason() },
            22..34 => CommandKind::SetPhase {
                phase: dice.weighted(&[
                    (2, MarketPhase::Pre),
                    (4, MarketPhase::PreAwaitLive),
                    (1, MarketPhase::Live),
                ]),
                reason: reason(),
            },
            34..38 if self.plan.may_grow(self.outcomes) => {
                CommandKind::AddRunners { runners: vec![self.plan.runner(self.outcomes)] }
            }
            38..41 => {
                let reduction = u16::try_from(dice.below(10_100)).unwrap_or_default();
                CommandKind::RemoveRunner { runner_id: runner(dice), reduction, reason: reason() }
            }
            41..56 => CommandKind::CancelOrders(MassCancel {
                account_id: account(dice),
                runner_id: if dice.chance(500) { runner(dice) } else { RunnerId::NONE },
                from_ns: if dice.chance(250) { ago(dice) } else { 0 },
                until_ns: if dice.chance(250) { ago(dice) } else { 0 },
            }),
            56..60 => CommandKind::VoidTrades {
                trades: match dice.chance(500) {
                    true => VoidedTrades::One(TradeId(dice.below(3_000))),
                    false => VoidedTrades::Window { from_ns: ago(dice), until_ns: ago(dice) },
                },
                reason: reason(),
            },
            _ => {
                return vec![
                    CommandKind::LiftHold { hold: Hold::Halted, reason: reason() },
                    CommandKind::LiftHold { hold: Hold::Deactivated, reason: reason() },
                    CommandKind::OpenMarket { reason: reason() },
                ];
            }
        };
        vec![kind]
    }
}
