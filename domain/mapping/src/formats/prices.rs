//! Prices in 32nds and 64ths of a point.

use rust_decimal::Decimal;

use super::numbers::{self, Signed, parts, unsigned};
use super::{CellFormats, PriceForm};
use crate::schema::ValueKind;

const EXPECTED_TICKS: &str = "a price in 32nds or 64ths is expected, as 101-16, 101-16+, or 101-162; for \
                        numbers too, add \"decimal\" to prices in the mapping";

/// Reads a price in one of the forms of the column.
pub(super) fn price(formats: &CellFormats, text: &str, kind: ValueKind) -> Result<Decimal, String> {
    let of = formats.prices.iter().find_map(|form| match form {
        PriceForm::ThirtySeconds => Some(32),
        PriceForm::SixtyFourths => Some(64),
        PriceForm::Decimal => None,
    });
    let takes_decimals = formats.prices.contains(&PriceForm::Decimal);
    // A minus at the end would be the dash before ticks that are missing.
    let signed = Signed::parse(text).filter(|_| !text.ends_with('-')).ok_or(EXPECTED_TICKS)?;
    let ticks = signed.digits.split_once(['-', '\'']);
    match (ticks, of) {
        (Some((points, ticks)), Some(of)) => {
            let mut price = in_ticks(points, ticks, of)?;
            if signed.is_negative {
                price.set_sign_negative(true);
            }
            Ok(price)
        }
        _ if takes_decimals => numbers::number(formats, text, kind),
        // Whole points have one meaning in every form.
        (None, Some(_)) if signed.digits.bytes().all(|byte| byte.is_ascii_digit()) => {
            numbers::number(formats, text, kind)
        }
        _ => Err(EXPECTED_TICKS.to_owned()),
    }
}

/// `101` and `16+` as points: two digits of ticks, then nothing, `+`, or eighths of a tick.
fn in_ticks(points: &str, ticks: &str, of: u32) -> Result<Decimal, String> {
    let is_ascii = ticks.is_ascii() && ticks.len() >= 2;
    let two = ticks.get(..2).filter(|_| is_ascii).and_then(|two| two.parse::<u32>().ok());
    let eighths = match ticks.get(2..) {
        Some("") => Some(0),
        Some("+") => Some(4),
        Some(eighth) if eighth.len() == 1 => eighth.parse::<u32>().ok().filter(|e| *e < 8),
        _ => None,
    };
    let (Some(two), Some(eighths)) = (two, eighths) else {
        return Err(EXPECTED_TICKS.to_owned());
    };
    if two >= of {
        let most = of - 1;
        return Err(format!("ticks are 00 to {most}; is the column in other parts of a point?"));
    }
    let points = unsigned(None, points)?;
    if points.scale() > 0 {
        return Err(EXPECTED_TICKS.to_owned());
    }
    Ok(points + parts(two * 8 + eighths, of * 8))
}
