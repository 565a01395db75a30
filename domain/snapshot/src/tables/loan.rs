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
        loan_id: Key<LoanId>, example("L000123");
        /// Its status: a stage of the ladder, or another word.
        curr_status: Name, example("Closed");
        /// Unpaid balance.
        loan_amount: Money, above(0), plausible(0, 1_000_000_000), example("300000.00");
        /// Note rate, percent.
        note_rate: Rate, plausible(1, 30), example("6.5");
        /// The day on which it closed, or will. NULL: unknown.
        close_date: Option<Day>, example("2026-01-05");
        /// The day on which its rate lock expires. NULL: not locked.
        lock_expiration_date: Option<Day>, example("2026-02-05");
        /// The pool that it is in now. NULL: none.
        pool_name: Option<Key<PoolName>>, example("P1");
        /// Credit score. NULL: unknown.
        fico: Option<Decimal>, plausible(250, 900), example("760");
        /// Loan to value, percent. NULL: unknown.
        ltv: Option<Decimal>, percent(), plausible(1, 400), example("85");
        /// Debt to income, percent. NULL: unknown.
        dti: RuleOnly<Option<Decimal>>, percent(), plausible(1, 150), example("36.5");
        /// Units of the property. NULL: unknown.
        units: RuleOnly<Option<Decimal>>, plausible(1, 98), example("1");
        /// Term in months. NULL: unknown.
        term_months: Option<Decimal>, plausible(1, 600), example("360");
        /// State of the property. NULL: unknown.
        state: RuleOnly<Option<Name>>, example("CA");
        /// Type of the property. NULL: unknown.
        property_type: RuleOnly<Option<Name>>, example("SFR");
        /// Occupancy. NULL: unknown.
        occupancy: RuleOnly<Option<Name>>, example("Primary");
        /// Purpose of the loan. NULL: unknown.
        purpose: RuleOnly<Option<Name>>, example("Purchase");
        /// Type of the loan. NULL: unknown.
        loan_type: RuleOnly<Option<Name>>, example("Conventional");
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
        column_name: Name, example("cltv");
        /// Its type. Columns that are not in this table are text.
        column_type: ColumnType, named("type"), example("number");
    }
}

input_table! {
    /// The rank of each status.
    table Stage = "pscat_loan_stages", key(stage_name), required;
    columns {
        /// The status.
        stage_name: Name, example("Closed");
        /// Its position in the ladder. NULL: none.
        stage_rank: Option<i64>, example("60");
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
