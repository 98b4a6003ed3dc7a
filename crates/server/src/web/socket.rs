//! The WebSocket: everything that happens, as JSON.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::ws::rejection::WebSocketUpgradeRejection;
use axum::extract::ws::{CloseFrame, Message, Utf8Bytes, WebSocket, WebSocketUpgrade};
use axum::extract::{Query, State};
use axum::http::{HeaderMap, Uri, Version};
use axum::response::{IntoResponse as _, Response};
use tokio::time::{MissedTickBehavior, interval, timeout};

use super::Web;
use super::asked::Asked;
use super::farewell::Farewell;
use crate::exchange::Exchange;
use crate::metrics::WEBSOCKETS_REFUSED;
use crate::stream::follow::{Follower, Source};
use crate::stream::form::{AllEvents, Form, Scope, SixEvents};
use crate::stream::turns::Caller;

/// Nothing that a client has to say is longer.
const INCOMING_BYTES_MAX: usize = 4_096;
/// A message up to this long is read, so that its sender can be answered.
const INCOMING_BYTES_READ: usize = 1 << 16;
/// A client that does not answer these has gone.
const PING: Duration = Duration::from_secs(15);
/// How long a client may keep us from writing one message.
const SEND_PATIENCE: Duration = Duration::from_secs(30);
/// How long a client may take to close after it was told why.
const CLOSE_PATIENCE: Duration = Duration::from_secs(5);

/// A page that must not reach us is refused with a status. All else that is wrong is said on the socket: of a refused
/// upgrade a browser shows neither the status nor the words.
pub(super) async fn connect(
    State(web): State<Web>,
    version: Version,
    uri: Uri,
    headers: HeaderMap,
    Query(query): Query<Vec<(String, String)>>,
    upgrade: Result<WebSocketUpgrade, WebSocketUpgradeRejection>,
) -> Response {
    let upgrade = match upgrade {
        Ok(upgrade) => upgrade,
        Err(no_websocket) => return no_websocket.into_response(),
    };
    if let Err(refusal) = web.allowed.check(version, &uri, &headers) {
        metrics::counter!(WEBSOCKETS_REFUSED).increment(1);
        return refusal.into_response();
    }
    let exchange = Arc::clone(&web.exchange);
    let upgrade = upgrade.max_message_size(INCOMING_BYTES_READ).max_frame_size(INCOMING_BYTES_READ);
    upgrade.on_upgrade(move |socket| Client { socket, exchange }.serve(query))
}

async fn follow<F: Form>(exchange: &Arc<Exchange>, asked: &Asked) -> Result<Follower<F>, Farewell> {
    let key = asked.market_id.as_deref();
    if F::TELLS_LEVELS && key.is_none() && asked.from.is_some() {
        let what = "from_sequence with events=all needs a market_id: the past of every book is not kept";
        return Err(Farewell::invalid("QUERY", what));
    }
    let source = Source::new(exchange, Caller::alone(), "websocket").ok_or_else(Farewell::too_many)?;
    if let Some(from) = asked.from {
        let followed = Follower::past(source, key, from).await;
        return followed.map_err(|fault| Farewell::of_fault(&fault, key.unwrap_or_default()));
    }
    let no_market = || Farewell::no_market(key.unwrap_or_default());
    let scope = match key {
        None => Scope::Everything,
        Some(key) => Scope::Market(exchange.market_named(key).ok_or_else(no_market)?),
    };
    let mut follower = Follower::live(source, scope).ok_or_else(Farewell::stopping)?;
    // Looked at after joining: what is newer comes live, the end of the market too.
    let state = exchange.engine.read();
    if let Scope::Market(market) = scope {
        state.market(market).ok_or_else(no_market)?;
    }
    follower.skip_to(state.sequence() + 1);
    Ok(follower)
}

/// One client.
struct Client {
    socket: WebSocket,
    exchange: Arc<Exchange>,
}

/// Why nothing more is sent.
enum Over {
    /// The client is gone, or as good as gone.
    Gone,
    /// It is to be told this.
    Say(Farewell),
}

impl From<Farewell> for Over {
    fn from(farewell: Farewell) -> Self {
        Self::Say(farewell)
    }
}

