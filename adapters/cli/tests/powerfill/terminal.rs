//! Tables on a terminal fit it; piped, they are as programs read them. Rows and columns are chosen
//! by flags.

use crate::sandbox::{CommandOutput, Sandbox};
use crate::table::Table;

fn sandbox() -> Sandbox {
    Sandbox::with_case("12", &["--out", "out"])
}

fn on_terminal(sandbox: &Sandbox, columns: &str, line: &str) -> String {
    let mut command = sandbox.command(line.split_whitespace());
    CommandOutput::from(command.env("COLUMNS", columns).output().unwrap()).success().out
}

#[test]
fn a_table_has_the_columns_that_fit_the_terminal() {
    let sandbox = sandbox();
    let line = "tables latest pfill_trade_recap";
    let piped = sandbox.run_ok(line);
    let names = Table::read(&sandbox.path("out/pfill_trade_recap.csv")).columns;
    for name in names.iter().skip(1) {
        assert!(piped.contains(&format!(" {name} ")), "{name}: {piped}");
    }
    for width in ["80", "120"] {
        let fitted = on_terminal(&sandbox, width, line);
        let longest = fitted.lines().map(|line| line.chars().count()).max().unwrap();
        assert!(longest <= width.parse().unwrap(), "{width}: {longest}\n{fitted}");
        let words = fitted.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(words.contains("--columns chooses; --format csv has all."), "{fitted}");
        // Every column is shown, or named under the table.
        for name in names.iter().skip(1) {
            assert!(words.contains(name.as_str()), "{name}: {fitted}");
        }
    }
    let chosen = format!("{line} --columns trade_id,filled_amount");
    let chosen = on_terminal(&sandbox, "80", &chosen);
    assert!(chosen.contains("│ T1       ┆    600,000.00 │"), "{chosen}");
    assert!(!chosen.contains("--columns"), "{chosen}");
    for command in ["show", "runs", "verify", "events latest", "tables latest"] {
        let fitted = on_terminal(&sandbox, "80", command);
        let longest = fitted.lines().map(|line| line.chars().count()).max().unwrap();
        assert!(longest <= 80, "{command}: {longest}\n{fitted}");
    }
}

#[test]
fn machine_formats_are_the_same_on_a_terminal() {
    let sandbox = sandbox();
    for line in [
        "tables latest pfill_trade_recap --format csv",
        "tables latest pfill_trade_recap --format json",
        "events latest --format csv",
        "events latest --cloudevents",
        "explain latest --loan K7 --format json",
        "runs --format csv",
        "verify --format json",
    ] {
        assert_eq!(on_terminal(&sandbox, "40", line), sandbox.run_ok(line), "{line}");
    }
}

#[test]
fn rows_and_columns_are_chosen() {
    let sandbox = sandbox();
    let kickouts = |args: &[&str]| {
        let all = ["tables", "latest", "pfill_kickout_guide_01"].iter().chain(args);
        sandbox.run(all.copied().chain(["--format", "csv"]))
    };
    let chosen = kickouts(&[
        "--where",
        "constraints_matched >= 1 AND reason <> 'NoPrice'",
        "--sort=-loan_amount,LOAN_ID",
        "--top=3",
        "--columns=loan_id,loan_amount",
    ]);
    let expected = "loan_id,loan_amount\nK6,500000.00\nK7,100001.00\nK2,100000.00\n";
    assert_eq!(chosen.success().out, expected);
    // A NULL comes first, and no comparison holds for it.
    let sorted = kickouts(&["--sort", "best_score", "--columns", "loan_id"]).success().out;
    assert_eq!(sorted, "loan_id\nK1\nK2\nK3\nK4\nK5\nK6\nK7\n");
    let scored = kickouts(&["--where", "best_score < 200", "--columns", "loan_id"]).success().out;
    assert_eq!(scored, "loan_id\nK6\nK7\n");
    let line = "tables latest pfill_kickout_guide_01 --top 1 --columns reason,candidates";
    let json = sandbox.run_line(&format!("{line} --format json")).success().json();
    assert_eq!(json, serde_json::json!([{ "reason": "NoMatchingConstraint", "candidates": 0 }]));

    kickouts(&["--columns", "loan"]).fails_with(2, &["no column loan", "loan_id", "best_score"]);
    kickouts(&["--sort", "-amount"]).fails_with(2, &["--sort", "amount", "loan_amount"]);
    let condition = ["--where", "reason = CapacityExhausted"];
    kickouts(&condition).fails_with(2, &["unknown column CapacityExhausted", "single quotes"]);
    let without = sandbox.run_line("tables latest --top 3");
    without.fails_with(2, &["need a table"]);
}
