//! `powerfill config`: a desk's session with its configuration, and runs that take it.

use std::fs;

use powerfill_tests::postgres::TestDatabase;
use serde_json::Value;

use crate::desk::{Answer, Desk};

const SETTINGS: &str = "[tenants.GENERATED]\nstore = \"sqlite:books.db\"\nsource = \"dir:snapshot\"\nconfiguration = \"managed\"\n";

/// A tenant that manages its configuration, with a book and nothing imported yet.
fn desk() -> Desk {
    let desk = Desk::new();
    desk.ask("generate --loans 60 --trades 20 --pools 10 --out snapshot");
    fs::write(desk.path("powerfill.toml"), SETTINGS).unwrap();
    desk
}

const OF_THE_TENANT: [&str; 2] = ["--tenant", "GENERATED"];

fn config(desk: &Desk, words: &[&str]) -> Answer {
    desk.powerfill(["config"].iter().chain(words).chain(&OF_THE_TENANT))
}

fn rows(desk: &Desk, kind: &str) -> Vec<Value> {
    let listed = config(desk, &["list", kind, "--format", "json"]).well().out;
    let listed: Value = serde_json::from_str(&listed).unwrap();
    let tables = listed["tables"].as_object().unwrap();
    tables.values().next().unwrap()["rows"].as_array().unwrap().clone()
}

#[test]
fn nothing_runs_before_something_is_imported() {
    let desk = desk();
    for command in ["run", "check", "preflight", "preprocess --out proposed"] {
        let refused = desk.type_in(&format!("{command} --tenant GENERATED"));
        assert_eq!(refused.status, Some(2), "{command}: {refused:?}");
        assert!(refused.err.contains("begin with `powerfill config import"), "{}", refused.err);
    }
    let shown = config(&desk, &["import", "--dry-run"]).well().out;
    assert!(shown.starts_with("not recorded: "), "{shown}");
    assert!(!desk.path("books.db").exists(), "a look makes no store");
}

/// The events, but for the request, are those of a run whose source has the six tables; so is the
/// input's digest.
#[test]
fn a_managed_run_is_that_of_the_source() {
    let desk = desk();
    config(&desk, &["import"]).well();
    desk.ask("run --tenant GENERATED");
    desk.ask("run dir:snapshot --store sqlite:other.db");
    let payloads = |store: &str| desk.ask(&format!("events latest --format csv {store}"));
    let payloads = |store: &str| -> Vec<String> {
        let events = payloads(store);
        let payload = |line: &str| line.splitn(4, ',').nth(3).unwrap().to_owned();
        events.lines().skip(1).map(payload).collect()
    };
    let (managed, other) = (payloads("--tenant GENERATED"), payloads("--store sqlite:other.db"));
    assert!(managed.len() > 100 && managed == other);
    // Now the source's own tables do not matter any more, whatever they are.
    fs::write(desk.path("snapshot/pfill_constraints.csv"), "nonsense\n").unwrap();
    fs::remove_file(desk.path("snapshot/pscat_securitization_rules.csv")).unwrap();
    desk.ask("run --tenant GENERATED");
    assert!(payloads("--tenant GENERATED") == managed);
    desk.ask("run dir:snapshot --tenant GENERATED");
    assert!(desk.ask("replay latest --tenant GENERATED").starts_with("Reproduced"));
    assert!(desk.ask("verify --tenant GENERATED").contains("everything matches"));
    assert_eq!(desk.type_in("check dir:snapshot").status, Some(1));
}

