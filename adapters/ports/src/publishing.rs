//! Showing a run's outputs elsewhere, where a tenant's reports look for them (specification 4.1,
//! BR-10).

use async_trait::async_trait;
use powerfill_events::run::RunId;
use powerfill_events::values::TenantId;
use powerfill_tables::digest::TableDigest;
use powerfill_tables::table::RowBatch;

/// Which run is shown, and as what.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Publication {
    /// The run; it is Complete.
    pub run_id: RunId,
    /// Whose it is.
    pub tenant_id: TenantId,
    /// Global position of its last event in the tenant's log: later runs have greater ones.
    pub position: u64,
    /// The digest of its outputs, as the run recorded it.
    pub output_digest: String,
    /// Leave alone what is shown where that is a later run: for one who follows the log, and may be
    /// late.
    pub only_if_later: bool,
}

/// What came of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PublishOutcome {
    /// The run is shown.
    This,
    /// A later run is shown already, and stays.
    Later(RunId),
}

/// Why a run is not shown. What was shown before is shown still.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PublishError {
    /// Another try may go well: the connection is gone, the server is busy, or this was the victim
    /// of a deadlock.
    #[error("{0}")]
    Transient(String),
    /// No other try will.
    #[error("{0}")]
    Failed(String),
}

/// A place where the outputs of a tenant's latest run are shown.
#[async_trait]
pub trait OutputTarget: Send + Sync {
    /// Where it is, without what is secret.
    fn place(&self) -> String;

    /// Begins to publish, alone: others wait until this is over. Nothing that is shown changes
    /// before [`Publishing::show`].
    ///
    /// # Errors
    /// [`PublishError`], also where the place shows another tenant's outputs or has other tables.
    async fn begin(&self, publication: &Publication) -> Result<Box<dyn Publishing>, PublishError>;
}

/// One publication under way. Dropped, it has changed nothing that is shown.
#[async_trait]
pub trait Publishing: Send {
    /// Takes the next rows of a table, in table order.
    ///
    /// # Errors
    /// [`PublishError`].
    async fn stage(&mut self, rows: &RowBatch) -> Result<(), PublishError>;

    /// Holds what arrived against the digests of what was sent, and shows it in place of the former
    /// run, all at once.
    ///
    /// # Errors
    /// [`PublishError`]; nothing was changed then.
    async fn show(self: Box<Self>, sent: &[TableDigest]) -> Result<PublishOutcome, PublishError>;
}
