//! The console of `serve` and of `demo --open`: its page, sessions over restarts, and the browser.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::Stdio;

use powerfill_tests::waiting::{WAIT_LIMIT, eventually_blocking};
use serde_json::Value;

use crate::process::BackgroundProcess;
use crate::sandbox::Sandbox;
use crate::served::{Server, sandbox};

/// Sends a request, and returns the head and the body of the answer.
fn exchange(address: &str, method: &str, path: &str, headers: &str, body: &str) -> [String; 2] {
    let mut stream = TcpStream::connect(address).expect("the service listens");
    stream.set_read_timeout(Some(WAIT_LIMIT)).expect("a timeout");
    let length = body.len();
    let request = format!(
        "{method} {path} HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\ncontent-type: \
         application/json\r\ncontent-length: {length}\r\n{headers}\r\n{body}"
    );
    stream.write_all(request.as_bytes()).expect("the service reads");
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).expect("the service answers");
    let answer = String::from_utf8_lossy(&answer).into_owned();
    let (head, body) = answer.split_once("\r\n\r\n").expect("an answer has a head");
    [head.to_owned(), body.to_owned()]
}

/// The value of a cookie that an answer sets.
fn cookie(head: &str) -> String {
    let set = head.lines().find_map(|line| line.strip_prefix("set-cookie: "));
    set.expect("a cookie").split(';').next().expect("a value").to_owned()
}

fn json(body: &str) -> Value {
    serde_json::from_str(body).unwrap_or_else(|error| panic!("{error}: {body}"))
}

#[test]
fn a_browser_finds_the_console_where_the_service_says() {
    let sandbox = sandbox();
    let server = Server::start(&sandbox, &["--no-workers"]);
    let [head, page] = exchange(&server.address, "GET", "/runs/1", "accept: text/html\r\n", "");
    assert!(head.starts_with("HTTP/1.1 200"), "{head}");
    assert!(head.contains("content-security-policy: default-src 'none'"), "{head}");
    assert!(page.to_lowercase().starts_with("<!doctype html>"), "{page}");
    let [head, body] = exchange(&server.address, "GET", "/", "accept: */*\r\n", "");
    assert!(head.starts_with("HTTP/1.1 404"), "{head}");
    assert_eq!(json(&body)["type"], "urn:powerfill:problem:no-such-path");
    let expected = format!("the console is at http://{}/\n", server.address);
    assert_eq!(server.stop(), expected);
}

#[test]
fn a_session_outlasts_the_service_and_ends_with_its_token() {
    let sandbox = sandbox();
    let token = sandbox.run_ok("token create --tenant GENERATED --role operator --name ann");
    let server = Server::start(&sandbox, &[]);
    let path = "/api/powerfill/session";
    let entered = format!("{{\"token\":\"{}\"}}", token.trim());
    let [head, body] = exchange(&server.address, "POST", path, "", &entered);
    assert!(head.starts_with("HTTP/1.1 200"), "{head}");
    let csrf = json(&body)["csrf"].as_str().expect("a CSRF token").to_owned();
    let cookie = format!("cookie: {}\r\n", cookie(&head));
    let run_with = |server: &Server, headers: &str| {
        let headers = format!("{cookie}x-tenant-id: GENERATED\r\n{headers}");
        exchange(&server.address, "POST", "/api/powerfill/run", &headers, "{}")
    };
    let [head, body] = run_with(&server, "");
    assert!(head.starts_with("HTTP/1.1 403"), "{head}");
    assert_eq!(json(&body)["type"], "urn:powerfill:problem:csrf");
    let [head, body] = run_with(&server, &format!("x-csrf-token: {csrf}\r\n"));
    assert!(head.starts_with("HTTP/1.1 202"), "{head} {body}");
    server.stop();
    let server = Server::start(&sandbox, &[]);
    let listed = "/api/powerfill/runs?x-tenant-id=GENERATED";
    let [head, body] = exchange(&server.address, "GET", listed, &cookie, "");
    assert!(head.starts_with("HTTP/1.1 200"), "{head} {body}");
    assert_eq!(json(&body)["runs"].as_array().expect("runs").len(), 1);
    let tokens = sandbox.run_ok("token list --format json");
    let id = json(&tokens)[0]["id"].as_str().expect("an id").to_owned();
    sandbox.run_ok(&format!("token revoke {id}"));
    let [head, _] = exchange(&server.address, "GET", listed, &cookie, "");
    assert!(head.starts_with("HTTP/1.1 401"), "{head}");
    server.stop();
}

/// `demo --open` shows its own service in the browser: here, a program that writes down what it is
/// asked to open.
#[cfg(unix)]
#[test]
fn the_demo_opens_the_browser_on_its_own_service() {
    use std::os::unix::fs::PermissionsExt;

    let sandbox = Sandbox::new();
    let (folder, opened) = (sandbox.path("bin"), sandbox.path("opened"));
    std::fs::create_dir(&folder).expect("a folder");
    let browser = folder.join("xdg-open");
    let script = format!("#!/bin/sh\necho \"$1\" > {0}.new\nmv {0}.new {0}\n", opened.display());
    std::fs::write(&browser, script).expect("a program");
    std::fs::set_permissions(&browser, PermissionsExt::from_mode(0o755)).expect("a program");
    let mut command = sandbox.command(["demo", "--open"]);
    let path = std::env::var("PATH").unwrap_or_default();
    command.env("PATH", format!("{}:{path}", folder.display()));
    let mut process = BackgroundProcess::start(command.stdout(Stdio::piped()));
    let mut out = BufReader::new(process.child().stdout.take().expect("the output is piped"));
    let mut console = String::new();
    while !console.starts_with("the console is at ") {
        console.clear();
        assert_ne!(out.read_line(&mut console).expect("text"), 0, "the demo ended");
    }
    eventually_blocking("the browser is opened", || opened.exists());
    let url = std::fs::read_to_string(&opened).expect("an address");
    assert_eq!(console, format!("the console is at {url}"));
    let address = url.trim().trim_start_matches("http://").trim_end_matches('/');
    let [_, body] = exchange(address, "GET", "/api/powerfill/session", "", "");
    let session = json(&body);
    assert_eq!(session["required"], false);
    let tenant = session["tenants"][0]["tenant_id"].as_str().expect("a tenant");
    let listed = format!("/api/powerfill/runs?x-tenant-id={tenant}");
    let [_, body] = exchange(address, "GET", &listed, "", "");
    assert_eq!(json(&body)["runs"][0]["status"], "Complete");
    process.signal("-TERM");
    assert_eq!(process.finish().status, Some(0));
}
