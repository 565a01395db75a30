//! `work`, `run --no-wait`, and `cancel`: several processes on one store, killed and stopped.

use std::io::{BufRead, BufReader};
use std::process::Stdio;
use std::sync::mpsc::{Receiver, channel};
use std::time::Instant;

use powerfill_tests::postgres::{DedicatedServer, Durability};
use powerfill_tests::waiting::{WAIT_LIMIT, eventually_blocking};

use crate::process::{BackgroundProcess, Progress};
use crate::sandbox::{CommandOutput, Sandbox, block_on};

/// A `powerfill work` in the background, with the lines of its log.
struct Worker {
    process: BackgroundProcess,
    log: Receiver<String>,
}

impl Worker {
    fn start(sandbox: &Sandbox, name: &str) -> Self {
        let mut command = sandbox.command(["work", "--name", name]);
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut process = BackgroundProcess::start(&mut command);
        let (sender, log) = channel();
        let err = BufReader::new(process.child().stderr.take().expect("the log is piped"));
        std::thread::spawn(move || {
            for line in err.lines().map_while(Result::ok) {
                let _ = sender.send(line);
            }
        });
        Self { process, log }
    }

    /// Waits until a line of the log contains these words.
    fn wait_for_log(&self, words: &str) {
        let limit = Instant::now() + WAIT_LIMIT;
        while let Ok(line) = self.log.recv_timeout(limit.saturating_duration_since(Instant::now()))
        {
            if line.contains(words) {
                return;
            }
        }
        panic!("the log never has {words:?}");
    }

    /// Sends a signal, and waits for the end.
    fn stop(self, signal: &str) -> CommandOutput {
        self.process.signal(signal);
        self.process.finish().success()
    }
}

/// Waits until the latest run has this status or worker.
fn wait_for_latest(sandbox: &Sandbox, what: &str, condition: impl Fn(&str, &str) -> bool) {
    eventually_blocking(format!("the latest run {what}"), || {
        let runs = sandbox.runs();
        condition(runs.column("status")[0], runs.column("worker")[0])
    });
}

fn wait_until_complete(sandbox: &Sandbox) {
    wait_for_latest(sandbox, "is Complete", |status, _| status == "Complete");
}

/// Waits until the worker `ann` works on the latest run, or has completed it.
fn wait_until_claimed(sandbox: &Sandbox) {
    wait_for_latest(sandbox, "is claimed", |status, worker| {
        worker == "ann" || status == "Complete"
    });
}

/// Versions, types, and payloads of the events of a run.
fn events(sandbox: &Sandbox, run: &str) -> Vec<Vec<String>> {
    let events = sandbox.run_line(&format!("events {run} --format csv")).success().table();
    let events = events.pick(&["stream_version", "event_type", "payload"]);
    events.into_iter().map(|row| row.into_iter().map(str::to_owned).collect()).collect()
}

fn queue(sandbox: &Sandbox) -> String {
    sandbox.run_ok("run dir:book --no-wait").trim().to_owned()
}

/// Generates a book and creates the store. Returns the events of an undisturbed run.
fn prepare(sandbox: &Sandbox, loans: u32) -> Vec<Vec<String>> {
    sandbox.run_ok(&format!("generate --loans {loans} --trades 300 --out book"));
    sandbox.run_ok("run dir:book --store sqlite:undisturbed.db");
    sandbox.run_ok("migrate");
    events(sandbox, "latest --store sqlite:undisturbed.db")
}

fn several_workers_share_the_runs(sandbox: &Sandbox) {
    let undisturbed = prepare(sandbox, 300);
    let workers = ["ann", "bob", "cid"].map(|name| Worker::start(sandbox, name));
    let mut queued = Vec::new();
    for _ in 0..6 {
        queued.push(queue(sandbox));
        wait_until_complete(sandbox);
    }
    for run in &queued {
        assert!(events(sandbox, run) == undisturbed, "{run}");
    }
    let mut printed = Vec::new();
    for worker in workers {
        printed.extend(worker.stop("-TERM").out.lines().map(str::to_owned));
    }
    assert_eq!(printed.len(), queued.len(), "{printed:?}");
    for run in &queued {
        assert!(printed.iter().any(|line| line.ends_with(&format!("run {run} is Complete"))));
    }
    sandbox.run_ok("verify");
}

