//! A NATS server with JetStream for one test, on a free port of this machine. Debian's package
//! `nats-server` contains the program.

use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use async_nats::jetstream;
use async_nats::jetstream::message::StreamMessage;
use async_nats::jetstream::stream::DiscardPolicy;
use tempfile::TempDir;

use crate::waiting::eventually_blocking;

/// The program: the one that `tests/run.sh` has put into the target folder, or else that of the
/// machine.
fn program() -> PathBuf {
    let downloaded =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/nats/usr/sbin/nats-server");
    if downloaded.is_file() { downloaded } else { "nats-server".into() }
}

/// A server that ends when it is dropped.
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
    /// A running server, with additional settings.
    pub fn start(settings: &str) -> Self {
        let mut server = Self::stopped(settings);
        server.launch();
        server
    }

    /// A server that is not running yet.
    pub fn stopped(settings: &str) -> Self {
        let folder = tempfile::tempdir().expect("a folder for the server");
        let port = crate::postgres::free_port();
        let store = folder.path().join("js");
        let settings = format!(
            "listen: 127.0.0.1:{port}\njetstream {{ store_dir: \"{}\" }}\n{settings}\n",
            store.display()
        );
        std::fs::write(folder.path().join("nats.conf"), settings).expect("settings are written");
        Self { folder, port, process: None }
    }

    /// Starts the server, and waits until it accepts connections.
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
        eventually_blocking("nats-server accepts connections", || {
            TcpStream::connect(("127.0.0.1", self.port)).is_ok()
        });
    }

    /// Kills the server, as a loss of power would.
    pub fn kill(&mut self) {
        if let Some(mut process) = self.process.take() {
            let _ = process.kill();
            let _ = process.wait();
        }
    }

    /// The URL of the server.
    pub fn url(&self) -> String {
        format!("nats://127.0.0.1:{}", self.port)
    }

    /// The port of the server.
    pub const fn port(&self) -> u16 {
        self.port
    }

    /// A client of the server's JetStream.
    pub async fn jetstream(&self) -> jetstream::Context {
        jetstream::new(async_nats::connect(self.url()).await.expect("the server accepts clients"))
    }

    /// All messages of a stream, in order.
    pub async fn messages(&self, stream: &str) -> Vec<StreamMessage> {
        let stream = self.jetstream().await.get_stream(stream).await.expect("the stream is there");
        let last = stream.get_info().await.expect("it answers").state.last_sequence;
        let mut messages = Vec::new();
        for sequence in 1..=last {
            messages.push(stream.get_raw_message(sequence).await.expect("the message is there"));
        }
        messages
    }

    /// Makes a stream refuse every message after this many.
    pub async fn refuse_messages(&self, stream: &str, after: usize) {
        let jetstream = self.jetstream().await;
        let stream = jetstream.get_stream(stream).await.expect("the stream is there");
        let mut config = stream.cached_info().config.clone();
        config.max_messages = i64::try_from(after).expect("a small number");
        config.discard = DiscardPolicy::New;
        jetstream.update_stream(config).await.expect("the stream changes");
    }

    /// The server's log since its last start.
    pub fn log(&self) -> String {
        std::fs::read_to_string(self.folder.path().join("log")).unwrap_or_default()
    }
}
