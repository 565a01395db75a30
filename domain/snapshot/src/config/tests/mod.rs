//! Given, when, then: what the configuration takes, what it records, which rule it names when it
//! does not.

mod carry;
mod deciding;
mod properties;
mod rejecting;

use super::*;
use crate::{RawSnapshot, RawTable};

/// A row from `column=text` words; a blank in a text is an underscore.
fn row(words: &str) -> GivenRow {
    let cell = |word: &str| {
        let (column, text) = word.split_once('=').expect("column=text");
        (column.to_owned(), text.replace('_', " "))
    };
    let columns = |(column, text): (String, String)| (column.replace(' ', "_"), text);
    words.split(' ').map(|word| columns(cell(word))).collect()
}

/// A constraint's row: investor|instrument|name and its priority.
fn node(key: &str, priority: &str) -> GivenRow {
    let names = ["investor_id", "investor_instrument_name", "constraint_name"];
    let keys = names.iter().zip(key.split('|')).map(|(name, text)| ((*name).into(), text.into()));
    keys.chain([("constraint_priority".to_owned(), priority.to_owned())]).collect()
}

fn key(table: ConfigTable, parts: &str) -> RowKey {
    RowKey::of(table, parts.split('|'))
}

fn written(table: ConfigTable, rows: Vec<GivenRow>, precondition: Precondition) -> ConfigCommand {
    ConfigChange::Write { table, rows, left_out: LeftOut::Empty, precondition }.into()
}

fn put(table: ConfigTable, row: GivenRow) -> ConfigCommand {
    written(table, vec![row], Precondition::Any)
}

fn remove(table: ConfigTable, parts: &str, precondition: Precondition) -> ConfigCommand {
    ConfigChange::Remove { table, key: key(table, parts), precondition }.into()
}

fn link(node_and_rule: &str) -> GivenRow {
    let names = ["investor_id", "investor_instrument_name", "constraint_name", "rule_name"];
    let cells = names.iter().zip(node_and_rule.split('|'));
    cells.map(|(name, text)| ((*name).into(), text.into())).collect()
}

/// What the aggregate answers to a command.
fn decided(
    state: &ConfigState,
    command: ConfigCommand,
) -> Result<Vec<ConfigEvent>, ConfigRejection> {
    Config::decide(state, &command)
}

/// The state after more events.
#[track_caller]
fn folded(mut state: ConfigState, events: Vec<ConfigEvent>) -> ConfigState {
    for event in &events {
        state.accept(event).expect("what is decided can be folded");
    }
    state
}

/// The state after commands, each of which is taken.
#[track_caller]
fn given(commands: impl IntoIterator<Item = ConfigCommand>) -> ConfigState {
    let mut state = ConfigState::default();
    for command in commands {
        let events = decided(&state, command).expect("the given commands are taken");
        state = folded(state, events);
    }
    state
}

/// Two nodes with priorities 1 and 2, two rules of which one is linked, a carry curve, a locked
/// pool: nine events.
fn configured() -> ConfigState {
    use ConfigTable::*;
    given([
        put(Constraints, node("FNMA|FN 6.0|", "1")),
        put(Constraints, node("FNMA|FN 6.0|CA", "2")),
        put(
            Rules,
            vec![
                ("rule_name".into(), "California".into()),
                ("rule_syntax".into(), "state = 'CA'".into()),
            ],
        ),
        put(
            Rules,
            vec![("rule_name".into(), "Low LTV".into()), ("rule_syntax".into(), "ltv < 60".into())],
        ),
        put(Links, link("FNMA|FN 6.0|CA|California")),
        put(Carry, row("investor_instrument_name=FN_6.0 on_day=0 to_day=30 annual_rate=4")),
        put(Carry, row("investor_instrument_name=FN_6.0 on_day=31 to_day=60 annual_rate=4.5")),
        put(Lockdown, row("pool_name=P1 lock_pool=Y")),
        put(Preflight, row("lockdown_days=3")),
    ])
}

fn names(events: &[ConfigEvent]) -> Vec<&'static str> {
    events.iter().map(|event| event.event_type().name()).collect()
}

/// The tables as a source hands them over.
fn source(tables: Vec<RawTable>) -> RawSnapshot {
    RawSnapshot { tables, ..RawSnapshot::default() }
}
