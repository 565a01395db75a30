//! The configuration as an aggregate (specification 3.1): a command becomes events, or none where
//! nothing changes, or is rejected with the rule that it would break.
//!
//! Every command is an edit of tables: the tables as they would be go through the validation that a
//! snapshot goes through, and what differs from the present ones becomes events. So nothing that a
//! run would refuse gets in, and nothing is recorded that changes nothing.

use std::collections::BTreeSet;

use super::command::{ConfigChange, ConfigCommand, LeftOut, Precondition};
use super::difference;
use super::history::RowChange;
use super::rejection::ConfigRejection;
use super::row_key::{GivenRow, RowKey};
use super::state::ConfigState;
use super::tables::{ConfigTables, each_column_once, key_of, raw_table, same_column};
use crate::{Fault, FaultReport, RawSnapshot, TooLarge};
use powerfill_events::config::event::{
    ConfigEvent, ConfigImported, ConstraintsReprioritised, NodePriority,
};
use powerfill_events::config::{ConfigTable, ConstraintRow};

/// The aggregate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Config;

impl Config {
    /// Decides a command against a state. No event where the tables already are what is asked for.
    ///
    /// # Errors
    /// The first rule that the command breaks; then nothing of it happens.
    pub fn decide(
        state: &ConfigState,
        command: &ConfigCommand,
    ) -> Result<Vec<ConfigEvent>, ConfigRejection> {
        let reason = command.reason.as_deref();
        match &command.what {
            ConfigChange::Write { table, rows, left_out, precondition } => {
                let after = write(state, *table, rows, *left_out, *precondition)?;
                Ok(difference::events(&state.tables(), &after, reason))
            }
            ConfigChange::Remove { table, key, precondition } => {
                let after = remove(state, *table, key, *precondition)?;
                Ok(difference::events(&state.tables(), &after, reason))
            }
            ConfigChange::Reprioritise { order, token } => {
                let order = reprioritise(state, order, *token)?;
                let changes = order.iter().any(|node| node.before != node.after);
                let reason = command.reason.clone();
                let event = ConstraintsReprioritised { order, reason };
                Ok(changes.then_some(ConfigEvent::ConstraintsReprioritised(event)))
                    .map(|event| event.into_iter().collect())
            }
            ConfigChange::Import { source, tables } => Ok(import(state, source, tables, reason)),
        }
    }
}

/// The tables with these rows in the place of those of the same keys, or besides them.
fn write(
    state: &ConfigState,
    table: ConfigTable,
    rows: &[GivenRow],
    left_out: LeftOut,
    precondition: Precondition,
) -> Result<ConfigTables, ConfigRejection> {
    each_column_once(table, rows)?;
    let mut given = Vec::with_capacity(rows.len());
    let mut replaced = BTreeSet::new();
    for row in rows {
        let key = key_of(table, row);
        must_hold(state, table, &key, precondition)?;
        let mut row = row.clone();
        if left_out == LeftOut::AsItWas
            && let Some((was, _)) = state.row(table, &key)
        {
            let named = |column: &str| row.iter().any(|(name, _)| same_column(column, name));
            let kept: GivenRow = was
                .into_iter()
                .filter(|(column, _)| !named(column))
                .map(|(column, text)| (column.to_owned(), text))
                .collect();
            row.extend(kept);
        }
        replaced.insert(key);
        given.push(row);
    }
    with_rows(&state.tables(), table, &replaced, given)
}

/// The tables without a row.
fn remove(
    state: &ConfigState,
    table: ConfigTable,
    key: &RowKey,
    precondition: Precondition,
) -> Result<ConfigTables, ConfigRejection> {
    let precondition = match precondition {
        Precondition::Token(token) => Precondition::Token(token),
        Precondition::Any | Precondition::Absent | Precondition::Present => Precondition::Present,
    };
    must_hold(state, table, key, precondition)?;
    match table {
        ConfigTable::Constraints => state.must_have_no_rules(key)?,
        ConfigTable::Rules => state.must_not_be_in_use(key)?,
        ConfigTable::Links
        | ConfigTable::Carry
        | ConfigTable::Lockdown
        | ConfigTable::Preflight => {}
    }
    with_rows(&state.tables(), table, &BTreeSet::from([key.clone()]), Vec::new())
}

/// Whether a row is as the command expects it.
fn must_hold(
    state: &ConfigState,
    table: ConfigTable,
    key: &RowKey,
    precondition: Precondition,
) -> Result<(), ConfigRejection> {
    let present = state.row(table, key).map(|(_, token)| token);
    match (precondition, present) {
        (Precondition::Absent, Some(_)) => {
            Err(ConfigRejection::AlreadyThere { table, key: key.clone() })
        }
        (Precondition::Present, None) => Err(ConfigRejection::NotThere { table, key: key.clone() }),
        (Precondition::Token(given), present) if present != Some(given) => {
            let what = match table {
                ConfigTable::Preflight => table.to_string(),
                _ => format!("{table}, {key}"),
            };
            Err(ConfigRejection::Stale { what, given, present })
        }
        _ => Ok(()),
    }
}

