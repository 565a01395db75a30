//! Processes that are killed or interrupted in the middle of a run. When that happens is a matter
//! of chance; what holds afterwards is not.
//!
//! `KILLS=1000 cargo nextest run -p powerfill-cli killed` kills more often.

use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use powerfill_events::log::{AppendMeta, EncodedBatch};
use powerfill_events::run::event::RunRequested;
use powerfill_events::run::{RunEvent, RunId};
use powerfill_events::values::Timestamp;
use powerfill_ports::events::Append;
use powerfill_ports::runs::RunStore;
use powerfill_snapshot::RunOptions;
use powerfill_sqlite::SqliteStore;
use powerfill_tests::postgres::TestDatabase;
use rusqlite::{Connection, OpenFlags};

use crate::compare;
use crate::desk::{Answer, Desk, case, source};
use crate::table::Table;

/// Of each store.
const KILLS: u32 = 200;

/// Desks at work at the same time.
const DESKS: u32 = 2;

/// Kills in one store, before another one is made.
const IN_A_STORE: u32 = 20;

/// Of so many kills one is of a run of several appends.
const LONG: u32 = 40;

/// A book, one run of it that nothing disturbed, and how long that took.
struct Undisturbed {
    desk: Desk,
    took: Duration,
    /// Its events.
    events: usize,
}

impl Undisturbed {
    fn new(loans: u32, trades: u32) -> Self {
        let desk = Desk::new();
        desk.ask(&format!("generate --loans {loans} --trades {trades} --out book"));
        let begun = Instant::now();
        desk.ask("run dir:book --out out");
        let took = begun.elapsed();
        let events = desk.ask("events latest --format csv").lines().count() - 1;
        Self { desk, took, events }
    }

    fn book(&self) -> String {
        format!("dir:{}", self.desk.path("book").display())
    }

    /// The guide of a run is that of the undisturbed one.
    fn is_what_came_of(&self, desk: &Desk, run: &str, at: &str) {
        let table = "pfill_powerfill_guide";
        let expected = Table::read(&self.desk.path("out").join(format!("{table}.csv")));
        let actual = desk.type_in(&format!("tables {run} {table} --format csv")).well();
        let found = compare::tables(table, &expected, &actual.table());
        assert!(found.is_empty(), "{at}: {table} of run {run}\n{}", found.join("\n"));
    }
}

/// A share of a whole in thousandths, different for each number and the same every time.
fn share(of: Duration, number: u32) -> Duration {
    let scattered = number.wrapping_mul(2_654_435_761) >> 16;
    of * (scattered % 1_100) / 1_000
}

/// The versions of a run's stream have no gap, and it has one end. Answers how many there are.
fn is_whole(desk: &Desk, run: &str) -> usize {
    let events = desk.type_in(&format!("events {run} --format csv")).well().table();
    let versions = events.column("stream_version");
    assert!((1..).zip(&versions).all(|(version, found)| found.parse() == Ok(version)));
    let ends = ["RunCompleted", "RunFailed", "RunCancelled"];
    let types = events.column("event_type");
    let ended: Vec<usize> = (0..types.len()).filter(|at| ends.contains(&types[*at])).collect();
    assert_eq!(ended, [types.len() - 1]);
    types.len()
}

/// Kills a run after a while, and lets the next one go through. Whether there was a run to be taken
/// up.
fn kill(desk: &Desk, undisturbed: &Undisturbed, number: u32) -> bool {
    let mut run = desk.command(["run", &undisturbed.book()]);
    let mut run = run.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    let after = share(undisturbed.took, number);
    std::thread::sleep(after);
    run.kill().unwrap();
    run.wait().unwrap();
    let at = format!("kill {number}, after {after:?}");

    desk.lease_is_over();
    let out = format!("out-{number}");
    let next = desk.powerfill(["run", &undisturbed.book(), "--out", &out]);
    assert_eq!(next.status, Some(0), "{at}: {}{}", next.out, next.err);
    let found = compare::folders(&undisturbed.desk.path("out"), &desk.path(&out));
    assert!(found.is_empty(), "{at}\n{}", found.join("\n"));
    next.err.contains("had been interrupted; it was taken up first")
}

/// What is in a store after all that: every run whole, with the tables of an undisturbed one; and a
/// sound log.
fn is_sound(desk: &Desk, books: &[Undisturbed; 2], at: &str) {
    let runs = desk.type_in("runs --format csv").well().table();
    for (run, status) in runs.column("run_id").into_iter().zip(runs.column("status")) {
        assert_eq!(status, "Complete", "{at}: {run}");
        let events = is_whole(desk, run);
        let book = books.iter().find(|book| book.events == events);
        book.unwrap_or_else(|| panic!("{at}: {run} has {events} events"))
            .is_what_came_of(desk, run, at);
    }
    let verified = desk.type_in("verify");
    assert_eq!(verified.status, Some(0), "{at}: {}{}", verified.out, verified.err);
}

