//! Arguments of `export`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::StoreArgs;

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  powerfill export --out lake
  powerfill export --all --out lake
  powerfill export --all --all-tenants --events --out lake
  powerfill export latest~1 --table pfill_trade_recap --out lake

Writes FOLDER/TABLE/tenant=ID/run_date=DATE/RUN.parquet, which DuckDB, Spark, and warehouses read as
one table. A file that exists is left as it is, so that the same command later adds the new runs.
Runs that are not over are left out.")]
pub(crate) struct ExportArgs {
    /// Run ids, the beginnings of ids, or `latest` [default: latest]
    #[arg(value_name = "RUN")]
    pub(crate) runs: Vec<String>,
    /// Every run of the store
    #[arg(long, conflicts_with = "runs")]
    pub(crate) all: bool,
    /// The stores of every tenant of powerfill.toml
    #[arg(long, conflicts_with_all = ["store", "tenant"])]
    pub(crate) all_tenants: bool,
    /// Only this output table; can be repeated [default: every output table]
    #[arg(long = "table", value_name = "TABLE")]
    pub(crate) tables: Vec<String>,
    /// Also the events, as the table `events`
    #[arg(long)]
    pub(crate) events: bool,
    /// The folder, also as file:FOLDER
    #[arg(long, value_name = "FOLDER", value_parser = folder)]
    pub(crate) out: PathBuf,
    /// The format of the files
    #[arg(long, value_enum, default_value_t = ExportFormat::Parquet)]
    pub(crate) format: ExportFormat,
    /// Write files again that exist
    #[arg(long)]
    pub(crate) overwrite: bool,
    #[command(flatten)]
    pub(crate) store: StoreArgs,
}

/// Object stores, by the schemes of their URLs.
const OBJECT_STORES: [&str; 7] = ["s3", "s3a", "gs", "az", "abfs", "abfss", "r2"];

/// Reads a folder. Decision 23 says why object stores are refused.
fn folder(text: &str) -> Result<PathBuf, String> {
    let Some((scheme, place)) = text.split_once(':') else { return Ok(text.into()) };
    match scheme {
        "file" => Ok(place.strip_prefix("//").unwrap_or(place).into()),
        scheme if OBJECT_STORES.contains(&scheme) => Err(format!(
            "export writes to folders. Name one, such as --out lake, and copy it with a tool of the \
             object store, which sends only new files: `aws s3 sync lake {text}`, or `rclone copy`"
        )),
        _ => Ok(text.into()),
    }
}

/// The format of exported files.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum ExportFormat {
    /// Apache Parquet, compressed with zstd
    Parquet,
}
