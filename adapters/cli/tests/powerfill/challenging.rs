//! `challenge`, its files, its stream, and its replay (specification part 10).

use std::fs;

use serde_json::Value;

use crate::sandbox::{Sandbox, case, source};
use crate::table::Table;

fn sandbox_with_run() -> Sandbox {
    let sandbox = Sandbox::new();
    sandbox.run(["run", &source(&case("41"))]).success();
    sandbox
}

#[test]
fn a_challenge_is_written_recorded_shown_and_replayed() {
    let sandbox = sandbox_with_run();
    let text = sandbox.run_ok("challenge latest --steps 100000 --out files");
    assert!(text.contains("is within 43.1 bp ($346,454) of the best possible"), "{text}");
    assert!(text.lines().all(|line| line.chars().count() <= 80), "{text}");
    let id = text.lines().last().unwrap().strip_prefix("Recorded as ").unwrap();
    assert!(id.ends_with("-1"), "{id}");
    let duals = sandbox.read("files/duals.csv");
    let header = "kind,investor_id,investor_instrument_name,constraint_name,trade_id,price";
    assert_eq!(duals.lines().next(), Some(header));
    assert!(duals.lines().any(|line| line.starts_with("trade,,,,T006,")), "{duals}");
    let allocation = sandbox.read("files/allocation.csv");
    assert_eq!(allocation.lines().next(), Some("loan_id,trade_id"));
    assert!(allocation.lines().count() > 98, "more than the run placed: {allocation}");
    let checked = sandbox.run_ok(&format!("replay {id} --check"));
    assert!(checked.starts_with("Checked: every statement holds"), "{checked}");
    let reproduced = sandbox.run_ok(&format!("replay {id}"));
    assert!(reproduced.starts_with("Reproduced: "), "{reproduced}");
    sandbox.prints("show latest", &["Within 43.1 bp ($346,454) of the best possible"]);
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
    let short = "replay challenge-0197-1";
    sandbox.run_line(short).fails_with(2, &["\"challenge-0197-1\" is not the name of a challenge"]);
    sandbox.run_ok("annotate latest --name challenge-friday");
    sandbox.run_ok("replay challenge-friday");
}

/// A sandbox whose settings allow adoption, with a run and the name of its challenge, which wrote
/// its files to `files`.
fn sandbox_with_challenge() -> (Sandbox, String) {
    let sandbox = sandbox_with_run();
    sandbox.write("powerfill.toml", "allow_adoption = true\n");
    let text = sandbox.run_ok("challenge latest --steps 50000 --out files");
    let id = text.lines().last().unwrap().strip_prefix("Recorded as ").unwrap();
    (sandbox, id.to_owned())
}

#[test]
fn an_adopted_challenge_is_a_run_as_any_other() {
    let (sandbox, challenge) = sandbox_with_challenge();
    let adopted = sandbox.run(["adopt", &challenge, "--note", "agreed with trading"]).success();
    assert!(adopted.out.contains(&format!("Allocation adopted from\n{challenge}")), "{adopted:?}");
    assert!(adopted.out.contains("allocated by challenger"), "{adopted:?}");
    let runs = sandbox.runs();
    assert_eq!(runs.rows.len(), 2);
    sandbox.prints("annotate latest", &["desk: agreed with trading"]);

    sandbox.run_ok("report latest --audit --out audit.html");
    let page = sandbox.read("audit.html");
    assert!(page.contains(&format!("adopted from <code>{challenge}</code>")), "{page}");

    // The files of the challenge are the tables of the run.
    for table in ["pfill_powerfill_guide", "pfill_kickout_guide_01", "pfill_trade_recap"] {
        let file = Table::read(&sandbox.path(format!("files/{table}.csv")));
        let recorded = sandbox.run_line(&format!("tables latest {table} --format csv")).table();
        assert!(!file.rows.is_empty(), "{table} is empty");
        assert_eq!(file.without(&["run_id"]).rows, recorded.without(&["run_id"]).rows, "{table}");
    }
    let outcome = sandbox.read("files/outcome.csv");
    assert!(outcome.ends_with("Complete,,\n"), "{outcome}");
    let guide = sandbox.run_line("tables latest pfill_powerfill_guide --format csv").table();
    let allocation = sandbox.read("files/allocation.csv");
    let by_challenger = guide.column("pass").iter().filter(|pass| **pass == "challenger").count();
    assert_eq!(by_challenger, allocation.lines().count() - 1);

    sandbox.prints("replay latest", &["Reproduced"]);
    sandbox.run_ok("verify");
    sandbox.run_ok("rebuild latest");
    sandbox.run_ok("verify");
    sandbox.run_line("diff latest --against latest~1").answers(1, &["by challenger in turn"]);
}

