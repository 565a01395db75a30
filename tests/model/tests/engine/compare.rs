//! The differences between the engine's and the model's account of a run.

use powerfill_engine::PreprocessTables;
use powerfill_events::run::event::{LoanAllocated, LoanMoved, LoanReleased, Pass, PassCompleted};
use powerfill_events::run::{RecordedEvent, RunEvent};
use powerfill_events::values::Timestamp;
use powerfill_model::{Decision, ModelRun, ModelTable, PassCount};
use powerfill_tables::table::RowBatch;
use powerfill_tables::tables::ALL;
use powerfill_tables::{RunTables, csv};

/// Tables about the run itself, not about its decisions.
const LEFT_OUT: [&str; 2] = ["pfill_powerfill_log", "pfill_run_history"];

/// The output tables of a run's events, as text.
pub(crate) fn tables(events: &[RunEvent]) -> Vec<ModelTable> {
    let run_id = "01970000-0000-7000-8000-000000000001".parse().unwrap();
    let mut projected = RunTables::new();
    for (at, event) in events.iter().enumerate() {
        projected.apply(&RecordedEvent {
            run_id,
            stream_version: at as u64 + 1,
            recorded_at: Timestamp::from_micros(0),
            actor: "desk",
            event,
        });
    }
    let batches = projected.finish();
    ALL.iter()
        .filter(|spec| !LEFT_OUT.contains(&spec.name))
        .map(|spec| ModelTable {
            name: spec.name,
            columns: spec.columns.iter().map(|column| column.name).collect(),
            rows: batches.iter().filter(|batch| batch.table == *spec).flat_map(rows).collect(),
        })
        .collect()
}

fn rows(batch: &RowBatch) -> Vec<Vec<String>> {
    let text = |cell| {
        let mut out = Vec::new();
        csv::write_text(cell, &mut out);
        String::from_utf8(out).unwrap()
    };
    batch.rows().map(|row| row.iter().map(text).collect()).collect()
}

/// The allocations, moves, and releases among a run's events.
pub(crate) fn decisions(events: &[RunEvent]) -> Vec<Decision> {
    let decision = |event: &RunEvent| match event {
        RunEvent::LoanAllocated(event) => Some(allocated(event)),
        RunEvent::LoanMoved(event) => Some(moved(event)),
        RunEvent::LoanReleased(event) => Some(released(event)),
        _ => None,
    };
    events.iter().filter_map(decision).collect()
}

fn pass(pass: Pass) -> &'static str {
    match pass {
        Pass::ExactFit => "exact_fit",
        Pass::BestFit => "best_fit",
        Pass::FillRemaining => "fill_remaining",
        Pass::OrphanHandling => "orphan_handling",
        Pass::Challenger => "challenger",
    }
}

fn allocated(event: &LoanAllocated) -> Decision {
    Decision {
        event: "LoanAllocated",
        turn: event.turn,
        loan_id: event.loan_id.to_string(),
        from_trade_id: None,
        to_trade_id: Some(event.trade_id.to_string()),
        pass: pass(event.pass),
        allocation_seq: Some(event.allocation_seq),
        marginal_cost: None,
        other_loan_id: None,
        from_filled_after: None,
        filled_after: Some(event.filled_after.to_string()),
    }
}

fn moved(event: &LoanMoved) -> Decision {
    Decision {
        event: "LoanMoved",
        turn: event.turn,
        loan_id: event.loan_id.to_string(),
        from_trade_id: Some(event.from_trade_id.to_string()),
        to_trade_id: Some(event.to_trade_id.to_string()),
        pass: pass(event.pass),
        allocation_seq: Some(event.allocation_seq),
        marginal_cost: Some(event.marginal_cost.to_string()),
        other_loan_id: event.made_room_for.as_ref().map(ToString::to_string),
        from_filled_after: Some(event.from_filled_after.to_string()),
        filled_after: Some(event.filled_after.to_string()),
    }
}

fn released(event: &LoanReleased) -> Decision {
    Decision {
        event: "LoanReleased",
        turn: event.turn,
        loan_id: event.loan_id.to_string(),
        from_trade_id: Some(event.trade_id.to_string()),
        to_trade_id: None,
        pass: pass(event.pass),
        allocation_seq: None,
        marginal_cost: Some(event.marginal_cost.to_string()),
        other_loan_id: Some(event.exchanged_for.to_string()),
        from_filled_after: Some(event.filled_after.to_string()),
        filled_after: None,
    }
}

fn pass_counts(events: &[RunEvent]) -> Vec<PassCount> {
    let count = |event: &PassCompleted| PassCount {
        pass: pass(event.pass),
        turn: event.turn,
        allocated: event.allocated,
        moved: event.moved,
        released: event.released,
    };
    let completed = |event: &RunEvent| match event {
        RunEvent::PassCompleted(event) => Some(count(event)),
        _ => None,
    };
    events.iter().filter_map(completed).collect()
}

