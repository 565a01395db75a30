//! The files of an export, by whatever reads them: delimited text by one adapter, workbooks by another.

use std::path::Path;

use powerfill_diff::mapping::Sheet;
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
    let file = file.display();
    Err(Failure::Environment(format!("{file}: this build reads no workbooks; save it as CSV")))
}
