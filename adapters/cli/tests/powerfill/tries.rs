//! `try`: edited inputs beside their base, and scenarios.

use serde_json::Value;

use crate::sandbox::{Sandbox, case, source};

/// A folder with a Complete run of a book on which every pass has an effect.
fn with_run() -> Sandbox {
    let sandbox = Sandbox::new();
    sandbox.run(["run", &source(&case("41"))]).success();
    sandbox
}

fn json(sandbox: &Sandbox, args: &[&str]) -> Value {
    let answer = sandbox.run(args.iter().chain(&["--format", "json"])).success();
    serde_json::from_str(&answer.out).expect("JSON")
}

#[test]
fn tries_stand_beside_their_base_within_80_columns() {
    let sandbox = with_run();
    let args = ["try", "--matrix", "price_mode=po,pc", "buffer=0,3", "--set", "switch=0.25"];
    let printed = sandbox.run(args).success();
    for line in printed.out.lines().filter(|line| !line.starts_with("try ")) {
        assert!(line.chars().count() <= 80, "{line}");
    }
    let report = json(&sandbox, &args);
    let tries = report["tries"].as_array().expect("tries");
    let edits: Vec<&Value> = tries.iter().map(|tried| &tried["edits"]).collect();
    assert_eq!(tries.len(), 4);
    assert_eq!(
        edits[3],
        &serde_json::json!([
            "switch_threshold=0.25",
            "price_mode=pc",
            "eligible_settle_buffer_days=3"
        ])
    );
    assert!(tries[1]["moved"].as_u64() > Some(0));
    // Nothing was recorded.
    assert_eq!(json(&sandbox, &["runs"]).as_array().map(Vec::len), Some(1));
}

#[test]
fn a_source_is_tried_without_a_store() {
    let sandbox = Sandbox::new();
    let report = json(&sandbox, &["try", &source(&case("03")), "--set", "trade:T1=out"]);
    assert_eq!(report["base_run"], Value::Null);
    assert_eq!((&report["base"]["filled"], &report["base"]["under"]), (&1.into(), &1.into()));
    assert!(!sandbox.path("powerfill.db").exists());
}

#[test]
fn refused_edits_say_what_and_where() {
    let sandbox = with_run();
    sandbox
        .run(["try", "--set", "trade:NONE=out", "--set", "buffer=x"])
        .fails_with(1, &["pscat_trades", "no such row", "eligible_settle_buffer_days"]);
    sandbox.run(["try"]).fails_with(2, &["--set"]);
}

#[test]
fn a_scenario_is_kept_with_its_edits() {
    let sandbox = with_run();
    let base = json(&sandbox, &["show", "latest"]);
    let official = base["run_id"].clone();
    let keep = ["try", "--set", "price_mode=pc", "--keep", "carry", "--note", "month end"];
    let kept = sandbox.run(keep).success();
    assert_eq!(json(&sandbox, &["show", "latest"])["run_id"], official);
    let kept = kept.out.lines().find_map(|line| line.strip_prefix("Run ")).expect("a summary");
    let scenario = kept.split(' ').next().expect("an id");
    let shown = json(&sandbox, &["show", scenario]);
    assert_eq!(shown["options"]["price_mode"], "pc");
    assert_eq!(
        shown["origin"]["scenario"],
        serde_json::json!({
            "name": "carry", "note": "month end", "base_run": official,
            "edits": ["price_mode=pc"]
        })
    );
    // Its input was read where that of its base was; its tables are those after the edits.
    assert_eq!(shown["origin"]["provenance"], base["origin"]["provenance"]);
    let edit = "loan:L00001=out";
    sandbox.run(["try", "--set", edit, "--keep", "fewer"]).success();
    let fewer = json(&sandbox, &["show", "fewer"]);
    let of = |run: &Value, field: &str| run["origin"]["provenance"][field].clone();
    assert_eq!(of(&fewer, "place"), of(&base, "place"));
    let loans = |run: &Value| of(run, "tables")[0]["rows"].as_u64();
    assert_eq!(loans(&fewer).map(|rows| rows + 1), loans(&base));
    for command in ["replay", "verify"] {
        sandbox.run([command, scenario]).success();
    }
    sandbox.run(["diff", scenario, "--against", "latest"]).answers(1, &[]);
    sandbox.run(["verify"]).success();
}

#[test]
fn studies_print_what_the_order_and_staying_cost() {
    let sandbox = with_run();
    sandbox.run(["try", "--cost-of-priorities"]).answers(0, &["the order costs"]);
    let stability = json(&sandbox, &["try", "--stability"]);
    let tries = stability["tries"].as_array().expect("tries");
    assert_eq!(tries.len(), 9);
    assert_eq!(tries[8]["edits"], serde_json::json!(["switch_threshold=1"]));
    let switches = |at: usize| tries[at]["switches"].as_u64();
    assert!(switches(0) >= switches(8), "{stability}");
}
