//! The files of an export, by whatever reads them: delimited text by one adapter, workbooks by
//! another.

use std::path::Path;

use powerfill_csv::export::read_folder;
use powerfill_diff::mapping::{ExportSheet, Mapping};
use powerfill_events::values::fold;
use powerfill_snapshot::RawTable;
use powerfill_sqlserver::MssqlUrl;

use crate::failure::Failure;
use crate::places::Against;

/// Every table of the export, with the file that it stands in; of a database, those of legacy names
/// and those that the mapping names.
pub(super) async fn read(
    against: &Against,
    mapping: &Mapping,
) -> Result<Vec<ExportSheet>, Failure> {
    match against {
        Against::Run(_) => Ok(Vec::new()),
        Against::SqlServer(url) => {
            let wanted = |name: &str| {
                let (name, is_named) = (fold(name), mapping.names(name));
                is_named || name.starts_with("PFILL_") && !name.ends_with("__STAGING")
            };
            let read = powerfill_sqlserver::export::read(url, wanted).await;
            let tables = read.map_err(|fault| Failure::Environment(fault.to_string()))?;
            Ok(tables.into_iter().map(|table| of_database(url, table)).collect())
        }
        Against::Unreadable(fault) => Err(Failure::Environment(format!("--against: {fault}"))),
        Against::Workbook(file) => workbook(file),
        Against::Folder(folder) => {
            let export =
                read_folder(folder).map_err(|fault| Failure::Environment(fault.to_string()))?;
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

/// A table of a database. Its rows come in no order, so that the digest is that of the sorted rows.
fn of_database(url: &MssqlUrl, table: RawTable) -> ExportSheet {
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
fn workbook(file: &Path) -> Result<Vec<ExportSheet>, Failure> {
    let unreadable = |fault: &dyn std::fmt::Display| {
        Failure::Environment(format!("{} cannot be read: {fault}", file.display()))
    };
    let bytes = std::fs::read(file).map_err(|fault| unreadable(&fault))?;
    let name = file.file_name().map_or_else(String::new, |n| n.to_string_lossy().into_owned());
    let stem = file.file_stem().map_or_else(String::new, |n| n.to_string_lossy().into_owned());
    let digest = powerfill_csv::export::digest(&bytes);
    drop(bytes);
    let sheets = powerfill_xlsx::read_texts(file).map_err(|fault| unreadable(&fault))?;
    let only_one = sheets.len() == 1;
    let mut read = Vec::new();
    for sheet in sheets.into_iter().filter(|sheet| !sheet.header.is_empty()) {
        // A spreadsheet that was saved from one table is named for it, its sheet is called
        // anything.
        let table =
            if only_one && UNNAMED.contains(&sheet.name.as_str()) { &stem } else { &sheet.name };
        let mut rows = RawTable::new(table, sheet.header, true);
        for row in &sheet.rows {
            for cell in row {
                rows.push_cell(cell).map_err(|fault| unreadable(&fault))?;
            }
            rows.end_row().map_err(|fault| unreadable(&fault))?;
        }
        read.push(ExportSheet { file: name.clone(), digest: digest.clone(), table: rows });
    }
    Ok(read)
}

/// What spreadsheets call a sheet that nobody named.
const UNNAMED: [&str; 3] = ["Sheet1", "Sheet 1", "Tabelle1"];
