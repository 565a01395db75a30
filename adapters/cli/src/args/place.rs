//! Where a command works, and how it prints.

use clap::Args;

use crate::format::{Format, TableFormat};
use crate::places::StoreUrl;

/// Whose store and source.
#[derive(Debug, Clone, Args)]
pub(crate) struct TenantArgs {
    /// A tenant of powerfill.toml: its store and its source, and no other's
    #[arg(long, env = "POWERFILL_TENANT", value_name = "ID")]
    pub(crate) tenant: Option<String>,
}

/// The store.
#[derive(Debug, Clone, Args)]
pub(crate) struct PlaceArgs {
    /// sqlite:FILE or postgres://USER@HOST/DATABASE [default: the tenant's, or sqlite:powerfill.db]
    // The variable may hold a password, which help must not show.
    #[arg(long, env = "POWERFILL_STORE", value_name = "URL", hide_env_values = true)]
    pub(crate) store: Option<StoreUrl>,
    #[command(flatten)]
    pub(crate) tenant: TenantArgs,
}

/// The store, and how to print.
#[derive(Debug, Clone, Args)]
pub(crate) struct StoreArgs {
    #[command(flatten)]
    pub(crate) place: PlaceArgs,
    #[command(flatten)]
    pub(crate) print: PrintArgs,
}

#[derive(Debug, Clone, Copy, Args)]
pub(crate) struct PrintArgs {
    /// How to print
    #[arg(long, value_enum, env = "POWERFILL_FORMAT", default_value_t = Format::Text)]
    pub(crate) format: Format,
}

/// The store, and how to give output tables.
#[derive(Debug, Clone, Args)]
pub(crate) struct TableStoreArgs {
    #[command(flatten)]
    pub(crate) place: PlaceArgs,
    /// How to print, or xlsx for a workbook
    #[arg(long, value_enum, env = "POWERFILL_FORMAT", default_value_t = TableFormat::Text)]
    pub(crate) format: TableFormat,
}
