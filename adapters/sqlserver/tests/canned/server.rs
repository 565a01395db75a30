//! A server that says what it is told to say, in bytes as [MS-TDS] has them: log-in, results of any type, errors by number,
//! and silence. It knows no SQL.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// What is said to a batch.
#[derive(Debug, Clone)]
pub(crate) enum Answer {
    /// It is done; there is nothing to see.
    Done,
    /// A result.
    Rows(Vec<Column>, Vec<Vec<Vec<u8>>>),
    /// An error with this number.
    Error(u32, &'static str),
    /// The connection ends.
    Gone,
    /// Nothing, for ever.
    Silence,
}

/// A column: its name, and its type as bytes.
#[derive(Debug, Clone)]
pub(crate) struct Column(pub(crate) &'static str, pub(crate) Vec<u8>);

/// What to say to which text.
type Script = Box<dyn FnMut(&str) -> Answer + Send>;

/// A server on a port of its own.
pub(crate) struct Canned {
    pub(crate) port: u16,
    heard: Arc<Mutex<Vec<String>>>,
}

impl Canned {
    /// One that says this to each batch.
    pub(crate) fn new(script: impl FnMut(&str) -> Answer + Send + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let port = listener.local_addr().expect("a port").port();
        let heard: Arc<Mutex<Vec<String>>> = Arc::default();
        let (told, script) = (Arc::clone(&heard), Arc::new(Mutex::new(Box::new(script) as Script)));
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let (told, script) = (Arc::clone(&told), Arc::clone(&script));
                std::thread::spawn(move || serve(stream.expect("a connection"), &told, &script));
            }
        });
        Self { port, heard }
    }

    pub(crate) fn url(&self) -> String {
        format!("mssql://desk:s3cret@127.0.0.1:{}/Lender?encrypt=false", self.port)
    }

    /// The batches that came.
    pub(crate) fn heard(&self) -> Vec<String> {
        self.heard.lock().expect("nobody panics with it").clone()
    }
}

/// A message: its kind and what it holds, over as many packets as it takes. `None` at the end.
fn message(stream: &mut TcpStream) -> Option<(u8, Vec<u8>)> {
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

fn say(stream: &mut TcpStream, tokens: &[u8]) {
    // Small packets, as a server sends them where it is told to: a token may stand in two.
    let chunks: Vec<&[u8]> = tokens.chunks(1_000).collect();
    for (at, chunk) in chunks.iter().enumerate() {
        let length = u16::try_from(chunk.len() + 8).expect("a small packet").to_be_bytes();
        let is_last = u8::from(at + 1 == chunks.len());
        let number = u8::try_from(at % 256).expect("a byte");
        let mut packet = vec![4, is_last, length[0], length[1], 0, 0, number, 0];
        packet.extend(*chunk);
        // Whoever asked may have gone.
        let _ = stream.write_all(&packet);
    }
}

fn serve(mut stream: TcpStream, heard: &Mutex<Vec<String>>, script: &Mutex<Script>) {
    while let Some((kind, held)) = message(&mut stream) {
        let sql = match kind {
            // Prelogin: version 16, no encryption.
            0x12 => {
                say(&mut stream, &[0, 0, 11, 0, 6, 1, 0, 17, 0, 1, 0xFF, 16, 0, 0, 0, 0, 0, 2]);
                continue;
            }
            0x10 => "LOGIN".to_owned(),
            // A batch and a call: what their text holds, behind the headers.
            _ => utf16(&held[4.min(held.len())..]),
        };
        heard.lock().expect("nobody panics with it").push(sql.clone());
        let answer = (script.lock().expect("nobody panics with it"))(&sql);
        let mut tokens = match answer {
            Answer::Done if sql == "LOGIN" => login(),
            Answer::Done => Vec::new(),
            Answer::Rows(columns, rows) => result(&columns, &rows),
            Answer::Error(number, text) => error(number, text),
            Answer::Gone => return,
            Answer::Silence => {
                // Longer than any test waits.
                std::thread::sleep(Duration::from_secs(600));
                return;
            }
        };
        tokens.extend(done());
        say(&mut stream, &tokens);
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

/// A text with the number of its units, a byte, before it.
fn short(value: &str) -> Vec<u8> {
    let mut bytes = vec![u8::try_from(value.encode_utf16().count()).expect("a short text")];
    bytes.extend(text(value));
    bytes
}

/// A token with its length before what it holds.
fn token(kind: u8, held: &[u8]) -> Vec<u8> {
    let mut bytes = vec![kind];
    bytes.extend(u16::try_from(held.len()).expect("a short token").to_le_bytes());
    bytes.extend(held);
    bytes
}

fn login() -> Vec<u8> {
    let mut held = vec![1, 0x74, 0, 0, 4];
    held.extend(short("Microsoft SQL Server"));
    held.extend([16, 0, 0, 0]);
    token(0xAD, &held)
}

fn error(number: u32, message: &str) -> Vec<u8> {
    let mut held = number.to_le_bytes().to_vec();
    held.extend([1, 16]);
    held.extend(u16::try_from(message.encode_utf16().count()).expect("a short text").to_le_bytes());
    held.extend(text(message));
    held.extend(short("canned"));
    held.extend(short(""));
    held.extend(1_u32.to_le_bytes());
    token(0xAA, &held)
}

fn result(columns: &[Column], rows: &[Vec<Vec<u8>>]) -> Vec<u8> {
    let mut bytes = vec![0x81];
    bytes.extend(u16::try_from(columns.len()).expect("few columns").to_le_bytes());
    for Column(name, of) in columns {
        // No user type; it may be NULL.
        bytes.extend([0, 0, 0, 0, 9, 0]);
        bytes.extend(of);
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
