//! Rows in PostgreSQL's binary COPY format. One thread encodes rows while another task sends the
//! ones that are ready.

use ::bytes::{BufMut, Bytes, BytesMut};
use futures::SinkExt;
use powerfill_ports::{StoreError, StoreFault, StoreResult};
use tokio::sync::mpsc;
use tokio_postgres::Client;

use crate::errors::store_error;

/// Bytes of rows that are sent together.
const CHUNK_BYTES: usize = 128 * 1024;
/// Chunks that may wait to be sent.
const MAX_WAITING_CHUNKS: usize = 4;

const HEADER: &[u8] = b"PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0";

/// The task that sends the rows has ended. Its own error says why.
#[derive(Debug)]
pub(crate) struct SenderGone;

/// Why rows were not encoded to their end.
#[derive(Debug)]
pub(crate) enum EncodeError {
    /// A row does not fit its table.
    InvalidRow(StoreError),
    /// The rows cannot be sent any more.
    SenderGone(SenderGone),
}

impl From<StoreError> for EncodeError {
    fn from(error: StoreError) -> Self {
        Self::InvalidRow(error)
    }
}

impl From<SenderGone> for EncodeError {
    fn from(gone: SenderGone) -> Self {
        Self::SenderGone(gone)
    }
}

pub(crate) struct RowEncoder {
    buffer: BytesMut,
    chunks: mpsc::Sender<Bytes>,
}

fn new_chunk() -> BytesMut {
    BytesMut::with_capacity(CHUNK_BYTES + CHUNK_BYTES / 8)
}

impl RowEncoder {
    /// Begins a row. May block while chunks wait to be sent.
    pub(crate) fn begin_row(&mut self, columns: u16) -> Result<(), SenderGone> {
        if self.buffer.len() >= CHUNK_BYTES {
            let full = std::mem::replace(&mut self.buffer, new_chunk());
            self.chunks.blocking_send(full.freeze()).map_err(|_| SenderGone)?;
        }
        self.buffer.put_u16(columns);
        Ok(())
    }

    /// Writes a value of any type by its bytes.
    pub(crate) fn write_bytes(&mut self, bytes: &[u8]) {
        // Payloads, texts, and hashes are far below the format's limit of 2 GiB.
        self.buffer.put_u32(u32::try_from(bytes.len()).unwrap_or(u32::MAX));
        self.buffer.put_slice(bytes);
    }

    /// Writes a BIGINT or a timestamp.
    pub(crate) fn write_bigint(&mut self, number: i64) {
        self.buffer.put_u32(8);
        self.buffer.put_i64(number);
    }

    /// Writes an INTEGER or a date.
    pub(crate) fn write_integer(&mut self, number: i32) {
        self.buffer.put_u32(4);
        self.buffer.put_i32(number);
    }

    pub(crate) fn write_null(&mut self) {
        self.buffer.put_i32(-1);
    }
}

/// Copies the rows that `encode` writes on a thread of its own. Returns the result of `encode`.
///
/// # Errors
/// `encode` or the server fails. The transaction is then broken.
pub(crate) async fn copy<T: Send + 'static>(
    client: &Client,
    sql: &str,
    encode: impl FnOnce(&mut RowEncoder) -> Result<T, EncodeError> + Send + 'static,
) -> StoreResult<T> {
    let sink = client.copy_in(sql).await.map_err(store_error)?;
    futures::pin_mut!(sink);
    let (chunks, mut ready) = mpsc::channel(MAX_WAITING_CHUNKS);
    let encoding = tokio::task::spawn_blocking(move || {
        let mut rows = RowEncoder { buffer: new_chunk(), chunks };
        rows.buffer.put_slice(HEADER);
        let output = encode(&mut rows)?;
        rows.buffer.put_i16(-1);
        let RowEncoder { buffer, chunks } = rows;
        chunks.blocking_send(buffer.freeze()).map_err(|_| SenderGone)?;
        Ok(output)
    });
    while let Some(chunk) = ready.recv().await {
        sink.send(chunk).await.map_err(store_error)?;
    }
    let encoded = encoding.await.map_err(|panic| {
        StoreError::Failed(StoreFault::caused_by(panic).context("rows could not be encoded"))
    })?;
    match encoded {
        Ok(output) => {
            sink.finish().await.map_err(store_error)?;
            Ok(output)
        }
        Err(EncodeError::InvalidRow(error)) => Err(error),
        Err(EncodeError::SenderGone(SenderGone)) => {
            Err(StoreError::Failed("the rows could not be sent to their end".into()))
        }
    }
}
