//! Measurements in child processes.

use std::path::Path;
use std::process::{Child, Command};
use std::time::{Duration, Instant};

use powerfill_events::run::RunEvent;
use powerfill_snapshot::{RunOptions, validate};

/// The argument that makes this program the engine's child process.
pub(crate) const ENGINE: &str = "measure-engine";

/// Times of the engine in microseconds, and its peak of memory.
#[derive(Debug, Clone, Copy)]
pub(crate) struct EngineMeasurement {
    pub(crate) median: u128,
    pub(crate) least: u128,
    /// Processor time per run on average, which stays the same on a busy machine.
    pub(crate) processor: u128,
    /// Time of the checks of 2.12.
    pub(crate) checks: u128,
    pub(crate) candidates: u128,
    pub(crate) peak_kib: u64,
}

impl EngineMeasurement {
    /// Runs the engine on a book this often in another process.
    pub(crate) fn measure(book: &Path, runs: usize) -> Self {
        let here = std::env::current_exe().unwrap();
        let done = Command::new(here).arg(ENGINE).arg(book).arg(runs.to_string()).output().unwrap();
        assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
        let output = String::from_utf8(done.stdout).unwrap();
        let numbers: Vec<u128> =
            output.split_whitespace().map(|word| word.parse().unwrap()).collect();
        let [median, least, processor, checks, candidates, peak_kib] = numbers[..] else {
            panic!("the engine's process printed {numbers:?}")
        };
        let peak_kib = u64::try_from(peak_kib).unwrap();
        Self { median, least, processor, checks, candidates, peak_kib }
    }

    pub(crate) fn nanos_per_candidate(&self) -> u128 {
        self.least * 1_000 / self.candidates
    }
}

/// Reads the book, decides it, and prints the numbers that [`EngineMeasurement::measure`] reads.
pub(crate) fn engine(book: &Path, runs: usize) {
    let snapshot = validate(powerfill_csv::read_folder(book).unwrap()).unwrap().snapshot;
    let options = RunOptions::default();
    let mut times = Vec::new();
    let mut events = Vec::new();
    let time_before = processor_time();
    for _ in 0..runs {
        drop(std::mem::take(&mut events));
        let begun = Instant::now();
        events = powerfill_engine::decide_all(&snapshot, &options);
        times.push(begun.elapsed().as_micros());
    }
    let processor = (processor_time() - time_before) / runs as u128;
    // Before the checks, whose memory is not the engine's.
    let peak_kib = PeakMemory::of("self").unwrap();
    let begun = Instant::now();
    powerfill_checks::verify(&snapshot, &options, &[&events]).unwrap();
    let checks = begun.elapsed().as_micros();
    times.sort_unstable();
    let candidates = events.iter().filter(|e| matches!(e, RunEvent::CandidateScored(_))).count();
    println!("{} {} {processor} {checks} {candidates} {peak_kib}", times[runs / 2], times[0]);
}

/// Processor time of this process in microseconds; the system counts in hundredths of a second.
fn processor_time() -> u128 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap();
    // Behind the name in brackets: the state is field 3, user and system time are fields 14 and 15.
    let fields = stat.rsplit_once(')').unwrap().1.split_whitespace().skip(11).take(2);
    fields.map(|ticks| ticks.parse::<u128>().unwrap() * 10_000).sum()
}

/// The peak of a process's resident memory, in KiB.
pub(crate) struct PeakMemory;

impl PeakMemory {
    /// Reads the peak of a process; `None` once it has ended.
    pub(crate) fn of(process: &str) -> Option<u64> {
        let status = std::fs::read_to_string(format!("/proc/{process}/status")).ok()?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
        line.split_whitespace().next()?.parse().ok()
    }

    /// Waits for a process to exit and reads its peak every 5 ms.
    pub(crate) fn until_exit(mut child: Child) -> u64 {
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
