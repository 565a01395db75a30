//! Any commands at all: events are the state, and the state is always sound.

use powerfill_events::input::cells_of;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;

use super::*;

/// Few names, so that commands meet; spellings that differ and are equal as text.
fn name() -> impl Strategy<Value = String> {
    select(vec!["A", "a", "B", "ß", "SS ", ""]).prop_map(str::to_owned)
}

fn number() -> impl Strategy<Value = String> {
    select(vec!["0", "1", "2", "07", "2.0", "-1", "0.5", "0.500000", "", "x"])
        .prop_map(str::to_owned)
}

fn cells(table: ConfigTable) -> impl Strategy<Value = GivenRow> {
    let cell = move |column: &'static str| -> BoxedStrategy<(String, String)> {
        let text = match column {
            "lock_pool" => select(vec!["Y", "n", ""]).prop_map(str::to_owned).boxed(),
            "rule_syntax" => {
                let rules =
                    vec!["fico > 700", "other = 'x'", "fico >", "state = 'CA'\n OR ltv < 5 "];
                select(rules).prop_map(str::to_owned).boxed()
            }
            "constraint_priority"
            | "lo_limit"
            | "hi_limit"
            | "on_day"
            | "to_day"
            | "annual_rate" => number().boxed(),
            _ if table == ConfigTable::Preflight => number().boxed(),
            _ => name().boxed(),
        };
        text.prop_map(move |text| (column.to_owned(), text)).boxed()
    };
    table.schema().columns.iter().map(|column| cell(column.name)).collect::<Vec<_>>()
}

fn precondition() -> impl Strategy<Value = Precondition> {
    prop_oneof![
        4 => Just(Precondition::Any),
        1 => Just(Precondition::Absent),
        1 => Just(Precondition::Present),
        1 => (0..20_u64).prop_map(Precondition::Token),
    ]
}

fn command() -> impl Strategy<Value = ConfigCommand> {
    let of_table = |table: ConfigTable| {
        let write = (vec(cells(table), 1..3), any::<bool>(), precondition()).prop_map(
            move |(rows, whole, precondition)| {
                let left_out = if whole { LeftOut::Empty } else { LeftOut::AsItWas };
                ConfigChange::Write { table, rows, left_out, precondition }
            },
        );
        let remove = (cells(table), precondition()).prop_map(move |(row, precondition)| {
            let key = super::super::tables::key_of(table, &row);
            ConfigChange::Remove { table, key, precondition }
        });
        prop_oneof![3 => write, 1 => remove]
    };
    let table = select(ConfigTable::ALL.to_vec()).prop_flat_map(of_table);
    table.prop_map(ConfigCommand::from)
}

/// Every node of the tree with a priority of its own.
fn reordered(state: &ConfigState, first: i64) -> ConfigCommand {
    let rows = state.constraints().values().rev().zip(first..);
    let order = rows.map(|(held, priority)| {
        let mut row: GivenRow =
            cells_of(&held.row).into_iter().take(3).map(|(c, text)| (c.to_owned(), text)).collect();
        row.push(("constraint_priority".into(), priority.to_string()));
        row
    });
    ConfigChange::Reprioritise { order: order.collect(), token: None }.into()
}

/// Something to link, to change and to remove.
fn beginnings() -> Vec<ConfigCommand> {
    let nodes =
        ["A||", "A|B|", "B|A|", "B|A|ß"].map(|key| put(ConfigTable::Constraints, node(key, "1")));
    let rules = ["A", "B"].map(|name| {
        let cells = [("rule_name", name), ("rule_syntax", "fico > 700")];
        put(ConfigTable::Rules, cells.map(|(column, text)| (column.into(), text.into())).into())
    });
    nodes.into_iter().chain(rules).collect()
}

proptest! {
    /// After any commands: what they recorded, read back from bytes and folded, is the state; every
    /// state between is one that a snapshot's validation takes; its tables, imported, change
    /// nothing there and everything elsewhere; nothing recorded is without a change.
    #[test]
    fn events_are_the_state_and_the_state_is_always_sound(commands in vec(command(), 1..40)) {
        let mut state = ConfigState::default();
        let mut stored = Vec::new();
        for (command, at) in beginnings().into_iter().chain(commands).zip(0_i64..) {
            let command = if at % 7 == 6 && at > 6 { reordered(&state, at) } else { command };
            let Ok(events) = decided(&state, command) else { continue };
            for event in events {
                let mut payload = Vec::new();
                event.write_payload(&mut payload).unwrap();
                stored.push((event.event_type(), payload));
                let before = state.tables();
                state.accept(&event).unwrap();
                prop_assert_ne!(&before, &state.tables());
                let read = ConfigTables::read(source(state.tables().raw().unwrap()));
                prop_assert_eq!(read.as_ref(), Ok(&state.tables()));
            }
        }
        prop_assert!(stored.len() >= beginnings().len());
        prop_assert_eq!(state.version(), stored.len() as u64);
        let read = stored.iter().map(|(of, payload)| ConfigEvent::decode(*of, 1, payload).unwrap());
        prop_assert_eq!(&folded(ConfigState::default(), read.collect()), &state);
        let import = |tables: ConfigTables| -> ConfigCommand {
            ConfigChange::Import { source: "dir:x".into(), tables: Box::new(tables) }.into()
        };
        prop_assert_eq!(decided(&state, import(state.tables())), Ok(vec![]));
        let elsewhere = configured();
        let events = decided(&elsewhere, import(state.tables())).unwrap();
        let after = folded(elsewhere, events);
        prop_assert_eq!(after.tables(), state.tables());
    }
}
