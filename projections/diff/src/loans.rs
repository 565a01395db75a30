//! What became of a loan on both sides, where the paths part, and why ours is as it is
//! (specification 3.4).

use powerfill_events::run::event::Pass;
use powerfill_events::values::fold;
use powerfill_explain::{
    CandidateVerdict, LoanOutcome, LoanStep, LoanStories, OutcomeClause, RelationClause,
    TradeRelation,
};
use powerfill_tables::table::TableSpec;
use serde::Serialize;

use crate::compare::RowVerdict;
use crate::grid::Grid;
use crate::side::by_name;
use crate::{Comparison, Interner};

/// A loan whose decision differs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LoanPath {
    /// The loan.
    pub loan_id: String,
    /// Where it is here.
    pub here: LoanPosition,
    /// Where it is there.
    pub there: LoanPosition,
    /// Where the paths part; NULL where the loan is in the same place.
    pub parted: Option<Divergence>,
    /// Why it is where it is here, and not where it is there.
    pub because: String,
}

/// Where a loan is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "place", rename_all = "snake_case")]
pub enum LoanPosition {
    /// In a trade, or a pool of it.
    Allocated {
        /// The trade; NULL where the guide does not say.
        trade_id: Option<String>,
        /// The pool.
        pool_name: Option<String>,
        /// What it does about pools.
        pool_action: Option<String>,
    },
    /// Where it was.
    Held {
        /// Why.
        held_reason: String,
        /// The pool.
        pool_name: Option<String>,
        /// The pool's trade.
        trade_id: Option<String>,
    },
    /// Nowhere.
    KickedOut {
        /// Why; NULL where the guide does not say.
        reason: Option<String>,
    },
    /// In none of the tables that the side has.
    Absent,
}

/// The first moment at which a loan's paths differ.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Divergence {
    /// In this pass; NULL before the passes.
    pub pass: Option<Pass>,
    /// In this turn; NULL before the passes and in orphan_handling.
    pub turn: Option<u32>,
    /// What happened then.
    pub what: String,
}

impl std::fmt::Display for LoanPosition {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Allocated { trade_id, pool_action, .. } => {
                match trade_id {
                    Some(trade) => write!(f, "trade {trade}")?,
                    None => write!(f, "no trade")?,
                }
                pool_action.as_ref().map_or(Ok(()), |action| write!(f, ", {action}"))
            }
            Self::Held { held_reason, pool_name, .. } => match pool_name {
                Some(pool) => write!(f, "held in pool {pool}, {held_reason}"),
                None => write!(f, "held, {held_reason}"),
            },
            Self::KickedOut { reason: Some(reason) } => write!(f, "kicked out, {reason}"),
            Self::KickedOut { reason: None } => write!(f, "kicked out"),
            Self::Absent => write!(f, "in no table"),
        }
    }
}

impl std::fmt::Display for Divergence {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match (self.pass, self.turn) {
            (None, _) => write!(f, "before the passes")?,
            (Some(pass), None) => write!(f, "at {}", pass.as_str())?,
            (Some(pass), Some(turn)) => write!(f, "at {} of turn {turn}", pass.as_str())?,
        }
        write!(f, ": {}", self.what)
    }
}

impl LoanPosition {
    fn trade(&self) -> Option<&str> {
        match self {
            Self::Allocated { trade_id, .. } | Self::Held { trade_id, .. } => trade_id.as_deref(),
            Self::KickedOut { .. } | Self::Absent => None,
        }
    }

    /// Whether two places are one: the same trade, or both none, for reasons that may differ.
    fn is(&self, other: &Self) -> bool {
        let trades = (self.trade().map(fold), other.trade().map(fold));
        std::mem::discriminant(self) == std::mem::discriminant(other) && trades.0 == trades.1
    }
}

/// Where loans are on one side: its guide and its kickouts.
struct Places<'a> {
    guide: Option<ByLoan<'a>>,
    kickouts: Option<ByLoan<'a>>,
}

/// A table by loan.
struct ByLoan<'a> {
    table: &'static TableSpec,
    grid: &'a Grid,
    /// The number of a loan and its row, in order.
    rows: Vec<(u32, u32)>,
}

impl ByLoan<'_> {
    fn row(&self, loan: u32) -> Option<u32> {
        let at = self.rows.binary_search_by_key(&loan, |(name, _)| *name).ok()?;
        Some(self.rows[at].1)
    }

    fn cell(&self, row: u32, column: &str, names: &Interner) -> Option<String> {
        let text = self.grid.written(row, self.table.position(column)?, names);
        Some(text).filter(|text| !text.is_empty())
    }
}

const GUIDE: &str = "pfill_powerfill_guide";
const KICKOUTS: &str = "pfill_kickout_guide_01";

/// Whether the rows say what becomes of a loan. Candidates and ranked options only say what a loan
/// could do.
fn is_of_loans(table: &TableSpec) -> bool {
    matches!(table.diff.pair_by, ["loan_id"] | ["loan_id", "pool_action"])
}

