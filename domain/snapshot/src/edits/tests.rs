//! What each edit changes, what it refuses, and how its line reads.

use std::sync::Arc;

use super::*;
use crate::raw::{RawSnapshot, RawTable};
use crate::report::Fault;
use crate::tables::Snapshot;
use crate::{RunOptions, validate};

/// A book of a few rows: tables as lines, cells by commas.
const BOOK: &str = "loan: loan_id,curr_status,loan_amount,note_rate,pool_name,Channel
A,Closed,100.00,6.5,P1,Retail
B,Closed,200.00,6.5,,
pscat_loan_stages: stage_name,stage_rank
Closed,60
pscat_instruments: investor_id,investor_instrument_name,kind
FNMA,FN 6.0,tba
FNMA,FN 5.5,tba
pscat_trades: trade_id,investor_instrument_name,trade_type,status,settlement_date,trade_amount,tolerance,trade_price
T1,FN 6.0,forward,open,2026-02-12,100,1,101
T2,FN 6.0,forward,settled,2026-02-12,100,1,101
pscat_pools: pool_name,investor_instrument_name,status
P1,FN 6.0,open
P9,FN 6.0,open
pscat_securitization_rules: rule_name,rule_syntax
small,loan_amount < 150
a/b,loan_amount > 0
rmcat_todays_prices: investor_instrument_name,settlement_date,note_rate,price
FN 6.0,2026-02-12,6.5,100.5
FN 6.0,2026-03-12,6.5,100.25
FN 5.5,2026-02-12,6.5,999.99999999
loan_price: loan_id,trade_id,price
A,T1,101
pfill_constraints: investor_id,investor_instrument_name,constraint_name,constraint_priority,lo_limit,hi_limit
FNMA,,,0,,
FNMA,FN 6.0,,10,,
FNMA,FN 6.0,HIGH,20,0.1,0.5
pfill_constraint_sec_rule_rel: investor_id,investor_instrument_name,constraint_name,rule_name
FNMA,FN 6.0,HIGH,small
pfill_carry_cost: investor_instrument_name,on_day,to_day,annual_rate
FN 6.0,0,30,1.5
FN 6.0,31,60,2.5
pfill_lockdown_guide: pool_name,lock_pool
P1,N
snapshot: tenant_id,as_of
W,2026-01-15";

fn base() -> EditableInput {
    let mut raw = RawSnapshot::default();
    let mut table: Option<RawTable> = None;
    for line in BOOK.lines() {
        if let Some((name, header)) = line.split_once(": ") {
            raw.tables.extend(table.take());
            let columns = header.split(',').map(str::to_owned).collect();
            table = Some(RawTable::new(name, columns, true));
        } else if let Some(table) = &mut table {
            table.push_row(line.split(',')).unwrap();
        }
    }
    raw.tables.extend(table);
    EditableInput::new(Arc::new(validate(raw).unwrap().snapshot), RunOptions::default())
}

/// The rows of a table after edits, with cells by commas.
fn rows(lines: &[&str], table: &str) -> Vec<String> {
    let edits = Edit::parse_all(lines.iter().copied()).unwrap();
    let edited = base().apply(&edits).unwrap().snapshot;
    rows_of(&edited, table)
}

fn rows_of(snapshot: &Snapshot, table: &str) -> Vec<String> {
    let mut canonical = Vec::new();
    snapshot.write_canonical(&mut canonical).unwrap();
    let tables = Snapshot::tables_of_canonical(&canonical).unwrap();
    let table = tables.iter().find(|one| one.name() == table).unwrap();
    let cells = |row| (0..table.columns().len()).map(move |at| table.cell(row, at));
    (0..table.rows()).map(|row| cells(row).collect::<Vec<_>>().join(",")).collect()
}

/// Rows that the base does not have, and `-` with those that only the base has.
fn changes(lines: &[&str], table: &str) -> Vec<String> {
    let (before, after) = (rows(&[], table), rows(lines, table));
    let gone = before.iter().filter(|row| !after.contains(row)).map(|row| format!("-{row}"));
    gone.chain(after.iter().filter(|row| !before.contains(row)).cloned()).collect()
}

