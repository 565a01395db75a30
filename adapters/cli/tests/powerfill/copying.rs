//! `copy-store` in both directions between a file and a database, also if it is killed.

use crate::process::Progress;
use crate::sandbox::Sandbox;

/// A sandbox with two runs in `powerfill.db`; its commands name their store.
fn sandbox_with_runs() -> Sandbox {
    let sandbox = Sandbox::new();
    sandbox.run_ok("generate --loans 400 --trades 120 --out book");
    sandbox.run_ok("run dir:book");
    sandbox.run_ok("run dir:book --price-mode pc");
    sandbox
}

/// The outputs of commands that read every part of a store.
fn read_all(sandbox: &Sandbox, store: &str) -> Vec<String> {
    let commands = [
        "seal export",
        "verify",
        "runs --format csv",
        "events latest --format csv",
        "show latest~1 --format json",
        "tables latest pfill_pool_guide --format csv",
        "tables latest pfill_run_history --format csv",
        "explain latest --loan L00000007",
        "replay latest",
    ];
    let read = |line: &str| {
        let printed = sandbox.run_ok(&format!("{line} --store {store}"));
        // A seal says when it was exported.
        let of_the_store = printed.lines().filter(|line| !line.contains("\"exported_at\""));
        of_the_store.collect::<Vec<_>>().join("\n")
    };
    commands.map(read).to_vec()
}

#[test]
fn a_copy_reads_as_the_original() {
    let sandbox = sandbox_with_runs();
    let database = Sandbox::in_database();
    let database = database.store().expect("the store has a URL");
    let expected = read_all(&sandbox, "sqlite:powerfill.db");
    for (from, to) in [("sqlite:powerfill.db", database), (database, "sqlite:back.db")] {
        let printed = sandbox.run(["copy-store", from, to]).success().out;
        assert!(
            printed.contains("2 snapshots; the copy verifies") || printed.contains("1 snapshots")
        );
        assert!(printed.contains("the same in both: "), "{printed}");
        assert_eq!(read_all(&sandbox, to), expected, "{to}");
    }
    let again =
        sandbox.run_line("copy-store sqlite:powerfill.db sqlite:back.db --format json").json();
    assert_eq!((&again["appends_copied"], &again["appends_behind"]), (&0.into(), &0.into()));
    assert!(expected[0].contains(again["seal"].as_str().unwrap()));

    // A run in the copy makes it a store of its own.
    sandbox.run_ok("run dir:book --store sqlite:back.db");
    sandbox
        .run_line("copy-store sqlite:powerfill.db sqlite:back.db")
        .fails_with(2, &["no beginning of the original's log", "empty store"]);
    sandbox
        .run_line("copy-store sqlite:powerfill.db sqlite:./powerfill.db")
        .fails_with(2, &["same store"]);
    sandbox
        .run_line("copy-store sqlite:nowhere.db sqlite:new.db")
        .fails_with(2, &["no store nowhere.db"]);
    assert!(!sandbox.path("new.db").exists());
}

#[test]
fn a_store_with_an_active_run_is_not_copied() {
    let sandbox = sandbox_with_runs();
    let run = sandbox.run_ok("run dir:book --no-wait");
    let words = [run.trim(), "active in the original"];
    sandbox.run_line("copy-store sqlite:powerfill.db sqlite:new.db").fails_with(2, &words);
    sandbox.run_ok("cancel latest");
    sandbox.run_ok("copy-store sqlite:powerfill.db sqlite:new.db");
}

/// Kills a copy at many points, and expects that the last one completes it.
fn assert_killed_copy_continues(sandbox: &Sandbox, progress: &Progress, to: &str, whole: usize) {
    let expected = read_all(sandbox, "sqlite:powerfill.db");
    let copy = format!("copy-store sqlite:powerfill.db {to}");
    let mut killed = 0;
    for number in 1..=8 {
        let point = whole * number / 8;
        let output = progress.run_and_kill(sandbox, &copy, point);
        assert!(output.status.is_none_or(|status| status == 0), "{point}: {output:?}");
        killed += usize::from(output.status.is_none());
    }
    assert!(killed > 1, "{killed} copies were killed");
    sandbox.run_ok(&copy);
    assert_eq!(read_all(sandbox, to), expected);
}

#[test]
fn a_killed_copy_to_a_file_continues() {
    let (sandbox, progress) = (sandbox_with_runs(), Progress::FileSize);
    sandbox.run_ok("migrate --store sqlite:whole.db");
    let line = "copy-store sqlite:powerfill.db sqlite:whole.db";
    let whole = progress.of_command(&sandbox, "whole.db", line);
    assert_killed_copy_continues(&sandbox, &progress, "sqlite:copy.db", whole);
}

#[test]
fn a_killed_copy_to_a_database_continues() {
    let sandbox = sandbox_with_runs();
    let copies = [Sandbox::behind_proxy(), Sandbox::behind_proxy()];
    let [(whole_copy, whole_proxy), (copy, proxy)] = copies;
    let to = whole_copy.store().expect("the store has a URL");
    let line = format!("copy-store sqlite:powerfill.db {to}");
    let whole = Progress::Messages(whole_proxy).of_command(&sandbox, "", &line);
    let to = copy.store().expect("the store has a URL");
    assert_killed_copy_continues(&sandbox, &Progress::Messages(proxy), to, whole);
}
