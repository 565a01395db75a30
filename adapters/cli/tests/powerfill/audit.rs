//! Audit commands on stores that were edited: `replay`, `verify`, `seal`, and a run as of any of
//! its events.

use std::io::Write;
use std::process::Stdio;

use powerfill_tests::{event_blocks, sqlite_file};
use rusqlite::Connection;
use serde_json::Value;

use crate::sandbox::{CommandOutput, Sandbox};

/// A sandbox with one Complete run in `books.db`: 40 events in 2 appends.
fn sandbox() -> Sandbox {
    let sandbox = Sandbox::with_store("sqlite:books.db".to_owned());
    run(&sandbox);
    sandbox
}

fn run(sandbox: &Sandbox) {
    sandbox.run_case("12", &[]).success();
}

/// The file, without the triggers that guard it.
fn unguarded(sandbox: &Sandbox) -> Connection {
    sqlite_file::open_unguarded(&sandbox.path("books.db"))
}

fn edit(sandbox: &Sandbox, sql: &str) {
    unguarded(sandbox).execute_batch(sql).unwrap();
}

fn verify(sandbox: &Sandbox) -> CommandOutput {
    sandbox.run_line("verify")
}

#[test]
fn verify_names_the_first_damage_of_each_edit() {
    // The second block has the events 2 to 40.
    type Change = fn(&mut Vec<String>);
    let changes: [(Change, &str); 6] = [
        (
            |lines| lines[16] = lines[16].replace("600000.00", "600000.01"),
            "event 18, append 2: its hash does not match",
        ),
        (|lines| drop(lines.remove(28)), "event 30, append 2: its hash does not match"),
        (|lines| drop(lines.pop()), "event 40, append 2"),
        (|lines| lines.swap(18, 19), "event 20, append 2: its hash does not match"),
        (
            |lines| lines.push(lines[37].clone()),
            "event 41, append 2: the block of events 2 to 40 has more events than its append",
        ),
        (|lines| lines[3].insert(0, ' '), "event 5, append 2"),
    ];
    for (change, words) in changes {
        let edit = |sandbox: &Sandbox| event_blocks::edit(&unguarded(sandbox), 1, 2, change);
        assert_is_named(edit, words);
    }
    let statements = [
        (
            "UPDATE es_appends SET actor = 'x' WHERE seq = 2",
            "event 2, append 2: its hash does not match",
        ),
        (
            "UPDATE es_event_blocks SET body = zeroblob(100) WHERE first_version = 2",
            "event 2, append 2: the block of events 2 to 40, at positions 2 to 40, cannot be",
        ),
        (
            "DELETE FROM es_event_blocks WHERE first_version = 2",
            "event 2, append 2: the append has 0 of its 39 events",
        ),
        (
            "INSERT INTO es_event_blocks
             SELECT 1, 41, event_count, event_types, hash_before, hash_after, event_checks, codec,
                    byte_count, stored_hash, body
             FROM es_event_blocks WHERE first_version = 2",
            "the block from event 41 of stream number 1 belongs to no append",
        ),
        (
            "UPDATE pfill_powerfill_guide SET trade_id = 'B1' WHERE loan_id = 'FILL'",
            "pfill_powerfill_guide, row 1: trade_id is \"B1\", the events give \"T1\"",
        ),
        ("UPDATE snapshots SET compressed = zeroblob(10)", "snapshot"),
    ];
    for (sql, words) in statements {
        assert_is_named(|sandbox| edit(sandbox, sql), words);
    }
}

/// Edits a store; `verify` must name the damage.
fn assert_is_named(edit: impl FnOnce(&Sandbox), words: &str) {
    let sandbox = sandbox();
    verify(&sandbox).success();
    edit(&sandbox);
    let found = verify(&sandbox);
    assert_eq!(found.status, Some(1), "{words}: {}", found.out);
    let is_named = found.out.starts_with("DAMAGED: ") && found.out.contains(words);
    assert!(is_named, "{words}: {}", found.out);
    let json = sandbox.run_line("verify --format json");
    let answer: Value = serde_json::from_str(&json.out).unwrap();
    assert_eq!((json.status, &answer["answer"]), (Some(1), &Value::from("damaged")));
}

