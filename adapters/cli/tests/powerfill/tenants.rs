//! Tenants of powerfill.toml: each reaches its own store and source, and a missing, unknown or
//! wrong one nothing.

use std::fs;
use std::path::Path;

use powerfill_tests::postgres::TestDatabase;

use crate::desk::{Answer, Desk};

/// Commands that work with a store.
const OF_A_STORE: &[&str] = &[
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
const OF_A_SOURCE: &[&str] =
    &["check", "preflight", "preprocess --out proposed", "run", "run --no-wait"];

fn toml(tenants: &[(&str, &str)]) -> String {
    let tenant = |(id, lines): &(&str, &str)| format!("[tenants.{id}]\n{lines}\n");
    tenants.iter().map(tenant).collect()
}

/// The tenants GENERATED, with a run, and other, without; each with a book of its own.
fn desk() -> Desk {
    let desk = Desk::new();
    desk.ask("generate --loans 60 --trades 20 --pools 10 --out generated");
    desk.ask("generate --loans 60 --trades 20 --pools 10 --seed 8 --out others");
    let header = desk.path("others/snapshot.csv");
    let text = fs::read_to_string(&header).unwrap();
    fs::write(&header, text.replace("GENERATED", "other")).unwrap();
    let settings = toml(&[
        ("GENERATED", "store = \"sqlite:generated.db\"\nsource = \"dir:generated\""),
        ("other", "store = \"sqlite:other.db\"\nsource = \"dir:others\""),
    ]);
    fs::write(desk.path("powerfill.toml"), settings).unwrap();
    desk.ask("run --tenant GENERATED");
    desk.ask("seal export --out kept.seal --tenant GENERATED");
    desk
}

/// What lies in the folder, but for what a read of an SQLite file leaves beside it.
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
fn a_tenant_works_with_its_own_store_and_source() {
    let desk = desk();
    for command in OF_A_SOURCE.iter().chain(&["work --once"]) {
        desk.ask(&format!("{command} --tenant other"));
    }
    for (tenant, runs) in [("GENERATED", 1), ("other", 2)] {
        let mut by_variable = desk.command(["runs", "--format", "csv"]);
        let listed: Answer = by_variable.env("POWERFILL_TENANT", tenant).output().unwrap().into();
        assert_eq!(listed.well().table().rows.len(), runs, "{tenant}");
        let shown = desk.ask(&format!("show --tenant {tenant}"));
        assert!(shown.contains(&format!(" for {tenant}, ")), "{shown}");
        for command in OF_A_STORE.iter().filter(|command| !command.contains("seal")) {
            let answer = desk.type_in(&format!("{command} --tenant {tenant}"));
            // The diff has nothing to differ in, and the run to cancel is over.
            let status = if command.starts_with("cancel") { 1 } else { 0 };
            if !command.starts_with("explain") && !command.starts_with("diff") {
                assert_eq!(answer.status, Some(status), "{command}: {answer:?}");
            }
        }
    }
    assert!(!desk.path("powerfill.db").exists());
    // A default spares saying it.
    let settings = fs::read_to_string(desk.path("powerfill.toml")).unwrap();
    fs::write(desk.path("powerfill.toml"), format!("tenant = \"other\"\n{settings}")).unwrap();
    assert!(desk.ask("show").contains(" for other, "));
    assert!(desk.ask("check").contains("0 errors"));
    assert!(desk.ask("show --tenant GENERATED").contains(" for GENERATED, "));
    assert!(desk.ask("show --store sqlite:generated.db").contains(" for GENERATED, "));
    assert_eq!(desk.ask("work --all-tenants --once"), "");
}

#[test]
fn without_a_tenant_or_with_an_unknown_one_nothing_is_reached() {
    let desk = desk();
    let before = files(&desk.path(""));
    for command in OF_A_STORE {
        desk.type_in(command).refuses(2, &["--tenant ID", "POWERFILL_TENANT"]);
    }
    for command in OF_A_SOURCE {
        desk.type_in(command).refuses(2, &["--tenant ID"]);
    }
    for command in OF_A_STORE.iter().chain(OF_A_SOURCE) {
        let answer = desk.type_in(&format!("{command} --tenant ghost"));
        answer.refuses(2, &["no tenant ghost", "[tenants.ghost]"]);
        assert!(!format!("{answer:?}").contains("other"), "{answer:?}");
        assert_eq!(answer.out, "", "{command}");
    }
    assert!(files(&desk.path("")) == before);
}

/// By a wrong file, a wrong flag, and a wrong source.
#[test]
fn a_wrong_tenant_reaches_nothing() {
    let desk = desk();
    let before = files(&desk.path(""));
    let refused = |line: &str, words: &[&str]| {
        let answer = desk.type_in(line);
        answer.refuses(2, words);
        assert_eq!(answer.out, "", "{line}");
    };
    // The flag names another tenant's store.
    for command in OF_A_STORE {
        let line = format!("{command} --tenant other --store sqlite:generated.db");
        refused(&line, &["is not the store of tenant other"]);
    }
    // A snapshot of another tenant, and none of its own store is made.
    for command in OF_A_SOURCE {
        let words = ["dir:generated is a snapshot of tenant GENERATED, not of other"];
        let (command, flags) = command.split_once(' ').unwrap_or((command, ""));
        refused(&format!("{command} dir:generated --tenant other {flags}"), &words);
    }
    refused("run dir:others --store sqlite:generated.db", &["not of GENERATED"]);
    assert!(files(&desk.path("")) == before);

    // The file gives a tenant the store that holds another one's events.
    let settings = toml(&[("other", "store = \"sqlite:generated.db\"\nsource = \"dir:others\"")]);
    fs::write(desk.path("powerfill.toml"), settings).unwrap();
    let before = files(&desk.path(""));
    for command in OF_A_STORE.iter().chain(&["run", "run --no-wait"]) {
        let line = format!("{command} --tenant other");
        let words = ["another tenant's events", "tenant other can neither read nor write"];
        refused(&line, &words[..]);
        assert!(!desk.type_in(&line).err.contains("GENERATED"));
    }
    // Without any settings the store still is that of its events.
    fs::remove_file(desk.path("powerfill.toml")).unwrap();
    refused("run dir:others --store sqlite:generated.db", &["another tenant's events"]);
    fs::write(desk.path("powerfill.toml"), "").unwrap();
    let mut after = files(&desk.path(""));
    after.iter_mut().filter(|(name, _)| name == "powerfill.toml").for_each(|(_, text)| {
        *text = before.iter().find(|(name, _)| name == "powerfill.toml").unwrap().1.clone();
    });
    assert!(after == before);
}

#[test]
fn a_file_that_makes_no_sense_is_refused_when_it_is_read() {
    let desk = Desk::new();
    fs::create_dir(desk.path("folder")).unwrap();
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
        fs::write(desk.path("powerfill.toml"), &text).unwrap();
        for line in ["runs --tenant one", "check dir:x", "run dir:x --store sqlite:d.db"] {
            let answer = desk.type_in(line);
            answer.refuses(2, &[&["powerfill.toml"], words].concat());
            assert!(!answer.err.contains("s3cret"), "{text}: {}", answer.err);
        }
    }
    let settings = toml(&[("one", "store = \"sqlite:a.db\"")]);
    fs::write(desk.path("powerfill.toml"), settings).unwrap();
    desk.type_in("run --tenant one").refuses(2, &["tenant one has no source", "[tenants.one]"]);
    assert_eq!(fs::read_dir(desk.path("")).unwrap().count(), 2, "nothing was made");
}

