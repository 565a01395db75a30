//! The state of the service: tenants, tokens, limits.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use powerfill_app::Clock;
use tokio_util::sync::CancellationToken;

use crate::health::Readiness;
use crate::jobs::Jobs;
use crate::metrics::{Metrics, StoreReadings};
use crate::observer::RequestObserver;
use crate::permits::Permits;
use crate::problem::{ApiResult, internal};
use crate::rates::RateLimits;
use crate::report_cache::ReportCache;
use crate::rules::LoanBooks;
use crate::session_file::SessionFile;
use crate::tenant::TenantHandle;
use crate::tickets::Tickets;
use crate::tokens::{TokenError, TokenFile};
use crate::track::TrackCache;

/// The limits of the service.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// The longest body of a request, in bytes.
    pub body: usize,
    /// The approximate memory of report tables, in bytes.
    pub reports: usize,
    /// Concurrent event streams of a tenant.
    pub streams: usize,
    /// Concurrent event streams of a token.
    pub streams_per_token: usize,
    /// Concurrent connections.
    pub connections: usize,
    /// Concurrent connections of one machine.
    pub connections_per_peer: usize,
    /// Concurrent requests of a connection of HTTP/2.
    pub streams_per_connection: u32,
    /// Requests per second and token.
    pub rate: NonZeroU32,
    /// The time in which the files of an export must arrive.
    pub upload_timeout: Duration,
    /// The time in which the head of a request must arrive, and then its body.
    pub request_timeout: Duration,
    /// The time in which a client must take what was sent to it.
    pub write_timeout: Duration,
    /// The time in which a request is answered that reads or changes little, so that a store that
    /// is silent holds nothing for long.
    pub answer_timeout: Duration,
    /// The time in which a `POST` is answered, which can read a whole source or run an audit.
    pub work_timeout: Duration,
    /// The longest wait for a permit.
    pub queue_timeout: Duration,
    /// The interval at which an idle event stream is kept alive, and its token checked again.
    pub heartbeat: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            body: 64 * 1024,
            reports: 512 << 20,
            streams: 128,
            streams_per_token: 32,
            connections: 1_024,
            connections_per_peer: 512,
            streams_per_connection: 100,
            // Far more than the screens of a lender send.
            rate: const { NonZeroU32::new(500).unwrap() },
            upload_timeout: Duration::from_secs(5 * 60),
            request_timeout: Duration::from_secs(30),
            write_timeout: Duration::from_secs(60),
            answer_timeout: Duration::from_secs(30),
            work_timeout: Duration::from_secs(15 * 60),
            queue_timeout: Duration::from_secs(15),
            heartbeat: Duration::from_secs(10),
        }
    }
}

/// The permits of event streams.
fn streams(limits: Limits) -> Permits {
    Permits::new("event streams", limits.streams_per_token, limits.streams)
}

/// The service.
pub struct Api {
    pub(crate) tenants: BTreeMap<String, Arc<dyn TenantHandle>>,
    pub(crate) tokens: TokenFile,
    pub(crate) sessions: SessionFile,
    /// Whether every request needs a token, even if the file becomes empty.
    pub(crate) needs_tokens: bool,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) limits: Limits,
    pub(crate) report_cache: ReportCache,
    pub(crate) tracks: TrackCache,
    pub(crate) loan_books: LoanBooks,
    pub(crate) rates: RateLimits,
    pub(crate) metrics: Metrics,
    /// Audits need a processor for long.
    pub(crate) audits: Permits,
    pub(crate) jobs: Jobs,
    /// Jobs that wait or are worked on.
    pub(crate) unfinished_jobs: Permits,
    /// One reading of its source at a time per tenant, because it needs much memory.
    pub(crate) readings: Permits,
    pub(crate) streams: Permits,
    pub(crate) tickets: Tickets,
    pub(crate) readiness: Readiness,
    pub(crate) observer: Option<Arc<dyn RequestObserver>>,
    /// Whether workers run in this process.
    pub(crate) has_workers: bool,
    pub(crate) stop: CancellationToken,
}

impl Api {
    /// A service of these tenants, which ends when `stop` is cancelled.
    ///
    /// # Errors
    /// If the tokens cannot be read.
    pub fn new(
        tenants: impl IntoIterator<Item = Arc<dyn TenantHandle>>,
        tokens: TokenFile,
        clock: Arc<dyn Clock>,
        stop: CancellationToken,
    ) -> Result<Self, TokenError> {
        let limits = Limits::default();
        Ok(Self {
            tenants: tenants.into_iter().map(|tenant| (tenant.id().to_owned(), tenant)).collect(),
            needs_tokens: !tokens.all()?.is_empty(),
            sessions: SessionFile::beside(&tokens),
            tokens,
            clock,
            limits,
            report_cache: ReportCache::new(limits.reports),
            tracks: TrackCache::new(),
            loan_books: LoanBooks::new(),
            rates: RateLimits::new(limits.rate),
            metrics: Metrics::default(),
            audits: Permits::new("audits", 1, 2),
            jobs: Jobs::default(),
            unfinished_jobs: Permits::new("unfinished jobs", 8, 16),
            readings: Permits::new("readings of the source", 1, 1),
            streams: streams(limits),
            tickets: Tickets::default(),
            readiness: Readiness::default(),
            observer: None,
            has_workers: false,
            stop,
        })
    }

    /// Sets other limits.
    #[must_use]
    pub fn with_limits(self, limits: Limits) -> Self {
        Self {
            limits,
            report_cache: ReportCache::new(limits.reports),
            rates: RateLimits::new(limits.rate),
            streams: streams(limits),
            ..self
        }
    }

    /// Says that workers run in this process.
    #[must_use]
    pub fn with_workers(self) -> Self {
        Self { has_workers: true, ..self }
    }

    /// Lets an observer receive each answered request.
    #[must_use]
    pub fn observed_by(self, observer: Arc<dyn RequestObserver>) -> Self {
        Self { observer: Some(observer), ..self }
    }

    /// The metrics of the service. The workers of this process add to them.
    pub fn metrics(&self) -> Metrics {
        self.metrics.clone()
    }

    /// What the stores of all tenants say, for the metrics of [`crate::metrics::STORE_METRICS`].
    pub async fn read_stores(&self) -> StoreReadings {
        self.metrics.read_stores(self.tenants.values()).await
    }

    /// Whether a request needs a token.
    ///
    /// # Errors
    /// If the tokens cannot be read; then every request must be refused.
    pub(crate) fn asks_for_tokens(&self) -> ApiResult<bool> {
        let tokens = self.tokens.all().map_err(|error| internal(&error))?;
        Ok(self.needs_tokens || !tokens.is_empty())
    }

    /// Whether the service can listen on this address. Without tokens, only this machine may reach
    /// it (4.3).
    pub fn may_listen_on(&self, address: SocketAddr) -> bool {
        self.needs_tokens || address.ip().is_loopback()
    }
}