/// The tables as they would be, judged.
fn with_rows(
    tables: &ConfigTables,
    table: ConfigTable,
    replaced: &BTreeSet<RowKey>,
    given: Vec<GivenRow>,
) -> Result<ConfigTables, ConfigRejection> {
    let cells = tables.cells(table).into_iter();
    let kept = cells.filter(|row| !replaced.contains(&key_of(table, row)));
    let named = |row: Vec<(&'static str, String)>| -> GivenRow {
        row.into_iter().map(|(column, text)| (column.to_owned(), text)).collect()
    };
    let rows: Vec<GivenRow> = kept.map(named).chain(given).collect();
    let mut raw = tables.raw().map_err(too_large)?;
    raw.retain(|other| other.name() != table.name());
    raw.push(raw_table(table, &rows).map_err(too_large)?);
    Ok(ConfigTables::read(RawSnapshot { tables: raw, ..RawSnapshot::default() })?)
}

/// A configuration beyond four gigabytes of text is refused as a source of that size is.
fn too_large(fault: TooLarge) -> ConfigRejection {
    FaultReport { faults: vec![Fault::unreadable(String::new(), fault.to_string())] }.into()
}

/// The whole order of the tree, by the new priorities, then by key.
fn reprioritise(
    state: &ConfigState,
    order: &[GivenRow],
    token: Option<u64>,
) -> Result<Vec<NodePriority>, ConfigRejection> {
    let table = ConfigTable::Constraints;
    each_column_once(table, order)?;
    if let Some(given) = token.filter(|token| *token != state.token(table)) {
        let present = Some(state.token(table));
        return Err(ConfigRejection::Stale { what: table.to_string(), given, present });
    }
    let (mut seen, mut repeated, mut unknown) = (BTreeSet::new(), Vec::new(), Vec::new());
    for row in order {
        let key = key_of(table, row);
        if !state.constraints().contains_key(&key) {
            unknown.push(key);
        } else if !seen.insert(key.clone()) {
            repeated.push(key);
        }
    }
    let nodes = state.constraints().keys();
    let missing: Vec<RowKey> = nodes.filter(|key| !seen.contains(*key)).cloned().collect();
    if !(missing.is_empty() && unknown.is_empty() && repeated.is_empty()) {
        return Err(ConfigRejection::OrderNotWhole { missing, unknown, repeated });
    }
    let given = order.iter().map(|row| priority_alone(state, row)).collect();
    let after = with_rows(&state.tables(), table, &seen, given)?;
    let priority = |row: &ConstraintRow| {
        let held = state.constraints().get(&RowKey::of_row(row));
        NodePriority {
            investor_id: row.investor_id.id(),
            investor_instrument_name: row.investor_instrument_name.id(),
            constraint_name: row.constraint_name.id(),
            before: held.map_or(row.constraint_priority, |held| held.row.constraint_priority),
            after: row.constraint_priority,
        }
    };
    let mut order: Vec<NodePriority> = after.constraints.iter().map(priority).collect();
    order.sort_by_key(|node| node.after);
    Ok(order)
}

/// A node as it is, with the priority that is given; what else is given is not taken for a change,
/// but an unknown column is one.
fn priority_alone(state: &ConfigState, given: &GivenRow) -> GivenRow {
    let table = ConfigTable::Constraints;
    let held = state.row(table, &key_of(table, given)).map(|(cells, _)| cells).unwrap_or_default();
    let mut row: GivenRow = held
        .into_iter()
        .filter(|(column, _)| *column != "constraint_priority")
        .map(|(column, text)| (column.to_owned(), text))
        .collect();
    let priority = table.schema().position("constraint_priority");
    let is_kept = |name: &str| {
        let position = table.schema().position(name);
        position.is_some() && position != priority
    };
    row.extend(given.iter().filter(|(name, _)| !is_kept(name)).cloned());
    row
}

/// The import's own event, then those of what it changes; nothing where it changes nothing.
fn import(
    state: &ConfigState,
    source: &str,
    tables: &ConfigTables,
    reason: Option<&str>,
) -> Vec<ConfigEvent> {
    let changes = difference::events(&state.tables(), tables, reason);
    if changes.is_empty() {
        return changes;
    }
    let mut imported = ConfigImported {
        source: source.to_owned(),
        added: 0,
        changed: 0,
        removed: 0,
        reason: reason.map(str::to_owned),
    };
    for row in changes.iter().flat_map(RowChange::of_event) {
        match (row.before.is_some(), row.after.is_some()) {
            (false, _) => imported.added += 1,
            (true, true) => imported.changed += 1,
            (true, false) => imported.removed += 1,
        }
    }
    let mut events = vec![ConfigEvent::ConfigImported(imported)];
    events.extend(changes);
    events
}
