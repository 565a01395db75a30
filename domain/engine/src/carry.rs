//! 2.3 Carry: what a loan earns, or costs, from the day that it is deliverable to settlement.

use super::book::{Book, Ix};
use powerfill_events::values::{Carry, Rate, round_div, trunc_div};

/// The carry curve of an instrument as steps: the mean rate holds from its day on, up to the next step.
pub(crate) struct CarryCurve(Vec<(i64, Rate)>);

impl CarryCurve {
    /// Of buckets: first day, last day, rate. The mean of the rates of those that hold a day is cut to 6 decimals.
    pub(crate) fn new(buckets: &[(i64, i64, Rate)]) -> Self {
        let mut steps: Vec<i64> = buckets.iter().flat_map(|(on, to, _)| [*on, *to + 1]).collect();
        steps.sort_unstable();
        steps.dedup();
        let mean = |day: i64| {
            let holding = buckets.iter().filter(|(on, to, _)| *on <= day && day <= *to);
            let (sum, count) = holding.fold((0, 0), |(sum, count), (_, _, rate)| {
                (sum + i128::from(rate.units()), count + 1)
            });
            if count == 0 { Rate::ZERO } else { Rate::from_wide(trunc_div(sum, count)) }
        };
        Self(steps.into_iter().map(|day| (day, mean(day))).collect())
    }

    /// The mean rate of a day; 0 where no bucket holds it.
    pub(crate) fn rate(&self, interest_earning_days: i32) -> Rate {
        let after = self.0.partition_point(|(from, _)| *from <= i64::from(interest_earning_days));
        after.checked_sub(1).map_or(Rate::ZERO, |at| self.0[at].1)
    }

    /// `carry_cost` = round(avg_rate × trunc(n / 365, 6), 8), n being the interest-earning days.
    pub(crate) fn cost(&self, interest_earning_days: i32) -> Carry {
        let rate = self.rate(interest_earning_days);
        let years = trunc_div(i128::from(interest_earning_days) * 1_000_000, 365);
        Carry::from_wide(round_div(i128::from(rate.units()) * years, 10_000))
    }
}

/// The carry curves of all instruments.
pub(crate) struct CarryCurves {
    curves: Vec<CarryCurve>,
}

impl CarryCurves {
    pub(crate) fn new(book: &Book<'_>) -> Self {
        let mut buckets = vec![Vec::new(); book.snapshot.instruments.len()];
        for row in &book.snapshot.carry_costs {
            let instrument = book.find_instrument(&row.investor_instrument_name);
            if let (Some(instrument), Some(rate)) = (instrument, row.annual_rate) {
                buckets[instrument as usize].push((row.on_day, row.to_day, rate));
            }
        }
        Self { curves: buckets.iter().map(|buckets| CarryCurve::new(buckets)).collect() }
    }

    /// What the curve of an instrument says; see [`CarryCurve::cost`].
    pub(crate) fn cost(&self, instrument: Ix, interest_earning_days: i32) -> Carry {
        self.curves[instrument as usize].cost(interest_earning_days)
    }
}
