//! The table `pfill_value_summary`: what a run is worth in dollars, by several groupings, and the
//! waterfall from leaving every loan where it is to the value of the run (7.2).

mod groups;
mod loans;
mod totals;
mod waterfall;

use std::collections::{BTreeMap, HashMap};

use foldhash::fast::RandomState;
use powerfill_events::ignored;
use powerfill_events::run::event::{GridPoint, TradeAssessed, TradeFillEvaluated};
use powerfill_events::run::{RecordedEvent, RunEvent};
use powerfill_events::values::{Day, InstrumentName, LoanId, TradeId};

use self::loans::{CandidateValue, Kickout, Place};
use super::Projector;
use crate::table::{Column, DiffRules, ReportSpec, RowBatch, TableRef, TableRole, TableSpec};

/// The version of the table that has a column first. Release 0.1.0 did not have the table.
const FIRST: u32 = 2;

/// The declaration of the table.
pub static TABLE: TableSpec = TableSpec {
    name: "pfill_value_summary",
    purpose: "what the run is worth (7.2)",
    rows: "One row per group, by position. What does not apply to a grouping is NULL.",
    columns: &[
        Column::int("position").since(FIRST),
        Column::text("grouping").since(FIRST),
        Column::text("group_name").since(FIRST),
        Column::int("loans").since(FIRST),
        Column::int("unpriced_loans").since(FIRST),
        Column::money("loan_amount").since(FIRST),
        Column::money("proceeds_amount").since(FIRST),
        Column::price("wavg_price").since(FIRST),
        Column::money("payup_amount").since(FIRST),
        Column::money("carry_amount").since(FIRST),
        Column::money("value_amount").since(FIRST),
        Column::int("pick_up_loans").since(FIRST),
        Column::money("pick_up_amount").since(FIRST),
        Column::int("give_up_loans").since(FIRST),
        Column::money("give_up_amount").since(FIRST),
        Column::int("synthetic_loans").since(FIRST),
        Column::money("synthetic_amount").since(FIRST),
        Column::money("shortfall_amount").since(FIRST),
        Column::money("shortfall_value_amount").since(FIRST),
        Column::int("fill_loans").since(FIRST),
        Column::money("fill_amount").since(FIRST),
    ],
    key: &["grouping", "group_name"],
    role: TableRole::Record,
    keeps_every_run: false,
    built_from: None,
    diff: DiffRules {
        pair_by: &["grouping", "group_name"],
        decision: &[],
        remarks: &["position"],
        presence_decides: false,
        because: "every value follows from the other tables, so a difference is one of those",
    },
    reports: &[ReportSpec::whole(12, "value", "what the run is worth, by several groupings")],
};

/// The projector before the first event.
pub fn projector() -> impl Projector {
    ValueSummary::default()
}

/// What the events say about the worth of loans. Rows are final only at the end of the run.
#[derive(Default)]
struct ValueSummary {
    trades: HashMap<TradeId, Box<TradeAssessed>>,
    candidates: HashMap<LoanId, Vec<CandidateValue>, RandomState>,
    places: HashMap<LoanId, Place>,
    kickouts: HashMap<LoanId, Kickout>,
    fills: Vec<TradeFillEvaluated>,
    grids: BTreeMap<(InstrumentName, Day), Vec<GridPoint>>,
}

impl Projector for ValueSummary {
    fn table(&self) -> TableRef {
        &TABLE
    }

    fn apply(&mut self, event: &RecordedEvent<'_>) -> bool {
        match event.event {
            RunEvent::TradeAssessed(trade) => {
                self.trades.insert(trade.trade_id.clone(), trade.clone());
            }
            RunEvent::LoanPinned(pinned) => {
                let place = Place::pinned(pinned);
                self.places.extend(place.map(|place| (pinned.loan_id.clone(), place)));
            }
            RunEvent::CandidateScored(scored) => {
                let values = self.candidates.entry(scored.loan_id.clone()).or_default();
                values.push(CandidateValue::new(scored));
            }
            RunEvent::LoanAllocated(allocated) => {
                self.places.insert(allocated.loan_id.clone(), Place::allocated(allocated));
            }
            RunEvent::LoanMoved(moved) => {
                if let Some(place) = self.places.get_mut(&moved.loan_id) {
                    place.move_to(moved);
                }
            }
            RunEvent::LoanReleased(released) => {
                self.places.remove(&released.loan_id);
            }
            RunEvent::TradeFillEvaluated(fill) => self.fills.push(TradeFillEvaluated::clone(fill)),
            RunEvent::LoanKickedOut(kickout) => {
                self.kickouts.insert(kickout.loan_id.clone(), Kickout::new(kickout));
            }
            RunEvent::PoolActionDerived(posting) => {
                if let Some(place) = self.places.get_mut(&posting.loan_id) {
                    place.take_action(posting.pool_action);
                } else if let Some(kickout) = self.kickouts.get_mut(&posting.loan_id) {
                    kickout.left_trade = posting.trade_id.clone();
                }
            }
            RunEvent::SyntheticTradePriced(priced) => {
                let slot = (priced.investor_instrument_name.clone(), priced.settlement_date);
                self.grids.insert(slot, priced.grid.clone());
            }
            RunEvent::SyntheticOptionsRanked(ranked) => {
                if let Some(place) = self.places.get_mut(&ranked.loan_id) {
                    place.give_up = ranked.give_up;
                } else if let Some(kickout) = self.kickouts.get_mut(&ranked.loan_id) {
                    kickout.take_options(ranked);
                }
            }
            ignored!(
                Opening CashGrids ConstraintMatched CandidatesRejected PassCompleted
                ConstraintBlockEvaluated CashMarketMapped Verification End
            ) => return false,
        }
        true
    }

    fn rows(&self, out: &mut RowBatch) {
        self.push_groups(out);
        self.push_kickouts(out);
        self.push_short_trades(out);
        self.push_waterfall(out);
    }
}

impl ValueSummary {
    /// The values of a loan at a trade, if it is a candidate there.
    fn candidate(&self, loan: &LoanId, trade: Option<&TradeId>) -> Option<&CandidateValue> {
        let trade = trade?;
        self.candidates.get(loan)?.iter().find(|candidate| candidate.trade_id == *trade)
    }
}
