//! A real PostgreSQL for the tests. The program is one of Debian's packages, or one on the path.
//! The tests start it in a temporary folder and remove it when they are done, also if they fail or
//! are killed.
//!
//! Tests run in many processes at once (cargo nextest) or in one after the other (cargo test). They
//! share one server. The first process starts it, and with it a small keeper process. Each process
//! has a shared lock on a file, which ends with the process; the keeper removes the server once
//! nothing has had that lock for some seconds. Each test has its own database. A test that stops or
//! breaks its server, or measures durable writes, starts a dedicated one.

use std::fs::{File, OpenOptions};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};

use parking_lot::Mutex;
use powerfill_postgres::{PostgresStore, PostgresUrl};

use crate::store_suite::StoreLocation;

/// The user that the server runs as. PostgreSQL refuses to run as root.
const USER: &str = "postgres";
/// The password of connections over TCP. The socket is in a folder that is closed to others, and
/// needs none.
const PASSWORD: &str = "of the tests";
/// The oldest version that the store supports.
const OLDEST: u32 = 15;

const KEEPER: &str = include_str!("postgres_keeper.sh");

/// The folder with `initdb`, `pg_ctl`, and the other programs.
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
            "no PostgreSQL {OLDEST} or later is installed; tests/run.sh installs it, as does \
             `apt-get install postgresql`"
        )
    })
}

/// Whether the tests run as root.
///
/// # Panics
/// If `id` does not run.
pub fn is_root() -> bool {
    let id = Command::new("id").arg("-u").output().expect("id runs");
    id.stdout.trim_ascii() == b"0"
}

/// A command that runs as the server's user.
fn server_command(program: &Path) -> Command {
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

fn chown_to_server(path: &Path) {
    if is_root() {
        let owned = Command::new("chown").arg(USER).arg(path).output().expect("chown runs");
        assert_success("chown", &owned);
    }
}

fn assert_success(what: &str, output: &Output) {
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{what}: {errors}{}", String::from_utf8_lossy(&output.stdout));
}

/// Whether a commit must be on the disk before the call returns.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Durability {
    /// Yes, as in production.
    Synced,
    /// No. The test does not survive a crash of the machine anyway.
    Unsynced,
}

/// A server: the folder of its files, and its port.
#[derive(Debug, Clone)]
pub struct PostgresServer {
    folder: PathBuf,
    port: u16,
}

impl PostgresServer {
    fn data(&self) -> PathBuf {
        self.folder.join("data")
    }

    /// Creates the files of a server, which is not running yet.
    fn create(folder: &Path, durability: Durability) -> Self {
        std::fs::create_dir_all(folder).expect("a folder for the server");
        chown_to_server(folder);
        let password = folder.join("password");
        std::fs::write(&password, PASSWORD).expect("the password is written");
        let made = server_command(&programs().join("initdb"))
            .args(["--no-sync", "--encoding=UTF8", "--no-locale", "--username", USER])
            .args(["--auth-local=trust", "--auth-host=scram-sha-256", "--pwfile"])
            .arg(&password)
            .arg("--pgdata")
            .arg(folder.join("data"))
            .output()
            .expect("initdb runs");
        assert_success("initdb", &made);
        let server = Self { folder: folder.to_owned(), port: free_port() };
        let mut settings = format!(
            "listen_addresses = '127.0.0.1'\nport = {}\nunix_socket_directories = '{}'\n\
             max_connections = 300\nshared_buffers = 128MB\nmax_wal_size = 512MB\n",
            server.port,
            folder.display()
        );
        if durability == Durability::Unsynced {
            settings.push_str("fsync = off\nsynchronous_commit = off\nfull_page_writes = off\n");
        }
        server.configure(&settings);
        server
    }

    /// Makes the server's user the owner of a file.
    pub fn chown_to_server(&self, file: &Path) {
        chown_to_server(file);
    }