#[test]
fn each_edit_changes_what_it_names_and_nothing_else() {
    let constraints = "pfill_constraints";
    let node = "constraint:fnma/FN 6.0/High";
    assert_eq!(
        changes(&[&format!("{node}:priority=5"), &format!("{node}:hi=")], constraints),
        ["-FNMA,FN 6.0,HIGH,20,0.100000,0.500000", "FNMA,FN 6.0,HIGH,5,0.100000,"]
    );
    assert_eq!(changes(&["constraint:FNMA/FN 5.5:add=7"], constraints), ["FNMA,FN 5.5,,7,,"]);
    assert_eq!(
        changes(&[&format!("{node}=out")], constraints),
        ["-FNMA,FN 6.0,HIGH,20,0.100000,0.500000"]
    );
    let links = "pfill_constraint_sec_rule_rel";
    assert_eq!(changes(&[&format!("{node}=out")], links), ["-FNMA,FN 6.0,HIGH,small"]);
    assert_eq!(changes(&[&format!("{node}:rules-=SMALL")], links), ["-FNMA,FN 6.0,HIGH,small"]);
    assert_eq!(changes(&["constraint:FNMA:rules+=a/b"], links), ["FNMA,,,a/b"]);
    let rules = "pscat_securitization_rules";
    assert_eq!(
        changes(&["rule:\"a/b\"=ltv > 80", "rule:new=fico = 700"], rules),
        ["-a/b,loan_amount > 0", "a/b,ltv > 80", "new,fico = 700"]
    );
    let trades = changes(&["trade:T1:amount=250", "trade:t2=in"], "pscat_trades");
    assert!(trades[2].starts_with("T1,FN 6.0,forward,open,2026-02-12,250.00,"), "{trades:?}");
    assert!(trades[3].starts_with("T2,FN 6.0,forward,open,"), "{trades:?}");
    assert!(rows(&["trade:T1=out"], "pscat_trades")[0].contains(",phantom,"));
    let carry = "pfill_carry_cost";
    assert_eq!(
        changes(&["carry:FN 6.0/031=-0.5"], carry),
        ["-FN 6.0,31,60,2.500000", "FN 6.0,31,60,-0.500000"]
    );
    assert_eq!(rows(&["carry:FN 6.0="], carry), ["FN 6.0,0,30,", "FN 6.0,31,60,"]);
    assert_eq!(
        changes(&["carry:FN 6.0/31:to=45"], carry),
        ["-FN 6.0,31,60,2.500000", "FN 6.0,31,45,2.500000"]
    );
    assert_eq!(changes(&["carry:FN 6.0/61:add=to=90, rate=1.5"], carry), ["FN 6.0,61,90,1.500000"]);
    assert_eq!(changes(&["carry:FN 6.0/31=out"], carry), ["-FN 6.0,31,60,2.500000"]);
    let lockdown = "pfill_lockdown_guide";
    assert_eq!(changes(&["lockdown:P1=y"], lockdown), ["-P1,,,N", "P1,,,Y"]);
    assert_eq!(changes(&["lockdown:P9=N"], lockdown), ["P9,,,N"]);
    assert_eq!(changes(&["lockdown:P1=out"], lockdown), ["-P1,,,N"]);
}

#[test]
fn loans_come_and_go_with_their_prices() {
    let ids = |lines: &[&str]| -> Vec<String> {
        rows(lines, "loan").iter().map(|row| row[..1].to_owned()).collect()
    };
    assert_eq!(ids(&["loan:a=out"]), ["B"]);
    assert!(rows(&["loan:a=out"], "loan_price").is_empty());
    assert_eq!(ids(&["loan:C:like=A", "loan:C:amount=50"]), ["A", "B", "C"]);
    let copied = changes(&["loan:C:like=A", "loan:C:amount=50"], "loan");
    assert!(copied[0].starts_with("C,Closed,50,6.5,") && copied[0].ends_with(",Retail"));
    let changed = changes(&["loan:B:channel=Broker", "loan:B:status=Funded"], "loan");
    assert!(changed[1].starts_with("B,Funded,") && changed[1].ends_with(",Broker"), "{changed:?}");
}