#[test]
fn several_workers_share_a_file() {
    several_workers_share_the_runs(&Sandbox::new());
}

#[test]
fn several_workers_share_a_database() {
    several_workers_share_the_runs(&Sandbox::in_database());
}

/// Kills a worker in the middle of a run, and expects that another worker completes the run.
fn a_killed_worker_is_replaced(sandbox: &Sandbox, progress: &Progress) {
    let undisturbed = prepare(sandbox, 3_000);
    queue(sandbox);
    let whole = progress.of_command(sandbox, "powerfill.db", "work --once");
    let run = queue(sandbox);
    let killed = progress.run_and_kill(sandbox, "work --once --name ann", whole / 2);
    assert_eq!(killed.status, None, "{} of {whole}: {killed:?}", whole / 2);
    let runs = sandbox.runs();
    assert_eq!(runs.column("worker")[0], "ann", "{runs:?}");
    assert_ne!(runs.column("status")[0], "Complete", "{runs:?}");
    sandbox.expire_lease();
    let bob = Worker::start(sandbox, "bob");
    wait_until_complete(sandbox);
    assert!(events(sandbox, &run) == undisturbed, "{run}");
    sandbox.run_ok("verify");
    bob.stop("-INT");
}

#[test]
fn a_killed_worker_of_a_file_is_replaced_at_once() {
    a_killed_worker_is_replaced(&Sandbox::new(), &Progress::FileSize);
}

#[test]
fn a_killed_worker_of_a_database_is_replaced_when_its_lease_expires() {
    let (sandbox, proxy) = Sandbox::behind_proxy();
    a_killed_worker_is_replaced(&sandbox, &Progress::Messages(proxy));
}

/// A signal after the last decision comes too late, so workers are stopped until one hands over.
fn a_stopped_worker_hands_over(sandbox: &Sandbox) {
    let undisturbed = prepare(sandbox, 3_000);
    eventually_blocking("a worker hands its run over", || {
        let ann = Worker::start(sandbox, "ann");
        let run = queue(sandbox);
        wait_until_claimed(sandbox);
        let stopped = ann.stop("-TERM");
        if stopped.out.contains("is Complete") {
            return false;
        }
        assert!(stopped.out.contains(&format!("run {run} is handed over")), "{stopped:?}");
        // `--once` does not wait for the lease of the first worker.
        sandbox.prints("work --once", &[&format!("run {run} is Complete")]);
        assert!(events(sandbox, &run) == undisturbed);
        true
    });
    sandbox.run_ok("verify");
}

#[test]
fn a_stopped_worker_of_a_file_hands_its_run_over() {
    a_stopped_worker_hands_over(&Sandbox::new());
}

#[test]
fn a_stopped_worker_of_a_database_hands_its_run_over() {
    a_stopped_worker_hands_over(&Sandbox::in_database());
}

/// Cancels a queued, an active, an ended, and an unknown run.
fn runs_are_cancelled(sandbox: &Sandbox) {
    sandbox.run_ok("generate --scale demo --out book");
    sandbox.run_ok("migrate");
    let cancel = |run: &str| sandbox.run(["cancel", run]);
    cancel("latest").fails_with(2, &["no run yet"]);
    let queued = queue(sandbox);
    assert_eq!(cancel("latest").success().out, format!("Run {queued} is Cancelled\n"));
    let ended = cancel(&queued);
    assert_eq!((ended.status, ended.out), (Some(1), format!("Run {queued} was over: Cancelled\n")));
    cancel("ffff").fails_with(2, &["no run ffff"]);

    let ann = Worker::start(sandbox, "ann");
    // A cancel after the last decision comes too late.
    eventually_blocking("an active run is cancelled", || {
        let run = queue(sandbox);
        wait_until_claimed(sandbox);
        let cancelled = cancel(&run);
        if cancelled.status == Some(1) {
            return false;
        }
        assert_eq!(cancelled.success().out, format!("Run {run} is Cancelled\n"));
        let last = events(sandbox, &run).pop().unwrap();
        assert_eq!(last[1], "RunCancelled");
        assert!(last[2].contains("\"desk\""), "{last:?}");
        true
    });
    ann.stop("-TERM");
    sandbox.run_ok("verify");
}

