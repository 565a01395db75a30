//! Entries for differences that nobody has classified yet, to be filled in.

use std::collections::BTreeMap;
use std::fmt::Write;

use powerfill_events::values::{Day, fold};
use toml_edit::{Array, ArrayOfTables, DocumentMut, InlineTable, Item, Table, Value, value};

use super::{ClassificationError, Classifications};
use crate::compare::{RowDifference, RowVerdict, TableComparison, columns_of};
use crate::names::Interner;

/// Keys that an entry names; of more differences than this it names none, and says so.
const KEYS_NAMED: usize = 200;

/// What the differences of a group have in common: the verdict, the columns, and the key but for
/// its first column.
type Group = (RowVerdict, u32, Vec<String>);

/// The file with an entry for each group of differences that none of its entries speaks of, at its
/// end; everything that stands there stays as it is. Differences are of a group where table,
/// verdict and differing columns are the same. `date` goes into each entry. `None` where there is
/// nothing to add.
///
/// # Errors
/// Where the file cannot be added to.
pub fn appended(
    place: &str,
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
        for (group, differences) in coarser(groups) {
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
    // Entries written as `difference = [ … ]` cannot be gone on with.
    Classifications::parse(place, &whole)?;
    Ok(Some(whole))
}

/// Groups without the rest of the key, where there would be many.
fn coarser(groups: BTreeMap<Group, Vec<&RowDifference>>) -> BTreeMap<Group, Vec<&RowDifference>> {
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
        let of: Array = columns_of(columns).map(|at| table.column(at)).collect();
        entry.insert("columns", value(of));
    }
    let rows = differences.len();
    let mut said = format!("\n# {rows} {}", if rows == 1 { "row" } else { "rows" });
    let whole_key = rest.len() + 1 == table.key.len();
    if rows <= KEYS_NAMED && whole_key {
        entry.insert("key", value(key(table, &rest, differences, names)));
    } else {
        let _ =
            write!(said, ", whatever their key: narrow it with key = {{ … }} where it is too wide");
    }
    said.push_str("; class is bug, enhancement or acceptable_variation\n");
    entry.decor_mut().set_prefix(said);
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
            .map(|difference| literal(&table.key_texts(difference, names)[0]))
            .collect();
        let of_first = match &texts[..] {
            [one] => Value::from(one.as_str()),
            more => Value::Array(more.iter().map(String::as_str).collect()),
        };
        key.insert(table.column(*first), of_first);
        let said = differences.first().map(|d| table.key_texts(d, names)).unwrap_or_default();
        debug_assert_eq!(rest.len(), others.len());
        for (at, text) in others.iter().zip(said.iter().skip(1)) {
            key.insert(table.column(*at), literal(text).into());
        }
    }
    key
}

/// A text that is a pattern for itself alone.
fn literal(text: &str) -> String {
    let mut literal = String::new();
    for c in text.chars() {
        if matches!(c, '*' | '?' | '[' | ']' | '{' | '}' | '\\') {
            literal.push('\\');
        }
        literal.push(c);
    }
    literal
}
