//! Loans, the columns that a tenant adds to them, and the ladder of their statuses.

use powerfill_events::input::{InputCell, RuleOnly};
use powerfill_events::values::{Day, Key, LoanId, Money, Name, PoolName, Rate};
use powerfill_events::{input_table, word_enums};
use rust_decimal::Decimal;

word_enums! {
    /// The type of a column of `loan`.
    ColumnType {
        /// Text, compared by its folded form.
        Text = "text",
        /// An exact number of any scale.
        Number = "number",
        /// A calendar date.
        Date = "date",
    }
}

input_table! {
    /// One row per loan of the pipeline. Rules can use additional columns.
    table Loan = "loan", key(loan_id), required;
    reference (pool_name) = "pscat_pools", unknown Error;
    columns {
        /// The loan.
        loan_id: Key<LoanId>;
        /// Its status: a stage of the ladder, or another word.
        curr_status: Name;
        /// Unpaid balance.
        loan_amount: Money, above(0);
        /// Note rate, percent.
        note_rate: Rate;
        /// The day on which it closed, or will. NULL: unknown.
        close_date: Option<Day>;
        /// The day on which its rate lock expires. NULL: not locked.
        lock_expiration_date: Option<Day>;
        /// The pool that it is in now. NULL: none.
        pool_name: Option<Key<PoolName>>;
        /// Credit score. NULL: unknown.
        fico: Option<Decimal>;
        /// Loan to value, percent. NULL: unknown.
        ltv: Option<Decimal>;
        /// Debt to income, percent. NULL: unknown.
        dti: RuleOnly<Option<Decimal>>;
        /// Units of the property. NULL: unknown.
        units: RuleOnly<Option<Decimal>>;
        /// Term in months. NULL: unknown.
        term_months: Option<Decimal>;
        /// State of the property. NULL: unknown.
        state: RuleOnly<Option<Name>>;
        /// Type of the property. NULL: unknown.
        property_type: RuleOnly<Option<Name>>;
        /// Occupancy. NULL: unknown.
        occupancy: RuleOnly<Option<Name>>;
        /// Purpose of the loan. NULL: unknown.
        purpose: RuleOnly<Option<Name>>;
        /// Type of the loan. NULL: unknown.
        loan_type: RuleOnly<Option<Name>>;
    }
    /// The values of [`Snapshot::loan_columns`](super::Snapshot::loan_columns), in that order: what
    /// rules read. The fields above repeat those that the engine reads.
    cells attributes: Box<[Option<Attribute>]>, read attributes_of, write write_attributes;
}

input_table! {
    /// The types of additional columns of loan.
    #[derive(PartialEq, Eq)]
    table LoanColumn = "loan_columns", key(column_name);
    columns {
        /// The column; it must not be a listed one.
        column_name: Name;
        /// Its type. Columns that are not in this table are text.
        column_type: ColumnType, named("type");
    }
}

input_table! {
    /// The rank of each status.
    table Stage = "pscat_loan_stages", key(stage_name), required;
    columns {
        /// The status.
        stage_name: Name;
        /// Its position in the ladder. NULL: none.
        stage_rank: Option<i64>;
    }
}

/// A value of an attribute of a loan that rules can use.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Attribute {
    /// A text that is not empty.
    Text(Name),
    /// A number of any scale, normalized (no trailing zeros).
    Number(Decimal),
    /// A date.
    Date(Day),
}

fn attributes_of(cells: &[InputCell]) -> Box<[Option<Attribute>]> {
    let attribute = |cell: &InputCell| match cell {
        InputCell::Text(name) => Some(Attribute::Text(name.clone())),
        InputCell::Decimal { units, scale } => {
            Some(Attribute::Number(Decimal::new(*units, *scale).normalize()))
        }
        InputCell::Number(number) => Some(Attribute::Number(*number)),
        InputCell::Day(day) => Some(Attribute::Date(*day)),
        _ => None,
    };
    cells.iter().map(attribute).collect()
}

fn write_attributes(attributes: &[Option<Attribute>], cell: &mut dyn FnMut(&str)) {
    for attribute in attributes {
        match attribute {
            None => cell(""),
            Some(Attribute::Text(name)) => cell(name.as_str()),
            Some(Attribute::Number(number)) => cell(&number.to_string()),
            Some(Attribute::Date(day)) => cell(&day.to_string()),
        }
    }
}
