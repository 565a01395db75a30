//! `serve` and `token`: the service as a process of its own, reached over a socket, told to stop.

use std::fs::File;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::PathBuf;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::desk::Desk;

/// Longer than anything here takes.
const PATIENCE: Duration = Duration::from_secs(120);

/// A `powerfill serve` that goes on.
pub(crate) struct Server {
    process: Child,
    out: BufReader<ChildStdout>,
    pub(crate) address: String,
    /// Where the figures are, where they have an address of their own.
    figures: Option<String>,
    log: PathBuf,
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

impl Server {
    pub(crate) fn start(desk: &Desk, more: &[&str]) -> Self {
        let args = ["serve", "--listen", "127.0.0.1:0"].iter().chain(more);
        let mut command = desk.command(args);
        let log = desk.path(format!("{}.log", uuid::Uuid::now_v7()));
        let to_log = File::create(&log).expect("the log is made");
        let process = command.stdout(Stdio::piped()).stderr(to_log).spawn();
        let mut process = process.expect("it starts");
        let mut out = BufReader::new(process.stdout.take().expect("it is piped"));
        let mut place = || {
            let mut line = String::new();
            out.read_line(&mut line).expect("it says where it listens");
            let rest = line.split("http://").nth(1).unwrap_or_else(|| panic!("{line}"));
            rest.split([',', '/']).next().unwrap_or_default().to_owned()
        };
        let address = place();
        let figures = more.contains(&"--metrics").then(place);
        Self { process, out, address, figures, log }
    }

    pub(crate) fn id(&self) -> u32 {
        self.process.id()
    }

    /// Sends a request; the status and the body.
    pub(crate) fn ask(&self, method: &str, path: &str, headers: &str, body: &str) -> (u16, Value) {
        let (status, body) = self.ask_at(&self.address, method, path, headers, body);
        (status, serde_json::from_str(&body).unwrap_or_default())
    }

    fn ask_at(
        &self,
        address: &str,
        method: &str,
        path: &str,
        headers: &str,
        body: &str,
    ) -> (u16, String) {
        let mut stream = TcpStream::connect(address).expect("it listens");
        stream.set_read_timeout(Some(PATIENCE)).expect("a time-out");
        let length = body.len();
        let request = format!(
            "{method} {path} HTTP/1.1\r\nhost: {address}\r\nx-tenant-id: GENERATED\r\nconnection: close\r\n\
             content-type: application/json\r\ncontent-length: {length}\r\n{headers}\r\n{body}"
        );
        stream.write_all(request.as_bytes()).expect("it reads");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).expect("it answers");
        let status = answer.split(' ').nth(1).and_then(|status| status.parse().ok());
        let body = answer.split_once("\r\n\r\n").map_or("", |(_, body)| body);
        (status.expect("a status"), body.to_owned())
    }

    /// Tells it to stop; what it said on standard output since it listened.
    pub(crate) fn stop(mut self) -> String {
        let id = self.process.id().to_string();
        assert!(Command::new("kill").args(["-TERM", &id]).status().expect("kill runs").success());
        let ended = self.process.wait().expect("it ends");
        assert!(ended.success(), "{ended}");
        let mut said = String::new();
        self.out.read_to_string(&mut said).expect("it said something");
        said
    }
}

pub(crate) fn desk() -> Desk {
    let desk = Desk::new();
    desk.ask("generate --loans 60 --trades 20 --pools 10 --out book");
    let settings = "[tenants.GENERATED]\nstore = \"sqlite:books.db\"\nsource = \"dir:book\"\n";
    std::fs::write(desk.path("powerfill.toml"), settings).expect("settings are written");
    desk
}

fn status_of(server: &Server, run: &str, headers: &str) -> String {
    let (status, view) = server.ask("GET", &format!("/api/powerfill/runs/{run}"), headers, "");
    assert_eq!(status, 200, "{view}");
    view["status"].as_str().expect("a status").to_owned()
}

