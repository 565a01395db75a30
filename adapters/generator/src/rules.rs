//! The vocabulary of `pscat_securitization_rules` that other tables use. The rules are in
//! `data/rules.txt`.

/// The caps of small balances, in dollars (5.1).
pub(crate) const CAPS: [i64; 6] = [85_000, 110_000, 125_000, 150_000, 175_000, 200_000];
/// The name of the rule of each of [`CAPS`].
pub(crate) const CAP_RULES: [&str; 6] = [
    "balance to 85k",
    "balance to 110k",
    "balance to 125k",
    "balance to 150k",
    "balance to 175k",
    "balance to 200k",
];
/// The conforming limit of 2026, in dollars. A loan above it is a jumbo.
pub(crate) const CONFORMING_LIMIT: i64 = 832_750;

pub(crate) const CONVENTIONAL: &str = "conventional";
pub(crate) const MANUFACTURED_HOME: &str = "manufactured home";
/// The property type of [`MANUFACTURED_HOME`].
pub(crate) const MANUFACTURED: &str = "Manufactured";

/// The rule that a loan belongs to a desk.
pub(crate) fn desk_rule(desk: u32) -> (String, String) {
    (format!("desk {:02}", desk + 1), format!("desk = '{}'", desk_name(desk)))
}

/// The value of the column `desk`.
pub(crate) fn desk_name(desk: u32) -> String {
    format!("D{:02}", desk + 1)
}
