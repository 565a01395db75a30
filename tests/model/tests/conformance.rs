//! The model on every conformance case that completes or is refused at preflight: it gives the
//! expected tables, cell by cell.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use powerfill_csv::{read_folder, read_table};
use powerfill_model::{ModelTable, run};
use powerfill_snapshot::{RunOptions, Snapshot, validate};

fn cases() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../conformance")
}

/// Snapshot and options of a case; `None` where validation refuses them.
fn book(case: &Path) -> Option<(Snapshot, RunOptions)> {
    let validated = validate(read_folder(&case.join("snapshot")).unwrap()).ok()?;
    let options = std::fs::read_to_string(case.join("options.json")).unwrap();
    Some((validated.snapshot, powerfill_snapshot::options_from_json(&options).ok()?))
}

/// Columns and rows of an expected table, where the case has it.
fn expected(case: &Path, name: &str) -> Option<(Vec<String>, Vec<Vec<String>>)> {
    let file = std::fs::File::open(case.join(format!("expected/{name}.csv"))).ok()?;
    let table = read_table(name, file).unwrap();
    let rows = (0..table.rows())
        .map(|row| (0..table.columns().len()).map(|c| table.cell(row, c).to_owned()).collect());
    Some((table.columns().to_vec(), rows.collect()))
}

/// The first differences of a table, as text.
fn differences(table: &ModelTable, columns: &[String], rows: &[Vec<String>]) -> Vec<String> {
    let name = table.name;
    if table.columns != columns {
        return vec![format!("{name}: columns {:?}", table.columns)];
    }
    let mut found = vec![];
    if table.rows.len() != rows.len() {
        found.push(format!("{name}: {} rows, expected {}", table.rows.len(), rows.len()));
    }
    for (actual, expected) in table.rows.iter().zip(rows) {
        let mut actual = actual.clone();
        if let Some(message) = columns.iter().position(|column| column == "message") {
            actual[message].clone_from(&expected[message]);
        }
        if actual != *expected {
            found.push(format!(
                "{name}:\n  {}\n  expected\n  {}",
                actual.join(","),
                expected.join(",")
            ));
        }
    }
    found.truncate(3);
    found
}

fn judge(case: &Path) -> Option<Vec<String>> {
    let (snapshot, options) = book(case)?;
    let outcome: BTreeMap<String, String> = {
        let (columns, rows) = expected(case, "outcome")?;
        columns.into_iter().zip(rows.into_iter().next().unwrap()).collect()
    };
    let run = run(&snapshot, &options);
    let mut found = vec![];
    if run.completes != (outcome["status"] == "Complete") {
        found.push(format!("completes: {}, expected {outcome:?}", run.completes));
    }
    for table in &run.tables {
        if let Some((columns, rows)) = expected(case, table.name) {
            found.extend(differences(table, &columns, &rows));
        }
    }
    Some(found)
}

#[test]
fn the_model_gives_the_expected_tables() {
    let mut folders: Vec<PathBuf> =
        std::fs::read_dir(cases()).unwrap().map(|entry| entry.unwrap().path()).collect();
    folders.sort();
    let (mut judged, mut failed) = (0, vec![]);
    for case in folders.iter().filter(|path| path.join("snapshot").is_dir()) {
        let Some(found) = judge(case) else { continue };
        judged += 1;
        if !found.is_empty() {
            failed.push(format!("{}\n{}", case.display(), found.join("\n")));
        }
    }
    assert!(failed.is_empty(), "{}", failed.join("\n\n"));
    assert!(judged >= 42, "{judged} cases judged");
}

/// A book outside the project:
/// `POWERFILL_CASE=<folder> cargo test -p powerfill-model --release -- --ignored`.
#[test]
#[ignore = "needs a folder in POWERFILL_CASE"]
fn a_case_outside_the_project() {
    let case = PathBuf::from(std::env::var_os("POWERFILL_CASE").expect("POWERFILL_CASE"));
    let found = judge(&case).expect("a case that runs");
    assert!(found.is_empty(), "{}", found.join("\n"));
}
