//! Measures the budgets of 5.2. Run it by `cargo bench -p powerfill-tests`. With `-- --xl` it adds
//! the largest book; with `-- --postgres`, `-- --http`, or `-- --history` it measures that part
//! alone.
//!
//! Prints the machine and a table. The engine runs in a process per book, so that each peak of
//! memory belongs to one book. Nothing here passes or fails: a timed test would fail on a busy
//! machine.

mod audit;
mod cancel;
mod child;
mod history;
mod http;
mod machine;
mod postgres;
mod store;

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

use powerfill_generator::{Scale, generate};
use powerfill_tables::event_index::IndexEntry;

use child::{EngineMeasurement, PeakMemory};

/// Seed of the books.
const SEED: u64 = 7;

fn main() {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let has = |flag: &str| args.iter().any(|arg| arg == flag);
    match args.as_slice() {
        [what, folder, runs] if what == child::ENGINE => {
            child::engine(Path::new(folder), runs.parse().unwrap());
        }
        [what, address] if what == http::BAD => http::misbehave(address),
        _ if has("--bench") && has("--postgres") => only_postgres(),
        _ if has("--bench") && has("--http") => only_http(),
        _ if has("--bench") && has("--history") => only_history(),
        _ if has("--bench") => bench(has("--xl")),
        // `cargo test --all-targets` starts benchmarks without `--bench`.
        _ => println!(
            "nothing measured; run `cargo bench -p powerfill-tests [-- --xl | --postgres | --http | \
             --history]`"
        ),
    }
}

/// Prints a row of the table: subject, budget, measurement.
fn row(what: &str, budget: &str, measured: &str) {
    println!("| {what} | {budget} | {measured} |");
}

fn only_postgres() {
    let powerfill = powerfill();
    let folder = tempfile::tempdir().unwrap();
    let (demo, l) = (folder.path().join("demo"), folder.path().join("l"));
    generate(&Scale::Demo.sizes(), SEED, &demo).unwrap();
    generate(&Scale::L.sizes(), SEED, &l).unwrap();
    machine::describe();
    println!("| what | budget | measured |\n|---|---|---|");
    postgres::bench(&powerfill, &demo, &l);
}

fn only_history() {
    let powerfill = powerfill();
    machine::describe();
    println!("| what | budget | measured |\n|---|---|---|");
    postgres::with_databases(|databases| history::bench(&powerfill, Some(databases)));
}

fn only_http() {
    let powerfill = powerfill();
    let folder = tempfile::tempdir().unwrap();
    let (demo, l) = (folder.path().join("demo"), folder.path().join("l"));
    generate(&Scale::Demo.sizes(), SEED, &demo).unwrap();
    generate(&Scale::L.sizes(), SEED, &l).unwrap();
    let store = folder.path().join("l.db");
    machine::describe();
    println!("| what | budget | measured |\n|---|---|---|");
    whole_run(&powerfill, &l, &store, "l", 1, "30 s, 3 GiB");
    http::bench(&powerfill, &demo, &l, &store);
}

fn bench(with_xl: bool) {
    let powerfill = powerfill();
    let folder = tempfile::tempdir().unwrap();
    let book = |scale: Scale| {
        let at = folder.path().join(scale.name());
        generate(&scale.sizes(), SEED, &at).unwrap();
        at
    };
    let (demo, l) = (book(Scale::Demo), book(Scale::L));
    machine::describe();
    println!("| what | budget | measured |\n|---|---|---|");
    let small = engine(Scale::Demo, &demo, 15, "0.15 s");
    engine(Scale::L, &l, 3, "–");
    if with_xl {
        let xl = book(Scale::Xl);
        let large = engine(Scale::Xl, &xl, 1, "60 s, 10 GiB");
        let times = large.nanos_per_candidate() * 100 / small.nanos_per_candidate();
        let times = format!("{}.{:02} ×", times / 100, times % 100);
        row("time per candidate at xl against demo", "1.5 ×", &times);
        std::fs::remove_dir_all(xl).unwrap();
    }
    whole_run(&powerfill, &demo, &folder.path().join("demo.db"), "demo", 5, "2 s");
    audit::steps(&folder.path().join("demo.db"));
    audit::commands(&powerfill, &folder.path().join("demo.db"), "demo");
    let store = folder.path().join("l.db");
    whole_run(&powerfill, &l, &store, "l", 1, "30 s, 3 GiB");
    let opened = powerfill_sqlite::SqliteStore::open_existing(&store).unwrap();
    store::runtime().block_on(store::read_back_and_fold(&opened, "SQLite"));
    drop(opened);
    let (loan, trade) = store::busiest(&store);
    explain(&powerfill, &store, "loan", &loan);
    explain(&powerfill, &store, "trade", &trade);
    audit::commands(&powerfill, &store, "l");
    store::append(&demo, &folder.path().join("append.db"));
    http::bench(&powerfill, &demo, &l, &store);
    postgres::bench(&powerfill, &demo, &l);
}