#[test]
fn options_of_a_tenant_are_those_of_its_runs() {
    let desk = desk();
    fs::write(desk.path("options.json"), "{\"price_mode\": \"pc\", \"scope\": \"none\"}").unwrap();
    let settings = fs::read_to_string(desk.path("powerfill.toml")).unwrap();
    let settings = settings.replace("dir:others\"", "dir:others\"\noptions = \"options.json\"");
    fs::write(desk.path("powerfill.toml"), settings).unwrap();
    for command in OF_A_SOURCE {
        let answer = desk.type_in(&format!("{command} --tenant other"));
        assert_eq!(answer.status, Some(1), "{answer:?}");
        assert!(format!("{answer:?}").contains("scope"), "{answer:?}");
    }
    let run = "run --tenant other --scope closed_only --format json";
    let shown: serde_json::Value = serde_json::from_str(&desk.ask(run)).unwrap();
    assert_eq!(shown["options"]["price_mode"], "pc");
}

/// From a file, and in no message, whatever goes wrong.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_password_comes_from_a_file_and_is_shown_nowhere() {
    let place = TestDatabase::new();
    let database = place.name().await.to_owned();
    let server = powerfill_tests::postgres::shared_server();
    let with_password = server.tcp_url(&database);
    let (_, rest) = with_password.split_once("://").unwrap();
    let (user, host) = rest.split_once('@').unwrap();
    let (user, password) = user.split_once(':').unwrap();
    let desk = Desk::new();
    desk.ask("generate --loans 60 --trades 20 --pools 10 --out book");
    let write = |password_file: &str| {
        let settings = format!(
            "store = \"postgres://{user}@{host}\"\nsource = \"dir:book\"\npassword_file = \"{password_file}\""
        );
        fs::write(desk.path("powerfill.toml"), toml(&[("GENERATED", &settings)])).unwrap();
    };
    fs::write(desk.path("right"), format!("{}\n", password.replace("%20", " "))).unwrap();
    fs::write(desk.path("wrong"), "s3cret\n").unwrap();
    write("right");
    desk.ask("run --tenant GENERATED");
    desk.ask("verify --tenant GENERATED");
    for (file, words) in [
        ("wrong", &["password authentication failed"][..]),
        ("missing", &["password_file missing"]),
    ] {
        write(file);
        let answer = desk.type_in("runs --tenant GENERATED");
        answer.refuses(2, words);
        assert!(!answer.err.contains("s3cret"), "{answer:?}");
    }
}
