//! Measurements of the service as a process: report pages for many clients, also during a run, and
//! the delay until a live subscriber receives an event.

use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use powerfill_ports::Store;
use powerfill_sqlite::SqliteStore;
use powerfill_tests::postgres::{DedicatedServer, Durability, TestDatabase};
use powerfill_tests::store_suite::StoreLocation;
use serde_json::Value;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;

use crate::{cancel, row, store};

const CLIENTS: usize = 50;
/// Pages that each client requests, one after the other.
const PAGES: usize = 200;
/// The argument of the process of misbehaving clients.
pub(crate) const BAD: &str = "misbehave";
/// The tenant that misbehaves.
const SILENT: &str = "SILENT";
/// Its clients of each kind.
const BAD_CLIENTS: usize = 50;
/// The pause of such a client before it begins again.
const BAD_PAUSE: Duration = Duration::from_millis(100);
/// Events whose delivery to a subscriber is timed.
const DELIVERIES: usize = 200;

/// A `powerfill serve`, killed when it is dropped.
pub(crate) struct Server {
    process: Child,
    address: String,
    tenant: &'static str,
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

impl Server {
    pub(crate) fn start(
        powerfill: &Path,
        tenant: &'static str,
        store: &str,
        book: &Path,
        more: &[&str],
    ) -> Self {
        use std::io::BufRead;
        let folder = tempfile::tempdir().unwrap();
        let book = book.display();
        let settings = format!(
            "[tenants.{tenant}]\nstore = \"{store}\"\nsource = \"dir:{book}\"\n\n{}",
            silent_tenant()
        );
        std::fs::write(folder.path().join("powerfill.toml"), settings).unwrap();
        let mut process = Command::new(powerfill)
            .args(["serve", "--listen", "127.0.0.1:0", "--requests-per-second", "1000000"])
            // Nothing but what is measured is to be at work.
            .arg("--no-certificate")
            .args(more)
            .current_dir(folder.path())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut lines = std::io::BufReader::new(process.stdout.take().unwrap()).lines();
        let line = lines.next().unwrap().unwrap();
        let address = line.split("http://").nth(1).and_then(|rest| rest.split(',').next());
        let address = address.unwrap().to_owned();
        // The rest of its output is read: a full pipe would block it.
        std::thread::spawn(move || lines.for_each(drop));
        Self { process, address, tenant }
    }

    pub(crate) async fn connect(&self) -> Connection {
        Connection::of_tenant(&self.address, self.tenant).await
    }

    /// Requests a run, and returns its path.
    pub(crate) async fn request_run(&self) -> String {
        let requested = self.connect().await.json("POST", "/api/powerfill/run", "{}").await;
        format!("/api/powerfill/runs/{}", requested["run_id"].as_str().unwrap())
    }

    /// Waits until a run is over, and returns how it has ended.
    pub(crate) async fn end_of(&self, path: &str) -> String {
        let mut connection = self.connect().await;
        loop {
            let status = connection.json("GET", path, "").await["status"].clone();
            match status.as_str().unwrap() {
                over @ ("Complete" | "Failed" | "Cancelled") => return over.to_owned(),
                _ => tokio::time::sleep(Duration::from_millis(50)).await,
            }
        }
    }
}

/// A persistent connection.
pub(crate) struct Connection {
    stream: BufReader<TcpStream>,
    head: String,
}

impl Connection {
    async fn of_tenant(address: &str, tenant: &str) -> Self {
        let stream = TcpStream::connect(address).await.unwrap();
        stream.set_nodelay(true).unwrap();
        let head = format!("host: {address}\r\nx-tenant-id: {tenant}\r\n");
        Self { stream: BufReader::new(stream), head }
    }

    async fn send(&mut self, method: &str, path: &str, body: &str) {
        let length = body.len();
        let request = format!(
            "{method} {path} HTTP/1.1\r\n{}content-type: application/json\r\ncontent-length: {length}\r\n\r\n{body}",
            self.head
        );
        self.stream.write_all(request.as_bytes()).await.unwrap();
    }

