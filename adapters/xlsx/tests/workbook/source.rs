//! A workbook gives the same snapshot as a CSV folder with the same tables, and every fault has the
//! address of its cell.

use std::collections::BTreeMap;
use std::path::Path;

use crate::book::{CellTypes, cases, edited, saved, write};
use powerfill_csv::read_folder;
use powerfill_snapshot::{Fault, FaultCode, FaultReport, IgnoredPart, RawSnapshot, validate};
use powerfill_xlsx::read;
use rust_xlsxwriter::{ExcelDateTime, Format, Formula, Workbook, Worksheet, XlsxError};

#[test]
fn workbook_and_csv_give_the_same_digest() {
    let mut compared = 0;
    for case in cases() {
        let folder = || read_folder(&case.join("snapshot")).unwrap();
        let Ok(from_csv) = validate(folder()) else { continue };
        for types in [CellTypes::Texts, CellTypes::Natural] {
            let file = write(&folder(), types);
            let from_xlsx = validate(read(file.path()).unwrap());
            let from_xlsx =
                from_xlsx.unwrap_or_else(|report| panic!("{}\n{report}", case.display()));
            let digests = [&from_xlsx, &from_csv].map(|validated| validated.snapshot.digest());
            assert_eq!(digests[0], digests[1], "{} {types:?}", case.display());
            let warnings =
                |faults: &[Fault]| faults.iter().map(without_address).collect::<Vec<_>>();
            assert_eq!(
                warnings(&from_xlsx.warnings.faults),
                warnings(&from_csv.warnings.faults),
                "{}",
                case.display()
            );
        }
        compared += 1;
    }
    assert!(compared >= 40, "{compared}");
}

/// Table, data row, column, and code. A sheet has its header in row 1, so data row 1 is in row 2.
fn without_address(fault: &Fault) -> [String; 4] {
    let [_, table, row, column, _, code, _] = fault.cells();
    let row = match row.split_once('!') {
        None => row.to_owned(),
        Some((_, cells)) => {
            let digits = cells.split([',', ':']).next().unwrap();
            let row: usize = digits.trim_start_matches(char::is_alphabetic).parse().unwrap();
            if row == 1 { String::new() } else { (row - 1).to_string() }
        }
    };
    [table.to_owned(), row, column.to_owned(), code.to_owned()]
}

#[test]
fn workbook_and_csv_give_the_same_faults() {
    let mut compared = BTreeMap::new();
    for case in cases() {
        let raw = read_folder(&case.join("snapshot")).unwrap();
        let Err(from_csv) = validate(read_folder(&case.join("snapshot")).unwrap()) else {
            continue;
        };
        // These faults exist in CSV files only.
        let csv_only = ["ragged_row", "unreadable", "missing_header"];
        if from_csv.faults.iter().any(|fault| csv_only.contains(&fault.code.as_str())) {
            continue;
        }
        let file = write(&raw, CellTypes::Texts);
        let from_xlsx = validate(read(file.path()).unwrap()).unwrap_err();
        let faults =
            |report: &FaultReport| report.faults.iter().map(without_address).collect::<Vec<_>>();
        assert_eq!(faults(&from_xlsx), faults(&from_csv), "{}", case.display());
        for fault in from_xlsx.faults {
            *compared.entry(fault.code).or_insert(0) += 1;
        }
    }
    assert!(compared.len() >= 13 && compared.values().sum::<i32>() >= 60, "{compared:?}");
}

/// The sheet that was changed, as the writer of workbooks returns it.
type Changed<'s> = Result<&'s mut Worksheet, XlsxError>;

