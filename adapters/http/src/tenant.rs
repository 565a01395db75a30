//! A tenant, as the service needs it.

use std::error::Error;
use std::sync::Arc;

use async_trait::async_trait;
use powerfill_ports::Store;
use powerfill_snapshot::{FaultReport, GivenOptions, Validated};

/// A tenant: its store, its source, and its options.
#[async_trait]
pub trait TenantHandle: Send + Sync {
    /// Its id.
    fn id(&self) -> &str;

    /// Its store, which the first call opens.
    ///
    /// # Errors
    /// [`TenantError::Unavailable`] if it cannot be opened.
    async fn store(&self) -> Result<Arc<dyn Store>, TenantError>;

    /// Its present snapshot, validated. Needs a processor for long.
    ///
    /// # Errors
    /// [`TenantError::Refused`] for a snapshot with faults; [`TenantError::Unavailable`] if there
    /// is no source, or it cannot be read.
    async fn input(&self) -> Result<Validated, TenantError>;

    /// Whether runs have the configuration that is managed in PowerFill, in place of the source's.
    fn manages_configuration(&self) -> bool;

    /// The run options of a request without options.
    ///
    /// # Errors
    /// [`TenantError::Unavailable`] if they cannot be read.
    fn options(&self) -> Result<GivenOptions, TenantError>;
}

/// Why a tenant has no store, no snapshot, or no options.
#[derive(Debug, thiserror::Error)]
pub enum TenantError {
    /// It cannot be opened or read. The text is for the log of the service only, because it can
    /// name files and servers.
    #[error("{0}")]
    Unavailable(#[from] Box<dyn Error + Send + Sync>),
    /// The snapshot has faults.
    #[error("{0}")]
    Refused(FaultReport),
}
