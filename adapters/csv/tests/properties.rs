//! The canonical form and the digest: which differences of sources do not change them, and that the
//! canonical form reads back.

use std::path::{Path, PathBuf};

use powerfill_csv::{read_folder, read_table};
use powerfill_snapshot::{RawSnapshot, RawTable, Snapshot, validate};
use proptest::prelude::*;

fn case(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../tests/conformance")
        .join(name)
        .join("snapshot")
}

fn valid_cases() -> Vec<PathBuf> {
    let cases = std::fs::read_dir(case("").parent().unwrap()).unwrap();
    let folders = cases.map(|entry| entry.unwrap().path().join("snapshot"));
    folders.filter(|folder| folder.is_dir() && snapshot(folder).is_some()).collect()
}

fn snapshot(folder: &Path) -> Option<Snapshot> {
    validate(read_folder(folder).unwrap()).ok().map(|validated| validated.snapshot)
}

fn canonical(snapshot: &Snapshot) -> Vec<u8> {
    let mut bytes = Vec::new();
    snapshot.write_canonical(&mut bytes).unwrap();
    bytes
}

#[test]
fn the_canonical_form_reads_back_as_the_same_snapshot() {
    for folder in valid_cases() {
        let original = snapshot(&folder).unwrap();
        let bytes = canonical(&original);
        let back = Snapshot::from_canonical(&bytes).unwrap();
        assert_eq!(canonical(&back), bytes, "{}", folder.display());
        assert_eq!(back.digest(), original.digest(), "{}", folder.display());
        assert_eq!(format!("{:?}", back.loans), format!("{:?}", original.loans));
        assert_eq!(format!("{:?}", back.trades), format!("{:?}", original.trades));
        assert_eq!(back.loan_columns, original.loan_columns);
    }
}

#[test]
fn a_truncated_or_extended_canonical_form_is_refused() {
    let bytes = canonical(&snapshot(&case("01-exact-fit-completion")).unwrap());
    for cut in 0..bytes.len() {
        assert!(Snapshot::from_canonical(&bytes[..cut]).is_err(), "{cut}");
    }
    let longer = [&bytes[..], b"\0"].concat();
    assert!(Snapshot::from_canonical(&longer).is_err());
}

/// The digest of a snapshot in which every occurrence of a text in a table is replaced.
fn digest_with(folder: &Path, table: &str, from: &str, to: &str) -> String {
    let mut raw = read_folder(folder).unwrap();
    let path = folder.join(table).with_extension("csv");
    let text = std::fs::read_to_string(path).unwrap();
    assert!(text.contains(from), "{text}");
    raw.tables.retain(|other| other.name() != table);
    raw.tables.push(read_table(table, text.replace(from, to).as_bytes()).unwrap());
    validate(raw).unwrap().snapshot.digest()
}

#[test]
fn a_difference_that_outputs_show_changes_the_digest() {
    let folder = case("37-loan-columns");
    let original = snapshot(&folder).unwrap().digest();
    for (table, from, to, same) in [
        ("loan", "L1", "l1", false),
        ("loan", "100000.00", "100000.01", false),
        ("loan", "100000.00", "100000", true),
        ("loan", "zip", "ZIP", true),
        ("loan_columns", "zip,text\n", "", true),
        ("pscat_securitization_rules", "mi_coverage = 25", "mi_coverage = 26", false),
        ("snapshot", "WATERMARK", "Watermark", false),
    ] {
        assert_eq!(digest_with(&folder, table, from, to) == original, same, "{from} {to}");
    }
}

/// The same tables with other orders of rows and columns, and with an additional empty column that
/// may be absent.
fn shuffled(raw: &RawSnapshot, seed: u64) -> RawSnapshot {
    let tables = raw.tables.iter().rev().map(|table| {
        let mut columns: Vec<usize> = (0..table.columns().len()).collect();
        let mut rows: Vec<usize> = (0..table.rows()).collect();
        shuffle(&mut columns, seed);
        shuffle(&mut rows, seed.wrapping_add(1));
        let mut header: Vec<String> =
            columns.iter().map(|c| format!("{} ", table.columns()[*c].to_uppercase())).collect();
        let absent = (table.name() == "loan" && !table.columns().iter().any(|c| c == "purpose"))
            .then_some("purpose");
        header.extend(absent.map(str::to_owned));
        let mut other = RawTable::new(table.name().to_uppercase(), header, seed.is_multiple_of(2));
        for row in rows {
            for column in &columns {
                other
                    .push_cell(&respelled(&table.columns()[*column], table.cell(row, *column)))
                    .unwrap();
            }
            if absent.is_some() {
                other.push_cell("").unwrap();
            }
            other.end_row().unwrap();
        }
        other
    });
    RawSnapshot { tables: tables.collect(), ..RawSnapshot::default() }
}

/// The same number in another spelling, the same word in another case.
fn respelled(column: &str, cell: &str) -> String {
    match column {
        "price" | "note_rate" | "trade_amount" | "loan_amount" if !cell.is_empty() => {
            let point = if cell.contains('.') { "" } else { "." };
            if cell.starts_with(['-', '+']) {
                format!("{cell}{point}0")
            } else {
                format!("+00{cell}{point}0")
            }
        }
        "trade_type" | "kind" | "status" => format!("{} ", cell.to_uppercase()),
        _ => format!("{cell}  "),
    }
}

fn shuffle(items: &mut [usize], seed: u64) {
    let mut state = seed | 1;
    for at in (1..items.len()).rev() {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        items.swap(at, (state >> 33) as usize % (at + 1));
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn the_order_of_rows_and_columns_and_the_spelling_of_numbers_do_not_matter(seed in any::<u64>()) {
        for name in ["22-payups-and-own-prices", "23-bx-grid", "24-carry-pc", "37-loan-columns",
            "38-reference-warnings", "41-mixed-400-price"]
        {
            let raw = read_folder(&case(name)).unwrap();
            let other = validate(shuffled(&raw, seed)).unwrap();
            let original = validate(raw).unwrap();
            prop_assert_eq!(other.snapshot.digest(), original.snapshot.digest(), "{}", name);
            prop_assert_eq!(other.warnings.warnings(), original.warnings.warnings());
        }
    }
}
