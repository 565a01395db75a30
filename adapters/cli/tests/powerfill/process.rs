//! Processes in the background, and the moments at which tests kill them.
//!
//! A kill moment is a number of bytes that a process writes to a file, or a number of messages that
//! it sends to a server. So it is the same on a slow machine, and a failure can be replayed.

use std::process::{Child, Command, Stdio};

use powerfill_tests::proxy::{ProxyFault, TcpProxy};
use powerfill_tests::waiting::eventually_blocking;
use rusqlite::Connection;

use crate::sandbox::{CommandOutput, Sandbox};

/// A process in the background, killed at the end of the test.
pub(crate) struct BackgroundProcess(Option<Child>);

impl Drop for BackgroundProcess {
    fn drop(&mut self) {
        if let Some(mut child) = self.0.take() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

impl BackgroundProcess {
    pub(crate) fn start(command: &mut Command) -> Self {
        Self(Some(command.spawn().expect("the process starts")))
    }

    pub(crate) fn child(&mut self) -> &mut Child {
        self.0.as_mut().expect("the process is not taken")
    }

    pub(crate) fn id(&self) -> u32 {
        self.0.as_ref().expect("the process is not taken").id()
    }

    pub(crate) fn has_ended(&mut self) -> bool {
        self.child().try_wait().expect("the process can be waited for").is_some()
    }

    /// Sends a signal, such as `-TERM`.
    pub(crate) fn signal(&self, signal: &str) {
        let sent = Command::new("kill").args([signal, &self.id().to_string()]).status();
        assert!(sent.expect("kill runs").success());
    }

    /// Waits for the end, and returns what the process printed to pipes.
    pub(crate) fn finish(mut self) -> CommandOutput {
        let child = self.0.take().expect("the process is not taken");
        child.wait_with_output().expect("the process ends").into()
    }
}

/// What counts the progress of a process that a test kills.
pub(crate) enum Progress {
    /// The size of the largest file that it writes, in units of 512 bytes.
    FileSize,
    /// The messages through a proxy.
    Messages(TcpProxy),
}

/// Runs a command with a limit for the size of files; the first write beyond it kills the process.
const LIMITED: &str = r#"ulimit -c 0; ulimit -f "$1"; shift; exec "$@""#;

impl Progress {
    /// The progress that a command makes until its end. `store` is its SQLite store, which must
    /// exist; a server's store needs none.
    pub(crate) fn of_command(&self, sandbox: &Sandbox, store: &str, line: &str) -> usize {
        match self {
            Self::FileSize => {
                // An open connection keeps the write-ahead log, the largest file, from being
                // removed.
                let reader = Connection::open(sandbox.path(store)).expect("the store opens");
                let version = |row: &rusqlite::Row<'_>| row.get::<_, i64>(0);
                reader.query_row("PRAGMA schema_version", [], version).expect("the store reads");
                sandbox.run_ok(line);
                let log = sandbox.path(format!("{store}-wal"));
                let bytes = log.metadata().expect("the store has a write-ahead log").len();
                usize::try_from(bytes / 512).expect("a small file")
            }
            Self::Messages(proxy) => {
                let before = proxy.message_count();
                sandbox.run_ok(line);
                proxy.message_count() - before
            }
        }
    }

    /// Runs a command and kills it at this point of its progress. The exit status is `None` if the
    /// command did not end before.
    pub(crate) fn run_and_kill(
        &self,
        sandbox: &Sandbox,
        line: &str,
        point: usize,
    ) -> CommandOutput {
        match self {
            Self::FileSize => {
                let mut command = Command::new("sh");
                command.args(["-c", LIMITED, "sh", &point.to_string()]);
                command.arg(env!("CARGO_BIN_EXE_powerfill")).args(line.split_whitespace());
                sandbox.prepare(&mut command);
                command.output().expect("the binary starts").into()
            }
            Self::Messages(proxy) => {
                proxy.fail_at_message(point, ProxyFault::Stall);
                let mut command = sandbox.command(line.split_whitespace());
                command.stdout(Stdio::piped()).stderr(Stdio::piped());
                let mut process = BackgroundProcess::start(&mut command);
                eventually_blocking(format!("`{line}` sends message {point}"), || {
                    proxy.has_failed() || process.has_ended()
                });
                let _ = process.child().kill();
                // A fault that did not happen must not hit the next command.
                proxy.fail_at_message(0, ProxyFault::Stall);
                proxy.disconnect_all();
                process.finish()
            }
        }
    }
}

/// A share of a whole that looks random, and is the same for the same number.
pub(crate) fn scattered(number: usize, whole: usize) -> usize {
    1 + whole * (number * 617 % 1_000) / 1_000
}
