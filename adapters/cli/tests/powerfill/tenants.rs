//! Tenants of powerfill.toml: each reaches its own store and source only. A command with a missing,
//! unknown, or wrong tenant reaches nothing.

use std::fs;
use std::path::Path;

use powerfill_tests::postgres::TestDatabase;

use crate::sandbox::{CommandOutput, Sandbox};

/// Commands that work with a store.
const STORE_COMMANDS: &[&str] = &[
    "runs",
    "show",
    "tables latest",
    "tables latest pfill_pool_guide --format csv",
    "events latest --type RunCompleted",
    "explain latest --loan L00000001",
    "diff latest --against latest",
    "replay latest",
    "step latest",
    "verify",
    "verify latest",
    "rebuild latest",
    "seal export",
    "seal check kept.seal",
    "cancel latest",
    "work --once",
    "migrate",
    "config list",
    "config history",
];

/// Commands that work with a source.
const SOURCE_COMMANDS: &[&str] =
    &["check", "preflight", "preprocess --out proposed", "run", "run --no-wait"];

fn toml(tenants: &[(&str, &str)]) -> String {
    let tenant = |(id, lines): &(&str, &str)| format!("[tenants.{id}]\n{lines}\n");
    tenants.iter().map(tenant).collect()
}

/// Two tenants with a book each: GENERATED has a run, `other` has none.
fn sandbox() -> Sandbox {
    let sandbox = Sandbox::new();
    sandbox.run_ok("generate --loans 60 --trades 20 --pools 10 --out generated");
    sandbox.run_ok("generate --loans 60 --trades 20 --pools 10 --seed 8 --out others");
    let header = sandbox.path("others/snapshot.csv");
    let text = fs::read_to_string(&header).unwrap();
    fs::write(&header, text.replace("GENERATED", "other")).unwrap();
    let settings = toml(&[
        ("GENERATED", "store = \"sqlite:generated.db\"\nsource = \"dir:generated\""),
        ("other", "store = \"sqlite:other.db\"\nsource = \"dir:others\""),
    ]);
    sandbox.write("powerfill.toml", settings);
    sandbox.run_ok("run --tenant GENERATED");
    sandbox.run_ok("seal export --out kept.seal --tenant GENERATED");
    sandbox
}

/// The files of a folder, without those that SQLite creates when it reads a database.
fn files(folder: &Path) -> Vec<(String, Vec<u8>)> {
    let mut files: Vec<(String, Vec<u8>)> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.is_file())
        .map(|path| (path.file_name().unwrap().to_string_lossy().into_owned(), path))
        .filter(|(name, _)| !name.ends_with("-wal") && !name.ends_with("-shm"))
        .map(|(name, path)| (name, fs::read(path).unwrap()))
        .collect();
    files.sort();
    files
}

#[test]
fn audits_cover_all_tenants_at_once() {
    let sandbox = sandbox();
    sandbox.run_ok("run --tenant other");
    let verified = sandbox.run_ok("verify --all-tenants");
    let headings: Vec<&str> = verified.lines().filter(|line| line.ends_with(':')).collect();
    assert_eq!(headings, ["GENERATED:", "other:"], "{verified}");
    assert_eq!(verified.matches("everything matches").count(), 2, "{verified}");
    let json = sandbox.run_line("verify --all-tenants --format json").success().json();
    assert_eq!((&json[0]["tenant"], &json[1]["answer"]), (&"GENERATED".into(), &"whole".into()));
    let csv = sandbox.run_line("verify --all-tenants --format csv").success().out;
    assert_eq!(csv, "tenant,answer,found\nGENERATED,whole,\nother,whole,\n");
    sandbox.run_ok("seal export --all-tenants --out seals");
    for tenant in ["GENERATED", "other"] {
        sandbox.run_ok(&format!("seal check seals/{tenant}.seal --tenant {tenant}"));
    }
    let checked = sandbox.run_ok("seal check seals --all-tenants");
    assert_eq!(checked.matches("The log contains append").count(), 2, "{checked}");
    assert!(checked.starts_with("GENERATED:\n"), "{checked}");
    let json = sandbox.run_line("seal check seals --all-tenants --format json").success().json();
    assert_eq!((&json[1]["tenant"], &json[1]["answer"]), (&"other".into(), &"held".into()));
    fs::rename(sandbox.path("seals/other.seal"), sandbox.path("seals/gone.seal")).unwrap();
    let missing = sandbox.run_line("seal check seals --all-tenants --format csv");
    missing.fails_with(1, &[]);
    assert_eq!(
        missing.out,
        "tenant,answer,found\nGENERATED,held,\nother,not checked,other.seal is not in the folder\n\
         gone,not checked,gone.seal is of no tenant of powerfill.toml\n"
    );
    let seals = sandbox.run_line("seal export --all-tenants").success().json();
    assert_eq!(seals[1]["tenant"], "other");
    for line in ["verify latest --all-tenants", "seal export --all-tenants --tenant other"] {
        sandbox.run_line(line).fails_with(2, &["--all-tenants"]);
    }
}

