//! `serve` and `token`: the service as a process, reached over a socket and stopped.

use std::fs::File;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::{ChildStdout, Stdio};

use powerfill_tests::proxy::ProxyFault;
use powerfill_tests::waiting::{WAIT_LIMIT, eventually_blocking};
use serde_json::Value;

use crate::process::BackgroundProcess;
use crate::sandbox::Sandbox;

const UNAVAILABLE: &str = "urn:powerfill:problem:unavailable";

/// A `powerfill serve` in the background.
pub(crate) struct Server {
    process: BackgroundProcess,
    out: BufReader<ChildStdout>,
    pub(crate) address: String,
    /// The address of the metrics, if they have their own.
    metrics: Option<String>,
    log: PathBuf,
}

impl Server {
    pub(crate) fn start(sandbox: &Sandbox, more: &[&str]) -> Self {
        let args = ["serve", "--listen", "127.0.0.1:0"].iter().chain(more);
        let mut command = sandbox.command(args);
        let log = sandbox.path(format!("{}.log", uuid::Uuid::now_v7()));
        let to_log = File::create(&log).expect("the log is created");
        let mut process = BackgroundProcess::start(command.stdout(Stdio::piped()).stderr(to_log));
        let mut out = BufReader::new(process.child().stdout.take().expect("the output is piped"));
        let mut read_address = || {
            let mut line = String::new();
            out.read_line(&mut line).expect("the service prints its address");
            let rest = line.split("http://").nth(1).unwrap_or_else(|| panic!("{line}"));
            rest.split([',', '/']).next().unwrap_or_default().to_owned()
        };
        let address = read_address();
        let metrics = more.contains(&"--metrics").then(read_address);
        Self { process, out, address, metrics, log }
    }

    pub(crate) fn id(&self) -> u32 {
        self.process.id()
    }

    /// Sends a request. Returns the status and the body as JSON.
    pub(crate) fn request(
        &self,
        method: &str,
        path: &str,
        headers: &str,
        body: &str,
    ) -> (u16, Value) {
        let headers = format!("x-tenant-id: GENERATED\r\n{headers}");
        self.request_of_any(method, path, &headers, body)
    }

    /// As [`Self::request`], for the tenant in the headers.
    pub(crate) fn request_of_any(
        &self,
        method: &str,
        path: &str,
        headers: &str,
        body: &str,
    ) -> (u16, Value) {
        let (status, body) = self.request_at(&self.address, method, path, headers, body);
        (status, serde_json::from_str(&body).unwrap_or_default())
    }

    fn request_at(
        &self,
        address: &str,
        method: &str,
        path: &str,
        headers: &str,
        body: &str,
    ) -> (u16, String) {
        let mut stream = TcpStream::connect(address).expect("the service listens");
        stream.set_read_timeout(Some(WAIT_LIMIT)).expect("a timeout");
        let length = body.len();
        let request = format!(
            "{method} {path} HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n\
             content-type: application/json\r\ncontent-length: {length}\r\n{headers}\r\n{body}"
        );
        stream.write_all(request.as_bytes()).expect("the service reads");
        let mut response = String::new();
        stream.read_to_string(&mut response).expect("the service answers");
        let status = response.split(' ').nth(1).and_then(|status| status.parse().ok());
        let body = response.split_once("\r\n\r\n").map_or("", |(_, body)| body);
        (status.expect("a status"), body.to_owned())
    }

    /// Stops the service with SIGTERM. Returns what it printed since it listened.
    pub(crate) fn stop(mut self) -> String {
        self.process.signal("-TERM");
        let mut printed = String::new();
        self.out.read_to_string(&mut printed).expect("the output is text");
        assert_eq!(self.process.finish().status, Some(0), "{printed}");
        printed
    }

    /// Requests a run, and returns its id.
    pub(crate) fn start_run(&self, headers: &str) -> String {
        let (status, run) = self.request("POST", "/api/powerfill/run", headers, "{}");
        assert_eq!(status, 202, "{run}");
        run["run_id"].as_str().expect("a run").to_owned()
    }

