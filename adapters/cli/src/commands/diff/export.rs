//! The files of an export, by whatever reads them: delimited text by one adapter, workbooks by another.

use std::path::Path;

use powerfill_diff::mapping::Sheet;
use powerfill_domain::snapshot::RawTable;
use powerfill_export::read_folder;

use crate::failure::Failure;
use crate::places::Against;

/// Every table of the export, with the file that it stands in.
pub(super) fn read(against: &Against) -> Result<Vec<Sheet>, Failure> {
    match against {
        Against::Run(_) => Ok(Vec::new()),
        Against::Workbook(file) => workbook(file),
        Against::Folder(folder) => {
            let export =
                read_folder(folder).map_err(|fault| Failure::Environment(fault.to_string()))?;
            let of_table = |table: powerfill_export::ExportTable| Sheet {
                file: table.file,
                digest: table.digest,
                table: table.table,
            };
            let mut sheets: Vec<Sheet> = export.tables.into_iter().map(of_table).collect();
            for file in &export.workbooks {
                sheets.extend(workbook(file)?);
            }
            Ok(sheets)
        }
    }
}

/// The sheets of a workbook.
fn workbook(file: &Path) -> Result<Vec<Sheet>, Failure> {
    let unreadable = |fault: &dyn std::fmt::Display| {
        Failure::Environment(format!("{} cannot be read: {fault}", file.display()))
    };
    let bytes = std::fs::read(file).map_err(|fault| unreadable(&fault))?;
    let name = file.file_name().map_or_else(String::new, |n| n.to_string_lossy().into_owned());
    let stem = file.file_stem().map_or_else(String::new, |n| n.to_string_lossy().into_owned());
    let digest = powerfill_export::digest(&bytes);
    drop(bytes);
    let sheets = powerfill_xlsx::read_texts(file).map_err(|fault| unreadable(&fault))?;
    let only_one = sheets.len() == 1;
    let mut read = Vec::new();
    for sheet in sheets.into_iter().filter(|sheet| !sheet.header.is_empty()) {
        // A spreadsheet that was saved from one table is named for it, its sheet is called anything.
        let table =
            if only_one && UNNAMED.contains(&sheet.name.as_str()) { &stem } else { &sheet.name };
        let mut rows = RawTable::new(table, sheet.header, true);
        for row in &sheet.rows {
            for cell in row {
                rows.push_cell(cell).map_err(|fault| unreadable(&fault))?;
            }
            rows.end_row().map_err(|fault| unreadable(&fault))?;
        }
        read.push(Sheet { file: name.clone(), digest: digest.clone(), table: rows });
    }
    Ok(read)
}

/// What spreadsheets call a sheet that nobody named.
const UNNAMED: [&str; 3] = ["Sheet1", "Sheet 1", "Tabelle1"];
