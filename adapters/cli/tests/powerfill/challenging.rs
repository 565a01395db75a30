//! `challenge`, its files, its stream, and its replay (specification part 10).

use std::fs;

use serde_json::Value;

use crate::sandbox::{Sandbox, case, source};

fn sandbox_with_run() -> Sandbox {
    let sandbox = Sandbox::new();
    sandbox.run(["run", &source(&case("41"))]).success();
    sandbox
}

#[test]
fn a_challenge_is_written_recorded_shown_and_replayed() {
    let sandbox = sandbox_with_run();
    let text = sandbox.run_ok("challenge latest --steps 100000 --out files");
    assert!(text.contains("is within 43.3 bp ($347,427) of the best possible"), "{text}");
    assert!(text.lines().all(|line| line.chars().count() <= 80), "{text}");
    let id = text.lines().last().unwrap().strip_prefix("Recorded as ").unwrap();
    assert!(id.ends_with("-1"), "{id}");
    let duals = fs::read_to_string(sandbox.path("files/duals.csv")).unwrap();
    let header = "kind,investor_id,investor_instrument_name,constraint_name,trade_id,price";
    assert_eq!(duals.lines().next(), Some(header));
    assert!(duals.lines().any(|line| line.starts_with("trade,,,,T006,")), "{duals}");
    let allocation = fs::read_to_string(sandbox.path("files/allocation.csv")).unwrap();
    assert_eq!(allocation.lines().next(), Some("loan_id,trade_id"));
    assert!(allocation.lines().count() > 98, "more than the run placed: {allocation}");
    let checked = sandbox.run_ok(&format!("replay {id} --check"));
    assert!(checked.starts_with("Checked: every statement holds"), "{checked}");
    let reproduced = sandbox.run_ok(&format!("replay {id}"));
    assert!(reproduced.starts_with("Reproduced: "), "{reproduced}");
    let shown = sandbox.run_ok("show latest");
    assert!(shown.contains("Within 43.3 bp ($347,427) of the best possible"), "{shown}");
    sandbox.run_ok("verify");
}

#[test]
fn the_same_challenge_gives_the_same_answer() {
    let sandbox = sandbox_with_run();
    let answer = |_| {
        let text = sandbox.run_ok("challenge latest --steps 20000 --no-record --json");
        serde_json::from_str::<Value>(&text).unwrap()
    };
    let [first, second] = [0, 1].map(answer);
    assert_eq!(first, second);
    assert_eq!(first["challenge"], Value::Null);
    assert_eq!(first["requested"]["weights"]["placement"], "2.00000000");
    let margins = first["verified"]["priority_margins"].as_array().unwrap();
    assert!(margins.iter().all(|margin| !margin.as_str().unwrap().starts_with('-')));
}

#[test]
fn what_cannot_be_challenged_is_refused_with_a_reason() {
    let sandbox = Sandbox::new();
    sandbox.run(["run", &source(&case("39"))]);
    sandbox.run_line("challenge latest").fails_with(2, &["only a complete run can be challenged"]);
    sandbox.run_line("challenge latest --stay=-1").fails_with(2, &["must not be negative"]);
    let nowhere = "challenge-01970000-0000-7000-8000-000000000001-1";
    sandbox.run_line(&format!("replay {nowhere}")).fails_with(2, &[nowhere]);
}
