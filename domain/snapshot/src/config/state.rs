//! What the events amount to: the present rows, each with its token.

use std::collections::BTreeMap;

use super::rejection::ConfigRejection;
use super::row_key::RowKey;
use super::tables::ConfigTables;
use powerfill_events::config::event::{ConfigEvent, ConstraintsReprioritised};
use powerfill_events::config::{
    CarryBucketRow, ConfigRow, ConfigTable, ConstraintRow, NodeKey, PoolLockRow, PreflightRow,
    RuleLinkRow, RuleRow,
};
use powerfill_events::input::{RowCells, cells_of};

/// A row and its token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Held<R> {
    /// The row.
    pub row: R,
    /// The version of the stream at which it last changed: another one when, and only when, the row
    /// is another one.
    pub token: u64,
}

/// The rows of a table, by key.
pub type Rows<R> = BTreeMap<RowKey, Held<R>>;

/// The configuration after some number of events.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ConfigState {
    version: u64,
    changed_at: BTreeMap<ConfigTable, u64>,
    rules: Rows<RuleRow>,
    constraints: Rows<ConstraintRow>,
    links: Rows<RuleLinkRow>,
    carry: Rows<CarryBucketRow>,
    lockdown: Rows<PoolLockRow>,
    preflight: PreflightRow,
}

impl ConfigState {
    /// How many events it comes from: the version of the stream.
    pub const fn version(&self) -> u64 {
        self.version
    }

    /// The token of a whole table: the version of the stream at which any of its rows last changed,
    /// came or went; 0 where none ever did. That of the settings is their row's.
    pub fn token(&self, table: ConfigTable) -> u64 {
        self.changed_at.get(&table).copied().unwrap_or_default()
    }

    /// Table `pscat_securitization_rules`.
    pub const fn rules(&self) -> &Rows<RuleRow> {
        &self.rules
    }

    /// Table `pfill_constraints`.
    pub const fn constraints(&self) -> &Rows<ConstraintRow> {
        &self.constraints
    }

    /// Table `pfill_constraint_sec_rule_rel`.
    pub const fn links(&self) -> &Rows<RuleLinkRow> {
        &self.links
    }

    /// Table `pfill_carry_cost`.
    pub const fn carry(&self) -> &Rows<CarryBucketRow> {
        &self.carry
    }

    /// Table `pfill_lockdown_guide`.
    pub const fn lockdown(&self) -> &Rows<PoolLockRow> {
        &self.lockdown
    }

    /// Table `pfill_preflight_settings`.
    pub const fn preflight(&self) -> &PreflightRow {
        &self.preflight
    }

    /// The rules of a node.
    pub fn rules_of<'a>(&'a self, node: &'a RowKey) -> impl Iterator<Item = &'a RuleLinkRow> {
        let links = self.links.values().map(|held| &held.row);
        links.filter(move |link| linked_node(link) == *node)
    }

    /// The nodes that a rule is linked to.
    pub fn nodes_of<'a>(&'a self, rule: &'a RowKey) -> impl Iterator<Item = RowKey> + 'a {
        let links = self.links.values().map(|held| &held.row);
        links.filter(move |link| rule_key(link) == *rule).map(linked_node)
    }

    /// The tables as they are.
    pub fn tables(&self) -> ConfigTables {
        fn all<R: ConfigRow>(rows: &Rows<R>) -> Vec<R> {
            rows.values().map(|held| held.row.clone()).collect()
        }
        ConfigTables {
            rules: all(&self.rules),
            constraints: all(&self.constraints),
            links: all(&self.links),
            carry: all(&self.carry),
            lockdown: all(&self.lockdown),
            preflight: self.preflight.clone(),
        }
    }

    /// A row of any table, and its token.
    pub fn row(&self, table: ConfigTable, key: &RowKey) -> Option<(RowCells, u64)> {
        fn of<R: ConfigRow>(rows: &Rows<R>, key: &RowKey) -> Option<(RowCells, u64)> {
            rows.get(key).map(|held| (cells_of(&held.row), held.token))
        }
        match table {
            ConfigTable::Rules => of(&self.rules, key),
            ConfigTable::Constraints => of(&self.constraints, key),
            ConfigTable::Links => of(&self.links, key),
            ConfigTable::Carry => of(&self.carry, key),
            ConfigTable::Lockdown => of(&self.lockdown, key),
            ConfigTable::Preflight => Some((cells_of(&self.preflight), self.token(table))),
        }
    }

