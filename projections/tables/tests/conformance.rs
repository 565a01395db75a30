//! Every conformance case that has expected tables: a real run of its snapshot, its events through
//! the projections, and each table cell by cell.

use std::collections::BTreeMap;

use powerfill_events::run::RunEvent;
use powerfill_fixtures::cases::{cases, records, run};
use powerfill_fixtures::{recorded, run_id};
use powerfill_tables::csv::{write_header, write_row};
use powerfill_tables::table::RowBatch;
use powerfill_tables::tables::{ALL, decisions};
use powerfill_tables::{RunSummary, RunTables, status::RunStatus};

/// The tables' CSV by name, cut into batches after every `every` events.
fn tables(events: &[RunEvent], every: usize) -> (BTreeMap<&'static str, Vec<u8>>, String) {
    let mut tables = RunTables::new();
    let mut texts: BTreeMap<_, _> = ALL
        .iter()
        .map(|table| {
            let mut text = Vec::new();
            write_header(table, &mut text);
            (table.name, text)
        })
        .collect();
    let mut take = |batches: Vec<RowBatch>| {
        for batch in batches {
            let text = texts.get_mut(batch.table.name).unwrap();
            batch.rows().for_each(|row| write_row(row, text));
        }
    };
    for (at, event) in recorded(events).enumerate() {
        tables.apply(&event);
        if at % every == 0 {
            take(tables.drain());
        }
    }
    take(tables.finish());
    (texts, tables.complete().output_digest)
}

#[test]
fn tables_are_those_of_the_cases() {
    let mut compared = 0;
    for case in cases() {
        let events = run(&case);
        let (actual, _) = tables(&events, usize::MAX);
        for table in decisions() {
            let path = case.join("expected").join(format!("{}.csv", table.name));
            let Ok(expected) = std::fs::read(&path) else { continue };
            let (mut expected, mut actual) = (records(&expected), records(&actual[table.name]));
            if table.name == "pfill_preflight_findings" {
                // The message is free.
                let rows = expected.iter_mut().chain(&mut actual);
                rows.for_each(|row| _ = row.pop());
            }
            for (at, (expected, actual)) in expected.iter().zip(&actual).enumerate() {
                assert_eq!(expected, actual, "{}, row {at}", path.display());
            }
            assert_eq!(expected.len(), actual.len(), "{}", path.display());
            compared += 1;
        }
    }
    assert!(compared > 450, "{compared}");
}

#[test]
fn rows_and_digest_do_not_depend_on_how_they_were_cut() {
    for case in cases() {
        let events = run(&case);
        let whole = tables(&events, usize::MAX);
        assert_eq!(whole, tables(&events, 1), "{}", case.display());
        assert_eq!(whole, tables(&events, 17), "{}", case.display());
        if let Some(RunEvent::RunCompleted(completed)) = events.last() {
            assert_eq!(completed.output_digest, whole.1, "{}", case.display());
        }
    }
}

#[test]
fn stored_events_give_the_same_tables() {
    for case in cases() {
        let events = run(&case);
        let stored: Vec<_> = events
            .iter()
            .map(|event| {
                let mut payload = Vec::new();
                event.write_payload(&mut payload).unwrap();
                RunEvent::read_payload(event.event_type(), &payload).unwrap()
            })
            .collect();
        assert_eq!(tables(&events, 9), tables(&stored, 1000), "{}", case.display());
    }
}

#[test]
fn the_summary_agrees_with_the_tables() {
    for case in cases() {
        let events = run(&case);
        let mut summary = RunSummary::new(run_id());
        recorded(&events).for_each(|event| summary.apply(&event));
        let (tables, _) = tables(&events, usize::MAX);
        let rows = |table| records(&tables[table]).len() as u64 - 1;
        let case = case.display();
        let complete = summary.status == RunStatus::Complete;
        assert!(complete || summary.failure.is_some(), "{case}");
        assert_eq!(summary.loans.kicked_out, rows("pfill_kickout_guide_01"), "{case}");
        assert_eq!(summary.kickouts.values().sum::<u64>(), summary.loans.kicked_out, "{case}");
        assert_eq!(summary.pool_actions.values().sum::<u64>(), rows("pfill_pool_guide"), "{case}");
        let loans = &summary.loans;
        let placed = loans.allocated.values().chain(loans.held.values()).sum::<u64>();
        assert_eq!(placed + loans.locked, rows("pfill_powerfill_guide"), "{case}");
        if complete {
            // As the fills follow from each event, so does the recap at the end.
            let without_results =
                events.iter().filter(|event| !matches!(event, RunEvent::TradeFillEvaluated(_)));
            let events: Vec<_> = without_results.cloned().collect();
            let mut counted = RunSummary::new(run_id());
            recorded(&events).for_each(|event| counted.apply(&event));
            assert_eq!(counted.fills, summary.fills, "{case}");
            assert_eq!(counted.fill_statuses, summary.fill_statuses, "{case}");
        }
    }
}

#[test]
fn the_value_of_a_run_is_the_same_in_each_grouping_and_in_the_waterfall() {
    let mut groups = 0;
    for case in cases() {
        let (tables, _) = tables(&run(&case), usize::MAX);
        let rows = records(&tables["pfill_value_summary"]);
        let column = |name: &str| rows[0].iter().position(|column| column == name).unwrap();
        let (grouping, name, value) =
            (column("grouping"), column("group_name"), column("value_amount"));
        let cents = |row: &Vec<String>| row[value].replace('.', "").parse::<i64>().unwrap();
        let all = rows.iter().find(|row| row[name] == "all").map(cents);
        let total = rows.iter().find(|row| row[name] == "total").map(cents);
        assert_eq!(all, total, "{}", case.display());
        for of in ["investor", "instrument", "settlement_date", "trade", "pass"] {
            let of: Vec<_> = rows.iter().filter(|row| row[grouping] == of).collect();
            assert_eq!(Some(of.iter().map(|row| cents(row)).sum()), all, "{}", case.display());
            groups += of.len();
        }
    }
    assert!(groups > 300, "{groups}");
}
