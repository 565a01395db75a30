//! What commands become: events for what really changes, tokens, judgement without a book.

use super::*;
use ConfigTable::*;

#[test]
fn what_changes_nothing_records_nothing() {
    let state = configured();
    assert_eq!(state.version(), 9);
    for command in [
        put(Constraints, node("FNMA|FN 6.0|CA", "2")),
        put(Constraints, node("FNMA|FN 6.0 |CA  ", "+02.00")),
        put(Carry, row("investor_instrument_name=FN_6.0 on_day=0 to_day=30 annual_rate=4.000")),
        put(Lockdown, row("pool_name=P1 lock_pool=y")),
        put(Preflight, row("lockdown_days=3")),
        ConfigChange::Reprioritise {
            order: vec![node("FNMA|FN 6.0|CA", "2"), node("fnma|fn 6.0|", "1")],
            token: None,
        }
        .into(),
        ConfigChange::Import { source: "dir:x".into(), tables: Box::new(state.tables()) }.into(),
    ] {
        assert_eq!(decided(&state, command.clone()), Ok(vec![]), "{command:?}");
    }
}

#[test]
fn another_spelling_is_a_change_since_outputs_show_it() {
    let events = decided(&configured(), put(Constraints, node("fnma|FN 6.0|CA", "2"))).unwrap();
    assert_eq!(names(&events), ["ConstraintChanged"]);
    let change = &RowChange::of_event(&events[0])[0];
    assert_eq!(change.columns(), [("investor_id", Some("FNMA"), Some("fnma"))]);
}

#[test]
fn columns_that_are_left_out_stay_or_become_null_as_the_command_says() {
    let state = given([put(Constraints, {
        let mut row = node("FNMA|FN 6.0|", "1");
        row.push(("hi_limit".into(), "0.15".into()));
        row
    })]);
    let change = |left_out| ConfigChange::Write {
        table: Constraints,
        rows: vec![node("FNMA|FN 6.0|", "5")],
        left_out,
        precondition: Precondition::Present,
    };
    let changed = |left_out| {
        let events = decided(&state, change(left_out).into()).unwrap();
        let columns = RowChange::of_event(&events[0]).remove(0);
        columns.columns().iter().map(|(column, ..)| *column).collect::<Vec<_>>()
    };
    assert_eq!(changed(LeftOut::AsItWas), ["constraint_priority"]);
    assert_eq!(changed(LeftOut::Empty), ["constraint_priority", "hi_limit"]);
}

#[test]
fn a_token_is_another_when_and_only_when_the_row_is() {
    let state = configured();
    let token =
        |state: &ConfigState, parts| state.row(Constraints, &key(Constraints, parts)).unwrap().1;
    let (one, two) = ("FNMA|FN 6.0|", "FNMA|FN 6.0|CA");
    assert_eq!((token(&state, one), token(&state, two), state.token(Constraints)), (1, 2, 2));
    let order = vec![node(one, "7"), node(two, "2")];
    let reprioritise = ConfigChange::Reprioritise { order, token: Some(2) };
    let after = folded(state.clone(), decided(&state, reprioritise.into()).unwrap());
    assert_eq!((token(&after, one), token(&after, two), after.token(Constraints)), (10, 2, 10));
    assert_eq!(after.token(Carry), state.token(Carry));
    let write = |given| written(Constraints, vec![node(one, "8")], Precondition::Token(given));
    assert!(decided(&after, write(10)).is_ok());
    assert!(matches!(
        decided(&after, write(1)),
        Err(ConfigRejection::Stale { given: 1, present: Some(10), .. })
    ));
}

#[test]
fn an_order_says_every_node_with_its_priority_before_and_after() {
    let order = vec![node("FNMA|FN 6.0|", "4"), node("FNMA|FN 6.0|CA", "3")];
    let command = ConfigCommand {
        what: ConfigChange::Reprioritise { order, token: None },
        reason: Some("quarter end".into()),
    };
    let events = decided(&configured(), command).unwrap();
    let json = serde_json::to_value(match &events[..] {
        [ConfigEvent::ConstraintsReprioritised(event)] => event,
        other => panic!("{other:?}"),
    })
    .unwrap();
    let node = |name: &str, before: i64, after: i64| {
        serde_json::json!({
            "investor_id": "FNMA", "investor_instrument_name": "FN 6.0", "constraint_name": name,
            "before": before, "after": after,
        })
    };
    let expected =
        serde_json::json!({ "order": [node("CA", 2, 3), node("", 1, 4)], "reason": "quarter end" });
    assert_eq!(json, expected);
}

#[test]
fn an_import_counts_its_changes_and_leaves_no_reference_open_on_the_way() {
    let state = configured();
    let mut tables = state.tables();
    tables.links[0].rule_name = "Low LTV".into();
    tables.rules.retain(|rule| rule.rule_name.as_str() == "Low LTV");
    tables.constraints[1].constraint_priority = 9;
    tables.lockdown.clear();
    let command =
        ConfigChange::Import { source: "dir:book".into(), tables: Box::new(tables.clone()) };
    let events = decided(&state, command.into()).unwrap();
    assert_eq!(
        names(&events),
        [
            "ConfigImported",
            "RuleUnlinked",
            "SecuritizationRuleRemoved",
            "ConstraintChanged",
            "RuleLinked",
            "PoolLockRemoved",
        ]
    );
    let ConfigEvent::ConfigImported(imported) = &events[0] else { panic!("{events:?}") };
    assert_eq!((imported.added, imported.changed, imported.removed), (1, 1, 3));
    assert_eq!(folded(state, events).tables(), tables);
}

#[test]
fn several_rows_are_written_all_or_none() {
    let state = configured();
    let pools = |second: &str| {
        written(
            Lockdown,
            vec![row("pool_name=P2 lock_pool=Y"), row(&format!("pool_name=P3 lock_pool={second}"))],
            Precondition::Any,
        )
    };
    assert_eq!(names(&decided(&state, pools("N")).unwrap()), ["PoolLockSet", "PoolLockSet"]);
    assert!(matches!(decided(&state, pools("maybe")), Err(ConfigRejection::Faulty(_))));
}

#[test]
fn settings_that_are_removed_are_the_defaults_again() {
    let events = decided(&configured(), remove(Preflight, "", Precondition::Any)).unwrap();
    assert_eq!(
        RowChange::of_event(&events[0])[0].columns(),
        [("lockdown_days", Some("3"), Some("2"))]
    );
}

/// A column that the listed ones do not have may be one of the book's: the run judges it. What is
/// said of a listed one is judged at once.
#[test]
fn a_rule_is_judged_as_far_as_it_can_be_without_a_book() {
    let rule = |syntax: &str| {
        put(
            Rules,
            vec![("rule_name".into(), "R".into()), ("rule_syntax".into(), syntax.to_owned())],
        )
    };
    let state = ConfigState::default();
    assert_eq!(
        names(&decided(&state, rule("servicer = 'X' AND fico > 700")).unwrap()),
        ["SecuritizationRuleDefined"]
    );
    for (syntax, code, place) in [
        ("fico >", "rule_syntax", "character 7"),
        ("state = 5", "rule_type", "character"),
        ("UPPER(state) = 'CA'", "rule_syntax", "character"),
    ] {
        let Err(ConfigRejection::Faulty(report)) = decided(&state, rule(syntax)) else {
            panic!("{syntax} is taken");
        };
        let fault = &report.faults[0];
        assert_eq!((fault.code.as_str(), &*fault.row), (code, "R"), "{syntax}");
        assert!(fault.reason.contains(place), "{syntax}: {}", fault.reason);
    }
}
