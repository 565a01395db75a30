//! `powerfill config`, and runs with the managed configuration.

use std::fs;

use powerfill_tests::postgres::TestDatabase;
use serde_json::Value;

use crate::sandbox::{CommandOutput, Sandbox};

const SETTINGS: &str = "[tenants.GENERATED]\nstore = \"sqlite:books.db\"\nsource = \"dir:snapshot\"\nconfiguration = \"managed\"\n";

/// A tenant with a book, whose managed configuration is empty.
fn sandbox() -> Sandbox {
    let sandbox = Sandbox::new();
    sandbox.run_ok("generate --loans 60 --trades 20 --pools 10 --out snapshot");
    sandbox.write("powerfill.toml", SETTINGS);
    sandbox
}

const TENANT: [&str; 2] = ["--tenant", "GENERATED"];

fn config(sandbox: &Sandbox, words: &[&str]) -> CommandOutput {
    sandbox.run(["config"].iter().chain(words).chain(&TENANT))
}

fn rows(sandbox: &Sandbox, table: &str) -> Vec<Value> {
    let listed = config(sandbox, &["list", table, "--format", "json"]).success().out;
    let listed: Value = serde_json::from_str(&listed).unwrap();
    let tables = listed["tables"].as_object().unwrap();
    tables.values().next().unwrap()["rows"].as_array().unwrap().clone()
}

#[test]
fn nothing_runs_before_the_first_import() {
    let sandbox = sandbox();
    for command in ["run", "check", "preflight", "preprocess --out proposed"] {
        let refused = sandbox.run_line(&format!("{command} --tenant GENERATED"));
        assert_eq!(refused.status, Some(2), "{command}: {refused:?}");
        assert!(refused.err.contains("begin with `powerfill config import"), "{}", refused.err);
    }
    let shown = config(&sandbox, &["import", "--dry-run"]).success().out;
    assert!(shown.starts_with("not recorded: "), "{shown}");
    assert!(!sandbox.path("books.db").exists(), "a dry run creates no store");
}

/// A run has the same events, except the request, and the same input digest, whether the six tables
/// come from the source or from the managed configuration.
#[test]
fn a_run_with_imported_tables_equals_a_run_of_the_source() {
    let sandbox = sandbox();
    config(&sandbox, &["import"]).success();
    sandbox.run_ok("run --tenant GENERATED");
    sandbox.run_ok("run dir:snapshot --store sqlite:other.db");
    let payloads = |store: &str| sandbox.run_ok(&format!("events latest --format csv {store}"));
    let payloads = |store: &str| -> Vec<String> {
        let events = payloads(store);
        let payload = |line: &str| line.splitn(4, ',').nth(3).unwrap().to_owned();
        events.lines().skip(2).map(payload).collect()
    };
    let (managed, other) = (payloads("--tenant GENERATED"), payloads("--store sqlite:other.db"));
    assert!(managed.len() > 100 && managed == other);
    let input = |store: &str| {
        let shown = sandbox.run_line(&format!("show latest --format json {store}")).json();
        shown["input_digest"].as_str().unwrap().to_owned()
    };
    assert_eq!(input("--tenant GENERATED"), input("--store sqlite:other.db"));
    // The source's own tables are ignored from now on, even with faults.
    sandbox.write("snapshot/pfill_constraints.csv", "nonsense\n");
    fs::remove_file(sandbox.path("snapshot/pscat_securitization_rules.csv")).unwrap();
    sandbox.run_ok("run --tenant GENERATED");
    assert!(payloads("--tenant GENERATED") == managed);
    sandbox.run_ok("run dir:snapshot --tenant GENERATED");
    assert!(sandbox.run_ok("replay latest --tenant GENERATED").starts_with("Reproduced"));
    assert!(sandbox.run_ok("verify --tenant GENERATED").contains("everything matches"));
    assert_eq!(sandbox.run_line("check dir:snapshot").status, Some(1));
}

