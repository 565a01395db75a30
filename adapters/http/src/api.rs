//! What the service is made of: tenants, tokens, bounds. The command line puts it together.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use powerfill_app::Clock;
use powerfill_ports::Store;
use powerfill_snapshot::{FaultReport, GivenOptions, Validated};
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;

use crate::figures::Figures;
use crate::rates::Rates;
use crate::reports::Shelves;
use crate::tokens::{TokenError, TokenFile};

/// A tenant, as the service needs it.
#[async_trait]
pub trait Tenant: Send + Sync {
    /// Its id.
    fn id(&self) -> &str;

    /// Its store, opened when it is first asked for.
    ///
    /// # Errors
    /// Where it cannot be opened; for the log of the service.
    async fn store(&self) -> Result<Arc<dyn Store>, String>;

    /// Its snapshot as it is now, validated, or the report where it is refused. Takes a while, and
    /// blocks.
    ///
    /// # Errors
    /// Where there is no source, or it cannot be read; for the log of the service.
    fn input(&self) -> Result<Result<Validated, FaultReport>, String>;

    /// The run options where a request has none.
    ///
    /// # Errors
    /// Where they cannot be read; for the log of the service.
    fn options(&self) -> Result<GivenOptions, String>;
}

/// What is bounded, and where.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// The longest body of a request, in bytes.
    pub body: usize,
    /// Memory for report tables, in bytes, about.
    pub reports: usize,
    /// Live event streams at a time.
    pub streams: usize,
    /// Connections at a time.
    pub connections: usize,
    /// Requests a second for each token.
    pub rate: NonZeroU32,
    /// How long the head of a request may take, and then its body.
    pub patience: Duration,
}

/// Far more than a desk's screens ask, far less than would keep others waiting.
const RATE: NonZeroU32 = NonZeroU32::new(500).unwrap();

impl Default for Limits {
    fn default() -> Self {
        Self {
            body: 64 * 1024,
            reports: 512 << 20,
            streams: 256,
            connections: 1_024,
            rate: RATE,
            patience: Duration::from_secs(30),
        }
    }
}

/// The service.
pub struct Api {
    pub(crate) tenants: BTreeMap<String, Arc<dyn Tenant>>,
    pub(crate) tokens: TokenFile,
    /// Whether nobody is let in without a token, whatever becomes of the file.
    pub(crate) closed: bool,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) limits: Limits,
    pub(crate) shelves: Shelves,
    pub(crate) rates: Rates,
    pub(crate) figures: Figures,
    /// Audits go one at a time, and so do readings of sources: each takes the processor, or the
    /// memory, for long.
    pub(crate) audits: Arc<Semaphore>,
    pub(crate) readings: Arc<Semaphore>,
    pub(crate) streams: Arc<Semaphore>,
    /// Whether runs are carried through in this process.
    pub(crate) works: bool,
    pub(crate) stop: CancellationToken,
}

impl Api {
    /// A service of these tenants, which ends when `stop` is cancelled.
    ///
    /// # Errors
    /// Where the tokens cannot be read.
    pub fn new(
        tenants: impl IntoIterator<Item = Arc<dyn Tenant>>,
        tokens: TokenFile,
        clock: Arc<dyn Clock>,
        stop: CancellationToken,
    ) -> Result<Self, TokenError> {
        let limits = Limits::default();
        Ok(Self {
            tenants: tenants.into_iter().map(|tenant| (tenant.id().to_owned(), tenant)).collect(),
            closed: !tokens.all()?.is_empty(),
            tokens,
            clock,
            limits,
            shelves: Shelves::new(limits.reports),
            rates: Rates::new(limits.rate),
            figures: Figures::default(),
            audits: Arc::new(Semaphore::new(1)),
            readings: Arc::new(Semaphore::new(1)),
            streams: Arc::new(Semaphore::new(limits.streams)),
            works: false,
            stop,
        })
    }

    /// With other bounds.
    #[must_use]
    pub fn with_limits(self, limits: Limits) -> Self {
        Self {
            limits,
            shelves: Shelves::new(limits.reports),
            rates: Rates::new(limits.rate),
            streams: Arc::new(Semaphore::new(limits.streams)),
            ..self
        }
    }

    /// Says that runs are carried through in this process.
    #[must_use]
    pub fn with_workers(self) -> Self {
        Self { works: true, ..self }
    }

    /// What is counted here; whoever carries runs through adds to it.
    pub fn figures(&self) -> Figures {
        self.figures.clone()
    }

    /// Whether the service may be reached at this address: without tokens from this machine only
    /// (4.3).
    pub fn may_listen_on(&self, address: SocketAddr) -> bool {
        self.closed || address.ip().is_loopback()
    }
}
