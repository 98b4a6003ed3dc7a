//! Measures BetEx: `cargo run --release -p betex-bench --bin bench`.

use std::alloc::{GlobalAlloc, Layout, System};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use betex_bench::driver::Pace;
use betex_bench::flow::{Flow, Shape};
use betex_bench::report::Figures;
use betex_bench::{core_speed, dearest, engine_speed, floor, grpc_speed};
use clap::Parser;

struct Counting;
static ALLOCATIONS: AtomicU64 = AtomicU64::new(0);

// SAFETY: hands everything on to the system's allocator.
#[expect(unsafe_code, reason = "counting allocations needs a global allocator")]
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        ALLOCATIONS.fetch_add(1, Ordering::Relaxed);
        // SAFETY: as the caller promised.
        unsafe { System.alloc(layout) }
    }
    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // SAFETY: as the caller promised.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// Measures BetEx. Compare figures of one run: machines differ, and are busy.
#[derive(clap::Parser)]
struct Options {
    /// What to measure; `bare-server` is what the measure `grpc` starts beside the real one.
    #[arg(value_enum, default_values_t = [Measure::Core, Measure::Dearest, Measure::Engine, Measure::Recovery, Measure::Grpc])]
    measures: Vec<Measure>,
    /// The port of `bare-server`.
    #[arg(long, default_value_t = 0)]
    port: u16,
    /// One JSON object a line instead of text.
    #[arg(long)]
    json: bool,
    /// Where journals are written: the disk that is measured.
    #[arg(long, default_value = "target")]
    directory: PathBuf,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum Measure {
    /// One thread, decide and apply, no journal.
    Core,
    /// The most that one command can cost in the core, in books made for it.
    Dearest,
    /// The embedded engine with its journal, and the floor beside it.
    Engine,
    /// An engine that starts over a long journal, without a snapshot and with one.
    Recovery,
    /// An engine that starts after a day of ten million commands: takes half a minute or more.
    Day,
    /// The server over loopback, which has to be built beside this program, and a bare one.
    Grpc,
    /// Answers every call with nothing.
    BareServer,
}

const OPERATIONS: usize = 1_000_000;
const FULL_BOOK: u32 = 300_000;

fn main() -> anyhow::Result<()> {
    let options = Options::parse();
    let print = |figures: Figures| {
        #[expect(clippy::print_stdout, reason = "what it is for")]
        if options.json { println!("{}", figures.json()) } else { println!("{figures}") }
    };
    for measure in &options.measures {
        match measure {
            Measure::Core => {
                let shapes = [1, 16].map(Shape::Direct).into_iter().chain([3, 8].map(Shape::Sets));
                for shape in shapes.chain([Shape::Binary]) {
                    print(core_speed::measure(shape, OPERATIONS, || ALLOCATIONS.load(Ordering::Relaxed)));
                }
            }
            Measure::Dearest => dearest::measure().for_each(print),
            Measure::Engine => engine(&options.directory, print)?,
            Measure::Recovery => {
                let (commands, _) = core_speed::record(Flow::new(Shape::Direct(1)), OPERATIONS);
                print(engine_speed::measure_recovery(&commands, &options.directory)?);
                let name = format!("recovery of {} commands, with a snapshot", commands.len());
                print(engine_speed::measure_snapshot(&name, &commands, &options.directory)?);
                let orders = engine_speed::full_book(FULL_BOOK);
                let name = format!("recovery of {FULL_BOOK} resting orders, with a snapshot");
                print(engine_speed::measure_snapshot(&name, &orders, &options.directory)?);
            }
            Measure::Day => print(engine_speed::measure_day(10_000_000, &options.directory)?),
            Measure::Grpc => {
                let (commands, _) = core_speed::record(Flow::new(Shape::Direct(1)), OPERATIONS);
                for (in_flight, count) in [(1, 5_000), (16, 50_000), (64, 100_000)] {
                    grpc_speed::measure(&commands[..count], in_flight, &options.directory, print)?;
                }
            }
            Measure::BareServer => grpc_speed::serve_bare(options.port)?,
        }
    }
    Ok(())
}

fn engine(directory: &Path, print: impl Fn(Figures)) -> anyhow::Result<()> {
    let (commands, _) = core_speed::record(Flow::new(Shape::Direct(1)), OPERATIONS);
    let closed = [(1, 5_000), (512, 500_000), (8_192, OPERATIONS)].map(|(outstanding, count)| {
        (format!("closed, {outstanding} outstanding"), Pace::Closed(outstanding), count)
    });
    let open = [(10_000, 50_000), (50_000, 250_000), (200_000, OPERATIONS)]
        .map(|(rate, count)| (format!("open, {rate}/s"), Pace::Open(rate), count));
    for (name, pace, count) in closed.into_iter().chain(open) {
        print(floor::measure(&format!("floor {name}"), count, pace, directory)?);
        print(engine_speed::measure(&format!("engine {name}"), &commands[..count], pace, directory)?);
    }
    Ok(())
}
