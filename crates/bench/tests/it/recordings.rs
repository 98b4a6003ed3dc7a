//! Recordings replayed on the core, and exchanges that get it wrong.

use std::cell::Cell;
use std::fs;
use std::io::Write;
use std::path::Path;

use anyhow::Result;
use betex_bench::recordings::exchange::{BookLevel, Taken};
use betex_bench::recordings::orders::Order;
use betex_bench::recordings::replay::{Recording, replay};
use betex_bench::recordings::summary::{Counts, Progress};
use betex_bench::recordings::{CoreExchange, EngineExchange, Exchange};
use betex_core::types::{Quantity, RunnerId};
use futures::executor::block_on;

/// A recording of our own: every kind of line there is.
const INVENTED: &str = r#"
{"op":"mcm","pt":1,"mc":[{"id":"1.1","img":true,"marketDefinition":{"runners":[{"id":7},{"id":9}]}}]}
{"op":"mcm","pt":2,"mc":[{"id":"1.1","rc":[{"id":7,"atb":[[2.0,5],[1.99,0.01]],"atl":[[2.02,3.5]]},{"id":9,"atl":[[3.05,1]]}]}]}
{"op":"mcm","pt":3,"mc":[{"id":"1.1","rc":[{"id":7,"atb":[[2.0,7]]},{"id":7,"atl":[[2.02,4.5]]}]}]}
{"op":"mcm","pt":4,"mc":[{"id":"1.1","rc":[{"id":7,"atb":[[2.0,1.25]],"trd":[[2.0,11.01]],"ltp":2.0}]}]}
{"op":"mcm","pt":5,"mc":[{"id":"1.1","rc":[{"id":7,"atb":[[2.0,0]],"atl":[[2.02,0],[2.0,3]],"trd":[[2.0,11.01],[2.02,9]]}]}]}
{"op":"mcm","pt":6,"mc":[{"id":"1.1","img":true,"rc":[{"id":9,"atl":[[3.05,0.4]],"atb":[[1.01,1000]]}]}]}
{"op":"mcm","pt":7,"mc":[{"id":"1.1","img":true}]}
"#;

fn invented() -> Recording {
    Recording::parse("invented", INVENTED.trim()).expect("a recording")
}

fn run(exchange: &impl Exchange, recording: Recording) -> Result<Counts> {
    let progress = Progress::default();
    block_on(replay(exchange, recording, "market", 2, &progress))?;
    Ok(progress.counts())
}

#[test]
fn an_invented_recording_replays() {
    let counts = run(&CoreExchange::new().unwrap(), invented()).unwrap();
    // Line 4 takes 5.50 and cancels 0.25 at 2.00; line 5 cancels the rest, takes all 4.50 at 2.02 and
    // turns the price round; line 6 keeps 0.40 of an order, line 7 nothing.
    let expected = Counts { lines: 7, placed: 8, taken: 2, cancelled: 7, fills: 4, checks: 12, levels: 15 };
    assert_eq!(counts, expected);
}

#[test]
fn real_recordings_replay() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../recordings");
    for (name, commands) in [("1.197931750", 10_223), ("1.197931751", 5_417), ("1.200806927", 28_524)] {
        let path = folder.join(name);
        if !path.is_file() {
            // Not by a macro: what a passing test says with those is not shown.
            let skipped =
                format!("\nskipped: recording {name} is not there; `cargo xtask recordings` fetches it\n");
            std::io::stderr().write_all(skipped.as_bytes()).unwrap();
            continue;
        }
        let counts = run(&CoreExchange::new().unwrap(), Recording::read(&path).unwrap()).unwrap();
        let lines = fs::read_to_string(&path).unwrap().lines().count();
        assert_eq!((counts.lines, counts.commands()), (lines as u64, commands), "{name}");
    }
}

#[test]
fn the_engine_replays_and_recovers() {
    let directory = tempfile::tempdir().unwrap();
    let engine = EngineExchange::start(directory.path()).unwrap();
    let counts = run(&engine, invented()).unwrap();
    assert_eq!(counts, run(&CoreExchange::new().unwrap(), invented()).unwrap());
    let said = engine.recover().unwrap();
    assert!(said.contains("Recovered"), "{said}");
}

