//! Clients of HTTP/2 that open no window: they acknowledge everything, and take no data.

use std::net::SocketAddr;
use std::time::Duration;

use powerfill_http::Limits;
use powerfill_tests::waiting::{completed, eventually};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::isolation::open_stream;
use crate::limits::listen;
use crate::service::Service;

const DATA: u8 = 0;
const HEADERS: u8 = 1;
const RST_STREAM: u8 = 3;
const SETTINGS: u8 = 4;
const WINDOW_UPDATE: u8 = 8;
const END_STREAM: u8 = 1;
const END_HEADERS: u8 = 4;

/// A client of HTTP/2 whose streams have no window until it opens one.
pub(crate) struct Http2Client(TcpStream);

/// A frame: its kind, its flags, and its stream.
type FrameHead = (u8, u8, u32);

impl Http2Client {
    pub(crate) async fn connect(address: SocketAddr) -> Self {
        let mut client = Self(TcpStream::connect(address).await.unwrap());
        client.0.write_all(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n").await.unwrap();
        // INITIAL_WINDOW_SIZE is 0.
        client.send(SETTINGS, 0, 0, &[0, 4, 0, 0, 0, 0]).await;
        client
    }

    async fn send(&mut self, kind: u8, flags: u8, stream: u32, payload: &[u8]) {
        let length = u32::try_from(payload.len()).unwrap().to_be_bytes();
        let mut frame = [&length[1..], &[kind, flags], &stream.to_be_bytes()].concat();
        frame.extend_from_slice(payload);
        self.0.write_all(&frame).await.unwrap();
    }

    pub(crate) async fn get(&mut self, stream: u32, path: &str, token: &str) {
        let authorization = format!("Bearer {token}");
        let fields = [
            (":method", "GET"),
            (":scheme", "http"),
            (":path", path),
            (":authority", "here"),
            ("x-tenant-id", "one"),
            ("authorization", &authorization),
        ];
        let mut block = Vec::new();
        for (name, value) in fields {
            // A literal without indexing, with a new name; the texts are short.
            block.push(0);
            for text in [name, value] {
                block.push(u8::try_from(text.len()).unwrap());
                block.extend_from_slice(text.as_bytes());
            }
        }
        self.send(HEADERS, END_STREAM | END_HEADERS, stream, &block).await;
    }

    async fn open_window(&mut self, stream: u32) {
        self.send(WINDOW_UPDATE, 0, stream, &65_535_u32.to_be_bytes()).await;
    }

    async fn next_frame(&mut self) -> FrameHead {
        let mut head = [0; 9];
        completed("a frame", self.0.read_exact(&mut head)).await.unwrap();
        let length = u32::from_be_bytes([0, head[0], head[1], head[2]]);
        let mut payload = vec![0; length as usize];
        self.0.read_exact(&mut payload).await.unwrap();
        if head[3] == SETTINGS && head[4] == 0 {
            self.send(SETTINGS, 1, 0, &[]).await;
        }
        (head[3], head[4], u32::from_be_bytes([head[5], head[6], head[7], head[8]]))
    }

    /// Reads until the answer to this stream has ended. Returns whether another stream was reset.
    async fn read_answer(&mut self, to: u32) -> bool {
        let mut any_reset = false;
        loop {
            match self.next_frame().await {
                (DATA, flags, stream) if stream == to && flags & END_STREAM != 0 => {
                    return any_reset;
                }
                (RST_STREAM, _, stream) if stream == to => panic!("stream {to} was reset"),
                (RST_STREAM, ..) => any_reset = true,
                _ => {}
            }
        }
    }
}

#[tokio::test]
async fn a_stream_whose_data_is_not_taken_is_reset() {
    let service = Service::with(Limits {
        streams_per_token: 1,
        write_timeout: Duration::from_millis(300),
        ..Limits::default()
    });
    let viewer = service.viewer.clone();
    let mut client = Http2Client::connect(listen(&service).await).await;
    client.get(1, "/api/powerfill/events/stream?after=0", &viewer).await;
    client.get(3, "/api/powerfill/openapi.json", &viewer).await;
    client.get(5, "/healthz", &viewer).await;
    client.open_window(5).await;
    let mut resets = usize::from(client.read_answer(5).await);
    while resets < 2 {
        resets += usize::from(matches!(client.next_frame().await, (RST_STREAM, ..)));
    }
    // The place of the event stream is free, and the connection goes on.
    eventually("another stream opens", async || {
        open_stream(&service, &viewer).await.0.status == 200
    })
    .await;
    client.get(7, "/healthz", &viewer).await;
    client.open_window(7).await;
    assert!(!client.read_answer(7).await);
}
