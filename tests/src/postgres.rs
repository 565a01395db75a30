//! A real PostgreSQL for the tests: found among Debian's packages (or on the path), started by the tests in a folder of
//! its own, stopped and taken away when they are over, also where they fail or are killed.
//!
//! Tests run in many processes (cargo nextest) or in one after the other (cargo test). They share one server: whoever
//! needs it first starts it, and a small keeper beside it, which no test waits for. Each process holds a shared lock on
//! a file for as long as it lives, which no death can leave behind; the keeper takes the server away once nobody has
//! held that lock for some seconds. Each test has a database of its own. A test that stops or breaks its server, or
//! measures durable writes, starts another one for itself.

use std::fs::{File, OpenOptions};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, OnceLock, PoisonError};

use powerfill_postgres::{PostgresStore, PostgresUrl};

use crate::store_suite::StoreLocation;

/// The server's own user, which it must not be root.
const USER: &str = "postgres";
/// Of connections over TCP; over the socket, in a folder that is closed to others, none is asked for.
const PASSWORD: &str = "of the tests";
/// The oldest version that the store is made for.
const OLDEST: u32 = 15;

const KEEPER: &str = include_str!("postgres_keeper.sh");

/// The folder with `initdb`, `pg_ctl` and the others.
fn programs() -> PathBuf {
    let debian = std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let versions = debian.filter_map(|folder| folder.file_name().to_str()?.parse::<u32>().ok());
    if let Some(version) = versions.filter(|version| *version >= OLDEST).max() {
        return format!("/usr/lib/postgresql/{version}/bin").into();
    }
    let on_path = std::env::split_paths(&std::env::var_os("PATH").unwrap_or_default())
        .find(|folder| folder.join("initdb").is_file());
    on_path.unwrap_or_else(|| {
        panic!(
            "no PostgreSQL {OLDEST} or later is installed; tests/run.sh installs it, as does `apt-get install postgresql`"
        )
    })
}

/// Whether this process may not run a server as itself.
///
/// # Panics
/// Where `id` does not run.
pub fn is_root() -> bool {
    let id = Command::new("id").arg("-u").output().expect("id tells who runs the tests");
    id.stdout.trim_ascii() == b"0"
}

/// A command as the user that the server runs as.
fn as_server(program: &Path) -> Command {
    let mut command = if is_root() {
        let mut command = Command::new("runuser");
        command.args(["-u", USER, "--"]).arg(program);
        command
    } else {
        Command::new(program)
    };
    command.current_dir("/").stdin(Stdio::null());
    command
}

fn give_to_server(path: &Path) {
    if is_root() {
        let owned = Command::new("chown").arg(USER).arg(path).output().expect("chown runs");
        well("chown", &owned);
    }
}

fn well(what: &str, output: &Output) {
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{what}: {said}{}", String::from_utf8_lossy(&output.stdout));
}

/// Whether what is written must be on the disk before it is answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Durability {
    /// As in production.
    Synced,
    /// The tests' own crash would not matter.
    Unsynced,
}

/// Where a server's files are, and how it is reached.
#[derive(Debug, Clone)]
pub struct PostgresServer {
    folder: PathBuf,
    port: u16,
}

impl PostgresServer {
    fn data(&self) -> PathBuf {
        self.folder.join("data")
    }

    /// Makes the files of a server; it does not run yet.
    fn make(folder: &Path, durable: Durability) -> Self {
        std::fs::create_dir_all(folder).expect("a folder for the server");
        give_to_server(folder);
        let password = folder.join("password");
        std::fs::write(&password, PASSWORD).expect("the password is written");
        let made = as_server(&programs().join("initdb"))
            .args(["--no-sync", "--encoding=UTF8", "--no-locale", "--username", USER])
            .args(["--auth-local=trust", "--auth-host=scram-sha-256", "--pwfile"])
            .arg(&password)
            .arg("--pgdata")
            .arg(folder.join("data"))
            .output()
            .expect("initdb runs");
        well("initdb", &made);
        let server = Self { folder: folder.to_owned(), port: free_port() };
        let mut settings = format!(
            "listen_addresses = '127.0.0.1'\nport = {}\nunix_socket_directories = '{}'\n\
             max_connections = 300\nshared_buffers = 128MB\nmax_wal_size = 512MB\n",
            server.port,
            folder.display()
        );
        if durable == Durability::Unsynced {
            settings.push_str("fsync = off\nsynchronous_commit = off\nfull_page_writes = off\n");
        }
        server.configure(&settings);
        server
    }

    /// Gives a file to the server's user.
    pub fn chown_to_server(&self, file: &Path) {
        give_to_server(file);
    }

