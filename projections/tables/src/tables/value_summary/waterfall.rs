//! The waterfall: from the worth of the loans where they are now to that of the run, in steps that
//! add up to the cent.

use powerfill_events::values::Money;

use super::ValueSummary;
use super::totals::Row;
use crate::table::{Cell, RowBatch};

/// The steps, each with its loans and its dollars.
#[derive(Debug, Default)]
struct Waterfall {
    as_is: (u64, Money),
    switches: (u64, Money),
    leaving: (u64, Money),
    joins: (u64, Money),
    payups: (u64, Money),
    carry: (u64, Money),
}

fn add(step: &mut (u64, Money), dollars: Money) {
    *step = (step.0 + 1, step.1 + dollars);
}

impl ValueSummary {
    fn waterfall(&self) -> Waterfall {
        let mut steps = Waterfall::default();
        for (loan, place) in &self.places {
            let (Some(worth), Some(_)) = (place.worth, self.included(&place.trade_id)) else {
                continue;
            };
            let (price, payup) =
                (place.amount.at_points(worth.price), place.amount.at_points(worth.payup));
            let base = price - payup;
            let present = self.candidate(loan, place.prior_trade_id.as_ref());
            match present.map(|candidate| candidate.base(place.amount)) {
                _ if !place.is_placed() => add(&mut steps.as_is, base),
                Some(present) => {
                    add(&mut steps.as_is, present);
                    if place.prior_trade_id.as_ref() != Some(&place.trade_id) {
                        add(&mut steps.switches, base - present);
                    }
                }
                None => add(&mut steps.joins, base),
            }
            add(&mut steps.payups, payup);
            add(&mut steps.carry, place.amount.at_points(worth.carry));
        }
        for (loan, kickout) in &self.kickouts {
            if let Some(present) = self.candidate(loan, kickout.left_trade.as_ref()) {
                add(&mut steps.as_is, present.base(kickout.amount));
                add(&mut steps.leaving, -present.base(kickout.amount));
            }
        }
        steps
    }

    pub(super) fn push_waterfall(&self, out: &mut RowBatch) {
        let Waterfall { as_is, switches, leaving, joins, payups, carry } = self.waterfall();
        let mut total = Money::default();
        for (name, (loans, dollars)) in [
            ("as_is", as_is),
            ("switches", switches),
            ("leaving", leaving),
            ("joins", joins),
            ("payups", payups),
            ("carry", carry),
        ] {
            total += dollars;
            let mut row = Row::new("waterfall", Cell::Name(name), out);
            (row.loans, row.value) = (loans.into(), dollars.into());
            row.push(out);
        }
        let mut row = Row::new("waterfall", Cell::Name("total"), out);
        row.value = total.into();
        row.push(out);
    }
}
