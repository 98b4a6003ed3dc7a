//! The WebSocket: everything that happens, as JSON.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::ws::{CloseFrame, Message, Utf8Bytes, WebSocket, WebSocketUpgrade};
use axum::extract::{Query, State, rejection::QueryRejection};
use axum::http::StatusCode;
use axum::response::Response;
use serde::Deserialize;
use tokio::time::{Interval, MissedTickBehavior, interval, timeout};

use super::Web;
use crate::exchange::{Exchange, STREAMS_MAX};
use crate::stream::follow::{End, Follower, Source};
use crate::stream::form::{AllEvents, Form, Scope, SixEvents};
use crate::stream::history::HistoryFault;
use crate::stream::mailbox::{BUFFER, Ending};
use crate::wire::fault::quoted;
use crate::wire::json;

/// What is asked for in the address.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Asked {
    market_id: Option<String>,
    from_sequence: Option<u64>,
    events: Option<String>,
}

/// Nothing that a client has to say is longer.
const INCOMING_BYTES_MAX: usize = 4_096;
/// A client that does not answer these has gone.
const PING: Duration = Duration::from_secs(15);
/// How long a client may keep us from writing one message.
const SEND_PATIENCE: Duration = Duration::from_secs(30);

/// Why there is no stream: a status and a sentence.
type Refusal = (StatusCode, String);

pub(super) async fn connect(
    State(web): State<Web>,
    asked: Result<Query<Asked>, QueryRejection>,
    upgrade: WebSocketUpgrade,
) -> Result<Response, Refusal> {
    let valid = "market_id, from_sequence (a number) and events=all are valid";
    let Query(asked) =
        asked.map_err(|error| (StatusCode::BAD_REQUEST, format!("{}; {valid}\n", error.body_text())))?;
    let all = match asked.events.as_deref() {
        None => false,
        Some("all") => true,
        Some(other) => {
            let what = format!("events={} is not valid; events=all is, or leave it out\n", quoted(other));
            return Err((StatusCode::BAD_REQUEST, what));
        }
    };
    let exchange = Arc::clone(&web.exchange);
    let upgrade = upgrade.max_message_size(INCOMING_BYTES_MAX).max_frame_size(INCOMING_BYTES_MAX);
    if all {
        let follower = follow::<AllEvents>(&web.exchange, &asked).await?;
        Ok(upgrade.on_upgrade(move |socket| Client { socket, exchange }.serve(follower)))
    } else {
        let follower = follow::<SixEvents>(&web.exchange, &asked).await?;
        Ok(upgrade.on_upgrade(move |socket| Client { socket, exchange }.serve(follower)))
    }
}

async fn follow<F: Form>(exchange: &Arc<Exchange>, asked: &Asked) -> Result<Follower<F>, Refusal> {
    let (scope, key) = match asked.market_id.as_deref() {
        None => (Scope::Everything, ""),
        Some(key) => {
            let missing = || (StatusCode::NOT_FOUND, format!("there is no market {}\n", quoted(key)));
            (Scope::Market(exchange.market_named(key).ok_or_else(missing)?), key)
        }
    };
    let too_many = || {
        let what = format!("{STREAMS_MAX} streams are open, which is the most; come back later\n");
        (StatusCode::SERVICE_UNAVAILABLE, what)
    };
    let source = Source::new(exchange, scope, key).ok_or_else(too_many)?;
    let stopping = || (StatusCode::SERVICE_UNAVAILABLE, "the server is stopping\n".to_owned());
    let Some(from) = asked.from_sequence.filter(|from| *from > 0) else {
        let mut follower = Follower::live(source).ok_or_else(stopping)?;
        follower.skip_to(exchange.engine.read().sequence() + 1);
        return Ok(follower);
    };
    if F::TELLS_LEVELS && scope == Scope::Everything {
        let what = "from_sequence with events=all needs a market_id: the past of every book is not kept\n";
        return Err((StatusCode::BAD_REQUEST, what.to_owned()));
    }
    let last = exchange.engine.read().sequence();
    if from > last + 1 {
        let what = format!(
            "from_sequence {from} is still to come, the last event is {last}; was the exchange reset?\n"
        );
        return Err((StatusCode::RANGE_NOT_SATISFIABLE, what));
    }
    Follower::past(source, from).await.map_err(|fault| match fault {
        HistoryFault::Unreadable(what) => {
            tracing::error!("the journal could not be read for a stream: {what}");
            (StatusCode::INTERNAL_SERVER_ERROR, format!("the journal cannot be read: {what}\n"))
        }
        other => (StatusCode::RANGE_NOT_SATISFIABLE, format!("{other}\n")),
    })
}