#[test]
fn trades_are_added_with_their_row() {
    let added = |lines: &[&str]| changes(lines, "pscat_trades");
    assert_eq!(
        added(&["trade:T3:add=instrument=FN 5.5, amount=500, tolerance=2, \
            date=2026-03-12,price=\"99.5\""]),
        ["T3,FN 5.5,forward,open,2026-03-12,500.00,2.000000,,percent,both,99.50000000,0.00,N"]
    );
    let copied = added(&["trade:T3:like=T1", "trade:T3:amount=500"]);
    assert_eq!(
        copied,
        ["T3,FN 6.0,forward,open,2026-02-12,500.00,1.000000,,percent,both,101.00000000,0.00,N"]
    );
    let line =
        |fault: &Fault| format!("{} {} {} {}", fault.table, fault.row, fault.column, fault.code);
    let lines = |edit: &str| faults(&[edit]).iter().map(line).collect::<Vec<_>>();
    assert_eq!(
        lines("trade:T3:add=instrument=FN 9.0, amount=500, tolerance=2, date=soon, price=99"),
        [
            "pscat_trades T3 investor_instrument_name unknown_reference",
            "pscat_trades T3 settlement_date not_a_date",
        ]
    );
    let missing = lines("trade:T3:add=instrument=FN 5.5");
    assert!(missing.contains(&"pscat_trades T3 trade_amount required".to_owned()), "{missing:?}");
    assert_eq!(
        lines("trade:T1:add=instrument=FN 5.5, amount=1, tolerance=2, date=2026-03-12, price=9"),
        ["pscat_trades T1 trade_id duplicate_key"]
    );
    assert!(faults(&["trade:T3:add=amuont=3"])[0].reason.contains("did you mean amount"));
    for line in ["trade:T3:add=", "trade:T3:add=amount=\"3", "trade:T3:add=price=\"3\" 4"] {
        assert_eq!(faults(&[line])[0].code.as_str(), "not_one_of", "{line}");
    }
}

#[test]
fn pay_ups_are_set_added_and_removed() {
    let payups = "rmusr_payups";
    let add = "payup:FN 6.0/Small:add=rule=small, points=0.25";
    assert_eq!(changes(&[add], payups), ["FN 6.0,Small,small,0.25000000"]);
    assert_eq!(
        rows(&[add, "payup:fn 6.0/SMALL:points=-0.5"], payups),
        ["FN 6.0,Small,small,-0.50000000"]
    );
    assert!(rows(&[add, "payup:FN 6.0/Small=out"], payups).is_empty());
    assert_eq!(
        faults(&["payup:FN 6.0/Small:add=rule=gone, points=1"])[0].code.as_str(),
        "unknown_reference"
    );
    assert!(Edit::parse("payup:FN 6.0=out").is_err());
}

#[test]
fn prices_shift_by_exact_32nds() {
    let prices = |line: &str| changes(&[line], "rmcat_todays_prices");
    assert_eq!(
        prices("prices:FN 6.0/2026-02-12=+4/32"),
        ["-FN 6.0,2026-02-12,6.500000,100.50000000", "FN 6.0,2026-02-12,6.500000,100.62500000"]
    );
    assert_eq!(prices("prices:FN 6.0=-0.001")[2], "FN 6.0,2026-02-12,6.500000,100.49996875");
    assert_eq!(prices("prices=-8/32").len(), 6);
    let beyond = faults(&["prices=+1/32"]);
    assert_eq!(beyond.len(), 1);
    assert_eq!(beyond[0].row, "FN 5.5|2026-02-12|6.500000");
    assert_eq!(beyond[0].code.as_str(), "out_of_range");
}

#[test]
fn options_have_short_names_that_are_unambiguous() {
    let edits = Edit::parse_all(["buffer=3", "price-mode=pc", "as_of=2026-01-16"]).unwrap();
    let edited = base().apply(&edits).unwrap();
    assert_eq!(edited.options.eligible_settle_buffer_days, 3);
    assert_eq!(edited.options.price_mode, crate::PriceMode::Pc);
    assert_eq!(edits[0].to_string(), "eligible_settle_buffer_days=3");
    let begun = Edit::parse_all(["max_elig=3"]).unwrap();
    assert_eq!(begun[0].to_string(), "max_eligible_days=3");
    let slip = faults(&["bufer=3"]).remove(0);
    assert!(slip.reason.contains("did you mean eligible_settle_buffer_days?"), "{slip}");
    let ambiguous = faults(&["settle=3"]).remove(0);
    assert_eq!(ambiguous.code.as_str(), "unknown_option");
    assert!(ambiguous.reason.contains("max_trade_settle_days"), "{ambiguous}");
}

