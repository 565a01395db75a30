//! Why the configuration does not take a command, or an event: one variant a rule, in the order in
//! which the rules are tried. The names are part of the published behaviour.

use super::row_key::RowKey;
use crate::FaultReport;
use powerfill_events::config::ConfigTable;
use powerfill_events::values::RuleName;

/// The rule that a command or an event would break. Nothing of the command happens then.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ConfigRejection {
    /// What is added is there.
    #[error("{table}: {key} is there already; change it, or remove it first")]
    AlreadyThere {
        /// The table.
        table: ConfigTable,
        /// The row.
        key: RowKey,
    },
    /// What is changed or removed is not there.
    #[error("{table}: there is no {key}")]
    NotThere {
        /// The table.
        table: ConfigTable,
        /// The row.
        key: RowKey,
    },
    /// Somebody else has changed it meanwhile.
    #[error(
        "{what} has been changed since token {given}: {now}; nothing was written, look at it and try again",
        now = present.map_or_else(|| "it is gone".to_owned(), |token| format!("its token is {token}"))
    )]
    Stale {
        /// The row, or the table.
        what: String,
        /// The token that the command carries.
        given: u64,
        /// The present one; `None` where the row is gone.
        present: Option<u64>,
    },
    /// A node with rules keeps its place until they are unlinked.
    #[error("constraint {node} has rules: {}; unlink them first", listed(rules))]
    RulesLinked {
        /// The node.
        node: RowKey,
        /// Its rules.
        rules: Vec<RuleName>,
    },
    /// A rule that nodes have stays until it is unlinked from them.
    #[error("rule {rule} is linked to constraints: {}; unlink it first", listed(nodes))]
    RuleInUse {
        /// The rule.
        rule: RowKey,
        /// The nodes.
        nodes: Vec<RowKey>,
    },
    /// A new order of the tree names each node exactly once, and nothing else.
    #[error(
        "the order must name every constraint once{}{}{}",
        named("; missing: ", missing),
        named("; unknown: ", unknown),
        named("; more than once: ", repeated)
    )]
    OrderNotWhole {
        /// Nodes that it leaves out.
        missing: Vec<RowKey>,
        /// Keys that are no node's.
        unknown: Vec<RowKey>,
        /// Nodes that it names more than once.
        repeated: Vec<RowKey>,
    },
    /// The tables would not be sound: every fault.
    #[error("{0}")]
    Faulty(FaultReport),
    /// The history contradicts itself: an event says another row before it than the events before
    /// it give.
    #[error("{table}: the events before this one give another {key} than it says")]
    HistoryBroken {
        /// The table.
        table: ConfigTable,
        /// The row.
        key: RowKey,
    },
}

impl From<FaultReport> for ConfigRejection {
    fn from(report: FaultReport) -> Self {
        Self::Faulty(report)
    }
}

fn listed(names: &[impl ToString]) -> String {
    names.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}

fn named(what: &str, keys: &[RowKey]) -> String {
    if keys.is_empty() { String::new() } else { format!("{what}{}", listed(keys)) }
}
