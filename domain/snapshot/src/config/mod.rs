//! The configuration that a tenant manages: the constraint tree with its rules, the carry curve,
//! the lockdown guide and the settings of preflight (specification 1.2, 4.2, 4.3), as an aggregate.
//! Every change is an event with its actor; the tables are what the events amount to, now or as of
//! any of them.

pub mod aggregate;
mod carry;
pub mod command;
mod difference;
mod history;
pub mod rejection;
mod row_key;
pub mod state;
mod tables;

pub use aggregate::Config;
pub use carry::{CarryWarning, carry_warnings};
pub use command::{ConfigChange, ConfigCommand, LeftOut, Precondition};
pub use history::RowChange;
pub use powerfill_events::config::{
    CarryBucketRow, ConfigEvent, ConfigEventType, ConfigRow, ConfigTable, ConstraintRow, NodeKey,
    PoolLockRow, PreflightRow, RuleLinkRow, RuleRow, STREAM, event, event_id, rows,
};
pub use rejection::ConfigRejection;
pub use row_key::{GivenRow, RowKey};
pub use state::{ConfigState, Held, Rows};
pub use tables::ConfigTables;

#[cfg(test)]
mod tests;
