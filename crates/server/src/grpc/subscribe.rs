//! SubscribeMarket.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use betex_proto::v1::{MarketUpdate, SubscribeMarketRequest};
use futures::StreamExt as _;
use futures::stream::{self, BoxStream};
use tokio::time::{Interval, MissedTickBehavior, interval};
use tonic::{Code, Status};

use super::book;
use crate::exchange::{Exchange, STREAMS_MAX};
use crate::stream::follow::{End, Follower, Source};
use crate::stream::form::{Protobuf, Scope};
use crate::stream::history::HistoryFault;
use crate::stream::mailbox::{BUFFER, Ending};
use crate::stream::turns::Caller;
use crate::wire::fault::{fault, invalid, market_not_found, stopping};
use crate::wire::{form, update};

/// What a subscriber gets.
pub(crate) type Updates = BoxStream<'static, Result<MarketUpdate, Status>>;

const HEARTBEAT: Duration = Duration::from_secs(1);

pub(super) async fn subscribe(
    exchange: &Arc<Exchange>,
    caller: Caller,
    request: SubscribeMarketRequest,
) -> Result<Updates, Status> {
    let key = form::name("market_id", &request.market_id)?;
    let (from, snapshot) = (request.from_sequence, request.snapshot);
    if snapshot && from != 0 {
        let problem = "is not valid together with snapshot, which begins with the present";
        return Err(invalid("from_sequence", problem));
    }
    let source = Source::new(exchange, caller, "grpc").ok_or_else(too_many)?;
    let mut first = VecDeque::new();
    let follower = if from == 0 {
        let market = exchange.market_named(key).ok_or_else(|| market_not_found(key))?;
        let mut follower = Follower::live(source, Scope::Market(market)).ok_or_else(stopping)?;
        // Looked at after joining: what is newer comes live.
        let state = exchange.engine.read();
        let view = state.market(market).ok_or_else(|| market_not_found(key))?;
        if snapshot {
            first.extend(book::snapshot(&view, state.sequence(), state.time_ns()));
        }
        follower.skip_to(state.sequence() + 1);
        follower
    } else {
        Follower::past(source, Some(key), from).await.map_err(|fault| history_status(&fault, key))?
    };
    let mut beat = interval(HEARTBEAT);
    beat.set_missed_tick_behavior(MissedTickBehavior::Delay);
    if from != 0 {
        // The first one is due when it has caught up.
        beat.reset();
    }
    let key = key.to_owned();
    let subscriber = Subscriber { exchange: Arc::clone(exchange), key, follower, ready: first, beat };
    let updates = stream::unfold(Some(subscriber), |subscriber| async move {
        let mut subscriber = subscriber?;
        match subscriber.next().await {
            Ok(update) => Some((Ok(update), Some(subscriber))),
            Err(end) => Some((Err(end_status(&end, &subscriber.key)?), None)),
        }
    });
    Ok(updates.boxed())
}

struct Subscriber {
    exchange: Arc<Exchange>,
    /// What the client calls the market.
    key: String,
    follower: Follower<Protobuf>,
    /// Made, not sent yet.
    ready: VecDeque<MarketUpdate>,
    beat: Interval,
}

impl Subscriber {
    async fn next(&mut self) -> Result<MarketUpdate, End> {
        loop {
            if let Some(update) = self.ready.pop_front() {
                return Ok(update);
            }
            tokio::select! {
                biased;
                batch = self.follower.next() => match batch? {
                    Some(batch) => self.ready.extend(batch.items.iter().cloned()),
                    // A client that resumed wants to know when it has caught up.
                    None => self.beat.reset_immediately(),
                },
                _ = self.beat.tick() => return Ok(self.heartbeat()),
            }
        }
    }

    /// Says up to where there is nothing more in this market.
    fn heartbeat(&self) -> MarketUpdate {
        // In this order: what has been handed out and not taken is still in the mailbox.
        let handed_out = self.exchange.hub.handed_out();
        let given_out = self.follower.next_sequence().saturating_sub(1);
        let sequence = if self.follower.is_up_to_date() { handed_out.max(given_out) } else { given_out };
        update::heartbeat(self.exchange.engine.now_ns(), sequence)
    }
}

fn too_many() -> Status {
    let what = format!("{STREAMS_MAX} streams are open, which is the most; end one, or come back later");
    fault(Code::ResourceExhausted, "TOO_MANY_STREAMS", what)
}

fn history_status(problem: &HistoryFault, key: &str) -> Status {
    let word = match problem {
        HistoryFault::NoMarket => return market_not_found(key),
        HistoryFault::Stopping => return stopping(),
        HistoryFault::Unreadable(what) => {
            tracing::error!("the journal could not be read for a stream: {what}");
            return fault(Code::Internal, "INTERNAL", format!("the journal cannot be read: {what}"));
        }
        out_of_range => out_of_range.word(),
    };
    fault(Code::OutOfRange, word, problem.to_string())
}

/// The status that a stream ends with; none if it is simply over.
fn end_status(end: &End, key: &str) -> Option<Status> {
    let (ending, resume) = match end {
        End::Fault(fault) => return Some(history_status(fault, key)),
        End::Ended { ending, resume } => (ending, resume),
    };
    let (code, word, what) = match ending {
        Ending::Removed => return None,
        Ending::TooSlow => {
            (Code::ResourceExhausted, "TOO_SLOW", format!("more than {BUFFER} updates waited to be read; "))
        }
        Ending::FellBehind => {
            (Code::ResourceExhausted, "FELL_BEHIND", "the server could not keep up; ".to_owned())
        }
        Ending::Stopping => {
            (Code::Unavailable, "STOPPING", "the server is stopping; when it is back, ".to_owned())
        }
    };
    Some(fault(code, word, format!("{what}resume with from_sequence {resume}")))
}
