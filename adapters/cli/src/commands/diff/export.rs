//! Reads the tables of an export: CSV files, workbooks, or a database.

use std::path::Path;

use powerfill_csv::export::read_folder;
use powerfill_diff::mapping::{ExportSheet, Mapping};
use powerfill_events::values::fold;
use powerfill_snapshot::RawTable;
use powerfill_sqlserver::MssqlUrl;

use crate::error::CliError;
use crate::urls::ComparisonUrl;

/// All tables of the export; of a database, the tables with legacy names and those that the mapping
/// names.
pub(super) async fn read(
    against: &ComparisonUrl,
    mapping: &Mapping,
) -> Result<Vec<ExportSheet>, CliError> {
    match against {
        ComparisonUrl::Run(_) | ComparisonUrl::Evidence(_) => Ok(Vec::new()),
        ComparisonUrl::SqlServer(url) => {
            let is_wanted = |name: &str| {
                let (name, is_mapped) = (fold(name), mapping.has_name(name));
                is_mapped || name.starts_with("PFILL_") && !name.ends_with("__STAGING")
            };
            let read = powerfill_sqlserver::export::read(url, is_wanted).await;
            let tables = read.map_err(CliError::environment)?;
            Ok(tables.into_iter().map(|table| database_sheet(url, table)).collect())
        }
        ComparisonUrl::Workbook(file) => workbook(file),
        ComparisonUrl::Folder(folder) => {
            let export = read_folder(folder).map_err(CliError::environment)?;
            let of_table = |table: powerfill_csv::export::ExportTable| ExportSheet {
                file: table.file,
                digest: table.digest,
                table: table.table,
            };
            let mut sheets: Vec<ExportSheet> = export.tables.into_iter().map(of_table).collect();
            for file in &export.workbooks {
                sheets.extend(workbook(file)?);
            }
            Ok(sheets)
        }
    }
}

/// A table of a database. Its rows have no order, so the digest is that of the sorted rows.
fn database_sheet(url: &MssqlUrl, table: RawTable) -> ExportSheet {
    let columns = 0..table.columns().len();
    let row = |at| columns.clone().map(|column| table.cell(at, column)).collect::<Vec<_>>();
    let mut rows: Vec<Vec<&str>> = (0..table.rows()).map(row).collect();
    rows.sort_unstable();
    let mut text = Vec::new();
    for cell in table.columns().iter().map(String::as_str).chain(rows.into_iter().flatten()) {
        text.extend_from_slice(&(cell.len() as u64).to_le_bytes());
        text.extend_from_slice(cell.as_bytes());
    }
    ExportSheet { file: url.to_string(), digest: powerfill_csv::export::digest(&text), table }
}

/// The sheets of a workbook.
fn workbook(file: &Path) -> Result<Vec<ExportSheet>, CliError> {
    let context = || format!("{} cannot be read", file.display());
    let bytes = std::fs::read(file).map_err(|error| CliError::context(context(), error))?;
    let name = file.file_name().map_or_else(String::new, |n| n.to_string_lossy().into_owned());
    let stem = file.file_stem().map_or_else(String::new, |n| n.to_string_lossy().into_owned());
    let digest = powerfill_csv::export::digest(&bytes);
    drop(bytes);
    let sheets = powerfill_xlsx::read_texts(file).map_err(CliError::environment)?;
    let too_large = |error| CliError::context(context(), error);
    let only_one = sheets.len() == 1;
    let mut read = Vec::new();
    for sheet in sheets.into_iter().filter(|sheet| !sheet.header.is_empty()) {
        // A workbook with one table often has the table's name, and a sheet with a default name.
        let table = if only_one && DEFAULT_NAMES.contains(&sheet.name.as_str()) {
            &stem
        } else {
            &sheet.name
        };
        let mut rows = RawTable::new(table, sheet.header, true);
        for row in &sheet.rows {
            for cell in row {
                rows.push_cell(cell).map_err(too_large)?;
            }
            rows.end_row().map_err(too_large)?;
        }
        read.push(ExportSheet { file: name.clone(), digest: digest.clone(), table: rows });
    }
    Ok(read)
}

/// Interner of sheets that spreadsheet programs choose.
const DEFAULT_NAMES: [&str; 3] = ["Sheet1", "Sheet 1", "Tabelle1"];
