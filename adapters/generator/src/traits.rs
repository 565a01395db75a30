//! The attributes of a loan, drawn from the marginals of 5.1.

use crate::data::MARGINALS;
use crate::dice::Dice;
use crate::figures::{decimal, money, or_empty, rate};

/// The product of a loan. It decides which instruments the loan can be sold to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Product {
    Conv30,
    Conv20,
    Conv15,
    Gov30,
}

impl Product {
    /// All products with their shares, in the order of the declaration, so that a product is its
    /// own position. The terms of 5.1: 360 for nine in ten, 180 for 7 %, 240 for 2 %; one in five
    /// is insured by the government.
    pub(crate) const SHARES: [(Self, u64); 4] =
        [(Self::Conv30, 728), (Self::Conv20, 22), (Self::Conv15, 68), (Self::Gov30, 182)];
    pub(crate) const COUNT: usize = Self::SHARES.len();

    const fn term_months(self) -> i64 {
        match self {
            Self::Conv30 | Self::Gov30 => 360,
            Self::Conv20 => 240,
            Self::Conv15 => 180,
        }
    }
}

/// The columns of a loan that rules read. Amounts are in cents, rates and ratios in thousandths of
/// a percent.
#[derive(Debug, Clone)]
pub(crate) struct LoanTraits {
    pub(crate) desk: u32,
    pub(crate) product: Product,
    pub(crate) note_rate: i64,
    pub(crate) amount: i64,
    pub(crate) fico: Option<i64>,
    pub(crate) ltv: Option<i64>,
    dti: Option<i64>,
    units: i64,
    pub(crate) term_months: i64,
    pub(crate) state: &'static str,
    pub(crate) property_type: &'static str,
    pub(crate) occupancy: &'static str,
    purpose: &'static str,
    loan_type: &'static str,
    channel: &'static str,
}

impl LoanTraits {
    pub(crate) fn draw(dice: &mut Dice, desk: u32, product: Product, coupon: i64) -> Self {
        let marginals = &*MARGINALS;
        let units = dice.weighted(&marginals.units);
        Self {
            desk,
            product,
            note_rate: note_rate(dice, coupon),
            amount: amount(dice),
            fico: (!dice.permille(4)).then(|| dice.along(&marginals.fico)),
            // The most frequent ratio is exactly 80.
            ltv: (!dice.permille(3)).then(|| match dice.along(&marginals.ltv) {
                79_000..=80_500 => 80_000,
                other => other - other % 10,
            }),
            dti: (!dice.permille(20)).then(|| dice.along(&marginals.dti)),
            units,
            term_months: product.term_months(),
            state: dice.weighted(&marginals.state),
            property_type: match units {
                1 => dice.weighted(&marginals.property_type),
                _ => "2-4 Unit",
            },
            occupancy: dice.weighted(&marginals.occupancy),
            purpose: dice.weighted(&marginals.purpose),
            loan_type: match product {
                Product::Gov30 => dice.weighted(&marginals.government_type),
                _ => "Conv",
            },
            channel: dice.weighted(&marginals.channel),
        }
    }

    /// The cells of the columns from `fico` to `mi_coverage`.
    pub(crate) fn cells(&self) -> [String; 12] {
        let insured = self.ltv.is_some_and(|ltv| ltv > 80_000) && self.loan_type == "Conv";
        [
            or_empty(self.fico, |fico| fico.to_string()),
            or_empty(self.ltv, |ltv| decimal(ltv, 3)),
            or_empty(self.dti, |dti| decimal(dti, 3)),
            self.units.to_string(),
            self.term_months.to_string(),
            self.state.to_owned(),
            self.property_type.to_owned(),
            self.occupancy.to_owned(),
            self.purpose.to_owned(),
            self.loan_type.to_owned(),
            self.channel.to_owned(),
            if insured { "30.0".to_owned() } else { String::new() },
        ]
    }

    pub(crate) fn amount_text(&self) -> String {
        money(self.amount)
    }

    pub(crate) fn note_rate_text(&self) -> String {
        rate(self.note_rate)
    }
}

/// One in three is a round amount; the others have cents, like balances after a payment.
fn amount(dice: &mut Dice) -> i64 {
    let cents = dice.along(&MARGINALS.amount);
    if dice.permille(350) { cents - cents % 50_000 } else { cents }
}

/// Three in four are on eighths, the others just below one (x.990, x.999).
fn note_rate(dice: &mut Dice, coupon: i64) -> i64 {
    let eighths = dice.weighted(&MARGINALS.eighths);
    // A rate just below the lowest eighth would not fit the coupon.
    let below = if eighths > 2 && dice.permille(305) { dice.pick(&[10, 1]) } else { 0 };
    coupon + 125 * eighths - below
}

#[cfg(test)]
mod tests {
    use super::note_rate;
    use crate::data::MARGINALS;
    use crate::dice::{Dice, Topic};

    #[test]
    fn amounts_have_the_percentiles_of_the_specification() {
        let mut dice = Dice::new(3, Topic::Pilot);
        let mut drawn: Vec<i64> = (0..20_000).map(|_| dice.along(&MARGINALS.amount)).collect();
        drawn.sort_unstable();
        for (share, expected) in
            [(1_000, 131), (2_500, 200), (5_000, 296), (7_500, 425), (9_000, 559)]
        {
            let found = drawn[drawn.len() * share / 10_000] / 100_000;
            assert!(
                (expected * 96 / 100..=expected * 104 / 100).contains(&found),
                "{share}: {found}"
            );
        }
    }

    #[test]
    fn note_rates_fit_their_coupon() {
        let mut dice = Dice::new(3, Topic::Pilot);
        let drawn: Vec<i64> = (0..10_000).map(|_| note_rate(&mut dice, 5_500)).collect();
        assert!(drawn.iter().all(|rate| (5_750..=6_625).contains(rate)));
        let on_eighths = drawn.iter().filter(|rate| **rate % 125 == 0).count();
        assert!((7_200..7_800).contains(&on_eighths));
    }
}
