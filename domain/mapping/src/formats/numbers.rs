//! Numbers as spreadsheets and database tools write them.

use rust_decimal::Decimal;

use super::{CellFormats, DecimalMark, PercentSign};
use crate::schema::ValueKind;

const EXPECTED: &str = "a number is expected";
const COMMA_EXPECTED: &str = "a number with a decimal comma is expected, as decimal = \"comma\" \
                              says; a table with points needs formats = { decimal = \"point\" }";
const TOO_LONG: &str = "a number of at most 28 digits is expected";

/// Reads `1,234.50`, `$ 1,234.50`, `USD 1,234.50`, `(1,234.50)`, `1234.5-`, `6.5 %`, `1.5E-05`, and
/// `6 3/4`. Thousands must be in groups of three, so that a decimal comma is no thousands
/// separator.
pub(super) fn number(
    formats: &CellFormats,
    text: &str,
    kind: ValueKind,
) -> Result<Decimal, String> {
    let signed = Signed::parse(text).ok_or(EXPECTED)?;
    let mut number = unsigned(formats.decimal, signed.digits).map_err(|reason| {
        let is_comma = formats.decimal == Some(DecimalMark::Comma) && reason == EXPECTED;
        match is_comma && unsigned(Some(DecimalMark::Point), signed.digits).is_ok() {
            true => COMMA_EXPECTED.to_owned(),
            false => reason,
        }
    })?;
    if signed.is_negative {
        number.set_sign_negative(true);
    }
    let is_fraction = kind == ValueKind::Share || formats.percent == PercentSign::Fraction;
    if signed.is_percent && is_fraction {
        let scale = number.scale() + 2;
        number = Decimal::try_from_i128_with_scale(number.mantissa(), scale)
            .map_err(|_| TOO_LONG.to_owned())?;
    }
    Ok(number)
}

/// A number without its sign, its currency, and its per cent sign.
pub(super) struct Signed<'a> {
    pub(super) digits: &'a str,
    pub(super) is_negative: bool,
    is_percent: bool,
}

impl<'a> Signed<'a> {
    pub(super) fn parse(text: &'a str) -> Option<Self> {
        let (text, in_parentheses) = match text.strip_prefix('(').and_then(|t| t.strip_suffix(')'))
        {
            Some(inner) => (inner.trim(), true),
            None => (text, false),
        };
        let (text, is_percent) = match text.strip_suffix('%') {
            Some(number) => (number.trim_end(), true),
            None => (text, false),
        };
        let text = text.strip_suffix("USD").map_or(text, str::trim_end);
        let (text, trailing_minus) = match text.strip_suffix(['-', '\u{2212}']) {
            Some(number) => (number.trim_end(), true),
            None => (text, false),
        };
        let (text, minus) = sign(text);
        let unsigned = ["$", "US$", "USD"].iter().find_map(|sign| text.strip_prefix(sign));
        let text = unsigned.map_or(text, str::trim_start);
        let (digits, inner_minus) = if minus { (text, false) } else { sign(text) };
        let minuses = [in_parentheses, trailing_minus, minus, inner_minus];
        if minuses.iter().filter(|minus| **minus).count() > 1 {
            return None;
        }
        Some(Self { digits, is_negative: minuses.contains(&true), is_percent })
    }
}

fn sign(text: &str) -> (&str, bool) {
    match text.strip_prefix(['-', '\u{2212}']) {
        Some(number) => (number.trim_start(), true),
        None => (text.strip_prefix('+').unwrap_or(text), false),
    }
}

/// Reads digits with thousands separators, decimals, and an exponent, or with a fraction.
pub(super) fn unsigned(mark: Option<DecimalMark>, text: &str) -> Result<Decimal, String> {
    if let Some((whole, fraction)) = text.split_once(' ').filter(|(_, f)| f.contains('/')) {
        return mixed(whole, fraction.trim_start()).ok_or_else(|| EXPECTED.to_owned());
    }
    let (digits, exponent) = match text.split_once(['e', 'E']) {
        Some((digits, exponent)) => (digits, exponent.parse::<i32>().map_err(|_| EXPECTED)?),
        None => (text, 0),
    };
    const SEPARATORS: [char; 4] = ['\'', ' ', '\u{a0}', '\u{202f}'];
    let (point, thousands) = match mark {
        None | Some(DecimalMark::Point) => ('.', ','),
        Some(DecimalMark::Comma) => (',', '.'),
    };
    let is_separator = |c: char| c == thousands || SEPARATORS.contains(&c);
    let (whole, decimals) = digits.split_once(point).unwrap_or((digits, ""));
    let is_grouped = whole.contains(is_separator);
    let all_digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if mark.is_none() && is_grouped {
        let only_marks = digits.chars().all(|c| c.is_ascii_digit() || c == '.' || is_separator(c));
        return Err(match only_marks {
            true => "decimal mark or thousands separator? write decimal = \"point\" (1,234.5) or \
                     \"comma\" (1.234,5) under [formats] of the mapping"
                .to_owned(),
            false => EXPECTED.to_owned(),
        });
    }
    let whole = ungrouped(whole, is_separator).ok_or(EXPECTED)?;
    if whole.len() + decimals.len() == 0 || !all_digits(&whole) || !all_digits(decimals) {
        return Err(EXPECTED.to_owned());
    }
    assemble(&whole, decimals, exponent).ok_or_else(|| TOO_LONG.to_owned())
}

fn assemble(whole: &str, decimals: &str, exponent: i32) -> Option<Decimal> {
    let decimals = decimals.trim_end_matches('0');
    let scale = i32::try_from(decimals.len()).ok()?.checked_sub(exponent)?;
    let mantissa: i128 = format!("{whole}{decimals}").parse().ok()?;
    if scale >= 0 {
        return Decimal::try_from_i128_with_scale(mantissa, scale.unsigned_abs()).ok();
    }
    let power = 10_i128.checked_pow(scale.unsigned_abs())?;
    Decimal::try_from_i128_with_scale(mantissa.checked_mul(power)?, 0).ok()
}

/// Removes thousands separators; `None` if the groups do not have three digits.
fn ungrouped(whole: &str, is_separator: impl Fn(char) -> bool) -> Option<String> {
    let Some(separator) = whole.chars().find(|c| is_separator(*c)) else {
        return Some(whole.to_owned());
    };
    let mut groups = whole.split(separator);
    let first = groups.next().unwrap_or_default();
    let grouped = (1..=3).contains(&first.len()) && groups.all(|group| group.len() == 3);
    grouped.then(|| whole.split(separator).collect())
}

/// Reads `6 3/4`, where the fraction is an exact decimal: halves to 64ths.
fn mixed(whole: &str, fraction: &str) -> Option<Decimal> {
    let (part, of) = fraction.split_once('/')?;
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if ![whole, part, of].into_iter().all(digits) {
        return None;
    }
    let (part, of): (u32, u32) = (part.parse().ok()?, of.parse().ok()?);
    if !matches!(of, 2 | 4 | 8 | 16 | 32 | 64) || part >= of {
        return None;
    }
    Decimal::from(whole.parse::<u64>().ok()?).checked_add(parts(part, of))
}

/// An exact fraction; `of` is a power of two of at most 1024.
pub(super) fn parts(part: u32, of: u32) -> Decimal {
    // 1/1024 has ten decimals.
    let units = i64::from(part) * (10_000_000_000 / i64::from(of.max(1)));
    Decimal::new(units, 10).normalize()
}