/// Kills runs; `new_desk` makes a desk with a new store.
fn killed_runs_come_out_the_same(new_desk: impl Fn() -> Desk + Sync) {
    let kills = std::env::var("KILLS").map_or(KILLS, |kills| kills.parse().expect("a number"));
    let books = [Undisturbed::new(150, 60), Undisturbed::new(4_000, 1_500)];
    assert!(books[1].events > 20_000, "{} events are one append", books[1].events);
    let (next, taken_up) = (AtomicU32::new(0), AtomicU32::new(0));
    std::thread::scope(|scope| {
        for _ in 0..DESKS {
            scope.spawn(|| {
                loop {
                    let first = next.fetch_add(IN_A_STORE, Ordering::Relaxed);
                    if first >= kills {
                        return;
                    }
                    let (desk, last) = (new_desk(), kills.min(first + IN_A_STORE));
                    for number in first..last {
                        let book = &books[usize::from(number % LONG == 0)];
                        let left = kill(&desk, book, number);
                        taken_up.fetch_add(u32::from(left), Ordering::Relaxed);
                    }
                    is_sound(&desk, &books, &format!("kills {first} to {last}"));
                }
            });
        }
    });
    let taken_up = taken_up.into_inner();
    println!("{taken_up} of {kills} killed runs were taken up");
    // Whoever kills too early or too late every time has shown nothing.
    assert!(taken_up * 10 >= kills, "only {taken_up} of {kills} kills met a run");
}

#[test]
fn a_run_killed_over_a_file_is_taken_up_by_the_next_and_comes_out_the_same() {
    killed_runs_come_out_the_same(Desk::new);
}

#[test]
fn a_run_killed_over_postgresql_is_taken_up_by_the_next_and_comes_out_the_same() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let in_use = Mutex::new(Vec::new());
    killed_runs_come_out_the_same(|| {
        let database = TestDatabase::new();
        let desk = Desk::with_store(runtime.block_on(database.url()));
        in_use.lock().unwrap().push(database);
        desk
    });
}

/// Waits until the store has a run that goes on; `false` where the process ended first.
fn goes_on(store: &Path, run: &mut Child) -> bool {
    loop {
        let active =
            Connection::open_with_flags(store, OpenFlags::SQLITE_OPEN_READ_ONLY).and_then(|conn| {
                conn.query_row("SELECT count(*) FROM runs WHERE is_over = 0", [], |r| r.get(0))
            });
        if active == Ok(1) {
            return true;
        }
        if run.try_wait().unwrap().is_some() {
            return false;
        }
        std::thread::sleep(Duration::from_millis(1));
    }
}

/// The signal may come when everything is decided: then the run is Complete. So it is sent until
/// one was cancelled.
#[test]
fn ctrl_c_cancels_the_run_and_frees_the_tenant() {
    let desk = Desk::new();
    desk.ask("generate --loans 3000 --trades 300 --out book");
    let mut cancelled = 0;
    for _ in 0..20 {
        let mut run = desk.command(["run", "dir:book", "--out", "out"]);
        let run = run.stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut run = run.spawn().unwrap();
        if goes_on(&desk.path("powerfill.db"), &mut run) {
            let sent = Command::new("kill").args(["-INT", &run.id().to_string()]).status();
            assert!(sent.unwrap().success());
        }
        let answer = Answer::from(run.wait_with_output().unwrap());
        let last = desk.ask("events latest --type RunCancelled --type RunCompleted");
        match answer.status {
            Some(1) => {
                cancelled += 1;
                assert!(answer.out.contains("Cancelled by desk at "), "{answer:?}");
                assert!(last.contains("RunCancelled") && last.contains("\"desk\""), "{last}");
                let outcome = Table::read(&desk.path("out/outcome.csv"));
                assert_eq!(outcome.column("status"), ["Cancelled"]);
                is_whole(&desk, "latest");
            }
            Some(0) => assert!(last.contains("RunCompleted"), "{last}"),
            _ => panic!("{answer:?}"),
        }
        if cancelled == 1 {
            break;
        }
    }
    assert_eq!(cancelled, 1);
    desk.ask("verify");
    desk.ask("run dir:book");
}

/// A worker in this process has the run, and lives.
#[tokio::test]
async fn a_run_that_another_process_works_on_is_left_alone() {
    let desk = Desk::new();
    desk.ask("migrate");
    let store = SqliteStore::open(desk.path("powerfill.db")).unwrap();
    let run: RunId = "01970000-0000-7000-8000-000000000001".parse().unwrap();
    let moment = Timestamp::from_micros;
    let requested = RunRequested {
        tenant_id: "WATERMARK".into(),
        options: RunOptions::default(),
        requested_by: "another".to_owned(),
        snapshot_digest: "of what another process captured".to_owned(),
        spec_version: "1".to_owned(),
        source_warnings: Vec::new(),
    };
    let meta = AppendMeta {
        tenant_id: "WATERMARK".into(),
        actor: "another".to_owned(),
        recorded_at: moment(0),
        causation_id: None,
        correlation_id: None,
    };
    let request = Append {
        append_id: run.0,
        stream: run.stream(),
        expected_version: 0,
        meta,
        events: EncodedBatch::encode([&RunEvent::RunRequested(Box::new(requested))]),
        lease: None,
    };
    store.enqueue(request).await.unwrap();
    let lease = store.claim("another", moment(0), moment(i64::MAX)).await.unwrap();
    assert!(lease.is_some());
    let source = source(&case("03"));
    let answer = desk.powerfill(["run", &source, "--out", "out"]);
    answer.refuses(2, &[&run.to_string(), "is active for this tenant"]);
    let left: Vec<_> = std::fs::read_dir(desk.path("out")).unwrap().collect();
    assert!(left.is_empty(), "{left:?}");
}
