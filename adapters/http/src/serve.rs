//! The listeners of the service.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use hyper::service::{Service, service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use hyper_util::server::graceful::GracefulShutdown;
use hyper_util::service::TowerToHyperService;
use socket2::SockRef;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::time::timeout;
use tokio_io_timeout::TimeoutStream;
use tokio_util::sync::CancellationToken;

use crate::api::Api;
use crate::peers::PeerConnections;
use crate::routes::{metrics_router, router};
use crate::stalled_streams::{StreamExecutor, watched};

/// The time in which running requests must finish when the service stops. The process has ten
/// seconds in all.
const SHUTDOWN_TIMEOUT: Duration = Duration::from_secs(8);

/// What the system keeps of an answer until its client takes it. By itself, it would let the buffer
/// grow to several megabytes, and a client that takes nothing would cost as much copying.
const SEND_BUFFER_BYTES: usize = 256 * 1024;

/// The pause after a listener failed, as it does without free file handles.
const ACCEPT_RETRY: Duration = Duration::from_millis(100);

/// Answers requests until `stop` of the service is cancelled. Then it accepts no more connections,
/// ends event streams, and finishes running requests within eight seconds.
///
/// A connection whose request does not arrive in time is closed, and so is one whose client does
/// not take its answer. Beyond the maximum of connections, a new one waits until another one ends;
/// beyond that of one machine, it is closed.
pub async fn serve(listener: TcpListener, api: Arc<Api>) {
    answer(listener, &api, router(Arc::clone(&api))).await;
}

/// Like [`serve`], but only `/metrics` of all tenants, `/healthz`, and `/readyz`, without tokens,
/// for an address that only the monitoring can reach.
pub async fn serve_metrics(listener: TcpListener, api: Arc<Api>) {
    answer(listener, &api, metrics_router(Arc::clone(&api))).await;
}

async fn answer(listener: TcpListener, api: &Api, router: Router) {
    let limits = api.limits;
    // Connections have the size of their listener.
    if let Err(error) = SockRef::from(&listener).set_send_buffer_size(SEND_BUFFER_BYTES) {
        tracing::warn!(%error, "the size of send buffers cannot be limited");
    }
    let mut builder = Builder::new(StreamExecutor { write_timeout: limits.write_timeout });
    builder
        .http1()
        .timer(TokioTimer::new())
        .header_read_timeout(limits.request_timeout)
        .http2()
        .timer(TokioTimer::new())
        .max_concurrent_streams(limits.streams_per_connection)
        .keep_alive_interval(limits.request_timeout)
        .keep_alive_timeout(limits.request_timeout);
    let peers = PeerConnections::new(limits.connections_per_peer);
    let permits = Arc::new(Semaphore::new(limits.connections));
    let graceful = GracefulShutdown::new();
    loop {
        let next = async {
            // The semaphore is never closed.
            let permit = Arc::clone(&permits).acquire_owned().await;
            (permit, accept(&listener).await)
        };
        let next = api.stop.run_until_cancelled(next).await;
        let Some((permit, (stream, address))) = next else { break };
        let Some(of_peer) = peers.admit(address.ip()) else { continue };
        let has_request = CancellationToken::new();
        let (requested, service) = (has_request.clone(), TowerToHyperService::new(router.clone()));
        let service = service_fn(move |request| {
            requested.cancel();
            let answered = service.call(request);
            async { answered.await.map(watched) }
        });
        let mut stream = TimeoutStream::new(stream);
        stream.set_write_timeout(Some(limits.write_timeout));
        let stream = TokioIo::new(Box::pin(stream));
        let connection = builder.serve_connection(stream, service).into_owned();
        let connection = graceful.watch(connection);
        tokio::spawn(async move {
            tokio::select! {
                ended = connection => if let Err(error) = ended {
                    // A client that disconnects early is no fault of the service.
                    tracing::debug!(%error, "a connection ended early");
                },
                () = silence(&has_request, limits.request_timeout) => {
                    tracing::debug!(%address, "a connection had no request and was closed");
                }
            }
            drop((permit, of_peer));
        });
    }
    drop(listener);
    if timeout(SHUTDOWN_TIMEOUT, graceful.shutdown()).await.is_err() {
        let seconds = SHUTDOWN_TIMEOUT.as_secs();
        tracing::warn!("requests that did not finish within {seconds} s are aborted");
    }
}

/// Ends if a connection has no request in time: it is silent, or stops in the middle of the words
/// that begin HTTP/2, for which the server has no time limit.
async fn silence(has_request: &CancellationToken, limit: Duration) {
    if timeout(limit, has_request.cancelled()).await.is_ok() {
        std::future::pending::<()>().await;
    }
}

/// The next connection.
async fn accept(listener: &TcpListener) -> (TcpStream, SocketAddr) {
    loop {
        match listener.accept().await {
            Ok((stream, address)) => {
                // Small answers must not wait for larger ones.
                let _ = stream.set_nodelay(true);
                return (stream, address);
            }
            Err(error) => {
                tracing::warn!(%error, "no connection can be accepted");
                tokio::time::sleep(ACCEPT_RETRY).await;
            }
        }
    }
}