#[test]
fn an_adopted_run_explains_who_decided() {
    let (sandbox, challenge) = sandbox_with_challenge();
    sandbox.run_ok(&format!("adopt {challenge}"));
    let json = sandbox.run_line("challenge latest~1 --steps 50000 --no-record --json").json();
    let moved = json["placed"].as_array().unwrap().iter();
    let moved = moved.filter(|placed| !placed["from_trade_id"].is_null());
    let mut explained = 0;
    for placed in moved {
        let loan = placed["loan_id"].as_str().unwrap();
        let to = placed["to_trade_id"].as_str().unwrap();
        let text = sandbox.run_ok(&format!("explain latest --loan {loan} --all"));
        assert!(text.contains(&format!("Loan {loan} goes to trade {to}")), "{text}");
        let why = format!("not taken: the adopted challenge has it in trade {to}");
        assert!(text.contains(&why), "{text}");
        assert!(!text.contains("a limit barred it"), "{text}");
        explained += 1;
    }
    assert!(explained > 10, "{explained}");
    let released = json["released"][0]["loan_id"].as_str().unwrap();
    let text = sandbox.run_ok(&format!("explain latest --loan {released} --all"));
    assert!(text.contains("the adopted challenge gives the room to others"), "{text}");
    let what_if = sandbox.run_line(&format!("explain latest --loan {released} --what-if"));
    what_if.fails_with(2, &["a what-if follows the passes"]);
    let trade = json["placed"][0]["to_trade_id"].as_str().unwrap();
    sandbox.prints(&format!("explain latest --trade {trade} --all"), &["by challenger"]);
}

#[test]
fn evidence_of_an_adopted_run_is_replayed_without_its_challenge() {
    let (sandbox, challenge) = sandbox_with_challenge();
    sandbox.run_ok(&format!("adopt {challenge}"));
    sandbox.run_ok("evidence export latest --out adopted.zip");
    sandbox.prints("replay latest --store evidence:adopted.zip", &["Reproduced"]);
}

#[test]
fn adoption_is_forbidden_unless_the_settings_allow_it() {
    let (sandbox, challenge) = sandbox_with_challenge();
    let adopt = format!("adopt {challenge}");
    fs::remove_file(sandbox.path("powerfill.toml")).unwrap();
    let words = ["forbidden", "allow_adoption = true at the top of powerfill.toml"];
    sandbox.run_line(&adopt).fails_with(2, &words);
    let tenant = "[tenants.t]\nstore = \"sqlite:powerfill.db\"\n";
    sandbox.write("powerfill.toml", format!("tenant = \"t\"\n{tenant}"));
    sandbox.run_line(&adopt).fails_with(2, &["allow_adoption = true under [tenants.t]"]);
    sandbox.write("powerfill.toml", "allow_adoption = \"yes\"\n");
    sandbox.run_line(&adopt).fails_with(2, &["allow_adoption", "must be true or false"]);
    fs::remove_file(sandbox.path("powerfill.toml")).unwrap();
    assert_eq!(sandbox.runs().rows.len(), 1);
}

#[test]
fn what_is_no_search_cannot_be_adopted() {
    let (sandbox, challenge) = sandbox_with_challenge();
    sandbox.run_ok("challenge latest --steps 0");
    let certificate = format!("{}-2", challenge.strip_suffix("-1").unwrap());
    sandbox.run_line(&format!("adopt {certificate}")).fails_with(2, &["is a certificate"]);
    let nowhere = "challenge-01970000-0000-7000-8000-000000000001-1";
    sandbox
        .run_line(&format!("adopt {nowhere}"))
        .fails_with(2, &["no run 01970000", "in this store"]);
    sandbox.run_line("adopt latest").fails_with(2, &["is not the name of a challenge"]);
    assert_eq!(sandbox.runs().rows.len(), 1);
}