    fn status_of(&self, run: &str) -> String {
        let (status, view) = self.request("GET", &format!("/api/powerfill/runs/{run}"), "", "");
        assert_eq!(status, 200, "{view}");
        view["status"].as_str().expect("a status").to_owned()
    }

    /// Waits until a run is Complete.
    pub(crate) fn wait_until_complete(&self, run: &str) {
        eventually_blocking(format!("run {run} is Complete"), || match &*self.status_of(run) {
            "Complete" => true,
            status @ ("Failed" | "Cancelled") => panic!("run {run} is {status}"),
            _ => false,
        });
    }
}

/// A sandbox with a tenant and its book.
pub(crate) fn sandbox() -> Sandbox {
    let sandbox = Sandbox::new();
    sandbox.run_ok("generate --loans 60 --trades 20 --pools 10 --out book");
    write_settings(&sandbox, "sqlite:books.db");
    sandbox
}

/// Writes a powerfill.toml with one tenant.
pub(crate) fn write_settings(sandbox: &Sandbox, store: &str) {
    let settings = format!("[tenants.GENERATED]\nstore = \"{store}\"\nsource = \"dir:book\"\n");
    sandbox.write("powerfill.toml", settings);
}

#[test]
fn the_service_answers_works_and_stops() {
    let sandbox = sandbox();
    let server = Server::start(&sandbox, &[]);
    assert_eq!(server.request("GET", "/readyz", "", "").0, 200);
    let run = server.start_run("");
    server.wait_until_complete(&run);
    let (status, page) = server.request("GET", &format!("/api/powerfill/runs/{run}/guide"), "", "");
    assert_eq!((status, page["report"].as_str()), (200, Some("guide")));
    // An open stream does not keep the service from stopping.
    let mut stream = TcpStream::connect(&server.address).expect("the service listens");
    let address = &server.address;
    let request = format!(
        "GET /api/powerfill/events/stream?after=0 HTTP/1.1\r\nhost: {address}\r\nx-tenant-id: GENERATED\r\n\r\n"
    );
    stream.write_all(request.as_bytes()).expect("the service reads");
    stream.read_exact(&mut [0; 64]).expect("the service answers");
    let printed = server.stop();
    assert!(printed.contains(&format!("run {run} is Complete")), "{printed}");
    // The command line has the same run.
    assert!(sandbox.run_ok("show --tenant GENERATED").contains(&run));
}

/// Also changes that the command line makes while the service is running.
#[test]
fn runs_have_the_managed_configuration_of_their_request() {
    let sandbox = sandbox();
    let settings = sandbox.read("powerfill.toml");
    sandbox.write("powerfill.toml", settings + "configuration = \"managed\"\n");
    let server = Server::start(&sandbox, &["--no-workers"]);
    assert_ne!(server.request("POST", "/api/powerfill/preflight", "", "{}").0, 200);
    sandbox.run_ok("config import --tenant GENERATED");
    sandbox.run_ok("config change settings min_pipeline_loans=61 --tenant GENERATED");
    let (status, found) = server.request("POST", "/api/powerfill/preflight", "", "{}");
    assert_eq!(status, 200, "{found}");
    assert!(found.to_string().contains("61"), "{found}");
    let (status, page) = server.request("GET", "/api/powerfill/events?limit=5000", "", "");
    assert_eq!(status, 200, "{page}");
    let events = page["events"].as_array().expect("events");
    assert_eq!(
        events.last().expect("the change")["type"],
        "powerfill.config.PreflightSettingsChanged.v1"
    );
    let path = "/api/powerfill/events?type=ConfigImported";
    let (_, page) = server.request("GET", path, "", "");
    assert_eq!(page["events"].as_array().map(Vec::len), Some(1));
    assert_eq!(page["events"][0]["subject"], "config");
    assert_eq!(server.request("POST", "/api/powerfill/run", "", "{}").0, 202);
    server.stop();
}

