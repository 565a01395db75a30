//! A second PowerFill: part 2 of the specification, rule by rule, with everything looked for afresh at every step.
//!
//! It is slow and it is meant to be read beside the text. Tests run it and the engine on the same books and compare
//! the output tables (1.5) and the decisions of the passes; it shares no code with the engine, arithmetic included.

mod market;
mod number;
mod passes;
mod preflight;
mod preprocess;
mod results;
mod tables;
mod ue;
mod who;

use powerfill_snapshot::{RunOptions, Snapshot};

use market::Market;
use passes::Allocation;
use who::Cast;

pub use passes::{Decision, PassCount};

/// What a run comes to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ModelRun {
    /// Whether preflight let it pass; otherwise only the findings are there.
    pub completes: bool,
    /// The output tables of 1.5, without `pfill_powerfill_log` and `pfill_run_history`.
    pub tables: Vec<ModelTable>,
    /// Every placement, move and release, in order.
    pub decisions: Vec<Decision>,
    /// What each pass did in each turn.
    pub passes: Vec<PassCount>,
    /// (loan, trade, reason), by loan and trade.
    pub rejections: Vec<(String, String, &'static str)>,
}

impl ModelRun {
    /// The table of this name; an empty one where the run did not get there.
    pub fn table(&self, name: &str) -> Option<&ModelTable> {
        self.tables.iter().find(|table| table.name == name)
    }
}

/// An output table as text: cells as in CSV, NULL as the empty text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ModelTable {
    /// Its name in 1.5.
    pub name: &'static str,
    /// Its columns, `run_id` left out.
    pub columns: Vec<&'static str>,
    /// Its rows, in the order of 1.5.
    pub rows: Vec<Vec<String>>,
}

/// What preprocess writes (2.2): the rows that `pfill_lockdown_guide` gains, `pfill_trade_params`, `pfill_epci_params`.
pub fn preprocess(snapshot: &Snapshot, options: &RunOptions) -> [ModelTable; 3] {
    let cast = Cast::new(snapshot, options);
    preprocess::preprocess(&Market::new(&cast))
}

/// Runs the whole of part 2.
pub fn run(snapshot: &Snapshot, options: &RunOptions) -> ModelRun {
    let cast = Cast::new(snapshot, options);
    let market = Market::new(&cast);
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
    let end = Allocation::run(&market);
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