#[test]
fn rows_are_added_changed_and_removed_with_tokens() {
    let desk = desk();
    config(&desk, &["import", "--reason", "as the source had it"]).well();
    let instrument = "investor_instrument_name=FN30 6.0";
    let node = ["investor_id=FNMA", instrument, "constraint_name=CA cap"];
    let add =
        [&["add", "constraint"], &node[..], &["constraint_priority=7", "hi_limit=0.15"]].concat();
    let added = config(&desk, &add).well().out;
    assert!(
        added.contains(
            "ConstraintAdded FNMA|FN30 6.0|CA cap: constraint_priority 7, hi_limit 0.150000"
        ),
        "{added}"
    );
    let again = config(&desk, &add);
    assert_eq!(again.status, Some(1));
    assert!(again.err.contains("is there already"), "{}", again.err);

    config(&desk, &["add", "rule", "rule_name=CA", "rule_syntax=state = 'CA' AND desk <> 'D09'"])
        .well();
    config(&desk, &[&["add", "link"], &node[..], &["rule_name=CA"]].concat()).well();
    let remove = [&["remove", "constraint"], &node[..]].concat();
    let linked = config(&desk, &remove);
    assert_eq!(linked.status, Some(1));
    assert!(linked.err.contains("has rules: CA; unlink them first"), "{}", linked.err);

    let found = rows(&desk, "constraint");
    let found = found.iter().find(|row| row["constraint_name"] == "CA cap").unwrap();
    let token = found["token"].to_string();
    let change = |hi: &'static str| {
        [&["change", "constraint"], &node[..], &[hi, "--token", &token]].concat()
    };
    let changed = config(&desk, &change("hi_limit=0.2")).well().out;
    assert!(changed.contains("hi_limit 0.150000 → 0.200000"), "{changed}");
    let stale = config(&desk, &change("hi_limit=0.3"));
    assert_eq!(stale.status, Some(1));
    assert!(stale.err.contains(&format!("changed since token {token}")), "{}", stale.err);

    let wrong = config(&desk, &["add", "rule", "rule_name=X", "rule_syntax=fico >"]);
    assert_eq!(wrong.status, Some(1));
    assert!(wrong.err.contains("character 7"), "{}", wrong.err);
    config(&desk, &[&["remove", "link"], &node[..], &["rule_name=CA"]].concat()).well();
    config(&desk, &remove).well();
    config(&desk, &["remove", "rule", "rule_name=CA"]).well();
    let clean = config(&desk, &["import", "--dry-run"]).well().out;
    assert!(clean.starts_with("nothing to change"), "{clean}");
    let history = config(&desk, &["history"]).well().out;
    assert!(history.contains(": as the source had it\n"), "{history}");
    assert!(history.contains("ConfigImported from dir:snapshot:"), "{history}");
}

#[test]
fn the_order_is_set_at_once_with_the_token_of_the_table() {
    let desk = desk();
    config(&desk, &["import"]).well();
    let order = config(&desk, &["list", "constraint", "--format", "csv"]).well().out;
    let token = || {
        let listed = config(&desk, &["list", "constraint", "--format", "json"]).well().out;
        let listed: Value = serde_json::from_str(&listed).unwrap();
        listed["tables"]["pfill_constraints"]["token"].to_string()
    };
    let before = token();
    let first = order.lines().nth(1).unwrap().replace(",0,", ",900,");
    let lines: Vec<&str> =
        order.lines().take(1).chain([first.as_str()]).chain(order.lines().skip(2)).collect();
    fs::write(desk.path("order.csv"), lines.join("\n")).unwrap();
    let set = ["reprioritise", "order.csv", "--token", &before, "--reason", "quarter end"];
    let done = config(&desk, &set).well().out;
    assert!(done.contains("constraint_priority 0 → 900"), "{done}");
    assert_ne!(token(), before);
    assert_eq!(config(&desk, &set).status, Some(1));
    fs::write(desk.path("order.csv"), lines[..3].join("\n")).unwrap();
    let partial = config(&desk, &["reprioritise", "order.csv"]);
    assert_eq!(partial.status, Some(1));
    assert!(
        partial.err.contains("the order must name every constraint once; missing: "),
        "{}",
        partial.err
    );
}

