//! What a long history costs: commands on a store with one run, and on one with a thousand runs of
//! the same small book; and the verification of a year of `demo` runs, estimated from a few.
//!
//! `HISTORY_RUNS=20` makes fewer runs, to try the measurement itself.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Instant;

use powerfill_generator::{Scale, generate};

use crate::child::PeakMemory;
use crate::{SEED, mebibytes, row, seconds};

/// Runs of the long history.
const RUNS: usize = 1_000;
/// The measurements of which the median is taken.
const ROUNDS: usize = 9;
/// Runs of `demo`, at most as many as runs of the long history.
const DEMO_RUNS: u64 = 10;
/// Four runs per working day.
const RUNS_PER_YEAR: u64 = 1_000;

struct History<'a> {
    powerfill: &'a Path,
    folder: &'a Path,
    runs: usize,
}

/// Measures on SQLite, and on PostgreSQL if the URLs of two empty databases are given.
pub(crate) fn bench(powerfill: &Path, databases: Option<[String; 2]>) {
    let folder = tempfile::tempdir().unwrap();
    let runs = std::env::var("HISTORY_RUNS").map_or(RUNS, |runs| runs.parse().unwrap());
    let history = History { powerfill, folder: folder.path(), runs };
    let mut sizes = Scale::Demo.sizes().with_trades(20);
    (sizes.loans, sizes.pools) = (60, 10);
    generate(&sizes, SEED, &folder.path().join("book")).unwrap();
    let files = ["one", "many"].map(|name| format!("sqlite:{name}.db"));
    history.compare("SQLite", &files);
    if let Some(databases) = databases {
        history.compare("PostgreSQL", &databases);
    }
    history.verify_a_year();
}

impl History<'_> {
    fn start(&self, store: &str, line: &str) -> Child {
        let mut command = Command::new(self.powerfill);
        command.args(line.split(' ')).current_dir(self.folder).env("POWERFILL_STORE", store);
        command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap()
    }

    /// The median time from start to exit in microseconds, and the peak of memory in KiB.
    fn measure(&self, store: &str, line: &str) -> (u128, u64) {
        let (mut times, mut peak) = (Vec::new(), 0);
        for _ in 0..ROUNDS {
            let begun = Instant::now();
            let mut child = self.start(store, line);
            // Reads as fast as the command prints.
            let mut out = child.stdout.take().unwrap();
            let reader = std::thread::spawn(move || std::io::copy(&mut out, &mut std::io::sink()));
            peak = PeakMemory::until_exit(child).max(peak);
            reader.join().unwrap().unwrap();
            times.push(begun.elapsed().as_micros());
        }
        times.sort_unstable();
        (times[ROUNDS / 2], peak)
    }

    /// The time from the start of a service to its first line, which says where it listens.
    fn serve(&self, store: &str) -> (u128, u64) {
        let settings = format!("[tenants.GENERATED]\nstore = \"{store}\"\nsource = \"dir:book\"\n");
        std::fs::write(self.folder.join("powerfill.toml"), settings).unwrap();
        let mut times = Vec::new();
        let mut peak = 0;
        for _ in 0..ROUNDS {
            let begun = Instant::now();
            let mut service = Command::new(self.powerfill)
                .args(["serve", "--listen", "127.0.0.1:0"])
                .current_dir(self.folder)
                .stdout(Stdio::piped())
                .stderr(Stdio::null())
                .spawn()
                .unwrap();
            let mut line = String::new();
            BufReader::new(service.stdout.take().unwrap()).read_line(&mut line).unwrap();
            times.push(begun.elapsed().as_micros());
            peak = PeakMemory::of(&service.id().to_string()).unwrap_or_default().max(peak);
            service.kill().unwrap();
            service.wait().unwrap();
        }
        std::fs::remove_file(self.folder.join("powerfill.toml")).unwrap();
        times.sort_unstable();
        (times[ROUNDS / 2], peak)
    }

    fn compare(&self, name: &str, [one, many]: &[String; 2]) {
        let count = self.runs;
        for (store, runs) in [(one, 1), (many, count)] {
            for _ in 0..runs {
                assert!(
                    self.start(store, "run dir:book").wait_with_output().unwrap().status.success()
                );
            }
        }
        let oldest = |store: &str| {
            let listed = self.start(store, "runs --format csv").wait_with_output().unwrap().stdout;
            let listed = String::from_utf8(listed).unwrap();
            listed.lines().last().unwrap().split(',').nth(1).unwrap().to_owned()
        };
        let oldest = [oldest(one), oldest(many)];
        for line in [
            "runs",
            "show latest",
            "tables latest pfill_trade_recap",
            "tables OLDEST pfill_trade_recap",
            "explain latest --loan L00000001",
            "explain OLDEST --loan L00000001",
            "serve",
            "run dir:book",
        ] {
            let measured = [one, many].map(|store| match line {
                "serve" => self.serve(store),
                _ => {
                    let run = &oldest[usize::from(store == many)];
                    self.measure(store, &line.replace("OLDEST", run))
                }
            });
            let [(time_one, peak_one), (time_many, peak_many)] = measured;
            let measured = format!(
                "{} and {}; peak {} and {}",
                seconds(time_one),
                seconds(time_many),
                mebibytes(peak_one),
                mebibytes(peak_many)
            );
            row(&format!("`{line}` with 1 and with {count} runs, {name}"), "±20 %", &measured);
        }
    }

    fn verify_a_year(&self) {
        generate(&Scale::Demo.sizes(), SEED, &self.folder.join("demo")).unwrap();
        let file = self.folder.join("year.db");
        let runs = DEMO_RUNS.min(self.runs as u64);
        let mut size = Vec::new();
        for _ in 0..runs {
            let run = self.start("sqlite:year.db", "run dir:demo");
            assert!(run.wait_with_output().unwrap().status.success());
            size.push(file.metadata().unwrap().len());
        }
        let begun = Instant::now();
        let peak = PeakMemory::until_exit(self.start("sqlite:year.db", "verify"));
        let per_run = begun.elapsed().as_micros() / u128::from(runs);
        let growth = (size[size.len() - 1] - size[0]) / (runs - 1).max(1);
        let measured = format!(
            "{} per run, {} for {RUNS_PER_YEAR}; peak {}",
            seconds(per_run),
            seconds(per_run * u128::from(RUNS_PER_YEAR)),
            mebibytes(peak)
        );
        row(&format!("`verify` of {runs} `demo` runs"), "600 s per year", &measured);
        let measured = format!(
            "{} per further run, {} for {RUNS_PER_YEAR}",
            mebibytes(growth / 1024),
            mebibytes((size[0] + growth * (RUNS_PER_YEAR - 1)) / 1024)
        );
        row("the file of `demo` runs", "10 GB per year", &measured);
    }
}