    /// Reads the status and the length of the body that follows.
    async fn head(&mut self) -> (u16, Option<usize>) {
        let (mut status, mut length, mut line) = (None, None, String::new());
        loop {
            line.clear();
            assert!(self.stream.read_line(&mut line).await.unwrap() > 0, "the service is gone");
            let text = line.trim_end().to_ascii_lowercase();
            match text.split_once(": ") {
                _ if text.is_empty() => return (status.unwrap(), length),
                Some(("content-length", value)) => length = value.parse().ok(),
                _ if status.is_none() => {
                    status = text.split(' ').nth(1).and_then(|status| status.parse().ok());
                }
                _ => {}
            }
        }
    }

    pub(crate) async fn request(&mut self, method: &str, path: &str, body: &str) -> (u16, Vec<u8>) {
        self.send(method, path, body).await;
        let (status, length) = self.head().await;
        let mut body = vec![0; length.unwrap()];
        self.stream.read_exact(&mut body).await.unwrap();
        (status, body)
    }

    pub(crate) async fn json(&mut self, method: &str, path: &str, body: &str) -> Value {
        let (status, body) = self.request(method, path, body).await;
        assert!((200..300).contains(&status), "{status} {}", String::from_utf8_lossy(&body));
        serde_json::from_slice(&body).unwrap()
    }
}

/// A tenant whose store and source accept connections and never answer.
fn silent_tenant() -> String {
    let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = silent.local_addr().unwrap().port();
    std::thread::spawn(move || silent.incoming().collect::<Vec<_>>());
    let url = format!("postgres://ann@127.0.0.1:{port}/silent");
    format!("[tenants.{SILENT}]\nstore = \"{url}\"\nsource = \"{url}\"\n")
}

/// Measures the service. `l_store` holds a run of the `l` book.
pub(crate) fn bench(powerfill: &Path, demo: &Path, l: &Path, l_store: &Path) {
    tokio::runtime::Runtime::new().unwrap().block_on(async {
        let url = format!("sqlite:{}", l_store.display());
        let server = Arc::new(Server::start(powerfill, "GENERATED", &url, l, &[]));
        pages(&server).await;
        neighbors(&server).await;
        drop(server);
        cancel::bench(powerfill, demo, "demo").await;
        cancel::bench(powerfill, l, "l").await;
        delivery_sqlite(powerfill, demo).await;
        delivery_postgres(powerfill, demo).await;
    });
}

/// The paths of all pages of the guide of the latest run.
async fn cursors(connection: &mut Connection, guide: &str) -> Vec<String> {
    let mut cursors = vec![guide.to_owned()];
    loop {
        let page = connection.json("GET", cursors.last().unwrap(), "").await;
        match page["next"].as_str() {
            Some(next) => cursors.push(format!("{guide}&cursor={next}")),
            None => return cursors,
        }
    }
}

async fn pages(server: &Arc<Server>) {
    let mut connection = server.connect().await;
    let runs = connection.json("GET", "/api/powerfill/runs", "").await;
    let run = runs["runs"][0]["run_id"].as_str().unwrap().to_owned();
    let guide = format!("/api/powerfill/runs/{run}/guide?limit=500");
    let cursors = Arc::new(cursors(&mut connection, &guide).await);
    let budget = "p99 under 50 ms";
    let (times, pause) = clients(server, &cursors, 100).await;
    report(
        "report page of 500 rows, `l`, 50 clients, a page every 100 ms each",
        budget,
        times,
        pause,
    );
    let (times, pause) = clients(server, &cursors, 0).await;
    report("the same, each requests again at once", "–", times, pause);
    // Meanwhile, a run of the same book is active on the same cores. The service has closed the
    // first connection, which was idle.
    let (path, watched) = (server.request_run().await, Arc::clone(server));
    let watching = tokio::spawn(async move { watched.end_of(&path).await });
    let (times, pause) = clients(server, &cursors, 100).await;
    let suffix = if watching.is_finished() { "" } else { ", which was active to the end" };
    let what = format!("the same, a page every 100 ms, while an `l` run is active{suffix}");
    report(&what, "–", times, pause);
    assert_eq!(watching.await.unwrap(), "Complete");
}

/// Pages for one tenant, before and while the store, the source, and the clients of another one
/// misbehave.
async fn neighbors(server: &Arc<Server>) {
    let mut connection = server.connect().await;
    let runs = connection.json("GET", "/api/powerfill/runs", "").await;
    let run = runs["runs"][0]["run_id"].as_str().unwrap();
    let guide = format!("/api/powerfill/runs/{run}/guide?limit=500");
    let cursors = Arc::new(cursors(&mut connection, &guide).await);
    let what = "report page of 500 rows, `l`, 50 clients, a page every 100 ms each";
    let (times, took) = clients(server, &cursors, 100).await;
    report(&format!("{what}, again"), "–", times, took);
    let mut bad = BadClients::start(&server.address);
    let (times, took) = clients(server, &cursors, 100).await;
    let count = BAD_CLIENTS * 4;
    report(
        &format!("the same, while store, source, and {count} clients of another misbehave"),
        "p99 within twice of it",
        times,
        took,
    );
    bad.stop();
}

/// Misbehaving clients. They would be on other machines, so here they are a process of the lowest
/// priority, and what they compute themselves does not count.
struct BadClients(Child);

impl BadClients {
    fn start(address: &str) -> Self {
        let mut command = Command::new("nice");
        command.args(["-n", "19"]).arg(std::env::current_exe().unwrap());
        Self(command.args([BAD, address]).spawn().unwrap())
    }

