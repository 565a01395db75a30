//! Exact arithmetic: a fraction of 128-bit integers that turns into one of any size before it would
//! overflow.

use std::cmp::Ordering;

use num_bigint::{BigInt, Sign};
use num_traits::{One, Pow, Signed, Zero};
use rust_decimal::Decimal;

/// A fraction, its denominator above zero. It is not reduced: a rule is short, and the greatest
/// common divisor costs more than the digits that it saves.
#[derive(Debug, Clone)]
pub(super) enum Exact {
    Small(i128, i128),
    Big(BigInt, BigInt),
}

use Exact::{Big, Small};

impl Exact {
    fn big(&self) -> (BigInt, BigInt) {
        match self {
            Small(n, d) => ((*n).into(), (*d).into()),
            Big(n, d) => (n.clone(), d.clone()),
        }
    }

    /// The result in 128 bits, or else in as many as it takes.
    fn either(
        small: impl FnOnce() -> Option<Self>,
        big: impl FnOnce() -> (BigInt, BigInt),
    ) -> Self {
        small().unwrap_or_else(|| {
            let (numerator, denominator) = big();
            Big(numerator, denominator)
        })
    }

    fn smalls(&self, other: &Self) -> Option<(i128, i128, i128, i128)> {
        match (self, other) {
            (Small(a, b), Small(c, d)) => Some((*a, *b, *c, *d)),
            _ => None,
        }
    }

    pub(super) fn add(&self, other: &Self) -> Self {
        Self::either(
            || {
                let (a, b, c, d) = self.smalls(other)?;
                if b == d {
                    return Some(Small(a.checked_add(c)?, b));
                }
                let sum = a.checked_mul(d)?.checked_add(c.checked_mul(b)?)?;
                Some(Small(sum, b.checked_mul(d)?))
            },
            || {
                let ((a, b), (c, d)) = (self.big(), other.big());
                (a * &d + c * &b, b * d)
            },
        )
    }

    pub(super) fn subtract(&self, other: &Self) -> Self {
        self.add(&other.negated())
    }

    pub(super) fn multiply(&self, other: &Self) -> Self {
        Self::either(
            || {
                let (a, b, c, d) = self.smalls(other)?;
                Some(Small(a.checked_mul(c)?, b.checked_mul(d)?))
            },
            || {
                let ((a, b), (c, d)) = (self.big(), other.big());
                (a * c, b * d)
            },
        )
    }

    /// The quotient; `None` by zero (1.4: it is NULL).
    pub(super) fn divide(&self, other: &Self) -> Option<Self> {
        let upside_down = match other {
            Small(0, _) => return None,
            Small(n, d) => match (n.checked_abs(), d.checked_mul(n.signum())) {
                (Some(n), Some(d)) => Small(d, n),
                _ => Big(BigInt::from(*d) * n.signum(), BigInt::from(*n).abs()),
            },
            Big(n, _) if n.is_zero() => return None,
            Big(n, d) => Big(if n.is_negative() { -d } else { d.clone() }, n.abs()),
        };
        Some(self.multiply(&upside_down))
    }

    pub(super) fn negated(&self) -> Self {
        match self {
            Small(n, d) => match n.checked_neg() {
                Some(n) => Small(n, *d),
                None => Big(-BigInt::from(*n), (*d).into()),
            },
            Big(n, d) => Big(-n, d.clone()),
        }
    }

    pub(super) fn compare(&self, other: &Self) -> Ordering {
        if let Some((a, b, c, d)) = self.smalls(other)
            && let (Some(left), Some(right)) = (a.checked_mul(d), c.checked_mul(b))
        {
            return left.cmp(&right);
        }
        let ((a, b), (c, d)) = (self.big(), other.big());
        (a * d).cmp(&(c * b))
    }
}

impl From<Decimal> for Exact {
    fn from(number: Decimal) -> Self {
        Small(number.mantissa(), 10_i128.pow(number.scale()))
    }
}

/// A number as a rule writes it.
#[derive(Debug, Clone)]
pub(super) enum Written {
    Decimal(Decimal),
    /// More digits than a [`Decimal`] holds.
    Wide(Exact),
}