    /// The rows of any table with their tokens, in the order of its key.
    pub fn rows(&self, table: ConfigTable) -> Vec<(RowCells, u64)> {
        fn all<R: ConfigRow>(rows: &Rows<R>) -> Vec<(RowCells, u64)> {
            rows.values().map(|held| (cells_of(&held.row), held.token)).collect()
        }
        match table {
            ConfigTable::Rules => all(&self.rules),
            ConfigTable::Constraints => all(&self.constraints),
            ConfigTable::Links => all(&self.links),
            ConfigTable::Carry => all(&self.carry),
            ConfigTable::Lockdown => all(&self.lockdown),
            ConfigTable::Preflight => vec![(cells_of(&self.preflight), self.token(table))],
        }
    }

    /// Folds in the next event of the stream.
    ///
    /// # Errors
    /// Where it contradicts the events before it; the state is unchanged then.
    pub fn accept(&mut self, event: &ConfigEvent) -> Result<(), ConfigRejection> {
        let at = self.version + 1;
        let table = match event {
            ConfigEvent::ConfigImported(_) => None,
            ConfigEvent::ConstraintAdded(e) => add(&mut self.constraints, &e.after, at)?,
            ConfigEvent::ConstraintChanged(e) => {
                change(&mut self.constraints, &e.before, &e.after, at)?
            }
            ConfigEvent::ConstraintRemoved(e) => {
                self.must_have_no_rules(&RowKey::of_row(&e.before))?;
                remove(&mut self.constraints, &e.before)?
            }
            ConfigEvent::ConstraintsReprioritised(e) => self.reprioritise(e, at)?,
            ConfigEvent::RuleLinked(e) => {
                must_be_there(&self.constraints, linked_node(&e.after))?;
                must_be_there(&self.rules, rule_key(&e.after))?;
                add(&mut self.links, &e.after, at)?
            }
            ConfigEvent::RuleUnlinked(e) => remove(&mut self.links, &e.before)?,
            ConfigEvent::SecuritizationRuleDefined(e) => add(&mut self.rules, &e.after, at)?,
            ConfigEvent::SecuritizationRuleChanged(e) => {
                change(&mut self.rules, &e.before, &e.after, at)?
            }
            ConfigEvent::SecuritizationRuleRemoved(e) => {
                self.must_not_be_in_use(&RowKey::of_row(&e.before))?;
                remove(&mut self.rules, &e.before)?
            }
            ConfigEvent::CarryBucketSet(e) => {
                set(&mut self.carry, e.before.as_ref(), &e.after, at)?
            }
            ConfigEvent::CarryBucketRemoved(e) => remove(&mut self.carry, &e.before)?,
            ConfigEvent::PoolLockSet(e) => {
                set(&mut self.lockdown, e.before.as_ref(), &e.after, at)?
            }
            ConfigEvent::PoolLockRemoved(e) => remove(&mut self.lockdown, &e.before)?,
            ConfigEvent::PreflightSettingsChanged(e) => {
                if self.preflight != e.before {
                    return Err(broken(&e.before));
                }
                self.preflight = e.after.clone();
                Some(ConfigTable::Preflight)
            }
        };
        self.version = at;
        if let Some(table) = table {
            self.changed_at.insert(table, at);
        }
        Ok(())
    }

    /// Whether a node has no rules.
    pub(super) fn must_have_no_rules(&self, node: &RowKey) -> Result<(), ConfigRejection> {
        let rules: Vec<_> = self.rules_of(node).map(|link| link.rule_name.id()).collect();
        match rules.is_empty() {
            true => Ok(()),
            false => Err(ConfigRejection::RulesLinked { node: node.clone(), rules }),
        }
    }

