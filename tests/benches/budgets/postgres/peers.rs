//! Other libraries' stores, in a program of their own (`tests/benches/peers`), which is built here
//! and nowhere else.

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use powerfill_events::log::EncodedBatch;
use powerfill_events::run::RunEvent;

/// The program, waiting for what to append.
pub(super) struct Peers {
    child: Child,
    to: ChildStdin,
    from: BufReader<ChildStdout>,
    _events: tempfile::NamedTempFile,
}

impl Peers {
    /// Builds and starts it, with these events and an empty database.
    pub(super) fn start(url: &str, events: &[RunEvent]) -> Self {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        for (_, payload) in EncodedBatch::encode(events).iter() {
            file.write_all(payload).unwrap();
            file.write_all(b"\n").unwrap();
        }
        file.flush().unwrap();
        let mut child = Command::new(built())
            .arg(url)
            .arg(file.path())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let (to, from) = (child.stdin.take().unwrap(), child.stdout.take().unwrap());
        Self { child, to, from: BufReader::new(from), _events: file }
    }

    /// All events to a new stream by a library, a batch at a time; answers how many microseconds
    /// that took.
    pub(super) fn append(&mut self, library: &str, batch: usize) -> u128 {
        writeln!(self.to, "{library} {batch}").unwrap();
        let mut answer = String::new();
        self.from.read_line(&mut answer).unwrap();
        answer.trim().parse().expect("the other libraries' program answers")
    }
}

impl Drop for Peers {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn built() -> std::path::PathBuf {
    let manifest = Path::new(env!("CARGO_MANIFEST_DIR")).join("benches/peers/Cargo.toml");
    // This program is in target/release/deps.
    let here = std::env::current_exe().unwrap();
    let target = here.ancestors().nth(3).unwrap().join("peers");
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let built = Command::new(cargo)
        .args(["build", "--release", "--locked", "--quiet", "--manifest-path"])
        .arg(manifest)
        .arg("--target-dir")
        .arg(&target)
        .status()
        .unwrap();
    assert!(built.success(), "the other libraries' program does not build");
    target.join("release/powerfill-peers")
}