fn faults(lines: &[&str]) -> Vec<Fault> {
    let edits = match Edit::parse_all(lines.iter().copied()) {
        Ok(edits) => edits,
        Err(report) => return report.faults,
    };
    base().apply(&edits).unwrap_err().faults
}

#[test]
fn edits_without_effect_are_faults() {
    let nowhere = faults(&["lockdown:NOWHERE=Y"]).remove(0);
    assert_eq!((&*nowhere.table, nowhere.code.as_str()), ("pscat_pools", "unknown_reference"));
    let status = faults(&["min_status=Nope"]).remove(0);
    assert_eq!((&*status.column, status.code.as_str()), ("min_status", "unknown_reference"));
}

#[test]
fn every_fault_of_all_edits_is_reported() {
    let line =
        |fault: &Fault| format!("{} {} {} {}", fault.table, fault.row, fault.column, fault.code);
    let lines = |edits: &[&str]| faults(edits).iter().map(line).collect::<Vec<_>>();
    assert_eq!(
        lines(&["buffer=x", "trade:T3:amount=1", "loan:A:nothing=1", "constraint:FNMA/X=out"]),
        [
            "options  eligible_settle_buffer_days not_a_number",
            "pscat_trades  trade_id unknown_reference",
            "loan A nothing unknown_column",
            "pfill_constraints  investor_id+investor_instrument_name+constraint_name \
             unknown_reference",
        ]
    );
    assert_eq!(
        lines(&["trade:T1:amount=-1", "trade:T2:date=soon", "rule:small=nothing > 1"]),
        [
            "pscat_trades T1 trade_amount out_of_range",
            "pscat_trades T2 settlement_date not_a_date",
            "pscat_securitization_rules small rule_syntax rule_column",
        ]
    );
    assert_eq!(
        lines(&["constraint:FNMA:add=1", "constraint:FNMA:rules+=gone", "loan:B:like=A"]),
        [
            "loan B loan_id duplicate_key",
            "pfill_constraints FNMA|| \
             investor_id+investor_instrument_name+constraint_name duplicate_key",
            "pfill_constraint_sec_rule_rel FNMA|||gone rule_name unknown_reference",
        ]
    );
    for line in [
        "nothing",
        "trade:T1",
        "trade:T1:loan_id=3",
        "trade:T1=away",
        "prices:FN 6.0=4",
        "constraint:A/B/C/D=out",
        "lockdown:P1=maybe",
        "loan:\"A=out",
        "swap:A=B",
        "carry:A/1/2=3",
        "carry:A:to=3",
        "carry:A/1:on_day=3",
    ] {
        assert!(Edit::parse(line).is_err(), "{line}");
    }
    assert!(faults(&["trade:T1:amuont=3"])[0].reason.contains("did you mean"));
}

#[test]
fn the_text_of_an_edit_is_its_line() {
    for EditForm { example, .. } in FORMS {
        let edit = Edit::parse(example).unwrap_or_else(|fault| panic!("{fault}"));
        assert_eq!(Edit::parse(&edit.to_string()), Ok(edit), "{example}");
    }
    let quoted = Edit::parse("loan:\"a:\"\"b\"\"/c\":like=d=e").unwrap();
    let Edit::CopyRow { name, like, .. } = &quoted else { panic!("{quoted:?}") };
    assert_eq!((name.as_str(), like.as_str()), ("a:\"b\"/c", "d=e"));
    assert_eq!(quoted.to_string(), "loan:\"a:\"\"b\"\"/c\":like=d=e");
    let values = Edit::parse_values("buffer=0, 3,5").unwrap();
    let lines: Vec<String> = values.iter().map(ToString::to_string).collect();
    assert_eq!(lines[1], "eligible_settle_buffer_days=3");
    assert_eq!(lines.len(), 3);
}
