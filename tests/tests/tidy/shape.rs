//! The shape of sources: short files, short functions, narrow comments.

use std::collections::{BTreeMap, BTreeSet};

use powerfill_tests::repository::sources;

/// Lines of a file: what one sitting takes.
const FILE_LINES: usize = 450;

/// Lines of a function, its signature and closing brace included.
const FUNCTION_LINES: usize = 60;

/// Characters of a line of comment.
const COLUMNS: usize = 100;

/// Longer files, and why.
const LONGER_FILES: &[(&str, &str)] = &[
    ("tests/model/src/passes.rs", "follows 2.7 of the specification line by line"),
    ("tests/model/tests/engine/books.rs", "makes every table of a book, one function per table"),
];

/// Longer functions, and why.
const LONGER_FUNCTIONS: &[(&str, &str)] = &[
    ("adapters/http/src/document/mod.rs: operation", "one branch per event, field, or answer"),
    ("adapters/postgres/src/append.rs: finish_append", "one branch per event, field, or answer"),
    (
        "adapters/sqlserver/tests/mock/main.rs: every_type_is_read_exactly_or_rejected",
        "one case per line",
    ),
    (
        "domain/snapshot/src/rules/tests/accepted.rs: every_feature_against_four_loans",
        "one case per line",
    ),
    ("domain/snapshot/src/rules/tests/refused.rs: sql_that_is_not_a_rule", "one case per line"),
    ("projections/tables/src/event_index/mod.rs: apply", "one branch per event, field, or answer"),
    ("tests/tests/aggregate/main.rs: broken_rules", "one case per line"),
    ("tests/tests/contracts/asyncapi.rs: document", "one case per line"),
    (
        "tests/tests/http/configuration.rs: nodes_and_rules_are_added_changed_linked_and_removed",
        "one case per line",
    ),
    (
        "tests/tests/postgres_faults.rs: no_event_is_missed_or_doubled_while_the_server_restarts",
        "one case per line",
    ),
    ("tests/tests/postgres_faults.rs: errors_of_the_server_are_classified", "one case per line"),
    (
        "tests/tests/postgres_tampering.rs: a_change_in_any_column_of_any_row_is_found",
        "one case per line",
    ),
    (
        "tests/tests/runner/replaying.rs: a_forged_event_of_any_type_is_named_with_its_field",
        "one case per line",
    ),
    (
        "tests/tests/runner/telling.rs: an_edited_entry_of_an_index_is_named_with_its_run",
        "one case per line",
    ),
];

/// A function of a source: its name, and how many lines it has. Sources are formatted, so that the
/// closing brace stands in the column in which the function begins.
fn functions(source: &str) -> Vec<(String, usize)> {
    let lines: Vec<&str> = source.lines().collect();
    let mut functions = Vec::new();
    for (first, line) in lines.iter().enumerate() {
        let indent = line.len() - line.trim_start().len();
        let words: Vec<&str> = line.trim_start().split(' ').collect();
        let Some(at) = words.iter().position(|word| *word == "fn") else { continue };
        let identifier =
            words.get(at + 1).is_some_and(|name| name.starts_with(char::is_alphabetic));
        let before = &words[..at];
        let modifier = |word: &&str| ["const", "async"].contains(word) || word.starts_with("pub");
        if !identifier || !before.iter().all(modifier) || line.ends_with(';') || line.ends_with('}')
        {
            continue;
        }
        let end = format!("{}}}", &line[..indent]);
        let Some(length) = lines[first..].iter().position(|line| *line == end) else { continue };
        let name = words[at + 1].split(['(', '<']).next().unwrap_or_default();
        functions.push((name.to_owned(), length + 1));
    }
    functions
}

/// Fails where something exceeds its bound without a reason, or has a reason and does not exceed
/// it.
fn assert_exceptions(over: &BTreeMap<String, usize>, listed: &[(&str, &str)], bound: usize) {
    let listed: BTreeSet<&str> = listed.iter().map(|(name, _)| *name).collect();
    let unlisted: Vec<_> =
        over.iter().filter(|(name, _)| !listed.contains(name.as_str())).collect();
    assert!(unlisted.is_empty(), "longer than {bound} lines: {unlisted:#?}");
    let stale: Vec<_> = listed.iter().filter(|name| !over.contains_key(**name)).collect();
    assert!(stale.is_empty(), "exceptions that are not needed any more: {stale:?}");
}

#[test]
fn files_are_short_and_say_what_they_are() {
    let mut over = BTreeMap::new();
    for (file, source) in sources() {
        assert!(source.starts_with("//! "), "{file} does not say what it is");
        let lines = source.lines().count();
        if lines > FILE_LINES {
            over.insert(file, lines);
        }
    }
    assert_exceptions(&over, LONGER_FILES, FILE_LINES);
}

#[test]
fn functions_are_short() {
    let mut over = BTreeMap::new();
    for (file, source) in sources() {
        for (name, lines) in functions(&source) {
            if lines > FUNCTION_LINES {
                over.insert(format!("{file}: {name}"), lines);
            }
        }
    }
    assert_exceptions(&over, LONGER_FUNCTIONS, FUNCTION_LINES);
}

/// Code is kept narrow by rustfmt, which leaves alone what would break a text.
#[test]
fn comments_are_narrow() {
    let mut wide = Vec::new();
    for (file, source) in sources() {
        for (number, line) in (1..).zip(source.lines()) {
            if line.trim_start().starts_with("//") && line.chars().count() > COLUMNS {
                wide.push(format!("{file}:{number}"));
            }
        }
    }
    assert!(wide.is_empty(), "{} lines are wider than {COLUMNS}: {wide:#?}", wide.len());
}

#[test]
fn functions_are_found_with_their_lengths() {
    let source = "pub(crate) async fn a<T>(\n    t: T,\n) {\n    b();\n}\n\nfn c() {}\n\nimpl D {\n    fn e() {\n        f();\n    }\n}\n";
    assert_eq!(functions(source), [("a".to_owned(), 5), ("e".to_owned(), 3)]);
}
