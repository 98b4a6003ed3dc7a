//! Who sends commands and takes answers: what was asked, what was answered, and what must be answered the
//! same for ever.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use betex::engine::state::State;
use betex::engine::{OwnedResponse, Responder, Response};
use betex::prelude::*;

use crate::dice::Dice;
use crate::failure::{Check, Checked, Failure, ensure};
use crate::truth::Truth;

/// Takes the answers as they come.
#[derive(Default)]
pub(crate) struct Inbox(Mutex<Vec<(u64, OwnedResponse)>>);

impl Responder for Inbox {
    fn respond(&self, token: u64, response: &Response<'_>) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push((token, response.to_owned()));
    }
}

/// An order that was acknowledged, and what it was called.
#[derive(Clone, Debug)]
struct Named {
    command: Command,
    order_id: OrderId,
}

/// All that clients remember.
#[derive(Default)]
pub(crate) struct Desk {
    pub(crate) inbox: Arc<Inbox>,
    /// What was taken and is not answered yet, and the order that must be named in the answer.
    waiting: BTreeMap<u64, (Command, Option<OrderId>)>,
    named: Vec<Named>,
    last_token: u64,
    /// Commands whose answers a crash took, to be sent again.
    retries: Vec<Command>,
    pub(crate) answered: u64,
    pub(crate) rejected: u64,
    pub(crate) lost: u64,
}

impl Desk {
    /// A command was taken; answers with its token.
    pub(crate) fn token(&mut self) -> u64 {
        self.last_token += 1;
        self.last_token
    }

    pub(crate) fn taken(&mut self, token: u64, command: Command, must_name: Option<OrderId>) {
        self.waiting.insert(token, (command, must_name));
    }

    /// A command to be sent again, if there is one.
    pub(crate) fn retry(&mut self) -> Option<Command> {
        self.retries.pop()
    }

    /// An order that was acknowledged, to be asked for again.
    pub(crate) fn ask_again(&self, dice: &mut Dice) -> Option<(Command, OrderId)> {
        if self.named.is_empty() {
            return None;
        }
        let named = &self.named[dice.place(self.named.len())];
        Some((named.command.clone(), named.order_id))
    }

    /// The engine has died: nobody will be answered any more.
    pub(crate) fn lose(&mut self, dice: &mut Dice) {
        self.inbox.0.lock().unwrap_or_else(PoisonError::into_inner).clear();
        self.lost += self.waiting.len() as u64;
        let lost = std::mem::take(&mut self.waiting);
        self.retries.extend(lost.into_values().map(|(command, _)| command).filter(|_| dice.chance(500)));
    }

    /// Every command that was taken has been answered.
    pub(crate) fn all_answered(&self) -> Checked {
        let first = self.waiting.values().next();
        ensure(first.is_none(), Check::Stop, || format!("stopped, and never answered: {first:?}"))
    }

    /// Holds the answers that have come against what has been shown.
    pub(crate) fn answers(&mut self, truth: &Truth, state: &State) -> Result<Vec<OwnedResponse>, Failure> {
        let came = std::mem::take(&mut *self.inbox.0.lock().unwrap_or_else(PoisonError::into_inner));
        let mut answers = Vec::with_capacity(came.len());
        for (token, answer) in came {
            let Some((command, must_name)) = self.waiting.remove(&token) else {
                return Err(Failure::new(Check::Answer, format!("nobody waits for {answer:?}")));
            };
            self.check(&command, must_name, &answer, truth, state)?;
            self.answered += 1;
            self.rejected += u64::from(answer.result.is_err());
            answers.push(answer);
        }
        Ok(answers)
    }

    fn check(
        &mut self,
        command: &Command,
        must_name: Option<OrderId>,
        answer: &OwnedResponse,
        truth: &Truth,
        state: &State,
    ) -> Checked {
        let fails = |words: String| Err(Failure::new(Check::Answer, words));
        if answer.sequence > state.sequence() {
            return fails(format!("{answer:?} tells of more than the read state, {}", state.sequence()));
        }
        if answer.sequence + 1 - answer.first_sequence != answer.events.len() as u64 {
            return fails(format!("{answer:?} has other events than numbers"));
        }
        for (sequence, event) in (answer.first_sequence..).zip(&answer.events) {
            let shown = truth.event(sequence);
            let is_last = sequence == answer.sequence;
            let same = shown.is_some_and(|shown| {
                (&shown.event, shown.time_ns, shown.ends_transaction) == (event, answer.time_ns, is_last)
            });
            if !same {
                return fails(format!("{event:?} was answered, and shown was {shown:?}"));
            }
        }
        match (must_name, &answer.result) {
            (Some(_), Err(Rejection::MarketNotFound(_))) | (None, _) => (),
            (Some(first), Err(Rejection::DuplicateClientId(report))) if report.order_id == first => (),
            (Some(first), other) => {
                return fails(format!("order {first}, asked for again, is answered {other:?}"));
            }
        }
        if let (Some(_), Err(Rejection::MarketNotFound(market))) = (must_name, &answer.result) {
            self.named.retain(|named| named.command.market_id != *market);
        }
        if let Ok(Receipt::Order { report, .. }) = &answer.result {
            let mut events = answer.events.iter();
            let first = events.find(|event| !matches!(event, Event::AccountRegistered { .. }));
            let shown = first.map(|event| match event {
                Event::OrderAccepted(order) | Event::OrderSplit { order, .. } => order.order_id,
                _ => OrderId::NONE,
            });
            if shown != Some(report.order_id) {
                return fails(format!("{report:?} was answered, and its events are of {shown:?}"));
            }
            if has_name(command) {
                self.named.push(Named { command: command.clone(), order_id: report.order_id });
            }
        }
        Ok(())
    }

    /// What must be answered the same, held against a state.
    pub(crate) fn check_names(&self, state: &State) -> Checked {
        for Named { command, order_id } in &self.named {
            let Some(market) = state.market(command.market_id) else { continue };
            let Some((account, name)) = name_of(command) else { continue };
            let report = market.client_order(account, name.as_str());
            let same = report.is_some_and(|report| report.order_id == *order_id);
            ensure(same, Check::Answer, || format!("{name} was order {order_id}, and is {report:?}"))?;
        }
        Ok(())
    }
}

fn has_name(command: &Command) -> bool {
    name_of(command).is_some()
}

fn name_of(command: &Command) -> Option<(AccountId, ClientOrderId)> {
    match &command.kind {
        CommandKind::SubmitOrder(order) => Some((order.account_id, order.client_order_id?)),
        CommandKind::PlaceOrder { account_id, client_order_id, .. } => {
            Some((*account_id, (*client_order_id)?))
        }
        _ => None,
    }
}
