//! Measuring in processes of their own.

use std::path::Path;
use std::process::{Child, Command};
use std::time::{Duration, Instant};

use powerfill_events::run::RunEvent;
use powerfill_snapshot::{RunOptions, validate};

/// What tells this program that it is the engine's process.
pub(crate) const ENGINE: &str = "measure-engine";

/// What the engine took, in microseconds.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Engine {
    pub(crate) median: u128,
    pub(crate) least: u128,
    /// Time on all processors, on average a run: what stays the same on a busy machine.
    pub(crate) processor: u128,
    /// The second opinion on the events.
    pub(crate) checks: u128,
    pub(crate) candidates: u128,
    pub(crate) peak_kib: u64,
}

impl Engine {
    /// The engine on a book, this often, in another process.
    pub(crate) fn measure(book: &Path, runs: usize) -> Self {
        let here = std::env::current_exe().unwrap();
        let done = Command::new(here).arg(ENGINE).arg(book).arg(runs.to_string()).output().unwrap();
        assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
        let told = String::from_utf8(done.stdout).unwrap();
        let told: Vec<u128> = told.split_whitespace().map(|word| word.parse().unwrap()).collect();
        let [median, least, processor, checks, candidates, peak_kib] = told[..] else {
            panic!("the engine's process said {told:?}")
        };
        let peak_kib = u64::try_from(peak_kib).unwrap();
        Self { median, least, processor, checks, candidates, peak_kib }
    }

    pub(crate) fn nanos_per_candidate(&self) -> u128 {
        self.least * 1_000 / self.candidates
    }
}

/// The engine's process: reads the book, decides it, says what [`Engine::measure`] wants to know.
pub(crate) fn engine(book: &Path, runs: usize) {
    let snapshot = validate(powerfill_csv::read_folder(book).unwrap()).unwrap().snapshot;
    let options = RunOptions::default();
    let mut times = Vec::new();
    let mut events = Vec::new();
    let busy_before = processor_time();
    for _ in 0..runs {
        drop(std::mem::take(&mut events));
        let begun = Instant::now();
        events = powerfill_engine::decide_all(&snapshot, &options);
        times.push(begun.elapsed().as_micros());
    }
    let processor = (processor_time() - busy_before) / runs as u128;
    // Before the checks, whose memory is not the engine's.
    let peak_kib = Peak::of("self").unwrap();
    let begun = Instant::now();
    powerfill_checks::verify(&snapshot, &options, &[&events]).unwrap();
    let checks = begun.elapsed().as_micros();
    times.sort_unstable();
    let candidates = events.iter().filter(|e| matches!(e, RunEvent::CandidateScored(_))).count();
    println!("{} {} {processor} {checks} {candidates} {peak_kib}", times[runs / 2], times[0]);
}

/// What this process has had of all processors, in microseconds; the system counts in hundredths of a second.
fn processor_time() -> u128 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap();
    // Behind the name in brackets: the state is field 3, user and system time are fields 14 and 15.
    let fields = stat.rsplit_once(')').unwrap().1.split_whitespace().skip(11).take(2);
    fields.map(|ticks| ticks.parse::<u128>().unwrap() * 10_000).sum()
}

/// The most memory that a process has had resident, in KiB.
pub(crate) struct Peak;

impl Peak {
    /// That of a process by its number; `None` once it has ended.
    pub(crate) fn of(process: &str) -> Option<u64> {
        let status = std::fs::read_to_string(format!("/proc/{process}/status")).ok()?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
        line.split_whitespace().next()?.parse().ok()
    }

    /// Waits for a process, and asks now and then.
    pub(crate) fn until_it_ends(mut child: Child) -> u64 {
        let process = child.id().to_string();
        let mut peak = 0;
        loop {
            peak = Self::of(&process).unwrap_or(0).max(peak);
            if let Some(ended) = child.try_wait().unwrap() {
                assert!(ended.success(), "the program ended with {ended}");
                return peak;
            }
            std::thread::sleep(Duration::from_millis(5));
        }
    }
}