/// One client.
struct Client {
    socket: WebSocket,
    exchange: Arc<Exchange>,
}

/// The client is gone, or as good as gone.
struct Gone;

impl Client {
    async fn serve<F: Form<Message = Utf8Bytes>>(mut self, mut follower: Follower<F>) {
        let mut ping = interval(PING);
        ping.set_missed_tick_behavior(MissedTickBehavior::Delay);
        ping.reset();
        let Ok(end) = self.tell(&mut follower, &mut ping).await else { return };
        let exchange = Arc::clone(&self.exchange);
        let farewell = {
            // A stop waits for this much.
            let _under_way = exchange.begin();
            // The place among the streams is free from here on.
            drop(follower);
            self.say(Farewell::of(&end)).await
        };
        if farewell.is_ok() {
            // Until the client has closed too, so that it gets to read why.
            let closed = async { while let Some(Ok(_)) = self.socket.recv().await {} };
            let _ = timeout(SEND_PATIENCE, closed).await;
        }
    }

    /// Tells what happens until that ends.
    async fn tell<F>(&mut self, follower: &mut Follower<F>, ping: &mut Interval) -> Result<End, Gone>
    where
        F: Form<Message = Utf8Bytes>,
    {
        let mut answered = true;
        loop {
            tokio::select! {
                batch = follower.next() => {
                    let batch = match batch {
                        Ok(Some(batch)) => batch,
                        Ok(None) => continue,
                        Err(end) => return Ok(end),
                    };
                    for text in &batch.items {
                        self.send(Message::Text(text.clone())).await?;
                    }
                }
                heard = self.socket.recv() => match heard {
                    // Nothing that a client says means anything; but it is there.
                    Some(Ok(_)) => answered = true,
                    Some(Err(_)) | None => return Err(Gone),
                },
                _ = ping.tick() => {
                    if !std::mem::take(&mut answered) {
                        return Err(Gone);
                    }
                    self.send(Message::Ping(axum::body::Bytes::new())).await?;
                }
            }
        }
    }

    async fn send(&mut self, message: Message) -> Result<(), Gone> {
        match timeout(SEND_PATIENCE, self.socket.send(message)).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(_)) | Err(_) => Err(Gone),
        }
    }

    async fn say(&mut self, farewell: Farewell) -> Result<(), Gone> {
        self.send(Message::Text(farewell.notice)).await?;
        self.send(Message::Close(Some(CloseFrame { code: farewell.code, reason: farewell.reason }))).await
    }
}

/// How a stream is ended: a last message, and the same in short in the frame that closes.
struct Farewell {
    notice: Utf8Bytes,
    code: u16,
    reason: Utf8Bytes,
}

/// Codes of RFC 6455 and its registry.
const GOING_AWAY: u16 = 1001;
const INTERNAL_ERROR: u16 = 1011;
const TRY_AGAIN_LATER: u16 = 1013;

impl Farewell {
    fn of(end: &End) -> Self {
        let (ending, resume) = match end {
            End::Ended { ending, resume } => (*ending, *resume),
            End::Fault(fault @ HistoryFault::MarketRemoved { .. }) => {
                return Self::new(GOING_AWAY, "MARKET_REMOVED", &fault.to_string(), None);
            }
            End::Fault(fault) => {
                tracing::error!("a stream could not go on: {fault}");
                return Self::new(INTERNAL_ERROR, "INTERNAL", &fault.to_string(), None);
            }
        };
        match ending {
            Ending::TooSlow => {
                let what = format!("more than {BUFFER} messages waited to be read");
                Self::new(TRY_AGAIN_LATER, "TOO_SLOW", &what, Some(resume))
            }
            Ending::FellBehind => {
                Self::new(TRY_AGAIN_LATER, "FELL_BEHIND", "the server could not keep up", Some(resume))
            }
            Ending::Stopping => Self::new(GOING_AWAY, "STOPPING", "the server is stopping", Some(resume)),
            Ending::Removed => Self::new(GOING_AWAY, "MARKET_REMOVED", "the market is removed", None),
        }
    }

    fn new(code: u16, word: &str, message: &str, resume: Option<u64>) -> Self {
        let reason = match resume {
            Some(resume) => format!("{word} from_sequence={resume}"),
            None => word.to_owned(),
        };
        Self { notice: json::ending(word, message, resume), code, reason: reason.into() }
    }
}
