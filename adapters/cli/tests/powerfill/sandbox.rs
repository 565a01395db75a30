//! A working folder for each test, and the binary in it.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::LazyLock;

use powerfill_tests::postgres::{TestDatabase, connect, shared_server};
use powerfill_tests::proxy::TcpProxy;
use powerfill_tests::waiting::eventually;
use tempfile::TempDir;
use tokio::runtime::Runtime;

use crate::table::Table;

/// A working folder, removed at the end of the test.
pub(crate) struct Sandbox {
    folder: TempDir,
    /// The store of the commands; `None` for the default, a file.
    store: Option<String>,
    _database: Option<TestDatabase>,
}

/// What a command printed, and its exit status.
#[derive(Debug)]
pub(crate) struct CommandOutput {
    /// The exit status; `None` if a signal ended the process.
    pub(crate) status: Option<i32>,
    pub(crate) out: String,
    pub(crate) err: String,
}

static RUNTIME: LazyLock<Runtime> = LazyLock::new(|| Runtime::new().expect("a runtime"));

/// Awaits a future. Its tasks continue afterwards.
pub(crate) fn block_on<F: Future>(future: F) -> F::Output {
    RUNTIME.block_on(future)
}

impl Sandbox {
    /// The store is a file.
    pub(crate) fn new() -> Self {
        Self { folder: tempfile::tempdir().expect("a folder"), store: None, _database: None }
    }

    /// With a run of a conformance case, which these flags do not stop.
    #[track_caller]
    pub(crate) fn with_case(number: &str, flags: &[&str]) -> Self {
        let sandbox = Self::new();
        sandbox.run_case(number, flags).success();
        sandbox
    }

    /// The store has this URL.
    pub(crate) fn with_store(url: String) -> Self {
        Self { store: Some(url), ..Self::new() }
    }

    /// The store is a new database of PostgreSQL.
    pub(crate) fn in_database() -> Self {
        let database = TestDatabase::new();
        Self { store: Some(block_on(database.url())), _database: Some(database), ..Self::new() }
    }

    /// As [`Sandbox::in_database`], with a proxy between the commands and the server.
    pub(crate) fn behind_proxy() -> (Self, TcpProxy) {
        let (server, database) = (shared_server(), TestDatabase::new());
        let proxy = block_on(TcpProxy::to_port(server.port()));
        let store = Some(server.url_on_port(proxy.port(), block_on(database.name())));
        (Self { store, _database: Some(database), ..Self::new() }, proxy)
    }

    /// The URL of the store, if it is not the default.
    pub(crate) fn store(&self) -> Option<&str> {
        self.store.as_deref()
    }

    pub(crate) fn path(&self, name: impl AsRef<Path>) -> PathBuf {
        self.folder.path().join(name)
    }

    /// The text of a file in this folder.
    #[track_caller]
    pub(crate) fn read(&self, name: impl AsRef<Path>) -> String {
        std::fs::read_to_string(self.path(name)).expect("the file is a text")
    }

    /// Writes a file into this folder, or into a folder in it.
    #[track_caller]
    pub(crate) fn write(&self, name: impl AsRef<Path>, contents: impl AsRef<[u8]>) {
        let path = self.path(name);
        std::fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
        std::fs::write(path, contents).expect("the file can be written");
    }