#[test]
fn runs_in_a_file_are_cancelled() {
    runs_are_cancelled(&Sandbox::new());
}

#[test]
fn runs_in_a_database_are_cancelled() {
    runs_are_cancelled(&Sandbox::in_database());
}

/// A cancel waits for the append that is being written, however large the events are.
#[test]
fn no_append_of_a_run_is_large() {
    const LARGEST: &str = "SELECT max(bytes) FROM (
        SELECT sum(block.byte_count) AS bytes
        FROM es_appends AS append JOIN es_event_blocks AS block USING (stream_id)
        WHERE block.first_version >= append.first_version
            AND block.first_version < append.first_version + append.event_count
        GROUP BY append.seq)";
    let sandbox = Sandbox::new();
    sandbox.run_ok("generate --scale demo --out book");
    sandbox.run_ok("run dir:book");
    let store = rusqlite::Connection::open(sandbox.path("powerfill.db")).unwrap();
    let largest: u64 = store.query_row(LARGEST, [], |row| row.get(0)).unwrap();
    // At most 8 MiB of payloads, then the event that exceeds them, and the types of all.
    assert!((4 << 20..9 << 20).contains(&largest), "{largest} bytes");
}

#[test]
fn a_worker_waits_for_a_store_that_is_unavailable() {
    let server = DedicatedServer::start(Durability::Unsynced);
    let sandbox = Sandbox::with_store(server.url(&block_on(server.new_database())));
    let undisturbed = prepare(&sandbox, 300);
    server.stop("immediate");
    let ann = Worker::start(&sandbox, "ann");
    ann.wait_for_log("trying again in 1 s");
    ann.wait_for_log("trying again in 2 s");
    server.start();
    let run = queue(&sandbox);
    wait_until_complete(&sandbox);
    assert!(events(&sandbox, &run) == undisturbed);
    server.stop("fast");
    ann.wait_for_log("trying again in 1 s");
    server.start();
    queue(&sandbox);
    wait_until_complete(&sandbox);
    ann.stop("-TERM");
}

#[test]
fn a_queued_run_waits_for_a_worker() {
    let sandbox = Sandbox::new();
    let undisturbed = prepare(&sandbox, 300);
    let run = queue(&sandbox);
    assert_eq!(sandbox.runs().column("status"), ["Pending"]);
    let second = sandbox.run_line("run dir:book --no-wait");
    second.fails_with(2, &[&run, "is active for this tenant"]);
    assert_eq!(second.out, "");
    let printed = sandbox.run_ok("work --once");
    assert_eq!(printed, format!("sqlite:powerfill.db: run {run} is Complete\n"));
    assert!(events(&sandbox, &run) == undisturbed);
    assert_eq!(sandbox.run_ok("work --once"), "");
    let queued = sandbox.run_line("run dir:book --no-wait --format json").success().json();
    assert_eq!(queued["status"], "Pending");
    sandbox.run_line("run dir:book --no-wait --out tables").fails_with(2, &["--no-wait"]);
    sandbox.run_line("work --all-tenants").fails_with(2, &["--all-tenants", "[tenants.ID]"]);
}

/// No worker is left that could react, so `cancel` takes the run up.
#[test]
fn a_run_of_a_killed_worker_is_cancelled() {
    let sandbox = Sandbox::new();
    prepare(&sandbox, 3_000);
    queue(&sandbox);
    let whole = Progress::FileSize.of_command(&sandbox, "powerfill.db", "work --once");
    let run = queue(&sandbox);
    // The tables take most of the space. The events come first: later, the run is recorded whole.
    let killed = Progress::FileSize.run_and_kill(&sandbox, "work --once", whole / 8);
    assert_eq!(killed.status, None, "{killed:?}");
    assert_eq!(sandbox.run_ok(&format!("cancel {run}")), format!("Run {run} is Cancelled\n"));
    sandbox.run_ok("verify");
    queue(&sandbox);
}
