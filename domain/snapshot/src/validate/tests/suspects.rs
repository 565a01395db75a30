//! What is valid and likely wrong: each warning, and what does not cause one.

use super::*;
use powerfill_events::input::CellDisplay;

/// `row column code: reason`, of warnings and errors.
fn reasons(raw: RawSnapshot) -> Vec<String> {
    let report = match validate(raw) {
        Ok(validated) => validated.warnings,
        Err(report) => report,
    };
    let line = |f: &Fault| format!("{} {} {}: {}", f.row, f.column, f.code, f.reason);
    report.faults.iter().map(line).collect()
}

/// The only line, which begins so.
fn only(raw: RawSnapshot, start: &str) {
    let reasons = reasons(raw);
    assert!(reasons.len() == 1 && reasons[0].starts_with(start), "{start}: {reasons:#?}");
}

/// A loan table with one more column: each id with the value of its loan.
fn loans_with(column: &str, rows: &[(&str, &str)]) -> RawSnapshot {
    let header = ["loan_id", "curr_status", "loan_amount", "note_rate", column];
    let mut table = RawTable::new("loan", header.map(str::to_owned).to_vec(), true);
    for (id, value) in rows {
        table.push_row([id, "Closed", "100.00", "6.5", value]).unwrap();
    }
    let mut raw = without("loan");
    raw.tables.push(table);
    raw
}

/// A loan table with one more column, which has these values.
fn loans(column: &str, values: &[&str]) -> RawSnapshot {
    let ids: Vec<String> = (0..values.len()).map(|at| format!("L{at}")).collect();
    let rows: Vec<_> = ids.iter().map(String::as_str).zip(values.iter().copied()).collect();
    loans_with(column, &rows)
}

#[test]
fn words_for_null_are_counted_by_column() {
    for word in ["NULL", "<null>", "(null)", "#N/A", "\\N", "nan"] {
        let start = format!("1 occupancy null_word: 2 cells: the text {word:?}");
        only(loans("occupancy", &[word, "Primary", word]), &start);
        only(loans("branch", &["X", word]), "2 branch null_word: 1 cell");
    }
    only(loans("occupancy", &["Primary", "N/A"]), "2 occupancy null_word: 1 cell");
    only(loans("branch", &["None", "None"]), "1 branch null_word: 2 cells");
    assert_eq!(reasons(loans("branch", &["N/A", "B"])), [""; 0], "it may be a value");
}

#[test]
fn invisible_characters_are_named() {
    for (text, name) in [
        ("CA\u{a0}", "a no-break space, U+00A0"),
        ("C\u{200b}A", "a zero-width space, U+200B"),
        ("\u{feff}CA", "a byte order mark, U+FEFF"),
        ("CA\u{200e}", "a mark of the writing direction, U+200E"),
        ("CA\t", "a tab"),
    ] {
        let start = format!("2 state invisible_character: 1 cell: an invisible character, {name}");
        only(loans("state", &["CA", text]), &start);
    }
    assert_eq!(reasons(loans("state", &["Zürich", "two\nlines"])), [""; 0]);
}

#[test]
fn codes_and_values_out_of_range_are_implausible() {
    only(
        loans("fico", &["700", "9999", "9999"]),
        "2 fico implausible: 2 of 3 values are not within 250 to 900; if 9999 stands for unknown",
    );
    only(loans("ltv", &["80", "999"]), "2 ltv implausible: 1 of 2 values");
    only(loans("close_date", &["2026-01-05", "9999-12-31"]), "2 close_date implausible: 1 of 2");
    only(loans("dti", &["0.36", "0.42", ""]), "1 dti suspect_scale: all 2 values are from 0.36 to");
    only(loans("ltv", &["0.8", "1.05"]), "1 ltv suspect_scale: all 2 values");
    only(loans("ltv", &["0.8", "80"]), "1 ltv implausible: 1 of 2 values");
    assert_eq!(reasons(loans("zip", &["9999", "999"])), [""; 0]);
}

