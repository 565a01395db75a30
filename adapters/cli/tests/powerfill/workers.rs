//! `work`, `run --no-wait` and `cancel`: several processes on one store, killed and told to stop.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use powerfill_tests::postgres::{DedicatedServer, Durability, TestDatabase};

use crate::desk::{Answer, Desk};
use crate::table::Table;

/// Longer than anything here takes.
const PATIENCE: Duration = Duration::from_secs(120);

/// A `powerfill work` that goes on, and what it says on standard error.
struct Worker {
    process: Child,
    said: Receiver<String>,
}

impl Worker {
    fn start(desk: &Desk, store: &str, name: &str) -> Self {
        let mut command = desk.command(["work", "--store", store, "--name", name]);
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut process = command.spawn().expect("the worker starts");
        let (say, said) = channel();
        let err = BufReader::new(process.stderr.take().expect("it is piped"));
        std::thread::spawn(move || {
            for line in err.lines().map_while(Result::ok) {
                let _ = say.send(line);
            }
        });
        Self { process, said }
    }

    /// Waits until it says this.
    fn says(&self, words: &str) {
        let until = Instant::now() + PATIENCE;
        while let Ok(line) = self.said.recv_timeout(until.saturating_duration_since(Instant::now()))
        {
            if line.contains(words) {
                return;
            }
        }
        panic!("it never says {words}");
    }

    fn signal(&self, signal: &str) {
        let sent = Command::new("kill").args([signal, &self.process.id().to_string()]).status();
        assert!(sent.expect("kill runs").success());
    }

    fn end(self) -> Answer {
        self.process.wait_with_output().expect("it ends").into()
    }
}

impl Drop for Kill {
    fn drop(&mut self) {
        let _ = Command::new("kill").args(["-9", &self.0.to_string()]).status();
    }
}

/// Ends a worker also where the test fails.
struct Kill(u32);

fn runs(desk: &Desk, store: &str) -> Table {
    desk.powerfill(["runs", "--format", "csv", "--store", store]).well().table()
}

