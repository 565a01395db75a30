//! What an event changed, row by row, as a history shows it.

use super::row_key::RowKey;
use powerfill_events::config::event::{ConfigEvent, NodePriority};
use powerfill_events::config::{ConfigRow, ConfigTable};
use powerfill_events::input::{RowCells, cells_of};

/// A row that an event changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RowChange {
    /// The table.
    pub table: ConfigTable,
    /// The row's key.
    pub key: RowKey,
    /// As it was; `None` where it was not there.
    pub before: Option<RowCells>,
    /// As it is; `None` where it is gone.
    pub after: Option<RowCells>,
}

impl RowChange {
    fn of<R: ConfigRow>(before: Option<&R>, after: Option<&R>) -> Vec<Self> {
        let Some(key) = after.or(before).map(RowKey::of_row) else { return Vec::new() };
        let (before, after) = (before.map(cells_of), after.map(cells_of));
        vec![Self { table: R::CONFIG_TABLE, key, before, after }]
    }

    /// Of a node of which only the priority is said.
    fn of_priority(node: &NodePriority) -> Self {
        let cells = |priority: i64| {
            vec![
                ("investor_id", node.investor_id.to_string()),
                ("investor_instrument_name", node.investor_instrument_name.to_string()),
                ("constraint_name", node.constraint_name.to_string()),
                ("constraint_priority", priority.to_string()),
            ]
        };
        let (before, after) = (cells(node.before), cells(node.after));
        let table = ConfigTable::Constraints;
        let key = RowKey::of(table, after.iter().take(3).map(|(_, text)| text.as_str()));
        Self { table, key, before: Some(before), after: Some(after) }
    }

    /// The columns that are not what they were, each with its texts before and after; `None` where
    /// the row was not there or is gone. Of such a row all columns are named.
    pub fn columns(&self) -> Vec<(&'static str, Option<&str>, Option<&str>)> {
        let whole = self.after.as_ref().or(self.before.as_ref());
        let named = whole.into_iter().flatten().enumerate().map(|(at, (column, _))| {
            let before = self.before.as_ref().map(|cells| cells[at].1.as_str());
            let after = self.after.as_ref().map(|cells| cells[at].1.as_str());
            (*column, before, after)
        });
        named.filter(|(_, before, after)| before != after).collect()
    }
}

impl RowChange {
    /// The rows that it changed: none for the import's own event, which comes before those of its
    /// changes; those whose priority is another for a new order of the tree.
    pub fn of_event(event: &ConfigEvent) -> Vec<Self> {
        match event {
            ConfigEvent::ConfigImported(_) => Vec::new(),
            ConfigEvent::ConstraintAdded(e) => Self::of(None, Some(&e.after)),
            ConfigEvent::ConstraintChanged(e) => Self::of(Some(&e.before), Some(&e.after)),
            ConfigEvent::ConstraintRemoved(e) => Self::of(Some(&e.before), None),
            ConfigEvent::ConstraintsReprioritised(e) => {
                let moved = e.order.iter().filter(|node| node.before != node.after);
                moved.map(Self::of_priority).collect()
            }
            ConfigEvent::RuleLinked(e) => Self::of(None, Some(&e.after)),
            ConfigEvent::RuleUnlinked(e) => Self::of(Some(&e.before), None),
            ConfigEvent::SecuritizationRuleDefined(e) => Self::of(None, Some(&e.after)),
            ConfigEvent::SecuritizationRuleChanged(e) => Self::of(Some(&e.before), Some(&e.after)),
            ConfigEvent::SecuritizationRuleRemoved(e) => Self::of(Some(&e.before), None),
            ConfigEvent::CarryBucketSet(e) => Self::of(e.before.as_ref(), Some(&e.after)),
            ConfigEvent::CarryBucketRemoved(e) => Self::of(Some(&e.before), None),
            ConfigEvent::PoolLockSet(e) => Self::of(e.before.as_ref(), Some(&e.after)),
            ConfigEvent::PoolLockRemoved(e) => Self::of(Some(&e.before), None),
            ConfigEvent::PreflightSettingsChanged(e) => Self::of(Some(&e.before), Some(&e.after)),
        }
    }
}
