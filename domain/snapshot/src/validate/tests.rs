//! Each code of the report, and what does not breed faults.

mod suspects;

use super::*;
use crate::raw::SourceFault;
use crate::tables::{Attribute, ColumnType, PreflightRow, TradeType};
use powerfill_events::values::Name;

/// Tables as lines: the name, the header, the rows; cells by commas.
fn raw(tables: &[&str]) -> RawSnapshot {
    let mut snapshot = RawSnapshot::default();
    for text in tables {
        let mut lines = text.lines().map(str::trim_start);
        let name = lines.next().unwrap();
        let columns = lines.next().unwrap().split(',').map(str::to_owned).collect();
        let mut table = RawTable::new(name, columns, true);
        for line in lines {
            table.push_row(line.split(',')).unwrap();
        }
        snapshot.tables.push(table);
    }
    snapshot
}

const LOAN: &str = "loan
    loan_id,curr_status,loan_amount,note_rate
    A,Closed,100.00,6.5";
const STAGES: &str = "pscat_loan_stages
    stage_name,stage_rank
    Closed,60";
const INSTRUMENTS: &str = "pscat_instruments
    investor_id,investor_instrument_name,kind
    FNMA,FN 6.0,tba";
const TRADES: &str = "pscat_trades
    trade_id,investor_instrument_name,trade_type,status,settlement_date,trade_amount,tolerance,trade_price
    T1,FN 6.0,forward,open,2026-02-12,100,1,101";
const CONSTRAINTS: &str = "pfill_constraints
    investor_id,investor_instrument_name,constraint_name,constraint_priority
    FNMA,FN 6.0,,1";
const SNAPSHOT: &str = "snapshot
    tenant_id,as_of
    W,2026-01-15";
const SOUND: [&str; 6] = [LOAN, STAGES, INSTRUMENTS, TRADES, CONSTRAINTS, SNAPSHOT];

