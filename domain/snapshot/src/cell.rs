//! Reading the text of a cell by its column (specification 1.1). Columns of tables and options of
//! runs share this.

use std::borrow::Cow;

use powerfill_events::input::{Bounds, InputCell, InputColumn, InputType};
use powerfill_events::values::{Name, NumberError, fold, parse_units};
use rust_decimal::Decimal;

use super::near::suggestion;
use super::report::FaultCode;

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

/// Reads a text that is not empty. The text of a rule is not compiled here.
pub(super) fn read_cell(
    input_type: InputType,
    bounds: Bounds,
    text: &str,
) -> Result<InputCell, CellFault> {
    match input_type {
        InputType::Text => Ok(InputCell::Text(Name::new(text))),
        InputType::Decimal { scale, bound, sql_type } => {
            let units = parse_units(text, scale, bound, sql_type).map_err(number_fault)?;
            check_bounds(bounds, units, 10_i64.pow(scale))?;
            Ok(InputCell::Decimal { units, scale })
        }
        InputType::Whole => {
            let number = whole(text)?;
            check_bounds(bounds, number, 1)?;
            Ok(InputCell::Whole(number))
        }
        InputType::Number => number(text).map(InputCell::Number),
        InputType::Day => without_midnight(text)
            .parse()
            .map(InputCell::Day)
            .map_err(|fault| CellFault::new(FaultCode::NotADate, format!("{fault}"))),
        InputType::OneOf(words) => word(text, words).map(InputCell::Word),
        InputType::Rule => Ok(InputCell::Rule(text.into())),
    }
}

/// The date of a moment at midnight, as databases and programs write a date into a text column.
/// Every other text does not change.
fn without_midnight(text: &str) -> &str {
    let Some((date, time)) = text.split_once(['T', ' ']) else { return text };
    let zone = ["Z", "+00:00", "+00"].into_iter().find_map(|zone| time.strip_suffix(zone));
    let (clock, fraction) =
        zone.unwrap_or(time).split_once('.').unwrap_or((zone.unwrap_or(time), "0"));
    let is_midnight = matches!(clock, "00:00:00" | "00:00")
        && !fraction.is_empty()
        && fraction.bytes().all(|digit| digit == b'0');
    if is_midnight { date } else { text }
}

/// Reads the default of a column, which is without fault.
pub(super) fn read_default(column: &InputColumn, text: &str) -> InputCell {
    read_cell(column.input_type, column.bounds, text)
        .unwrap_or_else(|fault| panic!("default of {}: {}", column.name, fault.reason))
}

/// The code for a value of a sort that the column cannot hold at all, whatever its text.
pub(super) fn unfit_code(input_type: InputType) -> FaultCode {
    match input_type {
        InputType::Text | InputType::Rule => FaultCode::NotAllowed,
        InputType::Day => FaultCode::NotADate,
        InputType::OneOf(_) => FaultCode::NotOneOf,
        InputType::Decimal { .. } | InputType::Whole | InputType::Number => FaultCode::NotANumber,
    }
}

/// Checks scaled units against a range; `one` is one whole unit.
fn check_bounds(bounds: Bounds, units: i64, one: i64) -> Result<(), CellFault> {
    let reason = match bounds {
        Bounds::Above(low) if units <= low * one => format!("must be > {low}"),
        Bounds::AtLeast(low) | Bounds::Within(low, _) if units < low * one => {
            format!("must be >= {low}")
        }
        Bounds::Within(_, high) if units > high * one => format!("must be <= {high}"),
        _ => return Ok(()),
    };
    Err(CellFault::new(FaultCode::OutOfRange, reason))
}

fn number_fault(fault: NumberError) -> CellFault {
    let code = match fault {
        NumberError::NotANumber => FaultCode::NotANumber,
        NumberError::TooManyDecimals(_) => FaultCode::TooManyDecimals,
        NumberError::OutOfRange(_) => FaultCode::OutOfRange,
    };
    CellFault::new(code, fault.to_string())
}

/// The digits of a plain decimal number without leading zeros, and decimals without trailing ones.
struct Digits<'a> {
    negative: bool,
    whole: &'a str,
    decimals: &'a str,
}

