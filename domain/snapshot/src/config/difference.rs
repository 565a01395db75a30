//! From the tables as they are to the tables as they shall be: one event for each real change, in
//! an order in which no event refers to what is not there.

use std::collections::BTreeMap;

use super::row_key::RowKey;
use super::tables::ConfigTables;
use powerfill_events::config::ConfigRow;
use powerfill_events::config::event::{ConfigEvent, RowAdded, RowChanged, RowRemoved, RowSet};

/// What became of a row that is not as it was.
enum Became<'a, R> {
    Is { before: Option<&'a R>, after: &'a R },
    Gone(&'a R),
}

/// The events that lead from `before` to `after`: links go first and come last; a link that is
/// spelled otherwise goes and comes.
pub(super) fn events(
    before: &ConfigTables,
    after: &ConfigTables,
    reason: Option<&str>,
) -> Vec<ConfigEvent> {
    let (mut gone, mut there, mut linked) = (Vec::new(), Vec::new(), Vec::new());
    for became in compare(&before.links, &after.links) {
        let (old, new) = match became {
            Became::Is { before, after } => (before, Some(after)),
            Became::Gone(before) => (Some(before), None),
        };
        gone.extend(old.map(|row| ConfigEvent::RuleUnlinked(removed(row, reason))));
        linked.extend(new.map(|row| ConfigEvent::RuleLinked(added(row, reason))));
    }
    for became in compare(&before.constraints, &after.constraints) {
        match became {
            Became::Gone(row) => gone.push(ConfigEvent::ConstraintRemoved(removed(row, reason))),
            Became::Is { before: None, after } => {
                there.push(ConfigEvent::ConstraintAdded(added(after, reason)));
            }
            Became::Is { before: Some(before), after } => {
                there.push(ConfigEvent::ConstraintChanged(changed(before, after, reason)));
            }
        }
    }
    for became in compare(&before.rules, &after.rules) {
        match became {
            Became::Gone(row) => {
                gone.push(ConfigEvent::SecuritizationRuleRemoved(removed(row, reason)));
            }
            Became::Is { before: None, after } => {
                there.push(ConfigEvent::SecuritizationRuleDefined(added(after, reason)));
            }
            Became::Is { before: Some(before), after } => {
                there.push(ConfigEvent::SecuritizationRuleChanged(changed(before, after, reason)));
            }
        }
    }
    let carry = compare(&before.carry, &after.carry).into_iter().map(|became| match became {
        Became::Gone(row) => ConfigEvent::CarryBucketRemoved(removed(row, reason)),
        Became::Is { before, after } => ConfigEvent::CarryBucketSet(set(before, after, reason)),
    });
    let locks = compare(&before.lockdown, &after.lockdown).into_iter().map(|became| match became {
        Became::Gone(row) => ConfigEvent::PoolLockRemoved(removed(row, reason)),
        Became::Is { before, after } => ConfigEvent::PoolLockSet(set(before, after, reason)),
    });
    let settings = (before.preflight != after.preflight).then(|| {
        ConfigEvent::PreflightSettingsChanged(changed(&before.preflight, &after.preflight, reason))
    });
    gone.into_iter().chain(there).chain(linked).chain(carry).chain(locks).chain(settings).collect()
}

/// What became of each row that is not as it was, by key.
fn compare<'a, R: ConfigRow>(before: &'a [R], after: &'a [R]) -> Vec<Became<'a, R>> {
    let mut was: BTreeMap<RowKey, &R> =
        before.iter().map(|row| (RowKey::of_row(row), row)).collect();
    let mut became = BTreeMap::new();
    for after in after {
        let key = RowKey::of_row(after);
        let before = was.remove(&key);
        if before != Some(after) {
            became.insert(key, Became::Is { before, after });
        }
    }
    became.extend(was.into_iter().map(|(key, row)| (key, Became::Gone(row))));
    became.into_values().collect()
}

fn owned(reason: Option<&str>) -> Option<String> {
    reason.map(str::to_owned)
}

fn added<R: ConfigRow>(after: &R, reason: Option<&str>) -> RowAdded<R> {
    RowAdded { after: after.clone(), reason: owned(reason) }
}

fn changed<R: ConfigRow>(before: &R, after: &R, reason: Option<&str>) -> RowChanged<R> {
    RowChanged { before: before.clone(), after: after.clone(), reason: owned(reason) }
}

fn removed<R: ConfigRow>(before: &R, reason: Option<&str>) -> RowRemoved<R> {
    RowRemoved { before: before.clone(), reason: owned(reason) }
}

fn set<R: ConfigRow>(before: Option<&R>, after: &R, reason: Option<&str>) -> RowSet<R> {
    RowSet { before: before.cloned(), after: after.clone(), reason: owned(reason) }
}
