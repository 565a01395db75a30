//! One cell: its kind, and reading its text (specification 1.1). Columns of tables and options of
//! runs share this.

use std::borrow::Cow;

use rust_decimal::Decimal;

use super::report::FaultCode;
use crate::rules::{Predicate, RuleFaultCode};
use crate::tables::LoanColumn;
use powerfill_events::values::{
    Day, Fixed, Money, Name, NumberError, Percent, Price, Rate, Share, Unit as Scale, fold,
};

/// What a column or an option holds, and which values it may have.
#[derive(Debug, Clone, Copy)]
pub(super) enum Kind {
    Text,
    Money(Bounds),
    Price(Bounds),
    Rate(Bounds),
    Share(Bounds),
    Percent(Bounds),
    Whole(Bounds),
    /// A number of any scale.
    Number,
    Day,
    OneOf(&'static [&'static str]),
    /// A boolean expression over the columns of `loan` (1.4).
    Rule,
}

/// A range, in whole units.
#[derive(Debug, Clone, Copy)]
pub(super) enum Bounds {
    Any,
    Above(i64),
    AtLeast(i64),
    Within(i64, i64),
}

impl Bounds {
    /// What a value breaks, if it does; `one` is the value of one whole unit.
    fn broken_by(self, units: i64, one: i64) -> Option<String> {
        match self {
            Self::Above(low) if units <= low * one => Some(format!("must be > {low}")),
            Self::AtLeast(low) | Self::Within(low, _) if units < low * one => {
                Some(format!("must be >= {low}"))
            }
            Self::Within(_, high) if units > high * one => Some(format!("must be <= {high}")),
            _ => None,
        }
    }
}

/// A cell that was read.
#[derive(Debug, Clone)]
pub(super) enum Value {
    Null,
    Text(Name),
    Fixed {
        units: i64,
        scale: u32,
    },
    Whole(i64),
    Number(Decimal),
    Day(Day),
    /// The position of the word in its list.
    Choice(usize),
    Rule(Box<(String, Predicate)>),
    /// A rule with a column that only the book can have.
    RuleText(Box<str>),
    /// It is in the report, or its column is.
    Faulty,
}

/// What is wrong with a cell.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct CellFault {
    pub(super) code: FaultCode,
    pub(super) reason: Cow<'static, str>,
}

impl CellFault {
    pub(super) fn new(code: FaultCode, reason: impl Into<Cow<'static, str>>) -> Self {
        Self { code, reason: reason.into() }
    }
}

impl Kind {
    /// Reads a text that is not empty. `columns` are those that a rule can name.
    pub(super) fn read(self, text: &str, columns: &[LoanColumn]) -> Result<Value, CellFault> {
        match self {
            Self::Text => Ok(Value::Text(Name::new(text))),
            Self::Money(bounds) => fixed::<_>(Money::parse(text), bounds),
            Self::Price(bounds) => fixed(Price::parse(text), bounds),
            Self::Rate(bounds) => fixed(Rate::parse(text), bounds),
            Self::Share(bounds) => fixed(Share::parse(text), bounds),
            Self::Percent(bounds) => fixed(Percent::parse(text), bounds),
            Self::Whole(bounds) => whole(text, bounds).map(Value::Whole),
            Self::Number => number(text).map(Value::Number),
            Self::Day => text
                .parse()
                .map(Value::Day)
                .map_err(|fault| CellFault::new(FaultCode::DateError, format!("{fault}"))),
            Self::OneOf(words) => choice(text, words).map(Value::Choice),
            Self::Rule => rule(text, columns),
        }
    }

    /// The code for a value of a sort that the column cannot hold at all, whatever its text.
    pub(super) fn unfit_code(self) -> FaultCode {
        match self {
            Self::Text | Self::Rule => FaultCode::NotAllowed,
            Self::Day => FaultCode::DateError,
            Self::OneOf(_) => FaultCode::NotOneOf,
            _ => FaultCode::NotANumber,
        }
    }
}