/// Waits until the latest run stands so.
fn latest_is(desk: &Desk, store: &str, is: impl Fn(&str, &str) -> bool) {
    let begun = Instant::now();
    loop {
        let runs = runs(desk, store);
        if is(runs.column("status")[0], runs.column("worker")[0]) {
            return;
        }
        assert!(begun.elapsed() < PATIENCE, "{runs:?}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// Types and payloads of a run's events.
fn story(desk: &Desk, store: &str, run: &str) -> Vec<Vec<String>> {
    let events = desk.powerfill(["events", run, "--format", "csv", "--store", store]);
    let events = events.well().table();
    let story = events.pick(&["stream_version", "event_type", "payload"]);
    story.into_iter().map(|row| row.into_iter().map(str::to_owned).collect()).collect()
}

fn queue(desk: &Desk, store: &str) -> String {
    let asked = desk.powerfill(["run", "dir:book", "--no-wait", "--store", store]);
    asked.well().out.trim().to_owned()
}

/// A desk with a book and the story of its run, which nothing disturbed.
fn desk(loans: u32) -> (Desk, Vec<Vec<String>>) {
    let desk = Desk::new();
    desk.ask(&format!("generate --loans {loans} --trades 300 --out book"));
    desk.ask("run dir:book --store sqlite:undisturbed.db");
    let story = story(&desk, "sqlite:undisturbed.db", "latest");
    (desk, story)
}

/// Each run is worked once, by one of three, soon after it was asked for.
fn several_workers_share_the_runs(store: &str) {
    let (desk, undisturbed) = desk(300);
    let workers = ["ann", "bob", "cid"].map(|name| Worker::start(&desk, store, name));
    let _kill = workers.each_ref().map(|worker| Kill(worker.process.id()));
    desk.powerfill(["migrate", "--store", store]).well();
    let mut asked = Vec::new();
    for _ in 0..6 {
        asked.push(queue(&desk, store));
        latest_is(&desk, store, |status, _| status == "Complete");
    }
    for run in &asked {
        assert!(story(&desk, store, run) == undisturbed, "{run}");
    }
    let mut worked = Vec::new();
    for worker in workers {
        worker.signal("-TERM");
        let answer = worker.end();
        assert_eq!(answer.status, Some(0), "{answer:?}");
        worked.extend(answer.out.lines().map(str::to_owned));
    }
    assert_eq!(worked.len(), asked.len(), "{worked:?}");
    for run in &asked {
        assert!(worked.iter().any(|line| line.ends_with(&format!("run {run} is Complete"))));
    }
    desk.powerfill(["verify", "--store", store]).well();
}

#[test]
fn several_workers_share_a_file() {
    several_workers_share_the_runs("sqlite:powerfill.db");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn several_workers_share_a_database() {
    let place = TestDatabase::new();
    let store = place.url().await;
    tokio::task::block_in_place(|| several_workers_share_the_runs(&store));
}

/// A worker that was killed; the lease of a run in a database is over as soon as `lease_over` makes
/// it so.
fn a_killed_worker_is_replaced(store: &str, lease_over: &dyn Fn()) {
    let (desk, undisturbed) = desk(3_000);
    let mut killed = 0;
    for _ in 0..10 {
        let ann = Worker::start(&desk, store, "ann");
        let kill = Kill(ann.process.id());
        desk.powerfill(["migrate", "--store", store]).well();
        let run = queue(&desk, store);
        latest_is(&desk, store, |status, worker| worker == "ann" || status == "Complete");
        drop(kill);
        ann.end();
        killed += usize::from(runs(&desk, store).column("status")[0] != "Complete");
        lease_over();
        let bob = Worker::start(&desk, store, "bob");
        let _kill = Kill(bob.process.id());
        latest_is(&desk, store, |status, _| status == "Complete");
        assert!(story(&desk, store, &run) == undisturbed, "{run}");
        desk.powerfill(["verify", "--store", store]).well();
        bob.signal("-INT");
        assert_eq!(bob.end().status, Some(0));
        if killed > 0 {
            return;
        }
    }
    panic!("no run was killed before its end");
}

/// Its lock is free with its death.
#[test]
fn a_worker_that_was_killed_over_a_file_is_replaced_at_once() {
    a_killed_worker_is_replaced("sqlite:powerfill.db", &|| {});
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_worker_that_was_killed_over_a_database_is_replaced_when_its_lease_is_over() {
    let place = TestDatabase::new();
    let store = place.url().await;
    let lease_over = || {
        tokio::runtime::Handle::current().block_on(async {
            let sql = "UPDATE powerfill.runs SET lease_expires_at = now() WHERE NOT is_over";
            place.unguarded_client().await.batch_execute(sql).await.expect("as time would");
        });
    };
    tokio::task::block_in_place(|| a_killed_worker_is_replaced(&store, &lease_over));
}

/// The run is there for the next one at once, whose `--once` waits for nothing.
fn a_worker_that_is_told_to_stop_hands_over(store: &str) {
    let (desk, undisturbed) = desk(3_000);
    for _ in 0..20 {
        let ann = Worker::start(&desk, store, "ann");
        let _kill = Kill(ann.process.id());
        desk.powerfill(["migrate", "--store", store]).well();
        let run = queue(&desk, store);
        latest_is(&desk, store, |status, worker| worker == "ann" || status == "Complete");
        ann.signal("-TERM");
        let answer = ann.end();
        assert_eq!(answer.status, Some(0), "{answer:?}");
        if answer.out.contains("is Complete") {
            continue;
        }
        assert!(answer.out.contains(&format!("run {run} is handed over")), "{answer:?}");
        let next = desk.powerfill(["work", "--once", "--store", store]).well();
        assert!(next.out.contains(&format!("run {run} is Complete")), "{next:?}");
        assert!(story(&desk, store, &run) == undisturbed);
        desk.powerfill(["verify", "--store", store]).well();
        return;
    }
    panic!("no worker was told before its run was over");
}

#[test]
fn a_worker_of_a_file_that_is_told_to_stop_hands_its_run_over() {
    a_worker_that_is_told_to_stop_hands_over("sqlite:powerfill.db");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_worker_of_a_database_that_is_told_to_stop_hands_its_run_over() {
    let place = TestDatabase::new();
    let store = place.url().await;
    tokio::task::block_in_place(|| a_worker_that_is_told_to_stop_hands_over(&store));
}

/// Queued, going on, over, unknown.
fn a_run_is_cancelled(store: &str) {
    let desk = Desk::new();
    desk.ask("generate --scale demo --out book");
    let cancel = |run: &str| desk.powerfill(["cancel", run, "--store", store]);
    desk.powerfill(["migrate", "--store", store]).well();
    cancel("latest").refuses(2, &["no run yet"]);
    let queued = queue(&desk, store);
    assert_eq!(cancel("latest").well().out, format!("Run {queued} is Cancelled\n"));
    let over = cancel(&queued);
    assert_eq!((over.status, over.out), (Some(1), format!("Run {queued} was over: Cancelled\n")));
    cancel("ffff").refuses(2, &["no run ffff"]);

    let ann = Worker::start(&desk, store, "ann");
    let _kill = Kill(ann.process.id());
    for _ in 0..20 {
        let run = queue(&desk, store);
        latest_is(&desk, store, |status, worker| worker == "ann" || status == "Complete");
        let answer = cancel(&run);
        if answer.status == Some(0) {
            assert_eq!(answer.out, format!("Run {run} is Cancelled\n"));
            let last = story(&desk, store, &run).pop().unwrap();
            assert_eq!(last[1], "RunCancelled");
            assert!(last[2].contains("\"desk\""), "{last:?}");
            ann.signal("-TERM");
            assert_eq!(ann.end().status, Some(0));
            desk.powerfill(["verify", "--store", store]).well();
            return;
        }
        assert_eq!(answer.status, Some(1), "{answer:?}");
    }
    panic!("no run was cancelled before its end");
}

#[test]
fn a_run_in_a_file_is_cancelled() {
    a_run_is_cancelled("sqlite:powerfill.db");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_run_in_a_database_is_cancelled() {
    let place = TestDatabase::new();
    let store = place.url().await;
    tokio::task::block_in_place(|| a_run_is_cancelled(&store));
}

/// It says so, keeps trying, and works when the server is back.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_store_that_is_away_for_long_is_waited_for() {
    let server = DedicatedServer::start(Durability::Unsynced);
    let database = server.new_database().await;
    let store = server.url(&database);
    tokio::task::block_in_place(|| {
        let (desk, undisturbed) = desk(300);
        desk.powerfill(["migrate", "--store", &store]).well();
        server.stop("immediate");
        let ann = Worker::start(&desk, &store, "ann");
        let _kill = Kill(ann.process.id());
        ann.says("trying again in 1 s");
        ann.says("trying again in 2 s");
        server.start();
        let run = queue(&desk, &store);
        latest_is(&desk, &store, |status, _| status == "Complete");
        assert!(story(&desk, &store, &run) == undisturbed);
        server.stop("fast");
        ann.says("trying again in 1 s");
        server.start();
        queue(&desk, &store);
        latest_is(&desk, &store, |status, _| status == "Complete");
        ann.signal("-TERM");
        assert_eq!(ann.end().status, Some(0));
    });
}

#[test]
fn a_run_that_is_only_queued_waits_for_a_worker() {
    let (desk, undisturbed) = desk(300);
    let run = queue(&desk, "sqlite:powerfill.db");
    assert_eq!(runs(&desk, "sqlite:powerfill.db").column("status"), ["Pending"]);
    let second = desk.type_in("run dir:book --no-wait");
    second.refuses(2, &[&run, "is active for this tenant"]);
    assert_eq!(second.out, "");
    let worked = desk.ask("work --once");
    assert_eq!(worked, format!("sqlite:powerfill.db: run {run} is Complete\n"));
    assert!(story(&desk, "sqlite:powerfill.db", &run) == undisturbed);
    assert_eq!(desk.ask("work --once"), "");
    let shown = desk.ask("run dir:book --no-wait --format json");
    let shown: serde_json::Value = serde_json::from_str(&shown).unwrap();
    assert_eq!(shown["status"], "Pending");
    desk.type_in("run dir:book --no-wait --out tables").refuses(2, &["--no-wait"]);
    desk.type_in("work --all-tenants").refuses(2, &["--all-tenants", "[tenants.ID]"]);
}

/// Whoever cancels takes it up, since nobody else will answer.
#[test]
fn a_run_whose_worker_was_killed_is_cancelled() {
    let (desk, store) = (Desk::new(), "sqlite:powerfill.db");
    desk.ask("generate --scale demo --out book");
    let run = queue(&desk, store);
    let ann = Worker::start(&desk, store, "ann");
    let kill = Kill(ann.process.id());
    latest_is(&desk, store, |_, worker| worker == "ann");
    drop(kill);
    ann.end();
    assert_eq!(desk.ask(&format!("cancel {run}")), format!("Run {run} is Cancelled\n"));
    desk.ask("verify");
    queue(&desk, store);
}
