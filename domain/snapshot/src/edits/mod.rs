//! Changes of a run's input for a try (specification 8.2): typed, each with a form of one line,
//! validated as any snapshot.
//!
//! * [`Edit`]: one change; [`Edit::parse`] reads its line, and its text is that line again
//! * [`FORMS`]: every form, for the reference and for the faults
//! * [`EditableInput`]: a snapshot and options to which edits are applied

mod apply;
mod forms;
mod rows;
mod text;

use powerfill_events::input::{InputRow, InputTable};

pub use apply::{EditableInput, EditedInput};
pub use forms::{EditForm, FORMS};

use crate::tables::{CarryBucketRow, ConstraintRow, Loan, NodeKey, Payup, Trade};

/// A change of a run's input. Names are as the caller writes them; they are found, and values are
/// checked, when the edit is applied.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Edit {
    /// Sets an option of the run.
    Option {
        /// The option.
        option: &'static str,
        /// Its value.
        value: String,
    },
    /// Sets a column of a row.
    Column {
        /// The table of the row.
        table: EditedTable,
        /// The parts of the row's key. The absent levels of a node are left out.
        key: Vec<String>,
        /// The column.
        column: String,
        /// Its value; empty for NULL or for the default.
        value: String,
    },
    /// Adds a row.
    AddRow {
        /// Its table.
        table: EditedTable,
        /// The parts of its key, as of [`Column`](Self::Column).
        key: Vec<String>,
        /// Its columns with their values.
        cells: Vec<(String, String)>,
    },
    /// Adds a row with the values of another one.
    CopyRow {
        /// Its table.
        table: EditedTable,
        /// The name of the new row.
        name: String,
        /// The other one.
        like: String,
    },
    /// Removes a row: a node with its rules, a loan with its own prices, a pay-up, or a carry
    /// bucket.
    RemoveRow {
        /// Its table.
        table: EditedTable,
        /// The parts of its key, as of [`Column`](Self::Column).
        key: Vec<String>,
    },
    /// Gives a node a further rule.
    LinkRule {
        /// The node.
        node: Vec<String>,
        /// The rule.
        rule: String,
    },
    /// Takes a rule from a node.
    UnlinkRule {
        /// The node.
        node: Vec<String>,
        /// The rule.
        rule: String,
    },
    /// Defines a rule, or changes its expression.
    Rule {
        /// The rule.
        rule: String,
        /// The expression (1.4).
        syntax: String,
    },
    /// Takes a trade into the run (status `open`), or out of it (status `phantom`).
    TradeStatus {
        /// The trade.
        trade: String,
        /// Whether it is in.
        is_in: bool,
    },
    /// Shifts prices of the grid.
    ShiftPrices {
        /// The instrument; `None` for the whole grid.
        instrument: Option<String>,
        /// The day of settlement; `None` for all.
        settlement_date: Option<String>,
        /// Thousandths of 1/32 of a point.
        thousandths: i64,
    },
    /// Sets the rate of carry buckets.
    CarryRate {
        /// The instrument.
        instrument: String,
        /// The first day of the bucket; `None` for all.
        on_day: Option<String>,
        /// Points per year; empty for NULL.
        rate: String,
    },
    /// Sets whether the loans of a pool stay in it; `None` removes the pool from the lockdown
    /// guide.
    LockPool {
        /// The pool.
        pool: String,
        /// Whether they stay.
        lock: Option<bool>,
    },
}

impl Edit {
    /// Sets the priority of a node.
    pub fn priority(node: &NodeKey, priority: i64) -> Self {
        let NodeKey { investor_id, investor_instrument_name, constraint_name } = node;
        let names =
            [investor_id.as_str(), investor_instrument_name.as_str(), constraint_name.as_str()];
        let levels = names.into_iter().filter(|name| !name.is_empty()).map(str::to_owned);
        Self::Column {
            table: EditedTable::Constraints,
            key: levels.collect(),
            column: "constraint_priority".to_owned(),
            value: priority.to_string(),
        }
    }
}

/// A table whose columns edits set by name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EditedTable {
    /// `pfill_constraints`.
    Constraints,
    /// `pscat_trades`.
    Trades,
    /// `loan`.
    Loans,
    /// `rmusr_payups`.
    Payups,
    /// `pfill_carry_cost`.
    Carry,
}

impl EditedTable {
    /// What an edit begins with.
    const fn kind(self) -> &'static str {
        match self {
            Self::Constraints => "constraint",
            Self::Trades => "trade",
            Self::Loans => "loan",
            Self::Payups => "payup",
            Self::Carry => "carry",
        }
    }

    /// Its declaration.
    const fn schema(self) -> &'static InputTable {
        match self {
            Self::Constraints => ConstraintRow::TABLE,
            Self::Trades => Trade::TABLE,
            Self::Loans => Loan::TABLE,
            Self::Payups => Payup::TABLE,
            Self::Carry => CarryBucketRow::TABLE,
        }
    }

    /// Short names of columns.
    const fn short_names(self) -> &'static [(&'static str, &'static str)] {
        match self {
            Self::Constraints => {
                &[("priority", "constraint_priority"), ("lo", "lo_limit"), ("hi", "hi_limit")]
            }
            Self::Trades => &[
                ("instrument", "investor_instrument_name"),
                ("type", "trade_type"),
                ("amount", "trade_amount"),
                ("price", "trade_price"),
                ("date", "settlement_date"),
            ],
            Self::Loans => &[("amount", "loan_amount"), ("status", "curr_status")],
            Self::Payups => &[("rule", "rule_name"), ("points", "payup")],
            Self::Carry => &[("to", "to_day"), ("rate", "annual_rate")],
        }
    }

    /// What a new row has in columns that its edit does not name.
    const fn new_cells(self) -> &'static [(&'static str, &'static str)] {
        match self {
            Self::Trades => &[("trade_type", "forward"), ("status", "open")],
            Self::Constraints | Self::Loans | Self::Payups | Self::Carry => &[],
        }
    }
}

#[cfg(test)]
mod tests;