/// The sound tables, with these in place of those of the same name, or besides them.
fn with(tables: &[&'static str]) -> RawSnapshot {
    let name = |text: &str| text.lines().next().unwrap_or_default().to_owned();
    let mut all: Vec<&str> = SOUND.into();
    for table in tables {
        all.retain(|other| name(other) != name(table));
        all.push(table);
    }
    raw(&all)
}

fn without(name: &str) -> RawSnapshot {
    let mut snapshot = with(&[]);
    snapshot.tables.retain(|table| table.name() != name);
    snapshot
}

/// `table row column code`, warnings in brackets.
fn report(raw: RawSnapshot) -> Vec<String> {
    let report = match validate(raw) {
        Ok(validated) => validated.warnings,
        Err(report) => report,
    };
    let line = |fault: &Fault| {
        let line = format!("{} {} {} {}", fault.table, fault.row, fault.column, fault.code);
        if fault.severity == Severity::Warning { format!("[{line}]") } else { line }
    };
    report.faults.iter().map(line).collect()
}

fn unreadable(table: &str) -> SourceFault {
    let (table, reason) = (table.to_owned(), "row 3: not UTF-8".to_owned());
    SourceFault { table, code: FaultCode::Unreadable, reason }
}

#[test]
fn a_sound_snapshot_is_typed_with_its_defaults() {
    let snapshot = validate(with(&[])).unwrap().snapshot;
    assert_eq!(snapshot.header.tenant_id.as_str(), "W");
    assert_eq!(snapshot.loan_columns.len(), 17);
    assert_eq!(snapshot.trades[0].trade_type, TradeType::Forward);
    assert_eq!(snapshot.trades[0].pair_off_amount.to_string(), "0.00");
    assert!(!snapshot.trades[0].priced_only);
    assert_eq!(snapshot.preflight, PreflightRow::default());
    assert!(snapshot.pools.is_empty());
}

#[test]
fn further_columns_follow_the_listed_ones_by_name() {
    let raw = with(&[
        "loan
        zip,loan_id,Appraised,fico,curr_status,loan_amount,note_rate,b
        0501,A,2026-01-02,700.50,Closed,100.00,6.5,",
        "loan_columns
        column_name,type
        APPRAISED ,Date
        not there,number",
    ]);
    let snapshot = validate(raw).unwrap().snapshot;
    let further: Vec<_> = snapshot.loan_columns[17..]
        .iter()
        .map(|column| (column.column_name.as_str(), column.column_type))
        .collect();
    let expected =
        [("Appraised", ColumnType::Date), ("b", ColumnType::Text), ("zip", ColumnType::Text)];
    assert_eq!(further, expected);
    let attributes = &snapshot.loans[0].attributes;
    assert_eq!(attributes.len(), 20);
    assert_eq!(attributes[2], Some(Attribute::Number(100.into())));
    assert_eq!(attributes[7], Some(Attribute::Number("700.5".parse().unwrap())));
    assert_eq!(attributes[17], Some(Attribute::Date("2026-01-02".parse().unwrap())));
    assert_eq!(attributes[18], None);
    assert_eq!(attributes[19], Some(Attribute::Text(Name::new("0501"))));
}

#[test]
fn tables_that_are_missing_twice_or_unreadable() {
    assert_eq!(report(without("pscat_loan_stages")), ["pscat_loan_stages   missing_table"]);
    let mut twice = with(&[]);
    twice.tables.push(raw(&["LOAN \nloan_id\nB"]).tables.remove(0));
    assert_eq!(report(twice), ["loan   unreadable"]);
    let mut faulty = without("loan");
    faulty.faults.push(unreadable("Loan"));
    faulty
        .faults
        .push(SourceFault { code: FaultCode::MissingHeader, ..unreadable("rmusr_payups") });
    assert_eq!(report(faulty), ["loan   unreadable", "rmusr_payups   missing_header"]);
}

#[test]
fn headers() {
    let raw = with(&[
        "pscat_loan_stages
        STAGE_NAME ,colour,Stage_Name,,stage_rank
        Closed,red,x,,60",
        "pscat_pools
        investor_instrument_name,status
        FN 6.0,open",
        "loan
        loan_id,curr_status,loan_amount,note_rate,Zip,zip
        A,Closed,100.00,6.5,1,2",
    ]);
    let expected = [
        "loan  Zip duplicate_column",
        "pscat_loan_stages  stage_name duplicate_column",
        "pscat_loan_stages  colour unknown_column",
        "pscat_loan_stages   unknown_column",
        "pscat_pools  pool_name missing_column",
    ];
    assert_eq!(report(raw), expected);
}

#[test]
fn counts_of_rows() {
    let raw = with(&[
        "snapshot\ntenant_id,as_of",
        "pfill_preflight_settings
        lockdown_days
        1
        2",
    ]);
    assert_eq!(report(raw), ["pfill_preflight_settings   row_count", "snapshot   row_count"]);
}

#[test]
fn cells() {
    let raw = with(&[
        "pscat_instruments
        investor_id,investor_instrument_name,kind,coupon,min_term_months
        ,FN 6.0,mbs,1.0000001,1.5
        FNMA,FN 6.5,tba,1e2,99999999999
        FN\0MA,FN 7.0,tba,-0.0,360.0",
        "snapshot
        tenant_id,as_of
        W,2026-02-30",
    ]);
    let expected = [
        "pscat_instruments 1 investor_id required",
        "pscat_instruments 1 kind not_one_of",
        "pscat_instruments 1 coupon too_many_decimals",
        "pscat_instruments 1 min_term_months not_whole",
        "pscat_instruments 2 coupon not_a_number",
        "pscat_instruments 2 min_term_months out_of_range",
        "pscat_instruments 3 investor_id not_allowed",
        "snapshot 1 as_of not_a_date",
    ];
    assert_eq!(report(raw), expected);
}

#[test]
fn a_row_with_a_fault_still_counts_for_its_key_and_a_ragged_one_can_be_referred_to() {
    let raw = with(&[
        "pscat_pools
        pool_name,investor_instrument_name,status
        P1,FN 6.0,maybe
        p1 ,FN 6.0,open
        P2,FN 6.0,open,x
        P3,FN 6.0",
        "loan
        loan_id,curr_status,loan_amount,note_rate,pool_name
        A,Closed,100,6.5,P1
        B,Closed,100,6.5,P2
        C,Closed,100,6.5,P3
        D,Closed,100,6.5,P4",
    ]);
    let expected = [
        "loan 4 pool_name unknown_reference",
        "pscat_pools 1 status not_one_of",
        "pscat_pools 2 pool_name duplicate_key",
        "pscat_pools 3  ragged_row",
        "pscat_pools 4  ragged_row",
    ];
    assert_eq!(report(raw), expected);
}

#[test]
fn references_into_what_was_not_read_are_left_open() {
    assert_eq!(report(without("pscat_instruments")), ["pscat_instruments   missing_table"]);
    let pools = "loan
        loan_id,curr_status,loan_amount,note_rate,pool_name
        A,Closed,100,6.5,P1";
    assert_eq!(report(with(&[pools])), ["loan 1 pool_name unknown_reference"]);
    let mut failed = with(&[pools]);
    failed.faults.push(unreadable("pscat_pools"));
    assert_eq!(report(failed), ["pscat_pools   unreadable"]);
}

#[test]
fn references_and_compound_keys() {
    let raw = with(&[
        "rmcat_todays_prices
        investor_instrument_name,settlement_date,note_rate,price
        fn 6.0,2026-02-12,6,100
        FN 6.0 ,2026-02-12,6.000,102
        GHOST,2026-02-12,6,100
        FN 6.0,soon,6,100",
        "pfill_constraint_sec_rule_rel
        investor_id,investor_instrument_name,constraint_name,rule_name
        FNMA,,,any
        fnma,fn 6.0,,ANY
        FNMA,FN 6.0,,none",
        "pscat_securitization_rules
        rule_name,rule_syntax
        any,fico > 1",
    ]);
    let expected = [
        "rmcat_todays_prices 2 investor_instrument_name+settlement_date+note_rate duplicate_key",
        "[rmcat_todays_prices 3 investor_instrument_name unknown_reference]",
        "rmcat_todays_prices 4 settlement_date not_a_date",
        "pfill_constraint_sec_rule_rel 1 investor_id+investor_instrument_name+constraint_name unknown_reference",
        "pfill_constraint_sec_rule_rel 3 rule_name unknown_reference",
    ];
    assert_eq!(report(raw), expected);
}

#[test]
fn across_columns_a_faulty_value_says_nothing() {
    let raw = with(&[
        "pscat_instruments
        investor_id,investor_instrument_name,kind,base_note_rate,rate_multiple
        FNMA,FN 6.0,tba,six,
        FNMA,A,tba,six,2
        FNMA,B,tba,,two",
        "pfill_constraints
        investor_id,investor_instrument_name,constraint_name,constraint_priority,lo_limit,hi_limit
        FNMA,,,1,0.5,x
        FNMA,A,,1,0.5,0.4
        FNMA,B,,1,x,0.4",
        "pfill_carry_cost
        investor_instrument_name,on_day,to_day
        A,-5,-6",
        "pscat_trades
        trade_id,investor_instrument_name,trade_type,status,trade_amount,tolerance,trade_price,tolerance_rule
        T1,A,bx,open,1,1,x,greater_of
        T2,A,other,open,1,1,,percent",
    ]);
    let expected = [
        "pscat_instruments 1 base_note_rate not_a_number",
        "pscat_instruments 1 rate_multiple required",
        "pscat_instruments 2 base_note_rate not_a_number",
        "pscat_instruments 3 base_note_rate required",
        "pscat_instruments 3 rate_multiple not_a_number",
        "pscat_trades 1 tolerance_amount required",
        "pscat_trades 1 trade_price not_a_number",
        "pscat_trades 2 trade_type not_one_of",
        "pfill_constraints 1 lo_limit not_allowed",
        "pfill_constraints 1 hi_limit not_a_number",
        "pfill_constraints 2 hi_limit out_of_range",
        "pfill_constraints 3 lo_limit not_a_number",
        "pfill_carry_cost 1 to_day out_of_range",
    ];
    assert_eq!(report(raw), expected);
}

#[test]
fn loan_columns_that_say_nothing_leave_their_cells_alone() {
    let raw = with(&[
        "loan_columns
        column_name,type
        FICO,number
        score,money
        seen,date",
        "loan
        loan_id,curr_status,loan_amount,note_rate,score,seen
        A,Closed,100,6.5,high,soon",
    ]);
    let expected = [
        "loan 1 seen not_a_date",
        "loan_columns 1 column_name not_allowed",
        "loan_columns 2 type not_one_of",
    ];
    assert_eq!(report(raw), expected);
}

#[test]
fn rules_are_judged_by_the_columns_of_loan() {
    let raw = with(&[
        "loan
        loan_id,curr_status,loan_amount,note_rate,zip
        A,Closed,100,6.5,0501",
        "pscat_securitization_rules
        rule_name,rule_syntax
        good,zip = '0501' AND dti IS NULL
        b1,zip = 501
        b2,nosuch = 1
        ,fico >
        b4,",
    ]);
    let report = validate(raw).unwrap_err();
    let lines: Vec<_> = report.faults.iter().map(|f| (f.row.as_str(), f.code.as_str())).collect();
    let expected = [
        ("2", "rule_type"),
        ("3", "rule_column"),
        ("4", "required"),
        ("4", "rule_syntax"),
        ("5", "required"),
    ];
    assert_eq!(lines, expected);
    assert!(report.faults[0].reason.starts_with("rule b1, character 1"), "{report}");
}

#[test]
fn rules_are_not_blamed_for_columns_that_are_at_fault_themselves() {
    let rules = "pscat_securitization_rules
        rule_name,rule_syntax
        number,score > 5
        date,score > '2026-01-01' AND state = 'TX'
        neither,score > 5 AND state > 5";
    let raw_with_bad_type = with(&[
        rules,
        "loan_columns
        column_name,type
        score,money",
        "loan
        loan_id,curr_status,loan_amount,note_rate,score
        A,Closed,100,6.5,high",
    ]);
    let expected =
        ["loan_columns 1 type not_one_of", "pscat_securitization_rules 3 rule_syntax rule_type"];
    assert_eq!(report(raw_with_bad_type), expected);
    let mut without_loans = with(&[rules]);
    without_loans.tables.retain(|table| table.name() != "loan");
    assert_eq!(report(without_loans), ["loan   missing_table"]);
}

#[test]
fn the_amounts_of_all_loans_stay_within_64_bits() {
    let mut raw = without("loan");
    let columns = ["loan_id", "curr_status", "loan_amount", "note_rate"].map(str::to_owned);
    let mut table = RawTable::new("loan", columns.into(), true);
    for loan in 0..9001 {
        table.push_row([loan.to_string().as_str(), "Closed", "9999999999999.99", "6"]).unwrap();
    }
    raw.tables.push(table);
    let expected = ["loan  loan_amount out_of_range", "[loan 1 loan_amount implausible]"];
    assert_eq!(report(raw), expected);
}

#[test]
fn without_row_numbers_a_row_goes_by_its_key() {
    let mut raw = without("pscat_loan_stages");
    let columns = vec!["stage_name".to_owned(), "stage_rank".to_owned()];
    let mut table = RawTable::new("pscat_loan_stages", columns, false);
    table.push_cell("Closed").unwrap();
    table.push_unfit("60.5", "a binary float").unwrap();
    table.end_row().unwrap();
    raw.tables.push(table);
    assert_eq!(report(raw), ["pscat_loan_stages Closed stage_rank not_a_number"]);
}
