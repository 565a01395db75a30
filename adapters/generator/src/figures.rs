//! Exact amounts, prices, and rates as whole numbers, and their texts (1.1).

/// A price of 1/256 point, in units of 0.00000001.
pub(crate) const TICK: i64 = 390_625;
/// A price of 1/32 point, in units of 0.00000001.
pub(crate) const THIRTY_SECOND: i64 = 8 * TICK;
/// One point, in units of 0.00000001.
pub(crate) const POINT: i64 = 100_000_000;

/// The decimal text of `units` of 10^-scale.
pub(crate) fn decimal(units: i64, scale: usize) -> String {
    let sign = if units < 0 { "-" } else { "" };
    let digits = units.unsigned_abs().to_string();
    if scale == 0 {
        return format!("{sign}{digits}");
    }
    let padded = format!("{digits:0>width$}", width = scale + 1);
    let (whole, fraction) = padded.split_at(padded.len() - scale);
    format!("{sign}{whole}.{fraction}")
}

/// Money from cents.
pub(crate) fn money(cents: i64) -> String {
    decimal(cents, 2)
}

/// A price from units of 0.00000001.
pub(crate) fn price(units: i64) -> String {
    decimal(units, 8)
}

/// A rate from thousandths of a percent.
pub(crate) fn rate(thousandths: i64) -> String {
    decimal(thousandths, 3)
}

/// A cell that may be empty.
pub(crate) fn or_empty<T>(value: Option<T>, text: impl FnOnce(T) -> String) -> String {
    value.map(text).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::{THIRTY_SECOND, decimal, money, price, rate};

    #[test]
    fn numbers_keep_every_digit() {
        assert_eq!(money(5), "0.05");
        assert_eq!(money(-123_456), "-1234.56");
        assert_eq!(price(99 * 100_000_000 + 10 * THIRTY_SECOND), "99.31250000");
        assert_eq!(rate(5_990), "5.990");
        assert_eq!(decimal(42, 0), "42");
        assert_eq!(decimal(0, 2), "0.00");
    }
}