    /// Adds to the server's settings.
    pub fn configure(&self, settings: &str) {
        let mut file = OpenOptions::new()
            .append(true)
            .open(self.data().join("postgresql.conf"))
            .expect("the settings are there");
        std::io::Write::write_all(&mut file, settings.as_bytes()).expect("settings are written");
    }

    /// Starts it and waits until it answers.
    pub fn start(&self) {
        let started = as_server(&programs().join("pg_ctl"))
            .args(["start", "--wait", "--silent", "--pgdata"])
            .arg(self.data())
            .arg("--log")
            .arg(self.folder.join("log"))
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status()
            .expect("pg_ctl runs");
        let log = || std::fs::read_to_string(self.folder.join("log")).unwrap_or_default();
        assert!(started.success(), "the server does not start: {}", log());
    }

    /// Stops it: `fast` ends connections, `immediate` is as a crash.
    pub fn stop(&self, how: &str) {
        let stopped = as_server(&programs().join("pg_ctl"))
            .args(["stop", "--wait", "--silent", "--mode", how, "--pgdata"])
            .arg(self.data())
            .output()
            .expect("pg_ctl runs");
        well("pg_ctl stop", &stopped);
    }

    /// Stops it as a crash would, where it has not stopped by itself.
    pub fn stop_if_running(&self) {
        let _ = as_server(&programs().join("pg_ctl"))
            .args(["stop", "--wait", "--silent", "--mode", "immediate", "--pgdata"])
            .arg(self.data())
            .stderr(Stdio::null())
            .status();
    }

    /// Whether it lets anybody in.
    pub fn answers(&self) -> bool {
        let asked = as_server(&programs().join("pg_isready"))
            .args(["--quiet", "--host"])
            .arg(&self.folder)
            .args(["--port", &self.port.to_string()])
            .status();
        asked.is_ok_and(|status| status.success())
    }

    /// Where a database is, through the socket.
    pub fn url(&self, database: &str) -> String {
        let folder = self.folder.display().to_string().replace('/', "%2F");
        format!("postgres://{USER}@{folder}:{}/{database}", self.port)
    }

    /// Where a database is, over TCP and with a password.
    pub fn tcp_url(&self, database: &str) -> String {
        self.url_on_port(self.port, database)
    }

    /// The same by another port, which leads to the server's.
    pub fn url_on_port(&self, port: u16, database: &str) -> String {
        let password = PASSWORD.replace(' ', "%20");
        format!("postgres://{USER}:{password}@127.0.0.1:{port}/{database}")
    }

    /// The port on this machine.
    pub const fn port(&self) -> u16 {
        self.port
    }

    /// The folder of its files.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Someone with all rights.
    ///
    /// # Panics
    /// Where the server does not let them in.
    pub async fn admin_client(&self, database: &str) -> tokio_postgres::Client {
        connect(&self.url(database)).await
    }

    /// Makes a database and answers its name.
    ///
    /// # Panics
    /// Where the server refuses.
    pub async fn new_database(&self) -> String {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let name = format!("t{}_{number}", std::process::id());
        let admin = self.admin_client("postgres").await;
        let mut left = left().lock().unwrap_or_else(PoisonError::into_inner).split_off(0);
        left.push((self.folder.clone(), name.clone()));
        for (_, name) in left.iter().filter(|(folder, _)| *folder == self.folder) {
            admin
                .batch_execute(&format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)"))
                .await
                .expect("an old one is dropped");
        }
        // Template 0 is nobody's, so that many can be made at once.
        admin
            .batch_execute(&format!("CREATE DATABASE {name} TEMPLATE template0"))
            .await
            .expect("a database is made");
        name
    }
}

/// Connects by URL, without any of the store's settings.
///
/// # Panics
/// Where the server does not let them in.
pub async fn connect(url: &str) -> tokio_postgres::Client {
    let (client, connection) =
        tokio_postgres::connect(url, tokio_postgres::NoTls).await.expect("the server lets in");
    tokio::spawn(connection);
    client
}

pub(crate) fn free_port() -> u16 {
    let listener = std::net::TcpListener::bind(("127.0.0.1", 0)).expect("a free port");
    listener.local_addr().expect("a port").port()
}

/// The server that all tests share.
///
/// # Panics
/// Where there is no PostgreSQL, or it does not start.
pub fn shared_server() -> &'static PostgresServer {
    static SHARED: OnceLock<(PostgresServer, File)> = OnceLock::new();
    &SHARED.get_or_init(share).0
}

/// Each checkout of the repository has its own.
fn shared_folder() -> PathBuf {
    let here = blake3::hash(env!("CARGO_MANIFEST_DIR").as_bytes()).to_hex();
    std::env::temp_dir().join(format!("powerfill-pg-{}", &here[..12]))
}

