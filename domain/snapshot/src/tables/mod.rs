//! The typed tables of 1.2, validated and sorted by key. Field names are the column names.

mod loan;
mod prices;
mod trading;

pub use loan::{Attribute, ColumnType, Loan, LoanColumn, Stage};
pub use powerfill_events::config::{
    CarryBucketRow, ConstraintRow, NodeKey, PoolLockRow, PreflightRow, RuleLinkRow, RuleRow,
};
use powerfill_events::input::{InputRow, InputTable};
pub use powerfill_events::input::{InstrumentKind, TradeType};
use powerfill_events::input_table;
use powerfill_events::values::{Day, Key, TenantId, fold};
pub use prices::{GridPrice, LoanPrice, Payup};
pub use trading::{
    BuyUp, Designation, Instrument, Pool, PoolStatus, ToleranceRule, ToleranceSide, Trade,
    TradeStatus,
};

use crate::rules::Predicate;

/// A validated snapshot. Each table is in the order of its key, so that the order of rows in the
/// source does not matter. Rows with an unknown reference that is only a warning are here too; the
/// engine ignores them.
#[derive(Debug, Clone)]
pub struct Snapshot {
    /// The row of `snapshot`.
    pub header: Header,
    /// Every column of `loan` that a rule can name: the listed ones, then the others by name.
    pub loan_columns: Vec<LoanColumn>,
    /// By `loan_id`.
    pub loans: Vec<Loan>,
    /// By `stage_name`.
    pub stages: Vec<Stage>,
    /// By `investor_instrument_name`.
    pub instruments: Vec<Instrument>,
    /// By `trade_id`.
    pub trades: Vec<Trade>,
    /// By `pool_name`.
    pub pools: Vec<Pool>,
    /// By `pool_name`.
    pub designations: Vec<Designation>,
    /// By `rule_name`.
    pub rules: Vec<SecuritizationRule>,
    /// By instrument, settlement date, and note rate.
    pub prices: Vec<GridPrice>,
    /// By instrument and name of the pay-up.
    pub payups: Vec<Payup>,
    /// By loan and trade.
    pub loan_prices: Vec<LoanPrice>,
    /// By node.
    pub constraints: Vec<ConstraintRow>,
    /// By node and rule.
    pub constraint_rules: Vec<RuleLinkRow>,
    /// By instrument and `on_day`.
    pub carry_costs: Vec<CarryBucketRow>,
    /// By `pool_name`.
    pub lockdown: Vec<PoolLockRow>,
    /// The row of `pfill_preflight_settings`, or the defaults.
    pub preflight: PreflightRow,
}

input_table! {
    /// The tenant and the day of the tables.
    #[derive(PartialEq, Eq)]
    table Header = "snapshot", key(), required, exactly_one_row;
    columns {
        /// The tenant that the tables belong to.
        tenant_id: Key<TenantId>, example("ACME");
        /// The day of the tables.
        as_of: Day, example("2026-01-15");
        /// The day of the prices. NULL: unknown.
        prices_as_of: Option<Day>, example("2026-01-15");
    }
}

/// A row of `pscat_securitization_rules` with its rule as compiled.
#[derive(Debug, Clone)]
pub struct SecuritizationRule {
    /// The row.
    pub row: RuleRow,
    /// Compiled against [`Snapshot::loan_columns`].
    pub predicate: Predicate,
}

/// The input tables, in the order of 1.2, which is that of the canonical form.
pub const TABLES: &[&InputTable] = &[
    Loan::TABLE,
    LoanColumn::TABLE,
    Stage::TABLE,
    Instrument::TABLE,
    Trade::TABLE,
    Pool::TABLE,
    Designation::TABLE,
    RuleRow::TABLE,
    GridPrice::TABLE,
    Payup::TABLE,
    LoanPrice::TABLE,
    ConstraintRow::TABLE,
    RuleLinkRow::TABLE,
    CarryBucketRow::TABLE,
    PoolLockRow::TABLE,
    PreflightRow::TABLE,
    Header::TABLE,
];

/// The position of a table in [`TABLES`]; names compare as text (1.1).
pub(crate) fn table_position(name: &str) -> Option<usize> {
    let folded = fold(name);
    TABLES.iter().position(|table| fold(table.name) == folded)
}

/// The input table of this name, which compares as text.
pub fn input_table(name: &str) -> Option<&'static InputTable> {
    table_position(name).map(|position| TABLES[position])
}

/// The names of the input tables, in the order of 1.2.
pub fn table_names() -> impl Iterator<Item = &'static str> {
    TABLES.iter().map(|table| table.name)
}

/// The spelling of 1.2 of an input table's name, which compares as text.
pub fn table_named(name: &str) -> Option<&'static str> {
    input_table(name).map(|table| table.name)
}
