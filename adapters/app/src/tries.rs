//! Tries: an input with edits, decided in memory and set beside the base (specification 8.3). The
//! tries of a call run in parallel, up to the number of cores. Nothing is recorded.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::available_parallelism;

use parking_lot::Mutex;
use powerfill_diff::outcome::{Mover, RunOutcome};
use powerfill_engine::Cancelled;
use powerfill_events::config::ConstraintRow;
use powerfill_events::run::RunId;
use powerfill_events::values::Price;
use powerfill_snapshot::edits::{Edit, EditableInput};
use powerfill_snapshot::{FaultReport, Snapshot};
use serde::Serialize;

use crate::RunControl;
use crate::in_memory::InMemoryRun;

/// The movers that a try reports, the largest first.
pub const MOST_MOVERS: usize = 10;

/// An input that is tried.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Try {
    /// Its name.
    pub name: String,
    /// What differs from the base, in the order in which it applies.
    pub edits: Vec<Edit>,
}

impl Try {
    /// A try that is named by its edits.
    pub fn of_edits(edits: Vec<Edit>) -> Self {
        let lines: Vec<String> = edits.iter().map(ToString::to_string).collect();
        Self { name: lines.join(" "), edits }
    }

    /// This try with a further edit, which its name then has too.
    #[must_use]
    pub fn with(&self, edit: &Edit) -> Self {
        let mut edits = self.edits.clone();
        edits.push(edit.clone());
        Self { name: format!("{} {edit}", self.name).trim_start().to_owned(), edits }
    }
}

/// The base, and the tries beside it.
#[derive(Debug, Clone, Serialize)]
pub struct TriesReport {
    /// The base.
    pub base: RunOutcome,
    /// The tries, in the order of the call.
    pub tries: Vec<TryReport>,
}

/// A try beside the base.
#[derive(Debug, Clone, Serialize)]
pub struct TryReport {
    /// Its name.
    pub name: String,
    /// Its edits.
    pub edits: Vec<String>,
    /// What it comes to.
    #[serde(flatten)]
    pub outcome: RunOutcome,
    /// The number of loans that are in another trade than in the base, or in none.
    pub moved: u64,
    /// The loans of these whose value changes most.
    pub movers: Vec<Mover>,
}

/// Why tries have no result.
#[derive(Debug, thiserror::Error)]
pub enum TriesError {
    /// The edited input is refused, by try, as a snapshot with the same faults would be.
    #[error("{} of the tries are refused", .0.len())]
    Refused(Vec<RefusedTry>),
    /// The caller stopped the tries.
    #[error(transparent)]
    Stopped(#[from] Cancelled),
}

/// A try whose edited input is refused.
#[derive(Debug, Clone, Serialize)]
pub struct RefusedTry {
    /// The name of the try.
    pub name: String,
    /// Every fault.
    pub faults: FaultReport,
}

/// What came of one of the inputs.
enum TryEnd {
    Outcome(Box<RunOutcome>),
    Refused(FaultReport),
    Stopped(Cancelled),
    /// Another try was refused, so that this one is not needed.
    Skipped,
}

/// A try per turn and its next one: every node of the next turn gets the priority of this one, so
/// that both form one turn (2.5). What its value is above that of the base, the order of the two
/// costs.
pub fn priority_tries(snapshot: &Snapshot) -> Vec<Try> {
    // Nodes of the investor level are in no turn.
    let nodes = || {
        let in_turn = |row: &&ConstraintRow| !row.investor_instrument_name.as_str().is_empty();
        snapshot.constraints.iter().filter(in_turn)
    };
    let priorities: BTreeSet<i64> = nodes().map(|row| row.constraint_priority).collect();
    let pairs = priorities.iter().zip(priorities.iter().skip(1));
    let merged = |(priority, next): (&i64, &i64)| {
        let of_next = nodes().filter(|row| row.constraint_priority == *next);
        let edits = of_next.map(|row| Edit::priority(&row.node(), *priority));
        Try { name: format!("{priority} with {next}"), edits: edits.collect() }
    };
    pairs.map(merged).collect()
}

/// A try per `switch_threshold` from 0 to 1, in steps of 1/8 point.
pub fn stability_tries() -> Vec<Try> {
    let threshold = |eighths: i64| {
        let value = Price::from_units(Price::ONE_UNITS * eighths / 8).to_string();
        let value = value.trim_end_matches('0').trim_end_matches('.').to_owned();
        let edit = Edit::Option { option: "switch_threshold", value: value.clone() };
        Try { name: value, edits: vec![edit] }
    };
    (0..=8).map(threshold).collect()
}

/// Decides the base and the tries, on the calling thread and as many further ones as there are
/// cores.
///
/// # Errors
/// [`TriesError`].
pub fn run_tries(
    base: &EditableInput,
    tries: &[Try],
    control: &RunControl,
) -> Result<TriesReport, TriesError> {
    // Number 0 is the base: the input without edits.
    let (numbers, refused) = (Mutex::new(0..=tries.len()), AtomicBool::new(false));
    let ends = Mutex::new(BTreeMap::new());
    let work = || {
        loop {
            let Some(number) = numbers.lock().next() else { break };
            let edits = number.checked_sub(1).map_or(&[][..], |at| &tries[at].edits);
            let end = decide(base, edits, &refused, control);
            ends.lock().insert(number, end);
        }
    };
    let threads = available_parallelism().map_or(1, usize::from).min(tries.len() + 1);
    std::thread::scope(|scope| {
        for _ in 1..threads {
            scope.spawn(work);
        }
        work();
    });
    let ends = ends.into_inner();
    report(tries, ends)
}

fn decide(
    base: &EditableInput,
    edits: &[Edit],
    refused: &AtomicBool,
    control: &RunControl,
) -> TryEnd {
    let edited = match base.apply(edits) {
        Ok(edited) => edited,
        Err(faults) => {
            refused.store(true, Ordering::Relaxed);
            return TryEnd::Refused(faults);
        }
    };
    if refused.load(Ordering::Relaxed) {
        return TryEnd::Skipped;
    }
    match InMemoryRun::decide(&edited.snapshot, &edited.options, control) {
        Ok(run) => TryEnd::Outcome(Box::new(RunOutcome::of_events(RunId::default(), run.events()))),
        Err(cancelled) => TryEnd::Stopped(cancelled),
    }
}

fn report(tries: &[Try], ends: BTreeMap<usize, TryEnd>) -> Result<TriesReport, TriesError> {
    let (mut outcomes, mut refused) = (Vec::new(), Vec::new());
    for (number, end) in ends {
        match end {
            TryEnd::Outcome(outcome) => outcomes.push(*outcome),
            TryEnd::Stopped(cancelled) => return Err(cancelled.into()),
            TryEnd::Refused(faults) => {
                let tried = number.checked_sub(1).map(|at| tries[at].name.clone());
                refused.push(RefusedTry { name: tried.unwrap_or_default(), faults });
            }
            TryEnd::Skipped => {}
        }
    }
    if !refused.is_empty() {
        return Err(TriesError::Refused(refused));
    }
    let mut outcomes = outcomes.into_iter();
    let base = outcomes.next().unwrap_or_default();
    let reports = tries.iter().zip(outcomes).map(|(tried, outcome)| {
        let mut movers = base.movers(&outcome);
        let moved = movers.len() as u64;
        movers.truncate(MOST_MOVERS);
        let edits = tried.edits.iter().map(ToString::to_string).collect();
        TryReport { name: tried.name.clone(), edits, outcome, moved, movers }
    });
    let tries = reports.collect();
    Ok(TriesReport { base, tries })
}
