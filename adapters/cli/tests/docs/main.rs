//! The `console` blocks of the documents: each `$ powerfill …` line is run, in order, in a new
//! folder, prints what the document says, and ends well; one with ` || echo WORD` behind it does
//! not, and prints the word. `[..]` stands for any text within a line, a line `...` for any number
//! of lines. A `toml` block that begins with `# powerfill.toml` is that file from there on. A
//! document with other commands is a session of bash: `shell`. Each `postgres://…@db.example/NAME`
//! is a database of its own in the tests' server, empty at first.

#[cfg(unix)]
mod shell;

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

use powerfill_tests::postgres::TestDatabase;

/// A command of a document, the settings it begins with where they are new, the word that stands
/// for another end than a good one, and what it should print.
struct Step {
    settings: Option<String>,
    command: String,
    otherwise: Option<String>,
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
                    let (command, otherwise) = match command.split_once(" || echo ") {
                        Some((command, word)) => (command, Some(word.to_owned())),
                        None => (command, None),
                    };
                    let command = command.to_owned();
                    let settings = settings.take();
                    steps.push(Step { settings, command, otherwise, expected: Vec::new() });
                }
                (None, Some(step)) => step.expected.push(line.to_owned()),
                (None, None) => panic!("output before a command: {line}"),
            },
        }
    }
    steps
}

/// Whether a line is what the document says, blanks folded, since columns are as wide as their
/// numbers.
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

/// A word of a command, a path of the project made absolute, since the session is in another
/// folder.
fn placed(word: &str, root: &Path) -> String {
    let (kind, path) = match word.split_once(':') {
        Some((kind, path)) => (format!("{kind}:"), path),
        None => (String::new(), word),
    };
    match path.starts_with("tests/") || path.starts_with("docs/") {
        true => format!("{kind}{}", root.join(path).display()),
        false => word.to_owned(),
    }
}

/// The databases of a session, by their names in the document.
#[derive(Default)]
struct Databases(BTreeMap<String, (TestDatabase, String)>);

impl Databases {
    /// A text with each `postgres://…@db.example/NAME` in place.
    fn placed(&mut self, text: &str) -> String {
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
        // Encryption is not the tests' server's.
        let after = after.trim_start_matches("?sslmode=verify-full");
        let placed = format!("{before}{url}");
        placed + &self.placed(after)
    }
}

/// Runs the session of a document in a folder; how many commands it had.
fn run_session(name: &str, folder: &Path) -> usize {
    let mut databases = Databases::default();
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let document = std::fs::read_to_string(root.join(name)).expect("a document");
    #[cfg(unix)]
    if shell::is_for(&document) {
        return shell::run_session(name, &document, folder);
    }
    let steps = steps(&document);
    for step in &steps {
        if let Some(settings) = &step.settings {
            let settings = databases.placed(settings);
            std::fs::write(folder.join("powerfill.toml"), settings).expect("settings are written");
        }
        let words = step.command.split_whitespace().map(|word| placed(word, &root));
        let words: Vec<String> = words.map(|word| databases.placed(&word)).collect();
        let done = Command::new(env!("CARGO_BIN_EXE_powerfill"))
            .args(words)
            .current_dir(folder)
            .env("POWERFILL_REQUESTED_BY", "desk")
            .output()
            .expect("powerfill starts");
        let printed = String::from_utf8(done.stdout).expect("UTF-8");
        let errors = String::from_utf8_lossy(&done.stderr);
        let ends_well = step.otherwise.is_none();
        assert_eq!(done.status.success(), ends_well, "{name}: {}: {errors}", step.command);
        let lines: Vec<&str> = printed.lines().chain(step.otherwise.as_deref()).collect();
        assert!(
            fits(&step.expected, &lines),
            "{name}: {} prints\n{printed}\nthe document says\n{}",
            step.command,
            step.expected.join("\n")
        );
    }
    steps.len()
}

#[test]
fn the_commands_of_the_first_pages_print_what_they_say() {
    let folder = tempfile::tempdir().expect("a new folder");
    let run: usize =
        ["README.md", "docs/DAY_ONE.md"].map(|name| run_session(name, folder.path())).iter().sum();
    assert!(run >= 7, "the documents have lost their sessions: {run} commands");
}

#[test]
fn the_commands_of_each_guide_print_what_it_says() {
    let guides = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/guides");
    let mut names: Vec<String> = std::fs::read_dir(guides)
        .expect("the guides are there")
        .map(|guide| guide.expect("a guide").file_name().into_string().expect("UTF-8"))
        // The one of SQL Server needs one: `sqlserver::guide` goes through its session.
        .filter(|name| name.ends_with(".md") && name != "sqlserver.md")
        .collect();
    names.sort();
    assert!(!names.is_empty());
    for name in names {
        let folder = tempfile::tempdir().expect("a new folder");
        let run = run_session(&format!("docs/guides/{name}"), folder.path());
        assert!(run >= 3, "{name} has lost its session: {run} commands");
    }
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
