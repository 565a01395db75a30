//! Number formats that display another number than the cell holds: 0.065 as 6.5 %, 300000 as 300,
//! 42 as 0042.

use powerfill_events::input::CellDisplay;
use rust_decimal::{Decimal, RoundingStrategy};

/// A number format, as far as it changes the number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct NumberDisplay {
    pub(crate) display: CellDisplay,
    /// Decimals after the point; for leading zeros, the digits before it.
    digits: usize,
    /// How often it divides by a thousand.
    thousands: u32,
}

impl NumberDisplay {
    /// What a format code does; `None` if it displays the number itself. Only its first section
    /// counts, that of positive numbers.
    pub(crate) fn of_format(code: &str) -> Option<Self> {
        let (mut signs, mut chars) = (String::new(), code.chars());
        let mut has_percent = false;
        while let Some(c) = chars.next() {
            match c {
                '"' => chars.by_ref().take_while(|c| *c != '"').for_each(drop),
                '[' => chars.by_ref().take_while(|c| *c != ']').for_each(drop),
                '\\' | '_' | '*' => _ = chars.next(),
                ';' => break,
                '%' => has_percent = true,
                '0' | '#' | '?' | '.' | ',' => signs.push(c),
                _ => {}
            }
        }
        let (whole, decimals) = signs.split_once('.').unwrap_or((&signs, ""));
        let placeholders = |text: &str| text.chars().filter(|c| *c != ',').count();
        let commas = signs.len() - signs.trim_end_matches(',').len();
        let thousands = if placeholders(&signs) > 0 { u32::try_from(commas).ok()? } else { 0 };
        let (display, digits) = if has_percent {
            (CellDisplay::Percent, placeholders(decimals))
        } else if thousands > 0 {
            (CellDisplay::Thousands, placeholders(decimals))
        } else if decimals.is_empty() && whole.len() > 1 && whole.chars().all(|c| c == '0') {
            (CellDisplay::LeadingZeros, whole.len())
        } else {
            return None;
        };
        Some(Self { display, digits, thousands })
    }

    /// What a user sees for a number; `None` if the number itself.
    pub(crate) fn shown(self, number: &str) -> Option<String> {
        let value: Decimal = number.parse().ok()?;
        if value.is_zero() {
            return None;
        }
        let rounded = |value: Decimal| {
            let digits = u32::try_from(self.digits).unwrap_or(0);
            let rounded =
                value.round_dp_with_strategy(digits, RoundingStrategy::MidpointAwayFromZero);
            format!("{rounded:.*}", self.digits)
        };
        let divided = (0..self.thousands).fold(value, |value, _| value / Decimal::ONE_THOUSAND);
        match self.display {
            CellDisplay::Percent => {
                Some(format!("{}%", rounded(divided.checked_mul(Decimal::ONE_HUNDRED)?)))
            }
            CellDisplay::Thousands => Some(rounded(divided)),
            CellDisplay::LeadingZeros => {
                let is_short = number.len() < self.digits && value.is_integer();
                is_short.then(|| format!("{number:0>width$}", width = self.digits))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formats_that_change_the_number_are_recognized() {
        for (code, number, expected) in [
            ("0.000%", "0.065", Some("6.500%")),
            ("0%", "0.8", Some("80%")),
            ("0.00 \\%", "6.5", None),
            ("0.00\"%\"", "6.5", None),
            ("#,##0,", "300000", Some("300")),
            ("$#,##0.0,,\"M\"", "1250000", Some("1.3")),
            ("_($* #,##0.00_);_($* (#,##0.00)", "300000", None),
            ("#,##0", "300000", None),
            ("0.00", "6.5", None),
            ("0", "6", None),
            ("0000000000", "1000101", Some("0001000101")),
            ("00000", "90210", None),
            ("[Red]0.0%;0.0%", "0.05", Some("5.0%")),
            ("General", "5", None),
            ("0%", "0", None),
        ] {
            let display = NumberDisplay::of_format(code);
            let shown = display.and_then(|display| display.shown(number));
            assert_eq!(shown.as_deref(), expected, "{code}");
        }
    }
}
