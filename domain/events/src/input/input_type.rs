//! The types of input columns and options.

/// What a column or an option holds.
#[derive(Debug, Clone, Copy)]
pub enum InputType {
    /// A text that compares as [`crate::values::Name`] does.
    Text,
    /// A decimal of a fixed scale.
    Decimal {
        /// Decimals after the point.
        scale: u32,
        /// The exclusive bound of its magnitude, in whole units.
        bound: i64,
        /// The SQL type that both amount to, for messages.
        sql_type: &'static str,
    },
    /// A whole number within 32 bits.
    Whole,
    /// A number of any scale.
    Number,
    /// A calendar date.
    Day,
    /// One of these words.
    OneOf(&'static [&'static str]),
    /// A boolean expression over the columns of `loan` (1.4).
    Rule,
}
