//! Where changes are tried: the input, one value of which is changed, the passes run, and the value put back.

use powerfill_facts::what_if::{Change, Finding, NewPlace, Others};
use std::sync::Arc;

use super::NoAnswer;
use crate::rehearsal::{Place, Rehearsal, band, rehearse};
use powerfill_events::run::event::Node;
use powerfill_events::values::{
    ConstraintName, InstrumentName, InvestorId, LoanId, Money, Price, Share, TradeId,
};
use powerfill_snapshot::{RunOptions, Snapshot};

/// A value of the input that can be changed. Changes are counted in its smallest unit, upwards from 0, where more is a
/// larger change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Lever {
    /// trade_amount of this trade, in cents.
    TradeAmount(usize),
    /// hi_limit of this row of `pfill_constraints`, in millionths.
    HiLimit(usize),
    /// bx_price_floor, down, in its last decimal.
    PriceFloor,
    /// eligible_settle_buffer_days, down.
    Buffer,
    /// max_trade_settle_days.
    Horizon,
}

/// The input of a run, and how it ends for a loan that is kicked out.
pub(super) struct Bench {
    pub(super) snapshot: Snapshot,
    pub(super) options: RunOptions,
    /// Position of the loan.
    pub(super) subject: u32,
    pub(super) unchanged: Rehearsal,
}

impl Bench {
    pub(super) fn new(
        snapshot: Snapshot,
        options: RunOptions,
        subject: u32,
    ) -> Result<Self, NoAnswer> {
        let unchanged = rehearse(&snapshot, &options, subject).ok_or(NoAnswer::Refused)?;
        if unchanged.places[subject as usize] != Place::KickedOut {
            return Err(NoAnswer::NotKickedOut);
        }
        Ok(Self { snapshot, options, subject, unchanged })
    }

    pub(super) fn loan_amount(&self) -> Money {
        self.snapshot.loans[self.subject as usize].loan_amount
    }

    /// Runs the passes with a change; `None` where the loan still has no place.
    pub(super) fn attempt(&mut self, lever: Lever, units: i64) -> Option<Rehearsal> {
        self.pull(lever, units);
        let rehearsal = rehearse(&self.snapshot, &self.options, self.subject);
        self.pull(lever, -units);
        rehearsal.filter(|rehearsal| rehearsal.placement.is_some())
    }

    fn pull(&mut self, lever: Lever, units: i64) {
        match lever {
            Lever::TradeAmount(trade) => {
                self.snapshot.trades[trade].trade_amount += Money::from_units(units);
            }
            Lever::HiLimit(row) => {
                if let Some(hi_limit) = &mut self.snapshot.constraints[row].hi_limit {
                    *hi_limit += Share::from_units(units);
                }
            }
            Lever::PriceFloor => {
                if let Some(floor) = &mut self.options.bx_price_floor {
                    *floor -= Price::from_units(units);
                }
            }
            // Days have at most four digits.
            Lever::Buffer => self.options.eligible_settle_buffer_days -= units as i32,
            Lever::Horizon => self.options.max_trade_settle_days += units as i32,
        }
    }

    /// A change in the words of the input.
    pub(super) fn change(&self, lever: Lever, units: i64) -> Change {
        match lever {
            Lever::TradeAmount(at) => {
                let (trade, freed_amount) = (&self.snapshot.trades[at], Money::from_units(units));
                let trade_amount = trade.trade_amount + freed_amount;
                let open_amount = trade_amount - trade.pair_off_amount;
                Change::FreedAmount {
                    trade_id: TradeId::from(&trade.trade_id),
                    freed_amount,
                    trade_amount,
                    open_amount,
                    max_amount: band(trade, open_amount).max_amount,
                }
            }
            Lever::HiLimit(at) => {
                let row = &self.snapshot.constraints[at];
                let raised_by = Share::from_units(units);
                Change::LimitRaised {
                    node: Arc::new(Node {
                        investor_id: InvestorId::from(&row.key.investor_id),
                        investor_instrument_name: InstrumentName::from(
                            &row.key.investor_instrument_name,
                        ),
                        constraint_name: ConstraintName::from(&row.key.constraint_name),
                        constraint_priority: row.constraint_priority,
                    }),
                    raised_by,
                    hi_limit: row.hi_limit.unwrap_or_default() + raised_by,
                }
            }
            Lever::PriceFloor => {
                let lowered_by = Price::from_units(units);
                let bx_price_floor = self.options.bx_price_floor.unwrap_or_default() - lowered_by;
                Change::PriceFloorLowered { lowered_by, bx_price_floor }
            }
            Lever::Buffer => {
                let days = units as i32;
                let eligible_settle_buffer_days = self.options.eligible_settle_buffer_days - days;
                Change::BufferShortened { days, eligible_settle_buffer_days }
            }
            Lever::Horizon => {
                let days = units as i32;
                let max_trade_settle_days = self.options.max_trade_settle_days + days;
                Change::HorizonLengthened { days, max_trade_settle_days }
            }
        }
    }

    /// What was found between two changes.
    pub(super) fn finding(
        &self,
        lever: Lever,
        (at, not_at): (i64, i64),
        rehearsal: &Rehearsal,
    ) -> Finding {
        let place = rehearsal.placement.as_ref().expect("what is found places the loan");
        Finding {
            change: self.change(lever, at),
            not_enough: (not_at > 0).then(|| self.change(lever, not_at)),
            exact: at - not_at == 1,
            place: NewPlace {
                trade_id: TradeId::from(&self.snapshot.trades[place.trade as usize].trade_id),
                settlement_date: place.settles_on,
                pass: place.pass,
                pricing: place.pricing,
            },
            others: self.others(rehearsal),
        }
    }

    fn others(&self, rehearsal: &Rehearsal) -> Others {
        let mut others = Others::default();
        let loans = self.snapshot.loans.iter().enumerate();
        let places = self.unchanged.places.iter().zip(&rehearsal.places);
        for ((at, loan), (before, after)) in loans.zip(places) {
            if before == after || at == self.subject as usize {
                continue;
            }
            others.moved += 1;
            match (before, after) {
                (_, Place::KickedOut) => others.kicked_out.push(LoanId::from(&loan.loan_id)),
                (Place::KickedOut, _) => others.placed.push(LoanId::from(&loan.loan_id)),
                (_, _) => {}
            }
        }
        others
    }
}
