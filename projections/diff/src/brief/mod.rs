//! The morning brief (specification part 9): what changed between two runs, and what the value of
//! the later one is made of. It reads the events of both runs; the differences of their inputs and
//! the values of runs on partly changed input come from the caller.

mod bridge;
mod changes;
mod notes;
mod side;

pub use bridge::{BridgeStep, ValueBridge};
pub use changes::{BriefTrade, LoanChange, LoanChangeGroup, LoanChanges, TradeChanges};
pub use notes::{BriefNote, BriefNoteKind};
pub use side::{BriefLoan, BriefSide, PairPrice, TradeState};

use std::collections::BTreeMap;

use powerfill_events::run::RunId;
use powerfill_events::values::{Day, Money, Timestamp};
use serde::Serialize;

use crate::run_differences::{InputChange, OptionChange, RunDifferences};

/// The brief. Amounts are dollars.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Brief {
    /// The earlier run.
    pub then: BriefHead,
    /// The later run.
    pub now: BriefHead,
    /// The loans by what became of them.
    pub loans: LoanChanges,
    /// The trades by what became of them.
    pub trades: TradeChanges,
    /// What the runs were given.
    pub given: GivenChanges,
    /// From the value of the earlier run to that of the later one.
    pub bridge: ValueBridge,
    /// What to look at first, at most ten entries.
    pub to_look_at: Vec<BriefNote>,
}

/// One of the two runs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct BriefHead {
    /// The run.
    pub run_id: RunId,
    /// The day from which it counts.
    pub as_of: Option<Day>,
    /// Who requested it.
    pub requested_by: Option<String>,
    /// When it was requested.
    pub requested_at: Option<Timestamp>,
    /// Its value (7.1).
    pub value_amount: Money,
    /// The loans that a pass placed.
    pub placed: u64,
    /// The locked and held loans.
    pub pinned: u64,
    /// The kicked-out loans.
    pub kicked_out: u64,
    /// Included trades by fill status.
    pub trades: BTreeMap<&'static str, u64>,
}

/// What the later run was given otherwise than the earlier one.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct GivenChanges {
    /// Whether engine or specification have other versions.
    pub other_engine: bool,
    /// Options with other values; `here` is the earlier run.
    pub options: Vec<OptionChange>,
    /// Tables of the configuration with other rows (9.3).
    pub configuration: Vec<TableChange>,
    /// Tables of prices with other rows.
    pub prices: Vec<TableChange>,
    /// Tables of trades and pools with other rows.
    pub trades: Vec<TableChange>,
    /// The other tables with other rows.
    pub others: Vec<TableChange>,
}

/// An input table with other rows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct TableChange {
    /// The table.
    pub table: String,
    /// Rows that only the later run has.
    pub added: u64,
    /// Rows that only the earlier run has.
    pub removed: u64,
    /// Rows with other values.
    pub changed: u64,
    /// The number of changed rows by column.
    pub columns: BTreeMap<String, u64>,
}

/// The tables of the configuration.
const CONFIGURATION: [&str; 6] = [
    "pscat_securitization_rules",
    "pfill_constraints",
    "pfill_constraint_sec_rule_rel",
    "pfill_carry_cost",
    "pfill_lockdown_guide",
    "pfill_preflight_settings",
];

/// The tables of prices.
const PRICES: [&str; 3] = ["rmcat_todays_prices", "rmusr_payups", "loan_price"];

/// The tables of trades and pools.
const TRADES: [&str; 3] = ["pscat_trades", "pscat_pools", "pscat_trades_pools_relation"];

impl From<&InputChange> for TableChange {
    fn from(change: &InputChange) -> Self {
        Self {
            table: change.table.clone(),
            added: change.only_there,
            removed: change.only_here,
            changed: change.changed,
            columns: change.columns.clone(),
        }
    }
}

impl GivenChanges {
    /// From the differences of the inputs, the earlier run first.
    pub fn new(differences: &RunDifferences) -> Self {
        let mut given = Self {
            other_engine: differences.engine_version.is_some()
                || differences.spec_version.is_some(),
            options: differences.options.clone(),
            ..Self::default()
        };
        given.options.retain(|option| option.option != "as_of");
        for change in &differences.snapshot {
            let table = change.table.as_str();
            let list = match table {
                _ if CONFIGURATION.contains(&table) => &mut given.configuration,
                _ if PRICES.contains(&table) => &mut given.prices,
                _ if TRADES.contains(&table) => &mut given.trades,
                _ => &mut given.others,
            };
            list.push(change.into());
        }
        given
    }

    /// Whether the configuration or an option is another, so that a re-run can tell its worth.
    pub fn has_other_configuration(&self) -> bool {
        !self.options.is_empty() || !self.configuration.is_empty()
    }

    /// Whether a trade or a pool is another, apart from the prices of trades.
    pub fn has_other_trades(&self) -> bool {
        let is_price = |column: &String| column == "trade_price";
        self.trades
            .iter()
            .any(|table| table.added + table.removed > 0 || !table.columns.keys().all(is_price))
    }
}

/// The values of runs in memory on partly changed input (9.4). `None`: it equals the value of the
/// run before it, because nothing of the kind changed, or because that run would be refused.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct RerunValues {
    /// Today's input with the configuration and the options of the earlier run.
    pub former_configuration: Option<Money>,
    /// The same with the trades of the earlier run too.
    pub former_trades: Option<Money>,
}

impl Brief {
    /// The brief of two runs, the earlier one first. `now` knows what the loans are worth at their
    /// former trades.
    pub fn new(
        then: &BriefSide,
        now: &BriefSide,
        differences: &RunDifferences,
        reruns: RerunValues,
    ) -> Self {
        let given = GivenChanges::new(differences);
        let loans = LoanChanges::new(then, now);
        let trades = TradeChanges::new(then, now);
        let bridge = ValueBridge::new(then, now, reruns);
        let to_look_at = notes::most_important(then, now, &loans, &trades, &given);
        Self { then: then.head(), now: now.head(), loans, trades, given, bridge, to_look_at }
    }
}
