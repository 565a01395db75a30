//! The tables of a small book beside its loans, as a mapping states them.

pub(crate) const BOOK_TABLES: &str = r#"[[tables.snapshot.rows]]
tenant_id = "ACME"
as_of = 2026-01-15
[[tables.pscat_loan_stages.rows]]
stage_name = "Locked"
stage_rank = 40
[[tables.pscat_loan_stages.rows]]
stage_name = "Closed"
stage_rank = 60
[[tables.pscat_instruments.rows]]
investor_id = "FNMA"
investor_instrument_name = "FN30 6.0"
kind = "tba"
coupon = "6.0"
min_note_rate = "6.0"
max_note_rate = "7.0"
[[tables.pscat_trades.rows]]
trade_id = "T1"
investor_instrument_name = "FN30 6.0"
trade_type = "forward"
status = "open"
settlement_date = "2026-02-12"
trade_amount = 1000000
tolerance = "2.5"
trade_price = "101.515625"
[[tables.pfill_constraints.rows]]
investor_id = "FNMA"
investor_instrument_name = "FN30 6.0"
constraint_name = ""
constraint_priority = 10
"#;
