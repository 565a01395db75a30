//! The tables of a snapshot as a folder of CSV files.

use std::fs;
use std::io;
use std::path::Path;

use powerfill_snapshot::RawTable;

use crate::template::{FolderError, create_empty};

/// Writes each table as `<table>.csv`, with every column. A reader gets the same snapshot back.
///
/// # Errors
/// The folder exists and is not empty, or a file cannot be written; then the folder is as it was.
pub fn write_tables(folder: &Path, tables: &[RawTable]) -> Result<(), FolderError> {
    let existed = folder.is_dir();
    create_empty(folder)?;
    let written = tables.iter().try_for_each(|table| {
        let path = folder.join(format!("{}.csv", table.name()));
        write_table(&path, table).map_err(FolderError::at(&path))
    });
    written.inspect_err(|_| {
        // The error says why the folder cannot be written; what was written before goes.
        for table in tables {
            let _ = fs::remove_file(folder.join(format!("{}.csv", table.name())));
        }
        if !existed {
            let _ = fs::remove_dir(folder);
        }
    })
}

fn write_table(path: &Path, table: &RawTable) -> io::Result<()> {
    let mut file = csv::Writer::from_path(path)?;
    file.write_record(table.columns())?;
    for row in 0..table.rows() {
        file.write_record((0..table.columns().len()).map(|column| table.cell(row, column)))?;
    }
    file.flush()
}