fn share() -> (PostgresServer, File) {
    let folder = shared_folder();
    let lock_file = |name: &str| {
        let path = folder.with_extension(name);
        let file = OpenOptions::new().create(true).truncate(false).write(true).open(&path);
        file.unwrap_or_else(|error| panic!("{}: {error}", path.display()))
    };
    let users = lock_file("users");
    // Waits where the keeper is just taking a server away.
    users.lock_shared().expect("the file system has locks");
    let starting = lock_file("starting");
    starting.lock().expect("the file system has locks");
    let port_file = folder.join("port");
    let port = std::fs::read_to_string(&port_file).ok().and_then(|port| port.parse().ok());
    if let Some(server) = port.map(|port| PostgresServer { folder: folder.clone(), port })
        && server.answers()
    {
        return (server, users);
    }
    // What a killed keeper left behind.
    let _ = as_server(&programs().join("pg_ctl"))
        .args(["stop", "--silent", "--mode", "immediate", "--pgdata"])
        .arg(folder.join("data"))
        .stderr(Stdio::null())
        .status();
    let _ = std::fs::remove_dir_all(&folder);
    let server = PostgresServer::make(&folder, Durability::Unsynced);
    server.start();
    let mut keeper = Command::new("setsid");
    keeper
        .args(["--fork", "sh", "-c", KEEPER, "powerfill-pg-keeper"])
        .args([&folder.with_extension("users"), &folder, &programs().join("pg_ctl")])
        .arg(if is_root() { USER } else { "" })
        .current_dir("/")
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    let kept = keeper.status().expect("the keeper starts");
    assert!(kept.success(), "the keeper starts");
    std::fs::write(&port_file, server.port.to_string()).expect("the port is written");
    (server, users)
}

/// A server for one test alone; stopped and taken away when it is dropped.
#[derive(Debug)]
pub struct DedicatedServer {
    server: PostgresServer,
    _folder: tempfile::TempDir,
}

impl DedicatedServer {
    /// Makes and starts one.
    ///
    /// # Panics
    /// Where it does not start.
    pub fn start(durable: Durability) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        // The server's user must get through to its own files.
        let open = std::os::unix::fs::PermissionsExt::from_mode(0o755);
        std::fs::set_permissions(folder.path(), open).expect("the folder opens");
        let server = PostgresServer::make(&folder.path().join("pg"), durable);
        server.start();
        Self { server, _folder: folder }
    }
}

impl std::ops::Deref for DedicatedServer {
    type Target = PostgresServer;

    fn deref(&self) -> &PostgresServer {
        &self.server
    }
}

impl Drop for DedicatedServer {
    fn drop(&mut self) {
        self.server.stop_if_running();
    }
}

/// A database of its own for one test, made when it is first opened.
#[derive(Debug)]
pub struct TestDatabase {
    server: PostgresServer,
    name: tokio::sync::OnceCell<String>,
}

impl TestDatabase {
    /// In the server that all share.
    pub fn new() -> Self {
        Self::of(shared_server())
    }

    /// In a server.
    pub fn of(server: &PostgresServer) -> Self {
        Self { server: server.clone(), name: tokio::sync::OnceCell::new() }
    }

    /// Its name.
    pub async fn name(&self) -> &str {
        self.name.get_or_init(|| self.server.new_database()).await
    }

    /// Where it is.
    pub async fn url(&self) -> String {
        self.server.url(self.name().await)
    }

    /// Someone with all rights, for whom the guards sleep: triggers do not fire, and nothing else is switched off.
    ///
    /// # Panics
    /// Where the server does not let them in.
    pub async fn unguarded_client(&self) -> tokio_postgres::Client {
        let client = self.server.admin_client(self.name().await).await;
        client
            .batch_execute("SET search_path = powerfill; SET session_replication_role = replica")
            .await
            .expect("guards are switched off");
        client
    }
}

impl Drop for TestDatabase {
    /// Nobody needs it any more; the next one who makes a database drops it.
    fn drop(&mut self) {
        if let Some(name) = self.name.get() {
            let mut left = left().lock().unwrap_or_else(PoisonError::into_inner);
            left.push((self.server.folder.clone(), name.clone()));
        }
    }
}

/// Databases that this process needs no more, each with the folder of its server.
fn left() -> &'static Mutex<Vec<(PathBuf, String)>> {
    static LEFT: Mutex<Vec<(PathBuf, String)>> = Mutex::new(Vec::new());
    &LEFT
}

impl Default for TestDatabase {
    fn default() -> Self {
        Self::new()
    }
}

/// The URL, read.
///
/// # Panics
/// Where it is none.
pub fn url(text: &str) -> PostgresUrl {
    text.parse().expect("a URL")
}

impl StoreLocation for TestDatabase {
    type Store = PostgresStore;

    async fn open(&self) -> PostgresStore {
        PostgresStore::open(&url(&self.url().await)).await.expect("the store opens")
    }
}
