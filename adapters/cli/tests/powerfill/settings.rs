//! The precedence of settings: flags, `POWERFILL_*` variables, `powerfill.toml`.

use crate::sandbox::{CommandOutput, Sandbox, case, source};

fn requested_by(sandbox: &Sandbox, store: &str) -> String {
    let line = format!("tables latest pfill_run_history --format csv --store sqlite:{store}");
    sandbox.run_line(&line).success().table().column("requested_by")[0].to_owned()
}

#[test]
fn flags_override_variables_which_override_the_file() {
    let sandbox = Sandbox::new();
    let settings = "store = \"sqlite:from_file.db\"\nrequested_by = \"the file\"\n";
    sandbox.write("powerfill.toml", settings);
    let source = source(&case("03"));
    sandbox.run(["run", &source]).success();
    assert_eq!(requested_by(&sandbox, "from_file.db"), "the file");

    let variables = [
        ("POWERFILL_STORE", "sqlite:from_variable.db"),
        ("POWERFILL_REQUESTED_BY", "the variable"),
    ];
    let run = |flags: &[&str]| {
        let args = [&["run", &source], flags].concat();
        CommandOutput::from(sandbox.command(args).envs(variables).output().unwrap()).success()
    };
    run(&[]);
    assert_eq!(requested_by(&sandbox, "from_variable.db"), "the variable");
    run(&["--store", "sqlite:from_flag.db", "--requested-by", "the flag"]);
    assert_eq!(requested_by(&sandbox, "from_flag.db"), "the flag");
    assert!(!sandbox.path("powerfill.db").exists());
}

#[test]
fn an_unknown_setting_is_named_with_its_file() {
    let sandbox = Sandbox::new();
    sandbox.write("powerfill.toml", "sture = \"sqlite:x.db\"");
    sandbox.run_line("runs").fails_with(2, &["powerfill.toml", "sture"]);
    sandbox.write("powerfill.toml", "store = \"mysql:x\"");
    sandbox.run_line("runs").fails_with(2, &["powerfill.toml, store", "sqlite:FILE"]);
}

#[test]
fn flags_override_the_options_file() {
    let sandbox = Sandbox::new();
    let options = "{\"price_mode\": \"pc\", \"max_eligible_days\": 12}";
    sandbox.write("options.json", options);
    let source = source(&case("03"));
    let args = ["run", &source, "--options", "options.json", "--price-mode", "po"];
    let shown = sandbox.run([&args[..], &["--format", "json"]].concat()).success().out;
    let shown: serde_json::Value = serde_json::from_str(&shown).unwrap();
    assert_eq!(shown["options"]["price_mode"], "po");
    assert_eq!(shown["options"]["max_eligible_days"], 12);
}

#[test]
fn migrating_twice_changes_nothing() {
    let sandbox = Sandbox::new();
    let first = sandbox.run_ok("migrate");
    sandbox.run(["run", &source(&case("03"))]).success();
    let shown = sandbox.run_ok("show");
    assert_eq!(sandbox.run_ok("migrate"), first);
    assert_eq!(sandbox.run_ok("show"), shown);
    sandbox.run_ok("verify");
}
