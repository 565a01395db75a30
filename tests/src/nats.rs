//! A NATS server of the tests' own, with JetStream, on a free port of this machine; Debian's package `nats-server` has
//! it.

use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use async_nats::jetstream;
use async_nats::jetstream::message::StreamMessage;
use tempfile::TempDir;

/// Longer than a server takes to start.
const PATIENCE: Duration = Duration::from_secs(60);

/// The program: of the machine, or the one that `tests/run.sh` has put into the target folder.
fn program() -> PathBuf {
    let own = Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/nats/usr/sbin/nats-server");
    if own.is_file() { own } else { "nats-server".into() }
}

/// A server that ends with the test.
pub struct NatsServer {
    folder: TempDir,
    port: u16,
    process: Option<Child>,
}

impl Drop for NatsServer {
    fn drop(&mut self) {
        self.kill();
    }
}

impl NatsServer {
    /// A server that runs, with these settings besides its own.
    pub fn start(settings: &str) -> Self {
        let mut server = Self::stopped(settings);
        server.launch();
        server
    }

    /// A server that does not run yet.
    pub fn stopped(settings: &str) -> Self {
        let folder = tempfile::tempdir().expect("a folder for the server");
        let port = crate::postgres::free_port();
        let store = folder.path().join("js");
        let own = format!(
            "listen: 127.0.0.1:{port}\njetstream {{ store_dir: \"{}\" }}\n{settings}\n",
            store.display()
        );
        std::fs::write(folder.path().join("nats.conf"), own).expect("settings are written");
        Self { folder, port, process: None }
    }

    /// Starts it, and waits until it answers.
    pub fn launch(&mut self) {
        let log = std::fs::File::create(self.folder.path().join("log")).expect("a log");
        let started = Command::new(program())
            .arg("--config")
            .arg(self.folder.path().join("nats.conf"))
            .stdout(Stdio::null())
            .stderr(log)
            .spawn();
        let process = started.expect("nats-server starts; tests/run.sh installs it");
        self.process = Some(process);
        let begun = Instant::now();
        while TcpStream::connect(("127.0.0.1", self.port)).is_err() {
            assert!(begun.elapsed() < PATIENCE, "nats-server does not answer: {}", self.log());
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    /// Kills it as a loss of power would.
    pub fn kill(&mut self) {
        if let Some(mut process) = self.process.take() {
            let _ = process.kill();
            let _ = process.wait();
        }
    }

    /// Where it is.
    pub fn url(&self) -> String {
        format!("nats://127.0.0.1:{}", self.port)
    }

    /// Its port.
    pub const fn port(&self) -> u16 {
        self.port
    }

    /// JetStream there.
    pub async fn jetstream(&self) -> jetstream::Context {
        jetstream::new(async_nats::connect(self.url()).await.expect("it is reached"))
    }

    /// Every message of a stream, in order.
    pub async fn messages(&self, stream: &str) -> Vec<StreamMessage> {
        let stream = self.jetstream().await.get_stream(stream).await.expect("the stream is there");
        let last = stream.get_info().await.expect("it answers").state.last_sequence;
        let mut messages = Vec::new();
        for sequence in 1..=last {
            messages.push(stream.get_raw_message(sequence).await.expect("the message is there"));
        }
        messages
    }

    /// What it said since it started.
    pub fn log(&self) -> String {
        std::fs::read_to_string(self.folder.path().join("log")).unwrap_or_default()
    }
}