#[test]
fn a_copied_seal_reveals_a_truncated_or_rewritten_log() {
    let sandbox = sandbox();
    let exported = sandbox.run_ok("seal export --out a.seal");
    assert_eq!(exported, "a.seal: 40 events in 2 appends are sealed\n");
    let printed = sandbox.run_line("seal export").success().json();
    let seal: Value =
        serde_json::from_slice(&std::fs::read(sandbox.path("a.seal")).unwrap()).unwrap();
    assert_eq!(printed["seal"], seal["seal"]);
    run(&sandbox);
    let checked = sandbox.run_ok("seal check a.seal");
    let at = seal["exported_at"].as_str().unwrap();
    assert_eq!(
        checked,
        format!(
            "The log contains append 2, up to event 40, as the seal of tenant WATERMARK of {at} says; \
             40 events since\n"
        )
    );
    sandbox.run_ok("seal export --out b.seal");

    // The second run is removed without a trace: the rest of the log verifies.
    edit(
        &sandbox,
        "DELETE FROM es_event_blocks WHERE stream_id = 2; DELETE FROM es_appends WHERE seq > 2;
         DELETE FROM es_streams WHERE stream_id = 2;
         UPDATE es_head SET seq = 2, position = 40,
                seal = (SELECT seal FROM es_appends WHERE seq = 2)",
    );
    sandbox.run_ok("seal check a.seal");
    sandbox.run_line("seal check b.seal").answers(
        1,
        &["append 4 was sealed, up to event 80", "ends at append 2 and event 40: it was truncated"],
    );

    // A rewritten log with another run verifies too.
    std::fs::remove_file(sandbox.path("books.db")).unwrap();
    for _ in 0..2 {
        run(&sandbox);
    }
    verify(&sandbox).success();
    let rewritten = sandbox.run_line("seal check b.seal --format json");
    assert_eq!(rewritten.status, Some(1));
    assert!(rewritten.out.contains("append 4 is not the one that was sealed"), "{}", rewritten.out);

    // An edited event is found even if the stored seals match.
    sandbox.run_ok("seal export --out c.seal");
    event_blocks::edit(&unguarded(&sandbox), 1, 2, |lines| lines[5].push(' '));
    sandbox.run_line("seal check c.seal").answers(1, &["event 7"]);

    sandbox.write("d.seal", "{\"seq\":1}");
    for seal in ["d.seal", "none.seal"] {
        sandbox
            .run_line(&format!("seal check {seal}"))
            .fails_with(2, &[seal, "powerfill seal export"]);
    }
}

#[test]
fn what_was_recorded_after_a_seal_is_verified_alone() {
    let sandbox = sandbox();
    sandbox.run_ok("seal export --out a.seal");
    let since = "verify --since a.seal";
    sandbox.prints(since, &["up to append 2; since then 0 events in 0 appends"]);
    run(&sandbox);
    let verified = sandbox.run_ok(since);
    let expected =
        "log: as sealed up to append 2; since then 40 events in 2 appends of 1 streams\n";
    assert!(verified.starts_with(expected), "{verified}");
    assert!(verified.ends_with("everything since then matches\n"), "{verified}");
    let json = sandbox.run_line(&format!("{since} --format json")).success().json();
    assert_eq!((&json["answer"], &json["events"]), (&"whole".into(), &40.into()));
    assert_eq!(json["since"], serde_json::json!({ "seq": 2, "position": 40 }));

    // An edit before the seal is not looked for, unless it reaches the seals.
    event_blocks::edit(&unguarded(&sandbox), 1, 2, |lines| lines[5].push(' '));
    sandbox.run_line(since).success();
    assert_eq!(verify(&sandbox).status, Some(1));
    event_blocks::edit(&unguarded(&sandbox), 1, 2, |lines| _ = lines[5].pop());
    verify(&sandbox).success();

    // An edit after it is found, in the events and in what is kept beside them.
    event_blocks::edit(&unguarded(&sandbox), 2, 2, |lines| lines[5].push(' '));
    sandbox.run_line(since).answers(1, &["event 7, append 4: its hash does not match"]);
    event_blocks::edit(&unguarded(&sandbox), 2, 2, |lines| _ = lines[5].pop());
    let latest = "run_id = (SELECT run_id FROM runs ORDER BY requested_at DESC LIMIT 1)";
    edit(&sandbox, &format!("UPDATE pfill_run_history SET status = 'Failed' WHERE {latest}"));
    sandbox.run_line(since).answers(1, &["pfill_run_history, run"]);
    edit(&sandbox, "UPDATE pfill_run_history SET status = 'Complete'");

    // A log that goes on with a gap, and one that was rewritten.
    edit(&sandbox, "DELETE FROM es_appends WHERE seq = 4");
    sandbox.run_line(since).answers(1, &["append 4: the log goes on to append 4"]);
    std::fs::remove_file(sandbox.path("books.db")).unwrap();
    run(&sandbox);
    sandbox.run_line(since).answers(1, &["append 2 is not the one that was sealed"]);
    sandbox.run_line("verify --since no.seal").fails_with(2, &["no.seal"]);
    sandbox.run_line("verify latest --since a.seal").fails_with(2, &["--since"]);
}

