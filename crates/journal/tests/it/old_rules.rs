//! What a server wrote under the old rules, when complete sets at odds were rounded to whole pennies, opens and makes
//! the state that it made then. Both fixtures are data directories of the last server with those rules, driven over
//! gRPC; the texts beside them are what that server's own code found in them. None of them is ever changed.
//!
//! `whole`: a journal from its first event on, with two snapshots. `pruned`: the same exchange later. Its first
//! segments were removed, so it opens from a snapshot. There are 170 sets of two to eight outcomes at CLASSIC and
//! FINEST odds and in ticks; makers filled in part, quarter lines with one half filled, orders of every time in force
//! and every self-trade mode, client order ids, reduced and cancelled and expired orders, a mass cancel, void trades,
//! an outcome added and one removed, holds, a phase, and markets suspended, closed and forgotten.

mod books;
mod packed;

use std::collections::BTreeMap;
use std::sync::Arc;

use betex_core::command::{CommandKind, NewOrder, OrderRef};
use betex_core::decide::decide;
use betex_core::event::{Event, OutcomeIndex};
use betex_core::image::Piece;
use betex_core::reject::Rejection;
use betex_core::state::State;
use betex_core::types::{AccountId, MarketId, OrderId, Price, Quantity, RunnerId, Side};
use betex_journal::record::BodyEncoder;
use betex_journal::{JournalFiles, NextFrame};

use crate::desk::{Desk, EVERY, snapshot_files, try_open};
use crate::memory_storage::MemoryStorage;
use crate::tape::{Transaction, options, read_all};
use books::books;

const PACKED: [(&str, &[u8], &str); 2] = [
    (
        "whole",
        include_bytes!("../fixtures/old_rules.whole.packed"),
        include_str!("../fixtures/old_rules.whole.txt"),
    ),
    (
        "pruned",
        include_bytes!("../fixtures/old_rules.pruned.packed"),
        include_str!("../fixtures/old_rules.pruned.txt"),
    ),
];

/// A directory as it was written, and the text of its state.
fn found(name: &str) -> (MemoryStorage, &'static str) {
    let (_, packed, text) = PACKED.into_iter().find(|(is, _, _)| *is == name).unwrap();
    (packed::disk(&packed::files(packed)), text)
}

#[track_caller]
fn opened(storage: &MemoryStorage) -> Desk {
    let desk = try_open(storage.clone(), EVERY).unwrap_or_else(|error| panic!("{error}"));
    assert_eq!((desk.report.passed_over.as_slice(), desk.report.torn_tail), (&[][..], None));
    desk
}

/// Line by line, so that a failure names the first line that differs.
#[track_caller]
fn same(state: &State, text: &str) {
    let found = books(state);
    // The first line is the digest, which says less than any other.
    for (number, (line, expected)) in (1..).zip(found.lines().zip(text.lines())).skip(1) {
        assert_eq!(line, expected, "line {number}");
    }
    assert_eq!(found, text);
}

/// The state of everything that was ever written, without a snapshot.
fn replayed(storage: &MemoryStorage) -> State {
    let mut state = State::new();
    let mut replay = |stamp: &_, events: &[Event]| state.apply(stamp, events);
    drop(betex_journal::open(Arc::new(storage.kill()), &options(), &mut replay).unwrap());
    state
}

#[test]
fn they_open_and_make_the_same_state() {
    for (name, sequence, events) in [("whole", 1_950, 814), ("pruned", 3_207, 272)] {
        let (storage, text) = found(name);
        let desk = opened(&storage);
        same(&desk.state, text);
        let snapshot = desk.report.snapshot.unwrap();
        assert_eq!((snapshot.sequence, desk.report.events), (sequence, events), "{name}");
        let orders = desk.state.markets().flat_map(|market| {
            let outcomes = 0..u16::try_from(market.spec().runners.len()).unwrap();
            let sides =
                outcomes.flat_map(|outcome| [Side::Yes, Side::No].map(|side| (OutcomeIndex(outcome), side)));
            sides.flat_map(move |(outcome, side)| market.orders(outcome, side)).collect::<Vec<_>>()
        });
        let orders: Vec<_> = orders.collect();
        assert!(orders.iter().all(|order| order.fraction == 0), "there were no fractions");
        assert!(orders.iter().filter(|order| order.filled.0 > 0).count() > 100);
    }
}