    /// Whether no node has a rule.
    pub(super) fn must_not_be_in_use(&self, rule: &RowKey) -> Result<(), ConfigRejection> {
        let nodes: Vec<_> = self.nodes_of(rule).collect();
        match nodes.is_empty() {
            true => Ok(()),
            false => Err(ConfigRejection::RuleInUse { rule: rule.clone(), nodes }),
        }
    }

    fn reprioritise(
        &mut self,
        event: &ConstraintsReprioritised,
        at: u64,
    ) -> Result<Option<ConfigTable>, ConfigRejection> {
        let mut after = self.constraints.clone();
        for node in &event.order {
            let node_key = node_key(
                node.investor_id.as_str(),
                node.investor_instrument_name.as_str(),
                node.constraint_name.as_str(),
            );
            let Some(held) = after.get_mut(&node_key) else {
                return Err(ConfigRejection::NotThere {
                    table: ConfigTable::Constraints,
                    key: node_key,
                });
            };
            if held.row.constraint_priority != node.before {
                return Err(broken(&held.row));
            }
            if node.before != node.after {
                held.row.constraint_priority = node.after;
                held.token = at;
            }
        }
        self.constraints = after;
        Ok(Some(ConfigTable::Constraints))
    }
}

fn node_key(investor: &str, instrument: &str, name: &str) -> RowKey {
    RowKey::of(ConfigTable::Constraints, [investor, instrument, name])
}

/// The node of a link.
fn linked_node(link: &RuleLinkRow) -> RowKey {
    let NodeKey { investor_id, investor_instrument_name, constraint_name } = link.node();
    node_key(investor_id.as_str(), investor_instrument_name.as_str(), constraint_name.as_str())
}

/// The rule of a link.
fn rule_key(link: &RuleLinkRow) -> RowKey {
    RowKey::of(ConfigTable::Rules, [link.rule_name.as_str()])
}

fn broken<R: ConfigRow>(row: &R) -> ConfigRejection {
    ConfigRejection::HistoryBroken { table: R::CONFIG_TABLE, key: RowKey::of_row(row) }
}

fn must_be_there<R: ConfigRow>(rows: &Rows<R>, key: RowKey) -> Result<(), ConfigRejection> {
    match rows.contains_key(&key) {
        true => Ok(()),
        false => Err(ConfigRejection::NotThere { table: R::CONFIG_TABLE, key }),
    }
}

fn add<R: ConfigRow>(
    rows: &mut Rows<R>,
    row: &R,
    at: u64,
) -> Result<Option<ConfigTable>, ConfigRejection> {
    set(rows, None, row, at)
}

fn change<R: ConfigRow>(
    rows: &mut Rows<R>,
    before: &R,
    after: &R,
    at: u64,
) -> Result<Option<ConfigTable>, ConfigRejection> {
    set(rows, Some(before), after, at)
}

fn set<R: ConfigRow>(
    rows: &mut Rows<R>,
    before: Option<&R>,
    after: &R,
    at: u64,
) -> Result<Option<ConfigTable>, ConfigRejection> {
    let key = RowKey::of_row(after);
    match (rows.get(&key).map(|held| &held.row), before) {
        (Some(_), None) => {
            return Err(ConfigRejection::AlreadyThere { table: R::CONFIG_TABLE, key });
        }
        (None, Some(_)) => return Err(ConfigRejection::NotThere { table: R::CONFIG_TABLE, key }),
        (Some(held), Some(before)) if held != before => return Err(broken(before)),
        _ => {}
    }
    rows.insert(key, Held { row: after.clone(), token: at });
    Ok(Some(R::CONFIG_TABLE))
}

fn remove<R: ConfigRow>(
    rows: &mut Rows<R>,
    before: &R,
) -> Result<Option<ConfigTable>, ConfigRejection> {
    let key = RowKey::of_row(before);
    match rows.get(&key) {
        None => Err(ConfigRejection::NotThere { table: R::CONFIG_TABLE, key }),
        Some(held) if held.row != *before => Err(broken(before)),
        Some(_) => {
            rows.remove(&key);
            Ok(Some(R::CONFIG_TABLE))
        }
    }
}