/// The program that `POWERFILL_BENCH` names, or else the release build.
fn powerfill() -> PathBuf {
    if let Some(given) = std::env::var_os("POWERFILL_BENCH") {
        return given.into();
    }
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let built = Command::new(cargo)
        .args(["build", "--release", "--package", "powerfill-cli"])
        .status()
        .unwrap();
    assert!(built.success(), "the program does not build");
    // This program is in target/release/deps.
    let here = std::env::current_exe().unwrap();
    here.ancestors().nth(2).unwrap().join("powerfill")
}

/// Measures the engine alone, from a snapshot in memory to all events in memory.
fn engine(scale: Scale, book: &Path, runs: usize, budget: &str) -> EngineMeasurement {
    let engine = EngineMeasurement::measure(book, runs);
    let measured = format!(
        "{} (least {}) of {runs}, {} of processor time; {} candidates, {} ns each; peak {}",
        seconds(engine.median),
        seconds(engine.least),
        seconds(engine.processor),
        engine.candidates,
        engine.nanos_per_candidate(),
        mebibytes(engine.peak_kib),
    );
    row(&format!("engine alone, `{scale}`"), budget, &measured);
    let share = engine.checks * 100 / engine.least;
    let measured = format!("{}, {share} % of the engine's time", seconds(engine.checks));
    row(&format!("the invariants of 2.12, `{scale}`"), "20 %", &measured);
    engine
}

/// Times one `run dir:` from start to exit: microseconds, and the peak of memory in KiB.
fn timed_run(powerfill: &Path, book: &Path, store: &str) -> (u128, u64) {
    let begun = Instant::now();
    let child = Command::new(powerfill)
        .arg("run")
        .arg(format!("dir:{}", book.display()))
        .args(["--store", store])
        .stdout(std::process::Stdio::null())
        .stderr(std::process::Stdio::null())
        .spawn()
        .unwrap();
    let peak = PeakMemory::until_exit(child);
    (begun.elapsed().as_micros(), peak)
}

/// Times `run dir:` with every event and every table durable in SQLite, in wall-clock time.
fn whole_run(powerfill: &Path, book: &Path, store: &Path, scale: &str, runs: usize, budget: &str) {
    let mut times = Vec::new();
    let mut peak = 0;
    for _ in 0..runs {
        store::remove(store);
        let (micros, kib) = timed_run(powerfill, book, &format!("sqlite:{}", store.display()));
        times.push(micros);
        peak = kib.max(peak);
    }
    times.sort_unstable();
    let (median, least) = (times[runs / 2], times[0]);
    let measured = format!(
        "{} (least {}) of {runs}; peak {}; the file has {}",
        seconds(median),
        seconds(least),
        mebibytes(peak),
        mebibytes(store.metadata().unwrap().len() / 1024),
    );
    row(&format!("`run dir:` at `{scale}`, SQLite, durable"), budget, &measured);
}

/// Times `explain` of the loan or the trade that most events name.
fn explain(powerfill: &Path, store: &Path, what: &str, entry: &IndexEntry) {
    let store = format!("sqlite:{}", store.display());
    let mut times: Vec<u128> = (0..5)
        .map(|_| {
            let begun = Instant::now();
            let subject = [format!("--{what}"), entry.subject.name.clone()];
            let place = ["--store", &store];
            let mut explain = Command::new(powerfill);
            let done =
                explain.args(["explain", "latest"]).args(subject).args(place).output().unwrap();
            assert!(done.status.success(), "explain: {}", String::from_utf8_lossy(&done.stderr));
            begun.elapsed().as_micros()
        })
        .collect();
    times.sort_unstable();
    let measured = format!(
        "{} (least {}) of 5, from start to exit; named by {} events",
        seconds(times[2]),
        seconds(times[0]),
        store::events_of(entry),
    );
    row(&format!("explain one {what} of an `l` run"), "0.2 s", &measured);
}

/// Formats microseconds as seconds.
pub(crate) fn seconds(micros: u128) -> String {
    format!("{}.{:03} s", micros / 1_000_000, micros / 1_000 % 1_000)
}

pub(crate) fn mebibytes(kib: u64) -> String {
    format!("{} MiB", kib / 1024)
}