/// A valid snapshot with one loan, which the test changes.
fn with_loan(change: impl FnOnce(&mut Worksheet) -> Changed<'_>) -> RawSnapshot {
    let mut book = Workbook::new();
    for (name, rows) in [
        ("snapshot", &[["tenant_id", "as_of", ""], ["W", "2026-01-15", ""]][..]),
        ("pscat_loan_stages", &[["stage_name", "", ""]]),
        ("pscat_instruments", &[["investor_id", "investor_instrument_name", "kind"]]),
    ] {
        rows_of(book.add_worksheet().set_name(name).unwrap(), rows).unwrap();
    }
    let trade = "trade_id investor_instrument_name trade_type status trade_amount tolerance";
    let constraint = "investor_id investor_instrument_name constraint_name constraint_priority";
    for (name, header) in [("pscat_trades", trade), ("pfill_constraints", constraint)] {
        let header: Vec<&str> = header.split(' ').collect();
        rows_of(book.add_worksheet().set_name(name).unwrap(), &[header]).unwrap();
    }
    let loan = book.add_worksheet().set_name("Loan").unwrap();
    let header = ["loan_id", "curr_status", "loan_amount", "note_rate", "close_date", "fico"];
    rows_of(loan, &[header, ["A", "Closed", "100000", "6.5", "2026-01-10", "700"]]).unwrap();
    change(loan).unwrap();
    read(saved(&mut book).path()).unwrap()
}

