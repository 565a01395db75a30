//! Which rule is named where a command, or a history, breaks one.

use super::*;
use ConfigTable::*;
use powerfill_events::config::event::{RowAdded, RowChanged};

/// What is wrong, by name.
fn named(rejection: &ConfigRejection) -> &'static str {
    match rejection {
        ConfigRejection::AlreadyThere { .. } => "AlreadyThere",
        ConfigRejection::NotThere { .. } => "NotThere",
        ConfigRejection::Stale { .. } => "Stale",
        ConfigRejection::RulesLinked { .. } => "RulesLinked",
        ConfigRejection::RuleInUse { .. } => "RuleInUse",
        ConfigRejection::OrderNotWhole { .. } => "OrderNotWhole",
        ConfigRejection::Faulty(_) => "Faulty",
        ConfigRejection::HistoryBroken { .. } => "HistoryBroken",
    }
}

fn order(nodes: Vec<GivenRow>, token: Option<u64>) -> ConfigCommand {
    ConfigChange::Reprioritise { order: nodes, token }.into()
}

#[test]
fn each_broken_rule_has_its_name_and_says_what_to_do() {
    let ca = "FNMA|FN 6.0|CA";
    let add = |table, row| written(table, vec![row], Precondition::Absent);
    let change = |table, row| written(table, vec![row], Precondition::Present);
    let stale = |table, row| written(table, vec![row], Precondition::Token(1));
    for (command, name, says) in [
        (add(Constraints, node(ca, "9")), "AlreadyThere", "FNMA|FN 6.0|CA is there already"),
        (
            change(Constraints, node("FNMA|FN 6.0|TX", "9")),
            "NotThere",
            "there is no FNMA|FN 6.0|TX",
        ),
        (remove(Lockdown, "P9", Precondition::Any), "NotThere", "there is no P9"),
        (remove(Carry, "FN 6.0|soon", Precondition::Any), "NotThere", "there is no FN 6.0|soon"),
        (stale(Constraints, node(ca, "9")), "Stale", "since token 1: its token is 2"),
        (stale(Lockdown, row("pool_name=P9 lock_pool=Y")), "Stale", "since token 1: it is gone"),
        (remove(Constraints, ca, Precondition::Token(7)), "Stale", "its token is 2"),
        (order(vec![], Some(1)), "Stale", "pfill_constraints has been changed"),
        (remove(Constraints, ca, Precondition::Any), "RulesLinked", "rules: California; unlink"),
        (
            remove(Rules, "california", Precondition::Any),
            "RuleInUse",
            "constraints: FNMA|FN 6.0|CA",
        ),
        (
            order(vec![node(ca, "1"), node(ca, "2"), node("X||", "3")], None),
            "OrderNotWhole",
            "once; missing: FNMA|FN 6.0|; unknown: X||; more than once: FNMA|FN 6.0|CA",
        ),
        (
            order(vec![node(ca, "1"), node("FNMA|FN 6.0|", "-1")], None),
            "Faulty",
            "constraint_priority \"-1\": must be >= 0 (out_of_range)",
        ),
        (put(Links, link("FNMA|FN 6.0|TX|Nobody")), "Faulty", "unknown_reference"),
        (put(Constraints, row("investor_id=F colour=red")), "Faulty", "\"colour\""),
        (
            put(
                Lockdown,
                vec![
                    ("pool_name".into(), "P1".into()),
                    ("lock_pool".into(), "N".into()),
                    ("Lock_Pool ".into(), "Y".into()),
                ],
            ),
            "Faulty",
            "\"Y\": the column is there twice (duplicate_column)",
        ),
    ] {
        let rejection = decided(&configured(), command).expect_err(says);
        assert_eq!(named(&rejection), name);
        assert!(rejection.to_string().contains(says), "{rejection}");
    }
}

/// Every fault at once, by the row's key, as the validation of a snapshot says them.
#[test]
fn a_row_that_a_snapshot_would_be_refused_with_is_refused_with_every_fault() {
    let mut limits = node("FNMA||", "soon");
    limits.extend([("lo_limit".into(), "0.9".into()), ("hi_limit".into(), "1.5".into())]);
    let Err(ConfigRejection::Faulty(report)) = decided(&configured(), put(Constraints, limits))
    else {
        panic!("it is taken");
    };
    let faults: Vec<_> =
        report.faults.iter().map(|f| (&*f.row, &*f.column, f.code.as_str())).collect();
    assert_eq!(
        faults,
        [
            ("FNMA||", "constraint_priority", "not_a_number"),
            ("FNMA||", "lo_limit", "not_allowed"),
            ("FNMA||", "hi_limit", "out_of_range"),
        ]
    );
}

/// What the events before do not allow is no history.
#[test]
fn a_history_that_contradicts_itself_is_not_folded() {
    let state = configured();
    let row = |priority| ConstraintRow {
        investor_id: "FNMA".into(),
        investor_instrument_name: "FN 6.0".into(),
        constraint_name: "CA".into(),
        constraint_priority: priority,
        lo_limit: None,
        hi_limit: None,
    };
    let added = ConfigEvent::ConstraintAdded(RowAdded { after: row(2), reason: None });
    let changed = |before| {
        ConfigEvent::ConstraintChanged(RowChanged {
            before: row(before),
            after: row(5),
            reason: None,
        })
    };
    let link = ConfigEvent::RuleLinked(RowAdded {
        after: RuleLinkRow {
            investor_id: "FNMA".into(),
            investor_instrument_name: "FN 6.0".into(),
            constraint_name: "CA".into(),
            rule_name: "Nobody".into(),
        },
        reason: None,
    });
    for (event, name) in
        [(added, "AlreadyThere"), (changed(3), "HistoryBroken"), (link, "NotThere")]
    {
        let mut after = state.clone();
        assert_eq!(after.accept(&event).map_err(|rejection| named(&rejection)), Err(name));
        assert_eq!(after, state);
    }
    assert_eq!(configured().accept(&changed(2)), Ok(()));
}