#[test]
fn without_tokens_requests_from_elsewhere_are_refused() {
    let sandbox = sandbox();
    let server = Server::start(&sandbox, &["--no-workers"]);
    // What a proxy passes on has one of these, and would come from anywhere.
    for (version, headers, status) in [
        ("1.1", "host: localhost", 200),
        ("1.1", "host: evil.example", 403),
        ("1.0", "host: localhost", 403),
        ("1.1", "host: localhost\r\nx-forwarded-for: 192.0.2.7", 403),
        ("1.1", "host: localhost\r\nforwarded: for=192.0.2.7", 403),
        ("1.1", "host: localhost\r\nvia: 1.1 proxy", 403),
        ("1.1", "host: localhost\r\nx-real-ip: 192.0.2.7", 403),
    ] {
        let mut stream = TcpStream::connect(&server.address).expect("the service listens");
        let request = format!(
            "GET /api/powerfill/status HTTP/{version}\r\n{headers}\r\nx-tenant-id: GENERATED\r\n\
             connection: close\r\n\r\n"
        );
        stream.write_all(request.as_bytes()).expect("the service reads");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).expect("the service answers");
        assert!(answer.starts_with(&format!("HTTP/{version} {status} ")), "{headers}: {answer}");
    }
    server.stop();
}

#[test]
fn a_table_with_too_many_rows_is_a_fault() {
    let sandbox = sandbox();
    let server = Server::start(&sandbox, &["--no-workers", "--max-rows", "59"]);
    let (status, refused) = server.request("POST", "/api/powerfill/preflight", "", "{}");
    assert_eq!(status, 422, "{refused}");
    let faults = refused["faults"].to_string();
    assert!(faults.contains("more than 59 rows") && faults.contains("--max-rows"), "{faults}");
    server.stop();
}

/// A source can have any number of rows, as a view of a database: it is read no further than
/// necessary.
#[test]
fn an_endless_table_is_a_fault() {
    let sandbox = sandbox();
    let database = rusqlite::Connection::open(sandbox.path("endless.db")).expect("a database");
    let view = "CREATE VIEW loan AS WITH RECURSIVE counted(loan_id) AS \
                (SELECT 1 UNION ALL SELECT loan_id + 1 FROM counted) SELECT loan_id FROM counted";
    database.execute_batch(view).expect("a view");
    let settings = sandbox.read("powerfill.toml");
    let (before, _) = settings.split_once("source = ").expect("a source");
    let settings = format!("{before}source = \"sqlite:endless.db\"\n");
    sandbox.write("powerfill.toml", &settings);
    let server = Server::start(&sandbox, &["--no-workers", "--max-rows", "1000"]);
    let (status, refused) = server.request("POST", "/api/powerfill/preflight", "", "{}");
    assert_eq!(status, 422, "{refused}");
    assert!(refused["faults"].to_string().contains("more than 1000 rows"), "{refused}");
    server.stop();
    let server = Server::start(&sandbox, &["--no-workers", "--max-table-bytes", "4000"]);
    let (status, refused) = server.request("POST", "/api/powerfill/preflight", "", "{}");
    assert_eq!(status, 422, "{refused}");
    assert!(refused["faults"].to_string().contains("more than 4000 bytes of text"), "{refused}");
    server.stop();
    // So it is by a mapping, and so are a file and messages.
    sandbox.write("map.toml", "");
    std::fs::create_dir(sandbox.path("files")).expect("a folder");
    let loans = "loan_id\n".to_owned() + &"K1\n".repeat(1001);
    sandbox.write("files/loan.csv", loans);
    let loan =
        "<DEAL><LOANS><LOAN LoanRoleType=\"SubjectLoan\"><LOAN_IDENTIFIERS/></LOAN></LOANS></DEAL>";
    let message = format!("<MESSAGE>{}</MESSAGE>", loan.repeat(1001));
    sandbox.write("loans.xml", message);
    for (source, mapping, table) in [
        ("sqlite:endless.db", "mapping = \"map.toml\"\n", "loan"),
        ("dir:files", "mapping = \"map.toml\"\n", "loan.csv"),
        ("mismo:loans.xml", "mapping = \"map.toml\"\n", "loan"),
        ("mismo:loans.xml", "", "loan"),
    ] {
        let settings = format!("{before}source = \"{source}\"\n{mapping}");
        sandbox.write("powerfill.toml", settings);
        let server = Server::start(&sandbox, &["--no-workers", "--max-rows", "1000"]);
        let (status, refused) = server.request("POST", "/api/powerfill/preflight", "", "{}");
        assert_eq!(status, 422, "{source}: {refused}");
        let faults = refused["faults"].as_array().expect("faults");
        let fault = faults.iter().find(|fault| fault["table"] == table).expect("its fault");
        assert_eq!(fault["code"], "unreadable", "{source}");
        let reason = fault["reason"].as_str().expect("a reason");
        assert!(reason.starts_with("it has more than 1000 rows"), "{source}: {reason}");
        server.stop();
    }
}

