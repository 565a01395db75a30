//! Reads the tables of an export: CSV files, workbooks, or a database.

use std::error::Error;
use std::path::Path;

use powerfill_diff::mapping::{ComparisonMapping, export_side};
use powerfill_diff::{Interner, Side};
use powerfill_events::values::fold;
use powerfill_mapping::{ForeignTable, Mapping};

use crate::error::{CliError, CliResult};
use crate::foreign::{ForeignTables, is_text_file};
use crate::urls::ComparisonUrl;

/// The files of a folder as one side of a comparison. The service reads uploaded files with it.
pub(crate) fn folder_side(
    folder: &Path,
    mapping: &ComparisonMapping,
    names: &mut Interner,
) -> Result<Side, Box<dyn Error + Send + Sync>> {
    let tables = folder_tables(folder, mapping.mapping())?;
    Ok(export_side("the uploaded files", &tables, mapping, names)?)
}

/// The tables of the files of a folder.
pub(crate) fn folder_tables(
    folder: &Path,
    mapping: &Mapping,
) -> Result<Vec<ForeignTable>, Box<dyn Error + Send + Sync>> {
    let read = ForeignTables::of_folder(folder, mapping, &is_wanted(mapping));
    Ok(read.map_err(CliError::into_source)?.tables)
}

/// Text files, all sheets, and what the mapping names.
fn is_wanted(mapping: &Mapping) -> impl Fn(&str, bool, &str) -> bool {
    |file, is_sheet, name| is_sheet || is_text_file(file) || mapping.is_named(file, is_sheet, name)
}

/// All tables of the export, because it is compared whole or not at all; of a database, the tables
/// with legacy names and those that the mapping names.
pub(super) async fn read(
    against: &ComparisonUrl,
    mapping: &ComparisonMapping,
) -> CliResult<Vec<ForeignTable>> {
    let mapping = mapping.mapping();
    let is_wanted = is_wanted(mapping);
    let read = match against {
        ComparisonUrl::Run(_) | ComparisonUrl::Evidence(_) => ForeignTables::default(),
        ComparisonUrl::SqlServer(url) => {
            let is_wanted = |name: &str| {
                let (folded, is_mapped) = (fold(name), mapping.has_name(&[name]));
                is_mapped || folded.starts_with("PFILL_") && !folded.ends_with("__STAGING")
            };
            let read = powerfill_sqlserver::export::read(url, mapping.limit(), is_wanted).await;
            ForeignTables::of_database(
                &url.to_string(),
                read.map_err(CliError::environment)?,
                Vec::new(),
            )
        }
        ComparisonUrl::Workbook(file) => ForeignTables::of_workbook(file, mapping, &is_wanted)?,
        ComparisonUrl::Folder(folder) => ForeignTables::of_folder(folder, mapping, &is_wanted)?,
    };
    Ok(read.tables)
}
