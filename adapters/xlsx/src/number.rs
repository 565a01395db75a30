//! The number of a cell as an exact decimal.
//!
//! A workbook stores a number as the text of a binary float: Excel writes 1.1 as
//! 1.1000000000000001. Excel keeps 15 digits of a typed number, and a decimal of up to 15 digits is
//! the shortest text of exactly one float. If the shortest text has at most 15 digits, it is
//! therefore the typed number. If it has more, the number was calculated (0.1 + 0.2), and the
//! intended decimal is unknown.

/// The number of digits that Excel keeps.
const MAX_DIGITS: usize = 15;

const CALCULATED: &str = "a number of more than the 15 digits that Excel keeps; round it in the \
                          workbook, or type it as text";
const TOO_LONG: &str = "a whole number of more than the 15 digits that Excel keeps; type it as \
                        text, with all its digits";
const NOT_A_NUMBER: &str = "not a number";

/// The number as a decimal without exponent.
///
/// # Errors
/// The decimal, and the reason why it may not be the intended one.
pub(crate) fn decimal(number: f64) -> Result<String, (String, &'static str)> {
    if !number.is_finite() {
        return Err((number.to_string(), NOT_A_NUMBER));
    }
    // The shortest digits that parse to the same float, as d.ddde±x.
    let shortest = format!("{:e}", number.abs());
    let (mantissa, exponent) = shortest.split_once('e').unwrap_or((&shortest, "0"));
    let digits: String = mantissa.chars().filter(char::is_ascii_digit).collect();
    let point = exponent.parse::<i32>().unwrap_or_default() + 1;
    let plain = plain(number.is_sign_negative() && number != 0.0, &digits, point);
    match (usize::try_from(point), digits.len()) {
        (Ok(whole), _) if whole > MAX_DIGITS => Err((plain, TOO_LONG)),
        (_, digits) if digits > MAX_DIGITS => Err((plain, CALCULATED)),
        _ => Ok(plain),
    }
}

/// The digits with a decimal point after the first `point` of them.
fn plain(negative: bool, digits: &str, point: i32) -> String {
    let mut text = String::with_capacity(digits.len() + 8);
    if negative {
        text.push('-');
    }
    match usize::try_from(point) {
        Ok(whole) if whole >= digits.len() => {
            text.push_str(digits);
            text.extend(std::iter::repeat_n('0', whole - digits.len()));
        }
        Ok(whole) if whole > 0 => {
            text.push_str(&digits[..whole]);
            text.push('.');
            text.push_str(&digits[whole..]);
        }
        _ => {
            text.push_str("0.");
            text.extend(std::iter::repeat_n('0', point.unsigned_abs() as usize));
            text.push_str(digits);
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn typed_numbers_are_exact_and_calculated_numbers_are_rejected() {
        for (number, text) in [
            (0.0, "0"),
            (-0.0, "0"),
            (42.0, "42"),
            (0.1, "0.1"),
            ("1.1000000000000001".parse().unwrap(), "1.1"),
            (101.15625, "101.15625"),
            (-6.125, "-6.125"),
            (1e-7, "0.0000001"),
            (1e14, "100000000000000"),
            (999_999_999_999_999.0, "999999999999999"),
            (9_999_999_999_999.99, "9999999999999.99"),
            (1200.0, "1200"),
        ] {
            assert_eq!(decimal(number), Ok(text.to_owned()));
        }
        for (number, text) in [
            (0.1 + 0.2, "0.30000000000000004"),
            (1.1 * 1.1, "1.2100000000000002"),
            (1e15, "1000000000000000"),
            (100_012_345_678_901_000.0, "100012345678901000"),
            (f64::NAN, "NaN"),
            (f64::INFINITY, "inf"),
        ] {
            assert_eq!(decimal(number).unwrap_err().0, text);
        }
        assert_eq!(decimal(1e300).unwrap_err().0.len(), 301);
        assert!(decimal(5e-324).unwrap().starts_with("0.000"));
    }

    proptest! {
        #[test]
        fn decimals_of_up_to_fifteen_digits_are_exact(
            units in -999_999_999_999_999_i64..=999_999_999_999_999,
            scale in 0_usize..=14,
        ) {
            let magnitude = format!("{:0>1$}", units.abs(), scale + 1);
            let (whole, decimals) = magnitude.split_at(magnitude.len() - scale);
            let decimals = decimals.trim_end_matches('0');
            let sign = if units < 0 { "-" } else { "" };
            let text = match decimals {
                "" => format!("{sign}{whole}"),
                decimals => format!("{sign}{whole}.{decimals}"),
            };
            prop_assert_eq!(decimal(text.parse().unwrap()), Ok(text));
        }
    }
}
