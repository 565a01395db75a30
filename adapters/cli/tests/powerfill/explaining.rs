//! `explain`: the answer comes first, one screen is enough, and a loan can be asked for a trade.

use crate::sandbox::{CommandOutput, Sandbox};

/// The explanation as on a terminal of 80 columns.
fn on_terminal(sandbox: &Sandbox, args: &[&str]) -> CommandOutput {
    let mut command = sandbox.command(["explain", "latest"].iter().chain(args));
    command.env("COLUMNS", "80").output().unwrap().into()
}

#[test]
fn an_explanation_begins_with_the_answer() {
    let sandbox = Sandbox::with_case("12", &[]);
    for (subject, answer) in [
        (
            "--loan FILL",
            "Loan FILL goes to trade T1, settling 2026-02-12, at 101.00, its only candidate.\n",
        ),
        (
            "--loan K7",
            "Loan K7 is kicked out, LimitReached: trade T1 has room, but the limit of FNMA FN 6.0 \
             \"NY\" bars it, 0.00 of 100,000.00 used, 1.00 too much with it.\n",
        ),
        (
            "--loan K6",
            "Loan K6 is kicked out, CapacityExhausted: it is too large for what is left in each of \
             its trades; nearest is T1, 90,000.00 too much with it.\n",
        ),
        (
            "--trade T1",
            "Trade T1 of FNMA FN 6.0 is Under: 600,000.00 of 1,000,000.00 open, 390,000.00 below \
             its min; 2 candidates of 600,001.00 fit neither here nor elsewhere.\n",
        ),
    ] {
        for all in ["", " --all"] {
            let text = sandbox.run_ok(&format!("explain latest {subject}{all}"));
            assert!(text.starts_with(answer), "{subject}{all}: {text}");
        }
        let json = sandbox.run_line(&format!("explain latest {subject} --format json"));
        assert_eq!(json.success().json()["verdict"], answer.trim_end());
    }
}

#[test]
fn an_explanation_fits_a_screen() {
    let sandbox = Sandbox::new();
    sandbox.run_ok("generate --loans 400 --trades 160 --pools 60 --out book");
    sandbox.run_ok("run dir:book --out out");
    let ids = |table: &str, column: &str| -> Vec<String> {
        let table = crate::table::Table::read(&sandbox.path(format!("out/{table}.csv")));
        table.column(column).iter().step_by(7).take(12).map(|id| (*id).to_owned()).collect()
    };
    let loans = [
        ids("pfill_kickout_guide_01", "loan_id"),
        ids("pfill_powerfill_guide", "loan_id"),
        ids("pfill_pool_guide", "loan_id"),
    ];
    let trades = ids("pfill_trade_recap", "trade_id");
    let loans = loans.concat().into_iter().map(|id| ("--loan", id));
    for (subject, id) in loans.chain(trades.into_iter().map(|id| ("--trade", id))) {
        let text = on_terminal(&sandbox, &[subject, &id]).success().out;
        let lines: Vec<&str> = text.lines().collect();
        assert!(lines.len() <= 40, "{subject} {id}: {} lines\n{text}", lines.len());
        assert!(lines.iter().all(|line| line.chars().count() <= 80), "{subject} {id}:\n{text}");
        assert!(lines[0].contains(&id), "{text}");
    }
}

#[test]
fn a_loan_is_explained_for_a_trade() {
    let sandbox = Sandbox::with_case("12", &[]);
    let pair = |loan: &str, trade: &str| {
        sandbox.run_ok(&format!("explain latest --loan {loan} --trade {trade}"))
    };
    let limit = pair("k7", "t1");
    let answer = "Loan K7 is not in trade T1: the limit of FNMA FN 6.0 \"NY\" bars it, 0.00 of \
                  100,000.00 used, 1.00 too much with it.\n";
    assert!(limit.starts_with(answer), "{limit}");
    assert!(limit.contains("limit without room: FNMA FN 6.0 \"NY\""), "{limit}");
    assert!(pair("FILL", "T1").starts_with("Loan FILL is in trade T1, at 101.00.\n"));
    let room = pair("K6", "T1");
    assert!(room.starts_with("Loan K6 is not in trade T1: no room, 600,000.00 of"), "{room}");
    for (loan, words) in [
        ("K1", "Loan K1 is no candidate for trade T1: it matches no constraint"),
        ("K3", "Loan K3 is no candidate for trade T1: settles too soon, it is deliverable on"),
    ] {
        let text = pair(loan, "T1");
        assert!(text.starts_with(words), "{loan}: {text}");
    }
    let json = sandbox.run_line("explain latest --loan K7 --trade T1 --format json");
    let json = json.success().json();
    assert_eq!((&json["relation"], &json["outcome"]), (&"candidate".into(), &"kicked_out".into()));
    assert_eq!(json["verdict"]["is"], serde_json::Value::Null);
    assert_eq!(json["candidate"]["verdict"]["full_limits"][0]["excess_amount"], "1.00");
}

#[test]
fn an_id_that_does_not_exist_comes_with_the_nearest_ones() {
    let sandbox = Sandbox::new();
    sandbox.run_ok("generate --loans 60 --trades 20 --pools 10 --out book");
    sandbox.run_ok("run dir:book");
    for (args, words) in [
        ("--loan L12", "has no loan L12; the nearest id is L00000012."),
        ("--loan L0000O012", "has no loan L0000O012; the nearest id"),
        ("--trade T1", "names trade T1; the nearest id is T0000001."),
        ("--loan L12 --trade T1", "has no loan L12; the nearest id is L00000012."),
        ("--loan L00000012 --trade T1", "The run has no trade T1; the nearest id is T0000001."),
        ("--loan nothing", "has no loan nothing."),
    ] {
        let text = sandbox.run_line(&format!("explain latest {args}"));
        assert_eq!(text.status, Some(1), "{args}");
        assert!(text.out.contains(words), "{args}: {}", text.out);
    }
}
