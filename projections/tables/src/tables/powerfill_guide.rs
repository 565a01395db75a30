//! The table `pfill_powerfill_guide`: the trade and the pool of each allocated, locked, or held
//! loan, with its pool action (1.5).

use std::collections::HashMap;

use powerfill_events::ignored;
use powerfill_events::run::event::{HeldReason, LoanAllocated, LoanPinned, PoolAction};
use powerfill_events::run::{RecordedEvent, RunEvent};
use powerfill_events::values::{LoanId, PoolName, fold};

use super::Projector;
use crate::table::{Cell, Column, DiffRules, ReportSpec, RowBatch, TableRef, TableRole, TableSpec};

/// The declaration of the table.
pub static TABLE: TableSpec = TableSpec {
    name: "pfill_powerfill_guide",
    purpose: "the trade and the pool of each allocated, locked, or held loan, with its pool action \
              (1.5)",
    rows: "One row per loan, by loan_id.",
    columns: &[
        Column::text("loan_id"),
        Column::text("trade_id"),
        Column::text("pool_name"),
        Column::text("investor_id"),
        Column::text("investor_instrument_name"),
        Column::text("constraint_name"),
        Column::int("constraint_priority"),
        Column::text("pass"),
        Column::int("allocation_seq"),
        Column::text("held_reason"),
        Column::money("loan_amount"),
        Column::price("price"),
        Column::price("payup"),
        Column::price("carry_cost"),
        Column::price("prx_plus_carry"),
        Column::price("score"),
        Column::day("settlement_date"),
        Column::text("prior_pool_name"),
        Column::text("prior_trade_id"),
        Column::text("pool_action"),
    ],
    key: &["loan_id"],
    role: TableRole::Decision,
    keeps_every_run: false,
    built_from: None,
    diff: DiffRules {
        pair_by: &["loan_id"],
        decision: &["trade_id", "pool_name", "pool_action", "held_reason"],
        remarks: &[],
        presence_decides: false,
        because: "the desk acts on the trade, the pool, the pool action, and the reason for holding a \
                  loan; pass, sequence, and node only say how the loan got there",
    },
    reports: &[ReportSpec::whole(1, "guide", "the trade and the pool of each allocated, locked, or held loan")],
};

/// The projector before the first event.
pub fn projector() -> impl Projector {
    Guide::default()
}

/// The row of a loan is final only with its pool action, because a pass may still move the loan or
/// take it out.
#[derive(Default)]
struct Guide {
    loans: HashMap<LoanId, GuideRow>,
}

struct GuideRow {
    origin: RowOrigin,
    /// The pool at the end and the pool action, once 2.10 has decided them.
    destination: Option<(Option<PoolName>, PoolAction)>,
}

/// The event that a row comes from.
enum RowOrigin {
    /// The loan stays in its pool.
    Pinned(Box<LoanPinned>),
    /// The last placement of the loan.
    Allocated(Box<LoanAllocated>),
}

impl Guide {
    fn add(&mut self, loan_id: &LoanId, origin: RowOrigin) -> bool {
        self.loans.insert(loan_id.clone(), GuideRow { origin, destination: None });
        true
    }
}

impl Projector for Guide {
    fn table(&self) -> TableRef {
        &TABLE
    }

    fn apply(&mut self, event: &RecordedEvent<'_>) -> bool {
        match event.event {
            RunEvent::LoanPinned(pinned) => {
                self.add(&pinned.loan_id, RowOrigin::Pinned(pinned.clone()))
            }
            RunEvent::LoanAllocated(allocated) => {
                self.add(&allocated.loan_id, RowOrigin::Allocated(allocated.clone()))
            }
            RunEvent::LoanMoved(moved) => {
                let Some(GuideRow { origin: RowOrigin::Allocated(place), .. }) =
                    self.loans.get_mut(&moved.loan_id)
                else {
                    return false;
                };
                place.turn = moved.turn;
                place.node = moved.node.clone();
                place.trade_id = moved.to_trade_id.clone();
                place.pass = moved.pass;
                place.allocation_seq = moved.allocation_seq;
                place.pricing = moved.pricing;
                place.settlement_date = moved.settlement_date;
                place.filled_after = moved.filled_after;
                true
            }
            RunEvent::LoanReleased(released) => self.loans.remove(&released.loan_id).is_some(),
            RunEvent::PoolActionDerived(posting) => match posting.pool_action {
                PoolAction::Remaining | PoolAction::Joining | PoolAction::Switching => {
                    let Some(row) = self.loans.get_mut(&posting.loan_id) else { return false };
                    row.destination = Some((posting.to_pool_name.clone(), posting.pool_action));
                    true
                }
                // A switching loan has one row, with Switching; a leaving loan is kicked out and
                // has no row.
                PoolAction::SwappedIn | PoolAction::Leaving => false,
            },
            ignored!(
                Opening TradeAssessed CashGrids Candidates PassCompleted ConstraintBlockEvaluated
                TradeFillEvaluated LoanKickedOut Synthetic Verification End
            ) => false,
        }
    }

    fn rows(&self, out: &mut RowBatch) {
        let mut loans: Vec<_> = self.loans.iter().collect();
        loans.sort_by_cached_key(|(loan_id, _)| fold(loan_id.as_str()));
        for (_, row) in loans {
            let destination = row.destination.as_ref();
            let pool_action = destination.map(|(_, action)| *action).into();
            match &row.origin {
                RowOrigin::Pinned(pinned) => push_pinned(pinned, pool_action, out),
                RowOrigin::Allocated(allocated) => {
                    let pool_name = destination.and_then(|(pool, _)| pool.as_ref()).into();
                    push_allocated(allocated, pool_name, pool_action, out);
                }
            }
        }
    }
}

/// A pinned loan has NULL for node, priority, and sequence, and keeps its pool (1.5).
fn push_pinned(pinned: &LoanPinned, pool_action: Cell, out: &mut RowBatch) {
    let pass = if pinned.held_reason == HeldReason::Locked { "locked" } else { "held" };
    out.push([
        (&pinned.loan_id).into(),
        pinned.trade_id.as_ref().into(),
        (&pinned.pool_name).into(),
        Cell::Null,
        Cell::Null,
        Cell::Null,
        Cell::Null,
        Cell::Name(pass),
        Cell::Null,
        pinned.held_reason.into(),
        pinned.loan_amount.into(),
        pinned.price.into(),
        pinned.payup.into(),
        pinned.carry_cost.into(),
        pinned.prx_plus_carry.into(),
        pinned.score.into(),
        pinned.settlement_date.into(),
        (&pinned.pool_name).into(),
        pinned.trade_id.as_ref().into(),
        pool_action,
    ]);
}

fn push_allocated(place: &LoanAllocated, pool_name: Cell, pool_action: Cell, out: &mut RowBatch) {
    let (node, pricing) = (&*place.node, &place.pricing);
    out.push([
        (&place.loan_id).into(),
        (&place.trade_id).into(),
        pool_name,
        (&node.investor_id).into(),
        (&node.investor_instrument_name).into(),
        (&node.constraint_name).into(),
        node.constraint_priority.into(),
        place.pass.into(),
        place.allocation_seq.into(),
        Cell::Null,
        place.loan_amount.into(),
        pricing.price.into(),
        pricing.payup.into(),
        pricing.carry_cost.into(),
        pricing.prx_plus_carry.into(),
        pricing.score.into(),
        place.settlement_date.into(),
        place.prior_pool_name.as_ref().into(),
        place.prior_trade_id.as_ref().into(),
        pool_action,
    ]);
}