#[test]
fn rates_that_are_shares_are_suspect() {
    let raw = with(&["loan
        loan_id,curr_status,loan_amount,note_rate
        A,Closed,100.00,0.065
        B,Closed,100.00,0.07"]);
    only(raw, "1 note_rate suspect_scale: all 2 values are from 0.065000 to 0.070000");
}

#[test]
fn amounts_with_three_decimals_may_have_thousands() {
    let raw = with(&["loan
        loan_id,curr_status,loan_amount,note_rate
        A,Closed,300.000,6.5
        B,Closed,250.000,7"]);
    only(raw, "1 loan_amount implausible: 2 cells: three decimals of dollars, read as 300.00");
    let raw = with(&["loan
        loan_id,curr_status,loan_amount,note_rate
        A,Closed,9999999999.00,6.5"]);
    only(raw, "1 loan_amount implausible: 1 of 1 values are not within 0 to 1000000000");
    let raw = with(&["loan
        loan_id,curr_status,loan_amount,note_rate
        A,Closed,300.000,6.5"]);
    assert_eq!(reasons(raw), [""; 0], "one cell shows no habit");
}

#[test]
fn ids_that_a_spreadsheet_changed_are_suspect() {
    let ids = |ids: &[&str]| {
        let rows: Vec<_> = ids.iter().map(|id| (*id, "")).collect();
        loans_with("occupancy", &rows)
    };
    only(ids(&["1.2E+11", "B"]), "1 loan_id mangled_id: 1 cell: a number that a spreadsheet");
    only(ids(&["A", "Grand Total"]), "2 loan_id mangled_id: 1 cell: the label of a totals row");
    only(ids(&["1000101.0", "B"]), "1 loan_id mangled_id: 1 cell: a number that a spreadsheet");
    only(ids(&["'0042", "B"]), "1 loan_id mangled_id: 1 cell: the signs by which a spreadsheet");
    let rounded = ["123456789012345000", "123456789012346000"];
    only(ids(&rounded), "1 loan_id mangled_id: all 2 ids of 18 digits have zeros behind the first");
    let many: Vec<String> =
        (0..9).map(|n| format!("100000000{n}")).chain(["10000007".into()]).collect();
    let many: Vec<&str> = many.iter().map(String::as_str).collect();
    only(ids(&many), "10 loan_id mangled_id: 1 of 10 ids have fewer than 10 digits");
    assert_eq!(reasons(ids(&["1", "2", "10"])), [""; 0]);
    for (id, name) in
        [("A\nB", "a line break"), ("A\u{1b}[2J", "an escape, which a terminal obeys")]
    {
        let start =
            format!("1 loan_id invisible_character: 1 cell: an invisible character, {name}");
        only(ids(&[id, "B"]), &start);
    }
}

#[test]
fn columns_and_tables_under_other_names_are_found() {
    only(loans("Pool Name", &[""]), " Pool Name near_name: looks like pool_name, which is absent");
    only(loans("close.dates", &[""]), " close.dates near_name: looks like close_date");
    only(loans("Pool #", &[""]), " Pool # near_name: a usual name of pool_name, which is absent");
    only(loans("Closing Date", &[""]), " Closing Date near_name: a usual name of close_date");
    assert_eq!(reasons(loans("branch", &["X"])), [""; 0]);
    let mut declared = loans("Pool #", &[""]);
    let mut types = RawTable::new("loan_columns", vec!["column_name".into(), "type".into()], true);
    types.push_row(["Pool #", "text"]).unwrap();
    declared.tables.retain(|table| table.name() != "loan_columns");
    declared.tables.push(types);
    assert_eq!(reasons(declared), [""; 0], "a declared column has the name that is meant");
    let mut raw = with(&[]);
    raw.ignored.push(IgnoredPart::Sheet("Pools".into()));
    only(
        raw,
        "  near_name: absent, which makes it empty; the sheet Pools: did you mean pscat_pools?",
    );
    let mut raw = without("loan");
    raw.ignored.push(IgnoredPart::File("loan.tsv".into()));
    only(raw, "  missing_table: this table must be there; loan.tsv is there: save it as loan.csv");
    let raw = with(&["pscat_trades
        trade_id,instrument_name,trade_type,status,settlement_date,trade_amount,tolerance,trade_price
        T1,FN 6.0,forward,open,2026-02-12,100,1,101"]);
    let found = reasons(raw);
    let near = "rename the header \"instrument_name\" if it is this column";
    assert!(found[0].ends_with(near), "{found:#?}");
}

#[test]
fn a_first_row_that_is_no_header_is_one_fault() {
    let raw = with(&["loan
        Pipeline of ACME,,,
        as of today,,,
        loan_id,curr_status,loan_amount,note_rate
        A,Closed,100.00,6.5"]);
    only(
        raw,
        "  missing_header: the first row has no column of loan (loan_id, curr_status, loan_amount, \
         note_rate, …); row 2 below it has them: put it into the first row",
    );
}

#[test]
fn an_unknown_name_comes_with_the_nearest() {
    let raw = with(&["pscat_pools
        pool_name,investor_instrument_name,status
        P1,FN6.0,opne"]);
    let found = reasons(raw);
    assert!(found[0].ends_with("; did you mean FN 6.0?"), "{found:#?}");
    assert!(found[1].ends_with("; did you mean open?"), "{found:#?}");
}

#[test]
fn displays_that_scale_are_faults_where_the_value_cannot_be_meant() {
    let shown = |column: &str, cell: &str, display, shown: &str| {
        let header = ["loan_id", "curr_status", "loan_amount", "note_rate", column];
        let columns = (0..).zip(header).map(|(at, name)| (name.to_owned(), at)).collect();
        let mut table = RawTable::of_sheet("loan", columns);
        table.begin_row(1);
        for cell in ["A", "Closed", "100.00", "6.5"] {
            table.push_cell(cell).unwrap();
        }
        table.push_shown(cell, display, shown.to_owned()).unwrap();
        table.end_row().unwrap();
        let mut raw = without("loan");
        raw.tables.push(table);
        raw
    };
    use CellDisplay::{LeadingZeros, Percent, Thousands};
    only(
        shown("ltv", "0.8", Percent, "80%"),
        "loan!E2 ltv scaled_display: shown as 80%, stored as 0.8; type 80 without %",
    );
    only(
        shown("dti", "36", Percent, "3600%"),
        "loan!E2 dti scaled_display: shown as 3600%, read as",
    );
    only(shown("branch", "0.8", Percent, "80%"), "loan!E2 branch scaled_display: shown as 80%");
    only(
        shown("branch", "9000", Thousands, "9"),
        "loan!E2 branch scaled_display: shown as 9, read",
    );
    only(shown("branch", "42", LeadingZeros, "0042"), "loan!E2 branch mangled_id: shown as 0042");
}

#[test]
fn what_a_source_hides_is_counted() {
    let columns = ["loan_id", "curr_status", "loan_amount", "note_rate", "ltv"];
    let columns = (0..).zip(columns).map(|(at, name)| (name.to_owned(), at)).collect();
    let mut table = RawTable::of_sheet("loan", columns);
    table.mark_hidden_column(4);
    for (row, id) in (1..).zip(["A", "B"]) {
        table.begin_row(row);
        if id == "B" {
            table.mark_hidden_row();
        }
        table.push_row([id, "Closed", "100.00", "6.5", "80"]).unwrap();
    }
    let mut raw = without("loan");
    raw.tables.push(table);
    let found = reasons(raw);
    assert_eq!(found.len(), 2, "{found:#?}");
    assert!(
        found[0].starts_with("loan!3:3  hidden_data: 1 hidden or filtered row is"),
        "{found:#?}"
    );
    assert!(found[1].starts_with("loan!E1  hidden_data: 1 hidden column is read"), "{found:#?}");
}

#[test]
fn patterns_with_classes_and_moments_at_midnight() {
    let raw = with(&["pscat_securitization_rules
        rule_name,rule_syntax
        A to C,state LIKE '[A-C]%'"]);
    only(raw, "1 rule_syntax rule_pattern: rule A to C, character 12: [A-C] is literal here");
    assert_eq!(reasons(loans("close_date", &["2026-01-05 00:00:00", "2026-01-05"])), [""; 0]);
    only(loans("close_date", &["2026-01-05 00:00:01"]), "1 close_date not_a_date");
}
