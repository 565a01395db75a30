//! Reads the tables of an export: CSV files, workbooks, or a database.

use powerfill_diff::mapping::ComparisonMapping;
use powerfill_events::values::fold;
use powerfill_mapping::ForeignTable;

use crate::error::CliError;
use crate::foreign::{ForeignTables, is_text_file};
use crate::urls::ComparisonUrl;

/// All tables of the export, because it is compared whole or not at all; of a database, the tables
/// with legacy names and those that the mapping names.
pub(super) async fn read(
    against: &ComparisonUrl,
    mapping: &ComparisonMapping,
) -> Result<Vec<ForeignTable>, CliError> {
    let mapping = mapping.mapping();
    let is_wanted = |file: &str, is_sheet: bool, name: &str| {
        is_sheet || is_text_file(file) || mapping.is_named(file, is_sheet, name)
    };
    let read = match against {
        ComparisonUrl::Run(_) | ComparisonUrl::Evidence(_) => ForeignTables::default(),
        ComparisonUrl::SqlServer(url) => {
            let is_wanted = |name: &str| {
                let (folded, is_mapped) = (fold(name), mapping.has_name(&[name]));
                is_mapped || folded.starts_with("PFILL_") && !folded.ends_with("__STAGING")
            };
            let read = powerfill_sqlserver::export::read(url, is_wanted).await;
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
