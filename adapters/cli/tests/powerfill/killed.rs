//! Runs that are killed or interrupted. The next run takes a killed run up, and both give the
//! results of an undisturbed run.
//!
//! `KILLS=1000 cargo nextest run -p powerfill-cli killed` kills more often.

use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};

use powerfill_events::log::{AppendMeta, EncodedBatch};
use powerfill_events::run::event::{RunOrigin, RunRequested};
use powerfill_events::run::{RunEvent, RunId};
use powerfill_events::values::Timestamp;
use powerfill_ports::events::Append;
use powerfill_ports::runs::RunStore;
use powerfill_snapshot::RunOptions;
use powerfill_sqlite::SqliteStore;
use powerfill_tests::waiting::eventually_blocking;
use rusqlite::{Connection, OpenFlags};

use crate::compare;
use crate::process::{BackgroundProcess, Progress, scattered};
use crate::sandbox::{Sandbox, case, source};
use crate::table::Table;

/// Kills per kind of store. A campaign before a release has 200 and more.
const KILLS: usize = 60;

/// Sandboxes that work at the same time.
const SANDBOXES: usize = 2;

/// Kills in one store before the next store is created.
const KILLS_PER_STORE: usize = 20;

/// One of this many kills hits the larger book, whose run has several appends.
const LARGE_BOOK_EVERY: usize = 40;

/// Creates an empty store, and says what counts the progress of its commands.
type NewStore = fn() -> (Sandbox, Progress);

fn in_file() -> (Sandbox, Progress) {
    (Sandbox::new(), Progress::FileSize)
}

fn in_database() -> (Sandbox, Progress) {
    let (sandbox, proxy) = Sandbox::behind_proxy();
    (sandbox, Progress::Messages(proxy))
}

/// A book with the results of undisturbed runs.
struct Book {
    sandbox: Sandbox,
    /// The number of events of a run.
    events: usize,
    /// The digest of its output tables.
    digest: String,
    /// The progress of a whole run.
    progress: usize,
}

impl Book {
    fn new(loans: u32, trades: u32, new_store: NewStore) -> Self {
        let (sandbox, progress) = new_store();
        sandbox.run_ok(&format!("generate --loans {loans} --trades {trades} --out book"));
        // The first run also creates the store.
        sandbox.run_ok("run dir:book --out out");
        let progress = progress.of_command(&sandbox, "powerfill.db", "run dir:book");
        let events = sandbox.run_ok("events latest --format csv").lines().count() - 1;
        let digest = sandbox.runs().column("output_digest")[0].to_owned();
        Self { sandbox, events, digest, progress }
    }

    fn url(&self) -> String {
        format!("dir:{}", self.sandbox.path("book").display())
    }
}

/// Expects that the versions of a run's stream have no gap, and that only the last event ends the
/// run. Returns the number of events.
fn assert_whole(sandbox: &Sandbox, run: &str) -> usize {
    let events = sandbox.run_line(&format!("events {run} --format csv")).success().table();
    let versions = events.column("stream_version");
    assert!((1..).zip(&versions).all(|(version, found)| found.parse() == Ok(version)));
    let ends = ["RunCompleted", "RunFailed", "RunCancelled"];
    let types = events.column("event_type");
    let ended: Vec<usize> = (0..types.len()).filter(|at| ends.contains(&types[*at])).collect();
    assert_eq!(ended, [types.len() - 1]);
    types.len()
}

/// Kills a run, and expects that the next run gives the results of an undisturbed run. Returns
/// whether the next run took the killed run up.
fn kill_and_run(sandbox: &Sandbox, progress: &Progress, book: &Book, number: usize) -> bool {
    let point = scattered(number, book.progress);
    let context = format!("kill {number}, at {point} of {}", book.progress);
    progress.run_and_kill(sandbox, &format!("run {}", book.url()), point);
    sandbox.expire_lease();
    let out = format!("out-{number}");
    let next = sandbox.run(["run", &book.url(), "--out", &out]);
    assert_eq!(next.status, Some(0), "{context}: {}{}", next.out, next.err);
    let found = compare::folders(&book.sandbox.path("out"), &sandbox.path(&out));
    assert!(found.is_empty(), "{context}\n{}", found.join("\n"));
    next.err.contains("had been interrupted; it was taken up first")
}

/// Expects that every run of a store is whole and has the output digest of an undisturbed run, and
/// that the store verifies, which computes the digests again.
fn assert_sound(sandbox: &Sandbox, books: &[Book; 2], context: &str) {
    let runs = sandbox.runs();
    let digests = runs.column("output_digest");
    for (at, run) in runs.column("run_id").into_iter().enumerate() {
        let events = assert_whole(sandbox, run);
        let book = books.iter().find(|book| book.events == events);
        let book = book.unwrap_or_else(|| panic!("{context}: {run} has {events} events"));
        assert_eq!(digests[at], book.digest, "{context}: {run}");
    }
    assert!(
        runs.column("status").iter().all(|status| *status == "Complete"),
        "{context}: {runs:?}"
    );
    let verified = sandbox.run_line("verify");
    assert_eq!(verified.status, Some(0), "{context}: {}{}", verified.out, verified.err);
}