impl<'a> Digits<'a> {
    fn parse(text: &'a str) -> Result<Self, CellFault> {
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
fn whole(text: &str) -> Result<i64, CellFault> {
    let digits = Digits::parse(text)?;
    if !digits.decimals.is_empty() {
        return Err(CellFault::new(FaultCode::NotWhole, "a whole number is expected"));
    }
    let value = (digits.whole.len() <= 10).then(|| digits.mantissa());
    let value = value.and_then(|value| i32::try_from(value).ok()).map(i64::from);
    value.ok_or_else(|| {
        let reason = format!("must fit {} to {}", i32::MIN, i32::MAX);
        CellFault::new(FaultCode::OutOfRange, reason)
    })
}

/// A whole number as a cell has it; `None` where it is none.
pub(crate) fn whole_number(text: &str) -> Option<i64> {
    whole(text).ok()
}

/// A number of any scale, normalized. 28 digits are what [`Decimal`] surely holds; 20 of them
/// before the point leave room for the 6 decimals of an average.
fn number(text: &str) -> Result<Decimal, CellFault> {
    let digits = Digits::parse(text)?;
    let too_long =
        || CellFault::new(FaultCode::OutOfRange, "at most 28 digits, 20 before the point");
    if digits.whole.len() > 20 || digits.whole.len() + digits.decimals.len() > 28 {
        return Err(too_long());
    }
    let scale = u32::try_from(digits.decimals.len()).map_err(|_| too_long())?;
    Decimal::try_from_i128_with_scale(digits.mantissa(), scale).map_err(|_| too_long())
}

fn word(text: &str, words: &'static [&'static str]) -> Result<usize, CellFault> {
    words
        .iter()
        .position(|word| word.eq_ignore_ascii_case(text))
        .or_else(|| words.iter().position(|word| !text.is_ascii() && fold(word) == fold(text)))
        .ok_or_else(|| {
            let near = suggestion(text, words.iter().copied());
            let reason = format!("one of {} is expected{near}", words.join(", "));
            CellFault::new(FaultCode::NotOneOf, reason)
        })
}

#[cfg(test)]
mod tests {
    use super::*;
    use powerfill_events::input::InputValue;
    use powerfill_events::values::{Money, Percent, Price, Share};

    fn code<T: InputValue>(bounds: Bounds, text: &str) -> Option<&'static str> {
        read_cell(T::TYPE, bounds, text).err().map(|fault| fault.code.as_str())
    }

    #[test]
    fn whole_numbers_may_end_in_zero_decimals_and_fit_an_integer() {
        let bounds = Bounds::Within(0, 9999);
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
            assert_eq!(code::<i64>(bounds, text), expected, "{text}");
        }
        assert_eq!(code::<i64>(Bounds::Any, "2147483647"), None);
        assert_eq!(code::<i64>(Bounds::Any, "2147483648"), Some("out_of_range"));
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
            assert_eq!(code::<Decimal>(Bounds::Any, &beyond), Some("out_of_range"), "{beyond}");
        }
        assert_eq!(code::<Decimal>(Bounds::Any, "1_000"), Some("not_a_number"));
    }

    #[test]
    fn ranges_include_or_exclude_their_ends_as_the_column_says() {
        assert_eq!(code::<Money>(Bounds::Above(0), "0.00"), Some("out_of_range"));
        assert_eq!(code::<Money>(Bounds::Above(0), "0.01"), None);
        assert_eq!(code::<Percent>(Bounds::Within(0, 100), "100"), None);
        assert_eq!(code::<Percent>(Bounds::Within(0, 100), "100.000001"), Some("out_of_range"));
        assert_eq!(code::<Share>(Bounds::Within(0, 1), "0.0000001"), Some("too_many_decimals"));
        assert_eq!(code::<Price>(Bounds::Any, "-1000"), Some("out_of_range"));
    }

    #[test]
    fn a_moment_at_midnight_is_a_date_and_no_other_moment_is() {
        let read = |text| read_cell(InputType::Day, Bounds::Any, text);
        let day = |text| match read(text) {
            Ok(InputCell::Day(day)) => day.to_string(),
            other => panic!("{text}: {other:?}"),
        };
        for midnight in [
            "2026-01-05 00:00:00",
            "2026-01-05T00:00:00",
            "2026-01-05 00:00:00.000000",
            "2026-01-05T00:00:00.000Z",
            "2026-01-05 00:00:00+00:00",
            "2026-01-05 00:00",
        ] {
            assert_eq!(day(midnight), "2026-01-05", "{midnight}");
        }
        for other in [
            "2026-01-05 00:00:01",
            "2026-01-05 12:00:00",
            "2026-01-05 00:00:00.",
            "2026-01-05 00:00:00.001",
            "2026-01-05 00:00:00+01:00",
            "2026-01-05 ",
            "2026-02-30 00:00:00",
            "00:00:00",
        ] {
            assert_eq!(read(other).unwrap_err().code, FaultCode::NotADate, "{other}");
        }
    }

    #[test]
    fn words_compare_as_text() {
        let words: &[&str] = &["open", "closed"];
        assert_eq!(word("ClosEd", words), Ok(1));
        assert_eq!(word("cloſed", words), Ok(1));
        assert_eq!(
            read_cell(InputType::OneOf(words), Bounds::Any, "shut").err().map(|fault| fault.code),
            Some(FaultCode::NotOneOf)
        );
    }
}