#[test]
fn it_answers_works_and_stops_when_it_is_told_to() {
    let desk = desk();
    let server = Server::start(&desk, &[]);
    assert_eq!(server.ask("GET", "/readyz", "", "").0, 200);
    let (status, asked) = server.ask("POST", "/api/powerfill/run", "", "{}");
    assert_eq!(status, 202, "{asked}");
    let run = asked["run_id"].as_str().expect("a run").to_owned();
    let begun = Instant::now();
    while status_of(&server, &run, "") != "Complete" {
        assert!(begun.elapsed() < PATIENCE);
        std::thread::sleep(Duration::from_millis(20));
    }
    let (status, page) = server.ask("GET", &format!("/api/powerfill/runs/{run}/guide"), "", "");
    assert_eq!((status, page["report"].as_str()), (200, Some("guide")));
    // A stream that nobody ends does not keep it.
    let mut stream = TcpStream::connect(&server.address).expect("it listens");
    let address = &server.address;
    let request = format!(
        "GET /api/powerfill/events/stream?after=0 HTTP/1.1\r\nhost: {address}\r\nx-tenant-id: GENERATED\r\n\r\n"
    );
    stream.write_all(request.as_bytes()).expect("it reads");
    stream.read_exact(&mut [0; 64]).expect("it answers");
    let said = server.stop();
    assert!(said.contains(&format!("run {run} is Complete")), "{said}");
    // The command line sees the same run.
    assert!(desk.ask("show --tenant GENERATED").contains(&run));
}

/// As it is when a run is asked for, whoever has changed it meanwhile; its events are among the
/// tenant's.
#[test]
fn runs_take_the_managed_configuration() {
    let desk = desk();
    let settings = std::fs::read_to_string(desk.path("powerfill.toml")).expect("settings");
    std::fs::write(desk.path("powerfill.toml"), settings + "configuration = \"managed\"\n")
        .unwrap();
    let server = Server::start(&desk, &["--no-workers"]);
    assert_ne!(server.ask("POST", "/api/powerfill/preflight", "", "{}").0, 200);
    desk.ask("config import --tenant GENERATED");
    desk.ask("config change settings min_pipeline_loans=61 --tenant GENERATED");
    let (status, found) = server.ask("POST", "/api/powerfill/preflight", "", "{}");
    assert_eq!(status, 200, "{found}");
    assert!(found.to_string().contains("61"), "{found}");
    let (status, page) = server.ask("GET", "/api/powerfill/events?limit=5000", "", "");
    assert_eq!(status, 200, "{page}");
    let events = page["events"].as_array().expect("events");
    assert_eq!(
        events.last().expect("the change")["type"],
        "powerfill.config.PreflightSettingsChanged.v1"
    );
    let path = "/api/powerfill/events?type=ConfigImported";
    let (_, page) = server.ask("GET", path, "", "");
    assert_eq!(page["events"].as_array().map(Vec::len), Some(1));
    assert_eq!(page["events"][0]["subject"], "config");
    assert_eq!(server.ask("POST", "/api/powerfill/run", "", "{}").0, 202);
    server.stop();
}

#[test]
fn a_page_of_the_web_with_a_name_of_its_own_is_a_stranger() {
    let desk = desk();
    let server = Server::start(&desk, &["--no-workers"]);
    let mut stream = TcpStream::connect(&server.address).expect("it listens");
    let request = "GET /api/powerfill/status HTTP/1.1\r\nhost: evil.example\r\nx-tenant-id: GENERATED\r\n\
                   connection: close\r\n\r\n";
    stream.write_all(request.as_bytes()).expect("it reads");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("it answers");
    assert!(answer.starts_with("HTTP/1.1 403 "), "{answer}");
    server.stop();
}

