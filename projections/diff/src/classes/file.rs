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
use crate::side::by_name;

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

pub(super) fn read(name: &str, text: &str) -> Result<Classifications, ClassificationError> {
    let line = |span: &Range<usize>| {
        1 + text.as_bytes().iter().take(span.start).filter(|byte| **byte == b'\n').count()
    };
    let fault = |span: Range<usize>, what: String| ClassificationError {
        file: name.to_owned(),
        line: line(&span),
        what,
    };
    let file: File = toml::from_str(text)
        .map_err(|error| fault(error.span().unwrap_or_default(), error.message().to_owned()))?;
    let entries = file.difference.into_iter().map(|entry| {
        let span = entry.span();
        read_entry(line(&span), entry.into_inner(), &fault)
    });
    Ok(Classifications { entries: entries.collect::<Result<_, _>>()? })
}

fn read_entry(
    line: usize,
    file: EntryFile,
    fault: &impl Fn(Range<usize>, String) -> ClassificationError,
) -> Result<ClassificationEntry, ClassificationError> {
    let class = match file.class.get_ref().as_str() {
        "" => None,
        name => match DifferenceClass::ALL.into_iter().find(|class| class.name() == name) {
            Some(class) => Some(class),
            None => {
                let what =
                    format!("no class {name}; it is bug, enhancement or acceptable_variation");
                return Err(fault(file.class.span(), what));
            }
        },
    };
    let table = match file.table.get_ref().as_str() {
        ANY_TABLE => None,
        name => match by_name(name) {
            Some((at, _)) => Some(at),
            None => {
                let names: Vec<&str> = ALL.iter().map(|table| table.name).collect();
                let what =
                    format!("no output table {name}; there are {}, or * for any", names.join(", "));
                return Err(fault(file.table.span(), what));
            }
        },
    };
    let column = |name: &Spanned<String>| {
        let known = |at: usize| ALL[at].position(name.get_ref()).is_some();
        match table.map_or_else(|| (0..ALL.len()).any(known), known) {
            true => Ok(name.get_ref().clone()),
            false => {
                let what = format!("{} has no column {}", file.table.get_ref(), name.get_ref());
                Err(fault(name.span(), what))
            }
        }
    };
    let verdict = match &file.verdict {
        None => None,
        Some(name) => match RowVerdict::from_name(name.get_ref()) {
            Some(verdict) => Some(verdict),
            None => {
                let names = RowVerdict::DIFFERENCES.map(RowVerdict::name).join(", ");
                let what = format!("no verdict {}; there are {names}", name.get_ref());
                return Err(fault(name.span(), what));
            }
        },
    };
    let date = match &file.date {
        None => None,
        Some(date) => match date.get_ref().date {
            Some(day) => Some(day.to_string()),
            None => {
                return Err(fault(date.span(), "a date is YYYY-MM-DD, without quotes".to_owned()));
            }
        },
    };
    let columns = file.columns.as_ref().map(|columns| columns.iter().map(&column).collect());
    let mut key = Vec::new();
    for (name, texts) in &file.key {
        let texts = match texts {
            OneOrMore::One(text) => std::slice::from_ref(text),
            OneOrMore::More(texts) => texts,
        };
        let matcher = text_matcher(texts).map_err(|what| fault(name.span(), what))?;
        key.push((column(name)?, matcher));
    }
    let columns = columns.transpose()?;
    Ok(ClassificationEntry { line, class, note: file.note, date, table, verdict, columns, key })
}

/// A text with a wildcard is a pattern: `*` matches any text, `?` any character, `[ab]` one of these
/// characters, and `{x,y}` one of these texts. After `\`, they have no special meaning.
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