#[test]
fn what_is_no_recording_is_refused() {
    for (text, complaint) in [
        ("", "is empty"),
        ("{}", "not a line of a recording"),
        (r#"{"op":"mcm","mc":[{"id":"1.1"}]}"#, "does not define the market"),
        (&INVENTED.trim().replacen("1.1", "1.2", 1), "more than one market"),
    ] {
        let error = Recording::parse("nothing", text).unwrap_err();
        assert!(format!("{error:#}").contains(complaint), "{error:#}");
    }
    let open_ended = INVENTED.trim().rsplit_once('\n').unwrap().0;
    let recording = Recording::parse("open-ended", open_ended).unwrap();
    let error = run(&CoreExchange::new().unwrap(), recording).unwrap_err();
    assert!(error.to_string().contains("does not end with empty ladders"), "{error:#}");
}

/// What an exchange may get wrong.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Mistake {
    LosesAPenny,
    CountsAnOrderTwice,
    ForgetsALevel,
    MeetsMakersInAnotherOrder,
}

/// An exchange that is right until it is not.
struct Mistaken {
    right: CoreExchange,
    mistake: Mistake,
    answers_until: Cell<u32>,
}

impl Mistaken {
    fn now(&self) -> bool {
        let left = self.answers_until.get();
        self.answers_until.set(left.saturating_sub(1));
        left == 0
    }
}

impl Exchange for Mistaken {
    type Market = <CoreExchange as Exchange>::Market;

    async fn open_market(&self, name: &str, runners: &[RunnerId]) -> Result<Self::Market> {
        self.right.open_market(name, runners).await
    }

    async fn place(&self, market: &Self::Market, order: &Order) -> Result<u64> {
        self.right.place(market, order).await
    }

    async fn take(&self, market: &Self::Market, taker: &Order) -> Result<Taken> {
        let mut taken = self.right.take(market, taker).await?;
        if let (Mistake::MeetsMakersInAnotherOrder, Taken::Fills(fills)) = (self.mistake, &mut taken) {
            fills.reverse();
        }
        Ok(taken)
    }

    async fn cancel(&self, market: &Self::Market, order_id: u64, keep: Quantity) -> Result<()> {
        self.right.cancel(market, order_id, keep).await
    }

    async fn book(&self, market: &Self::Market, runner: usize) -> Result<[Vec<BookLevel>; 2]> {
        let mut book = self.right.book(market, runner).await?;
        if let Some(level) = book[1].last_mut()
            && self.now()
        {
            match self.mistake {
                Mistake::LosesAPenny => level.quantity.0 -= 100,
                Mistake::CountsAnOrderTwice => level.orders += 1,
                Mistake::ForgetsALevel => drop(book[1].pop()),
                Mistake::MeetsMakersInAnotherOrder => {}
            }
        }
        Ok(book)
    }

    async fn close_market(&self, market: &Self::Market) -> Result<()> {
        self.right.close_market(market).await
    }
}

#[test]
fn a_mistaken_exchange_is_found_out() {
    for (mistake, complaint) in [
        (Mistake::LosesAPenny, "line 3: runner 7, No: as level 2 the exchange has 0 at 1.99"),
        (
            Mistake::CountsAnOrderTwice,
            "line 3: runner 7, No: as level 2 the exchange has 100 at 1.99 in 2 orders",
        ),
        (Mistake::ForgetsALevel, "line 3: runner 7, No: as level 2 the exchange has no level"),
        (Mistake::MeetsMakersInAnotherOrder, "line 4: Order"),
    ] {
        let right = CoreExchange::new().unwrap();
        let exchange = Mistaken { right, mistake, answers_until: Cell::new(1) };
        let error = format!("{:#}", run(&exchange, invented()).unwrap_err());
        assert!(error.contains(complaint), "{mistake:?}: {error}");
    }
}
