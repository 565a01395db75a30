//! Runs the `console` blocks of the documents: a document is a session of bash (`shell`) in a new
//! folder, so that quotes, `>`, variables, and pipes work as for a reader. Each command, a line
//! after `$ `, must succeed and print what the document shows. `[..]` means any text within a line,
//! and a line `...` any number of lines. A `toml` block that begins with `# powerfill.toml` writes
//! that file. Each `postgres://…@db.example/NAME` is a new, empty database of the tests' server.
#![cfg(unix)]

mod quoting;
mod shell;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use powerfill_tests::postgres::TestDatabase;

/// A command of a document.
struct Step {
    /// The new content of powerfill.toml.
    settings: Option<String>,
    /// The command, with the lines after `> ` that continue it.
    command: String,
    /// The lines that it must print.
    expected: Vec<String>,
}

fn steps(document: &str) -> Vec<Step> {
    let mut steps: Vec<Step> = Vec::new();
    let mut inside = false;
    let (mut settings, mut in_settings): (Option<String>, _) = (None, false);
    for line in document.lines() {
        match line {
            "# powerfill.toml" => {
                in_settings = true;
                settings = Some(String::new());
            }
            "```" if in_settings => in_settings = false,
            line if in_settings => {
                settings.iter_mut().for_each(|text| *text += &format!("{line}\n"))
            }
            "```console" => inside = true,
            "```" => inside = false,
            _ if !inside => {}
            _ => match (line.strip_prefix("$ "), line.strip_prefix("> "), steps.last_mut()) {
                (Some(command), ..) => {
                    let (command, settings) = (command.to_owned(), settings.take());
                    steps.push(Step { settings, command, expected: Vec::new() });
                }
                (None, Some(more), Some(step)) => step.command += &format!("\n{more}"),
                (None, None, Some(step)) => step.expected.push(line.to_owned()),
                (None, _, None) => panic!("output before a command: {line}"),
            },
        }
    }
    steps
}

/// The top of the repository.
fn top() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().expect("the repository")
}

/// Whether a line is the one in the document. Blanks are folded, because the widths of columns
/// depend on their content.
fn line_matches(expected: &str, actual: &str) -> bool {
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

/// Whether the lines are those in the document; `...` means any number of lines.
fn lines_match(expected: &[String], actual: &[&str]) -> bool {
    match expected.split_first() {
        None => actual.is_empty(),
        Some((first, rest)) if first == "..." => {
            (0..=actual.len()).any(|skipped| lines_match(rest, &actual[skipped..]))
        }
        Some((first, rest)) => actual
            .split_first()
            .is_some_and(|(line, others)| line_matches(first, line) && lines_match(rest, others)),
    }
}

/// The databases of a session, by their names in the document.
#[derive(Default)]
struct Databases(BTreeMap<String, (TestDatabase, String)>);

impl Databases {
    /// Replaces each `postgres://…@db.example/NAME` by the URL of a database.
    fn replace_urls(&mut self, text: &str) -> String {
        let Some((before, rest)) = text.split_once("postgres://") else { return text.to_owned() };
        let Some((_, named)) = rest.split_once("@db.example/") else { return text.to_owned() };
        let end = named.find(|c: char| !c.is_ascii_alphanumeric()).unwrap_or(named.len());
        let (name, after) = named.split_at(end);
        let (_, url) = self.0.entry(name.to_owned()).or_insert_with(|| {
            let database = TestDatabase::new();
            let runtime = tokio::runtime::Runtime::new().expect("a runtime");
            let url = runtime.block_on(database.url());
            (database, url)
        });
        // The tests' server has no encryption.
        let after = after.trim_start_matches("?sslmode=verify-full");
        format!("{before}{url}") + &self.replace_urls(after)
    }
}

#[test]
fn the_commands_of_the_first_pages_print_what_is_shown() {
    let folder = tempfile::tempdir().expect("a new folder");
    let run: usize = ["README.md", "docs/DAY_ONE.md"]
        .map(|name| shell::run_session(name, folder.path()))
        .iter()
        .sum();
    assert!(run >= 7, "the documents have no sessions: {run} commands");
}

#[test]
fn the_commands_of_each_guide_print_what_is_shown() {
    let mut names: Vec<String> = std::fs::read_dir(top().join("docs/guides"))
        .expect("the guides exist")
        .map(|guide| guide.expect("a guide").file_name().into_string().expect("UTF-8"))
        // The guide of SQL Server needs a server: `sqlserver::guide` runs its session. That of the
        // console is about a browser: adapters/console/test/browser.mjs opens its pages.
        .filter(|name| name.ends_with(".md"))
        .filter(|name| !["sqlserver.md", "console.md"].contains(&name.as_str()))
        .collect();
    names.sort();
    assert!(!names.is_empty());
    let names = std::sync::Mutex::new(names);
    let next = || names.lock().expect("no session has failed").pop();
    let run_sessions = || {
        while let Some(name) = next() {
            let folder = tempfile::tempdir().expect("a new folder");
            let run = shell::run_session(&format!("docs/guides/{name}"), folder.path());
            assert!(run >= 3, "{name} has no session: {run} commands");
        }
    };
    std::thread::scope(|threads| {
        for _ in 0..3 {
            threads.spawn(run_sessions);
        }
    });
}

#[test]
fn patterns_match_lines() {
    for (expected, actual, is_match) in [
        ("a [..] c", "a  b c", true),
        ("a [..]", "a anything at all", true),
        ("[..] events in [..] s", "12 events in 3 s", true),
        ("[..] events in [..] s", "12 events in 3 min", false),
        ("a b", "a c", false),
        ("a [..] c", "a c", false),
    ] {
        assert_eq!(line_matches(expected, actual), is_match, "{expected:?} {actual:?}");
    }
    let expected = ["a", "...", "d"].map(str::to_owned);
    assert!(lines_match(&expected, &["a", "b", "c", "d"]) && !lines_match(&expected, &["a", "b"]));
}
