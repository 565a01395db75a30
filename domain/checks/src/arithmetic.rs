//! The roundings of 1.1, written independently of the engine's.

use powerfill_events::values::{Money, Share};

/// `numerator / denominator` to the nearest whole number, half away from zero. The denominator is
/// positive.
pub(super) fn nearest(numerator: i128, denominator: i128) -> i128 {
    let doubled = 2 * numerator.abs() + denominator;
    numerator.signum() * (doubled / (2 * denominator))
}

/// The units of a value, which have 64 bits.
pub(super) fn narrow(units: i128) -> i64 {
    i64::try_from(units).expect("amounts, prices and rates of a validated snapshot fit 64 bits")
}

/// A length as the counts of events have it.
pub(super) fn count(len: usize) -> u64 {
    u64::try_from(len).expect("a length has at most 64 bits")
}

/// `round(share × open, 2)`: the lo or hi amount of a block (2.5).
pub(super) fn share_of(share: Share, open: Money) -> Money {
    let exact = i128::from(share.units()) * i128::from(open.units());
    Money::from_units(narrow(nearest(exact, i128::from(Share::ONE_UNITS))))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rounds_half_away_from_zero() {
        for (numerator, denominator, whole) in
            [(5, 10, 1), (-5, 10, -1), (4, 10, 0), (-4, 10, 0), (1, 3, 0), (2, 3, 1), (-15, 10, -2)]
        {
            assert_eq!(nearest(numerator, denominator), whole, "{numerator}/{denominator}");
        }
        assert_eq!(
            share_of(Share::from_units(100_000), Money::from_units(10_000_005)),
            Money::from_units(1_000_001)
        );
    }
}
