//! What holds across the columns of a row (specification 1.2). A value that is at fault by itself
//! says nothing here.

use super::columns::is_listed;
use super::row::RowCheck;
use crate::cell::Value;
use crate::report::FaultCode;
use crate::tables::{ToleranceRule, TradeType};
use powerfill_events::values::Choice;

/// The rules of a table's rows.
pub(super) fn of(table: &str) -> fn(&mut RowCheck<'_, '_>) {
    match table {
        "loan_columns" => loan_column,
        "pscat_instruments" => instrument,
        "pscat_trades" => trade,
        "pscat_pools" => pool,
        "pfill_constraints" => constraint,
        "pfill_carry_cost" => carry_bucket,
        _ => |_| (),
    }
}

fn loan_column(row: &mut RowCheck<'_, '_>) {
    if matches!(row.value("column_name"), Value::Text(name) if is_listed(name.as_str())) {
        row.error("column_name", FaultCode::NotAllowed, "a listed column has its type already");
    }
}

/// The buy-up has both its numbers or neither (2.3).
fn instrument(row: &mut RowCheck<'_, '_>) {
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

fn trade(row: &mut RowCheck<'_, '_>) {
    match row.choice("trade_type") {
        Some(TradeType::Forward) => {
            for column in ["settlement_date", "trade_price"] {
                if row.is_null(column) {
                    row.error(column, FaultCode::Required, "a forward trade must have it");
                }
            }
        }
        Some(TradeType::Bx) if row.is_sound("trade_price") => {
            let reason = "a bx trade has no trade price: it takes that of the grid";
            row.error("trade_price", FaultCode::NotAllowed, reason);
        }
        _ => {}
    }
    let needs_amount = matches!(
        row.choice("tolerance_rule"),
        Some(ToleranceRule::GreaterOf | ToleranceRule::LesserOf)
    );
    if needs_amount && row.is_null("tolerance_amount") {
        row.error("tolerance_amount", FaultCode::Required, "the tolerance rule needs it");
    }
}

/// `NEW-` is how a run names the pools that it proposes (2.9).
fn pool(row: &mut RowCheck<'_, '_>) {
    if matches!(row.value("pool_name"), Value::Text(name) if name.folded().starts_with("NEW-")) {
        row.error("pool_name", FaultCode::NotAllowed, "NEW- is for the pools that a run proposes");
    }
}

fn constraint(row: &mut RowCheck<'_, '_>) {
    let (instrument, name) =
        (row.is_empty_text("investor_instrument_name"), row.is_empty_text("constraint_name"));
    if instrument == Some(true) && name == Some(false) {
        let reason = "a sub-constraint names its instrument";
        row.error("constraint_name", FaultCode::NotAllowed, reason);
    }
    if instrument == Some(true) && name == Some(true) {
        for column in ["lo_limit", "hi_limit"] {
            if row.is_sound(column) {
                row.error(column, FaultCode::NotAllowed, "no limits at the investor level");
            }
        }
    }
    if let (Value::Fixed { units: lo, .. }, Value::Fixed { units: hi, .. }) =
        (row.value("lo_limit"), row.value("hi_limit"))
        && lo > hi
    {
        row.error("hi_limit", FaultCode::OutOfRange, "must be >= lo_limit");
    }
}

fn carry_bucket(row: &mut RowCheck<'_, '_>) {
    if let (Value::Whole(from), Value::Whole(to)) = (row.value("on_day"), row.value("to_day"))
        && to < from
    {
        row.error("to_day", FaultCode::OutOfRange, "must be >= on_day");
    }
}

impl RowCheck<'_, '_> {
    /// The enumeration's value, where it has a sound one.
    fn choice<T: Choice>(&self, column: &str) -> Option<T> {
        match self.value(column) {
            Value::Choice(position) => Some(T::nth(*position)),
            _ => None,
        }
    }

    fn is_null(&self, column: &str) -> bool {
        matches!(self.value(column), Value::Null)
    }

    /// Whether there is a value, and nothing wrong with it.
    fn is_sound(&self, column: &str) -> bool {
        !matches!(self.value(column), Value::Null | Value::Faulty)
    }

    fn is_empty_text(&self, column: &str) -> Option<bool> {
        match self.value(column) {
            Value::Text(name) => Some(name.is_empty()),
            _ => None,
        }
    }
}