fn killed_runs_are_taken_up(new_store: NewStore) {
    let kills = std::env::var("KILLS").map_or(KILLS, |kills| kills.parse().expect("a number"));
    let books = [Book::new(150, 60, new_store), Book::new(4_000, 1_500, new_store)];
    assert!(books[1].events > 20_000, "{} events are one append", books[1].events);
    let (next, taken_up) = (AtomicUsize::new(0), AtomicUsize::new(0));
    std::thread::scope(|scope| {
        for _ in 0..SANDBOXES {
            scope.spawn(|| {
                loop {
                    let first = next.fetch_add(KILLS_PER_STORE, Ordering::Relaxed);
                    if first >= kills {
                        return;
                    }
                    let (sandbox, progress) = new_store();
                    let last = kills.min(first + KILLS_PER_STORE);
                    for number in first..last {
                        let book = &books[usize::from(number % LARGE_BOOK_EVERY == 0)];
                        let was_taken_up = kill_and_run(&sandbox, &progress, book, number);
                        taken_up.fetch_add(usize::from(was_taken_up), Ordering::Relaxed);
                    }
                    assert_sound(&sandbox, &books, &format!("kills {first} to {last}"));
                }
            });
        }
    });
    let taken_up = taken_up.into_inner();
    println!("{taken_up} of {kills} killed runs were taken up");
    // Kills before the request and after the end prove nothing.
    assert!(taken_up * 2 >= kills, "only {taken_up} of {kills} kills hit a run");
}

#[test]
fn a_run_killed_in_a_file_is_taken_up_with_the_same_results() {
    killed_runs_are_taken_up(in_file);
}

#[test]
fn a_run_killed_in_postgresql_is_taken_up_with_the_same_results() {
    killed_runs_are_taken_up(in_database);
}

/// Waits until the store has an active run, or the process has ended.
fn wait_for_active_run(sandbox: &Sandbox, run: &mut BackgroundProcess) {
    let store = sandbox.path("powerfill.db");
    eventually_blocking("the store has an active run", || {
        let active = Connection::open_with_flags(&store, OpenFlags::SQLITE_OPEN_READ_ONLY);
        let active = active.and_then(|store| {
            store.query_row("SELECT count(*) FROM runs WHERE is_over = 0", [], |r| r.get(0))
        });
        active == Ok(1) || run.has_ended()
    });
}

/// A signal after the last decision comes too late, and the run is Complete. So runs are
/// interrupted until one is cancelled.
#[test]
fn ctrl_c_cancels_the_run_and_frees_the_tenant() {
    let sandbox = Sandbox::new();
    sandbox.run_ok("generate --loans 3000 --trades 300 --out book");
    eventually_blocking("Ctrl-C cancels a run", || {
        let mut command = sandbox.command(["run", "dir:book", "--out", "out"]);
        let command = command.stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut run = BackgroundProcess::start(command);
        wait_for_active_run(&sandbox, &mut run);
        // The process may have ended meanwhile.
        let _ = Command::new("kill").args(["-INT", &run.id().to_string()]).status();
        let output = run.finish();
        let last = sandbox.run_ok("events latest --type RunCancelled --type RunCompleted");
        match output.status {
            Some(1) => {
                assert!(output.out.contains("Cancelled by desk at "), "{output:?}");
                assert!(last.contains("RunCancelled") && last.contains("\"desk\""), "{last}");
                let outcome = Table::read(&sandbox.path("out/outcome.csv"));
                assert_eq!(outcome.column("status"), ["Cancelled"]);
                assert_whole(&sandbox, "latest");
                true
            }
            Some(0) => {
                assert!(last.contains("RunCompleted"), "{last}");
                false
            }
            _ => panic!("{output:?}"),
        }
    });
    sandbox.run_ok("verify");
    sandbox.run_ok("run dir:book");
}

/// A worker in the process of this test has claimed the run, and is alive.
#[tokio::test]
async fn a_run_of_another_process_is_not_taken_up() {
    let sandbox = Sandbox::new();
    sandbox.run_ok("migrate");
    let store = SqliteStore::open(sandbox.path("powerfill.db")).unwrap();
    let run: RunId = "01970000-0000-7000-8000-000000000001".parse().unwrap();
    let time = Timestamp::from_micros;
    let requested = RunRequested {
        tenant_id: "WATERMARK".into(),
        options: RunOptions::default(),
        requested_by: "another".to_owned(),
        snapshot_digest: "the digest of the other process".to_owned(),
        spec_version: "1".to_owned(),
        source_warnings: Vec::new(),
        mapping: None,
        origin: RunOrigin::default(),
    };
    let request = Append {
        append_id: run.0,
        stream: run.stream(),
        expected_version: 0,
        meta: AppendMeta::new("WATERMARK".into(), "another", time(0)),
        events: EncodedBatch::encode([&RunEvent::RunRequested(Box::new(requested))]),
        lease: None,
    };
    store.enqueue(request, false).await.unwrap();
    let lease = store.claim("another", time(0), time(i64::MAX)).await.unwrap();
    assert!(lease.is_some());
    let source = source(&case("03"));
    let refused = sandbox.run(["run", &source, "--out", "out"]);
    refused.fails_with(2, &[&run.to_string(), "is active for this tenant"]);
    let files: Vec<_> = std::fs::read_dir(sandbox.path("out")).unwrap().collect();
    assert!(files.is_empty(), "{files:?}");
}
