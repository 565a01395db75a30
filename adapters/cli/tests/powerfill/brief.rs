//! The morning brief, from the command line.

use serde_json::Value;

use crate::sandbox::{Sandbox, case};
use crate::snapshots::copy;
use crate::table::Table;

/// Two days: other loans, prices, trades, and constraints.
fn sandbox() -> Sandbox {
    let sandbox = Sandbox::new();
    copy(&case("41").join("snapshot"), &sandbox.path("snapshot"));
    sandbox.run_ok("run dir:snapshot");
    let edit = |file: &str, edit: &dyn Fn(&mut Table)| {
        let path = sandbox.path(format!("snapshot/{file}"));
        let mut table = Table::read(&path);
        edit(&mut table);
        table.write(&path);
    };
    edit("loan.csv", &|table| {
        table.rows.drain(0..3);
        let id = table.index("loan_id");
        let mut new = table.rows[0].clone();
        new[id] = "LNEW1".to_owned();
        table.rows.push(new);
    });
    edit("pscat_trades.csv", &|table| {
        let (price, amount) = (table.index("trade_price"), table.index("trade_amount"));
        let forward = table.rows.iter_mut().filter(|row| !row[price].is_empty());
        for (row, at) in forward.zip(0..) {
            row[price] = if at % 2 == 0 { "99.5".to_owned() } else { row[price].clone() };
            if at == 1 {
                row[amount] = "90000000.00".to_owned();
            }
        }
    });
    sandbox.run_ok("run dir:snapshot --switch-threshold 0.5");
    sandbox
}

fn cents(amount: &Value) -> i64 {
    amount.as_str().unwrap().replace('.', "").parse().unwrap()
}

#[test]
fn the_bridge_adds_up_to_the_cent() {
    let sandbox = sandbox();
    let brief = sandbox.run_line("brief --json").success().json();
    let bridge = &brief["bridge"];
    let steps = bridge["steps"].as_array().unwrap();
    let names: Vec<&str> = steps.iter().map(|step| step["step"].as_str().unwrap()).collect();
    let expected = ["loans_gone", "loans_new", "prices", "trades", "configuration", "reallocation"];
    assert_eq!(names, expected);
    let sum: i64 = steps.iter().map(|step| cents(&step["amount"])).sum();
    assert_eq!(cents(&bridge["then_amount"]) + sum, cents(&bridge["now_amount"]));
    for (run, amount) in [("latest~1", "then_amount"), ("latest", "now_amount")] {
        let value = sandbox.run_line(&format!("tables {run} pfill_value_summary --format json"));
        let value = value.success().json();
        assert_eq!(value[0]["value_amount"], bridge[amount], "{run}");
    }
    assert_ne!(cents(&steps[2]["amount"]), 0, "{bridge}");
    assert_ne!(cents(&steps[3]["amount"]), 0, "{bridge}");
    assert_eq!(brief["loans"]["gone"]["loans"], 3);
    assert_eq!(brief["loans"]["new"]["loans"], 1);
    assert_eq!(brief["given"]["options"][0]["option"], "switch_threshold");
    assert_eq!(brief["given"]["trades"][0]["table"], "pscat_trades");
    // The order of the names is none.
    let back = sandbox.run_line("brief latest latest~1 --format json").success().json();
    assert_eq!(back, brief);
}

#[test]
fn the_brief_is_one_screen() {
    let sandbox = sandbox();
    let text = sandbox.run_line("brief").success().out;
    assert!(text.lines().count() <= 42, "{text}");
    assert!(text.lines().all(|line| line.chars().count() <= 80), "{text}");
    for words in ["Value bridge", "newly kicked out", "To look at", "switch_threshold"] {
        assert!(text.contains(words), "{words}: {text}");
    }
    let csv = sandbox.run_line("brief --format csv").success().out;
    assert_eq!(csv.lines().count(), 9, "{csv}");
}

#[test]
fn a_brief_of_the_same_book_says_that_nothing_changed() {
    let sandbox = Sandbox::new();
    copy(&case("41").join("snapshot"), &sandbox.path("snapshot"));
    sandbox.run_ok("run dir:snapshot");
    sandbox.run_line("brief").fails_with(2, &["two official runs", "powerfill run"]);
    sandbox.run_ok("run dir:snapshot");
    let brief = sandbox.run_line("brief --json").success().json();
    for step in brief["bridge"]["steps"].as_array().unwrap() {
        assert_eq!(step["amount"], "0.00", "{step}");
    }
    for group in ["new", "gone", "moved", "rescued", "newly_kicked_out"] {
        assert_eq!(brief["loans"][group]["loans"], 0, "{group}");
    }
    assert!(sandbox.run_line("brief").success().out.contains("Trades  the same"));
}
