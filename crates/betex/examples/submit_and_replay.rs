//! Submits orders, waits for their answers, and reads back what happened from the journal:
//! `cargo run -p betex --example submit_and_replay`.

#![expect(clippy::print_stdout, reason = "it shows what happens")]

use betex::book::State;
use betex::prelude::*;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let directory = tempfile::tempdir()?;
    let engine = EngineBuilder::new(Config::default(), directory.path())?.build()?;

    // The engine chooses the market's number and says so in its answer.
    let market = NewMarket { state: BookMarketState::Open, ..NewMarket::new("final", ["Home", "Away"]) };
    let created = engine.call(Command::new(MarketId::NONE, CommandKind::CreateMarket(Box::new(market))))?;
    let Ok(Receipt::MarketCreated(market)) = created.result else { return Err("not created".into()) };

    // Alice lays Home at 2.50 for a backer's stake of 100.00; Bob backs it for 40.00.
    let (home, price) = (RunnerId(1), Price::from(OddsX10000(25_000)));
    let alice = NewOrder::limit(home, Side::No, price, Money(1_000_000).into()).by(AccountId(1));
    let bob = NewOrder::limit(home, Side::Yes, price, Money(400_000).into()).by(AccountId(2));
    for order in [alice, bob] {
        let response = engine.call(Command::new(market, CommandKind::SubmitOrder(order)))?;
        match response.result {
            Ok(Receipt::Order { report, .. }) => println!("accepted: {report:?}"),
            Ok(other) => println!("unexpected: {other:?}"),
            Err(rejection) => println!("rejected: {rejection}"),
        }
    }
    let live = engine.read().digest();
    engine.stop();

    // Everything that happened, from the first event on; applied to an empty state it is the state.
    let (mut state, mut events) = (State::new(), Vec::new());
    let mut journal = JournalReader::open_dir(directory.path())?;
    while let Some(stamp) = journal.next_transaction(&mut events)? {
        state.apply(&stamp, &events);
        for event in &events {
            println!("{}: {event:?}", stamp.sequence);
        }
    }
    assert_eq!(state.digest(), live);
    println!("replayed {} events: the state is the same", state.sequence());
    Ok(())
}
