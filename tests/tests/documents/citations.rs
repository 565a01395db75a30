//! Sections, parts, and names of the specification, assumptions, and business rules that comments
//! and documents cite.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use powerfill_tests::repository::{files, text};

use crate::{Line, assert_none, documents, prose, slug, without_code};

/// Products whose releases look like sections.
const PRODUCTS: &[&str] = &[
    "AsyncAPI",
    "Babelfish",
    "CloudEvent",
    "CloudEvents",
    "Node",
    "OpenAPI",
    "PgBouncer",
    "Python",
    "Rust",
    "TLS",
    "nginx",
];

/// What follows a measure.
const UNITS: &[&str] = &["%", "×", "s", "ms", "MiB", "GiB", "MB", "GB", "million", "points", "bp"];

/// A page of measurements, where a number is a section only behind the word "specification".
const MEASUREMENTS: &str = "docs/benchmarks.md";

/// The comments of a source or script.
fn comments(file: &str, source: &str) -> Vec<Line> {
    let mark = match file.rsplit('.').next() {
        Some("rs") => "//",
        Some("sql") => "--",
        Some("sh" | "toml" | "py") => "# ",
        _ => return Vec::new(),
    };
    let mut lines = Vec::new();
    for (at, line) in source.lines().enumerate() {
        // A mark behind code has a blank before it; that of a URL in a string has none.
        let begin = line
            .match_indices(mark)
            .find(|(begin, _)| line[..*begin].chars().next_back().is_none_or(char::is_whitespace));
        if let Some((begin, _)) = begin {
            let text = line[begin..].trim_start_matches(['/', '!', '-', '#']).to_owned();
            lines.push(Line { place: format!("{file}:{}", at + 1), text });
        }
    }
    lines
}

/// Every line that may cite something: comments and prose, except in generated files and data.
fn citing_lines() -> Vec<Line> {
    let generated = ["docs/reference/", "tests/golden/", "tests/conformance/"];
    let mut lines = Vec::new();
    for file in files() {
        if generated.iter().any(|folder| file.starts_with(folder)) {
            continue;
        }
        lines.extend(match file.ends_with(".md") {
            true => prose(&file, &text(&file)),
            false => comments(&file, &text(&file)),
        });
    }
    lines
}

fn words(line: &str) -> Vec<String> {
    let line = without_code(line);
    let trim = |word: &str| word.trim_matches(|c| "()[],;:.*'".contains(c)).to_owned();
    line.split(|c: char| c.is_whitespace() || c == '–').map(trim).collect()
}

/// Whether a word looks like the number of a section.
fn is_number(word: &str) -> bool {
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    word.split_once('.').is_some_and(|(part, section)| {
        part.len() == 1 && part != "0" && digits(part) && section.len() <= 2 && digits(section)
    })
}

/// The sections that a line cites: every number of their form that is neither the release of a
/// product nor a measure with its unit. Any other number must be in backticks.
fn cited_sections(line: &Line) -> Vec<String> {
    let words = words(&line.text);
    let word = |at: usize| words.get(at).map_or("", String::as_str);
    let is_measure = |at: usize| {
        UNITS.contains(&word(at + 1)) || word(at + 1) == "to" && UNITS.contains(&word(at + 3))
    };
    let cites = |at: &usize| {
        let before = at.checked_sub(1).map_or("", word);
        match line.place.starts_with(MEASUREMENTS) {
            true => before == "specification",
            false => !PRODUCTS.contains(&before) && !is_measure(*at),
        }
    };
    let numbers = (0..words.len()).filter(|at| is_number(word(*at)));
    numbers.filter(cites).map(|at| word(at).to_owned()).collect()
}

/// The parts that a line cites: `part 2`, `parts 1 to 4`.
fn cited_parts(line: &Line) -> Vec<String> {
    let words = words(&line.text);
    let mut parts = Vec::new();
    for (at, word) in words.iter().enumerate() {
        if !["part", "parts"].contains(&word.to_lowercase().as_str()) {
            continue;
        }
        let behind = words[at + 1..].iter().take_while(|next| {
            ["and", "to"].contains(&next.as_str()) || next.bytes().all(|b| b.is_ascii_digit())
        });
        parts.extend(behind.filter(|next| next.parse::<u8>().is_ok()).cloned());
    }
    parts
}

/// The entries that a line cites: `I-1`, `A-21`, `BR-8`.
fn cited_entries(line: &Line) -> Vec<String> {
    let is_entry = |word: &String| {
        word.split_once('-').is_some_and(|(kind, number)| {
            ["I", "A", "BR"].contains(&kind) && number.parse::<u16>().is_ok()
        })
    };
    words(&line.text).into_iter().filter(is_entry).collect()
}