#[test]
fn an_incremental_verification_begins_where_the_last_one_ended() {
    let sandbox = sandbox();
    let line = "verify --incremental";
    assert!(sandbox.run_ok(line).starts_with("log: 1 streams, 40 events, 2 appends"));
    assert!(sandbox.run_ok(line).contains("up to append 2; since then 0 events"));
    run(&sandbox);
    assert!(sandbox.run_ok(line).contains("up to append 2; since then 40 events"));
    assert!(sandbox.run_ok(line).contains("up to append 4; since then 0 events"));
    verify(&sandbox).success();

    // A record that is not of this log is reported by both.
    edit(&sandbox, "UPDATE verified_log SET seal = zeroblob(32)");
    sandbox.run_line(line).answers(1, &["append 4 is not the one that was sealed"]);
    verify(&sandbox).answers(1, &["in verified_log, is not an append of this log"]);

    // A record that claims too much hides an edit from the next incremental verification only.
    event_blocks::edit(&unguarded(&sandbox), 1, 2, |lines| lines[5].push(' '));
    edit(&sandbox, "UPDATE verified_log SET seal = (SELECT seal FROM es_appends WHERE seq = 4)");
    sandbox.run_line(line).success();
    assert!(verify(&sandbox).out.contains("event 7, append 2"));
}

#[test]
fn replay_reproduces_a_run_or_prints_both_versions() {
    let sandbox = sandbox();
    let same = sandbox.run_ok("replay latest");
    assert!(same.starts_with("Reproduced\n"), "{same}");
    assert!(same.contains(": its hashes match; 40 events are the same, byte for byte"), "{same}");

    event_blocks::forge(&unguarded(&sandbox), 1, 2, |lines| {
        lines[16] = lines[16].replace("\"loan_id\":\"FILL\"", "\"loan_id\":\"K6\"");
    });
    let other = sandbox.run_line("replay latest").answers(1, &[]);
    assert!(other.out.starts_with("Not reproduced: event 18 differs\n"), "{}", other.out);
    let row = |name: &str| {
        let row = other.out.lines().find(|line| line.contains(&format!("┆ {name} ")));
        row.unwrap_or_else(|| panic!("{name} is not in\n{}", other.out))
            .split_whitespace()
            .collect::<Vec<_>>()
    };
    assert_eq!(row("loan_id"), ["│", "*", "┆", "loan_id", "┆", "K6", "┆", "FILL", "│"]);
    assert_eq!(row("trade_id"), ["│", "┆", "trade_id", "┆", "T1", "┆", "T1", "│"]);

    let json = sandbox.run_line("replay latest --format json");
    let answer: Value = serde_json::from_str(&json.out).unwrap();
    assert_eq!((json.status, &answer["answer"]), (Some(1), &Value::from("differs")));
    assert_eq!(answer["stream_version"], 18);
    assert_eq!(answer["recorded"]["payload"]["loan_id"], "K6");
    assert_eq!(answer["replayed"]["payload"]["loan_id"], "FILL");
    let csv = sandbox.run_line("replay latest --format csv");
    assert_eq!(csv.status, Some(1));
    assert_eq!(csv.out, "stream_version,field,recorded,replayed\n18,loan_id,K6,FILL\n");
}

/// The altered event has the same decisions, so that only its hash reveals it.
#[test]
fn replay_checks_the_hashes_before_it_compares() {
    let sandbox = sandbox();
    event_blocks::edit(&unguarded(&sandbox), 1, 1, |lines| {
        lines[0] = lines[0].replace("\"requested_by\":\"desk\"", "\"requested_by\":\"eve\"");
    });
    let altered = sandbox.run_line("replay latest").answers(1, &[]);
    let expected =
        "Not replayed, because the recorded run was changed: event 1, append 1, its hash";
    assert!(altered.out.starts_with(expected), "{}", altered.out);
    assert!(!altered.out.contains("byte for byte"), "{}", altered.out);
    let json = sandbox.run_line("replay latest --format json").json();
    assert_eq!((&json["answer"], &json["stream_version"]), (&"damaged".into(), &1.into()));
    let csv = sandbox.run_line("replay latest --format csv");
    assert!(csv.out.contains("\n1,,\"its hash does not match"), "{}", csv.out);
}

