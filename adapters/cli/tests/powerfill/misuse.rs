//! What people write by mistake is refused before anything is done, with what to write instead.

use std::fs;

use crate::sandbox::{Sandbox, case, source};

/// The entries of a folder, by name.
fn entries(sandbox: &Sandbox, folder: &str) -> Vec<String> {
    let entries = fs::read_dir(sandbox.path(folder)).unwrap();
    let mut names: Vec<String> =
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

#[test]
fn a_workbook_needs_only_its_name() {
    let sandbox = Sandbox::new();
    let source = source(&case("03"));
    sandbox.run(["run", &source, "--out", "run.XLSX"]).success();
    sandbox.run_ok("tables latest pfill_pool_guide --out guide.xlsx");
    for file in ["run.XLSX", "guide.xlsx"] {
        assert!(fs::read(sandbox.path(file)).unwrap().starts_with(b"PK"), "{file}");
    }
    sandbox.run_line("tables latest --out run.csv").fails_with(2, &["FILE.xlsx", ">"]);
}

#[test]
fn a_folder_with_the_name_of_a_file_is_refused() {
    let sandbox = Sandbox::new();
    let source = source(&case("03"));
    for args in [
        &["run", &source, "--out", "run.csv"][..],
        &["preprocess", &source, "--out", "params.xlsx"],
        &["generate", "--loans", "10", "--out", "book.json"],
    ] {
        let name = args[args.len() - 1];
        let folder = name.split('.').next().unwrap();
        let words = format!("name a folder, such as {folder}");
        sandbox.run(args).fails_with(2, &[name, &words]);
        assert!(!sandbox.path(name).exists(), "{name}");
    }
    assert!(!sandbox.path("powerfill.db").exists(), "a refused run creates no store");
    fs::create_dir(sandbox.path("run.csv")).unwrap();
    sandbox.run(["run", &source, "--out", "run.csv"]).success();
}

#[test]
fn the_input_is_no_place_for_outputs() {
    let sandbox = Sandbox::new();
    crate::snapshots::copy(&case("03").join("snapshot"), &sandbox.path("book"));
    fs::copy(case("03").join("snapshot/loan.csv"), sandbox.path("book/loan.csv")).unwrap();
    let before = entries(&sandbox, "book");
    for line in [
        "run dir:book --out book",
        "run dir:book --out ./book/../book",
        "preprocess dir:book --out book",
    ] {
        sandbox.run_line(line).fails_with(2, &["is the input itself (dir:book)"]);
    }
    assert_eq!(entries(&sandbox, "book"), before);
    assert!(!sandbox.path("powerfill.db").exists(), "a refused run creates no store");
    let guide = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/guides/book.xlsx");
    fs::copy(guide, sandbox.path("book.xlsx")).unwrap();
    sandbox.run_line("run xlsx:book.xlsx --out book.xlsx").fails_with(2, &["is the input itself"]);
    assert_eq!(fs::read(guide).unwrap(), fs::read(sandbox.path("book.xlsx")).unwrap());
}

#[test]
fn a_lowest_status_that_no_loan_can_have_is_refused() {
    let sandbox = Sandbox::new();
    let source = source(&case("03"));
    sandbox.write("options.json", r#"{"min_status": "Closd"}"#);
    for command in ["run", "preflight", "preprocess --out proposed"] {
        let line = format!("{command} {source} --min-status Closd");
        let words =
            ["min_status", "\"Closd\"", "neither a stage nor the status of a loan", "Closed"];
        sandbox.run_line(&line).fails_with(1, &words);
    }
    let checked = sandbox.run(["check", &source, "--options", "options.json"]);
    assert_eq!(checked.status, Some(1));
    assert!(checked.out.contains("neither a stage nor the status"), "{}", checked.out);
    assert!(!sandbox.path("powerfill.db").exists(), "a refused run creates no store");
    sandbox.run(["run", &source, "--min-status", "closed "]).success();
}

/// Timers and containers have no variable USER.
#[cfg(unix)]
#[test]
fn the_requester_is_the_user_of_the_system() {
    let sandbox = Sandbox::new();
    let source = source(&case("03"));
    sandbox.command(["run", &source]).env_remove("USER").output().unwrap();
    let user = std::process::Command::new("id").arg("-un").output().unwrap().stdout;
    let user = String::from_utf8(user).unwrap();
    let requested = sandbox.run_ok("events latest --type RunRequested");
    let expected = format!("\"requested_by\":\"{}\"", user.trim());
    assert!(requested.contains(&expected), "{expected}: {requested}");
}

#[test]
fn every_list_of_faults_ends_with_a_line_break() {
    let sandbox = Sandbox::new();
    let faulty = source(&case("43"));
    for line in [
        format!("check {faulty}"),
        format!("check {faulty} --all"),
        format!("check {faulty} --format csv"),
        format!("check {faulty} --format json"),
        format!("run {faulty}"),
        format!("run {faulty} --all"),
        format!("preflight {faulty}"),
        format!("run {} --scope all", source(&case("03"))),
    ] {
        let answer = sandbox.run_line(&line);
        assert_eq!(answer.status, Some(1), "{line}");
        for text in [&answer.out, &answer.err] {
            assert!(text.is_empty() || text.ends_with('\n') && !text.ends_with("\n\n"), "{line}");
        }
    }
}

/// The text under the help is broken once, by the terminal: no line but the last of a paragraph is
/// shorter than it must be. Examples fit as they are.
#[test]
fn help_fits_a_terminal_of_80_columns() {
    let sandbox = Sandbox::new();
    let help = |words: &[&str]| {
        let mut command = sandbox.command(words.iter().chain(&["--help"]));
        String::from_utf8(command.env("COLUMNS", "80").output().unwrap().stdout).unwrap()
    };
    let listed = |help: &str| -> Vec<String> {
        let commands = help.split("Commands:\n").nth(1).into_iter().flat_map(str::lines);
        let commands = commands.take_while(|line| !line.is_empty());
        let names = commands.filter(|line| line.starts_with("  ") && !line.starts_with("   "));
        names.map(|line| line.split_whitespace().next().unwrap().to_owned()).collect()
    };
    let commands = listed(&help(&[]));
    assert!(commands.len() > 25, "{commands:?}");
    for command in commands.iter().filter(|command| *command != "help") {
        let own = help(&[command]);
        assert_is_wrapped_once(command, &own);
        for sub in listed(&own).iter().filter(|sub| *sub != "help") {
            assert_is_wrapped_once(command, &help(&[command, sub]));
        }
    }
}

fn assert_is_wrapped_once(command: &str, help: &str) {
    let Some((_, after)) = help.split_once("\nExample") else { return };
    let lines: Vec<&str> = after.lines().skip(1).collect();
    for (at, line) in lines.iter().enumerate() {
        let next = lines.get(at + 1).copied().unwrap_or_default();
        let length = line.chars().count();
        assert!(length <= 80, "{command}: {line}");
        if next.is_empty() || line.is_empty() || line.ends_with('\\') {
            continue;
        }
        let word = next.split_whitespace().next().unwrap_or_default();
        let fits = length + 1 + word.chars().count() <= 80;
        // An example begins with a program; what does not was broken off the line before.
        let is_program = ["powerfill", "printf", "unzip", "ssh-keygen"].contains(&word);
        match (line.starts_with(' '), next.starts_with(' ')) {
            (false, false) => assert!(!fits, "{command}: {word:?} would fit after {line:?}"),
            (true, true) => assert!(is_program, "{command}: broken after {line:?}"),
            (true, false) | (false, true) => {}
        }
    }
}