#[test]
fn a_tenant_works_with_its_own_store_and_source() {
    let sandbox = sandbox();
    for command in SOURCE_COMMANDS.iter().chain(&["work --once"]) {
        sandbox.run_ok(&format!("{command} --tenant other"));
    }
    for (tenant, runs) in [("GENERATED", 1), ("other", 2)] {
        let mut by_variable = sandbox.command(["runs", "--format", "csv"]);
        let listed: CommandOutput =
            by_variable.env("POWERFILL_TENANT", tenant).output().unwrap().into();
        assert_eq!(listed.success().table().rows.len(), runs, "{tenant}");
        sandbox.prints(&format!("show --tenant {tenant}"), &[&format!(" for {tenant}, ")]);
        for command in STORE_COMMANDS.iter().filter(|command| !command.contains("seal")) {
            let answer = sandbox.run_line(&format!("{command} --tenant {tenant}"));
            // The run to cancel has ended.
            let status = if command.starts_with("cancel") { 1 } else { 0 };
            if !command.starts_with("explain") && !command.starts_with("diff") {
                assert_eq!(answer.status, Some(status), "{command}: {answer:?}");
            }
        }
    }
    assert!(!sandbox.path("powerfill.db").exists());
    // The default tenant of the file.
    let settings = sandbox.read("powerfill.toml");
    sandbox.write("powerfill.toml", format!("tenant = \"other\"\n{settings}"));
    assert!(sandbox.run_ok("show").contains(" for other, "));
    assert!(sandbox.run_ok("check").contains("0 errors"));
    assert!(sandbox.run_ok("show --tenant GENERATED").contains(" for GENERATED, "));
    assert!(sandbox.run_ok("show --store sqlite:generated.db").contains(" for GENERATED, "));
    assert_eq!(sandbox.run_ok("work --all-tenants --once"), "");
}

#[test]
fn a_missing_or_unknown_tenant_reaches_nothing() {
    let sandbox = sandbox();
    let before = files(&sandbox.path(""));
    for command in STORE_COMMANDS {
        sandbox.run_line(command).fails_with(2, &["--tenant ID", "POWERFILL_TENANT"]);
    }
    for command in SOURCE_COMMANDS {
        sandbox.run_line(command).fails_with(2, &["--tenant ID"]);
    }
    for command in STORE_COMMANDS.iter().chain(SOURCE_COMMANDS) {
        let answer = sandbox.run_line(&format!("{command} --tenant ghost"));
        answer.fails_with(2, &["no tenant ghost", "[tenants.ghost]"]);
        assert!(!format!("{answer:?}").contains("other"), "{answer:?}");
        assert_eq!(answer.out, "", "{command}");
    }
    assert!(files(&sandbox.path("")) == before);
}

/// A wrong flag, a wrong source, and a wrong file.
#[test]
fn a_wrong_tenant_reaches_nothing() {
    let sandbox = sandbox();
    let before = files(&sandbox.path(""));
    let refused = |line: &str, words: &[&str]| {
        let answer = sandbox.run_line(line);
        answer.fails_with(2, words);
        assert_eq!(answer.out, "", "{line}");
    };
    // The flag names another tenant's store.
    for command in STORE_COMMANDS {
        let line = format!("{command} --tenant other --store sqlite:generated.db");
        refused(&line, &["is not the store of tenant other"]);
    }
    // The source has another tenant's snapshot; no store is created.
    for command in SOURCE_COMMANDS {
        let words = ["dir:generated is a snapshot of tenant GENERATED, not of other"];
        let (command, flags) = command.split_once(' ').unwrap_or((command, ""));
        refused(&format!("{command} dir:generated --tenant other {flags}"), &words);
    }
    refused("run dir:others --store sqlite:generated.db", &["not of GENERATED"]);
    assert!(files(&sandbox.path("")) == before);

    // The file gives a tenant a store with another tenant's events.
    let settings = toml(&[("other", "store = \"sqlite:generated.db\"\nsource = \"dir:others\"")]);
    sandbox.write("powerfill.toml", settings);
    let before = files(&sandbox.path(""));
    for command in STORE_COMMANDS.iter().chain(&["run", "run --no-wait"]) {
        let line = format!("{command} --tenant other");
        let words = ["another tenant's events", "tenant other can neither read nor write"];
        refused(&line, &words[..]);
        assert!(!sandbox.run_line(&line).err.contains("GENERATED"));
    }
    // Without settings, the store belongs to the tenant of its events.
    fs::remove_file(sandbox.path("powerfill.toml")).unwrap();
    refused("run dir:others --store sqlite:generated.db", &["another tenant's events"]);
    sandbox.write("powerfill.toml", "");
    let mut after = files(&sandbox.path(""));
    after.iter_mut().filter(|(name, _)| name == "powerfill.toml").for_each(|(_, text)| {
        *text = before.iter().find(|(name, _)| name == "powerfill.toml").unwrap().1.clone();
    });
    assert!(after == before);
}