    /// The binary in this folder, without the developer's own settings.
    pub(crate) fn command<A: AsRef<OsStr>>(&self, args: impl IntoIterator<Item = A>) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_powerfill"));
        command.args(args);
        self.prepare(&mut command);
        command
    }

    /// Gives a command this folder and its store.
    pub(crate) fn prepare(&self, command: &mut Command) {
        command.current_dir(self.folder.path()).env("USER", "desk").env_remove("COLUMNS");
        for setting in ["STORE", "FORMAT", "REQUESTED_BY", "TENANT", "WORKER"] {
            command.env_remove(format!("POWERFILL_{setting}"));
        }
        // Tests of other things spare the time.
        command.env("POWERFILL_NO_CERTIFICATE", "true");
        if let Some(store) = &self.store {
            command.env("POWERFILL_STORE", store);
        }
    }

    /// Ends the lease of a killed worker in a database, instead of waiting until it expires. A
    /// killed worker of a file has no lease: its lock ended with the process.
    pub(crate) fn expire_lease(&self) {
        let Some(url) = &self.store else { return };
        // The store may not exist yet.
        let expire = "DO $$ BEGIN IF to_regclass('powerfill.runs') IS NOT NULL THEN
            UPDATE powerfill.runs SET lease_expires_at = 'epoch' WHERE NOT is_over;
        END IF; END $$";
        let others = "SELECT count(*) FROM pg_stat_activity
            WHERE datname = current_database() AND pid <> pg_backend_pid()
                AND backend_type = 'client backend'";
        block_on(async {
            let client = connect(url).await;
            // The server ends the transactions of a killed process some time later.
            eventually("the server ends the sessions of the killed process", async || {
                client.query_one(others, &[]).await.expect("a count").get::<_, i64>(0) == 0
            })
            .await;
            client.batch_execute(expire).await.expect("the lease expires");
        });
    }

    /// Runs the binary to its end.
    pub(crate) fn run<A: AsRef<OsStr>>(&self, args: impl IntoIterator<Item = A>) -> CommandOutput {
        self.command(args).output().expect("the binary starts").into()
    }

    /// Runs a command line; its words must not contain spaces.
    pub(crate) fn run_line(&self, line: &str) -> CommandOutput {
        self.run(line.split_whitespace())
    }

    /// Runs a command line that must succeed, and returns what it printed.
    #[track_caller]
    pub(crate) fn run_ok(&self, line: &str) -> String {
        self.run_line(line).success().out
    }

    /// Runs a command line that must succeed and print each of these words. Returns all that it
    /// printed.
    #[track_caller]
    pub(crate) fn prints(&self, line: &str, words: &[&str]) -> String {
        self.run_line(line).answers(0, words).out
    }

    /// Runs a conformance case with its options, and these flags.
    pub(crate) fn run_case(&self, number: &str, flags: &[&str]) -> CommandOutput {
        let case = case(number);
        let args = ["run", &source(&case), "--options", &options(&case)];
        self.run(args.iter().chain(flags))
    }

    /// The runs of the store, the latest first.
    #[track_caller]
    pub(crate) fn runs(&self) -> Table {
        self.run_line("runs --format csv").success().table()
    }
}

impl From<Output> for CommandOutput {
    fn from(output: Output) -> Self {
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("the output is UTF-8");
        Self { status: output.status.code(), out: text(output.stdout), err: text(output.stderr) }
    }
}

impl CommandOutput {
    /// Expects exit status 0.
    #[track_caller]
    pub(crate) fn success(self) -> Self {
        self.answers(0, &[])
    }

    /// Expects this exit status, and each of these words on standard output.
    #[track_caller]
    pub(crate) fn answers(self, status: i32, words: &[&str]) -> Self {
        assert_eq!(self.status, Some(status), "{}{}", self.out, self.err);
        for word in words {
            assert!(self.out.contains(word), "{word:?} is not in:\n{}", self.out);
        }
        self
    }

    /// Expects this exit status, and each of these words on standard error.
    #[track_caller]
    pub(crate) fn fails_with(&self, status: i32, words: &[&str]) {
        assert_eq!(self.status, Some(status), "{}{}", self.out, self.err);
        for word in words {
            assert!(self.err.contains(word), "{word:?} is not in:\n{}", self.err);
        }
    }

    /// The standard output, parsed as CSV.
    pub(crate) fn table(&self) -> Table {
        Table::parse(self.out.as_bytes())
    }

    /// The standard output, parsed as JSON.
    #[track_caller]
    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.out).unwrap_or_else(|error| panic!("{error}: {}", self.out))
    }
}

/// The folder of the conformance case with this number.
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
    let cases = cases.canonicalize().expect("the cases exist");
    let entries = std::fs::read_dir(cases).expect("the cases exist");
    let mut folders: Vec<PathBuf> =
        entries.map(|entry| entry.expect("a folder can be listed").path()).collect();
    folders.retain(|folder| folder.join("expected").is_dir());
    folders.sort();
    folders
}

/// Calls a function with every conformance case, in several threads. Returns the results.
pub(crate) fn check_cases<T: Send>(check: impl Fn(&Path) -> Option<T> + Sync) -> Vec<T> {
    let cases = cases();
    // A wrong path must not pass as no case.
    assert!(cases.len() >= 48, "{} cases", cases.len());
    std::thread::scope(|scope| {
        let check = &check;
        let check_part =
            move |part: &[PathBuf]| part.iter().filter_map(|c| check(c)).collect::<Vec<T>>();
        let parts = cases.chunks(cases.len().div_ceil(4));
        let threads: Vec<_> = parts.map(|part| scope.spawn(move || check_part(part))).collect();
        threads.into_iter().flat_map(|part| part.join().expect("the cases are checked")).collect()
    })
}

/// The URL of a case's snapshot.
pub(crate) fn source(case: &Path) -> String {
    format!("dir:{}", case.join("snapshot").display())
}

/// The options file of a case.
pub(crate) fn options(case: &Path) -> String {
    case.join("options.json").display().to_string()
}
