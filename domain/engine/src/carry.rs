//! 2.3 Carry: what a loan earns, or costs, from its eligibility date to settlement.

use super::book::{InstrumentIdx, RunBook};
use super::index::IdxVec;
use powerfill_events::values::{Carry, Rate, round_div, trunc_div};
use powerfill_snapshot::tables::Instrument;

/// A bucket of a carry curve that has a rate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RateBucket {
    /// First interest-earning day of the bucket.
    pub on_day: i64,
    /// Last day, included.
    pub to_day: i64,
    /// Points per year.
    pub annual_rate: Rate,
}

/// The carry curve of an instrument as steps: each mean rate applies from its day to the next step.
pub(crate) struct CarryCurve(Vec<(i64, Rate)>);

impl CarryCurve {
    /// The rate of a day is the mean of the rates of its buckets, cut to 6 decimals.
    pub(crate) fn new(buckets: &[RateBucket]) -> Self {
        let mut steps: Vec<i64> = buckets.iter().flat_map(|b| [b.on_day, b.to_day + 1]).collect();
        steps.sort_unstable();
        steps.dedup();
        let mean = |day: i64| {
            let buckets = buckets.iter().filter(|b| b.on_day <= day && day <= b.to_day);
            let (sum, count) = buckets.fold((0, 0), |(sum, count), bucket| {
                (sum + i128::from(bucket.annual_rate.units()), count + 1)
            });
            if count == 0 { Rate::ZERO } else { Rate::from_wide(trunc_div(sum, count)) }
        };
        Self(steps.into_iter().map(|day| (day, mean(day))).collect())
    }

    /// The mean rate of a day; 0 outside all buckets.
    pub(crate) fn rate(&self, interest_earning_days: i32) -> Rate {
        let after = self.0.partition_point(|(from, _)| *from <= i64::from(interest_earning_days));
        after.checked_sub(1).map_or(Rate::ZERO, |at| self.0[at].1)
    }

    /// `carry_cost` = round(avg_rate × trunc(n / 365, 6), 8), where n is the interest-earning days.
    pub(crate) fn cost(&self, interest_earning_days: i32) -> Carry {
        let rate = self.rate(interest_earning_days);
        let years = trunc_div(i128::from(interest_earning_days) * 1_000_000, 365);
        Carry::from_wide(round_div(i128::from(rate.units()) * years, 10_000))
    }
}

/// The carry curves of all instruments.
pub(crate) struct CarryCurves(IdxVec<Instrument, CarryCurve>);

impl CarryCurves {
    pub(crate) fn new(book: &RunBook<'_>) -> Self {
        let mut buckets = IdxVec::per_row(&book.snapshot.instruments, Vec::new());
        for row in &book.snapshot.carry_costs {
            let instrument = book.instruments.find(&row.investor_instrument_name);
            if let (Some(instrument), Some(annual_rate)) = (instrument, row.annual_rate) {
                let bucket = RateBucket { on_day: row.on_day, to_day: row.to_day, annual_rate };
                buckets[instrument].push(bucket);
            }
        }
        Self(buckets.iter().map(|buckets| CarryCurve::new(buckets)).collect())
    }

    /// The carry cost of an instrument; see [`CarryCurve::cost`].
    pub(crate) fn cost(&self, instrument: InstrumentIdx, interest_earning_days: i32) -> Carry {
        self.0[instrument].cost(interest_earning_days)
    }
}