/// The passes that did something. The specification leaves it open whether a turn without
/// candidates is counted.
fn active(mut counts: Vec<PassCount>) -> Vec<PassCount> {
    counts.retain(|count| count.allocated + count.moved + count.released > 0);
    counts
}

fn rejections(events: &[RunEvent]) -> Vec<(String, String, String)> {
    let mut all = vec![];
    for event in events {
        let RunEvent::CandidatesRejected(event) = event else { continue };
        for rejection in &event.rejections {
            let reason = format!("{:?}", rejection.reason);
            all.push((event.loan_id.to_string(), rejection.trade_id.to_string(), reason));
        }
    }
    all.sort();
    all
}

/// The differences between the tables of preprocess and the model's.
pub(crate) fn preprocessed(proposed: &PreprocessTables, model: &[ModelTable; 3]) -> Vec<String> {
    fn text<T: ToString>(value: Option<&T>) -> String {
        value.map(ToString::to_string).unwrap_or_default()
    }
    let lockdown = proposed.lockdown.iter().map(|row| {
        let (pool, instrument) = (&row.pool_name, &row.investor_instrument_name);
        format!("{pool},{instrument},{},Y", text(row.trade_id.as_ref()))
    });
    let params = proposed.trade_params.iter().map(|row| {
        let assessed = RunEvent::TradeAssessed(Box::new(row.trade.clone()));
        let base = tables(&[assessed]).into_iter().find(|table| table.name == "pfill_trade_base");
        let mut cells = base.unwrap().rows.remove(0);
        cells.pop();
        cells.push(text(row.days_to_settle.as_ref()));
        cells.join(",")
    });
    let epci = proposed.epci_params.iter().map(|row| {
        let node = &row.node;
        let key = [
            node.investor_id.as_str(),
            node.investor_instrument_name.as_str(),
            node.constraint_name.as_str(),
        ];
        let (lo, hi) = (text(row.lo_amount.as_ref()), text(row.hi_amount.as_ref()));
        format!("{},{},{lo},{hi}", key.join(","), row.trade_id)
    });
    let proposed: [Vec<String>; 3] = [lockdown.collect(), params.collect(), epci.collect()];
    let mut found = vec![];
    for (rows, table) in proposed.iter().zip(model) {
        let expected: Vec<String> = table.rows.iter().map(|row| row.join(",")).collect();
        compare_lists(&mut found, table.name, rows, &expected);
    }
    found
}

/// The differences between the engine's events and the model's run; empty where they agree.
pub(crate) fn differences(events: &[RunEvent], model: &ModelRun) -> Vec<String> {
    let mut found = vec![];
    let completes = !events.iter().any(|event| matches!(event, RunEvent::RunFailed(_)));
    if completes != model.completes {
        found.push(format!("the engine completes: {completes}, the model: {}", model.completes));
    }
    compare_lists(&mut found, "decisions", &decisions(events), &model.decisions);
    if model.completes {
        compare_lists(
            &mut found,
            "passes",
            &active(pass_counts(events)),
            &active(model.passes.clone()),
        );
        let mut rejected: Vec<_> = model
            .rejections
            .iter()
            .map(|(loan, trade, reason)| (loan.clone(), trade.clone(), format!("{reason:?}")))
            .collect();
        rejected.sort();
        compare_lists(&mut found, "rejections", &rejections(events), &rejected);
    }
    for table in tables(events) {
        // A refused run has only its findings.
        if let Some(expected) = model.table(table.name) {
            compare_tables(&mut found, &table, expected);
        }
    }
    found
}

/// Adds the differences between two tables, without the messages of findings.
pub(crate) fn compare_tables(found: &mut Vec<String>, actual: &ModelTable, expected: &ModelTable) {
    if actual.columns != expected.columns {
        found.push(format!("{}: columns {:?}", actual.name, actual.columns));
        return;
    }
    let message = actual.columns.iter().position(|column| *column == "message");
    let compared = |table: &ModelTable| {
        let mut rows = table.rows.clone();
        if let Some(message) = message {
            rows.iter_mut().for_each(|row| row[message].clear());
        }
        rows.iter().map(|row| row.join(",")).collect::<Vec<_>>()
    };
    compare_lists(found, actual.name, &compared(actual), &compared(expected));
}

/// Adds the first difference between two lists.
fn compare_lists<T: PartialEq + std::fmt::Debug>(
    found: &mut Vec<String>,
    what: &str,
    engine: &[T],
    model: &[T],
) {
    if engine == model {
        return;
    }
    let at = engine.iter().zip(model).take_while(|(a, b)| a == b).count();
    found.push(format!(
        "{what}: {} against the model's {}, from number {} on:\n  engine {:?}\n  model  {:?}",
        engine.len(),
        model.len(),
        at + 1,
        engine.get(at),
        model.get(at)
    ));
}