/// Of the whole journal each snapshot, and none of them, leads to the same; of the other each of its two.
#[test]
fn it_does_not_matter_from_where_they_open() {
    for (name, snapshots_needed) in [("whole", 0), ("pruned", 1)] {
        let (storage, text) = found(name);
        let mut files = snapshot_files(&storage);
        assert_eq!(files.len(), 2);
        while files.len() > snapshots_needed {
            storage.delete(&files.pop().unwrap());
            if files.len() >= snapshots_needed {
                same(&opened(&storage.kill()).state, text);
            }
        }
        if snapshots_needed == 0 {
            same(&replayed(&storage), text);
        }
    }
}

/// What was written once is written so: every frame's body, and the snapshots.
#[test]
fn they_are_written_as_they_were() {
    for name in ["whole", "pruned"] {
        let (storage, _) = found(name);
        let transactions: BTreeMap<u64, Transaction> =
            read_all(storage.clone()).unwrap().into_iter().map(|it| (it.0.sequence, it)).collect();
        let files = JournalFiles::open(Arc::new(storage.clone())).unwrap();
        let mut reader = files.frames().unwrap();
        let mut frames = 0;
        while let NextFrame::Frame(frame) = reader.next_frame().unwrap() {
            let (mut encoder, mut body) = (BodyEncoder::new(), Vec::new());
            for (stamp, events) in
                transactions.range(frame.first_sequence..=frame.last_sequence()).map(|(_, it)| it)
            {
                encoder.append(&mut body, usize::MAX, stamp, events).unwrap();
            }
            let raw = files.frame(frame.number).unwrap().unwrap();
            assert!(raw.body() == body, "frame {} is written otherwise", frame.number);
            frames += 1;
        }
        assert!(frames > 150, "{name}: {frames}");
    }
    let (storage, _) = found("whole");
    let newest = snapshot_files(&storage).pop().unwrap();
    let written = storage.read(&newest);
    for file in snapshot_files(&storage) {
        storage.delete(&file);
    }
    let mut desk = opened(&storage);
    desk.snapshot();
    assert_eq!(snapshot_files(&storage), std::slice::from_ref(&newest));
    assert!(storage.read(&newest) == written, "the snapshot is written otherwise");
}

/// A retry of an order with a client order id is answered with what has become of the first.
#[test]
fn client_order_ids_are_known() {
    for name in ["whole", "pruned"] {
        let state = opened(&found(name).0).state;
        let (mut market, mut known) = (MarketId::NONE, 0);
        let told: Result<(), ()> = state.image(|piece| {
            match piece {
                Piece::Market(image) => market = image.id,
                Piece::ClientId(client) if client.account.is_some() && takes_orders(&state, market) => {
                    let price = if market.0 == 6 || market.0 == 7 { 50 } else { 20_000 };
                    let order = NewOrder::limit(RunnerId(1), Side::Yes, Price(price), Quantity(100_000))
                        .by(client.account)
                        .named(client.id);
                    let kind = CommandKind::SubmitOrder(order);
                    let mut events = Vec::new();
                    let refused =
                        decide(&state, market, &kind, state.time_ns() + 1, &mut events).unwrap_err();
                    assert_eq!(refused, Rejection::DuplicateClientId(client.report));
                    known += 1;
                }
                _ => {}
            }
            Ok(())
        });
        told.unwrap();
        assert!(known > 40, "{name}: {known}");
    }
}

fn takes_orders(state: &State, market: MarketId) -> bool {
    state.market(market).is_some_and(|market| market.state().name() == "OPEN")
}

