//! What a loan is like, drawn from the marginals of 5.1.

use crate::dice::Dice;
use crate::figures::{decimal, money, or_empty, rate};
use crate::rules::MANUFACTURED;

/// Loan amounts in cents by the share of loans below (basis points): percentiles 1, 10, 25, 50, 75,
/// 90, 99 of 5.1.
const AMOUNTS: &[(i64, i64)] = &[
    (0, 4_000_000),
    (100, 6_600_000),
    (1_000, 13_100_000),
    (2_500, 20_000_000),
    (5_000, 29_600_000),
    (7_500, 42_500_000),
    (9_000, 55_900_000),
    (9_900, 80_700_000),
    (10_000, 120_000_000),
];
const FICOS: &[(i64, i64)] = &[
    (0, 620),
    (1_000, 687),
    (3_000, 727),
    (5_000, 757),
    (7_500, 786),
    (9_000, 801),
    (10_000, 830),
];
/// Thousandths of a per cent.
const LTVS: &[(i64, i64)] = &[
    (0, 12_000),
    (1_000, 48_000),
    (3_000, 68_000),
    (4_000, 79_000),
    (6_000, 80_500),
    (8_000, 90_000),
    (9_000, 95_000),
    (10_000, 97_000),
];
/// Thousandths of a per cent.
const DTIS: &[(i64, i64)] = &[
    (0, 9_000),
    (1_000, 23_000),
    (2_500, 31_000),
    (5_000, 39_000),
    (7_500, 45_000),
    (10_000, 50_000),
];
const STATES: &[(&str, u64)] = &[
    ("CA", 110),
    ("TX", 100),
    ("FL", 90),
    ("NC", 40),
    ("GA", 40),
    ("AZ", 38),
    ("CO", 34),
    ("WA", 34),
    ("OH", 34),
    ("PA", 34),
    ("IL", 33),
    ("VA", 32),
    ("NY", 32),
    ("MI", 32),
    ("NJ", 28),
    ("TN", 28),
    ("MA", 22),
    ("SC", 22),
    ("IN", 22),
    ("MD", 22),
    ("MN", 21),
    ("MO", 21),
    ("UT", 20),
    ("WI", 19),
    ("OR", 18),
    ("NV", 16),
    ("AL", 14),
    ("KY", 14),
    ("LA", 12),
    ("OK", 12),
    ("ID", 6),
];

/// What decides about the market that a loan goes to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Product {
    Conv30,
    Conv20,
    Conv15,
    Gov30,
}

impl Product {
    /// All of them in the order of their declaration, so that a product is its own position. Terms
    /// of 5.1: 360 for nine in ten, 180 for 7 %, 240 for 2 %; one in five is insured by the
    /// government.
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

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Occupancy {
    Primary,
    Second,
    Investor,
}

impl Occupancy {
    const fn name(self) -> &'static str {
        match self {
            Self::Primary => "Primary",
            Self::Second => "Second",
            Self::Investor => "Investor",
        }
    }
}

/// The columns of a loan that rules look at. Amounts in cents, rates and percentages in
/// thousandths.
#[derive(Debug, Clone)]
pub(crate) struct Traits {
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
    pub(crate) occupancy: Occupancy,
    purpose: &'static str,
    loan_type: &'static str,
    channel: &'static str,
}

impl Traits {
    pub(crate) fn draw(dice: &mut Dice, desk: u32, product: Product, coupon: i64) -> Self {
        let units = dice.weighted(&[(1, 968), (2, 22), (3, 5), (4, 5)]);
        Self {
            desk,
            product,
            note_rate: note_rate(dice, coupon),
            amount: amount(dice),
            fico: (!dice.permille(4)).then(|| dice.along(FICOS)),
            // The commonest ratio of all is an even 80.
            ltv: (!dice.permille(3)).then(|| match dice.along(LTVS) {
                79_000..=80_500 => 80_000,
                other => other - other % 10,
            }),
            dti: (!dice.permille(20)).then(|| dice.along(DTIS)),
            units,
            term_months: product.term_months(),
            state: dice.weighted(STATES),
            property_type: if units > 1 {
                "2-4 Unit"
            } else {
                dice.weighted(&[("SFR", 66), ("PUD", 23), ("Condo", 9), (MANUFACTURED, 2)])
            },
            occupancy: dice.weighted(&[
                (Occupancy::Primary, 900),
                (Occupancy::Second, 30),
                (Occupancy::Investor, 70),
            ]),
            purpose: dice.weighted(&[("Purchase", 70), ("Refinance", 15), ("Cashout", 15)]),
            loan_type: match product {
                Product::Gov30 => dice.weighted(&[("FHA", 58), ("VA", 38), ("USDA", 4)]),
                _ => "Conv",
            },
            channel: dice.weighted(&[("Retail", 45), ("Wholesale", 30), ("Correspondent", 25)]),
        }
    }

    /// The attribute columns in the order of [`TRAIT_COLUMNS`].
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
            self.occupancy.name().to_owned(),
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

/// The columns of [`Traits::cells`].
pub(crate) const TRAIT_COLUMNS: [&str; 12] = [
    "fico",
    "ltv",
    "dti",
    "units",
    "term_months",
    "state",
    "property_type",
    "occupancy",
    "purpose",
    "loan_type",
    "channel",
    "mi_coverage",
];

/// One in three is a round amount, the rest have cents, as balances after a payment do.
fn amount(dice: &mut Dice) -> i64 {
    let cents = dice.along(AMOUNTS);
    if dice.permille(350) { cents - cents % 50_000 } else { cents }
}

/// Eighths above the coupon, from 0.25 to 1.125. Each rate fits the next coupon too, up or down;
/// three in four are sold with the higher one, which pays more.
const EIGHTHS: &[(i64, u64)] =
    &[(2, 18), (3, 20), (4, 20), (5, 18), (6, 9), (7, 7), (8, 5), (9, 3)];

/// Three quarters on eighths, the rest just below one (x.990, x.999).
fn note_rate(dice: &mut Dice, coupon: i64) -> i64 {
    let eighths = dice.weighted(EIGHTHS);
    // Just below the lowest eighth would be out of the coupon's reach.
    let below = if eighths > 2 && dice.permille(305) { dice.pick(&[10, 1]) } else { 0 };
    coupon + 125 * eighths - below
}

#[cfg(test)]
mod tests {
    use super::{AMOUNTS, note_rate};
    use crate::dice::{Dice, Topic};

    #[test]
    fn amounts_have_the_percentiles_asked_for() {
        let mut dice = Dice::new(3, Topic::Pilot);
        let mut drawn: Vec<i64> = (0..20_000).map(|_| dice.along(AMOUNTS)).collect();
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
