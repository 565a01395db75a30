//! A tenant, as the service needs it.

use std::error::Error;
use std::path::Path;
use std::sync::Arc;

use async_trait::async_trait;
use futures::future::LocalBoxFuture;
use powerfill_diff::mapping::ComparisonMapping;
use powerfill_diff::{Interner, Side};
use powerfill_events::run::RunId;
use powerfill_ports::copying::CopyStore;
use powerfill_snapshot::{FaultReport, GivenOptions, Validated};

/// A file of a run to keep.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RunFile {
    /// The evidence of a run that is over.
    Evidence,
    /// The tables of a Complete run as a workbook.
    Workbook,
    /// The report of a Complete run as a page.
    Report,
    /// What an auditor signs of a Complete run, as a page.
    Certificate,
}

impl RunFile {
    /// The media type, and the ending of the name.
    pub(crate) const fn media_type(self) -> (&'static str, &'static str) {
        match self {
            Self::Evidence => ("application/zip", "pfe"),
            Self::Workbook => {
                ("application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", "xlsx")
            }
            Self::Report => ("text/html; charset=utf-8", "report.html"),
            Self::Certificate => ("text/html; charset=utf-8", "certificate.html"),
        }
    }
}

/// A tenant: its store, its source, and its options.
#[async_trait]
pub trait TenantHandle: Send + Sync {
    /// Its id.
    fn id(&self) -> &str;

    /// Its store, which the first call opens.
    ///
    /// # Errors
    /// [`TenantError::Unavailable`] if it cannot be opened.
    async fn store(&self) -> Result<Arc<dyn CopyStore>, TenantError>;

    /// Its present snapshot, validated. Needs a processor for long.
    ///
    /// # Errors
    /// [`TenantError::Refused`] for a snapshot with faults; [`TenantError::Unavailable`] if there
    /// is no source, or it cannot be read.
    async fn input(&self) -> Result<Validated, TenantError>;

    /// Whether runs have the configuration that is managed in PowerFill, in place of the source's.
    fn manages_configuration(&self) -> bool;

    /// Whether a challenge may become an official run (10.7).
    fn allows_adoption(&self) -> bool;

    /// The run options of a request without options.
    ///
    /// # Errors
    /// [`TenantError::Unavailable`] if they cannot be read.
    fn options(&self) -> Result<GivenOptions, TenantError>;

    /// Writes a file of a run. Needs a processor for long.
    ///
    /// # Errors
    /// If the run has no such file, or the file cannot be written. The text is for the log of the
    /// service only.
    fn write_file<'a>(
        &'a self,
        run: RunId,
        kind: RunFile,
        path: &'a Path,
    ) -> LocalBoxFuture<'a, Result<(), Box<dyn Error + Send + Sync>>>;

    /// Reads the files of a folder as an export of the outputs of a run. Needs a processor for
    /// long.
    ///
    /// # Errors
    /// If a file cannot be read, or the mapping does not fit the files.
    fn read_export(
        &self,
        folder: &Path,
        mapping: &ComparisonMapping,
        names: &mut Interner,
    ) -> Result<Side, Box<dyn Error + Send + Sync>>;

    /// Drafts a mapping for the files of a folder, from the names and the values of a run. Needs a
    /// processor for long.
    ///
    /// # Errors
    /// If a file cannot be read.
    fn draft_mapping(
        &self,
        folder: &Path,
        here: &Side,
        names: &mut Interner,
    ) -> Result<String, Box<dyn Error + Send + Sync>>;
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
