//! Runs the engine once on the demo book. `tests/count.rs` counts the instructions of
//! [`run_engine`] and of nothing else.

use std::path::Path;
use std::process::ExitCode;

use powerfill_engine::{Observer, decide};
use powerfill_events::run::RunEvent;
use powerfill_generator::{Scale, generate};
use powerfill_snapshot::{RunOptions, Snapshot, validate};

/// Every number of the committed count depends on this seed.
const SEED: u64 = 7;

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    match args.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["generate", folder] => {
            generate(&Scale::Demo.sizes(), SEED, Path::new(folder))
                .expect("the folder is writable");
        }
        ["run", folder] => {
            // The main thread does the work of all: callgrind counts the thread that enters
            // `run_engine`, and stealing between threads would add instructions by chance.
            let pool = rayon::ThreadPoolBuilder::new().num_threads(1).use_current_thread();
            pool.build_global().expect("the only pool of the process");
            let tables = powerfill_csv::read_folder(Path::new(folder)).expect("the folder exists");
            let snapshot = validate(tables).expect("a generated book is valid").snapshot;
            let events = run_engine(&snapshot, &RunOptions::default());
            println!("{events} events of {} loans", snapshot.loans.len());
        }
        _ => {
            eprintln!("usage: powerfill-instructions generate|run FOLDER");
            return ExitCode::from(2);
        }
    }
    ExitCode::SUCCESS
}

/// Drops the events at once, as an observer without a store would.
struct EventCounter(usize);

impl Observer for EventCounter {
    fn events(&mut self, chunk: Vec<RunEvent>) {
        self.0 += chunk.len();
    }
}

/// The counted function; its name is in `tests/count.rs`.
#[inline(never)]
fn run_engine(snapshot: &Snapshot, options: &RunOptions) -> usize {
    let mut counter = EventCounter(0);
    decide(snapshot, options, &mut counter).expect("this observer never cancels");
    counter.0
}
