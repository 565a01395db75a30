//! Answering until the service is told to stop.

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
use crate::routes::{figures_router, router};

/// How long requests that are being answered may take once the service is to stop.
const FINISH: Duration = Duration::from_secs(10);

/// How soon a listener that fails is tried again: it does where no file handles are left.
const AGAIN: Duration = Duration::from_millis(100);

/// Answers until the service's `stop` is cancelled; then takes no connection more, ends event
/// streams, and finishes what is being answered, within ten seconds.
///
/// A connection whose request does not come in time is closed; beyond the most connections nobody
/// is let in until another one goes.
pub async fn serve(listener: TcpListener, api: Arc<Api>) {
    answer(listener, &api, router(Arc::clone(&api))).await;
}

/// As [`serve`], but only `/metrics` of all tenants, `/healthz` and `/readyz`, without tokens: for
/// an address that is the monitoring's own.
pub async fn serve_figures(listener: TcpListener, api: Arc<Api>) {
    answer(listener, &api, figures_router(Arc::clone(&api))).await;
}

async fn answer(listener: TcpListener, api: &Api, router: Router) {
    let mut builder = Builder::new(TokioExecutor::new());
    builder
        .http1()
        .timer(TokioTimer::new())
        .header_read_timeout(api.limits.patience)
        .http2()
        .timer(TokioTimer::new())
        .keep_alive_interval(api.limits.patience)
        .keep_alive_timeout(api.limits.patience);
    let room = Arc::new(Semaphore::new(api.limits.connections));
    let graceful = GracefulShutdown::new();
    loop {
        let next = async {
            // The semaphore is never closed.
            let permit = Arc::clone(&room).acquire_owned().await;
            (permit, accepted(&listener).await)
        };
        let Some((permit, stream)) = api.stop.run_until_cancelled(next).await else { break };
        let service = TowerToHyperService::new(router.clone());
        let connection = builder.serve_connection(TokioIo::new(stream), service).into_owned();
        let connection = graceful.watch(connection);
        tokio::spawn(async move {
            if let Err(error) = connection.await {
                // A client that goes in the middle is no fault of the service.
                tracing::debug!(%error, "a connection ended early");
            }
            drop(permit);
        });
    }
    drop(listener);
    if tokio::time::timeout(FINISH, graceful.shutdown()).await.is_err() {
        let seconds = FINISH.as_secs();
        tracing::warn!("requests that were not finished in {seconds} s are broken off");
    }
}

/// The next connection.
async fn accepted(listener: &TcpListener) -> TcpStream {
    loop {
        match listener.accept().await {
            Ok((stream, _)) => {
                // Small answers are not to wait for larger ones.
                let _ = stream.set_nodelay(true);
                return stream;
            }
            Err(error) => {
                tracing::warn!(%error, "no connection can be taken");
                tokio::time::sleep(AGAIN).await;
            }
        }
    }
}
