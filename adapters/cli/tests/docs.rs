//! The `console` blocks of the documents: each `$ powerfill …` line is run, in order, in a new folder, prints what the
//! document says, and ends well; one with ` || echo WORD` behind it does not, and prints the word. `[..]` stands for any
//! text within a line, a line `...` for any number of lines.

use std::path::Path;
use std::process::Command;

/// A command of a document and what it should print.
struct Step {
    command: String,
    expected: Vec<String>,
}

fn steps(document: &str) -> Vec<Step> {
    let mut steps: Vec<Step> = Vec::new();
    let mut inside = false;
    for line in document.lines() {
        match line {
            "```console" => inside = true,
            "```" => inside = false,
            _ if !inside => {}
            _ => match (line.strip_prefix("$ powerfill "), steps.last_mut()) {
                (Some(command), _) => {
                    steps.push(Step { command: command.to_owned(), expected: Vec::new() });
                }
                (None, Some(step)) => step.expected.push(line.to_owned()),
                (None, None) => panic!("output before a command: {line}"),
            },
        }
    }
    steps
}

/// Whether a line is what the document says, blanks folded, since columns are as wide as their numbers.
fn line_fits(expected: &str, actual: &str) -> bool {
    let fold = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
    let (expected, actual) = (fold(expected), fold(actual));
    let mut parts = expected.split("[..]");
    let Some(mut rest) = parts.next().and_then(|first| actual.strip_prefix(first)) else {
        return false;
    };
    let mut parts = parts.peekable();
    while let Some(part) = parts.next() {
        let found = if parts.peek().is_none() && !part.is_empty() {
            rest.strip_suffix(part).map(|_| "")
        } else if part.is_empty() && parts.peek().is_none() {
            Some("")
        } else {
            rest.find(part).map(|at| &rest[at + part.len()..])
        };
        match found {
            Some(left) => rest = left,
            None => return false,
        }
    }
    rest.is_empty()
}

/// Whether the lines fit; `...` may stand for any number of them.
fn fits(expected: &[String], actual: &[&str]) -> bool {
    match expected.split_first() {
        None => actual.is_empty(),
        Some((first, rest)) if first == "..." => {
            (0..=actual.len()).any(|skipped| fits(rest, &actual[skipped..]))
        }
        Some((first, rest)) => actual
            .split_first()
            .is_some_and(|(line, others)| line_fits(first, line) && fits(rest, others)),
    }
}

#[test]
fn the_commands_of_the_documents_print_what_the_documents_say() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let folder = tempfile::tempdir().expect("a new folder");
    let mut run = 0;
    for name in ["README.md", "docs/DAY_ONE.md", "docs/guides/comparing-with-the-desktop-app.md"] {
        let document = std::fs::read_to_string(root.join(name)).expect("a document");
        for step in steps(&document) {
            let (command, otherwise) = match step.command.split_once(" || echo ") {
                Some((command, word)) => (command, Some(word)),
                None => (step.command.as_str(), None),
            };
            let words = command.split_whitespace();
            let done = Command::new(env!("CARGO_BIN_EXE_powerfill"))
                .args(words.map(|word| {
                    let tests = |before: &str| format!("{before}{}/tests/", root.display());
                    match word.strip_prefix("tests/") {
                        Some(file) => tests("") + file,
                        None => word.replace("dir:tests/", &tests("dir:")),
                    }
                }))
                .current_dir(folder.path())
                .env("POWERFILL_REQUESTED_BY", "desk")
                .output()
                .expect("powerfill starts");
            let printed = String::from_utf8(done.stdout).expect("UTF-8");
            let errors = String::from_utf8_lossy(&done.stderr);
            let ends_well = otherwise.is_none();
            assert_eq!(done.status.success(), ends_well, "{name}: {}: {errors}", step.command);
            let lines: Vec<&str> = printed.lines().chain(otherwise).collect();
            assert!(
                fits(&step.expected, &lines),
                "{name}: {} prints\n{printed}\nthe document says\n{}",
                step.command,
                step.expected.join("\n")
            );
            run += 1;
        }
    }
    assert!(run >= 7, "the documents have lost their sessions: {run} commands");
}

#[test]
fn lines_fit_as_the_documents_mean_them() {
    for (expected, actual, fit) in [
        ("a [..] c", "a  b c", true),
        ("a [..]", "a anything at all", true),
        ("[..] events in [..] s", "12 events in 3 s", true),
        ("[..] events in [..] s", "12 events in 3 min", false),
        ("a b", "a c", false),
        ("a [..] c", "a c", false),
    ] {
        assert_eq!(line_fits(expected, actual), fit, "{expected:?} {actual:?}");
    }
    let expected = ["a", "...", "d"].map(str::to_owned);
    assert!(fits(&expected, &["a", "b", "c", "d"]) && !fits(&expected, &["a", "b"]));
}
