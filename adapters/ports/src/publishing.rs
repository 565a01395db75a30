//! Publishing a run's outputs to another system, in which a tenant's reports read them
//! (specification 4.1, BR-10).

use async_trait::async_trait;
use powerfill_events::run::RunId;
use powerfill_events::values::TenantId;
use powerfill_tables::digest::TableDigest;
use powerfill_tables::table::RowBatch;

/// The run to publish, and how.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Publication {
    /// A run that is Complete.
    pub run_id: RunId,
    /// The tenant of the run.
    pub tenant_id: TenantId,
    /// The global position of its last event. A later run has a greater one.
    pub position: u64,
    /// The output digest that the run recorded.
    pub output_digest: String,
    /// Whether a later run stays published, if there is one. A publisher that follows the log needs
    /// this, because it may be late.
    pub only_if_later: bool,
}

/// The result of a publication.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PublishOutcome {
    /// The run is published.
    This,
    /// A later run was published before, and stays.
    Later(RunId),
}

/// Why a publication fails. The run that was published before stays.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PublishError {
    /// Another attempt may succeed: the connection is lost, the server is busy, or the transaction
    /// was the victim of a deadlock.
    #[error("{0}")]
    Transient(String),
    /// Another attempt fails too.
    #[error("{0}")]
    Failed(String),
}

/// A system in which the outputs of a tenant's latest run are published.
#[async_trait]
pub trait OutputTarget: Send + Sync {
    /// The address of the system, without secrets.
    fn place(&self) -> String;

    /// Begins a publication; another one must wait until this one ends. Readers see no change
    /// before [`Publishing::show`].
    ///
    /// # Errors
    /// [`PublishError`], also if the system has the outputs of another tenant or other tables.
    async fn begin(&self, publication: &Publication) -> Result<Box<dyn Publishing>, PublishError>;
}

/// A publication that has begun. If it is dropped, readers see no change.
#[async_trait]
pub trait Publishing: Send {
    /// Sends the next rows of a table, in table order.
    ///
    /// # Errors
    /// [`PublishError`].
    async fn stage(&mut self, rows: &RowBatch) -> Result<(), PublishError>;

    /// Compares the rows that arrived with the digests of those that were sent, and replaces the
    /// former run by them, at once.
    ///
    /// # Errors
    /// [`PublishError`]. Readers then see no change.
    async fn show(self: Box<Self>, sent: &[TableDigest]) -> Result<PublishOutcome, PublishError>;
}
