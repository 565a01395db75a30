//! Decimals of a fixed scale, held as scaled 64-bit integers; sums and products go through 128
//! bits.

use std::fmt;
use std::hash::Hash;
use std::marker::PhantomData;
use std::str::FromStr;

use rust_decimal::Decimal;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::input::Measure;

/// What a fixed-scale number measures: its name in messages, its scale, and the digits before the
/// point that an input may have.
pub trait Unit: Copy + Ord + Hash + 'static {
    /// Decimals after the point.
    const SCALE: u32;
    /// The exclusive bound of an input's magnitude, in whole units.
    const BOUND: i64;
    /// The SQL type that the bound and the scale amount to, for messages.
    const SQL_TYPE: &'static str;
    /// What an input column of it measures.
    const MEASURE: Measure;
}

macro_rules! kinds {
    ($(
        $(#[$doc:meta])*
        $kind:ident = $alias:ident, $scale:literal, $bound:expr, $sql:literal, $measure:ident;
    )*) => {$(
        #[doc = concat!("The kind of [`", stringify!($alias), "`].")]
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum $kind {}
        impl Unit for $kind {
            const SCALE: u32 = $scale;
            const BOUND: i64 = $bound;
            const SQL_TYPE: &'static str = $sql;
            const MEASURE: Measure = Measure::$measure;
        }
        $(#[$doc])*
        pub type $alias = Fixed<$kind>;
    )*};
}

kinds! {
    /// US dollars, scale 2 (1.1). Inputs are below 10^13 dollars.
    MoneyUnit = Money, 2, 10_000_000_000_000, "NUMERIC(15,2)", Dollars;
    /// Points per 100 of par, scale 8: a price, pay-up, score or buy-up multiple (1.1). Inputs are
    /// below 1000.
    PriceUnit = Price, 8, 1000, "NUMERIC(11,8)", Points;
    /// Per cent, scale 6: a note rate, coupon or annual rate (1.1). Inputs are below 1,000,000.
    RateUnit = Rate, 6, 1_000_000, "NUMERIC(12,6)", Percent;
    /// A share of an open amount, scale 6, 0 to 1 (1.1).
    ShareUnit = Share, 6, 1_000_000, "NUMERIC(12,6)", Share;
    /// Per cent of the open amount, scale 6, 0 to 100 (1.1).
    PercentUnit = Percent, 6, 1_000_000, "NUMERIC(12,6)", Percent;
}

/// A carry cost is in points, like a price; it is signed.
pub type Carry = Price;

/// An exact decimal with the scale of its [`Unit`].
///
/// Arithmetic operators work on the scaled integer and keep the scale. They panic on overflow in
/// every build profile, which validated inputs cannot reach: a wrong cent is worse than a failed
/// run.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Fixed<K: Unit> {
    units: i64,
    kind: PhantomData<fn() -> K>,
}

/// Why a text is not a number of a kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NumberError {
    /// Not an optional sign, digits, and at most one point.
    #[error("a plain decimal number is expected")]
    NotANumber,
    /// More decimals than the scale; trailing zeros do not count.
    #[error("at most {0} decimals")]
    TooManyDecimals(u32),
    /// The magnitude is beyond the kind's bound.
    #[error("must fit {0}")]
    OutOfRange(&'static str),
}

impl<K: Unit> Fixed<K> {
    /// Zero.
    pub const ZERO: Self = Self::from_units(0);
    /// Scaled units in one whole: 100 for money.
    pub const ONE_UNITS: i64 = 10_i64.pow(K::SCALE);

    /// The number with this many scaled units: cents for money.
    pub const fn from_units(units: i64) -> Self {
        Self { units, kind: PhantomData }
    }

    /// The scaled units: cents for money.
    pub const fn units(self) -> i64 {
        self.units
    }

    /// The number with these scaled units, computed in 128 bits.
    ///
    /// # Panics
    /// Where the value does not fit 64 bits; validated inputs cannot get there.
    pub fn from_wide(units: i128) -> Self {
        Self::from_units(i64::try_from(units).expect("a fixed-scale number beyond 64 bits"))
    }

    /// This many whole units.
    pub const fn whole(value: i64) -> Self {
        Self::from_units(value * Self::ONE_UNITS)
    }

    /// Reads the number syntax of 1.1: optional sign, digits, at most one point; no exponent,
    /// grouping or blanks.
    ///
    /// # Errors
    /// [`NumberError`], the syntax first, then the decimals, then the magnitude.
    pub fn parse(text: &str) -> Result<Self, NumberError> {
        parse_units(text, K::SCALE, K::BOUND, K::SQL_TYPE).map(Self::from_units)
    }

    /// The same number as a [`Decimal`].
    pub fn to_decimal(self) -> Decimal {
        Decimal::new(self.units, K::SCALE)
    }

    /// The magnitude.
    #[must_use]
    pub fn abs(self) -> Self {
        Self::from_units(self.units.abs())
    }

    /// The canonical text: all decimals, no sign on zero.
    fn text(self, buffer: &mut [u8; 24]) -> &str {
        let mut at = buffer.len();
        let mut rest = self.units.unsigned_abs();
        let mut written = 0;
        while rest > 0 || written <= K::SCALE {
            if written == K::SCALE && K::SCALE > 0 {
                at -= 1;
                buffer[at] = b'.';
            }
            at -= 1;
            buffer[at] = b'0' + u8::try_from(rest % 10).unwrap_or_default();
            rest /= 10;
            written += 1;
        }
        if self.units < 0 {
            at -= 1;
            buffer[at] = b'-';
        }
        std::str::from_utf8(&buffer[at..]).expect("digits are ASCII")
    }

    /// Writes the canonical text (all decimals, no sign on zero) at the end of `out`.
    pub fn write_to(self, out: &mut String) {
        out.push_str(self.text(&mut [0; 24]));
    }
}

/// Reads a number of any kind, as [`Fixed::parse`] does: its scaled units.
///
/// # Errors
/// As [`Fixed::parse`].
pub fn parse_units(
    text: &str,
    scale: u32,
    bound: i64,
    sql_type: &'static str,
) -> Result<i64, NumberError> {
    let (negative, digits) = match text.as_bytes() {
        [b'-', rest @ ..] => (true, rest),
        [b'+', rest @ ..] => (false, rest),
        all => (false, all),
    };
    let point = digits.iter().position(|b| *b == b'.');
    let (whole, decimals) = match point {
        Some(at) => (&digits[..at], &digits[at + 1..]),
        None => (digits, &[][..]),
    };
    if whole.len() + decimals.len() == 0 || !whole.iter().chain(decimals).all(u8::is_ascii_digit) {
        return Err(NumberError::NotANumber);
    }
    let significant = decimals.len() - decimals.iter().rev().take_while(|b| **b == b'0').count();
    if significant > scale as usize {
        return Err(NumberError::TooManyDecimals(scale));
    }
    let bound = i128::from(bound) * i128::from(10_i64.pow(scale));
    let padded = decimals[..significant].iter().copied().chain(std::iter::repeat(b'0'));
    let digits = whole.iter().copied().chain(padded.take(scale as usize));
    let mut units: i128 = 0;
    if whole.len() + scale as usize <= 18 {
        // Such numbers fit 64 bits, which are faster than 128.
        let small = digits.fold(0_i64, |units, digit| units * 10 + i64::from(digit - b'0'));
        units = small.into();
    } else {
        for digit in digits {
            units = units * 10 + i128::from(digit - b'0');
            if units >= bound {
                break;
            }
        }
    }
    if units >= bound {
        return Err(NumberError::OutOfRange(sql_type));
    }
    let units = i64::try_from(units).map_err(|_| NumberError::OutOfRange(sql_type))?;
    Ok(if negative { -units } else { units })
}

impl Money {
    /// round(self × share, 2).
    #[must_use]
    pub fn share(self, share: Share) -> Self {
        self.part(share.units(), Share::ONE_UNITS)
    }

    /// round(self × percent / 100, 2).
    #[must_use]
    pub fn percent(self, percent: Percent) -> Self {
        self.part(percent.units(), 100 * Percent::ONE_UNITS)
    }

    /// What this amount of par is worth at `points` per 100 of par: round(self × points / 100, 2).
    #[must_use]
    pub fn at_points(self, points: Price) -> Self {
        self.part(points.units(), 100 * Price::ONE_UNITS)
    }

    fn part(self, units: i64, whole: i64) -> Self {
        Self::from_wide(round_div(i128::from(self.units) * i128::from(units), i128::from(whole)))
    }
}

/// `numerator / denominator`, rounded half away from zero (1.1 `round`). The denominator is
/// positive.
pub fn round_div(numerator: i128, denominator: i128) -> i128 {
    let half = denominator / 2;
    let odd = denominator % 2;
    let magnitude = numerator.unsigned_abs();
    let (quotient, rest) =
        (magnitude / denominator.unsigned_abs(), magnitude % denominator.unsigned_abs());
    let up = u128::from(rest >= (half + odd).unsigned_abs());
    let rounded = i128::try_from(quotient + up).expect("a quotient beyond 128 bits");
    if numerator < 0 { -rounded } else { rounded }
}

/// `numerator / denominator`, cut towards zero (1.1 `trunc`).
pub fn trunc_div(numerator: i128, denominator: i128) -> i128 {
    numerator / denominator
}

impl<K: Unit> fmt::Display for Fixed<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.text(&mut [0; 24]))
    }
}

