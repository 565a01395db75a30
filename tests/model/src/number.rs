//! Numbers as in 1.1: exact rationals until a rule says round or trunc. A rounded number is a count
//! of its smallest units: cents, or hundred-millionths of a point.

use num_bigint::BigInt;
use num_rational::BigRational;
use num_traits::{Pow, Signed, ToPrimitive};
use powerfill_events::values::{Fixed, Unit};
use rust_decimal::Decimal;

/// An exact number.
pub(crate) type Exact = BigRational;

/// Decimals of money.
pub(crate) const CENTS: u32 = 2;
/// Decimals of a price, pay-up, carry or score.
pub(crate) const POINTS: u32 = 8;
/// Decimals of rates, shares and other averages.
pub(crate) const SIX: u32 = 6;

/// A whole number.
pub(crate) fn whole(number: impl Into<BigInt>) -> Exact {
    Exact::from_integer(number.into())
}

/// A number of units at a scale.
pub(crate) fn of_units(units: i128, scale: u32) -> Exact {
    Exact::new(units.into(), BigInt::from(10).pow(scale))
}

/// A value of the snapshot.
pub(crate) fn exact<K: Unit>(value: Fixed<K>) -> Exact {
    of_units(value.units().into(), K::SCALE)
}

/// A number of any scale.
pub(crate) fn exact_decimal(value: Decimal) -> Exact {
    of_units(value.mantissa(), value.scale())
}

/// `round(x, n)`: half away from zero at n decimals (1.1).
pub(crate) fn round(x: &Exact, decimals: u32) -> i128 {
    let shifted = x * whole(BigInt::from(10).pow(decimals));
    let half = Exact::new(1.into(), 2.into());
    let nearest =
        if shifted.is_negative() { (shifted - half).ceil() } else { (shifted + half).floor() };
    nearest.to_integer().to_i128().expect("a rounded number has at most 128 bits")
}

/// `trunc(x, n)`: cut towards zero at n decimals (1.1).
pub(crate) fn trunc(x: &Exact, decimals: u32) -> i128 {
    let shifted = x * whole(BigInt::from(10).pow(decimals));
    let cut = if shifted.is_negative() { shifted.ceil() } else { shifted.floor() };
    cut.to_integer().to_i128().expect("a cut number has at most 128 bits")
}

/// The canonical text: all decimals, and no minus sign on zero (1.1).
pub(crate) fn text(units: i128, scale: u32) -> String {
    let digits = format!("{:0width$}", units.unsigned_abs(), width = scale as usize + 1);
    let (whole, decimals) = digits.split_at(digits.len() - scale as usize);
    format!("{}{whole}.{decimals}", if units < 0 { "-" } else { "" })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rounds_half_away_from_zero_cuts_towards_zero_and_writes_all_decimals() {
        let x = |units| of_units(units, 3);
        for (units, rounded, cut) in
            [(1_005, 101, 100), (-1_005, -101, -100), (1_004, 100, 100), (-999, -100, -99)]
        {
            assert_eq!((round(&x(units), 2), trunc(&x(units), 2)), (rounded, cut), "{units}");
        }
        assert_eq!(text(-5, 2), "-0.05");
        assert_eq!(text(0, 8), "0.00000000");
        assert_eq!(text(123_456, 2), "1234.56");
    }
}
