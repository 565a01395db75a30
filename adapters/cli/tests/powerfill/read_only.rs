//! Stores and sources that cannot be written: every command that only reads works, and leaves
//! nothing behind; every other says what to do (specification 4.1).

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, Stdio};

use powerfill_tests::postgres::is_root;
use rusqlite::Connection;

use crate::released;
use crate::sandbox::{CommandOutput, Sandbox, case, source};

/// The user without rights, if the tests run as root.
const NOBODY: u32 = 65_534;

/// Mounts a folder read-only and runs a command.
const MOUNT: &str =
    r#"mount --bind "$1" "$1" && mount -o remount,ro,bind "$1" && shift && exec "$@""#;

/// Commands that only read.
const READING: [&str; 15] = [
    "runs",
    "show latest",
    "show latest --at 18",
    "tables latest",
    "tables latest~1 pfill_trade_recap --format csv",
    "events latest --follow",
    "explain latest --loan K7",
    "explain latest --trade T1 --format json",
    "step latest",
    "replay latest",
    "verify",
    "verify latest~1",
    "seal export",
    "diff latest --against latest~1",
    "config history",
];

/// Commands that write.
const WRITING: [&str; 4] = ["rebuild latest", "cancel latest", "migrate", "work --once"];

/// Why a folder cannot be written.
#[derive(Debug, Clone, Copy)]
enum Obstacle {
    /// It belongs to another user.
    AnotherUser,
    /// It is on a read-only file system.
    ReadOnlyMount,
}

/// A sandbox with the folder `shelf`, which has a store with two runs, and with the folder `own`,
/// which every user may write.
fn sandbox() -> Sandbox {
    let sandbox = Sandbox::new();
    for folder in ["shelf", "own"] {
        fs::create_dir(sandbox.path(folder)).unwrap();
    }
    permit(&sandbox.path(""), 0o755);
    permit(&sandbox.path("own"), 0o777);
    // The other user may not reach the binary where it was built.
    fs::copy(env!("CARGO_BIN_EXE_powerfill"), sandbox.path("powerfill")).unwrap();
    add_run(&sandbox);
    add_run(&sandbox);
    sandbox
}

fn add_run(sandbox: &Sandbox) {
    sandbox.run_case("12", &["--store", "sqlite:shelf/books.db"]).success();
}

fn permit(path: &Path, mode: u32) {
    fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
}

/// Runs a command line while the folder `shelf` cannot be written.
fn run(sandbox: &Sandbox, obstacle: Obstacle, line: &str) -> CommandOutput {
    let (shelf, program) = (sandbox.path("shelf"), sandbox.path("powerfill"));
    let mut command = match obstacle {
        Obstacle::AnotherUser => {
            let mut command = Command::new(&program);
            if is_root() {
                command.uid(NOBODY).gid(NOBODY);
            }
            command
        }
        Obstacle::ReadOnlyMount => {
            let mut command = Command::new("unshare");
            if !is_root() {
                command.args(["--map-current-user", "--keep-caps"]);
            }
            command.args(["--mount", "sh", "-c", MOUNT, "sh"]).arg(&shelf).arg(&program);
            command
        }
    };
    command.args(line.split_whitespace()).stdin(Stdio::null());
    sandbox.prepare(&mut command);
    let modes = matches!(obstacle, Obstacle::AnotherUser).then(|| withdraw_rights(&shelf));
    let output = command.output().expect("the command starts").into();
    for (path, mode) in modes.into_iter().flatten() {
        permit(&path, mode);
    }
    output
}

/// Makes a folder and its files read-only, and returns their former modes.
fn withdraw_rights(folder: &Path) -> Vec<(std::path::PathBuf, u32)> {
    let files = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let mut modes = Vec::new();
    for path in files.chain([folder.to_owned()]) {
        let mode = fs::metadata(&path).unwrap().permissions().mode();
        permit(&path, mode & 0o555);
        modes.push((path, mode));
    }
    modes
}

fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name());
    let mut names: Vec<String> = entries.map(|name| name.to_string_lossy().into_owned()).collect();
    names.sort();
    names
}

/// An answer without the time of the export, which a seal names.
fn without_time(answer: &str) -> String {
    answer.lines().filter(|line| !line.contains("\"exported_at\"")).collect()
}

/// Every reading command answers as it does where the store can be written.
fn assert_readable(sandbox: &Sandbox, obstacle: Obstacle, store: &str) {
    let before = names(&sandbox.path("shelf"));
    for line in READING {
        let line = format!("{line} --store sqlite:{store}");
        let (expected, actual) = (sandbox.run_line(&line), run(sandbox, obstacle, &line));
        let actual = (actual.status, without_time(&actual.out), actual.err);
        let expected = (expected.status, without_time(&expected.out), expected.err);
        assert_eq!(actual, expected, "{obstacle:?}: {line}");
    }
    let copied = run(sandbox, obstacle, &format!("copy-store sqlite:{store} sqlite:own/copy.db"));
    assert!(copied.success().out.contains("the copy verifies"));
    assert_eq!(names(&sandbox.path("shelf")), before, "{obstacle:?}");
    for line in WRITING {
        let refused = run(sandbox, obstacle, &format!("{line} --store sqlite:{store}"));
        refused.fails_with(2, &[store, "cannot be written", "copy-store"]);
    }
    fs::remove_file(sandbox.path("own/copy.db")).unwrap();
}

#[test]
fn a_store_of_another_user_is_read() {
    assert_readable(&sandbox(), Obstacle::AnotherUser, "shelf/books.db");
}