    /// Appends to the server's settings.
    pub fn configure(&self, settings: &str) {
        let mut file = OpenOptions::new()
            .append(true)
            .open(self.data().join("postgresql.conf"))
            .expect("the settings are there");
        std::io::Write::write_all(&mut file, settings.as_bytes()).expect("settings are written");
    }

    /// Starts the server, and waits until it accepts connections.
    pub fn start(&self) {
        let started = server_command(&programs().join("pg_ctl"))
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

    /// Stops the server. The mode `fast` ends connections; `immediate` is like a crash.
    pub fn stop(&self, mode: &str) {
        let stopped = server_command(&programs().join("pg_ctl"))
            .args(["stop", "--wait", "--silent", "--mode", mode, "--pgdata"])
            .arg(self.data())
            .output()
            .expect("pg_ctl runs");
        assert_success("pg_ctl stop", &stopped);
    }

    /// Stops the server like a crash, if it is running.
    pub fn stop_if_running(&self) {
        let _ = server_command(&programs().join("pg_ctl"))
            .args(["stop", "--wait", "--silent", "--mode", "immediate", "--pgdata"])
            .arg(self.data())
            .stderr(Stdio::null())
            .status();
    }

    /// Whether the server accepts connections.
    pub fn accepts_connections(&self) -> bool {
        let status = server_command(&programs().join("pg_isready"))
            .args(["--quiet", "--host"])
            .arg(&self.folder)
            .args(["--port", &self.port.to_string()])
            .status();
        status.is_ok_and(|status| status.success())
    }

    /// The URL of a database over the socket.
    pub fn url(&self, database: &str) -> String {
        let folder = self.folder.display().to_string().replace('/', "%2F");
        format!("postgres://{USER}@{folder}:{}/{database}", self.port)
    }

    /// The URL of a database over TCP, with a password.
    pub fn tcp_url(&self, database: &str) -> String {
        self.url_on_port(self.port, database)
    }

    /// As [`PostgresServer::tcp_url`], on another port, which leads to the server's.
    pub fn url_on_port(&self, port: u16, database: &str) -> String {
        let password = PASSWORD.replace(' ', "%20");
        format!("postgres://{USER}:{password}@127.0.0.1:{port}/{database}")
    }

    /// The TCP port of the server.
    pub const fn port(&self) -> u16 {
        self.port
    }

    /// The folder of the server's files.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// A client with all rights.
    ///
    /// # Panics
    /// If the server refuses the connection.
    pub async fn admin_client(&self, database: &str) -> tokio_postgres::Client {
        connect(&self.url(database)).await
    }

    /// Creates a database and returns its name. Drops the databases that this process does not need
    /// any more.
    ///
    /// # Panics
    /// If the server refuses.
    pub async fn new_database(&self) -> String {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let name = format!("t{}_{number}", std::process::id());
        let admin = self.admin_client("postgres").await;
        let mut unused = UNUSED.lock().split_off(0);
        unused.push((self.folder.clone(), name.clone()));
        for (_, name) in unused.iter().filter(|(folder, _)| *folder == self.folder) {
            admin
                .batch_execute(&format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)"))
                .await
                .expect("an unused database is dropped");
        }
        // Nothing connects to template 0, so that many databases can be created at once.
        admin
            .batch_execute(&format!("CREATE DATABASE {name} TEMPLATE template0"))
            .await
            .expect("a database is created");
        name
    }
}

/// Connects by URL, without the store's session settings.
///
/// # Panics
/// If the server refuses the connection.
pub async fn connect(url: &str) -> tokio_postgres::Client {
    let (client, connection) = tokio_postgres::connect(url, tokio_postgres::NoTls)
        .await
        .expect("the server accepts the connection");
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
/// If there is no PostgreSQL, or it does not start.
pub fn shared_server() -> &'static PostgresServer {
    static SHARED: OnceLock<(PostgresServer, File)> = OnceLock::new();
    &SHARED.get_or_init(find_or_start_shared).0
}

/// The folder of the shared server. Each checkout of the repository has its own.
fn shared_folder() -> PathBuf {
    let here = blake3::hash(env!("CARGO_MANIFEST_DIR").as_bytes()).to_hex();
    std::env::temp_dir().join(format!("powerfill-pg-{}", &here[..12]))
}

fn find_or_start_shared() -> (PostgresServer, File) {
    let folder = shared_folder();
    let lock_file = |name: &str| {
        let path = folder.with_extension(name);
        let file = OpenOptions::new().create(true).truncate(false).write(true).open(&path);
        file.unwrap_or_else(|error| panic!("{}: {error}", path.display()))
    };
    let users = lock_file("users");
    // Waits if the keeper is removing a server.
    users.lock_shared().expect("the file system has locks");
    let starting = lock_file("starting");
    starting.lock().expect("the file system has locks");
    let port_file = folder.join("port");
    let port = std::fs::read_to_string(&port_file).ok().and_then(|port| port.parse().ok());
    if let Some(server) = port.map(|port| PostgresServer { folder: folder.clone(), port })
        && server.accepts_connections()
    {
        return (server, users);
    }
    // The remains of a server whose keeper was killed.
    let _ = server_command(&programs().join("pg_ctl"))
        .args(["stop", "--silent", "--mode", "immediate", "--pgdata"])
        .arg(folder.join("data"))
        .stderr(Stdio::null())
        .status();
    let _ = std::fs::remove_dir_all(&folder);
    let server = PostgresServer::create(&folder, Durability::Unsynced);
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
    let status = keeper.status().expect("the keeper starts");
    assert!(status.success(), "the keeper starts");
    std::fs::write(&port_file, server.port.to_string()).expect("the port is written");
    (server, users)
}

/// A server for one test, stopped and removed when it is dropped.
#[derive(Debug)]
pub struct DedicatedServer {
    server: PostgresServer,
    _folder: tempfile::TempDir,
}

impl DedicatedServer {
    /// Creates and starts a server.
    ///
    /// # Panics
    /// If it does not start.
    pub fn start(durability: Durability) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        // The server's user needs access to its files.
        let open = std::os::unix::fs::PermissionsExt::from_mode(0o755);
        std::fs::set_permissions(folder.path(), open).expect("the folder opens");
        let server = PostgresServer::create(&folder.path().join("pg"), durability);
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

/// A database for one test, created when it is first used.
#[derive(Debug)]
pub struct TestDatabase {
    server: PostgresServer,
    name: tokio::sync::OnceCell<String>,
}

impl TestDatabase {
    /// In the shared server.
    pub fn new() -> Self {
        Self::of(shared_server())
    }