/// A server that accepts connections and never says a word, and one that stops to answer in the
/// middle of a run, as the stores of other tenants.
#[test]
fn silent_stores_delay_neither_other_tenants_nor_the_end() {
    let (sandbox, proxy) = Sandbox::behind_proxy();
    sandbox.run_ok("generate --loans 60 --trades 20 --pools 10 --out book");
    sandbox.run_ok("generate --loans 60 --trades 20 --pools 10 --out stalled");
    let header = sandbox.path("stalled/snapshot.csv");
    let text = std::fs::read_to_string(&header).expect("the header");
    std::fs::write(&header, text.replace("GENERATED", "STALLED")).expect("the header");
    write_settings(&sandbox, "sqlite:books.db");
    let silent = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = silent.local_addr().expect("an address").port();
    let settings = sandbox.read("powerfill.toml");
    let stalled = sandbox.store().expect("the store has a URL");
    let others = format!(
        "[tenants.SILENT]\nstore = \"postgres://ann@127.0.0.1:{port}/acme\"\n\
         [tenants.STALLED]\nstore = \"{stalled}\"\nsource = \"dir:stalled\"\n"
    );
    sandbox.write("powerfill.toml", settings + &others);
    let server = Server::start(&sandbox, &[]);
    let unavailable = || {
        let (status, ready) = server.request("GET", "/readyz", "", "");
        assert_eq!((status, ready["status"].as_str()), (200, Some("degraded")), "{ready}");
        ready["unavailable_stores"].as_u64().expect("a number")
    };
    assert_eq!(unavailable(), 1);
    let get = |tenant: &str, path: &str| {
        let headers = format!("x-tenant-id: {tenant}\r\n");
        server.request_of_any("GET", path, &headers, "")
    };
    // Its worker has claimed the run; nothing passes the proxy from here on.
    proxy.fail_at_message(40, ProxyFault::Stall);
    let started =
        server.request_of_any("POST", "/api/powerfill/run", "x-tenant-id: STALLED\r\n", "{}");
    assert_eq!(started.0, 202, "{}", started.1);
    eventually_blocking("two stores are silent", || unavailable() == 2);
    assert!(proxy.has_failed());
    for tenant in ["SILENT", "STALLED"] {
        let (status, refused) = get(tenant, "/api/powerfill/runs");
        assert_eq!((status, refused["type"].as_str()), (503, Some(UNAVAILABLE)), "{tenant}");
        let (_, view) = get(tenant, "/api/powerfill/status");
        assert_eq!(view["queue"], "unknown", "{view}");
    }
    let run = server.start_run("");
    server.wait_until_complete(&run);
    let log = server.log.clone();
    server.stop();
    let log = std::fs::read_to_string(log).expect("the log");
    assert!(!log.contains("panicked"), "{log}");
}

