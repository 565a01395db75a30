//! What documents and comments refer to exists: sections and parts of the specification, entries
//! of the assumptions, files of the repository, and headings.

mod citations;
mod links;
mod paths;

use powerfill_tests::repository::{files, text};

/// A line of prose or of a comment, and its place: `docs/ASSUMPTIONS.md:12`.
pub(crate) struct Line {
    pub(crate) place: String,
    pub(crate) text: String,
}

/// The documents, with their texts.
pub(crate) fn documents() -> impl Iterator<Item = (String, String)> {
    let all = files().into_iter();
    let documents = all
        .filter(|file| file == "README.md" || file.starts_with("docs/") && file.ends_with(".md"));
    documents.map(|file| (file.clone(), text(&file)))
}

/// The lines of a document that are outside of its code blocks.
pub(crate) fn prose(file: &str, document: &str) -> Vec<Line> {
    let mut in_block = false;
    let mut lines = Vec::new();
    for (at, line) in document.lines().enumerate() {
        if line.trim_start().starts_with("```") {
            in_block = !in_block;
        } else if !in_block {
            lines.push(Line { place: format!("{file}:{}", at + 1), text: line.to_owned() });
        }
    }
    lines
}

/// Replaces what is in backticks: code cites nothing.
pub(crate) fn without_code(line: &str) -> String {
    line.split('`').enumerate().map(|(n, part)| if n % 2 == 0 { part } else { "code" }).collect()
}

/// The anchor that GitHub gives a heading.
pub(crate) fn slug(heading: &str) -> String {
    let kept = heading.chars().filter(|c| c.is_alphanumeric() || " -_".contains(*c));
    kept.flat_map(char::to_lowercase).map(|c| if c == ' ' { '-' } else { c }).collect()
}

/// Whether a pattern, in which `*` is any text within a name, fits a path from its beginning to
/// its end or to a folder.
pub(crate) fn fits(pattern: &str, path: &str) -> bool {
    let mut names = path.split('/');
    pattern.split('/').all(|part| {
        let Some(name) = names.next() else { return false };
        match part.split_once('*') {
            None => part == name,
            Some((begin, end)) => {
                name.len() >= begin.len() + end.len()
                    && name.starts_with(begin)
                    && name.ends_with(end)
            }
        }
    })
}

pub(crate) fn assert_none(what: &str, found: &[String]) {
    assert!(found.is_empty(), "{what}:\n{}", found.join("\n"));
}
