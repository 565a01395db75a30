//! A server that sends scripted answers in the byte format of [MS-TDS]: log-in, results of any
//! type, errors by number, and silence. It does not interpret SQL.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// The answer to a batch.
#[derive(Debug, Clone)]
pub(crate) enum Answer {
    /// Success without a result.
    Done,
    /// A result with these columns and rows.
    Rows(Vec<Column>, Vec<Vec<Vec<u8>>>),
    /// An error with this number.
    Error(u32, &'static str),
    /// The server closes the connection.
    Disconnect,
    /// No answer at all.
    Silence,
}

/// A column: its name, and its type as bytes.
#[derive(Debug, Clone)]
pub(crate) struct Column(pub(crate) &'static str, pub(crate) Vec<u8>);

/// The answer to each batch.
type Script = Box<dyn FnMut(&str) -> Answer + Send>;

/// A server on a free port.
pub(crate) struct MockServer {
    pub(crate) port: u16,
    batches: Arc<Mutex<Vec<String>>>,
}

impl MockServer {
    /// Starts a server that answers by this script.
    pub(crate) fn new(script: impl FnMut(&str) -> Answer + Send + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let port = listener.local_addr().expect("a port").port();
        let batches: Arc<Mutex<Vec<String>>> = Arc::default();
        let received = Arc::clone(&batches);
        let script = Arc::new(Mutex::new(Box::new(script) as Script));
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let (received, script) = (Arc::clone(&received), Arc::clone(&script));
                let stream = stream.expect("a connection");
                std::thread::spawn(move || serve(stream, &received, &script));
            }
        });
        Self { port, batches }
    }

    pub(crate) fn url(&self) -> String {
        format!("mssql://desk:s3cret@127.0.0.1:{}/Lender?encrypt=false", self.port)
    }

    /// The batches received so far; a log-in counts as the batch `LOGIN`.
    pub(crate) fn batches(&self) -> Vec<String> {
        self.batches.lock().expect("no panic while locked").clone()
    }
}

/// Receives a message of one or more packets: its type and its content. `None` at the end.
fn receive(stream: &mut TcpStream) -> Option<(u8, Vec<u8>)> {
    let mut whole = Vec::new();
    loop {
        let mut header = [0; 8];
        stream.read_exact(&mut header).ok()?;
        let length = usize::from(u16::from_be_bytes([header[2], header[3]]));
        let mut packet = vec![0; length - 8];
        stream.read_exact(&mut packet).ok()?;
        whole.extend(packet);
        if header[1] & 1 == 1 {
            return Some((header[0], whole));
        }
    }
}

fn send(stream: &mut TcpStream, tokens: &[u8]) {
    // Small packets, so that one token can be spread over two of them.
    let chunks: Vec<&[u8]> = tokens.chunks(1_000).collect();
    for (at, chunk) in chunks.iter().enumerate() {
        let length = u16::try_from(chunk.len() + 8).expect("a small packet").to_be_bytes();
        let is_last = u8::from(at + 1 == chunks.len());
        let number = u8::try_from(at % 256).expect("a byte");
        let mut packet = vec![4, is_last, length[0], length[1], 0, 0, number, 0];
        packet.extend(*chunk);
        // The client may have disconnected.
        let _ = stream.write_all(&packet);
    }
}

fn serve(mut stream: TcpStream, batches: &Mutex<Vec<String>>, script: &Mutex<Script>) {
    while let Some((message_type, content)) = receive(&mut stream) {
        let sql = match message_type {
            // Prelogin: version 16, no encryption.
            0x12 => {
                send(&mut stream, &[0, 0, 11, 0, 6, 1, 0, 17, 0, 1, 0xFF, 16, 0, 0, 0, 0, 0, 2]);
                continue;
            }
            0x10 => "LOGIN".to_owned(),
            // A batch or a call: its text, after the headers.
            _ => utf16(&content[4.min(content.len())..]),
        };
        batches.lock().expect("no panic while locked").push(sql.clone());
        let answer = (script.lock().expect("no panic while locked"))(&sql);
        let mut tokens = match answer {
            Answer::Done if sql == "LOGIN" => login(),
            Answer::Done => Vec::new(),
            Answer::Rows(columns, rows) => result(&columns, &rows),
            Answer::Error(number, text) => error(number, text),
            Answer::Disconnect => return,
            Answer::Silence => {
                // Longer than any test waits.
                std::thread::sleep(Duration::from_secs(600));
                return;
            }
        };
        tokens.extend(done());
        send(&mut stream, &tokens);
    }
}

fn utf16(bytes: &[u8]) -> String {
    let units: Vec<u16> =
        bytes.chunks_exact(2).map(|two| u16::from_le_bytes([two[0], two[1]])).collect();
    String::from_utf16_lossy(&units)
}

pub(crate) fn text(text: &str) -> Vec<u8> {
    text.encode_utf16().flat_map(u16::to_le_bytes).collect()
}

/// A text after its length in UTF-16 units, as one byte.
fn short(value: &str) -> Vec<u8> {
    let mut bytes = vec![u8::try_from(value.encode_utf16().count()).expect("a short text")];
    bytes.extend(text(value));
    bytes
}

/// A token: its type, the length of its content, and the content.
fn token(token_type: u8, content: &[u8]) -> Vec<u8> {
    let mut bytes = vec![token_type];
    bytes.extend(u16::try_from(content.len()).expect("a short token").to_le_bytes());
    bytes.extend(content);
    bytes
}

fn login() -> Vec<u8> {
    let mut content = vec![1, 0x74, 0, 0, 4];
    content.extend(short("Microsoft SQL Server"));
    content.extend([16, 0, 0, 0]);
    token(0xAD, &content)
}

fn error(number: u32, message: &str) -> Vec<u8> {
    let mut content = number.to_le_bytes().to_vec();
    content.extend([1, 16]);
    content
        .extend(u16::try_from(message.encode_utf16().count()).expect("a short text").to_le_bytes());
    content.extend(text(message));
    content.extend(short("mock"));
    content.extend(short(""));
    content.extend(1_u32.to_le_bytes());
    token(0xAA, &content)
}

fn result(columns: &[Column], rows: &[Vec<Vec<u8>>]) -> Vec<u8> {
    let mut bytes = vec![0x81];
    bytes.extend(u16::try_from(columns.len()).expect("few columns").to_le_bytes());
    for Column(name, column_type) in columns {
        // No user type; the column is nullable.
        bytes.extend([0, 0, 0, 0, 9, 0]);
        bytes.extend(column_type);
        bytes.extend(short(name));
    }
    for row in rows {
        bytes.push(0xD1);
        bytes.extend(row.iter().flatten());
    }
    bytes
}

fn done() -> Vec<u8> {
    let mut bytes = vec![0xFD];
    bytes.extend([0; 12]);
    bytes
}
