//! How long the tables of a run of the demo's size take. A measurement, not a test:
//! `cargo test --release -p powerfill-projections --test speed -- --ignored --nocapture`.

mod given;

use std::time::Instant;

use powerfill_domain::run::RunEvent;
use powerfill_domain::run::event::{CandidateScored, SyntheticOptionsRanked};
use powerfill_projections::explain::LoanStory;
use powerfill_projections::{RunTables, csv};

const LOANS: usize = 7_500;
const CANDIDATES_A_LOAN: usize = 23;
const OPTIONS_A_LOAN: usize = 20;

fn book() -> Vec<RunEvent> {
    let node = given::node("CA first", 10);
    let trades: Vec<powerfill_domain::values::TradeId> =
        (0..CANDIDATES_A_LOAN).map(|at| format!("TRD-2026-{at:05}").into()).collect();
    let loans: Vec<powerfill_domain::values::LoanId> =
        (0..LOANS).map(|at| format!("LN{at:08}").into()).collect();
    let options: Vec<_> = (0..OPTIONS_A_LOAN)
        .map(|at| given::option(&format!("CASH {at}"), "101.53125", at as u32 + 1, at as u32 + 1))
        .collect();
    let mut events = vec![given::requested(), given::started(&[], &[])];
    for rank in 0..LOANS * CANDIDATES_A_LOAN {
        events.push(RunEvent::CandidateScored(CandidateScored {
            turn: 1,
            candidate_rank: rank as u32 + 1,
            node: node.clone(),
            loan_id: loans[rank % LOANS].clone(),
            trade_id: trades[rank % CANDIDATES_A_LOAN].clone(),
            pricing: given::pricing("101.53125"),
        }));
    }
    events.extend(loans.iter().map(|loan_id| {
        RunEvent::SyntheticOptionsRanked(Box::new(SyntheticOptionsRanked {
            loan_id: loan_id.clone(),
            options: options.clone(),
            best_syn_trade_id: options[0].slot.syn_trade_id.clone(),
            allocated_trade_id: Some(trades[0].clone()),
            allocated_score: Some(given::pts("101")),
            give_up: Some(given::pts("0.53125")),
        }))
    }));
    events
}

#[test]
#[ignore = "a measurement"]
fn tables_of_the_demo() {
    let events = book();
    let mut tables = RunTables::new();
    given::recorded(&events).for_each(|event| _ = tables.apply(&event));
    let batches = tables.finish();
    let (begin, mut text) = (Instant::now(), Vec::with_capacity(1 << 26));
    for batch in &batches {
        batch.rows().for_each(|row| csv::write_row(row, &mut text));
    }
    println!("CSV alone: {} bytes in {:?}", text.len(), begin.elapsed());
    let begin = Instant::now();
    println!("hash alone: {} in {:?}", blake3::hash(&text), begin.elapsed());
    let begin = Instant::now();
    drop(batches);
    println!("dropping the rows: {:?}", begin.elapsed());
    let begin = Instant::now();
    let mut story = LoanStory::new("ln00001234");
    given::recorded(&events).for_each(|event| story.apply(&event));
    let candidates = story.finish().candidates.len();
    println!("a story of {candidates} candidates in {:?}", begin.elapsed());
    for chunk in [usize::MAX, 16_384, 4_096] {
        let (begin, mut rows) = (Instant::now(), 0);
        let mut tables = RunTables::new();
        for (at, event) in given::recorded(&events).enumerate() {
            tables.apply(&event);
            if at % chunk == chunk - 1 {
                rows += tables.drain().iter().map(|batch| batch.len()).sum::<usize>();
            }
        }
        let applied = begin.elapsed();
        let completed = tables.complete();
        rows += tables.finish().iter().map(|batch| batch.len()).sum::<usize>();
        println!("drained every {chunk}: {rows} rows, {applied:?} of {:?}", begin.elapsed());
        println!("  {}", completed.output_digest);
    }
}