/// Also as it was; what is exported and taken back is no change.
#[test]
fn what_is_exported_can_be_imported() {
    let desk = desk();
    config(&desk, &["import"]).well();
    let rule = "rule_syntax=state = 'CA'\n  AND property_type <> 'a, \"b\"'";
    config(&desk, &["add", "rule", "rule_name=two lines", rule]).well();
    config(&desk, &["change", "settings", "lockdown_days=9"]).well();
    config(&desk, &["export", "--out", "now"]).well();
    let same = config(&desk, &["import", "dir:now"]).well().out;
    assert!(same.starts_with("nothing to change"), "{same}");
    let history: Value =
        serde_json::from_str(&config(&desk, &["history", "--format", "json"]).well().out).unwrap();
    let last = history.as_array().unwrap().last().unwrap();
    assert_eq!(last["event_type"], "PreflightSettingsChanged");
    let before = (last["version"].as_u64().unwrap() - 1).to_string();
    let at = last["recorded_at"].as_str().unwrap();
    config(&desk, &["export", "--out", "before", "--at", &before]).well();
    config(&desk, &["export", "--out", "then", "--at", at]).well();
    let settings = |folder: &str| {
        fs::read_to_string(desk.path(folder).join("pfill_preflight_settings.csv")).unwrap()
    };
    assert!(settings("before").ends_with(",2\n") && settings("then").ends_with(",9\n"));
    assert_eq!(config(&desk, &["export", "--out", "now"]).status, Some(2));
    let back = config(&desk, &["import", "dir:before"]).well().out;
    assert!(back.contains("lockdown_days 9 → 2"), "{back}");
    assert_eq!(config(&desk, &["list", "--at", "soon"]).status, Some(2));
    assert_eq!(config(&desk, &["list", "--at", "100000"]).status, Some(2));
}

/// And no store is made for it.
#[test]
fn a_source_of_another_tenant_is_refused() {
    let desk = desk();
    fs::write(desk.path("powerfill.toml"), SETTINGS.replace("GENERATED", "other")).unwrap();
    for line in
        ["config import --tenant other", "config import dir:snapshot --dry-run --tenant other"]
    {
        let words = ["dir:snapshot is a snapshot of tenant GENERATED, not of other"];
        desk.type_in(line).refuses(2, &words);
    }
    assert!(!desk.path("books.db").exists());
}

/// Without tenants the source says whose it is; another tenant's source is refused.
#[test]
fn a_configuration_is_one_tenants() {
    let desk = desk();
    fs::remove_file(desk.path("powerfill.toml")).unwrap();
    let nobody = desk.type_in("config change settings lockdown_days=3");
    assert_eq!(nobody.status, Some(2));
    assert!(nobody.err.contains("which tenant?"), "{}", nobody.err);
    desk.ask("config import dir:snapshot");
    desk.ask("config change settings lockdown_days=3");
    let header = desk.path("snapshot/snapshot.csv");
    let text = fs::read_to_string(&header).unwrap();
    fs::write(&header, text.replace("GENERATED", "other")).unwrap();
    let refused = desk.type_in("config import dir:snapshot");
    assert_eq!(refused.status, Some(2));
    assert!(
        refused.err.contains("is a snapshot of tenant other, not of GENERATED"),
        "{}",
        refused.err
    );
}

/// Over a server, which is asked for the configuration while the source is read.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_configuration_in_postgresql() {
    let database = TestDatabase::new();
    let desk = desk();
    let url = database.url().await;
    let settings = SETTINGS.replace("sqlite:books.db", &url);
    fs::write(desk.path("powerfill.toml"), settings).unwrap();
    let empty = desk.type_in("run --tenant GENERATED");
    assert_eq!(empty.status, Some(2), "{empty:?}");
    config(&desk, &["import"]).well();
    config(&desk, &["change", "settings", "lockdown_days=3"]).well();
    desk.ask("run --tenant GENERATED");
    let tables = desk.ask("config list settings --format csv --tenant GENERATED");
    assert!(tables.lines().nth(1).unwrap().starts_with("1,3,1,3,"), "{tables}");
    assert!(desk.ask("replay latest --tenant GENERATED").starts_with("Reproduced"));
    assert!(desk.ask("verify --tenant GENERATED").contains("everything matches"));
    let copy = format!("copy-store {url} sqlite:copy.db");
    desk.ask(&copy);
    assert!(
        desk.ask("config history --store sqlite:copy.db --format csv")
            .contains("lockdown_days,2,3")
    );
}
