//! How the collector is reached: from the threads of OpenTelemetry, on the runtime of the service.

use std::error::Error;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::connect::HttpConnector;
use opentelemetry_http::hyper::HyperClient;
use opentelemetry_http::{Bytes, HttpClient, HttpError, Request, Response};
use rustls::crypto::aws_lc_rs::default_provider;
use rustls::{ClientConfig, RootCertStore};
use tokio::runtime::Handle;

/// The time in which a collector must answer.
const TIMEOUT: Duration = Duration::from_secs(10);

/// Sends to the collector, and logs when it stops to take what is sent, and when it does again.
#[derive(Debug, Clone)]
pub(crate) struct CollectorClient {
    runtime: Handle,
    client: HyperClient<HttpsConnector<HttpConnector>>,
    is_failing: Arc<AtomicBool>,
}

impl CollectorClient {
    pub(crate) fn of_this_runtime() -> Self {
        let mut roots = RootCertStore::empty();
        // A certificate of the system that cannot be read is not trusted.
        roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        let tls = ClientConfig::builder_with_provider(Arc::new(default_provider()))
            .with_safe_default_protocol_versions()
            .expect("the provider has the versions of TLS that are safe")
            .with_root_certificates(roots)
            .with_no_client_auth();
        let connector =
            HttpsConnectorBuilder::new().with_tls_config(tls).https_or_http().enable_http1();
        Self {
            runtime: Handle::current(),
            client: HyperClient::new(connector.build(), TIMEOUT, None),
            is_failing: Arc::default(),
        }
    }

    /// Logs the first of several failures, and the first success after them.
    fn log(&self, url: &str, failure: Option<String>) {
        let failed_before = self.is_failing.swap(failure.is_some(), Ordering::Relaxed);
        match failure {
            Some(failure) if !failed_before => tracing::warn!(
                "the collector at {url} takes nothing: {failure}; traces and metrics are lost \
                 until it does"
            ),
            None if failed_before => tracing::info!("the collector at {url} takes data again"),
            _ => {}
        }
    }
}

#[async_trait]
impl HttpClient for CollectorClient {
    async fn send_bytes(&self, request: Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
        let url = request.uri().to_string();
        let client = self.client.clone();
        let answer = self.runtime.spawn(async move { client.send_bytes(request).await }).await?;
        self.log(
            &url,
            match &answer {
                Ok(answer) if answer.status().is_success() => None,
                Ok(answer) => Some(format!("it answered {}", answer.status())),
                Err(error) => Some(with_causes(error.as_ref())),
            },
        );
        answer
    }
}

/// An error with its causes, which alone say what is wrong.
fn with_causes(error: &(dyn Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text = format!("{text}: {error}");
        cause = error.source();
    }
    text
}
