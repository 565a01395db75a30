//! Adds entries for unclassified differences to a classification file. A person fills them in.

use std::collections::BTreeMap;
use std::fmt::Write;

use powerfill_events::values::{Day, fold};
use toml_edit::{Array, ArrayOfTables, DocumentMut, InlineTable, Item, Table, Value, value};

use super::{ClassificationError, Classifications};
use crate::column_set::columns_of;
use crate::compare::{RowDifference, RowVerdict, TableComparison};
use crate::interner::Interner;

/// The number of keys that an entry can list. An entry for more differences lists none, and says
/// so.
const KEYS_NAMED: usize = 200;

/// What the differences of a group share: the verdict, the columns, and the key without its first
/// column.
type Group = (RowVerdict, u32, Vec<String>);

/// The file with an entry at its end for each group of differences that match no entry. The former
/// text stays as it is. The differences of a group have the same table, verdict, and differing
/// columns. Each entry gets the `date`. `None` if there is nothing to add.
///
/// # Errors
/// If no entries can be added to the file.
pub(crate) fn append_entries(
    file: &str,
    text: &str,
    tables: &[TableComparison],
    names: &Interner,
    date: Option<Day>,
) -> Result<Option<String>, ClassificationError> {
    let mut entries = ArrayOfTables::new();
    for table in tables {
        let mut groups: BTreeMap<Group, Vec<&RowDifference>> = BTreeMap::new();
        for difference in table.differences.iter().filter(|d| d.entry.is_none()) {
            let rest = table.key_texts(difference, names).into_iter().skip(1);
            let rest = rest.map(|text| fold(&text)).collect();
            let group = (difference.verdict, difference.columns, rest);
            groups.entry(group).or_default().push(difference);
        }
        for (group, differences) in merge_small_groups(groups) {
            entries.push(entry(table, group, &differences, names, date));
        }
    }
    if entries.is_empty() {
        return Ok(None);
    }
    let mut new = DocumentMut::new();
    new.insert("difference", Item::ArrayOfTables(entries));
    let new = new.to_string();
    let gap = match text {
        "" => "",
        text if text.ends_with('\n') => "\n",
        _ => "\n\n",
    };
    let whole = format!("{text}{gap}{}", new.trim_start_matches('\n'));
    // A file that has its entries as `difference = [ … ]` cannot be extended.
    Classifications::parse(file, &whole)?;
    Ok(Some(whole))
}

/// Ignores the rest of the key if it would make many groups of one verdict and columns.
fn merge_small_groups(
    groups: BTreeMap<Group, Vec<&RowDifference>>,
) -> BTreeMap<Group, Vec<&RowDifference>> {
    const MANY: usize = 8;
    let mut counts: BTreeMap<(RowVerdict, u32), usize> = BTreeMap::new();
    for (verdict, columns, _) in groups.keys() {
        *counts.entry((*verdict, *columns)).or_default() += 1;
    }
    let mut coarse: BTreeMap<Group, Vec<&RowDifference>> = BTreeMap::new();
    for ((verdict, columns, rest), differences) in groups {
        let rest = if counts[&(verdict, columns)] > MANY { Vec::new() } else { rest };
        coarse.entry((verdict, columns, rest)).or_default().extend(differences);
    }
    coarse
}

fn entry(
    table: &TableComparison,
    (verdict, columns, rest): Group,
    differences: &[&RowDifference],
    names: &Interner,
    date: Option<Day>,
) -> Table {
    let mut entry = Table::new();
    entry.insert("class", value(""));
    entry.insert("note", value(""));
    if let Some(date) = date.and_then(|day| day.to_string().parse().ok()) {
        entry.insert("date", Item::Value(Value::Datetime(toml_edit::Formatted::new(date))));
    }
    entry.insert("table", value(table.spec.name));
    entry.insert("verdict", value(verdict.name()));
    if columns != 0 {
        let names: Array = columns_of(columns).map(|at| table.column(at)).collect();
        entry.insert("columns", value(names));
    }
    let rows = differences.len();
    let mut comment = format!("\n# {rows} {}", if rows == 1 { "row" } else { "rows" });
    let whole_key = rest.len() + 1 == table.key.len();
    if rows <= KEYS_NAMED && whole_key {
        entry.insert("key", value(key(table, &rest, differences, names)));
    } else {
        let _ = write!(
            comment,
            ", whatever their key: narrow it with key = {{ … }} where it is too wide"
        );
    }
    comment.push_str("; class is bug, enhancement or acceptable_variation\n");
    entry.decor_mut().set_prefix(comment);
    entry
}

fn key(
    table: &TableComparison,
    rest: &[String],
    differences: &[&RowDifference],
    names: &Interner,
) -> InlineTable {
    let mut key = InlineTable::new();
    if let Some((first, others)) = table.key.split_first() {
        let texts: Vec<String> = differences
            .iter()
            .map(|difference| escape(&table.key_texts(difference, names)[0]))
            .collect();
        let first_texts = match &texts[..] {
            [one] => Value::from(one.as_str()),
            more => Value::Array(more.iter().map(String::as_str).collect()),
        };
        key.insert(table.column(*first), first_texts);
        let shared = differences.first().map(|d| table.key_texts(d, names)).unwrap_or_default();
        debug_assert_eq!(rest.len(), others.len());
        for (at, text) in others.iter().zip(shared.iter().skip(1)) {
            key.insert(table.column(*at), escape(text).into());
        }
    }
    key
}

/// A pattern that matches this text alone.
fn escape(text: &str) -> String {
    let mut pattern = String::new();
    for c in text.chars() {
        if matches!(c, '*' | '?' | '[' | ']' | '{' | '}' | '\\') {
            pattern.push('\\');
        }
        pattern.push(c);
    }
    pattern
}
