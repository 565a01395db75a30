//! Numbers and names in texts: amounts with separators, prices exact without trailing zeros.

use std::fmt::Display;

use powerfill_events::run::event::Node;
use powerfill_events::values::{Money, Price};

/// Dollars with thousands separators: `1,234,567.89`.
pub fn usd(amount: Money) -> String {
    let text = amount.to_string();
    let (sign, digits) = match text.strip_prefix('-') {
        Some(digits) => ("-", digits),
        None => ("", text.as_str()),
    };
    let (whole, cents) = digits.split_once('.').unwrap_or((digits, "00"));
    format!("{sign}{}.{cents}", grouped(whole))
}

/// A price, carry, or score in points, exact, with at least two decimals: `101.50`, `101.53125`.
pub fn points(price: Price) -> String {
    let mut text = price.to_string();
    let shortest = text.find('.').map_or(text.len(), |point| point + 3);
    while text.len() > shortest && text.ends_with('0') {
        text.pop();
    }
    text
}

/// A rate or a share, exact, without trailing zeros: `6.125`, `0.15`, `1`.
pub(super) fn short(number: impl Display) -> String {
    let text = number.to_string();
    match text.contains('.') {
        true => text.trim_end_matches('0').trim_end_matches('.').to_owned(),
        false => text,
    }
}

/// The name of a node: investor, instrument, and the constraint's name if it has one.
pub(super) fn node_name(node: &Node) -> String {
    let Node { investor_id, investor_instrument_name, constraint_name, .. } = node;
    if constraint_name.as_str().is_empty() {
        format!("{investor_id} {investor_instrument_name}")
    } else {
        format!("{investor_id} {investor_instrument_name} {constraint_name:?}")
    }
}

/// A count with its noun: `1 loan`, `2 loans`.
pub(super) fn counted(count: u64, one: &str, more: &str) -> String {
    format!("{} {}", thousands(count), if count == 1 { one } else { more })
}

/// A count with thousands separators: `4,233`.
pub fn thousands(count: u64) -> String {
    grouped(&count.to_string())
}

/// Digits with thousands separators.
fn grouped(digits: &str) -> String {
    let mut grouped = String::with_capacity(digits.len() * 4 / 3);
    for (at, digit) in digits.char_indices() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}

/// The ids that look like one that does not exist, to follow it: `; the nearest are L1, L2`.
pub(super) fn near_words(nearest_ids: &[String]) -> String {
    match nearest_ids {
        [] => String::new(),
        [one] => format!("; the nearest id is {one}"),
        all => format!("; the nearest ids are {}", all.join(", ")),
    }
}

/// The first items of a list, and the number of the others.
pub(super) fn few(mut items: impl ExactSizeIterator<Item = String>, most: usize) -> String {
    let more = items.len().saturating_sub(most);
    let shown = items.by_ref().take(most).collect::<Vec<_>>().join(", ");
    if more == 0 { shown } else { format!("{shown} and {more} more") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_grouped_and_prices_trimmed() {
        for (cents, text) in [
            (0, "0.00"),
            (99_999, "999.99"),
            (100_000, "1,000.00"),
            (-123_456_789, "-1,234,567.89"),
            (10_000_000_000, "100,000,000.00"),
        ] {
            assert_eq!(usd(Money::from_units(cents)), text);
        }
        for (price, text) in [
            ("101.5", "101.50"),
            ("101", "101.00"),
            ("101.53125", "101.53125"),
            ("-0.125", "-0.125"),
            ("99.12345678", "99.12345678"),
        ] {
            assert_eq!(points(price.parse().unwrap()), text);
        }
    }
}
