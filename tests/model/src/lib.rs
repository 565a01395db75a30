//! The naive model: part 2 of the specification, rule by rule, with a new search at every step.
//!
//! It is slow, and written to be read beside the text. Tests run it and the engine on the same
//! books and compare the output tables (1.5) and the decisions of the passes. It shares no code
//! with the engine, arithmetic included; from `powerfill_events` it takes the names of reasons and
//! actions.

mod market;
mod number;
mod participation;
mod passes;
mod preflight;
mod preprocess;
mod results;
mod tables;
mod ue;

use powerfill_events::run::event::RejectionReason;
use powerfill_snapshot::{RunOptions, Snapshot};

use market::Market;
use participation::ModelInput;
use passes::ModelAllocation;

pub use passes::{Decision, PassCount};

/// The result of a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ModelRun {
    /// False where preflight refuses the run; then only the findings exist.
    pub completes: bool,
    /// The output tables of 1.5, without `pfill_powerfill_log` and `pfill_run_history`.
    pub tables: Vec<ModelTable>,
    /// Every placement, move and release, in order.
    pub decisions: Vec<Decision>,
    /// Per turn and pass.
    pub passes: Vec<PassCount>,
    /// (loan, trade, reason), by loan and trade.
    pub rejections: Vec<(String, String, RejectionReason)>,
}

impl ModelRun {
    /// The table with this name; `None` where preflight refuses the run.
    pub fn table(&self, name: &str) -> Option<&ModelTable> {
        self.tables.iter().find(|table| table.name == name)
    }
}

/// An output table as text: cells as in CSV, NULL as the empty text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ModelTable {
    /// As in 1.5.
    pub name: &'static str,
    /// Without `run_id`.
    pub columns: Vec<&'static str>,
    /// In the order of 1.5.
    pub rows: Vec<Vec<String>>,
}

/// The tables of preprocess (2.2): the rows that `pfill_lockdown_guide` gains,
/// `pfill_trade_params`, and `pfill_epci_params`.
pub fn preprocess(snapshot: &Snapshot, options: &RunOptions) -> [ModelTable; 3] {
    let input = ModelInput::new(snapshot, options);
    preprocess::preprocess(&Market::new(&input))
}

/// Runs all of part 2.
pub fn run(snapshot: &Snapshot, options: &RunOptions) -> ModelRun {
    let input = ModelInput::new(snapshot, options);
    let market = Market::new(&input);
    let mut tables = vec![tables::preflight_findings(&market)];
    if preflight::findings(&market).iter().any(|(_, severity, _)| *severity == "error") {
        return ModelRun {
            completes: false,
            tables,
            decisions: vec![],
            passes: vec![],
            rejections: vec![],
        };
    }
    let end = ModelAllocation::run(&market);
    tables.extend([
        tables::trade_base(&market),
        tables::candidates(&market),
        tables::guide(&market, &end),
        tables::pool_guide(&market, &end),
        tables::kickout_guide(&market, &end),
        tables::trade_recap(&market, &end),
        tables::constraint_pool(&market, &end),
        tables::syn_trade_base(&market),
    ]);
    tables.extend(tables::syn_guides(&market, &end));
    let rejections = market
        .rejections
        .iter()
        .map(|((l, t), reason)| {
            let (loan, trade) = (&snapshot.loans[*l].loan_id, &snapshot.trades[*t].trade_id);
            (loan.to_string(), trade.to_string(), *reason)
        })
        .collect();
    ModelRun { completes: true, tables, decisions: end.decisions, passes: end.counts, rejections }
}
