//! The listeners of the service.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use hyper_util::server::graceful::GracefulShutdown;
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;

use crate::api::Api;
use crate::routes::{metrics_router, router};

/// The time in which running requests must finish when the service stops.
const SHUTDOWN_TIMEOUT: Duration = Duration::from_secs(10);

/// The pause after a listener failed, as it does without free file handles.
const ACCEPT_RETRY: Duration = Duration::from_millis(100);

/// Answers requests until `stop` of the service is cancelled. Then it accepts no more connections,
/// ends event streams, and finishes running requests within ten seconds.
///
/// A connection whose request does not arrive in time is closed. Beyond the maximum of connections,
/// a new one waits until another one ends.
pub async fn serve(listener: TcpListener, api: Arc<Api>) {
    answer(listener, &api, router(Arc::clone(&api))).await;
}

/// Like [`serve`], but only `/metrics` of all tenants, `/healthz`, and `/readyz`, without tokens,
/// for an address that only the monitoring can reach.
pub async fn serve_metrics(listener: TcpListener, api: Arc<Api>) {
    answer(listener, &api, metrics_router(Arc::clone(&api))).await;
}

async fn answer(listener: TcpListener, api: &Api, router: Router) {
    let mut builder = Builder::new(TokioExecutor::new());
    builder
        .http1()
        .timer(TokioTimer::new())
        .header_read_timeout(api.limits.request_timeout)
        .http2()
        .timer(TokioTimer::new())
        .keep_alive_interval(api.limits.request_timeout)
        .keep_alive_timeout(api.limits.request_timeout);
    let permits = Arc::new(Semaphore::new(api.limits.connections));
    let graceful = GracefulShutdown::new();
    loop {
        let next = async {
            // The semaphore is never closed.
            let permit = Arc::clone(&permits).acquire_owned().await;
            (permit, accept(&listener).await)
        };
        let Some((permit, stream)) = api.stop.run_until_cancelled(next).await else { break };
        let service = TowerToHyperService::new(router.clone());
        let connection = builder.serve_connection(TokioIo::new(stream), service).into_owned();
        let connection = graceful.watch(connection);
        tokio::spawn(async move {
            if let Err(error) = connection.await {
                // A client that disconnects early is no fault of the service.
                tracing::debug!(%error, "a connection ended early");
            }
            drop(permit);
        });
    }
    drop(listener);
    if tokio::time::timeout(SHUTDOWN_TIMEOUT, graceful.shutdown()).await.is_err() {
        let seconds = SHUTDOWN_TIMEOUT.as_secs();
        tracing::warn!("requests that did not finish within {seconds} s are aborted");
    }
}

/// The next connection.
async fn accept(listener: &TcpListener) -> TcpStream {
    loop {
        match listener.accept().await {
            Ok((stream, _)) => {
                // Small answers must not wait for larger ones.
                let _ = stream.set_nodelay(true);
                return stream;
            }
            Err(error) => {
                tracing::warn!(%error, "no connection can be accepted");
                tokio::time::sleep(ACCEPT_RETRY).await;
            }
        }
    }
}