/// A server goes on with what the old one left: orders meet its resting ones, directly and in sets.
#[test]
fn a_server_goes_on_with_them() {
    for name in ["whole", "pruned"] {
        let (storage, _) = found(name);
        let mut desk = opened(&storage);
        let (before, sequence) = (storage.image(), desk.state.sequence());
        let resting: Vec<OrderId> =
            (1..=sequence).map(OrderId).filter(|id| desk.state.order(*id).is_some()).collect();
        // Both ends of the ladder: these meet all there is, directly and in sets.
        for (market, outcomes) in [(13, 8), (14, 8), (15, 3), (16, 2), (1, 2), (2, 3), (3, 8)] {
            for (side, price) in [(Side::Yes, 10_100), (Side::No, 10_000_000)] {
                for runner in 1..=outcomes {
                    let order = NewOrder::limit(RunnerId(runner), side, Price(price), Quantity(123_400));
                    desk.run(MarketId(market), &CommandKind::SubmitOrder(order));
                }
            }
        }
        for (order, reduce) in resting.iter().step_by(40).zip([false, true].into_iter().cycle()) {
            // Halves of orders on quarter lines, which rest in market 5, are not cancelled by themselves.
            let view = desk.state.order(*order).filter(|view| view.market_id != MarketId(5));
            let Some(view) = view else { continue };
            let least = desk.state.market(view.market_id).unwrap().spec().min_quantity.0;
            let keep = if reduce && view.remaining.0 > least { least } else { 0 };
            let order = OrderRef::Id(view.id);
            let kind = CommandKind::CancelOrder { order, account_id: AccountId::NONE, keep: Quantity(keep) };
            desk.run(view.market_id, &kind);
        }
        let met = resting.iter().filter(|id| desk.state.order(**id).is_none()).count();
        let sets =
            read_all(storage.clone()).unwrap().into_iter().filter(|(stamp, _)| stamp.sequence > sequence);
        let sets = sets.flat_map(|(_, events)| events).filter(|event| matches!(event, Event::SetMatched(_)));
        let sets = sets.count();
        assert!(met > 40 && sets > 5, "{name}: {met} of the old orders are gone, {sets} sets");
        let text = books(&desk.state);
        drop(desk);
        same(&opened(&storage.kill()).state, &text);
        // And a snapshot is made of what both of them wrote.
        let filled = storage.kill();
        let mut desk = opened(&filled);
        while !desk.maker.is_needed() {
            desk.ballast();
        }
        desk.snapshot();
        let after = books(&desk.state);
        drop(desk);
        let desk = opened(&filled);
        assert!(desk.report.snapshot.is_some_and(|snapshot| snapshot.sequence > sequence));
        same(&desk.state, &after);
        if name == "whole" {
            same(&replayed(&storage), &text);
        }
        // Nothing of what was there has changed: what was written came after it.
        for (file, bytes) in before {
            let written = bytes.len() - bytes.iter().rev().take_while(|byte| **byte == 0).count();
            assert!(storage.read(&file)[..written] == bytes[..written], "{file} has changed");
        }
    }
}

#[cfg(feature = "tool")]
#[test]
fn the_program_finds_them_sound() {
    for name in ["whole", "pruned"] {
        let (_, packed, text) = PACKED.into_iter().find(|(is, _, _)| *is == name).unwrap();
        let directory = tempfile::tempdir().unwrap();
        for (file, content) in packed::files(packed) {
            let path = directory.path().join(file);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, content).unwrap();
        }
        let verify = std::process::Command::new(env!("CARGO_BIN_EXE_betex-journal"))
            .arg("verify")
            .arg(directory.path())
            .output()
            .unwrap();
        let said = String::from_utf8(verify.stdout).unwrap();
        let digest = text.lines().next().unwrap().strip_prefix("digest ").unwrap();
        assert_eq!(verify.status.code(), Some(0), "{said}");
        assert!(said.contains(&format!("Digest of the state: {digest}")), "{said}");
        assert_eq!(said.matches(" is right: ").count(), 2, "{said}");
    }
}
