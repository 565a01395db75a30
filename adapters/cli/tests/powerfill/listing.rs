//! The list of runs: what it says, what it finds, names and notes, and the history table.

use serde_json::Value;

use crate::sandbox::{Sandbox, case};
use crate::snapshots::copy;

fn sandbox_with_runs() -> Sandbox {
    let sandbox = Sandbox::new();
    copy(&case("41").join("snapshot"), &sandbox.path("snapshot"));
    sandbox.run_ok("run dir:snapshot --requested-by ann");
    sandbox.run_ok("run dir:snapshot --requested-by bob --price-mode pc --switch-threshold 0.5");
    sandbox
        .run_ok("run dir:snapshot --requested-by ann --min-status Closed --max-fill-iterations 3");
    sandbox
}

fn listed(sandbox: &Sandbox, flags: &str) -> Vec<Value> {
    let answer = sandbox.run_line(&format!("runs {flags} --format json")).success().json();
    answer.as_array().unwrap().clone()
}

fn numbers(sandbox: &Sandbox, flags: &str) -> Vec<u64> {
    listed(sandbox, flags).iter().map(|run| run["number"].as_u64().unwrap()).collect()
}

#[test]
fn a_list_says_what_each_run_was_and_is_worth() {
    let sandbox = sandbox_with_runs();
    let runs = listed(&sandbox, "");
    assert_eq!(numbers(&sandbox, ""), [3, 2, 1]);
    let middle = &runs[1];
    assert_eq!((&middle["status"], &middle["requested_by"]), (&"Complete".into(), &"bob".into()));
    let options = middle["options"].as_object().unwrap();
    assert_eq!(options.keys().collect::<Vec<_>>(), ["price_mode", "switch_threshold"]);
    let value = sandbox.run_line("tables latest~1 pfill_value_summary --format json");
    let value = value.success().json();
    let of = |group: &str, column: &str| {
        let rows = value.as_array().unwrap().iter();
        let mut rows = rows.filter(|row| row["grouping"] == "run" && row["group_name"] == group);
        rows.next().unwrap()[column].clone()
    };
    assert_eq!(middle["value_amount"], of("all", "value_amount"));
    assert_eq!(middle["placed"], of("placed", "loans"));
    let kickouts =
        sandbox.run_line("tables latest~1 pfill_kickout_guide_01 --format csv").success();
    assert_eq!(middle["kicked_out"], kickouts.out.lines().count() - 1);
    sandbox.run_line("verify").success();
    let text = sandbox.run_line("runs").success().out;
    assert!(text.lines().next().unwrap().contains("placed"), "{text}");
    let mut narrow = sandbox.command(["runs"]);
    let narrow = narrow.env("COLUMNS", "80").output().unwrap();
    let narrow = String::from_utf8(narrow.stdout).unwrap();
    assert!(narrow.lines().take(4).all(|line| line.chars().count() <= 80), "{narrow}");
    assert!(narrow.contains("A wider terminal also shows: "), "{narrow}");
}

#[test]
fn runs_are_found_by_what_they_were() {
    let sandbox = sandbox_with_runs();
    for (flags, expected) in [
        ("--by ann", &[3, 1][..]),
        ("--by BOB", &[2]),
        ("--option price_mode=pc", &[2]),
        ("--option price_mode=po", &[3, 1]),
        ("--option switch_threshold=0.5", &[2]),
        ("--option price_mode=po --option max_fill_iterations=3", &[3]),
        ("--status complete --limit 2", &[3, 2]),
        ("--status Failed", &[]),
        ("--until 2000-01-01", &[]),
        ("--since 2000-01-01", &[3, 2, 1]),
        ("--as-of 1999-12-31", &[]),
        ("--scenarios", &[]),
    ] {
        assert_eq!(numbers(&sandbox, flags), expected, "{flags}");
    }
    sandbox.run_line("runs --option colour=red").fails_with(2, &["colour", "options.md"]);
    let hint = "`powerfill runs --store sqlite:powerfill.db` lists them";
    sandbox.run_line("show ffff --store sqlite:powerfill.db").fails_with(2, &[hint]);
    sandbox.run_line("runs --status done").fails_with(2, &["done", "Complete", "Cancelled"]);
}

#[test]
fn a_name_stands_for_its_run_and_touches_nothing() {
    let sandbox = sandbox_with_runs();
    let before = sandbox.run_line("events latest~2 --format json").success().out;
    sandbox.run(["annotate", "latest~2", "--name", "Month end", "--note", "signed off"]).success();
    sandbox.run(["annotate", "MONTH END", "--note", "filed", "--requested-by", "eve"]).success();
    assert_eq!(sandbox.run_line("events latest~2 --format json").success().out, before);
    let annotations = sandbox.run(["annotate", "month end", "--format", "json"]).success().json();
    assert_eq!(annotations["name"], "Month end");
    let notes = annotations["notes"].as_array().unwrap();
    let said = |at: usize| (notes[at]["by"].as_str().unwrap(), notes[at]["note"].as_str().unwrap());
    assert_eq!((said(0), said(1)), (("desk", "signed off"), ("eve", "filed")));
    let oldest = &listed(&sandbox, "")[2];
    assert_eq!((&oldest["name"], &oldest["notes"]), (&"Month end".into(), &2.into()));
    assert_eq!(
        sandbox.run(["show", "month end", "--format", "json"]).success().json()["run_id"],
        oldest["run_id"]
    );
    let shown = sandbox.run(["show", "month end"]).success().out;
    assert!(shown.contains("Name: Month end") && shown.contains("eve: filed"), "{shown}");
    let taken = sandbox.run(["annotate", "latest", "--name", "month END"]);
    taken.fails_with(2, &["has this name already"]);
    for name in ["latest~1", "0197", "", " "] {
        sandbox.run(["annotate", "latest", "--name", name]);
        assert_eq!(listed(&sandbox, "")[0]["name"], Value::Null, "{name:?}");
    }
    sandbox.run_line("verify").success();
    let run = oldest["run_id"].as_str().unwrap();
    sandbox.run(["rebuild", run]).success();
    sandbox.run(["annotate", run, "--no-name"]).success();
    assert_eq!(listed(&sandbox, "")[2]["name"], Value::Null);
    sandbox.run(["show", "month end"]).fails_with(2, &["no run month end"]);
}

#[test]
fn the_history_table_has_every_run() {
    let sandbox = sandbox_with_runs();
    let rows = sandbox.run_line("tables latest pfill_run_history --format csv").success().out;
    assert_eq!(rows.lines().count(), 4, "{rows}");
    let rows = sandbox.run_line("tables latest pfill_run_history --format json").success().json();
    assert_eq!(rows.as_array().unwrap().len(), 3);
    let one = sandbox.run_line("tables latest pfill_run_history --at 5 --format csv").success().out;
    assert_eq!(one.lines().count(), 2, "{one}");
}