fn rows_of<'s, R: AsRef<[&'static str]>>(sheet: &'s mut Worksheet, rows: &[R]) -> Changed<'s> {
    for (row, cells) in rows.iter().enumerate() {
        for (column, cell) in cells.as_ref().iter().enumerate().filter(|(_, cell)| !cell.is_empty())
        {
            sheet.write_string(row as u32, column as u16, *cell)?;
        }
    }
    Ok(sheet)
}

/// Address, column, value, and code of each fault.
fn faults(raw: RawSnapshot) -> Vec<[String; 4]> {
    let Err(report) = validate(raw) else { return Vec::new() };
    let parts = |fault: &Fault| {
        let [_, _, row, column, value, code, _] = fault.cells();
        [row, column, value, code].map(str::to_owned)
    };
    report.faults.iter().map(parts).collect()
}

fn day() -> Format {
    Format::new().set_num_format("yyyy-mm-dd")
}

fn loan(raw: RawSnapshot) -> powerfill_snapshot::tables::Loan {
    match validate(raw) {
        Ok(validated) => validated.snapshot.loans[0].clone(),
        Err(report) => panic!("{report}"),
    }
}

#[test]
fn typed_values_are_read_exactly() {
    let read = loan(with_loan(|loan| {
        // An id as a number, spaces after a text, the result of a formula, a date, empty formatted
        // cells.
        loan.write_number(1, 0, 42.0)?.write_string(1, 1, "Closed   ")?;
        loan.write_formula(1, 2, Formula::new("=SUM(Z1)").set_result("101234.56"))?;
        // Excel writes 1.1 like this.
        let number: f64 = "1.1000000000000001".parse().expect("a number");
        loan.write_number(1, 3, number)?;
        let date = ExcelDateTime::from_ymd(2026, 1, 12)?;
        loan.write_datetime_with_format(1, 4, &date, &day())?;
        loan.write_blank(40, 3, &day())?.write_blank(1, 9, &day())?;
        loan.write_string(50, 2, "   ")?;
        Ok(loan)
    }));
    assert_eq!(read.loan_id.to_string(), "42");
    assert_eq!(read.curr_status.to_string(), "Closed");
    assert_eq!(read.loan_amount.to_string(), "101234.56");
    assert_eq!(read.note_rate.to_string(), "1.100000");
    assert_eq!(read.close_date.unwrap().to_string(), "2026-01-12");
    let zeros = loan(with_loan(|loan| loan.write_string(1, 0, "00042")));
    assert_eq!(zeros.loan_id.to_string(), "00042");
}

#[test]
fn blank_rows_are_skipped_and_addresses_are_those_of_the_sheet() {
    let raw = with_loan(|loan| {
        for (column, text) in ["B", "Closed", "x", "6"].iter().enumerate() {
            loan.write_string(16, column as u16, *text)?;
        }
        Ok(loan)
    });
    assert_eq!(faults(raw), [["Loan!C17", "loan_amount", "x", "not_a_number"].map(str::to_owned)]);
}

#[test]
fn values_without_exact_text_are_faults_with_their_addresses() {
    type Change = fn(&mut Worksheet) -> Changed<'_>;
    let table: [(Change, &str); 14] = [
        (|l| l.write_number(1, 2, 100.125), "Loan!C2 loan_amount 100.125 too_many_decimals"),
        (|l| l.write_number(1, 3, 1e-7), "Loan!D2 note_rate 0.0000001 too_many_decimals"),
        (|l| l.write_number(1, 3, 0.1 + 0.2), "Loan!D2 note_rate 0.30000000000000004 not_a_number"),
        (
            |l| l.write_number(1, 5, 700.000_000_000_000_1),
            "Loan!F2 fico 700.0000000000001 not_a_number",
        ),
        (
            |l| l.write_number(1, 0, 100_012_345_678_901_000.0),
            "Loan!A2 loan_id 100012345678901000 not_allowed",
        ),
        (|l| l.write_number(1, 4, 46_037.0), "Loan!E2 close_date 46037 not_a_date"),
        (
            |l| l.write_number_with_format(1, 4, 46_037.5, &day()),
            "Loan!E2 close_date 2026-01-15T12:00:00 not_a_date",
        ),
        (
            |l| l.write_number_with_format(1, 4, 60.0, &day()),
            "Loan!E2 close_date 1900-02-29 not_a_date",
        ),
        (
            |l| l.write_number_with_format(1, 3, 6.0, &day()),
            "Loan!D2 note_rate 1900-01-06 not_a_number",
        ),
        (
            |l| l.write_number_with_format(1, 4, 1.5, &Format::new().set_num_format("[h]:mm")),
            "Loan!E2 close_date 1.5 not_a_date",
        ),
        (|l| l.write_boolean(1, 3, true), "Loan!D2 note_rate Y not_a_number"),
        (
            |l| l.write_formula(1, 3, Formula::new("=1/0").set_result("#REF!")),
            "Loan!D2 note_rate #REF! not_a_number",
        ),
        (
            |l| l.write_formula(1, 1, Formula::new("=NA()").set_result("#N/A")),
            "Loan!B2 curr_status #N/A not_allowed",
        ),
        (|l| l.write_string(0, 6, "Fico"), "Loan!G1 fico Fico duplicate_column"),
    ];
    for (change, expected) in table {
        let found = faults(with_loan(change));
        assert_eq!(found.iter().map(|fault| fault.join(" ")).collect::<Vec<_>>(), [expected]);
    }
}

#[test]
fn a_value_without_a_header_and_merged_cells_are_faults() {
    let stray = with_loan(|loan| loan.write_string(1, 8, "x"));
    assert_eq!(faults(stray), [["Loan!I1", "", "", "unknown_column"].map(str::to_owned)]);
    let merged = with_loan(|loan| {
        rows_of(loan, &[[""; 4], [""; 4], ["B", "Closed", "1", "6"]])?;
        loan.merge_range(1, 4, 2, 4, "2026-01-10", &Format::new())?;
        // A merged region below the last row covers no value.
        loan.merge_range(8, 0, 9, 3, "", &Format::new())?;
        Ok(loan)
    });
    assert_eq!(faults(merged), [["Loan!E3", "close_date", "", "not_a_date"].map(str::to_owned)]);
}

#[test]
fn faults_of_keys_name_every_cell() {
    let repeated = with_loan(|loan| rows_of(loan, &[[""; 4], [""; 4], ["A", "Closed", "1", "6"]]));
    assert_eq!(faults(repeated), [["Loan!A3", "loan_id", "A", "duplicate_key"].map(str::to_owned)]);
    let mut book = Workbook::new();
    let curve = book.add_worksheet().set_name("pfill_carry_cost").unwrap();
    let rows =
        [["investor_instrument_name", "on_day", "to_day"], ["FN", "0", "9"], ["FN", "0", "5"]];
    rows_of(curve, &rows).unwrap();
    let report = validate(read(saved(&mut book).path()).unwrap()).unwrap_err();
    let address = |code: &str| {
        report.faults.iter().find(|fault| fault.code.as_str() == code).map(|fault| &*fault.row)
    };
    assert_eq!(address("duplicate_key"), Some("pfill_carry_cost!A3,B3"));
    assert_eq!(address("missing_table"), Some(""));
}

/// Libraries write formulas without results; such a cell must not count as empty.
#[test]
fn a_formula_without_a_value_is_a_fault() {
    let mut book = Workbook::new();
    let sheet = book.add_worksheet().set_name("loan_columns").unwrap();
    rows_of(sheet, &[["column_name", "type"], ["a", "text"]]).unwrap();
    sheet.write_formula(1, 1, "=A1").unwrap();
    let file = edited(saved(&mut book).path(), |_, text| text.replace("</f><v>0</v>", "</f>"));
    let raw = read(file.path()).unwrap();
    let report = validate(raw).unwrap_err();
    let fault = report.faults.iter().find(|fault| fault.table == "loan_columns").unwrap();
    assert_eq!((&*fault.row, fault.code.as_str()), ("loan_columns!B2", "not_one_of"));
    assert!(fault.reason.contains("never calculated"), "{fault}");
}

/// Workbooks of old Macs count days from 1904.
#[test]
fn both_date_systems_give_the_same_day() {
    let mut book = Workbook::new();
    let sheet = book.add_worksheet().set_name("snapshot").unwrap();
    rows_of(sheet, &[["tenant_id", "as_of"], ["W", ""]]).unwrap();
    sheet.write_number_with_format(1, 1, 46_037.0, &day()).unwrap();
    let from_1900 = saved(&mut book);
    let from_1904 = edited(from_1900.path(), |_, text| {
        text.replace("<workbookPr ", "<workbookPr date1904=\"1\" ").replace("46037", "44575")
    });
    for file in [from_1900, from_1904] {
        assert_eq!(read(file.path()).unwrap().tables[0].cell(0, 1), "2026-01-15");
    }
}

#[test]
fn other_hidden_and_duplicate_sheets_are_reported() {
    let mut book = Workbook::new();
    rows_of(book.add_worksheet().set_name("Notes").unwrap(), &[["what", "else"]]).unwrap();
    for name in ["loan_price", "loan_columns"] {
        let sheet = book.add_worksheet().set_name(name).unwrap();
        rows_of(sheet, &[["loan_id", "trade_id"]]).unwrap();
    }
    book.worksheet_from_name("loan_price").unwrap().set_hidden(true);
    let file = saved(&mut book);
    let raw = read(file.path()).unwrap();
    assert_eq!(raw.ignored, [IgnoredPart::Sheet("Notes".into())]);
    let hidden = &raw.faults[0];
    assert_eq!((&*hidden.table, hidden.code), ("loan_price", FaultCode::HiddenData));
    assert!(hidden.reason.starts_with("the sheet loan_price is hidden; unhide it"));
    assert_eq!(raw.tables.len(), 1);
    let duplicate = edited(file.path(), |name, text| match name {
        "xl/workbook.xml" => text.replace("\"Notes\"", "\"LOAN_COLUMNS\""),
        _ => text,
    });
    let raw = read(duplicate.path()).unwrap();
    assert!(raw.tables.is_empty());
    assert_eq!(
        raw.faults[1].reason,
        "LOAN_COLUMNS and loan_columns have the same name; one sheet is expected"
    );
}

#[test]
fn a_sheet_without_a_header_in_its_first_row_is_a_fault() {
    let mut book = Workbook::new();
    let sheet = book.add_worksheet().set_name("loan_price").unwrap();
    sheet.write_string(3, 1, "loan_id").unwrap();
    book.add_worksheet().set_name("loan_columns").unwrap();
    let raw = read(saved(&mut book).path()).unwrap();
    let reasons: Vec<(&str, &str)> =
        raw.faults.iter().map(|fault| (fault.code.as_str(), &*fault.reason)).collect();
    assert_eq!(
        reasons,
        [
            ("missing_header", "the sheet is empty: a header is expected in its first row"),
            (
                "missing_header",
                "the header is expected in the first row, which is empty; the first value is in \
                 loan_price!B4"
            ),
        ]
    );
}

/// `UPDATE=1` writes the sample workbook of the guide again.
#[test]
fn the_sample_of_the_guide_is_a_conformance_case() {
    let case = cases().into_iter().find(|case| case.ends_with("13-pool-actions")).unwrap();
    let folder = || read_folder(&case.join("snapshot")).unwrap();
    let sample = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/guides/book.xlsx");
    if std::env::var_os("UPDATE").is_some() {
        std::fs::write(
            &sample,
            std::fs::read(write(&folder(), CellTypes::Natural).path()).unwrap(),
        )
        .unwrap();
    }
    let digest = |raw| validate(raw).unwrap().snapshot.digest();
    assert_eq!(digest(read(&sample).unwrap()), digest(folder()));
}