impl Comparison {
    /// The loans whose decision differs, in the order of ids, the first `most` of them; and how
    /// many there are.
    pub fn parted_loans(&self, most: usize) -> (Vec<String>, u64) {
        let mut loans: Vec<u32> = Vec::new();
        for table in self.tables.iter().filter(|table| is_of_loans(table.spec)) {
            let Some(column) = table.spec.position("loan_id") else { continue };
            let of_decision = |verdict| verdict != RowVerdict::OtherNumbers;
            let differences = table.differences.iter().filter(|d| of_decision(d.verdict));
            loans.extend(differences.filter_map(|d| {
                let here = d.here.map(|row| table.here.grid.row(row)[column]);
                let there = || d.there.map(|row| table.there.grid.row(row)[column]);
                here.or_else(there)?.name()
            }));
        }
        loans.sort_unstable();
        loans.dedup();
        loans.sort_by(|a, b| self.names.folded(*a).cmp(self.names.folded(*b)));
        let all = loans.len() as u64;
        let spelled = loans.into_iter().take(most).map(|loan| self.names.spelled(loan).to_string());
        (spelled.collect(), all)
    }

    /// Tells of these loans, from the events of our run, and of the other side where that is a run
    /// too.
    pub fn tell(&mut self, loans: &[String], here: &LoanStories, there: Option<&LoanStories>) {
        let (places_here, places_there) = (self.places(0), self.places(1));
        let path = |loan: &String| {
            let number = self.names.find(loan, "loan_id")?;
            let place_here = self.place(&places_here, number);
            let place_there = self.place(&places_there, number);
            let parted = match there {
                _ if place_here.is(&place_there) => None,
                Some(there) => Some(parting_of_runs(loan, here, there, &place_here, &place_there)),
                None => Some(parting_of_export(loan, here, &place_there)),
            };
            let mut because =
                here.outcome(loan).map_or_else(String::new, |o| OutcomeClause(&o).to_string());
            if !place_here.is(&place_there)
                && let Some(trade_id) = place_there.trade()
                && let Some(toward) = here.toward(loan, trade_id)
            {
                because.push_str("; ");
                because.push_str(&RelationClause { trade_id, toward: &toward }.to_string());
            }
            let loan_id = loan.clone();
            Some(LoanPath { loan_id, here: place_here, there: place_there, parted, because })
        };
        self.loans = loans.iter().filter_map(path).collect();
    }

    /// A table of a side by loan, compared or not.
    fn by_loan(&self, side: usize, name: &str) -> Option<ByLoan<'_>> {
        let (at, table) = by_name(name)?;
        let compared = self.tables.iter().find(|compared| compared.spec.name == name);
        let compared = compared.map(|compared| [&compared.here, &compared.there][side]);
        let rest = || [&self.here, &self.there][side].tables[at].as_ref();
        let grid = &compared.or_else(rest)?.grid;
        Some(ByLoan { table, grid, rows: grid.by_name(table.position("loan_id")?) })
    }

    fn places(&self, side: usize) -> Places<'_> {
        let (guide, kickouts) = (self.by_loan(side, GUIDE), self.by_loan(side, KICKOUTS));
        Places { guide, kickouts }
    }

    fn place(&self, places: &Places<'_>, loan: u32) -> LoanPosition {
        if let Some(guide) = &places.guide
            && let Some(row) = guide.row(loan)
        {
            let cell = |column| guide.cell(row, column, &self.names);
            let (trade_id, pool_name) = (cell("trade_id"), cell("pool_name"));
            return match cell("held_reason") {
                Some(held_reason) => LoanPosition::Held { held_reason, pool_name, trade_id },
                None => LoanPosition::Allocated {
                    trade_id,
                    pool_name,
                    pool_action: cell("pool_action"),
                },
            };
        }
        let kicked_out = places.kickouts.as_ref().and_then(|kickouts| {
            let row = kickouts.row(loan)?;
            Some(LoanPosition::KickedOut { reason: kickouts.cell(row, "reason", &self.names) })
        });
        kicked_out.unwrap_or(LoanPosition::Absent)
    }
}

/// When a step happens, in the order of 2.7: orphan_handling after the last turn.
fn moment(step: &LoanStep) -> (u32, Pass) {
    let (turn, pass) = match step {
        LoanStep::Allocated(placed) => (placed.turn, placed.pass),
        LoanStep::Moved(moved) => (moved.turn, moved.pass),
        LoanStep::Released(released) => (released.turn, released.pass),
    };
    at(turn, pass)
}

const fn at(turn: u32, pass: Pass) -> (u32, Pass) {
    match pass {
        Pass::OrphanHandling => (u32::MAX, pass),
        Pass::ExactFit | Pass::BestFit | Pass::FillRemaining => (turn, pass),
    }
}

fn words(step: Option<&LoanStep>) -> String {
    match step {
        Some(LoanStep::Allocated(placed)) => format!("it is placed in trade {}", placed.trade_id),
        Some(LoanStep::Moved(moved)) => {
            format!("it moves from trade {} to {}", moved.from_trade_id, moved.to_trade_id)
        }
        Some(LoanStep::Released(released)) => {
            format!(
                "it is taken out of trade {} for loan {}",
                released.trade_id, released.exchanged_for
            )
        }
        None => "nothing is done with it".to_owned(),
    }
}