#[test]
fn a_store_on_a_read_only_file_system_is_read() {
    assert_readable(&sandbox(), Obstacle::ReadOnlyMount, "shelf/books.db");
}

#[test]
fn what_is_only_in_the_write_ahead_log_is_read_or_the_command_refuses() {
    let sandbox = sandbox();
    let (store, log) = (sandbox.path("shelf/books.db"), sandbox.path("shelf/books.db-wal"));
    // The log stays while a process has the store open.
    let open = Connection::open(&store).unwrap();
    open.query_row("SELECT count(*) FROM runs", [], |row| row.get::<_, i64>(0)).unwrap();
    add_run(&sandbox);
    assert!(fs::metadata(&log).unwrap().len() > 0);
    let count = |obstacle, store: &str| {
        let runs = run(&sandbox, obstacle, &format!("runs --format csv --store sqlite:{store}"));
        runs.success().out.lines().count() - 1
    };
    for obstacle in [Obstacle::AnotherUser, Obstacle::ReadOnlyMount] {
        assert_eq!(count(obstacle, "shelf/books.db"), 3, "{obstacle:?}");
    }
    // A copy of both files has no index of the log, as after a loss of power.
    fs::copy(&store, sandbox.path("shelf/copy.db")).unwrap();
    fs::copy(&log, sandbox.path("shelf/copy.db-wal")).unwrap();
    for obstacle in [Obstacle::AnotherUser, Obstacle::ReadOnlyMount] {
        assert_eq!(count(obstacle, "shelf/copy.db"), 3, "{obstacle:?}");
    }
    // Without the right to read the log, there is no older state instead.
    permit(&sandbox.path("shelf/copy.db-wal"), 0);
    for store in ["shelf/books.db", "shelf/copy.db"] {
        permit(&sandbox.path(format!("{store}-wal")), 0);
        let refused = run(&sandbox, Obstacle::AnotherUser, &format!("runs --store sqlite:{store}"));
        refused.fails_with(2, &[&format!("{store}-wal"), "older state", "together"]);
    }
    permit(&log, 0o644);
    drop(open);
}

#[test]
fn a_store_of_an_older_program_is_read_as_it_is() {
    for version in released::versions() {
        let sandbox = sandbox();
        let store = sandbox.path("shelf/released.db");
        fs::write(&store, released::unpacked(&version.join("store.db.gz"))).unwrap();
        let copy = sandbox.path("migrated.db");
        fs::copy(&store, &copy).unwrap();
        for line in ["runs", "verify", "show latest", "replay latest", "config list", "seal export"]
        {
            let line = format!("{line} --format json");
            let migrated = sandbox.run_line(&format!("{line} --store sqlite:migrated.db"));
            let line = format!("{line} --store sqlite:shelf/released.db");
            let as_it_is = run(&sandbox, Obstacle::AnotherUser, &line);
            let [out, expected] = [&as_it_is.out, &migrated.out].map(|out| without_time(out));
            assert_eq!((out, as_it_is.err), (expected, migrated.err), "{line}");
            assert_eq!(as_it_is.status, Some(0), "{line}");
        }
        assert_eq!(names(&sandbox.path("shelf")), ["books.db", "books.db.worker", "released.db"]);
    }
}

#[test]
fn a_source_is_read_where_nothing_can_be_written() {
    let sandbox = sandbox();
    let book = sandbox.path("shelf/book.db");
    let raw = powerfill_csv::read_folder(&case("12").join("snapshot")).unwrap();
    let database = Connection::open(&book).unwrap();
    database.pragma_update(None, "journal_mode", "WAL").unwrap();
    for table in &raw.tables {
        let columns = table.columns().join(", ");
        database.execute_batch(&format!("CREATE TABLE {} ({columns})", table.name())).unwrap();
        let marks = vec!["nullif(?, '')"; table.columns().len()].join(", ");
        let insert = format!("INSERT INTO {} VALUES ({marks})", table.name());
        for row in 0..table.rows() {
            let cells = (0..table.columns().len()).map(|column| table.cell(row, column));
            database.execute(&insert, rusqlite::params_from_iter(cells)).unwrap();
        }
    }
    // As pandas writes dates.
    let dates = "UPDATE snapshot SET as_of = as_of || ' 00:00:00'";
    database.execute(dates, []).unwrap();
    let expected = sandbox.run(["check", &source(&case("12"))]).success().out;
    let log = sandbox.path("shelf/book.db-wal");
    fs::copy(&book, sandbox.path("shelf/copy.db")).unwrap();
    fs::copy(&log, sandbox.path("shelf/copy.db-wal")).unwrap();
    let check = |file: &str| {
        let before = names(&sandbox.path("shelf"));
        let line = format!("check sqlite:shelf/{file}");
        assert_eq!(sandbox.run_ok(&line), expected, "{line}");
        for obstacle in [Obstacle::AnotherUser, Obstacle::ReadOnlyMount] {
            assert_eq!(run(&sandbox, obstacle, &line).success().out, expected, "{obstacle:?}");
        }
        assert_eq!(names(&sandbox.path("shelf")), before, "{line}");
    };
    check("book.db");
    check("copy.db");
    permit(&sandbox.path("shelf/copy.db-wal"), 0);
    run(&sandbox, Obstacle::AnotherUser, "check sqlite:shelf/copy.db")
        .fails_with(2, &["the source shelf/copy.db", "copy.db-wal", "journal_mode=DELETE"]);
    drop(database);
    check("book.db");
}
