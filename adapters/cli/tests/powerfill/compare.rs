//! Compares the tables of a run with the expected ones, by the rules of
//! `tests/conformance/README.md`.

use std::collections::BTreeMap;
use std::path::Path;

use powerfill_tables::tables::named;

use crate::table::Table;

/// They record the run, not its decisions.
const LEFT_OUT: [&str; 2] = ["pfill_powerfill_log", "pfill_run_history"];

/// The compared columns of a fault.
pub(crate) const FAULT_COLUMNS: [&str; 5] = ["severity", "table", "row", "column", "code"];

/// The largest number of listed differences per table.
const SHOWN: usize = 8;

/// Columns that are not compared.
fn ignored_columns(table: &str) -> &'static [&'static str] {
    match table {
        "pfill_preflight_findings" => &["run_id", "message"],
        "outcome" => &["run_id", "failure_message"],
        _ => &["run_id"],
    }
}

/// Differences between the tables in one folder and those of the same name in another, one per
/// line.
pub(crate) fn folders(expected: &Path, actual: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(expected).expect("the expected tables are there");
    let mut files: Vec<_> = entries.map(|entry| entry.expect("a file").path()).collect();
    files.retain(|file| file.extension().is_some_and(|extension| extension == "csv"));
    files.sort();
    let mut lines = Vec::new();
    for file in files {
        let name = file.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        if LEFT_OUT.contains(&name.as_str()) || name == "faults" {
            continue;
        }
        let other = actual.join(format!("{name}.csv"));
        let found = match other.exists() {
            true => tables(&name, &Table::read(&file), &Table::read(&other)),
            false => vec!["this table is missing".to_owned()],
        };
        lines.extend(report(&name, found));
    }
    lines
}

/// The differences of a table under its name; only the first ones in full.
pub(crate) fn report(name: &str, found: Vec<String>) -> Vec<String> {
    if found.is_empty() {
        return Vec::new();
    }
    let more = found.len().saturating_sub(SHOWN);
    let mut lines = vec![format!("{name}: {} differences", found.len())];
    lines.extend(found.into_iter().take(SHOWN).map(|line| format!("  {line}")));
    if more > 0 {
        lines.push(format!("  … and {more} more"));
    }
    lines
}

/// Differences between two reports of faults, in any order; values and messages are ignored.
pub(crate) fn faults(expected: &Table, actual: &Table) -> Vec<String> {
    let mut balance: BTreeMap<Vec<&str>, i64> = BTreeMap::new();
    for fault in expected.pick(&FAULT_COLUMNS) {
        *balance.entry(fault).or_default() += 1;
    }
    for fault in actual.pick(&FAULT_COLUMNS) {
        *balance.entry(fault).or_default() -= 1;
    }
    let line = |(fault, count): (Vec<&str>, i64)| match count {
        0 => None,
        1.. => Some(format!("missing: {} x {count}", fault.join(", "))),
        _ => Some(format!("not expected: {} x {}", fault.join(", "), -count)),
    };
    balance.into_iter().filter_map(line).collect()
}

/// Differences between two tables: the same columns and rows in the same order, cells as text.
pub(crate) fn tables(name: &str, expected: &Table, actual: &Table) -> Vec<String> {
    let (expected, actual) =
        (expected.without(ignored_columns(name)), actual.without(ignored_columns(name)));
    if expected.columns != actual.columns {
        let (want, have) = (expected.columns.join(", "), actual.columns.join(", "));
        return vec![format!("columns {have}; expected {want}")];
    }
    let key = key(name, &expected);
    let (want, have) = (keyed(&expected, &key), keyed(&actual, &key));
    let rows: BTreeMap<&String, &Vec<String>> = have.iter().map(|(key, row)| (key, *row)).collect();
    let mut found = Vec::new();
    for (key, row) in &want {
        let Some(other) = rows.get(key) else {
            found.push(format!("{key}: missing"));
            continue;
        };
        let cells = expected.columns.iter().zip(row.iter().zip(*other));
        for (column, (want, have)) in cells.filter(|(_, (want, have))| want != have) {
            found.push(format!("{key}: {column} is {have:?}, expected {want:?}"));
        }
    }
    let wanted: BTreeMap<&String, ()> = want.iter().map(|(key, _)| (key, ())).collect();
    let unexpected = have.iter().filter(|(key, _)| !wanted.contains_key(key));
    found.extend(unexpected.map(|(key, _)| format!("{key}: not expected")));
    let other_order = || want.iter().zip(&have).position(|((want, _), (have, _))| want != have);
    if found.is_empty()
        && let Some(at) = other_order()
    {
        let (want, have) = (&want[at].0, &have[at].0);
        found.push(format!("rows in another order: row {} is {have}, expected {want}", at + 1));
    }
    found
}

/// The columns by which rows are paired: the table's key, or all columns.
fn key(name: &str, table: &Table) -> Vec<usize> {
    match named(name).map(|spec| spec.key) {
        Some(key) if !key.is_empty() => key.iter().map(|name| table.index(name)).collect(),
        _ => (0..table.columns.len()).collect(),
    }
}

/// Each row with the text of its key; repeated keys get a number.
fn keyed<'a>(table: &'a Table, key: &[usize]) -> Vec<(String, &'a Vec<String>)> {
    let mut seen: BTreeMap<String, u32> = BTreeMap::new();
    let rows = table.rows.iter().map(|row| {
        let parts: Vec<&str> = key.iter().map(|at| row[*at].as_str()).collect();
        let text = parts.join(" | ");
        let count = seen.entry(text.clone()).or_default();
        *count += 1;
        match count {
            1 => (text, row),
            n => (format!("{text}, row {n} with this key"), row),
        }
    });
    rows.collect()
}

#[test]
fn every_kind_of_difference_is_found() {
    let table = |text: &str| Table::parse(text.as_bytes());
    let differences = |actual: &str| tables("any", &table("id,price\nA,1\nB,2\n"), &table(actual));
    assert!(differences("run_id,id,price\nR,A,1\nR,B,2\n").is_empty());
    for other in [
        "id,price\nA,1\n",
        "id,price\nA,1\nB,2\nB,2\n",
        "id,price\nB,2\nA,1\n",
        "id,price\nA,1\nB,2.0\n",
        "price,id\n1,A\n2,B\n",
        "id,price\n",
        "",
    ] {
        assert!(!differences(other).is_empty(), "{other:?}");
    }
    let fault = |text: &str| table(&format!("severity,table,row,column,code,value\n{text}"));
    let (one, same, other) = (fault("error,loan,1,a,b,x"), fault("error,loan,1,a,b,y"), fault(""));
    assert!(faults(&one, &same).is_empty());
    assert_eq!((faults(&one, &other).len(), faults(&other, &one).len()), (1, 1));
}
