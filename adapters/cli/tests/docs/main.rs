//! Runs the `console` blocks of the documents: the `$ powerfill …` lines of a document in order, in
//! a new folder. Each must print what the document shows and succeed, except that one followed by
//! ` || echo WORD` must fail, and the document shows WORD. `[..]` means any text within a line, and
//! a line `...` any number of lines. A `toml` block that begins with `# powerfill.toml` writes that
//! file. Documents with other commands are sessions of bash (`shell`). Each
//! `postgres://…@db.example/NAME` is a new, empty database of the tests' server.

#[cfg(unix)]
mod shell;

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

use powerfill_tests::postgres::TestDatabase;

/// A command of a document.
struct Step {
    /// The new content of powerfill.toml.
    settings: Option<String>,
    command: String,
    /// The word for a failure, if the command must fail.
    failure: Option<String>,
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
            _ => match (line.strip_prefix("$ powerfill "), steps.last_mut()) {
                (Some(command), _) => {
                    let (command, failure) = match command.split_once(" || echo ") {
                        Some((command, word)) => (command, Some(word.to_owned())),
                        None => (command, None),
                    };
                    let command = command.to_owned();
                    let settings = settings.take();
                    steps.push(Step { settings, command, failure, expected: Vec::new() });
                }
                (None, Some(step)) => step.expected.push(line.to_owned()),
                (None, None) => panic!("output before a command: {line}"),
            },
        }
    }
    steps
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

/// Makes a path of the project absolute, because the session is in another folder.
fn with_absolute_path(word: &str, root: &Path) -> String {
    let (scheme, path) = match word.split_once(':') {
        Some((scheme, path)) => (format!("{scheme}:"), path),
        None => (String::new(), word),
    };
    match path.starts_with("tests/") || path.starts_with("docs/") {
        true => format!("{scheme}{}", root.join(path).display()),
        false => word.to_owned(),
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

/// Runs the session of a document in a folder. Returns the number of commands.
fn run_session(name: &str, folder: &Path) -> usize {
    let mut databases = Databases::default();
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let document = std::fs::read_to_string(root.join(name)).expect("a document");
    #[cfg(unix)]
    if shell::is_needed_for(&document) {
        return shell::run_session(name, &document, folder);
    }
    let steps = steps(&document);
    for step in &steps {
        if let Some(settings) = &step.settings {
            let settings = databases.replace_urls(settings);
            std::fs::write(folder.join("powerfill.toml"), settings).expect("settings are written");
        }
        let words = step.command.split_whitespace().map(|word| with_absolute_path(word, &root));
        let words: Vec<String> = words.map(|word| databases.replace_urls(&word)).collect();
        let done = Command::new(env!("CARGO_BIN_EXE_powerfill"))
            .args(words)
            .current_dir(folder)
            .env("POWERFILL_REQUESTED_BY", "desk")
            .output()
            .expect("powerfill starts");
        let printed = String::from_utf8(done.stdout).expect("UTF-8");
        let errors = String::from_utf8_lossy(&done.stderr);
        let must_succeed = step.failure.is_none();
        assert_eq!(done.status.success(), must_succeed, "{name}: {}: {errors}", step.command);
        let lines: Vec<&str> = printed.lines().chain(step.failure.as_deref()).collect();
        assert!(
            lines_match(&step.expected, &lines),
            "{name}: {} prints\n{printed}\nthe document says\n{}",
            step.command,
            step.expected.join("\n")
        );
    }
    steps.len()
}

#[test]
fn the_commands_of_the_first_pages_print_what_is_shown() {
    let folder = tempfile::tempdir().expect("a new folder");
    let run: usize =
        ["README.md", "docs/DAY_ONE.md"].map(|name| run_session(name, folder.path())).iter().sum();
    assert!(run >= 7, "the documents have no sessions: {run} commands");
}

#[test]
fn the_commands_of_each_guide_print_what_is_shown() {
    let guides = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/guides");
    let mut names: Vec<String> = std::fs::read_dir(guides)
        .expect("the guides exist")
        .map(|guide| guide.expect("a guide").file_name().into_string().expect("UTF-8"))
        // The guide of SQL Server needs a server: `sqlserver::guide` runs its session.
        .filter(|name| name.ends_with(".md") && name != "sqlserver.md")
        .collect();
    names.sort();
    assert!(!names.is_empty());
    let names = std::sync::Mutex::new(names);
    let next = || names.lock().expect("no session has failed").pop();
    let run_sessions = || {
        while let Some(name) = next() {
            let folder = tempfile::tempdir().expect("a new folder");
            let run = run_session(&format!("docs/guides/{name}"), folder.path());
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
