//! Rules across the columns of a row (specification 1.2). They ignore a cell that has a fault by
//! itself.

use powerfill_events::config::{CarryBucketRow, ConstraintRow};
use powerfill_events::input::{InputCell, InputRow, InputTable, InputValue};

use super::row::RowCheck;
use crate::report::FaultCode;
use crate::tables::{Instrument, Loan, LoanColumn, Pool, ToleranceRule, Trade, TradeType};

/// Checks a row by the rules of its table.
type RowRules = fn(&mut RowCheck<'_, '_>);

/// The rules of a table's rows.
pub(super) fn rules_of(table: &InputTable) -> RowRules {
    let rules: [(&InputTable, RowRules); 6] = [
        (LoanColumn::TABLE, check_loan_column),
        (Instrument::TABLE, check_instrument),
        (Trade::TABLE, check_trade),
        (Pool::TABLE, check_pool),
        (ConstraintRow::TABLE, check_constraint),
        (CarryBucketRow::TABLE, check_carry_bucket),
    ];
    let of_table = rules.into_iter().find(|(ruled, _)| ruled.name == table.name);
    of_table.map_or(|_| (), |(_, rules)| rules)
}

fn check_loan_column(row: &mut RowCheck<'_, '_>) {
    let is_listed = |name: &str| Loan::TABLE.position(name).is_some();
    if matches!(row.cell("column_name"), InputCell::Text(name) if is_listed(name.as_str())) {
        row.error("column_name", FaultCode::NotAllowed, "a listed column has its type already");
    }
}

/// The buy-up has both its numbers or neither (2.3).
fn check_instrument(row: &mut RowCheck<'_, '_>) {
    match (row.is_null("base_note_rate"), row.is_null("rate_multiple")) {
        (false, true) => {
            row.error("rate_multiple", FaultCode::Required, "goes with base_note_rate")
        }
        (true, false) => {
            row.error("base_note_rate", FaultCode::Required, "goes with rate_multiple")
        }
        _ => {}
    }
}

fn check_trade(row: &mut RowCheck<'_, '_>) {
    match row.value("trade_type") {
        Some(TradeType::Forward) => {
            for column in ["settlement_date", "trade_price"] {
                if row.is_null(column) {
                    row.error(column, FaultCode::Required, "a forward trade must have it");
                }
            }
        }
        Some(TradeType::Bx) if row.has_value("trade_price") => {
            let reason = "a bx trade has no trade price: it takes that of the grid";
            row.error("trade_price", FaultCode::NotAllowed, reason);
        }
        _ => {}
    }
    let needs_amount = matches!(
        row.value("tolerance_rule"),
        Some(ToleranceRule::GreaterOf | ToleranceRule::LesserOf)
    );
    if needs_amount && row.is_null("tolerance_amount") {
        row.error("tolerance_amount", FaultCode::Required, "the tolerance rule needs it");
    }
}

/// `NEW-` begins the names of the pools that a run proposes (2.9).
fn check_pool(row: &mut RowCheck<'_, '_>) {
    if matches!(row.cell("pool_name"), InputCell::Text(name) if name.folded().starts_with("NEW-")) {
        row.error("pool_name", FaultCode::NotAllowed, "NEW- is for the pools that a run proposes");
    }
}

fn check_constraint(row: &mut RowCheck<'_, '_>) {
    let (instrument, name) =
        (row.is_empty_text("investor_instrument_name"), row.is_empty_text("constraint_name"));
    if instrument == Some(true) && name == Some(false) {
        let reason = "a sub-constraint names its instrument";
        row.error("constraint_name", FaultCode::NotAllowed, reason);
    }
    if instrument == Some(true) && name == Some(true) {
        for column in ["lo_limit", "hi_limit"] {
            if row.has_value(column) {
                row.error(column, FaultCode::NotAllowed, "no limits at the investor level");
            }
        }
    }
    if let (InputCell::Decimal { units: lo, .. }, InputCell::Decimal { units: hi, .. }) =
        (row.cell("lo_limit"), row.cell("hi_limit"))
        && lo > hi
    {
        row.error("hi_limit", FaultCode::OutOfRange, "must be >= lo_limit");
    }
}

fn check_carry_bucket(row: &mut RowCheck<'_, '_>) {
    if let (InputCell::Whole(from), InputCell::Whole(to)) = (row.cell("on_day"), row.cell("to_day"))
        && to < from
    {
        row.error("to_day", FaultCode::OutOfRange, "must be >= on_day");
    }
}

impl RowCheck<'_, '_> {
    /// The typed value of a cell without fault.
    fn value<T: InputValue>(&self, column: &str) -> Option<T> {
        T::from_cell(self.cell(column).clone())
    }

    fn is_null(&self, column: &str) -> bool {
        matches!(self.cell(column), InputCell::Null)
    }

    /// Whether the cell has a value without fault.
    fn has_value(&self, column: &str) -> bool {
        !matches!(self.cell(column), InputCell::Null | InputCell::Faulty)
    }

    fn is_empty_text(&self, column: &str) -> Option<bool> {
        match self.cell(column) {
            InputCell::Text(name) => Some(name.is_empty()),
            _ => None,
        }
    }
}