fn number_fault(fault: NumberError) -> CellFault {
    let code = match fault {
        NumberError::NotANumber => FaultCode::NotANumber,
        NumberError::TooManyDecimals(_) => FaultCode::TooManyDecimals,
        NumberError::OutOfRange(_) => FaultCode::OutOfRange,
    };
    CellFault::new(code, fault.to_string())
}

fn fixed<K: Scale>(
    parsed: Result<Fixed<K>, NumberError>,
    bounds: Bounds,
) -> Result<Value, CellFault> {
    let value = parsed.map_err(number_fault)?;
    match bounds.broken_by(value.units(), Fixed::<K>::ONE_UNITS) {
        Some(reason) => Err(CellFault::new(FaultCode::OutOfRange, reason)),
        None => Ok(Value::Fixed { units: value.units(), scale: K::SCALE }),
    }
}

/// The digits of a plain decimal number without leading zeros, and decimals without trailing ones.
struct Digits<'a> {
    negative: bool,
    whole: &'a str,
    decimals: &'a str,
}

impl<'a> Digits<'a> {
    fn of(text: &'a str) -> Result<Self, CellFault> {
        let unsigned = text.strip_prefix(['-', '+']).unwrap_or(text);
        let (whole, decimals) = unsigned.split_once('.').unwrap_or((unsigned, ""));
        let plain = |part: &str| part.bytes().all(|b| b.is_ascii_digit());
        if whole.len() + decimals.len() == 0 || !plain(whole) || !plain(decimals) {
            return Err(number_fault(NumberError::NotANumber));
        }
        let (whole, decimals) = (whole.trim_start_matches('0'), decimals.trim_end_matches('0'));
        Ok(Self { negative: text.starts_with('-'), whole, decimals })
    }

    /// The digits as one number with the sign; at most 28 of them.
    fn mantissa(&self) -> i128 {
        let digits = self.whole.bytes().chain(self.decimals.bytes());
        let magnitude = digits.fold(0, |number, digit| number * 10 + i128::from(digit - b'0'));
        if self.negative { -magnitude } else { magnitude }
    }
}

/// Whole numbers have the range of a database's INTEGER: a sentinel for "no end" fits, and no sum
/// can overflow.
fn whole(text: &str, bounds: Bounds) -> Result<i64, CellFault> {
    let digits = Digits::of(text)?;
    if !digits.decimals.is_empty() {
        return Err(CellFault::new(FaultCode::NotWhole, "a whole number is expected"));
    }
    let out_of_range = |reason: String| CellFault::new(FaultCode::OutOfRange, reason);
    let value = (digits.whole.len() <= 10).then(|| digits.mantissa());
    let value = value.and_then(|value| i32::try_from(value).ok()).map(i64::from);
    let value =
        value.ok_or_else(|| out_of_range(format!("must fit {} to {}", i32::MIN, i32::MAX)))?;
    match bounds.broken_by(value, 1) {
        Some(reason) => Err(out_of_range(reason)),
        None => Ok(value),
    }
}

/// A whole number as a cell has it; `None` where it is none.
pub(crate) fn whole_number(text: &str) -> Option<i64> {
    whole(text, Bounds::Any).ok()
}

/// A number of any scale, normalized. 28 digits are what [`Decimal`] surely holds; 20 of them before the point leave
/// room for the 6 decimals of an average.
fn number(text: &str) -> Result<Decimal, CellFault> {
    let digits = Digits::of(text)?;
    let too_long =
        || CellFault::new(FaultCode::OutOfRange, "at most 28 digits, 20 before the point");
    if digits.whole.len() > 20 || digits.whole.len() + digits.decimals.len() > 28 {
        return Err(too_long());
    }
    let scale = u32::try_from(digits.decimals.len()).map_err(|_| too_long())?;
    Decimal::try_from_i128_with_scale(digits.mantissa(), scale).map_err(|_| too_long())
}

