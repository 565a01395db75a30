//! Every conformance case with a report: the validation reports the same faults, in any order. The
//! values and reasons may differ.

use std::path::{Path, PathBuf};

use powerfill_csv::{read_folder, read_table};
use powerfill_snapshot::{Fault, RawTable, validate};

fn cases() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/conformance")
}

/// Severity, table, row, column, and code of the expected report.
fn expected(case: &Path) -> Option<Vec<[String; 5]>> {
    let file = std::fs::File::open(case.join("expected/faults.csv")).ok()?;
    let table: RawTable = read_table("faults", file).unwrap();
    let column = |name| table.columns().iter().position(|c| c == name).unwrap();
    let columns = ["severity", "table", "row", "column", "code"].map(column);
    Some((0..table.rows()).map(|row| columns.map(|c| table.cell(row, c).to_owned())).collect())
}

fn compared_columns(faults: &[Fault]) -> Vec<[String; 5]> {
    let columns = |fault: &Fault| {
        let [severity, table, row, column, _, code, _] = fault.cells();
        [severity, table, row, column, code].map(str::to_owned)
    };
    faults.iter().map(columns).collect()
}

#[test]
fn snapshots_have_the_expected_faults() {
    let mut checked = 0;
    let mut differing = Vec::new();
    for entry in std::fs::read_dir(cases()).unwrap() {
        let case = entry.unwrap().path();
        let snapshot = case.join("snapshot");
        if !snapshot.is_dir() {
            continue;
        }
        let mut expected = expected(&case).unwrap_or_default();
        expected.retain(|[_, table, ..]| table != "options");
        let refused = expected.iter().any(|[severity, ..]| severity == "error");
        let outcome = validate(read_folder(&snapshot).unwrap());
        let report = match &outcome {
            Ok(validated) => &validated.warnings,
            Err(report) => report,
        };
        let mut actual = compared_columns(&report.faults);
        actual.sort();
        expected.sort();
        if outcome.is_err() != refused || actual != expected {
            differing.push(format!("{}\n{report}", case.display()));
        }
        checked += 1;
    }
    assert!(differing.is_empty(), "{}", differing.join("\n\n"));
    assert!(checked >= 48, "{checked}");
}

#[test]
fn options_have_the_expected_faults() {
    let mut refused = 0;
    for entry in std::fs::read_dir(cases()).unwrap() {
        let case = entry.unwrap().path();
        let Ok(options) = std::fs::read_to_string(case.join("options.json")) else { continue };
        let mut expected = expected(&case).unwrap_or_default();
        expected.retain(|[_, table, ..]| table == "options");
        let mut actual = match powerfill_snapshot::options_from_json(&options) {
            Ok(_) => Vec::new(),
            Err(report) => compared_columns(&report.faults),
        };
        actual.sort();
        expected.sort();
        assert_eq!(actual, expected, "{}", case.display());
        refused += usize::from(!actual.is_empty());
    }
    assert!(refused >= 1);
}