#[test]
fn the_verification_of_a_run_counts_its_snapshot() {
    let sandbox = sandbox();
    for line in ["verify", "verify latest"] {
        let whole = sandbox.run_ok(line);
        let counted = "log: 1 streams, 40 events, 2 appends, 1 snapshots\n";
        assert!(whole.starts_with(counted), "{line}: {whole}");
    }
}

/// A seal of 0.1.0 names neither its tenant nor its time.
#[test]
fn a_seal_names_its_tenant_and_is_refused_for_another() {
    let sandbox = sandbox();
    sandbox.run_ok("seal export --out a.seal");
    sandbox.run_ok("generate --loans 60 --trades 20 --pools 10 --out other");
    sandbox.run_ok("run dir:other --store sqlite:other.db");
    for line in ["seal check a.seal", "verify --since a.seal"] {
        sandbox
            .run_line(&format!("{line} --store sqlite:other.db"))
            .fails_with(2, &["a.seal is a seal of tenant WATERMARK", "GENERATED"]);
    }
    let text = sandbox.read("a.seal");
    let mut seal: Value = serde_json::from_str(&text).unwrap();
    seal.as_object_mut().unwrap().retain(|name, _| name != "tenant" && name != "exported_at");
    sandbox.write("old.seal", seal.to_string());
    let checked = sandbox.run_ok("seal check old.seal");
    assert!(checked.contains("as the seal says; 0 events since"), "{checked}");
}

#[test]
fn a_run_is_shown_as_of_any_of_its_events() {
    let sandbox = sandbox();
    let shown = sandbox.run_ok("show latest --at 18");
    assert!(shown.starts_with("After event 18 of 40: LoanAllocated {"), "{shown}");
    let fills = sandbox.run_line("show latest --at 18 --format csv").success().out;
    assert!(fills.contains("\nT1,Under,1,600000.00,1000000.00,990000.00,1010000.00\n"), "{fills}");
    let before = sandbox.run_line("show latest --at 17 --format csv").success().out;
    assert!(before.contains("\nT1,Under,0,0.00,"), "{before}");
    let json = sandbox.run_ok("show latest --at 18 --format json");
    let json: Value = serde_json::from_str(&json).unwrap();
    assert_eq!((&json["run_events"], &json["event"]["stream_version"]), (&40.into(), &18.into()));
    assert_eq!(json["event"]["payload"]["loan_id"], "FILL");
    assert_eq!(json["state"]["loans"]["allocated"]["best_fit"], 1);
    let guide = |at: u32| {
        let line = format!("tables latest pfill_powerfill_guide --at {at} --format csv");
        sandbox.run_ok(&line).lines().count() - 1
    };
    assert_eq!((guide(17), guide(18), guide(40)), (0, 1, 1));
    for line in ["show latest --at 41", "tables latest pfill_powerfill_guide --at 41"] {
        sandbox.run_line(line).fails_with(2, &["has 40 events, there is none with number 41"]);
    }
    sandbox.run_line("show latest --at 0").fails_with(2, &["--at"]);
}

#[test]
fn step_shows_a_run_as_of_each_given_event() {
    let sandbox = sandbox();
    let step = |input: &str| -> CommandOutput {
        let mut child = sandbox
            .command(["step", "latest"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
        child.wait_with_output().unwrap().into()
    };
    let heads = |answer: CommandOutput| -> Vec<String> {
        let heads = answer.success().out;
        let heads = heads.lines().filter(|line| line.starts_with("After event "));
        heads.map(|line| line.split(':').next().unwrap_or_default().to_owned()).collect()
    };
    let visited = heads(step("18\n\n-2\n+10\n40\nq\n1\n"));
    let expected = [18, 19, 17, 27, 40].map(|event| format!("After event {event} of 40"));
    assert_eq!(visited, expected);
    step("1\n-1\n").fails_with(2, &["\"-1\" is not one of the events 1 to 40"]);
    step("forty\n").fails_with(2, &["\"forty\" is not one of the events 1 to 40"]);
}
