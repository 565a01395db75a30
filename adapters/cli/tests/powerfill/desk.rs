//! A working folder of its own for each test, and the binary in it.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use powerfill_tests::postgres::connect;
use tempfile::TempDir;

use crate::table::Table;

/// A working folder that goes away with the test.
pub(crate) struct Desk {
    folder: TempDir,
    /// What its commands take for the store; the default where there is none.
    store: Option<String>,
}

/// What a command answered.
#[derive(Debug)]
pub(crate) struct Answer {
    /// The exit status; `None` where a signal ended the process.
    pub(crate) status: Option<i32>,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Desk {
    pub(crate) fn new() -> Self {
        Self { folder: tempfile::tempdir().expect("a folder"), store: None }
    }

    /// One whose runs go to this store.
    pub(crate) fn with_store(url: String) -> Self {
        Self { store: Some(url), ..Self::new() }
    }

    pub(crate) fn path(&self, name: impl AsRef<Path>) -> PathBuf {
        self.folder.path().join(name)
    }

    /// The binary in this folder, without any setting of whoever runs the tests.
    pub(crate) fn command<A: AsRef<OsStr>>(&self, args: impl IntoIterator<Item = A>) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_powerfill"));
        command.args(args).current_dir(self.folder.path()).env("USER", "desk");
        for setting in ["STORE", "FORMAT", "REQUESTED_BY", "TENANT", "WORKER"] {
            command.env_remove(format!("POWERFILL_{setting}"));
        }
        if let Some(store) = &self.store {
            command.env("POWERFILL_STORE", store);
        }
        command
    }

    /// Where the store is a PostgreSQL database: the time passes after which a worker that says
    /// nothing counts as dead.
    pub(crate) fn lease_is_over(&self) {
        let Some(url) = &self.store else { return };
        // The store may not have been made yet.
        let sql = "DO $$ BEGIN IF to_regclass('powerfill.runs') IS NOT NULL THEN
            UPDATE powerfill.runs SET lease_expires_at = 'epoch' WHERE NOT is_over;
        END IF; END $$";
        let runtime = tokio::runtime::Runtime::new().expect("a runtime");
        runtime.block_on(async {
            connect(url).await.batch_execute(sql).await.expect("the lease is over");
        });
    }

    /// Runs the binary to its end.
    pub(crate) fn powerfill<A: AsRef<OsStr>>(&self, args: impl IntoIterator<Item = A>) -> Answer {
        self.command(args).output().expect("the binary starts").into()
    }

    /// Runs a command line whose words have no spaces.
    pub(crate) fn type_in(&self, line: &str) -> Answer {
        self.powerfill(line.split_whitespace())
    }

    /// Runs a command line that must end well, and gives back what it printed.
    pub(crate) fn ask(&self, line: &str) -> String {
        self.type_in(line).well().out
    }
}

impl From<Output> for Answer {
    fn from(output: Output) -> Self {
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("what is printed is UTF-8");
        Self { status: output.status.code(), out: text(output.stdout), err: text(output.stderr) }
    }
}

impl Answer {
    /// The answer, where it is that the command did what was asked.
    #[track_caller]
    pub(crate) fn well(self) -> Self {
        assert_eq!(self.status, Some(0), "{}{}", self.out, self.err);
        self
    }

    /// Expects this exit status and each of these words on standard error.
    #[track_caller]
    pub(crate) fn refuses(&self, status: i32, words: &[&str]) {
        assert_eq!(self.status, Some(status), "{}{}", self.out, self.err);
        for word in words {
            assert!(self.err.contains(word), "{word:?} is not in:\n{}", self.err);
        }
    }

    /// What was printed, read as CSV.
    pub(crate) fn table(&self) -> Table {
        Table::parse(self.out.as_bytes())
    }
}

/// The folder of a conformance case whose name begins so.
pub(crate) fn case(number: &str) -> PathBuf {
    let found = cases().into_iter().find(|case| {
        let name = case.file_name().unwrap_or_default().to_string_lossy();
        name.starts_with(&format!("{number}-"))
    });
    found.unwrap_or_else(|| panic!("there is no case {number}"))
}

/// The folders of all conformance cases, by name.
pub(crate) fn cases() -> Vec<PathBuf> {
    let cases = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/conformance");
    let cases = cases.canonicalize().expect("the cases are there");
    let entries = std::fs::read_dir(cases).expect("the cases are there");
    let mut folders: Vec<PathBuf> =
        entries.map(|entry| entry.expect("a folder can be listed").path()).collect();
    folders.retain(|folder| folder.join("expected").is_dir());
    folders.sort();
    folders
}

/// The source of a case.
pub(crate) fn source(case: &Path) -> String {
    format!("dir:{}", case.join("snapshot").display())
}

/// Its options.
pub(crate) fn options(case: &Path) -> String {
    case.join("options.json").display().to_string()
}
