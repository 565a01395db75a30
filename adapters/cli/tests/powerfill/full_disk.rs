//! A disk that becomes full in the middle of a run (specification 5.3): the run fails with a
//! message, nothing that was stored is lost, and when there is space again, the next run takes it
//! up.
//!
//! `FULL_DISK_STEPS=3 cargo nextest run -p powerfill-cli full_disk` fills it more often.
//!
//! The disk is a small file system, which a process can mount in a namespace of its own without
//! being root. So each test runs this program again in such a namespace, for its second half.

use std::fs::File;
use std::io::Write;
use std::path::Path;
use std::process::Command;

use powerfill_tests::postgres::{DedicatedServer, Durability, is_root};

use crate::compare;
use crate::sandbox::Sandbox;

const SCRIPT: &str = r#"mount -t tmpfs -o size="$1"m,mode=0755 tmpfs "$2" && shift 2 && exec "$@""#;

/// Runs an ignored test of this program with a temporary folder of this size.
fn on_a_small_disk(mebibytes: u32, test: &str) {
    let folder = tempfile::tempdir().unwrap();
    let mut child = Command::new("unshare");
    if !is_root() {
        child.args(["--map-current-user", "--keep-caps"]);
    }
    let child = child
        .args(["--mount", "sh", "-c", SCRIPT, "sh", &mebibytes.to_string()])
        .arg(folder.path())
        .arg(std::env::current_exe().unwrap())
        .args(["--exact", test, "--ignored", "--nocapture"])
        .env("TMPDIR", folder.path())
        .output()
        .unwrap();
    let printed = format!(
        "{}{}",
        String::from_utf8_lossy(&child.stdout),
        String::from_utf8_lossy(&child.stderr)
    );
    print!("{printed}");
    assert!(
        child.status.success() && printed.contains("1 passed"),
        "a small file system of its own (unshare --mount, mount -t tmpfs), or the test in it, failed"
    );
}

/// A file that fills the disk, removed when it is dropped.
struct Filler(std::path::PathBuf);

impl Filler {
    /// Fills the disk except this many KiB.
    fn leaving(kib: u64) -> Self {
        let path = std::env::temp_dir().join("filler");
        let mut file = File::create(&path).unwrap();
        let mut size = 0;
        for part in [1 << 20, 1 << 12] {
            let zeros = vec![0; part];
            while let Ok(written @ 1..) = file.write(&zeros) {
                size += written as u64;
            }
        }
        file.set_len(size.saturating_sub(kib * 1024)).unwrap();
        Self(path)
    }
}

impl Drop for Filler {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}

/// Runs a book with more and more space on the disk, until a run is Complete. After each run, frees
/// the disk and calls `recover`, which does what an operator would do.
fn runs_on_a_full_disk_lose_nothing(sandbox: &Sandbox, undisturbed: &Path, recover: impl Fn()) {
    let (mut refused, mut taken_up) = (0, 0);
    let steps =
        std::env::var("FULL_DISK_STEPS").map_or(1, |steps| steps.parse().expect("a number"));
    for kib in std::iter::successors(Some(16_u64), |kib| Some(kib + (kib / steps).max(1))) {
        let filler = Filler::leaving(kib);
        let run = sandbox.run_line("run dir:book");
        drop(filler);
        recover();
        let at = format!("{kib} KiB left: {}{}", run.out, run.err);
        if run.status == Some(0) {
            break;
        }
        refused += 1;
        assert_eq!(run.status, Some(2), "{at}");
        let words =
            ["disk is full", "disk full", "No space left", "could not write", "unavailable"];
        assert!(words.iter().any(|words| run.err.contains(words)), "{at}");
        sandbox.run_ok("verify");

        let out = format!("out-{kib}");
        let next = sandbox.run_line(&format!("run dir:book --out {out}")).success();
        taken_up += u32::from(next.err.contains("it was taken up first"));
        let found = compare::folders(undisturbed, &sandbox.path(&out));
        assert!(found.is_empty(), "{at}\n{}", found.join("\n"));
        std::fs::remove_dir_all(sandbox.path(&out)).unwrap();
    }
    sandbox.run_ok("verify");
    println!("{refused} runs had a full disk, {taken_up} of them had begun");
    assert!(refused > 2 && taken_up > 0, "{refused} refused, {taken_up} taken up");
}

fn prepare_book(sandbox: &Sandbox, loans: u32, trades: u32) {
    sandbox.run_ok(&format!("generate --loans {loans} --trades {trades} --out book"));
    sandbox.run_ok("run dir:book --store sqlite:undisturbed.db --out undisturbed");
    std::fs::remove_file(sandbox.path("undisturbed.db")).unwrap();
    sandbox.run_ok("migrate");
}

#[test]
fn a_full_disk_under_a_file_loses_nothing() {
    on_a_small_disk(64, "full_disk::over_a_file");
}

#[test]
#[ignore = "the second half of a test, on a small disk"]
fn over_a_file() {
    let sandbox = Sandbox::new();
    prepare_book(&sandbox, 400, 120);
    runs_on_a_full_disk_lose_nothing(&sandbox, &sandbox.path("undisturbed"), || {});
}

#[test]
fn a_full_disk_under_postgresql_loses_nothing() {
    on_a_small_disk(400, "full_disk::over_postgresql");
}

#[test]
#[ignore = "the second half of a test, on a small disk"]
fn over_postgresql() {
    let server = DedicatedServer::start(Durability::Synced);
    server.configure("max_wal_size = 32MB\nmin_wal_size = 32MB\n");
    server.stop("fast");
    server.start();
    let sandbox = Sandbox::with_store(server.url("postgres"));
    prepare_book(&sandbox, 1_200, 500);
    runs_on_a_full_disk_lose_nothing(&sandbox, &sandbox.path("undisturbed"), || {
        // Without space for its own log, the server stops.
        if !server.accepts_connections() {
            println!("the server had stopped");
            server.stop_if_running();
            server.start();
        }
        sandbox.expire_lease();
    });
}
