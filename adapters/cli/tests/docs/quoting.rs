//! The examples of the documents and of the help are quoted, so that bash, zsh, and PowerShell take
//! them as they are written.

use std::path::Path;
use std::process::Command;

use crate::top;

/// Every Markdown file of the repository that users read.
fn documents(folder: &Path, found: &mut Vec<std::path::PathBuf>) {
    for entry in std::fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            documents(&path, found);
        } else if path.extension().is_some_and(|ending| ending == "md") {
            found.push(path);
        }
    }
}

/// The scripts in the `sh` blocks and the commands in the `console` blocks of a document.
fn commands(document: &str) -> Vec<String> {
    let mut commands: Vec<String> = Vec::new();
    let mut block = "";
    for line in document.lines() {
        if let Some(kind) = line.strip_prefix("```") {
            block = kind;
            commands.extend((kind == "sh").then(String::new));
            continue;
        }
        let continued = match block {
            "sh" => Some(line),
            "console" => line.strip_prefix("> "),
            _ => None,
        };
        match (continued, commands.last_mut()) {
            (Some(line), Some(last)) => *last += &format!("{line}\n"),
            _ if block == "console" => {
                commands.extend(line.strip_prefix("$ ").map(|command| format!("{command}\n")));
            }
            _ => {}
        }
    }
    commands
}

/// The words of a `powerfill` command that a shell would change: unquoted, with a character that
/// stands for file names (zsh refuses such a word if no file matches), ends the command,
/// redirects it, or makes several words of it (a comma in PowerShell).
fn unquoted_words(command: &str) -> Vec<String> {
    let Some((_, call)) = command.split_once("powerfill ") else { return Vec::new() };
    let call = call.split(" # ").next().unwrap_or_default();
    let mut words = vec![String::new()];
    let mut quote = None;
    for character in call.chars() {
        match (quote, character) {
            (None, '\'' | '"') => quote = Some(character),
            (Some(open), close) if open == close => quote = None,
            (Some(_), _) => {}
            (None, ' ') => words.push(String::new()),
            (None, other) => words.last_mut().expect("a word").push(other),
        }
    }
    let is_operator = |word: &str| matches!(word, ">" | "2>" | "|" | "||" | "&" | "&&" | "<");
    let ended = words.iter().position(|word| is_operator(word)).unwrap_or(words.len());
    words.truncate(ended);
    words.retain(|word| word.contains(['?', '*', '[', '&', '>', '<', ';', '|', '`', ',']));
    words
}

#[test]
fn examples_are_quoted_for_every_shell() {
    let mut found = vec![top().join("README.md")];
    documents(&top().join("docs"), &mut found);
    let mut checked = 0;
    for path in found {
        let document = std::fs::read_to_string(&path).expect("a document");
        for command in commands(&document) {
            checked += 1;
            let parsed = Command::new("bash").args(["-n", "-c", &command]).output();
            let parsed = parsed.expect("bash starts");
            let errors = String::from_utf8_lossy(&parsed.stderr);
            assert!(parsed.status.success(), "{}: {command}: {errors}", path.display());
            let unquoted: Vec<String> = command.lines().flat_map(unquoted_words).collect();
            assert!(unquoted.is_empty(), "{}: {command}: quote {unquoted:?}", path.display());
        }
    }
    assert!(checked >= 100, "the documents have {checked} commands");
}

#[test]
fn words_that_a_shell_changes_are_found() {
    for (command, unquoted) in [
        ("powerfill check 'postgres://u@h/d?schema=s'", vec![]),
        ("powerfill check postgres://u@h/d?schema=s", vec!["postgres://u@h/d?schema=s"]),
        ("powerfill add rule rule_syntax=fico>>700 || echo no", vec!["rule_syntax=fico>>700"]),
        ("powerfill add rule \"rule_syntax=fico>>700\" || echo no", vec![]),
        ("powerfill runs --format csv > runs.csv", vec![]),
        ("powerfill try --matrix buffer=0,3 'price_mode=po,pc'", vec!["buffer=0,3"]),
    ] {
        assert_eq!(unquoted_words(command), unquoted, "{command}");
    }
}
