//! What is bounded: requests a second, connections, how long a request may take to come.

use std::num::NonZeroU32;
use std::time::Duration;

use powerfill_http::Limits;
use powerfill_tests::all_runs::AllRuns;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use crate::desk::Service;

#[tokio::test]
async fn each_token_has_an_allowance_of_its_own() {
    let service = Service::with(Limits { rate: NonZeroU32::MIN, ..Limits::default() });
    let mut refused = None;
    for _ in 0..20 {
        let answer = service.get("/runs").await;
        if answer.status == 429 {
            refused = Some(answer);
            break;
        }
        answer.well();
    }
    let refused = refused.expect("twenty at once are more than two");
    refused.is_problem(429, "too-many");
    let seconds: u64 = refused.headers["retry-after"].to_str().unwrap().parse().unwrap();
    assert!((1..=2).contains(&seconds), "{seconds}");
    // Guessing does not take from those who may ask.
    let mut guesses = 0;
    loop {
        let guess = service.request("GET", "/api/powerfill/runs", "pf_0", None);
        guesses += 1;
        match service.send(guess).await.status {
            401 => assert!(guesses < 20),
            other => break assert_eq!(other, 429),
        }
    }
    let operator = || service.request("GET", "/api/powerfill/runs", &service.operator, None);
    service.send(operator()).await.well();
}

/// The service behind a socket; its address.
async fn listening(service: &Service) -> std::net::SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(powerfill_http::serve(listener, service.api.clone()));
    address
}

/// Everything that comes until the other side closes.
async fn rest(mut stream: TcpStream) -> String {
    let mut all = Vec::new();
    let read = tokio::time::timeout(Duration::from_secs(60), stream.read_to_end(&mut all)).await;
    // A connection that is reset is closed, too.
    let _ = read.expect("the other side closes");
    String::from_utf8_lossy(&all).into_owned()
}

async fn ready(address: std::net::SocketAddr) -> TcpStream {
    let mut stream = TcpStream::connect(address).await.unwrap();
    let request = "GET /healthz HTTP/1.1\r\nhost: here\r\nconnection: close\r\n\r\n";
    stream.write_all(request.as_bytes()).await.unwrap();
    stream
}

#[tokio::test]
async fn a_request_that_trickles_is_closed_and_keeps_nobody_waiting() {
    let patience = Duration::from_millis(300);
    let service = Service::with(Limits { request_timeout: patience, ..Limits::default() });
    let address = listening(&service).await;
    let mut trickling = Vec::new();
    for _ in 0..50 {
        let mut stream = TcpStream::connect(address).await.unwrap();
        stream.write_all(b"GET /healthz HTTP/1.1\r\nhost: he").await.unwrap();
        trickling.push(stream);
    }
    assert!(rest(ready(address).await).await.starts_with("HTTP/1.1 200"));
    for stream in trickling {
        let said = rest(stream).await;
        assert!(said.is_empty() || said.starts_with("HTTP/1.1 408"), "{said}");
    }
}

#[tokio::test]
async fn a_body_that_does_not_come_is_a_problem() {
    let patience = Duration::from_millis(300);
    let service = Service::with(Limits { request_timeout: patience, ..Limits::default() });
    let mut stream = TcpStream::connect(listening(&service).await).await.unwrap();
    let head = format!(
        "POST /api/powerfill/run HTTP/1.1\r\nhost: here\r\nx-tenant-id: one\r\nauthorization: Bearer {}\r\n\
         content-type: application/json\r\ncontent-length: 100\r\nconnection: close\r\n\r\n{{",
        service.operator
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    let said = rest(stream).await;
    assert!(said.starts_with("HTTP/1.1 408"), "{said}");
    assert!(said.contains("urn:powerfill:problem:too-slow"), "{said}");
    assert!(service.store().all_runs().await.unwrap().is_empty());
}

#[tokio::test]
async fn beyond_the_most_connections_one_waits_until_another_goes() {
    let service = Service::with(Limits { connections: 2, ..Limits::default() });
    let address = listening(&service).await;
    // Two that are let in, which their answers show, and stay.
    let mut inside = Vec::new();
    for _ in 0..2 {
        let mut stream = TcpStream::connect(address).await.unwrap();
        stream.write_all(b"GET /healthz HTTP/1.1\r\nhost: here\r\n\r\n").await.unwrap();
        assert!(stream.read(&mut [0; 512]).await.unwrap() > 0);
        inside.push(stream);
    }
    let mut third = ready(address).await;
    let mut byte = [0; 1];
    let early = tokio::time::timeout(Duration::from_millis(300), third.read(&mut byte)).await;
    assert!(early.is_err(), "it was let in beside the two");
    inside.pop();
    assert!(rest(third).await.contains("200 OK"));
}
