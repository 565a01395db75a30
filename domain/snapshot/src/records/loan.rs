//! `loan` and `loan_columns`.

use std::cmp::Ordering;

use super::{Cells, Record, RowWriter};
use crate::tables::{Attribute, Loan, LoanColumn};

impl Record for Loan {
    const TABLE: &'static str = "loan";

    fn read(cells: &mut Cells<'_>) -> Self {
        let attributes = cells.attributes();
        let loan_id = cells.name();
        let curr_status = cells.name();
        let loan_amount = cells.fixed();
        let note_rate = cells.fixed();
        let close_date = cells.maybe_day();
        let lock_expiration_date = cells.maybe_day();
        let pool_name = cells.maybe_name();
        let fico = cells.maybe_number();
        let ltv = cells.maybe_number();
        let _dti = cells.maybe_number();
        let _units = cells.maybe_number();
        let term_months = cells.maybe_number();
        Self {
            loan_id,
            curr_status,
            loan_amount,
            note_rate,
            close_date,
            lock_expiration_date,
            pool_name,
            fico,
            ltv,
            term_months,
            attributes,
        }
    }

    /// The attributes are all columns of the table, listed and further ones, in their order.
    fn write(&self, row: &mut RowWriter) {
        for attribute in &self.attributes {
            match attribute {
                None => row.text(""),
                Some(Attribute::Text(name)) => row.name(name),
                Some(Attribute::Number(number)) => row.shown(number),
                Some(Attribute::Date(day)) => row.shown(day),
            }
        }
    }

    fn order(&self, other: &Self) -> Ordering {
        self.loan_id.cmp(&other.loan_id)
    }
}

impl Record for LoanColumn {
    const TABLE: &'static str = "loan_columns";

    fn read(cells: &mut Cells<'_>) -> Self {
        Self { column_name: cells.name(), column_type: cells.choice() }
    }

    /// By its folded name: databases change the case of column names, and nothing depends on it.
    fn write(&self, row: &mut RowWriter) {
        row.text(self.column_name.folded());
        row.text(self.column_type.as_str());
    }

    fn order(&self, other: &Self) -> Ordering {
        self.column_name.cmp(&other.column_name)
    }
}