/// Why a text is not a number of a rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum NotWritten {
    Syntax,
    TooLong,
}

/// Digits that a number in a rule can have; arithmetic with more would take its time.
pub(super) const MOST_DIGITS: usize = 1000;

/// Reads the number syntax of 1.1: optional sign, digits, at most one point; no exponent, grouping
/// or blanks.
pub(super) fn read_number(text: &str) -> Result<Written, NotWritten> {
    const DECIMAL_DIGITS: usize = 28;
    let (negative, unsigned) = match text.as_bytes() {
        [b'-', ..] => (true, &text[1..]),
        [b'+', ..] => (false, &text[1..]),
        _ => (false, text),
    };
    let (whole, decimals) = unsigned.split_once('.').unwrap_or((unsigned, ""));
    let plain = |digits: &str| digits.bytes().all(|b| b.is_ascii_digit());
    if whole.len() + decimals.len() == 0 || !plain(whole) || !plain(decimals) {
        return Err(NotWritten::Syntax);
    }
    let (whole, decimals) = (whole.trim_start_matches('0'), decimals.trim_end_matches('0'));
    let digits = [whole, decimals].concat();
    if digits.len() > MOST_DIGITS {
        return Err(NotWritten::TooLong);
    }
    let scale = u32::try_from(decimals.len()).map_err(|_| NotWritten::TooLong)?;
    if digits.len() <= DECIMAL_DIGITS {
        let mantissa = digits.bytes().fold(0, |n, b| n * 10 + i128::from(b - b'0'));
        let signed = if negative { -mantissa } else { mantissa };
        return Ok(Written::Decimal(Decimal::from_i128_with_scale(signed, scale)));
    }
    let sign = if negative { Sign::Minus } else { Sign::Plus };
    let each: Vec<u8> = digits.bytes().map(|b| b - b'0').collect();
    let numerator = BigInt::from_radix_be(sign, &each, 10).unwrap_or_default();
    let denominator = Pow::pow(BigInt::from(10), scale).max(BigInt::one());
    Ok(Written::Wide(Big(numerator, denominator)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn exact(text: &str) -> Exact {
        match read_number(text).unwrap() {
            Written::Decimal(decimal) => decimal.into(),
            Written::Wide(exact) => exact,
        }
    }

    #[test]
    fn stays_exact_beyond_128_bits() {
        let huge = exact("99999999999999999999999999999999999999");
        let product = huge.multiply(&huge).multiply(&huge);
        let back = product.divide(&huge).unwrap().divide(&huge).unwrap();
        assert_eq!(back.compare(&huge), Ordering::Equal);
        assert_eq!(back.add(&exact("0.0000000001")).compare(&huge), Ordering::Greater);
        let third = exact("1").divide(&exact("-3")).unwrap();
        assert_eq!(third.multiply(&exact("3")).compare(&exact("-1")), Ordering::Equal);
        let least = Small(i128::MIN, 1);
        assert_eq!(least.negated().compare(&exact("0")), Ordering::Greater);
        let one = least.divide(&least).unwrap();
        assert_eq!(one.compare(&exact("1.0")), Ordering::Equal);
        assert_eq!(least.subtract(&least).compare(&exact("-0")), Ordering::Equal);
        assert!(huge.divide(&huge.subtract(&huge)).is_none());
    }

    #[test]
    fn reads_the_number_syntax_and_nothing_else() {
        for text in ["", "-", ".", "1e2", "1,000", " 1", "1 ", "--1", "1.2.3", "٣", "0x1"] {
            assert_eq!(read_number(text).unwrap_err(), NotWritten::Syntax, "{text}");
        }
        for (text, value) in [("007.500", "7.5"), ("+.5", "0.5"), ("5.", "5"), ("-0.0", "0")] {
            assert_eq!(exact(text).compare(&exact(value)), Ordering::Equal, "{text}");
        }
        assert_eq!(read_number(&"9".repeat(1001)).unwrap_err(), NotWritten::TooLong);
        assert!(read_number(&format!("1{}", "0".repeat(999))).is_ok());
        assert!(read_number(&format!("1.{}", "0".repeat(5000))).is_ok());
    }
}