impl<K: Unit> fmt::Debug for Fixed<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl<K: Unit> FromStr for Fixed<K> {
    type Err = NumberError;
    fn from_str(text: &str) -> Result<Self, NumberError> {
        Self::parse(text)
    }
}

impl<K: Unit> Default for Fixed<K> {
    fn default() -> Self {
        Self::ZERO
    }
}

impl<K: Unit> std::ops::Add for Fixed<K> {
    type Output = Self;
    fn add(self, other: Self) -> Self {
        Self::from_units(self.units.checked_add(other.units).expect("a sum beyond 64 bits"))
    }
}
impl<K: Unit> std::ops::Sub for Fixed<K> {
    type Output = Self;
    fn sub(self, other: Self) -> Self {
        Self::from_units(self.units.checked_sub(other.units).expect("a difference beyond 64 bits"))
    }
}
impl<K: Unit> std::ops::AddAssign for Fixed<K> {
    fn add_assign(&mut self, other: Self) {
        *self = *self + other;
    }
}
impl<K: Unit> std::ops::SubAssign for Fixed<K> {
    fn sub_assign(&mut self, other: Self) {
        *self = *self - other;
    }
}
impl<K: Unit> std::ops::Neg for Fixed<K> {
    type Output = Self;
    fn neg(self) -> Self {
        Self::from_units(-self.units)
    }
}
impl<K: Unit> std::iter::Sum for Fixed<K> {
    fn sum<I: Iterator<Item = Self>>(numbers: I) -> Self {
        numbers.fold(Self::ZERO, |total, number| total + number)
    }
}

