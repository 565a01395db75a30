//! Commands on a PostgreSQL store have the same results as on a file.

use powerfill_tests::postgres::{TestDatabase, connect, shared_server};

use crate::compare;
use crate::sandbox::{CommandOutput, Sandbox, case, options, source};

/// Summaries, tables, explanations, and audits are the same.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_run_in_a_database_equals_a_run_in_a_file() {
    let place = TestDatabase::new();
    let database = place.url().await;
    let sandbox = Sandbox::new();
    let case = case("12");
    let (source, options) = (source(&case), options(&case));
    for (store, out) in [(database.as_str(), "of-database"), ("sqlite:books.db", "of-file")] {
        let args = ["run", &source, "--options", &options, "--store", store, "--out", out];
        sandbox.run(args).success();
    }
    let differences = compare::folders(&sandbox.path("of-file"), &sandbox.path("of-database"));
    assert!(differences.is_empty(), "{}", differences.join("\n"));

    let run = |command: &str, store: &str| {
        let mut words: Vec<&str> = command.split_whitespace().collect();
        words.extend(["--store", store]);
        sandbox.run(words).success().out
    };
    for command in
        ["verify", "tables latest pfill_kickout_guide_01 --format csv", "explain latest --loan K1"]
    {
        let (database, file) = (run(command, &database), run(command, "sqlite:books.db"));
        let without_run = |text: &str| -> Vec<String> {
            // The ids of the runs differ.
            text.split_whitespace().filter(|word| !word.contains("-7")).map(str::to_owned).collect()
        };
        assert!(!database.is_empty());
        if command.starts_with("verify") {
            assert!(database.ends_with("everything matches\n"), "{database}");
        }
        if !command.starts_with("tables") {
            assert_eq!(without_run(&database), without_run(&file), "{command}");
        }
    }
    assert!(run("replay latest", &database).starts_with("Reproduced"));
    run("rebuild latest", &database);
    assert!(run("verify", &database).ends_with("everything matches\n"));
    run("seal export --out kept.seal", &database);
    run("seal check kept.seal", &database);
    let events = run("events latest --type LoanKickedOut --format csv", &database);
    assert_eq!(events.lines().count(), 8, "{events}");
    assert_eq!(run("runs --format csv", &database).lines().count(), 2);

    // An edit without the store.
    let editor = place.unguarded_client().await;
    editor.batch_execute("UPDATE pfill_kickout_guide_01 SET reason = 'NoPrice'").await.unwrap();
    sandbox.run(["verify", "--store", &database]).answers(1, &["pfill_kickout_guide_01"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn migrate_creates_a_store_and_then_changes_nothing() {
    let place = TestDatabase::new();
    let sandbox = Sandbox::new();
    let database = place.url().await;
    let none = sandbox.run(["runs", "--store", &database]);
    none.fails_with(2, &["there is no store in postgres://", "powerfill migrate"]);
    for _ in 0..2 {
        let said = sandbox.run(["migrate", "--store", &database]).success().out;
        assert!(said.ends_with("has the current schema\n"), "{said}");
    }
    sandbox.run(["runs", "--store", &database]).success();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_database_is_a_source() {
    let place = TestDatabase::new();
    let client = connect(&place.url().await).await;
    client
        .batch_execute(
            "CREATE SCHEMA input; CREATE TABLE input.snapshot (tenant_id text, as_of date);
             INSERT INTO input.snapshot VALUES ('ACME', '2026-01-15'), ('ACME', '2026-01-16')",
        )
        .await
        .unwrap();
    let source = format!("{}?schema=input", place.url().await);
    let checked = Sandbox::new().run(["check", &source, "--format", "csv"]).answers(1, &[]);
    for table in ["snapshot", "loan", "pscat_trades"] {
        assert!(checked.out.contains(&format!(",{table},")), "{}", checked.out);
    }
}

/// In errors and in the help.
#[test]
fn a_password_is_never_printed() {
    let sandbox = Sandbox::new();
    let assert_refused = |answer: CommandOutput, status, words: &[&str]| {
        answer.fails_with(status, words);
        assert!(!format!("{}{}", answer.out, answer.err).contains("s3cret"), "{answer:?}");
    };
    let port = shared_server().port();
    let refused = format!("postgres://postgres:s3cret@127.0.0.1:{port}/postgres");
    for (url, words) in [
        (
            "postgres://ann:s3cret@127.0.0.1:1/acme",
            &["postgres://ann:***@127.0.0.1:1/acme", "error connecting to server"][..],
        ),
        (refused.as_str(), &["password authentication failed"]),
        ("postgres://ann:s3cret@host:port/acme", &["--store", "the URL cannot be read"]),
        ("postgres://ann:s3cret@host/acme?sslmode=prefer", &["--store", "sslmode"]),
        ("postgrs://ann:s3cret@host/acme", &["a store is sqlite:FILE or postgres://"]),
    ] {
        assert_refused(sandbox.run(["runs", "--store", url]), 2, words);
        let mut by_variable = sandbox.command(["runs"]);
        by_variable.env("POWERFILL_STORE", url);
        let words: Vec<&str> = words.iter().filter(|word| **word != "--store").copied().collect();
        assert_refused(by_variable.output().unwrap().into(), 2, &words);
        if words[0] != "a store is sqlite:FILE or postgres://" {
            assert_refused(sandbox.run(["check", url]), 2, &words);
        }
    }
    let mut help = sandbox.command(["runs", "--help"]);
    help.env("POWERFILL_STORE", "postgres://ann:s3cret@host/acme");
    let help = String::from_utf8(help.output().unwrap().stdout).unwrap();
    assert!(help.contains("POWERFILL_STORE") && !help.contains("s3cret"), "{help}");
}
