//! Limits: requests per second, connections, and the time in which a request must arrive.

use std::num::NonZeroU32;
use std::time::Duration;

use powerfill_http::Limits;
use powerfill_tests::all_runs::AllRuns;
use powerfill_tests::waiting::eventually;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use crate::service::Service;

#[tokio::test]
async fn each_token_has_its_own_rate_of_requests() {
    let service = Service::with(Limits { rate: NonZeroU32::MIN, ..Limits::default() });
    let mut refused = None;
    for _ in 0..20 {
        let answer = service.get("/runs").await;
        if answer.status == 429 {
            refused = Some(answer);
            break;
        }
        answer.ok();
    }
    let refused = refused.expect("twenty requests at once exceed two");
    refused.expect_problem(429, "too-many");
    let seconds: u64 = refused.headers["retry-after"].to_str().unwrap().parse().unwrap();
    assert!((1..=2).contains(&seconds), "{seconds}");
    // Requests without a valid token do not reduce the rate of a valid one.
    let mut guesses = 0;
    loop {
        guesses += 1;
        match service.send_with(("GET", "/runs", "pf_0"), &[], None).await.status {
            401 => assert!(guesses < 20),
            other => break assert_eq!(other, 429),
        }
    }
    service.send_with(("GET", "/runs", &service.operator), &[], None).await.ok();
}

/// Serves on a socket, and returns its address.
pub(crate) async fn listen(service: &Service) -> std::net::SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(powerfill_http::serve(listener, service.api.clone()));
    address
}

/// Reads until the service closes the connection.
pub(crate) async fn read_to_end(mut stream: TcpStream) -> String {
    let mut all = Vec::new();
    let read = tokio::time::timeout(Duration::from_secs(60), stream.read_to_end(&mut all)).await;
    // A reset connection is closed too.
    let _ = read.expect("the service closes the connection");
    String::from_utf8_lossy(&all).into_owned()
}

pub(crate) async fn send_request(address: std::net::SocketAddr) -> TcpStream {
    let mut stream = TcpStream::connect(address).await.unwrap();
    let request = "GET /healthz HTTP/1.1\r\nhost: here\r\nconnection: close\r\n\r\n";
    stream.write_all(request.as_bytes()).await.unwrap();
    stream
}

/// Two connections that are served and stay open.
async fn open_two(address: std::net::SocketAddr) -> Vec<TcpStream> {
    let mut open = Vec::new();
    for _ in 0..2 {
        let mut stream = TcpStream::connect(address).await.unwrap();
        stream.write_all(b"GET /healthz HTTP/1.1\r\nhost: here\r\n\r\n").await.unwrap();
        assert!(stream.read(&mut [0; 512]).await.unwrap() > 0);
        open.push(stream);
    }
    open
}

#[tokio::test]
async fn an_incomplete_request_is_closed_and_delays_no_other() {
    let timeout = Duration::from_millis(300);
    let service = Service::with(Limits { request_timeout: timeout, ..Limits::default() });
    let address = listen(&service).await;
    let mut incomplete = Vec::new();
    for _ in 0..50 {
        let mut stream = TcpStream::connect(address).await.unwrap();
        stream.write_all(b"GET /healthz HTTP/1.1\r\nhost: he").await.unwrap();
        incomplete.push(stream);
    }
    assert!(read_to_end(send_request(address).await).await.starts_with("HTTP/1.1 200"));
    for stream in incomplete {
        let text = read_to_end(stream).await;
        assert!(text.is_empty() || text.starts_with("HTTP/1.1 408"), "{text}");
    }
}

/// Neither silence nor the beginning of HTTP/2 keeps a connection.
#[tokio::test]
async fn a_connection_without_a_request_is_closed() {
    let timeout = Duration::from_millis(300);
    let service = Service::with(Limits { request_timeout: timeout, ..Limits::default() });
    let address = listen(&service).await;
    let mut silent = Vec::new();
    for beginning in ["", "P", "PRI * HTTP/2.0\r\n\r\nSM", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"] {
        let mut stream = TcpStream::connect(address).await.unwrap();
        stream.write_all(beginning.as_bytes()).await.unwrap();
        silent.push(stream);
    }
    for stream in silent {
        read_to_end(stream).await;
    }
}

#[tokio::test]
async fn one_machine_cannot_take_all_connections() {
    let service = Service::with(Limits { connections_per_peer: 2, ..Limits::default() });
    let address = listen(&service).await;
    let mut open = open_two(address).await;
    assert_eq!(read_to_end(send_request(address).await).await, "", "a third connection");
    open.pop();
    eventually("a place is free", async || {
        read_to_end(send_request(address).await).await.contains("200 OK")
    })
    .await;
}

/// A client that asks again and again and reads nothing fills the buffers of the connection.
#[tokio::test]
async fn a_client_that_takes_no_answer_is_disconnected() {
    let service = Service::with(Limits {
        connections_per_peer: 1,
        write_timeout: Duration::from_millis(300),
        ..Limits::default()
    });
    let address = listen(&service).await;
    let mut greedy = TcpStream::connect(address).await.unwrap();
    let request = b"GET /api/powerfill/openapi.json HTTP/1.1\r\nhost: here\r\n\r\n";
    let asking = tokio::spawn(async move {
        // Ends when the connection does.
        while greedy.write_all(request).await.is_ok() {}
    });
    eventually("its place is free", async || {
        read_to_end(send_request(address).await).await.contains("200 OK")
    })
    .await;
    asking.abort();
}

#[tokio::test]
async fn a_body_that_does_not_arrive_is_a_problem() {
    let timeout = Duration::from_millis(300);
    let service = Service::with(Limits { request_timeout: timeout, ..Limits::default() });
    let mut stream = TcpStream::connect(listen(&service).await).await.unwrap();
    let head = format!(
        "POST /api/powerfill/run HTTP/1.1\r\nhost: here\r\nx-tenant-id: one\r\n\
         authorization: Bearer {}\r\n\
         content-type: application/json\r\ncontent-length: 100\r\nconnection: close\r\n\r\n{{",
        service.operator
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    let text = read_to_end(stream).await;
    assert!(text.starts_with("HTTP/1.1 408"), "{text}");
    assert!(text.contains("urn:powerfill:problem:too-slow"), "{text}");
    assert!(service.store().all_runs().await.unwrap().is_empty());
}

#[tokio::test]
async fn beyond_the_limit_a_connection_waits_until_another_ends() {
    let service = Service::with(Limits { connections: 2, ..Limits::default() });
    let address = listen(&service).await;
    let mut open = open_two(address).await;
    let mut third = send_request(address).await;
    let mut byte = [0; 1];
    let early = tokio::time::timeout(Duration::from_millis(300), third.read(&mut byte)).await;
    assert!(early.is_err(), "a third connection was served");
    open.pop();
    assert!(read_to_end(third).await.contains("200 OK"));
}