    fn stop(&mut self) {
        assert!(self.0.try_wait().unwrap().is_none(), "the misbehaving clients have ended");
        self.0.kill().unwrap();
        self.0.wait().unwrap();
    }
}

/// Misbehaves until it is killed.
pub(crate) fn misbehave(address: &str) {
    let address: Arc<str> = address.into();
    tokio::runtime::Runtime::new().unwrap().block_on(async {
        let clients = (0..BAD_CLIENTS).flat_map(|_| bad_clients(&address));
        futures::future::try_join_all(clients).await.unwrap();
    });
}

/// A client that reads from a silent store, one that requests the reading of a silent source, one
/// that does not end its request, and one that reads no answer. Each begins again 100 ms after it
/// is refused or disconnected: without tokens, they share the rate of the others.
fn bad_clients(address: &Arc<str>) -> [tokio::task::JoinHandle<()>; 4] {
    let requests = |method: &'static str, path: &'static str| {
        let address = Arc::clone(address);
        tokio::spawn(async move {
            loop {
                let mut connection = Connection::of_tenant(&address, SILENT).await;
                let (status, _) = connection.request(method, path, "{}").await;
                assert!(status >= 429, "{path}: {status}");
                tokio::time::sleep(BAD_PAUSE).await;
            }
        })
    };
    let writes = |text: &'static str, count: usize| {
        let address = Arc::clone(address);
        tokio::spawn(async move {
            loop {
                let mut stream = TcpStream::connect(&*address).await.unwrap();
                for _ in 0..count {
                    if stream.write_all(text.as_bytes()).await.is_err() {
                        break;
                    }
                }
                // Ends when the service closes the connection.
                let _ = stream.read(&mut [0]).await;
                tokio::time::sleep(BAD_PAUSE).await;
            }
        })
    };
    let whole = "GET /api/powerfill/openapi.json HTTP/1.1\r\nhost: localhost\r\n\r\n";
    [
        requests("GET", "/api/powerfill/runs"),
        requests("POST", "/api/powerfill/preflight"),
        writes("GET /healthz HTTP/1.1\r\nhost: lo", 1),
        writes(whole, usize::MAX),
    ]
}

