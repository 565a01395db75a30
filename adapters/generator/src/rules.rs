//! Table `pscat_securitization_rules`: the vocabulary of eligibility, in the syntax of 1.4.

/// Loan sizes that specified pools are capped at, in dollars (5.1).
pub(crate) const CAPS: [i64; 6] = [85_000, 110_000, 125_000, 150_000, 175_000, 200_000];
/// The name of the rule behind each of [`CAPS`].
pub(crate) const CAP_RULES: [&str; 6] = [
    "balance to 85k",
    "balance to 110k",
    "balance to 125k",
    "balance to 150k",
    "balance to 175k",
    "balance to 200k",
];
/// The conforming limit of 2026, in dollars: above it a loan is a jumbo.
pub(crate) const CONFORMING_LIMIT: i64 = 832_750;

/// Names used by more than one table.
pub(crate) const CONVENTIONAL: &str = "conventional";
pub(crate) const GOVERNMENT: &str = "government";
pub(crate) const CONFORMING: &str = "conforming";
pub(crate) const JUMBO: &str = "jumbo";
pub(crate) const NEW_YORK: &str = "new york";
pub(crate) const INVESTOR_HOME: &str = "investor home";
pub(crate) const LOW_FICO: &str = "low fico";
pub(crate) const HIGH_LTV: &str = "high ltv";
pub(crate) const FICO_FROM_680: &str = "fico from 680";
pub(crate) const DTI_TO_50: &str = "dti to 50";
pub(crate) const MANUFACTURED_HOME: &str = "manufactured home";
/// The property type behind it.
pub(crate) const MANUFACTURED: &str = "Manufactured";

/// Every rule but those of the desks: name and syntax.
pub(crate) const RULES: &[(&str, &str)] = &[
    (CONVENTIONAL, "loan_type = 'Conv'"),
    (GOVERNMENT, "loan_type IN ('FHA', 'VA', 'USDA')"),
    (CONFORMING, "loan_amount <= 832750"),
    (JUMBO, "loan_amount > 832750"),
    (CAP_RULES[0], "loan_amount <= 85000"),
    (CAP_RULES[1], "loan_amount <= 110000"),
    (CAP_RULES[2], "loan_amount <= 125000"),
    (CAP_RULES[3], "loan.loan_amount <= 150000"),
    (CAP_RULES[4], "[loan_amount] BETWEEN 0 AND 175000"),
    (CAP_RULES[5], "loan_amount <= 200000"),
    (NEW_YORK, "state = 'NY'"),
    (INVESTOR_HOME, "occupancy = 'Investor'"),
    (LOW_FICO, "fico < 700"),
    (HIGH_LTV, "ltv > 95"),
    (FICO_FROM_680, "fico >= 680"),
    (MANUFACTURED_HOME, "property_type = 'Manufactured'"),
    (DTI_TO_50, "dti <= 50 OR dti IS NULL"),
    ("california", "state = 'CA'"),
    ("coastal", "state IN ('CA', 'WA', 'NY', 'FL', 'MA')"),
    ("not owner occupied", "NOT (occupancy LIKE 'prim%')"),
    ("owner occupied", "occupancy LIKE 'Prim%'"),
    ("condo", "property_type LIKE 'Condo%'"),
    ("two to four units", "units BETWEEN 2 AND 4"),
    ("cash out", "purpose = 'Cashout'"),
    ("high dti", "dti > 45"),
    ("retail", "\"channel\" = 'Retail' AND occupancy <> 'Investor'"),
    ("veteran", "loan_type = 'VA'"),
    ("fico from 740", "fico >= 740 AND ltv <= 80"),
    ("fico from 780", "fico >= 780 AND ltv <= 80"),
    ("insured", "mi_coverage > 0 AND (ltv - 80) * 2 > 10"),
    ("not yet due", "first_payment_date >= '2026-03-01'"),
];

/// The rule that a loan belongs to a desk.
pub(crate) fn desk_rule(desk: u32) -> (String, String) {
    (format!("desk {:02}", desk + 1), format!("desk = '{}'", desk_name(desk)))
}

/// The value of the column `desk`.
pub(crate) fn desk_name(desk: u32) -> String {
    format!("D{:02}", desk + 1)
}