    /// In this server.
    pub fn of(server: &PostgresServer) -> Self {
        Self { server: server.clone(), name: tokio::sync::OnceCell::new() }
    }

    /// The name of the database.
    pub async fn name(&self) -> &str {
        self.name.get_or_init(|| self.server.new_database()).await
    }

    /// The URL of the database over the socket.
    pub async fn url(&self) -> String {
        self.server.url(self.name().await)
    }

    /// A client with all rights and without the triggers of the store. Constraints stay active.
    ///
    /// # Panics
    /// If the server refuses the connection.
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
    /// The next call of [`PostgresServer::new_database`] drops the database.
    fn drop(&mut self) {
        if let Some(name) = self.name.get() {
            UNUSED.lock().push((self.server.folder.clone(), name.clone()));
        }
    }
}

/// Databases that this process does not need any more, each with the folder of its server.
static UNUSED: Mutex<Vec<(PathBuf, String)>> = Mutex::new(Vec::new());

impl Default for TestDatabase {
    fn default() -> Self {
        Self::new()
    }
}

/// Parses a URL.
///
/// # Panics
/// If the text is not a URL of PostgreSQL.
pub fn url(text: &str) -> PostgresUrl {
    text.parse().expect("a URL")
}

impl StoreLocation for TestDatabase {
    type Store = PostgresStore;

    async fn open(&self) -> PostgresStore {
        PostgresStore::open(&url(&self.url().await)).await.expect("the store opens")
    }
}
