//! A fixed set of seeds, and bugs that are built in on purpose, which must be found.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;

use betex_sim::{Report, STEPS, Sabotage, run};

/// Seeds that every test run plays. Handlers that are cut off are rare; in the last ones there are some.
const SEEDS: [RangeInclusive<u64>; 2] = [1..=12, 91..=96];
/// Seeds in which each bug is looked for.
const PATIENCE: u64 = 8;

fn play(seed: u64) -> Report {
    match run(seed, STEPS, None) {
        Ok(report) => report,
        Err((failure, step)) => panic!(
            "seed {seed}, step {step}: {failure}\nplay it again: cargo run --release -p betex-sim -- --from {seed} \
             --seeds 1 --steps {STEPS}"
        ),
    }
}

#[test]
fn every_promise_is_kept_and_everything_happens() {
    let mut all = Report::default();
    let seeds: Vec<u64> = SEEDS.into_iter().flatten().collect();
    seeds.iter().for_each(|seed| all.add(&play(*seed)));
    println!("proof: {} seeds of the simulator\n{all}", seeds.len());
    for (what, times) in [
        ("kills", all.kills),
        ("power cuts", all.power_cuts),
        ("deaths in a call", all.deaths),
        ("journal failures", all.journal_failures),
        ("stops", all.stops),
        ("starts that the disk refused", all.failed_starts),
        ("torn tails", all.torn_tails),
        ("segments that were not prepared", all.unprepared),
        ("snapshots", all.snapshots),
        ("snapshots that failed", all.snapshots_failed),
        ("starts from a snapshot", all.from_snapshots),
        ("segments removed", all.pruned),
        ("handlers that came too late", all.came_too_late),
        ("handlers that hung too long", all.let_go),
        ("handlers cut off", all.cut_off),
        ("bits that were refused", all.bits_refused),
        ("bits that did no harm", all.bits_turned - all.bits_refused),
        ("transactions durable and not shown", all.unseen),
        ("trades", all.trades),
        ("sets", all.sets),
        ("rejections", all.rejected),
        ("answers lost", all.lost),
        ("orders refused by full lanes", all.lane_full),
        ("orders refused by full disks", all.disk_full),
        ("events caught up", all.caught_up),
        ("events heard at once", all.heard - all.caught_up),
    ] {
        assert!(times > 0, "no {what}:\n{all}");
    }
}

#[test]
fn the_same_seed_is_the_same_run() {
    assert_eq!(play(7), play(7));
    assert_ne!(play(7).trace, play(8).trace);
}

#[test]
fn every_bug_on_purpose_is_found_by_its_check() {
    for sabotage in Sabotage::ALL {
        let mut found = BTreeMap::<_, u64>::new();
        for seed in 1..=PATIENCE {
            if let Err((failure, step)) = run(seed, STEPS, Some(sabotage)) {
                if found.is_empty() {
                    println!("{sabotage:?}, seed {seed}, step {step}: {failure:.300}");
                }
                *found.entry(failure.check).or_default() += 1;
            }
        }
        println!("{sabotage:?}: found in {} of {PATIENCE} seeds: {found:?}", found.values().sum::<u64>());
        assert!(found.contains_key(&sabotage.found_by()), "{sabotage:?}: {found:?}");
    }
}
