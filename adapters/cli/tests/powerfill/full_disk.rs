//! A disk that is full in the middle of a run (specification 5.3): the run says so, nothing that
//! was stored is lost, and with room again the next run takes up what was left.
//!
//! The disk is a small file system of the test's own, which a process may have in a name space of
//! its own, also without being root. So each test runs this program again in one, for its other
//! half.

use std::fs::File;
use std::io::Write;
use std::path::Path;
use std::process::Command;

use powerfill_tests::postgres::{DedicatedServer, Durability, is_root};

use crate::compare;
use crate::desk::Desk;

const SCRIPT: &str = r#"mount -t tmpfs -o size="$1"m,mode=0755 tmpfs "$2" && shift 2 && exec "$@""#;

/// Runs an ignored test of this program with a temporary folder of so many MiB.
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
    let said = format!(
        "{}{}",
        String::from_utf8_lossy(&child.stdout),
        String::from_utf8_lossy(&child.stderr)
    );
    print!("{said}");
    assert!(
        child.status.success() && said.contains("1 passed"),
        "a small file system of its own (unshare --mount, mount -t tmpfs), or the test in it, failed"
    );
}

/// What fills the disk; room again when it is dropped.
struct Filler(std::path::PathBuf);

impl Filler {
    /// Leaves so many KiB.
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

/// Runs a book with less and less of the disk in use, until a run goes through; after each, there
/// is room again, and `made_good` may do what an operator would.
fn runs_on_a_disk_that_fills(desk: &Desk, undisturbed: &Path, made_good: impl Fn()) {
    let (mut refused, mut taken_up) = (0, 0);
    for kib in std::iter::successors(Some(16_u64), |kib| Some(kib * 2)) {
        let filler = Filler::leaving(kib);
        let run = desk.type_in("run dir:book");
        drop(filler);
        made_good();
        let at = format!("{kib} KiB left: {}{}", run.out, run.err);
        if run.status == Some(0) {
            break;
        }
        refused += 1;
        assert_eq!(run.status, Some(2), "{at}");
        let says = ["disk is full", "disk full", "No space left", "unavailable"];
        assert!(says.iter().any(|words| run.err.contains(words)), "{at}");
        desk.ask("verify");

        let out = format!("out-{kib}");
        let next = desk.type_in(&format!("run dir:book --out {out}")).well();
        taken_up += u32::from(next.err.contains("it was taken up first"));
        let found = compare::folders(undisturbed, &desk.path(&out));
        assert!(found.is_empty(), "{at}\n{}", found.join("\n"));
        std::fs::remove_dir_all(desk.path(&out)).unwrap();
    }
    desk.ask("verify");
    println!("{refused} runs met a full disk, {taken_up} of them had begun");
    assert!(refused > 2 && taken_up > 0, "{refused} refused, {taken_up} taken up");
}

fn with_a_book(desk: &Desk, loans: u32, trades: u32) {
    desk.ask(&format!("generate --loans {loans} --trades {trades} --out book"));
    desk.ask("run dir:book --store sqlite:undisturbed.db --out undisturbed");
    std::fs::remove_file(desk.path("undisturbed.db")).unwrap();
    desk.ask("migrate");
}

#[test]
fn a_full_disk_under_a_file_loses_nothing() {
    on_a_small_disk(64, "full_disk::over_a_file");
}

#[test]
#[ignore = "the other half of a test, on a small disk"]
fn over_a_file() {
    let desk = Desk::new();
    with_a_book(&desk, 400, 120);
    runs_on_a_disk_that_fills(&desk, &desk.path("undisturbed"), || {});
}

#[test]
fn a_full_disk_under_postgresql_loses_nothing() {
    on_a_small_disk(400, "full_disk::over_postgresql");
}

#[test]
#[ignore = "the other half of a test, on a small disk"]
fn over_postgresql() {
    let server = DedicatedServer::start(Durability::Synced);
    server.configure("max_wal_size = 32MB\nmin_wal_size = 32MB\n");
    server.stop("fast");
    server.start();
    let desk = Desk::with_store(server.url("postgres"));
    with_a_book(&desk, 1_200, 500);
    runs_on_a_disk_that_fills(&desk, &desk.path("undisturbed"), || {
        // Without room for its own log the server stops.
        if !server.accepts_connections() {
            println!("the server had stopped");
            server.stop_if_running();
            server.start();
        }
        desk.lease_is_over();
    });
}