fn choice(text: &str, words: &'static [&'static str]) -> Result<usize, CellFault> {
    words
        .iter()
        .position(|word| word.eq_ignore_ascii_case(text))
        .or_else(|| words.iter().position(|word| !text.is_ascii() && fold(word) == fold(text)))
        .ok_or_else(|| {
            let reason = format!("one of {} is expected", words.join(", "));
            CellFault::new(FaultCode::NotOneOf, reason)
        })
}

fn rule(text: &str, columns: &[LoanColumn]) -> Result<Value, CellFault> {
    let predicate = Predicate::compile(text, columns).map_err(|fault| {
        let code = match fault.code {
            RuleFaultCode::RuleSyntax => FaultCode::RuleSyntax,
            RuleFaultCode::RuleColumn => FaultCode::RuleColumn,
            RuleFaultCode::RuleType => FaultCode::RuleType,
        };
        CellFault::new(code, fault.to_string())
    })?;
    Ok(Value::Rule(Box::new((text.to_owned(), predicate))))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn code(kind: Kind, text: &str) -> Option<&'static str> {
        kind.read(text, &[]).err().map(|fault| fault.code.as_str())
    }

    #[test]
    fn whole_numbers_may_end_in_zero_decimals_and_fit_an_integer() {
        let kind = Kind::Whole(Bounds::Within(0, 9999));
        for (text, expected) in [
            ("5", None),
            ("+005.00", None),
            ("-0", None),
            ("9999", None),
            ("5.5", Some("not_whole")),
            ("1e2", Some("not_a_number")),
            ("1,000", Some("not_a_number")),
            ("NaN", Some("not_a_number")),
            (" 5", Some("not_a_number")),
            (".", Some("not_a_number")),
            ("", Some("not_a_number")),
            ("-1", Some("out_of_range")),
            ("10000", Some("out_of_range")),
            ("99999999999999999999999999", Some("out_of_range")),
        ] {
            assert_eq!(code(kind, text), expected, "{text}");
        }
        let integer = Kind::Whole(Bounds::Any);
        assert_eq!(code(integer, "2147483647"), None);
        assert_eq!(code(integer, "2147483648"), Some("out_of_range"));
    }

    #[test]
    fn numbers_of_any_scale_are_exact_and_normalized() {
        for (text, expected) in
            [("25.0", "25"), ("-0.00", "0"), ("+.5", "0.5"), ("0012.3400", "12.34")]
        {
            assert_eq!(number(text).unwrap().to_string(), expected, "{text}");
        }
        let longest = format!("{}.{}", "9".repeat(20), "9".repeat(8));
        assert_eq!(number(&longest).unwrap().to_string(), longest);
        for beyond in [format!("{longest}9"), "9".repeat(21)] {
            assert_eq!(code(Kind::Number, &beyond), Some("out_of_range"), "{beyond}");
        }
        assert_eq!(code(Kind::Number, "1_000"), Some("not_a_number"));
    }

    #[test]
    fn ranges_include_or_exclude_their_ends_as_the_column_says() {
        assert_eq!(code(Kind::Money(Bounds::Above(0)), "0.00"), Some("out_of_range"));
        assert_eq!(code(Kind::Money(Bounds::Above(0)), "0.01"), None);
        assert_eq!(code(Kind::Percent(Bounds::Within(0, 100)), "100"), None);
        assert_eq!(code(Kind::Percent(Bounds::Within(0, 100)), "100.000001"), Some("out_of_range"));
        assert_eq!(code(Kind::Share(Bounds::Within(0, 1)), "0.0000001"), Some("too_many_decimals"));
        assert_eq!(code(Kind::Price(Bounds::Any), "-1000"), Some("out_of_range"));
    }

    #[test]
    fn words_compare_as_text() {
        let words: &[&str] = &["open", "closed"];
        assert_eq!(choice("ClosEd", words), Ok(1));
        assert_eq!(choice("cloſed", words), Ok(1));
        assert_eq!(code(Kind::OneOf(words), "shut"), Some("not_one_of"));
    }
}