/// The specification: the text of each section by its number, and the numbers of the parts.
struct Specification {
    sections: BTreeMap<String, String>,
    parts: BTreeSet<String>,
}

impl Specification {
    fn read() -> Self {
        let mut read = Self { sections: BTreeMap::new(), parts: BTreeSet::new() };
        for (file, document) in documents() {
            if !file.starts_with("docs/specification/") {
                continue;
            }
            let mut section = None;
            for line in document.lines() {
                let number = |level: &str| {
                    let heading = line.strip_prefix(level)?;
                    Some(heading.split([' ', ':']).next().unwrap_or_default().to_owned())
                };
                if let Some(part) = number("# Part ") {
                    assert!(read.parts.insert(part), "{file}: {line} is there twice");
                } else if let Some(found) = number("## ").filter(|number| is_number(number)) {
                    let former = read.sections.insert(found.clone(), String::new());
                    assert!(former.is_none(), "{file}: {line} is there twice");
                    section = Some(found);
                } else if let Some(text) = section.as_ref().and_then(|s| read.sections.get_mut(s)) {
                    writeln!(text, "{line}").expect("a String takes every text");
                }
            }
        }
        read
    }
}

/// The first cells of the rows of a document's tables.
fn entries(file: &str) -> BTreeSet<String> {
    let document = text(file);
    let rows = document.lines().filter_map(|line| line.strip_prefix("| "));
    rows.filter_map(|row| row.split_once(" |")).map(|(cell, _)| cell.to_owned()).collect()
}

#[test]
fn cited_sections_and_parts_of_the_specification_exist() {
    let specification = Specification::read();
    let lines = citing_lines();
    let mut missing = Vec::new();
    let mut cited = BTreeSet::new();
    for line in &lines {
        for section in cited_sections(line) {
            if !specification.sections.contains_key(&section) {
                missing.push(format!("{}: {section}: {}", line.place, line.text.trim()));
            }
            cited.insert(section);
        }
        for part in cited_parts(line).iter().filter(|p| !specification.parts.contains(*p)) {
            missing.push(format!("{}: part {part}: {}", line.place, line.text.trim()));
        }
    }
    assert_none("no such section (a number that cites none goes into backticks)", &missing);
    let sections: BTreeSet<String> = specification.sections.into_keys().collect();
    assert_eq!(cited, sections, "a section that nothing cites, or a scanner that misses citations");
}

/// `specification 3.4 `diff`` and `2.3 `payup`` name what the section has, letter by letter.
#[test]
fn a_name_behind_a_cited_section_is_in_that_section() {
    let specification = Specification::read();
    let mut missing = Vec::new();
    let mut found = 0;
    for line in citing_lines() {
        let spans: Vec<&str> = line.text.split('`').collect();
        for pair in spans.windows(2).step_by(2) {
            let number = pair[0].trim_end_matches([' ', ':']).rsplit([' ', '(']).next();
            let section = number.and_then(|number| specification.sections.get(number));
            if pair[0].ends_with([' ', ':']) && section.is_some() {
                found += 1;
                if !section.is_some_and(|text| text.contains(pair[1])) {
                    missing.push(format!("{}: {}", line.place, line.text.trim()));
                }
            }
        }
    }
    assert_none("the section has no such name", &missing);
    assert!(found > 10, "the scanner found only {found}");
}

#[test]
fn cited_assumptions_and_business_rules_exist() {
    let mut known = entries("docs/ASSUMPTIONS.md");
    known.extend(entries("docs/specification/README.md"));
    let mut missing = Vec::new();
    for line in citing_lines() {
        for entry in cited_entries(&line).iter().filter(|entry| !known.contains(*entry)) {
            missing.push(format!("{}: {entry}: {}", line.place, line.text.trim()));
        }
    }
    assert_none("no such entry", &missing);
}

#[test]
fn every_section_of_the_specification_is_in_its_table_of_contents() {
    let contents = text("docs/specification/README.md");
    let mut missing = Vec::new();
    for (file, document) in documents() {
        let Some(name) = file.strip_prefix("docs/specification/") else { continue };
        for line in document.lines().filter_map(|line| line.strip_prefix("## ")) {
            let number = line.split(' ').next().unwrap_or_default();
            if is_number(number) && !contents.contains(&format!("[{line}]({name}#{})", slug(line)))
            {
                missing.push(format!("{file}: {line}"));
            }
        }
    }
    assert_none("not in docs/specification/README.md", &missing);
}
