//! Hidden rows and columns of a sheet. The reader of cells does not tell them, so they are taken
//! from the tags of the sheet's part, which has no comments and no CDATA ([`crate::package`]).

use std::collections::HashSet;
use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::ops::RangeInclusive;
use std::path::Path;

use zip::ZipArchive;

/// The hidden rows and columns of a sheet, from 0.
#[derive(Debug, Default)]
pub(crate) struct HiddenParts {
    pub(crate) rows: HashSet<u32>,
    columns: Vec<RangeInclusive<u32>>,
}

impl HiddenParts {
    pub(crate) fn has_column(&self, column: u32) -> bool {
        self.columns.iter().any(|range| range.contains(&column))
    }

    /// Reads the hidden parts of a sheet; none if the package is of an unusual form.
    pub(crate) fn read(path: &Path, sheet: &str) -> Self {
        Self::of_sheet(path, sheet).unwrap_or_default()
    }

    fn of_sheet(path: &Path, sheet: &str) -> Option<Self> {
        let mut package = ZipArchive::new(BufReader::new(File::open(path).ok()?)).ok()?;
        let mut id = None;
        for_each_tag(package.by_name("xl/workbook.xml").ok()?, |tag| {
            if local_name(tag) == "sheet" && attribute(tag, "name") == Some(sheet) {
                id = attribute(tag, "id").map(str::to_owned);
            }
        });
        let (id, mut target) = (id?, None);
        for_each_tag(package.by_name("xl/_rels/workbook.xml.rels").ok()?, |tag| {
            if attribute(tag, "Id") == Some(&id) {
                target = attribute(tag, "Target").map(str::to_owned);
            }
        });
        let target = target?;
        let part = match target.strip_prefix('/') {
            Some(absolute) => absolute.to_owned(),
            None => format!("xl/{target}"),
        };
        let (mut hidden, mut next_row) = (Self::default(), 0);
        for_each_tag(package.by_name(&part).ok()?, |tag| match local_name(tag) {
            "row" => {
                let number = attribute(tag, "r").and_then(|row| row.parse::<u32>().ok());
                let row = number.map_or(next_row, |row| row.saturating_sub(1));
                next_row = row + 1;
                if is_hidden(tag, "ht") {
                    hidden.rows.insert(row);
                }
            }
            "col" if is_hidden(tag, "width") => {
                let number = |name| attribute(tag, name)?.parse::<u32>().ok()?.checked_sub(1);
                if let (Some(first), Some(last)) = (number("min"), number("max")) {
                    hidden.columns.push(first..=last);
                }
            }
            _ => {}
        });
        Some(hidden)
    }
}

fn is_hidden(tag: &str, size: &str) -> bool {
    let is_zero = |text: &str| text.bytes().all(|b| matches!(b, b'0' | b'.')) && !text.is_empty();
    matches!(attribute(tag, "hidden"), Some("1" | "true"))
        || attribute(tag, size).is_some_and(is_zero)
}

/// Passes each tag without its brackets. Stops at the first byte that cannot be read: the reader of
/// cells reports it.
fn for_each_tag(part: impl Read, mut visit: impl FnMut(&str)) {
    let (mut part, mut bytes) = (BufReader::new(part), Vec::new());
    while part.read_until(b'>', &mut bytes).is_ok_and(|read| read > 0) {
        let text = String::from_utf8_lossy(&bytes);
        if let Some((_, tag)) = text.trim_end_matches('>').rsplit_once('<') {
            visit(tag);
        }
        bytes.clear();
    }
}

/// The name of a tag without its namespace.
fn local_name(tag: &str) -> &str {
    let name = tag.split([' ', '/', '\n', '\r', '\t']).next().unwrap_or_default();
    name.rsplit_once(':').map_or(name, |(_, name)| name)
}

/// The value of an attribute, whose name may have a namespace.
fn attribute<'t>(tag: &'t str, name: &str) -> Option<&'t str> {
    let mut rest = tag;
    loop {
        let (before, after) = rest.split_once('=')?;
        let quote = after.chars().next().filter(|c| matches!(c, '"' | '\''))?;
        let (value, next) = after[1..].split_once(quote)?;
        let found = before.rsplit([' ', '\n', '\r', '\t', ':']).next().unwrap_or_default();
        if found == name {
            return Some(value);
        }
        rest = next;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_and_their_attributes_are_found() {
        let xml = "<a:cols><col min='2' max='3' hidden='1'/></a:cols><x:row r=\"5\" ht=\"15\"/>";
        let mut found = Vec::new();
        for_each_tag(xml.as_bytes(), |tag| {
            let text = |name| attribute(tag, name).unwrap_or("-").to_owned();
            found.push((local_name(tag).to_owned(), text("max"), text("r")));
        });
        let found: Vec<_> =
            found.iter().map(|(a, b, c)| (a.as_str(), b.as_str(), c.as_str())).collect();
        let expected = [("cols", "-", "-"), ("col", "3", "-"), ("", "-", "-"), ("row", "-", "5")];
        assert_eq!(found, expected);
        assert!(is_hidden("col width=\"0\"", "width") && !is_hidden("row ht=\"10\"", "ht"));
    }
}
