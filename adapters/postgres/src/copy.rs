//! Rows in PostgreSQL's binary COPY format, encoded on a thread that may work while another one sends what is ready.

use ::bytes::{BufMut, Bytes, BytesMut};
use futures::SinkExt;
use powerfill_ports::StoreError;
use tokio::sync::mpsc;
use tokio_postgres::Client;

use crate::fault::fault;

/// Of rows that are sent at once.
const CHUNK: usize = 128 * 1024;
/// Chunks that may be ready before they are sent.
const AHEAD: usize = 4;

const HEADER: &[u8] = b"PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0";

/// Whoever receives the rows has ended; its own error says why.
#[derive(Debug)]
pub(crate) struct Gone;

/// Where rows are written.
pub(crate) struct Rows {
    buffer: BytesMut,
    to: mpsc::Sender<Bytes>,
}

impl Rows {
    /// Begins a row.
    pub(crate) fn row(&mut self, columns: u16) -> Result<(), Gone> {
        if self.buffer.len() >= CHUNK {
            let full =
                std::mem::replace(&mut self.buffer, BytesMut::with_capacity(CHUNK + CHUNK / 8));
            self.to.blocking_send(full.freeze()).map_err(|_| Gone)?;
        }
        self.buffer.put_u16(columns);
        Ok(())
    }

    /// A value of any type, by its bytes.
    pub(crate) fn bytes(&mut self, bytes: &[u8]) {
        // A value is far below the 2 GiB that the format has room for: a payload, a text, a hash.
        self.buffer.put_u32(u32::try_from(bytes.len()).unwrap_or(u32::MAX));
        self.buffer.put_slice(bytes);
    }

    /// A 64-bit whole number, or a moment.
    pub(crate) fn big(&mut self, number: i64) {
        self.buffer.put_u32(8);
        self.buffer.put_i64(number);
    }

    /// A 32-bit whole number, or a date.
    pub(crate) fn int(&mut self, number: i32) {
        self.buffer.put_u32(4);
        self.buffer.put_i32(number);
    }

    /// NULL.
    pub(crate) fn null(&mut self) {
        self.buffer.put_i32(-1);
    }
}

/// Copies the rows that `write` makes, on a thread of its own; answers what that answers.
///
/// # Errors
/// `write` refuses, or the server does; then the transaction is broken.
pub(crate) async fn copy<T: Send + 'static>(
    client: &Client,
    sql: &str,
    write: impl FnOnce(&mut Rows) -> Result<T, Stopped> + Send + 'static,
) -> Result<T, StoreError> {
    let sink = client.copy_in(sql).await.map_err(fault)?;
    futures::pin_mut!(sink);
    let (to, mut ready) = mpsc::channel(AHEAD);
    let encoding = tokio::task::spawn_blocking(move || {
        let mut rows = Rows { buffer: BytesMut::with_capacity(CHUNK + CHUNK / 8), to };
        rows.buffer.put_slice(HEADER);
        let answer = write(&mut rows)?;
        rows.buffer.put_i16(-1);
        let Rows { buffer, to } = rows;
        to.blocking_send(buffer.freeze()).map_err(|_| Gone)?;
        Ok(answer)
    });
    while let Some(chunk) = ready.recv().await {
        sink.send(chunk).await.map_err(fault)?;
    }
    let encoded = encoding
        .await
        .map_err(|panic| StoreError::Failed(format!("rows could not be encoded: {panic}")))?;
    match encoded {
        Ok(answer) => {
            sink.finish().await.map_err(fault)?;
            Ok(answer)
        }
        Err(Stopped::Refused(error)) => Err(error),
        Err(Stopped::Gone(Gone)) => {
            Err(StoreError::Failed("the rows were not taken any more".to_owned()))
        }
    }
}

/// Why rows were not written to their end.
#[derive(Debug)]
pub(crate) enum Stopped {
    /// A row is not what it should be.
    Refused(StoreError),
    /// The receiver has ended.
    Gone(Gone),
}

impl From<StoreError> for Stopped {
    fn from(error: StoreError) -> Self {
        Self::Refused(error)
    }
}

impl From<Gone> for Stopped {
    fn from(gone: Gone) -> Self {
        Self::Gone(gone)
    }
}