#[test]
fn tokens_open_and_close_a_service_that_goes_on() {
    let desk = desk();
    desk.type_in("serve --listen 0.0.0.0:0").refuses(2, &["this machine only", "token create"]);
    let made = "token create --tenant GENERATED --name ann";
    desk.type_in("token create --tenant ghost --name ann --role viewer")
        .refuses(2, &["no tenant ghost"]);
    let viewer = desk.ask(&format!("{made} --role viewer"));
    let server = Server::start(&desk, &["--no-workers", "--log-format", "json"]);
    let operator = desk.ask(&format!("{made} --role operator"));
    let with = |token: &str| format!("authorization: Bearer {}\r\n", token.trim());
    let ask = |headers: &str| server.ask("POST", "/api/powerfill/run", headers, "{}").0;
    assert_eq!(ask(""), 401);
    assert_eq!(ask(&with(&viewer)), 403);
    assert_eq!(ask(&with(&operator)), 202);
    let listed = desk.powerfill(["token", "list", "--format", "csv"]).well();
    let kept = std::fs::read_to_string(desk.path("powerfill-tokens.toml")).expect("the file");
    for token in [&viewer, &operator] {
        assert!(!kept.contains(token.trim()) && !listed.out.contains(token.trim()));
    }
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let file = std::fs::metadata(desk.path("powerfill-tokens.toml")).expect("the file");
        assert_eq!(file.permissions().mode() & 0o777, 0o600);
    }
    let table = listed.table();
    desk.ask(&format!("token revoke {}", table.column("id")[1]));
    assert_eq!(ask(&with(&operator)), 401);
    let headers = format!("{}x-request-id: desk-7\r\n", with(&viewer));
    assert_eq!(server.ask("GET", "/api/powerfill/runs?limit=7", &headers, "").0, 200);
    let log = server.log.clone();
    server.stop();
    // Who asked for what is written down; what opens the door is not.
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
fn the_monitoring_has_an_address_of_its_own() {
    let desk = desk();
    desk.ask("token create --tenant GENERATED --name ann --role viewer");
    let server = Server::start(&desk, &["--no-workers", "--metrics", "127.0.0.1:0"]);
    assert_eq!(server.ask("GET", "/metrics", "", "").0, 401);
    let figures = server.figures.clone().expect("it says where");
    let (status, text) = server.ask_at(&figures, "GET", "/metrics", "", "");
    assert_eq!(status, 200);
    assert!(text.contains("powerfill_store_up{tenant=\"GENERATED\"} 1"), "{text}");
    assert_eq!(server.ask_at(&figures, "GET", "/api/powerfill/runs", "", "").0, 404);
    server.stop();
}

#[test]
fn told_to_stop_in_the_middle_of_a_run_it_leaves_the_run_to_the_next() {
    let desk = Desk::new();
    desk.ask("generate --loans 6000 --trades 1500 --pools 900 --seed 5 --out book");
    let settings = "[tenants.GENERATED]\nstore = \"sqlite:books.db\"\nsource = \"dir:book\"\n";
    std::fs::write(desk.path("powerfill.toml"), settings).expect("settings are written");
    let server = Server::start(&desk, &[]);
    let (_, asked) = server.ask("POST", "/api/powerfill/run", "", "{}");
    let run = asked["run_id"].as_str().expect("a run").to_owned();
    let begun = Instant::now();
    while status_of(&server, &run, "") == "Pending" {
        assert!(begun.elapsed() < PATIENCE);
        std::thread::sleep(Duration::from_millis(1));
    }
    let said = server.stop();
    assert!(said.contains("another worker") || said.contains("handed"), "{said}");
    let server = Server::start(&desk, &[]);
    let begun = Instant::now();
    while status_of(&server, &run, "") != "Complete" {
        assert!(begun.elapsed() < PATIENCE);
        std::thread::sleep(Duration::from_millis(20));
    }
    let (_, view) = server.ask("GET", &format!("/api/powerfill/runs/{run}"), "", "");
    assert_eq!(view["fraction"], "1.00", "{view}");
    server.stop();
    // It is sound, and what it decided is what a run that nobody disturbs decides.
    desk.ask(&format!("verify {run} --tenant GENERATED"));
    desk.ask(&format!("replay {run} --tenant GENERATED"));
}