fn parted_at((turn, pass): (u32, Pass), what: String) -> Divergence {
    Divergence { pass: Some(pass), turn: (turn != u32::MAX).then_some(turn), what }
}

fn before(what: String) -> Divergence {
    Divergence { pass: None, turn: None, what }
}

/// Whether a loan could have gone to a trade at all; if not, in words.
fn barred(stories: &LoanStories, loan: &str, trade: Option<&str>) -> Option<String> {
    let trade_id = trade?;
    let toward = stories.toward(loan, trade_id)?;
    match &toward {
        TradeRelation::Candidate { .. } => None,
        toward => Some(RelationClause { trade_id, toward }.to_string()),
    }
}

/// Between two runs: both did the same with the loan until one step, or did not begin with the same
/// candidates.
fn parting_of_runs(
    loan: &str,
    here: &LoanStories,
    there: &LoanStories,
    place_here: &LoanPosition,
    place_there: &LoanPosition,
) -> Divergence {
    let takes_part = |stories: &LoanStories| {
        !matches!(stories.outcome(loan), None | Some(LoanOutcome::Pinned(_) | LoanOutcome::NoPart))
    };
    if takes_part(here) != takes_part(there) {
        let went = |stories: &LoanStories| {
            stories
                .outcome(loan)
                .map_or_else(String::new, |outcome| OutcomeClause(&outcome).to_string())
        };
        return before(format!("here it {}; there it {}", went(here), went(there)));
    }
    if let Some(why) = barred(here, loan, place_there.trade()) {
        return before(format!("here, {why}"));
    }
    if let Some(why) = barred(there, loan, place_here.trade()) {
        return before(format!("there, {why}"));
    }
    let (mut ours, mut theirs) = (here.steps(loan), there.steps(loan));
    loop {
        let (a, b) = (ours.next(), theirs.next());
        let (when_a, when_b) = (a.map(moment), b.map(moment));
        if when_a == when_b && words(a) == words(b) {
            if a.is_none() {
                return before("both did the same with it".to_owned());
            }
            continue;
        }
        // What comes later on a side has not happened yet when the other one acts.
        let first = [when_a, when_b].into_iter().flatten().min();
        let of = |step, when| words(if when == first { step } else { None });
        let what = format!("here {}; there {}", of(a, when_a), of(b, when_b));
        return match first {
            Some(when) => parted_at(when, what),
            None => before(what),
        };
    }
}

/// Against an export, of which we have no events: where ours did something else than what led
/// there.
fn parting_of_export(loan: &str, here: &LoanStories, place_there: &LoanPosition) -> Divergence {
    let steps: Vec<&LoanStep> = here.steps(loan).collect();
    let placed = steps.iter().find(|step| matches!(step, LoanStep::Allocated(_)));
    let Some(trade_id) = place_there.trade() else {
        return match placed {
            Some(step) => parted_at(moment(step), words(Some(step))),
            None => before(here.outcome(loan).map_or_else(
                || "no event names it".to_owned(),
                |outcome| format!("it {}", OutcomeClause(&outcome)),
            )),
        };
    };
    let toward = here.toward(loan, trade_id);
    let stands = toward.as_ref().map(|toward| RelationClause { trade_id, toward }.to_string());
    let stands = stands.unwrap_or_else(|| "no event names it".to_owned());
    let Some(TradeRelation::Candidate { turn, verdict, .. }) = toward else {
        return before(stands);
    };
    let of_place = |trade: &str| {
        steps.iter().find(|step| match step {
            LoanStep::Allocated(placed) => placed.trade_id.as_str() == trade,
            LoanStep::Moved(moved) => moved.to_trade_id.as_str() == trade,
            LoanStep::Released(_) => false,
        })
    };
    match &verdict {
        CandidateVerdict::PlacedBefore { trade_id, .. }
        | CandidateVerdict::CompletedAnother { trade_id } => {
            let step = of_place(trade_id.as_str());
            step.map_or_else(|| before(stands), |step| parted_at(moment(step), words(Some(step))))
        }
        CandidateVerdict::GivenUp { .. } => {
            let leaves = steps.iter().rfind(|step| match step {
                LoanStep::Moved(moved) => fold(moved.from_trade_id.as_str()) == fold(trade_id),
                LoanStep::Released(released) => fold(released.trade_id.as_str()) == fold(trade_id),
                LoanStep::Allocated(_) => false,
            });
            leaves.map_or_else(
                || parted_at(at(turn, Pass::BestFit), words(None)),
                |step| parted_at(moment(step), words(Some(step))),
            )
        }
        CandidateVerdict::NoRoom { .. }
        | CandidateVerdict::AtOpenAmount { .. }
        | CandidateVerdict::LimitBarred { .. }
        | CandidateVerdict::NotReached
        | CandidateVerdict::Chosen => parted_at(at(turn, Pass::BestFit), stands),
    }
}