impl Client {
    async fn serve(mut self, query: Vec<(String, String)>) {
        let over = match Asked::of(&query) {
            Err(farewell) => Over::Say(farewell),
            Ok(asked) if asked.all => self.stream::<AllEvents>(&asked).await,
            Ok(asked) => self.stream::<SixEvents>(&asked).await,
        };
        let Over::Say(farewell) = over else { return };
        let exchange = Arc::clone(&self.exchange);
        let said = {
            // A stop waits for this much.
            let _under_way = exchange.begin();
            self.say(farewell).await
        };
        if said.is_ok() {
            // Until the client has closed too, so that it gets to read why.
            let closed = async { while self.socket.recv().await.is_some_and(|heard| heard.is_ok()) {} };
            let _ = timeout(CLOSE_PATIENCE, closed).await;
        }
    }

    /// Tells what is asked for, until that ends. The place among the streams is free afterwards.
    async fn stream<F: Form<Message = Utf8Bytes>>(&mut self, asked: &Asked) -> Over {
        let exchange = Arc::clone(&self.exchange);
        let follower = tokio::select! {
            follower = follow::<F>(&exchange, asked) => follower,
            // It may take a while until the past can be read, and the client need not wait for it.
            over = self.listen() => return over,
        };
        match follower {
            Ok(follower) => match self.tell(follower, asked.market_id.as_deref().unwrap_or_default()).await {
                Ok(farewell) => Over::Say(farewell),
                Err(over) => over,
            },
            Err(farewell) => Over::Say(farewell),
        }
    }

    /// Tells what happens until that ends.
    async fn tell<F>(&mut self, mut follower: Follower<F>, key: &str) -> Result<Farewell, Over>
    where
        F: Form<Message = Utf8Bytes>,
    {
        let mut ping = interval(PING);
        ping.set_missed_tick_behavior(MissedTickBehavior::Delay);
        ping.reset();
        let mut answered = true;
        loop {
            tokio::select! {
                batch = follower.next() => {
                    let batch = match batch {
                        Ok(Some(batch)) => batch,
                        Ok(None) => continue,
                        Err(end) => return Ok(Farewell::of(&end, key)),
                    };
                    for text in &batch.items {
                        self.send(Message::Text(text.clone())).await?;
                    }
                }
                heard = self.socket.recv() => {
                    check(heard)?;
                    answered = true;
                }
                _ = ping.tick() => {
                    if !std::mem::take(&mut answered) {
                        return Err(Over::Gone);
                    }
                    self.send(Message::Ping(axum::body::Bytes::new())).await?;
                }
            }
        }
    }

    /// Listens to the client until that is over.
    async fn listen(&mut self) -> Over {
        loop {
            if let Err(over) = check(self.socket.recv().await) {
                return over;
            }
        }
    }

    async fn send(&mut self, message: Message) -> Result<(), Over> {
        match timeout(SEND_PATIENCE, self.socket.send(message)).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(_)) | Err(_) => Err(Over::Gone),
        }
    }

    async fn say(&mut self, farewell: Farewell) -> Result<(), Over> {
        self.send(Message::Text(farewell.notice)).await?;
        self.send(Message::Close(Some(CloseFrame { code: farewell.code, reason: farewell.reason }))).await
    }
}

/// Text means nothing, and says that the client is there. It must be small; nothing else is text.
fn check(heard: Option<Result<Message, axum::Error>>) -> Result<(), Over> {
    match heard {
        Some(Ok(Message::Binary(_))) => Err(Farewell::binary().into()),
        Some(Ok(Message::Text(text))) if text.len() > INCOMING_BYTES_MAX => {
            Err(Farewell::too_big(INCOMING_BYTES_MAX).into())
        }
        Some(Ok(Message::Text(_) | Message::Ping(_) | Message::Pong(_))) => Ok(()),
        Some(Err(error)) => Err(Farewell::of_error(error, INCOMING_BYTES_MAX).map_or(Over::Gone, Over::Say)),
        Some(Ok(Message::Close(_))) | None => Err(Over::Gone),
    }
}
