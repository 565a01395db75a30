//! Reads the classification file.

use std::collections::BTreeMap;
use std::ops::Range;

use globset::GlobBuilder;
use powerfill_events::values::fold;
use powerfill_tables::tables::ALL;
use serde::Deserialize;
use toml::Spanned;
use toml::value::Datetime;

use super::{
    ClassificationEntry, ClassificationError, Classifications, DifferenceClass, TextMatcher,
};
use crate::compare::RowVerdict;
use crate::side::{by_name, table_names};

/// The name that means any table.
const ANY_TABLE: &str = "*";

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    difference: Vec<Spanned<EntryFile>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct EntryFile {
    class: Spanned<String>,
    #[serde(default)]
    note: String,
    date: Option<Spanned<Datetime>>,
    table: Spanned<String>,
    verdict: Option<Spanned<String>>,
    columns: Option<Vec<Spanned<String>>>,
    #[serde(default)]
    key: BTreeMap<Spanned<String>, OneOrMore>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum OneOrMore {
    One(String),
    More(Vec<String>),
}

/// A fault with its place in the file.
type Fault = (Range<usize>, String);

pub(super) fn read(name: &str, text: &str) -> Result<Classifications, ClassificationError> {
    let line = |span: &Range<usize>| {
        1 + text.as_bytes().iter().take(span.start).filter(|byte| **byte == b'\n').count()
    };
    let error = |(span, what): Fault| ClassificationError {
        file: name.to_owned(),
        line: line(&span),
        what,
    };
    let file: File = toml::from_str(text)
        .map_err(|fault| error((fault.span().unwrap_or_default(), fault.message().to_owned())))?;
    let entries = file.difference.into_iter().map(|entry| {
        let line = line(&entry.span());
        read_entry(line, entry.into_inner()).map_err(error)
    });
    Ok(Classifications { entries: entries.collect::<Result<_, _>>()? })
}

fn read_entry(line: usize, file: EntryFile) -> Result<ClassificationEntry, Fault> {
    let class = read_class(&file.class)?;
    let table = read_table(&file.table)?;
    let column = |name: &Spanned<String>| {
        let known = |at: usize| ALL[at].position(name.get_ref()).is_some();
        match table.map_or_else(|| (0..ALL.len()).any(known), known) {
            true => Ok(name.get_ref().clone()),
            false => {
                let what = format!("{} has no column {}", file.table.get_ref(), name.get_ref());
                Err((name.span(), what))
            }
        }
    };
    let verdict = file.verdict.as_ref().map(read_verdict).transpose()?;
    let date = file.date.as_ref().map(read_date).transpose()?;
    let mut key = Vec::new();
    for (name, texts) in &file.key {
        let texts = match texts {
            OneOrMore::One(text) => std::slice::from_ref(text),
            OneOrMore::More(texts) => texts,
        };
        let matcher = text_matcher(texts).map_err(|what| (name.span(), what))?;
        key.push((column(name)?, matcher));
    }
    let columns = file.columns.as_ref().map(|columns| columns.iter().map(&column).collect());
    let columns = columns.transpose()?;
    Ok(ClassificationEntry { line, class, note: file.note, date, table, verdict, columns, key })
}

fn read_class(name: &Spanned<String>) -> Result<Option<DifferenceClass>, Fault> {
    let text = name.get_ref().as_str();
    let class = DifferenceClass::ALL.into_iter().find(|class| class.name() == text);
    match class {
        None if !text.is_empty() => {
            let what = format!("no class {text}; it is bug, enhancement or acceptable_variation");
            Err((name.span(), what))
        }
        class => Ok(class),
    }
}

/// The position of the table; `None` for any table.
fn read_table(name: &Spanned<String>) -> Result<Option<usize>, Fault> {
    let text = name.get_ref().as_str();
    match by_name(text) {
        None if text != ANY_TABLE => {
            let what = format!("no output table {text}; there are {}, or * for any", table_names());
            Err((name.span(), what))
        }
        table => Ok(table.map(|(at, _)| at)),
    }
}

fn read_verdict(name: &Spanned<String>) -> Result<RowVerdict, Fault> {
    RowVerdict::from_name(name.get_ref()).ok_or_else(|| {
        let names = RowVerdict::DIFFERENCES.map(RowVerdict::name).join(", ");
        (name.span(), format!("no verdict {}; there are {names}", name.get_ref()))
    })
}

fn read_date(date: &Spanned<Datetime>) -> Result<String, Fault> {
    let day = date.get_ref().date.map(|day| day.to_string());
    day.ok_or_else(|| (date.span(), "a date is YYYY-MM-DD, without quotes".to_owned()))
}

/// A text with a wildcard is a pattern: `*` matches any text, `?` any character, `[ab]` one of
/// these characters, and `{x,y}` one of these texts. After `\`, they have no special meaning.
fn text_matcher(texts: &[String]) -> Result<TextMatcher, String> {
    let mut matcher = TextMatcher::default();
    for text in texts {
        if text.contains(['*', '?', '[', '{', '\\']) {
            let glob = GlobBuilder::new(&fold(text)).backslash_escape(true).build();
            matcher.patterns.push(glob.map_err(|error| error.to_string())?.compile_matcher());
        } else {
            matcher.literal.insert(fold(text));
        }
    }
    Ok(matcher)
}
