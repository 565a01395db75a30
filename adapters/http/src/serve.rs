//! Answering until the service is told to stop.

use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpListener;

use crate::api::Api;
use crate::routes::router;

/// How long requests that are being answered may take once the service is to stop.
const FINISH: Duration = Duration::from_secs(10);

/// Answers until the service's `stop` becomes true; then takes no connection more, ends event streams, and finishes
/// what is being answered, within ten seconds.
///
/// # Errors
/// Where the listener fails.
pub async fn serve(listener: TcpListener, api: Arc<Api>) -> std::io::Result<()> {
    let stop = api.stop.clone();
    let stopped = move || {
        let mut stop = stop.clone();
        async move {
            // Without a sender nobody can ask for the end.
            if stop.wait_for(|stop| *stop).await.is_err() {
                std::future::pending::<()>().await;
            }
        }
    };
    let late = stopped();
    let serving = axum::serve(listener, router(api)).with_graceful_shutdown(stopped());
    tokio::select! {
        served = serving.into_future() => served,
        () = async { late.await; tokio::time::sleep(FINISH).await } => {
            eprintln!("note: requests that were not finished in {} s are broken off", FINISH.as_secs());
            Ok(())
        }
    }
}
