//! What changed in a tenant's configuration, event by event. Each says the rows before and after,
//! so that the history can be read without folding it.
//!
//! Field names and spellings are the published schema: a version that was written never changes.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::rows::{CarryBucketRow, ConstraintRow, PoolLockRow, PreflightRow, RuleLinkRow, RuleRow};
use crate::log::{Upcaster, event_types};
use crate::values::{ConstraintName, InstrumentName, InvestorId};

/// The upcasters of an event. Every event has its first version.
const fn upcasters(_: ConfigEventType) -> &'static [Upcaster] {
    &[]
}

event_types! {
    /// An event of the stream of a tenant's configuration.
    ConfigEvent,
    /// The type of an event of the configuration, by its name.
    ConfigEventType,
    /// The groups of the configuration's events.
    ConfigEventGroup,
    config_event_pattern in config, upcast by upcasters;

    Import {
        /// The tables of a source were imported. The resulting changes are the next events of the
        /// same append.
        ConfigImported(ConfigImported),
    }
    Tree {
        /// A node was added to the constraint tree.
        ConstraintAdded(RowAdded<ConstraintRow>),
        /// The limits, the priority, or the spelling of a node changed.
        ConstraintChanged(RowChanged<ConstraintRow>),
        /// A node was removed from the constraint tree.
        ConstraintRemoved(RowRemoved<ConstraintRow>),
        /// The whole order of the constraint tree was set at once.
        ConstraintsReprioritised(ConstraintsReprioritised),
        /// A rule was linked to a node.
        RuleLinked(RowAdded<RuleLinkRow>),
        /// A rule was unlinked from a node.
        RuleUnlinked(RowRemoved<RuleLinkRow>),
    }
    Rules {
        /// A securitization rule was defined.
        SecuritizationRuleDefined(RowAdded<RuleRow>),
        /// The condition or the spelling of a securitization rule changed.
        SecuritizationRuleChanged(RowChanged<RuleRow>),
        /// A securitization rule was removed.
        SecuritizationRuleRemoved(RowRemoved<RuleRow>),
    }
    Settings {
        /// A bucket of the carry curve was added or replaced.
        CarryBucketSet(RowSet<CarryBucketRow>),
        /// A bucket of the carry curve was removed.
        CarryBucketRemoved(RowRemoved<CarryBucketRow>),
        /// A row of the lockdown guide was added or replaced.
        PoolLockSet(RowSet<PoolLockRow>),
        /// A row of the lockdown guide was removed.
        PoolLockRemoved(RowRemoved<PoolLockRow>),
        /// The settings of preflight changed.
        PreflightSettingsChanged(RowChanged<PreflightRow>),
    }
}

impl ConfigEvent {
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

/// A row that was not there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "Added")]
pub struct RowAdded<R> {
    /// The row.
    pub after: R,
    /// Why, in the words of who did it.
    pub reason: Option<String>,
}

/// A row that was there with the same key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "Changed")]
pub struct RowChanged<R> {
    /// As it was.
    pub before: R,
    /// As it is.
    pub after: R,
    /// Why, in the words of who did it.
    pub reason: Option<String>,
}

/// A row that is set whether it was there or not.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "Set")]
pub struct RowSet<R> {
    /// As it was; NULL where it was not there.
    pub before: Option<R>,
    /// As it is.
    pub after: R,
    /// Why, in the words of who did it.
    pub reason: Option<String>,
}

/// A row that is not there any more.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "Removed")]
pub struct RowRemoved<R> {
    /// As it was.
    pub before: R,
    /// Why, in the words of who did it.
    pub reason: Option<String>,
}

/// See [`ConfigEvent::ConfigImported`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ConfigImported {
    /// Where the tables came from, without a password.
    pub source: String,
    /// Rows that were not there.
    pub added: u64,
    /// Rows that are others.
    pub changed: u64,
    /// Rows that are not there any more.
    pub removed: u64,
    /// Why, in the words of who did it.
    pub reason: Option<String>,
}

/// See [`ConfigEvent::ConstraintsReprioritised`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ConstraintsReprioritised {
    /// Every node of the tree, by its new priority, then by key.
    pub order: Vec<NodePriority>,
    /// Why, in the words of who did it.
    pub reason: Option<String>,
}

/// The priority of a node, as it was and is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct NodePriority {
    /// The node's key.
    pub investor_id: InvestorId,
    /// The node's key.
    pub investor_instrument_name: InstrumentName,
    /// The node's key.
    pub constraint_name: ConstraintName,
    /// As it was.
    pub before: i64,
    /// As it is.
    pub after: i64,
}
