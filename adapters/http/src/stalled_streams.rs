//! Streams of HTTP/2 whose client takes no data. Such a client acknowledges everything and opens no
//! window, so that the connection itself looks alive. A stream is reset if none of its data was
//! taken in time; the other streams of the connection, which a proxy may share between clients, go
//! on.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use axum::body::{Body, HttpBody};
use axum::response::Response;
use bytes::Bytes;
use hyper::body::{Frame, SizeHint};
use hyper::rt::Executor;
use parking_lot::Mutex;
use tokio::time::{Instant, sleep_until};

/// The data that a client must take within the time limit, and the most that stays in the buffers
/// of a stream whose body has ended.
const CHUNK_BYTES: usize = 16 * 1024;

tokio::task_local! {
    /// The progress of the stream that a task answers.
    static PROGRESS: Arc<BodyProgress>;
}

/// Since when the client has not taken the data of a body; `None` while the body has none.
#[derive(Default)]
struct BodyProgress(Mutex<Option<Instant>>);

impl BodyProgress {
    /// Waits until no data was taken for this long.
    async fn until_stalled(&self, limit: Duration) {
        loop {
            let offered = *self.0.lock();
            let end = offered.unwrap_or_else(Instant::now) + limit;
            if end <= Instant::now() {
                return;
            }
            sleep_until(end).await;
        }
    }
}

/// Answers each stream of HTTP/2 in a task of its own, which ends if the client stalls.
#[derive(Clone)]
pub(crate) struct StreamExecutor {
    pub(crate) write_timeout: Duration,
}

impl<F> Executor<F> for StreamExecutor
where
    F: Future<Output: Send> + Send + 'static,
{
    fn execute(&self, stream: F) {
        let (limit, progress) = (self.write_timeout, Arc::<BodyProgress>::default());
        let stream = PROGRESS.scope(Arc::clone(&progress), stream);
        tokio::spawn(async move {
            tokio::select! {
                _ = stream => {}
                // This drops the stream, which resets it.
                () = progress.until_stalled(limit) => {
                    tracing::debug!("a stream whose client takes no data was reset");
                }
            }
        });
    }
}

/// Watches the body of an answer, if it is one of HTTP/2.
pub(crate) fn watched(response: Response) -> Response {
    match PROGRESS.try_with(Arc::clone) {
        Ok(progress) if !response.body().is_end_stream() => response.map(|inner| {
            *progress.0.lock() = Some(Instant::now());
            Body::new(WatchedBody { inner, rest: Bytes::new(), progress })
        }),
        _ => response,
    }
}

/// A body that notes when its data is taken. It is asked for more data only when the former data
/// fitted the window of the client.
struct WatchedBody {
    inner: Body,
    /// Data of `inner` that was not handed on yet.
    rest: Bytes,
    progress: Arc<BodyProgress>,
}

impl HttpBody for WatchedBody {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        *self.progress.0.lock() = None;
        if self.rest.is_empty() {
            match ready!(Pin::new(&mut self.inner).poll_frame(context)).transpose()? {
                None => return Poll::Ready(None),
                Some(frame) => match frame.into_data() {
                    Ok(data) => self.rest = data,
                    Err(frame) => return Poll::Ready(Some(Ok(frame))),
                },
            }
        }
        let length = self.rest.len().min(CHUNK_BYTES);
        let chunk = self.rest.split_to(length);
        *self.progress.0.lock() = Some(Instant::now());
        Poll::Ready(Some(Ok(Frame::data(chunk))))
    }

    fn size_hint(&self) -> SizeHint {
        let (inner, rest) = (self.inner.size_hint(), self.rest.len() as u64);
        let mut hint = SizeHint::new();
        hint.set_lower(inner.lower() + rest);
        if let Some(upper) = inner.upper() {
            hint.set_upper(upper + rest);
        }
        hint
    }
}
