//! Changes one value of the input, runs the passes, and restores the value.

use std::sync::Arc;

use super::error::NoAnswer;
use crate::book::{ConstraintIdx, LoanIdx, TradeIdx};
use crate::dry_run::{DryRun, FinalPlace, dry_run};
use crate::participation::band;
use powerfill_events::run::event::Node;
use powerfill_events::values::{
    ConstraintName, InstrumentName, InvestorId, LoanId, Money, Price, Share, TradeId,
};
use powerfill_facts::what_if::{NewAllocation, PlacingChange, SideEffects, TrialChange};
use powerfill_snapshot::tables::{ConstraintRow, Trade};
use powerfill_snapshot::{RunOptions, Snapshot};

/// A value of the input that a change moves. A change is a number of the value's smallest units,
/// from 0; more units are a larger change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Lever {
    /// `trade_amount` of a trade, up, in cents.
    TradeAmount(TradeIdx),
    /// `hi_limit` of a constraint, up, in millionths.
    HiLimit(ConstraintIdx),
    /// `bx_price_floor`, down, in its last decimal.
    PriceFloor,
    /// `eligible_settle_buffer_days`, down.
    Buffer,
    /// `max_trade_settle_days`, up.
    Horizon,
}

/// The input of a run in which the subject, a loan, is kicked out.
pub(super) struct Experiment {
    pub(super) snapshot: Snapshot,
    pub(super) options: RunOptions,
    subject: LoanIdx,
    /// The run of the unchanged input.
    pub(super) unchanged: DryRun,
}

impl Experiment {
    pub(super) fn new(
        snapshot: Snapshot,
        options: RunOptions,
        subject: LoanIdx,
    ) -> Result<Self, NoAnswer> {
        let unchanged = dry_run(&snapshot, &options, subject).ok_or(NoAnswer::Refused)?;
        if unchanged.places[subject] != FinalPlace::KickedOut {
            return Err(NoAnswer::NotKickedOut);
        }
        Ok(Self { snapshot, options, subject, unchanged })
    }

    pub(super) fn loan_amount(&self) -> Money {
        self.snapshot.loans[self.subject.get()].loan_amount
    }

    pub(super) fn trade(&self, idx: TradeIdx) -> &Trade {
        &self.snapshot.trades[idx.get()]
    }

    pub(super) fn constraint(&self, idx: ConstraintIdx) -> &ConstraintRow {
        &self.snapshot.constraints[idx.get()]
    }

    /// Runs the passes with a change; `None` where the subject is not placed.
    pub(super) fn run_with(&mut self, lever: Lever, units: i64) -> Option<DryRun> {
        self.apply(lever, units);
        let run = dry_run(&self.snapshot, &self.options, self.subject);
        self.apply(lever, -units);
        run.filter(|run| run.placement.is_some())
    }

    fn apply(&mut self, lever: Lever, units: i64) {
        match lever {
            Lever::TradeAmount(idx) => {
                self.snapshot.trades[idx.get()].trade_amount += Money::from_units(units);
            }
            Lever::HiLimit(idx) => {
                if let Some(hi_limit) = &mut self.snapshot.constraints[idx.get()].hi_limit {
                    *hi_limit += Share::from_units(units);
                }
            }
            Lever::PriceFloor => {
                if let Some(floor) = &mut self.options.bx_price_floor {
                    *floor -= Price::from_units(units);
                }
            }
            Lever::Buffer => self.options.eligible_settle_buffer_days -= days(units),
            Lever::Horizon => self.options.max_trade_settle_days += days(units),
        }
    }

    /// A change as answers show it.
    pub(super) fn change(&self, lever: Lever, units: i64) -> TrialChange {
        match lever {
            Lever::TradeAmount(idx) => {
                let (trade, freed_amount) = (self.trade(idx), Money::from_units(units));
                let trade_amount = trade.trade_amount + freed_amount;
                let open_amount = trade_amount - trade.pair_off_amount;
                TrialChange::FreedAmount {
                    trade_id: TradeId::from(&trade.trade_id),
                    freed_amount,
                    trade_amount,
                    open_amount,
                    max_amount: band(trade, open_amount).max_amount,
                }
            }
            Lever::HiLimit(idx) => {
                let (row, raised_by) = (self.constraint(idx), Share::from_units(units));
                let name = &row.investor_instrument_name;
                TrialChange::LimitRaised {
                    node: Arc::new(Node {
                        investor_id: InvestorId::from(&row.investor_id),
                        investor_instrument_name: InstrumentName::from(name),
                        constraint_name: ConstraintName::from(&row.constraint_name),
                        constraint_priority: row.constraint_priority,
                    }),
                    raised_by,
                    hi_limit: row.hi_limit.unwrap_or_default() + raised_by,
                }
            }
            Lever::PriceFloor => {
                let lowered_by = Price::from_units(units);
                let bx_price_floor = self.options.bx_price_floor.unwrap_or_default() - lowered_by;
                TrialChange::PriceFloorLowered { lowered_by, bx_price_floor }
            }
            Lever::Buffer => {
                let days = days(units);
                let eligible_settle_buffer_days = self.options.eligible_settle_buffer_days - days;
                TrialChange::BufferShortened { days, eligible_settle_buffer_days }
            }
            Lever::Horizon => {
                let days = days(units);
                let max_trade_settle_days = self.options.max_trade_settle_days + days;
                TrialChange::HorizonLengthened { days, max_trade_settle_days }
            }
        }
    }

    /// The finding for a change that places the subject, and a smaller one that does not.
    pub(super) fn finding(
        &self,
        lever: Lever,
        (enough, not_enough): (i64, i64),
        run: &DryRun,
    ) -> PlacingChange {
        let placement = run.placement.as_ref().expect("the change places the subject");
        PlacingChange {
            change: self.change(lever, enough),
            not_enough: (not_enough > 0).then(|| self.change(lever, not_enough)),
            exact: enough - not_enough == 1,
            place: NewAllocation {
                trade_id: TradeId::from(&self.trade(placement.trade).trade_id),
                settlement_date: placement.settles_on,
                pass: placement.pass,
                pricing: placement.pricing,
            },
            others: self.others(run),
        }
    }

    /// What a change does to the other loans.
    fn others(&self, run: &DryRun) -> SideEffects {
        let mut others = SideEffects::default();
        for (loan, before) in self.unchanged.places.enumerate() {
            let after = run.places[loan];
            if *before == after || loan == self.subject {
                continue;
            }
            others.moved += 1;
            let loan_id = || LoanId::from(&self.snapshot.loans[loan.get()].loan_id);
            match (before, after) {
                (_, FinalPlace::KickedOut) => others.kicked_out.push(loan_id()),
                (FinalPlace::KickedOut, _) => others.placed.push(loan_id()),
                (_, _) => {}
            }
        }
        others
    }
}

fn days(units: i64) -> i32 {
    i32::try_from(units).expect("an option of days has at most four digits")
}
