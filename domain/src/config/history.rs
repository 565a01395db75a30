//! What an event changed, row by row, as a history shows it.

use super::event::{ConfigEvent, NodePriority};
use super::rows::{ConfigRow, RowCells};
use super::table::{ConfigTable, RowKey};

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
        let Some(key) = after.or(before).map(R::key) else { return Vec::new() };
        let (before, after) = (before.map(R::cells), after.map(R::cells));
        vec![Self { table: R::TABLE, key, before, after }]
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

    /// The columns that are not what they were, each with its texts before and after; `None` where the row was not there
    /// or is gone. Of such a row all columns are named.
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

impl ConfigEvent {
    /// The rows that it changed: none for the import's own event, which comes before those of its changes; those whose
    /// priority is another for a new order of the tree.
    pub fn rows(&self) -> Vec<RowChange> {
        match self {
            Self::ConfigImported(_) => Vec::new(),
            Self::ConstraintAdded(e) => RowChange::of(None, Some(&e.after)),
            Self::ConstraintChanged(e) => RowChange::of(Some(&e.before), Some(&e.after)),
            Self::ConstraintRemoved(e) => RowChange::of(Some(&e.before), None),
            Self::ConstraintsReprioritised(e) => {
                let moved = e.order.iter().filter(|node| node.before != node.after);
                moved.map(RowChange::of_priority).collect()
            }
            Self::RuleLinked(e) => RowChange::of(None, Some(&e.after)),
            Self::RuleUnlinked(e) => RowChange::of(Some(&e.before), None),
            Self::SecuritizationRuleDefined(e) => RowChange::of(None, Some(&e.after)),
            Self::SecuritizationRuleChanged(e) => RowChange::of(Some(&e.before), Some(&e.after)),
            Self::SecuritizationRuleRemoved(e) => RowChange::of(Some(&e.before), None),
            Self::CarryBucketSet(e) => RowChange::of(e.before.as_ref(), Some(&e.after)),
            Self::CarryBucketRemoved(e) => RowChange::of(Some(&e.before), None),
            Self::PoolLockSet(e) => RowChange::of(e.before.as_ref(), Some(&e.after)),
            Self::PoolLockRemoved(e) => RowChange::of(Some(&e.before), None),
            Self::PreflightSettingsChanged(e) => RowChange::of(Some(&e.before), Some(&e.after)),
        }
    }

    /// Why, in the words of who did it.
    pub fn reason(&self) -> Option<&str> {
        match self {
            Self::ConfigImported(e) => e.reason.as_deref(),
            Self::ConstraintAdded(e) => e.reason.as_deref(),
            Self::ConstraintChanged(e) => e.reason.as_deref(),
            Self::ConstraintRemoved(e) => e.reason.as_deref(),
            Self::ConstraintsReprioritised(e) => e.reason.as_deref(),
            Self::RuleLinked(e) => e.reason.as_deref(),
            Self::RuleUnlinked(e) => e.reason.as_deref(),
            Self::SecuritizationRuleDefined(e) => e.reason.as_deref(),
            Self::SecuritizationRuleChanged(e) => e.reason.as_deref(),
            Self::SecuritizationRuleRemoved(e) => e.reason.as_deref(),
            Self::CarryBucketSet(e) => e.reason.as_deref(),
            Self::CarryBucketRemoved(e) => e.reason.as_deref(),
            Self::PoolLockSet(e) => e.reason.as_deref(),
            Self::PoolLockRemoved(e) => e.reason.as_deref(),
            Self::PreflightSettingsChanged(e) => e.reason.as_deref(),
        }
    }
}