#[test]
fn an_invalid_file_is_refused_when_it_is_read() {
    let sandbox = Sandbox::new();
    fs::create_dir(sandbox.path("folder")).unwrap();
    let two = |one: &str, other: &str| {
        toml(&[("one", &format!("store = \"{one}\"")), ("two", &format!("store = \"{other}\""))])
    };
    let same = ["tenants.two.store", "also the store of tenant one"];
    for (text, words) in [
        (two("sqlite:a.db", "sqlite:a.db"), &same[..]),
        (two("sqlite:a.db", "sqlite:./folder/../a.db"), &same),
        (two("postgres://ann:s3cret@Db/acme", "postgres://bob:s3cret@db:5432/acme"), &same),
        (two("sqlite:a.db", "mysql:s3cret"), &["tenants.two.store", "sqlite:FILE"]),
        (toml(&[("one", "source = \"dir:x\"")]), &["tenants.one.store", "is missing"]),
        (toml(&[("one", "store = 5")]), &["tenants.one.store", "a text"]),
        (
            toml(&[("one", "store = \"sqlite:a.db\"\nsturce = \"s3cret\"")]),
            &["tenants.one.sturce", "no such setting", "password_file"],
        ),
        ("[tenants]\none = \"postgres://ann:s3cret@db/acme\"".to_owned(), &["tenants.one"]),
        ("tenants = \"s3cret\"".to_owned(), &["tenants", "[tenants.ID]"]),
        ("\n\nstore = \"postgres://ann:s3cret@db/acme".to_owned(), &["line 3"]),
        (format!("store = \"sqlite:b.db\"\n{}", two("sqlite:a.db", "sqlite:c.db")), &["store"]),
        (format!("tenant = \"x\"\n{}", two("sqlite:a.db", "sqlite:c.db")), &["no tenant x"]),
    ] {
        sandbox.write("powerfill.toml", &text);
        for line in ["runs --tenant one", "check dir:x", "run dir:x --store sqlite:d.db"] {
            let answer = sandbox.run_line(line);
            answer.fails_with(2, &[&["powerfill.toml"], words].concat());
            assert!(!answer.err.contains("s3cret"), "{text}: {}", answer.err);
        }
    }
    let settings = toml(&[("one", "store = \"sqlite:a.db\"")]);
    sandbox.write("powerfill.toml", settings);
    sandbox
        .run_line("run --tenant one")
        .fails_with(2, &["tenant one has no source", "[tenants.one]"]);
    assert_eq!(fs::read_dir(sandbox.path("")).unwrap().count(), 2, "nothing was created");
}

#[test]
fn runs_of_a_tenant_have_its_options() {
    let sandbox = sandbox();
    sandbox.write("options.json", "{\"price_mode\": \"pc\", \"scope\": \"none\"}");
    let settings = sandbox.read("powerfill.toml");
    let settings = settings.replace("dir:others\"", "dir:others\"\noptions = \"options.json\"");
    sandbox.write("powerfill.toml", settings);
    for command in SOURCE_COMMANDS {
        let answer = sandbox.run_line(&format!("{command} --tenant other")).answers(1, &[]);
        assert!(format!("{answer:?}").contains("scope"), "{answer:?}");
    }
    let run = "run --tenant other --scope closed_only --format json";
    let shown: serde_json::Value = serde_json::from_str(&sandbox.run_ok(run)).unwrap();
    assert_eq!(shown["options"]["price_mode"], "pc");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_password_is_read_from_a_file_and_never_printed() {
    let place = TestDatabase::new();
    let database = place.name().await.to_owned();
    let server = powerfill_tests::postgres::shared_server();
    let with_password = server.tcp_url(&database);
    let (_, rest) = with_password.split_once("://").unwrap();
    let (user, host) = rest.split_once('@').unwrap();
    let (user, password) = user.split_once(':').unwrap();
    let sandbox = Sandbox::new();
    sandbox.run_ok("generate --loans 60 --trades 20 --pools 10 --out book");
    let write = |password_file: &str| {
        let settings = format!(
            "store = \"postgres://{user}@{host}\"\nsource = \"dir:book\"\npassword_file = \"{password_file}\""
        );
        sandbox.write("powerfill.toml", toml(&[("GENERATED", &settings)]));
    };
    sandbox.write("right", format!("{}\n", password.replace("%20", " ")));
    sandbox.write("wrong", "s3cret\n");
    write("right");
    sandbox.run_ok("run --tenant GENERATED");
    sandbox.run_ok("verify --tenant GENERATED");
    for (file, words) in [
        ("wrong", &["password authentication failed"][..]),
        ("missing", &["password_file missing"]),
    ] {
        write(file);
        let answer = sandbox.run_line("runs --tenant GENERATED");
        answer.fails_with(2, words);
        assert!(!answer.err.contains("s3cret"), "{answer:?}");
    }
}
