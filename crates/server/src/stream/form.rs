//! The forms that events are sent in.

use std::sync::Arc;

use axum::extract::ws::Utf8Bytes;
use betex_core::types::MarketId;
use betex_proto::v1::MarketUpdate;

use super::fan::Fan;
use super::hub::Hub;
use super::scene::{Scene, Seen};
use crate::wire::json::{self, Extent};
use crate::wire::update;

/// A form that events are sent in.
pub(crate) trait Form: Sized + Send + Sync + 'static {
    /// One message.
    type Message: Send + Sync + Clone + 'static;

    /// Whether it tells what levels hold.
    const TELLS_LEVELS: bool;

    /// Those who follow in this form.
    fn fan(hub: &Hub) -> &Arc<Fan<Self>>;

    /// What a whole transaction is made into; messages of events before `from` are left out.
    fn render(transaction: &[Seen], scene: &Scene<'_>, from: u64) -> Vec<Self::Message>;
}

/// Protobuf.
pub(crate) struct Protobuf;

impl Form for Protobuf {
    type Message = MarketUpdate;

    const TELLS_LEVELS: bool = true;

    fn fan(hub: &Hub) -> &Arc<Fan<Self>> {
        &hub.protobuf
    }

    fn render(transaction: &[Seen], scene: &Scene<'_>, from: u64) -> Vec<MarketUpdate> {
        update::render(transaction, scene, from)
    }
}

/// JSON, the six events of the reference.
pub(crate) struct SixEvents;

impl Form for SixEvents {
    type Message = Utf8Bytes;

    const TELLS_LEVELS: bool = false;

    fn fan(hub: &Hub) -> &Arc<Fan<Self>> {
        &hub.six_events
    }

    fn render(transaction: &[Seen], scene: &Scene<'_>, from: u64) -> Vec<Utf8Bytes> {
        json::render(transaction, scene, from, Extent::SixEvents)
    }
}

/// JSON, all events.
pub(crate) struct AllEvents;

impl Form for AllEvents {
    type Message = Utf8Bytes;

    const TELLS_LEVELS: bool = true;

    fn fan(hub: &Hub) -> &Arc<Fan<Self>> {
        &hub.all_events
    }

    fn render(transaction: &[Seen], scene: &Scene<'_>, from: u64) -> Vec<Utf8Bytes> {
        json::render(transaction, scene, from, Extent::All)
    }
}

/// Whose events.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Scope {
    Market(MarketId),
    Everything,
}

impl Scope {
    /// Whether a market's events are wanted.
    pub(crate) fn includes(self, market: MarketId) -> bool {
        match self {
            Self::Market(wanted) => wanted == market,
            Self::Everything => true,
        }
    }
}
