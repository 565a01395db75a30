//! Flags, then `POWERFILL_*`, then `powerfill.toml` in the working folder.

use crate::desk::{Answer, Desk, case, source};

fn requested_by(desk: &Desk, store: &str) -> String {
    let line = format!("tables latest pfill_run_history --format csv --store sqlite:{store}");
    desk.type_in(&line).well().table().column("requested_by")[0].to_owned()
}

#[test]
fn a_flag_comes_before_a_variable_and_that_before_the_file() {
    let desk = Desk::new();
    let settings = "store = \"sqlite:from_file.db\"\nrequested_by = \"the file\"\n";
    std::fs::write(desk.path("powerfill.toml"), settings).unwrap();
    let source = source(&case("03"));
    desk.powerfill(["run", &source]).well();
    assert_eq!(requested_by(&desk, "from_file.db"), "the file");

    let variables = [
        ("POWERFILL_STORE", "sqlite:from_variable.db"),
        ("POWERFILL_REQUESTED_BY", "the variable"),
    ];
    let run = |flags: &[&str]| {
        let args = [&["run", &source], flags].concat();
        Answer::from(desk.command(args).envs(variables).output().unwrap()).well()
    };
    run(&[]);
    assert_eq!(requested_by(&desk, "from_variable.db"), "the variable");
    run(&["--store", "sqlite:from_flag.db", "--requested-by", "the flag"]);
    assert_eq!(requested_by(&desk, "from_flag.db"), "the flag");
    assert!(!desk.path("powerfill.db").exists());
}

#[test]
fn a_setting_that_is_not_known_is_named_with_its_file() {
    let desk = Desk::new();
    std::fs::write(desk.path("powerfill.toml"), "sture = \"sqlite:x.db\"").unwrap();
    desk.type_in("runs").refuses(2, &["powerfill.toml", "sture"]);
    std::fs::write(desk.path("powerfill.toml"), "store = \"mysql:x\"").unwrap();
    desk.type_in("runs").refuses(2, &["powerfill.toml, store", "sqlite:FILE"]);
}

#[test]
fn flags_of_a_run_come_after_its_options_file() {
    let desk = Desk::new();
    let options = "{\"price_mode\": \"pc\", \"max_eligible_days\": 12}";
    std::fs::write(desk.path("options.json"), options).unwrap();
    let source = source(&case("03"));
    let args = ["run", &source, "--options", "options.json", "--price-mode", "po"];
    let shown = desk.powerfill([&args[..], &["--format", "json"]].concat()).well().out;
    let shown: serde_json::Value = serde_json::from_str(&shown).unwrap();
    assert_eq!(shown["options"]["price_mode"], "po");
    assert_eq!(shown["options"]["max_eligible_days"], 12);
}

#[test]
fn migrating_twice_changes_nothing() {
    let desk = Desk::new();
    let first = desk.ask("migrate");
    desk.powerfill(["run", &source(&case("03"))]).well();
    let shown = desk.ask("show");
    assert_eq!(desk.ask("migrate"), first);
    assert_eq!(desk.ask("show"), shown);
    desk.ask("verify");
}