/// A shell takes the quotes of `state='NV'` away: what is left names a column.
#[test]
fn a_rule_that_names_an_unknown_column_does_not_block_the_next_run() {
    let sandbox = sandbox();
    config(&sandbox, &["import"]).success();
    // Without a run, no book is known.
    let add = ["add", "rule", "rule_name=Nevada", "rule_syntax=state = NV"];
    let warned = config(&sandbox, &add).success();
    let words = "rule Nevada, character 9: unknown column NV; a text is in single quotes: 'NV'";
    assert!(warned.err.contains("warning: ") && warned.err.contains(words), "{}", warned.err);
    let blocked = sandbox.run_line("run --tenant GENERATED");
    let managed = "error: the managed configuration of tenant GENERATED does not fit dir:snapshot";
    blocked.fails_with(1, &[managed, "powerfill config", words]);
    let checked = sandbox.run_line("check --tenant GENERATED");
    checked.fails_with(1, &["not those of the source", "powerfill config"]);
    config(&sandbox, &["remove", "rule", "rule_name=Nevada"]).success();
    sandbox.run_ok("run --tenant GENERATED");
    for change in [
        &add[..],
        &["add", "rule", "rule_name=Nevada", "rule_syntax=statte = 'NV'"],
        &["add", "rule", "rule_name=Nevada", "rule_syntax=state > 3"],
    ] {
        let refused = config(&sandbox, change);
        refused.fails_with(1, &["the configuration would not be valid", "Nevada"]);
    }
    // The book has the column `desk`, which is not listed.
    let known = ["add", "rule", "rule_name=Desk", "rule_syntax=desk = 'D09'"];
    let known = config(&sandbox, &known).success();
    assert!(known.err.is_empty(), "{}", known.err);
    sandbox.run_ok("run --tenant GENERATED");
}

#[test]
fn rows_are_added_changed_and_removed_with_tokens() {
    let sandbox = sandbox();
    config(&sandbox, &["import", "--reason", "taken from the source"]).success();
    let instrument = "investor_instrument_name=FN30 6.0";
    let node = ["investor_id=FNMA", instrument, "constraint_name=CA cap"];
    let add =
        [&["add", "constraint"], &node[..], &["constraint_priority=7", "hi_limit=0.15"]].concat();
    let added = config(&sandbox, &add).success().out;
    assert!(
        added.contains(
            "ConstraintAdded FNMA|FN30 6.0|CA cap: constraint_priority 7, hi_limit 0.150000"
        ),
        "{added}"
    );
    config(&sandbox, &add).fails_with(1, &["is there already"]);

    config(
        &sandbox,
        &["add", "rule", "rule_name=CA", "rule_syntax=state = 'CA' AND desk <> 'D09'"],
    )
    .success();
    config(&sandbox, &[&["add", "link"], &node[..], &["rule_name=CA"]].concat()).success();
    let remove = [&["remove", "constraint"], &node[..]].concat();
    config(&sandbox, &remove).fails_with(1, &["has rules: CA; unlink them first"]);

    let found = rows(&sandbox, "constraint");
    let found = found.iter().find(|row| row["constraint_name"] == "CA cap").unwrap();
    let token = found["token"].to_string();
    let change = |hi: &'static str| {
        [&["change", "constraint"], &node[..], &[hi, "--token", &token]].concat()
    };
    let changed = config(&sandbox, &change("hi_limit=0.2")).success().out;
    assert!(changed.contains("hi_limit 0.150000 → 0.200000"), "{changed}");
    let stale = config(&sandbox, &change("hi_limit=0.3"));
    assert_eq!(stale.status, Some(1));
    assert!(stale.err.contains(&format!("changed since token {token}")), "{}", stale.err);

    let wrong = config(&sandbox, &["add", "rule", "rule_name=X", "rule_syntax=fico >"]);
    assert_eq!(wrong.status, Some(1));
    assert!(wrong.err.contains("character 7"), "{}", wrong.err);
    config(&sandbox, &[&["remove", "link"], &node[..], &["rule_name=CA"]].concat()).success();
    config(&sandbox, &remove).success();
    config(&sandbox, &["remove", "rule", "rule_name=CA"]).success();
    let clean = config(&sandbox, &["import", "--dry-run"]).success().out;
    assert!(clean.starts_with("nothing to change"), "{clean}");
    let history = config(&sandbox, &["history"]).success().out;
    assert!(history.contains(": taken from the source\n"), "{history}");
    assert!(history.contains("ConfigImported from dir:snapshot:"), "{history}");
}

#[test]
fn priorities_are_set_at_once_with_the_token_of_the_table() {
    let sandbox = sandbox();
    config(&sandbox, &["import"]).success();
    let order = config(&sandbox, &["list", "constraint", "--format", "csv"]).success().out;
    let token = || {
        let listed = config(&sandbox, &["list", "constraint", "--format", "json"]).success().out;
        let listed: Value = serde_json::from_str(&listed).unwrap();
        listed["tables"]["pfill_constraints"]["token"].to_string()
    };
    let before = token();
    let first = order.lines().nth(1).unwrap().replace(",0,", ",900,");
    let lines: Vec<&str> =
        order.lines().take(1).chain([first.as_str()]).chain(order.lines().skip(2)).collect();
    sandbox.write("order.csv", lines.join("\n"));
    let set = ["reprioritise", "order.csv", "--token", &before, "--reason", "quarter end"];
    let done = config(&sandbox, &set).success().out;
    assert!(done.contains("constraint_priority 0 → 900"), "{done}");
    assert_ne!(token(), before);
    assert_eq!(config(&sandbox, &set).status, Some(1));
    sandbox.write("order.csv", lines[..3].join("\n"));
    config(&sandbox, &["reprioritise", "order.csv"])
        .fails_with(1, &["the order must name every constraint once; missing: "]);
}

