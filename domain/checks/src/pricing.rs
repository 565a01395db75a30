//! The pricing of a loan in a trade (2.3), from the rows of the snapshot.

use powerfill_events::run::event::Pricing;
use powerfill_events::values::{Carry, Day, Price, Rate};
use powerfill_snapshot::PriceMode;
use powerfill_snapshot::rules::Truth;
use powerfill_snapshot::tables::{CarryBucketRow, Loan, Trade, TradeType};

use super::arithmetic::{count, narrow, nearest};
use super::terms::RunTerms;

impl RunTerms<'_> {
    /// The pricing of a loan in an included trade; `None` for no price.
    pub(super) fn pricing(&self, loan: usize, trade: usize, eligible_on: Day) -> Option<Pricing> {
        let (price, payup) = self.price(loan, trade)?;
        let trade_terms = &self.trades[trade];
        let days = eligible_on.days_until(trade_terms.settles_on?);
        let buckets = &self.snapshot.carry_costs[self.carry_of[trade_terms.instrument].clone()];
        let carry_cost = carry(buckets, days);
        let prx_plus_carry = price + carry_cost;
        let score = match self.options.price_mode {
            PriceMode::Po => price,
            PriceMode::Pc => prx_plus_carry,
        };
        Some(Pricing {
            interest_earning_days: days,
            price,
            payup,
            carry_cost,
            prx_plus_carry,
            score,
        })
    }

    /// The all-in price of a pair, and the pay-up within it.
    fn price(&self, loan: usize, trade: usize) -> Option<(Price, Price)> {
        let (loan, row) = (&self.snapshot.loans[loan], &self.snapshot.trades[trade]);
        if let Some(all_in) = self.own_price(loan, row) {
            return Some((all_in, Price::ZERO));
        }
        if row.priced_only {
            return None;
        }
        let trade_terms = &self.trades[trade];
        let base = match row.trade_type {
            TradeType::Forward => row.trade_price? + self.buy_up(loan, trade_terms.instrument),
            TradeType::Bx => {
                self.grid_price(loan, trade_terms.instrument, trade_terms.settles_on?)?
            }
        };
        let payup = self.payup(loan, trade_terms.instrument);
        Some((base + payup, payup))
    }

    fn own_price(&self, loan: &Loan, trade: &Trade) -> Option<Price> {
        let rows = &self.snapshot.loan_prices;
        let key = (&loan.loan_id, &trade.trade_id);
        let at = rows.binary_search_by(|row| (&row.loan_id, &row.trade_id).cmp(&key)).ok()?;
        Some(rows[at].price)
    }

    fn buy_up(&self, loan: &Loan, instrument: usize) -> Price {
        self.snapshot.instruments[instrument].buy_up().map_or(Price::ZERO, |buy_up| {
            let above = i128::from((loan.note_rate - buy_up.base_note_rate).units());
            let exact = above * i128::from(buy_up.rate_multiple.units());
            Price::from_units(narrow(nearest(exact, i128::from(Rate::ONE_UNITS))))
        })
    }

    fn grid_price(&self, loan: &Loan, instrument: usize, date: Day) -> Option<Price> {
        let rows = &self.snapshot.prices[self.prices_of[instrument].clone()];
        let reached = (date, loan.note_rate);
        let after = rows.partition_point(|row| (row.settlement_date, row.note_rate) <= reached);
        rows[..after].last().filter(|row| row.settlement_date == date).map(|row| row.price)
    }

    fn payup(&self, loan: &Loan, instrument: usize) -> Price {
        let rules = &self.snapshot.rules;
        self.snapshot.payups[self.payups_of[instrument].clone()]
            .iter()
            .filter(|row| {
                let rule = rules
                    .binary_search_by(|rule| rule.row.rule_name.cmp(&row.rule_name))
                    .expect("the rule of a pay-up exists in a validated snapshot");
                rules[rule].predicate.evaluate(&loan.attributes) == Truth::True
            })
            .map(|row| row.payup)
            .max()
            .unwrap_or(Price::ZERO)
    }
}

/// The carry cost of so many days: the mean rate times the years, each cut to six decimals.
fn carry(buckets: &[CarryBucketRow], days: i32) -> Carry {
    let days = i64::from(days);
    let rates: Vec<i128> = buckets
        .iter()
        .filter(|bucket| bucket.on_day <= days && days <= bucket.to_day)
        .filter_map(|bucket| bucket.annual_rate)
        .map(|rate| i128::from(rate.units()))
        .collect();
    if rates.is_empty() {
        return Carry::ZERO;
    }
    let million = i128::from(Rate::ONE_UNITS);
    // Division of integers cuts towards zero, also below zero, as trunc does.
    let average = rates.iter().sum::<i128>() / i128::from(count(rates.len()));
    let years = i128::from(days) * million / 365;
    // From 6 + 6 decimals to the 8 of a price.
    Carry::from_units(narrow(nearest(average * years, 10_000)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn carry_cuts_mean_and_years_towards_zero_and_rounds_the_product() {
        let bucket = |on_day, to_day, rate: Option<&str>| CarryBucketRow {
            investor_instrument_name: "FN".into(),
            on_day,
            to_day,
            annual_rate: rate.map(|rate| rate.parse().unwrap()),
        };
        let buckets = [
            bucket(-20, 0, Some("3")),
            bucket(-20, -5, Some("-0.000001")),
            bucket(31, 60, Some("5.0")),
            bucket(35, 90, Some("4.333333")),
            bucket(1, 30, None),
        ];
        assert_eq!(carry(&buckets, 38).to_string(), "0.48584193");
        assert_eq!(carry(&buckets, -10).to_string(), "-0.04109547");
        assert_eq!(carry(&buckets, 26), Carry::ZERO);
        assert_eq!(carry(&buckets, 400), Carry::ZERO);
    }
}
