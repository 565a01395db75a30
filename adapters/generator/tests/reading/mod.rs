//! Reads a generated folder and validates it.

use std::fs;
use std::path::Path;

use powerfill_snapshot::{RawSnapshot, RawTable, Snapshot, validate};

/// The snapshot in a folder, which must be valid by the rules of 1.2, without warnings.
pub(crate) fn read_valid(folder: &Path) -> Snapshot {
    let mut raw = RawSnapshot::default();
    for entry in fs::read_dir(folder).unwrap() {
        raw.tables.push(table(&entry.unwrap().path()));
    }
    let validated = validate(raw).unwrap_or_else(|report| panic!("{report:?}"));
    assert!(validated.warnings.is_empty(), "{:?}", validated.warnings);
    validated.snapshot
}

fn table(path: &Path) -> RawTable {
    let mut reader = csv::Reader::from_path(path).unwrap();
    let columns = reader.headers().unwrap().iter().map(str::to_owned).collect();
    let name = path.file_stem().unwrap().to_str().unwrap();
    let mut table = RawTable::new(name, columns, true);
    for record in reader.records() {
        table.push_row(&record.unwrap()).unwrap();
    }
    table
}