/// Also as of an earlier version. An import of an unchanged export changes nothing.
#[test]
fn an_export_can_be_imported() {
    let sandbox = sandbox();
    config(&sandbox, &["import"]).success();
    let rule = "rule_syntax=state = 'CA'\n  AND property_type <> 'a, \"b\"'";
    config(&sandbox, &["add", "rule", "rule_name=two lines", rule]).success();
    config(&sandbox, &["change", "settings", "lockdown_days=9"]).success();
    config(&sandbox, &["export", "--out", "now"]).success();
    let same = config(&sandbox, &["import", "dir:now"]).success().out;
    assert!(same.starts_with("nothing to change"), "{same}");
    let history: Value =
        serde_json::from_str(&config(&sandbox, &["history", "--format", "json"]).success().out)
            .unwrap();
    let last = history.as_array().unwrap().last().unwrap();
    assert_eq!(last["event_type"], "PreflightSettingsChanged");
    let before = (last["version"].as_u64().unwrap() - 1).to_string();
    let at = last["recorded_at"].as_str().unwrap();
    config(&sandbox, &["export", "--out", "before", "--at", &before]).success();
    config(&sandbox, &["export", "--out", "then", "--at", at]).success();
    let settings = |folder: &str| {
        fs::read_to_string(sandbox.path(folder).join("pfill_preflight_settings.csv")).unwrap()
    };
    assert!(settings("before").ends_with(",2\n") && settings("then").ends_with(",9\n"));
    assert_eq!(config(&sandbox, &["export", "--out", "now"]).status, Some(2));
    let back = config(&sandbox, &["import", "dir:before"]).success().out;
    assert!(back.contains("lockdown_days 9 → 2"), "{back}");
    assert_eq!(config(&sandbox, &["list", "--at", "soon"]).status, Some(2));
    assert_eq!(config(&sandbox, &["list", "--at", "100000"]).status, Some(2));
}

/// No store is created.
#[test]
fn a_source_of_another_tenant_is_refused() {
    let sandbox = sandbox();
    sandbox.write("powerfill.toml", SETTINGS.replace("GENERATED", "other"));
    for line in
        ["config import --tenant other", "config import dir:snapshot --dry-run --tenant other"]
    {
        let words = ["dir:snapshot is a snapshot of tenant GENERATED, not of other"];
        sandbox.run_line(line).fails_with(2, &words);
    }
    assert!(!sandbox.path("books.db").exists());
}

/// Without tenants, the first import decides the tenant; another tenant's source is refused.
#[test]
fn a_configuration_belongs_to_one_tenant() {
    let sandbox = sandbox();
    fs::remove_file(sandbox.path("powerfill.toml")).unwrap();
    sandbox.run_line("config change settings lockdown_days=3").fails_with(2, &["which tenant?"]);
    sandbox.run_ok("config import dir:snapshot");
    sandbox.run_ok("config change settings lockdown_days=3");
    let header = sandbox.path("snapshot/snapshot.csv");
    let text = fs::read_to_string(&header).unwrap();
    fs::write(&header, text.replace("GENERATED", "other")).unwrap();
    sandbox
        .run_line("config import dir:snapshot")
        .fails_with(2, &["is a snapshot of tenant other, not of GENERATED"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_configuration_is_managed_in_postgresql() {
    let database = TestDatabase::new();
    let sandbox = sandbox();
    let url = database.url().await;
    let settings = SETTINGS.replace("sqlite:books.db", &url);
    sandbox.write("powerfill.toml", settings);
    sandbox.run_line("run --tenant GENERATED").answers(2, &[]);
    config(&sandbox, &["import"]).success();
    config(&sandbox, &["change", "settings", "lockdown_days=3"]).success();
    sandbox.run_ok("run --tenant GENERATED");
    let tables = sandbox.run_ok("config list settings --format csv --tenant GENERATED");
    assert!(tables.lines().nth(1).unwrap().starts_with("1,3,1,3,"), "{tables}");
    assert!(sandbox.run_ok("replay latest --tenant GENERATED").starts_with("Reproduced"));
    assert!(sandbox.run_ok("verify --tenant GENERATED").contains("everything matches"));
    let copy = format!("copy-store {url} sqlite:copy.db");
    sandbox.run_ok(&copy);
    assert!(
        sandbox
            .run_ok("config history --store sqlite:copy.db --format csv")
            .contains("lockdown_days,2,3")
    );
}