#[test]
fn a_running_service_accepts_and_rejects_tokens() {
    let sandbox = sandbox();
    sandbox
        .run_line("serve --listen 0.0.0.0:0")
        .fails_with(2, &["this machine only", "token create"]);
    let made = "token create --tenant GENERATED --name ann";
    sandbox
        .run_line("token create --tenant ghost --name ann --role viewer")
        .fails_with(2, &["no tenant ghost"]);
    for name in ["", "ann\u{1b}[2J", "ann\u{202e}"] {
        let args = ["token", "create", "--tenant", "GENERATED", "--role", "viewer", "--name", name];
        let refused = sandbox.run(args);
        assert_eq!(refused.status, Some(2), "{name:?}");
        assert!(refused.err.contains("visible characters only"), "{}", refused.err);
    }
    let viewer = sandbox.run_ok(&format!("{made} --role viewer"));
    let server = Server::start(&sandbox, &["--no-workers", "--log-format", "json"]);
    let operator = sandbox.run_ok(&format!("{made} --role operator"));
    let with = |token: &str| format!("authorization: Bearer {}\r\n", token.trim());
    let ask = |headers: &str| server.request("POST", "/api/powerfill/run", headers, "{}").0;
    assert_eq!(ask(""), 401);
    assert_eq!(ask(&with(&viewer)), 403);
    assert_eq!(ask(&with(&operator)), 202);
    let listed = sandbox.run(["token", "list", "--format", "csv"]).success();
    let saved = sandbox.read("powerfill-tokens.toml");
    for token in [&viewer, &operator] {
        assert!(!saved.contains(token.trim()) && !listed.out.contains(token.trim()));
    }
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let file = std::fs::metadata(sandbox.path("powerfill-tokens.toml")).expect("the file");
        assert_eq!(file.permissions().mode() & 0o777, 0o600);
    }
    let table = listed.table();
    sandbox.run_ok(&format!("token revoke {}", table.column("id")[1]));
    assert_eq!(ask(&with(&operator)), 401);
    let headers = format!("{}x-request-id: desk-7\r\n", with(&viewer));
    assert_eq!(server.request("GET", "/api/powerfill/runs?limit=7", &headers, "").0, 200);
    let log = server.log.clone();
    server.stop();
    // The log has the request and its caller, but no token.
    let log = std::fs::read_to_string(log).expect("the log");
    assert!(!log.contains(viewer.trim()) && !log.contains(operator.trim()), "{log}");
    let lines: Vec<Value> = log
        .lines()
        .map(|line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}")))
        .collect();
    let line = lines.iter().find(|line| line["request_id"] == "desk-7").expect("the request");
    assert_eq!(line["target"], "powerfill::access");
    assert_eq!((&line["tenant"], &line["actor"]), (&"GENERATED".into(), &"ann".into()));
    assert_eq!((&line["method"], &line["status"]), (&"GET".into(), &200.into()));
    assert_eq!(line["path"], "/api/powerfill/runs");
    assert_eq!(line["token"], table.column("id")[0]);
}

#[test]
fn metrics_can_have_their_own_address() {
    let sandbox = sandbox();
    sandbox.run_ok("token create --tenant GENERATED --name ann --role viewer");
    let server = Server::start(&sandbox, &["--no-workers", "--metrics", "127.0.0.1:0"]);
    assert_eq!(server.request("GET", "/metrics", "", "").0, 401);
    let metrics = server.metrics.clone().expect("the metrics have an address");
    let (status, text) = server.request_at(&metrics, "GET", "/metrics", "", "");
    assert_eq!(status, 200);
    assert!(text.contains("powerfill_store_up{tenant=\"GENERATED\"} 1"), "{text}");
    assert_eq!(server.request_at(&metrics, "GET", "/api/powerfill/runs", "", "").0, 404);
    server.stop();
}

/// A signal after the last decision comes too late, so services are stopped until one leaves its
/// run.
#[test]
fn a_stopped_service_leaves_its_run_to_the_next() {
    let sandbox = Sandbox::new();
    sandbox.run_ok("generate --loans 6000 --trades 1500 --pools 900 --seed 5 --out book");
    write_settings(&sandbox, "sqlite:books.db");
    let mut run = String::new();
    eventually_blocking("a service is stopped in the middle of a run", || {
        let server = Server::start(&sandbox, &[]);
        run = server.start_run("");
        eventually_blocking("the run starts", || server.status_of(&run) != "Pending");
        let printed = server.stop();
        if printed.contains(&format!("run {run} is Complete")) {
            return false;
        }
        assert!(printed.contains("another worker") || printed.contains("handed"), "{printed}");
        true
    });
    let server = Server::start(&sandbox, &[]);
    server.wait_until_complete(&run);
    let (_, view) = server.request("GET", &format!("/api/powerfill/runs/{run}"), "", "");
    assert_eq!(view["fraction"], "1.00", "{view}");
    server.stop();
    // The run verifies, and decided what an undisturbed run decides.
    sandbox.run_ok(&format!("verify {run} --tenant GENERATED"));
    sandbox.run_ok(&format!("replay {run} --tenant GENERATED"));
}
