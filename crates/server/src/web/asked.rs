//! What a WebSocket asks for in its address.

use super::farewell::Farewell;
use crate::wire::fault::{invalid, quoted};
use crate::wire::form;

/// What is asked for.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Asked {
    /// `None`: all markets.
    pub(super) market_id: Option<String>,
    /// `None`: what happens from now on.
    pub(super) from: Option<u64>,
    /// More than the six events of the reference.
    pub(super) all: bool,
}

const VALID: &str = "market_id, from_sequence (a number) and events=all are valid";

impl Asked {
    pub(super) fn of(query: &[(String, String)]) -> Result<Self, Farewell> {
        let (mut market_id, mut from, mut events) = (None, None, None);
        for (name, value) in query {
            let place = match name.as_str() {
                "market_id" => &mut market_id,
                "from_sequence" => &mut from,
                "events" => &mut events,
                other => {
                    return Err(Farewell::invalid(
                        "QUERY",
                        &format!("{} is not known; {VALID}", quoted(other)),
                    ));
                }
            };
            if place.replace(value.as_str()).is_some() {
                return Err(Farewell::invalid("QUERY", &format!("{name} is given twice; give it once")));
            }
        }
        let number = |text: &str| {
            let problem = || {
                let problem = format!(
                    "{} is not valid; a sequence number is, as it comes with events; {VALID}",
                    quoted(text)
                );
                Farewell::refused(&invalid("from_sequence", problem))
            };
            text.parse::<u64>().map_err(|_| problem())
        };
        let from = from.map(number).transpose()?.filter(|from| *from > 0);
        let all = match events {
            None => false,
            Some("all") => true,
            Some(other) => {
                let problem =
                    format!("events={} is not valid; events=all is, or leave it out", quoted(other));
                return Err(Farewell::invalid("EVENTS", &problem));
            }
        };
        let market_id = market_id.map(|key| form::name("market_id", key)).transpose();
        let market_id = market_id.map_err(|status| Farewell::refused(&status))?.map(|key| key.to_owned());
        Ok(Self { market_id, from, all })
    }
}