/// Each client requests scattered pages of the guide and pauses between them, in milliseconds.
async fn clients(server: &Arc<Server>, pages: &Arc<Vec<String>>, pause: u64) -> (Vec<u128>, u128) {
    let begun = Instant::now();
    let clients = (0..CLIENTS).map(|client| {
        let (server, pages) = (Arc::clone(server), Arc::clone(pages));
        tokio::spawn(async move {
            let mut connection = server.connect().await;
            let mut times = Vec::with_capacity(PAGES);
            for at in 0..PAGES {
                let page = &pages[(client * 37 + at * 11) % pages.len()];
                let begun = Instant::now();
                let (status, _) = connection.request("GET", page, "").await;
                times.push(begun.elapsed().as_micros());
                assert_eq!(status, 200);
                tokio::time::sleep(Duration::from_millis(pause)).await;
            }
            times
        })
    });
    let clients: Vec<_> = clients.collect();
    let mut times = Vec::new();
    for client in clients {
        times.extend(client.await.unwrap());
    }
    (times, begun.elapsed().as_micros())
}

pub(crate) fn millis(micros: u128) -> String {
    format!("{}.{:01} ms", micros / 1_000, micros / 100 % 10)
}

fn report(what: &str, budget: &str, mut times: Vec<u128>, took: u128) {
    times.sort_unstable();
    let count = times.len();
    let measured = format!(
        "p99 {}, median {}, longest {}; {} pages per second",
        millis(times[count * 99 / 100]),
        millis(times[count / 2]),
        millis(times[count - 1]),
        count as u128 * 1_000_000 / took,
    );
    row(what, budget, &measured);
}

async fn delivery_sqlite(powerfill: &Path, book: &Path) {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("delivery.db");
    let store = SqliteStore::open(&file).unwrap();
    let server = Server::start(
        powerfill,
        "bench",
        &format!("sqlite:{}", file.display()),
        book,
        &["--no-workers"],
    );
    delivery(&server, &store, book, "SQLite").await;
}

async fn delivery_postgres(powerfill: &Path, book: &Path) {
    let postgres = DedicatedServer::start(Durability::Synced);
    let place = TestDatabase::of(&postgres);
    let store = place.open().await;
    let url = place.url().await;
    let server = Server::start(powerfill, "bench", &url, book, &["--no-workers"]);
    delivery(&server, &store, book, "PostgreSQL").await;
}

/// Appends from this process and times from each append's answer until a client of the service has
/// the event.
async fn delivery<S: Store>(server: &Server, store: &S, book: &Path, name: &str) {
    let mut client = server.connect().await;
    client.send("GET", "/api/powerfill/events/stream?after=0", "").await;
    assert_eq!(client.head().await.0, 200);
    let (seen, mut delivered) = tokio::sync::mpsc::unbounded_channel();
    let reading = tokio::spawn(async move {
        let (mut line, mut count) = (String::new(), 0);
        while count <= DELIVERIES {
            line.clear();
            client.stream.read_line(&mut line).await.unwrap();
            if line.starts_with("data:") {
                count += 1;
                seen.send(Instant::now()).unwrap();
            }
        }
    });
    let mut times = Vec::new();
    for append in store::appends(&store::candidates(book, DELIVERIES + 1), 1, 1) {
        store.append(append).await.unwrap();
        let committed = Instant::now();
        let seen = delivered.recv().await.unwrap();
        times.push(seen.saturating_duration_since(committed).as_micros());
    }
    reading.await.unwrap();
    let times = &mut times[1..];
    times.sort_unstable();
    let (median, late) = (times[DELIVERIES / 2], times[DELIVERIES * 99 / 100]);
    let measured = format!("{} median, {} at 99 of 100", millis(median), millis(late));
    row(&format!("committed → on a live SSE subscriber, {name}"), "50 ms median", &measured);
}
