//! Runs of the conformance cases, their snapshots read without an adapter.

use std::path::{Path, PathBuf};

use powerfill_engine::decide_all;
use powerfill_events::run::RunEvent;
use powerfill_snapshot::{RawSnapshot, RawTable, validate};
use powerfill_tables::RunTables;

use super::{recorded, requested_with};

/// Those that run, completing or refused by preflight.
pub fn cases() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/conformance");
    let mut cases: Vec<_> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|case| case.join("expected/pfill_preflight_findings.csv").is_file())
        .collect();
    cases.sort();
    cases
}

/// A CSV's rows, the header among them.
pub fn records(text: &[u8]) -> Vec<Vec<String>> {
    let mut reader = csv::ReaderBuilder::new().has_headers(false).flexible(true).from_reader(text);
    reader.records().map(|record| record.unwrap().iter().map(str::to_owned).collect()).collect()
}

fn raw_table(path: &Path) -> RawTable {
    let mut rows = records(&std::fs::read(path).unwrap()).into_iter();
    let name = path.file_stem().unwrap().to_str().unwrap();
    let mut table = RawTable::new(name, rows.next().unwrap(), true);
    for row in rows {
        row.iter().for_each(|cell| table.push_cell(cell).unwrap());
        table.end_row().unwrap();
    }
    table
}

/// The events of the case's run: the request, what the engine decides, and the end.
pub fn run(case: &Path) -> Vec<RunEvent> {
    let mut raw = RawSnapshot::default();
    for file in std::fs::read_dir(case.join("snapshot")).unwrap() {
        raw.tables.push(raw_table(&file.unwrap().path()));
    }
    let snapshot = validate(raw).unwrap_or_else(|report| panic!("{report}")).snapshot;
    let options = std::fs::read_to_string(case.join("options.json")).unwrap();
    let mut options = powerfill_snapshot::options_from_json(&options).unwrap();
    options.as_of.get_or_insert(snapshot.header.as_of);
    let mut events = vec![requested_with(options.clone())];
    events.extend(decide_all(&snapshot, &options));
    if !events.last().unwrap().is_terminal() {
        let mut tables = RunTables::new();
        recorded(&events).for_each(|event| tables.apply(&event));
        events.push(RunEvent::RunCompleted(Box::new(tables.complete())));
    }
    events
}