impl<K: Unit> Serialize for Fixed<K> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.text(&mut [0; 24]))
    }
}

impl<'de, K: Unit> Deserialize<'de> for Fixed<K> {
    /// Reads a string in the canonical scale. Computed values may lie beyond the bound of an input,
    /// so that only the syntax, the decimals and 64 bits limit them here.
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor<K>(PhantomData<fn() -> K>);
        impl<K: Unit> serde::de::Visitor<'_> for Visitor<K> {
            type Value = Fixed<K>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "a decimal as a string with at most {} decimals", K::SCALE)
            }
            fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Fixed<K>, E> {
                read_wide(text).map_err(|fault| E::custom(format_args!("{text:?}: {fault}")))
            }
        }
        deserializer.deserialize_str(Visitor(PhantomData))
    }
}

fn read_wide<K: Unit>(text: &str) -> Result<Fixed<K>, NumberError> {
    match Fixed::<K>::parse(text) {
        Err(NumberError::OutOfRange(_)) => {
            let mut decimal =
                Decimal::from_str_exact(text).map_err(|_| NumberError::OutOfRange("64 bits"))?;
            decimal.rescale(K::SCALE);
            i64::try_from(decimal.mantissa())
                .map(Fixed::from_units)
                .map_err(|_| NumberError::OutOfRange("64 bits"))
        }
        other => other,
    }
}

impl<K: Unit> schemars::JsonSchema for Fixed<K> {
    fn inline_schema() -> bool {
        true
    }
    fn schema_name() -> std::borrow::Cow<'static, str> {
        format!("Decimal{}", K::SCALE).into()
    }
    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({ "type": "string", "pattern": format!(r"^-?[0-9]+\.[0-9]{{{}}}$", K::SCALE) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_the_number_syntax_and_writes_the_canonical_text() {
        for (text, canonical) in [
            ("5", "5.00"),
            ("-0.00", "0.00"),
            ("+.5", "0.50"),
            ("007.1000", "7.10"),
            ("-0.05", "-0.05"),
            ("1.", "1.00"),
        ] {
            assert_eq!(Money::parse(text).unwrap().to_string(), canonical, "{text}");
        }
        for text in ["", "-", ".", "1e2", "1,000", " 1", "1 ", "NaN", "0x1", "--1", "1.2.3", "٣"] {
            assert_eq!(Money::parse(text), Err(NumberError::NotANumber), "{text}");
        }
        assert_eq!(Money::parse("1.001"), Err(NumberError::TooManyDecimals(2)));
        assert_eq!(Price::parse("1000"), Err(NumberError::OutOfRange("NUMERIC(11,8)")));
        assert_eq!(Price::parse("-999.99999999").unwrap().to_string(), "-999.99999999");
        assert!(Money::parse(&"9".repeat(400)).is_err());
    }

    #[test]
    fn rounds_half_away_from_zero_and_cuts_towards_zero() {
        for (numerator, denominator, rounded, cut) in [
            (5, 10, 1, 0),
            (-5, 10, -1, 0),
            (4, 10, 0, 0),
            (1, 3, 0, 0),
            (2, 3, 1, 0),
            (-15, 10, -2, -1),
            (-14, 10, -1, -1),
        ] {
            assert_eq!(round_div(numerator, denominator), rounded, "{numerator}/{denominator}");
            assert_eq!(trunc_div(numerator, denominator), cut, "{numerator}/{denominator}");
        }
    }

    #[test]
    fn json_carries_decimals_as_strings_also_beyond_the_bound_of_an_input() {
        let beyond = Price::from_wide(123_456_789_012_345_678);
        let text = serde_json::to_string(&beyond).unwrap();
        assert_eq!(text, "\"1234567890.12345678\"");
        assert_eq!(serde_json::from_str::<Price>(&text).unwrap(), beyond);
        assert!(serde_json::from_str::<Price>("1.5").is_err());
    }
}
