//! Drafts a mapping for the files of another system: finds the tables and columns by their names
//! and, if these say nothing, by their values. A person reviews the draft; every guess says why.

mod columns;
mod profile;

use std::collections::BTreeSet;
use std::fmt::Write;

use powerfill_events::values::fold;
use powerfill_snapshot::TABLES;
use powerfill_snapshot::usual_names::table_words;

use self::columns::{Guess, guess_columns};
use self::profile::Formats;
use crate::bind::ForeignTable;
use crate::mapping::Mapping;
use crate::names::normalize;
use crate::schema::{TargetSchema, TargetTable};

/// The text of a mapping file for these files of a source.
pub fn draft_source(place: &str, files: &[ForeignTable]) -> String {
    let mapping = Mapping::none(TargetSchema::of_inputs());
    let formats = Formats::of(files);
    let mut text = format!(
        "# A draft of a mapping for {place}, from names and values. Review every line.\n\
         # A column is renamed as \"theirs\" = \"ours\"; docs/reference/mapping.md has all keys.\n"
    );
    formats.write(&mut text);
    for file in files {
        write_form(&mut text, file);
    }
    let mut taken: BTreeSet<usize> = BTreeSet::new();
    let mut assigned: Vec<(usize, &ForeignTable, bool)> = Vec::new();
    for file in files {
        if let Some(at) = mapping.default_table(file.table.name()).filter(|at| taken.insert(*at)) {
            assigned.push((at, file, true));
        }
    }
    for file in files {
        if assigned.iter().any(|(_, known, _)| std::ptr::eq(*known, file)) {
            continue;
        }
        match guess_table(&mapping, file, &formats, &taken) {
            Some(at) => {
                taken.insert(at);
                assigned.push((at, file, false));
            }
            None => {
                let title = one_line(&file.title());
                let _ = writeln!(text, "\n# {title} was not recognized as a table");
            }
        }
    }
    assigned.sort_by_key(|(at, ..)| *at);
    for (at, file, by_name) in assigned {
        write_table(&mut text, &mapping.schema.tables[at], file, by_name, &formats);
    }
    write_absent(&mut text, &taken);
    text
}

/// How a file is read, where its first row is no header or it has rows of totals.
fn write_form(text: &mut String, file: &ForeignTable) {
    let table = &file.table;
    let first =
        |row| (0..table.columns().len()).map(|at| table.cell(row, at)).find(|c| !c.is_empty());
    let is_total = |row: &usize| {
        let first = fold(first(*row).unwrap_or_default());
        ["TOTAL", "GRAND TOTAL", "SUBTOTAL"].iter().any(|word| first.starts_with(word))
    };
    let total = (0..table.rows()).find(is_total).and_then(first);
    if file.header_lines.is_empty() && total.is_none() {
        return;
    }
    let name = if file.is_sheet { table.name() } else { file.file.as_str() };
    let _ = writeln!(text, "\n[files.{}]", quoted(name));
    for line in &file.header_lines {
        let _ = writeln!(text, "{line}");
    }
    if let Some(total) = total {
        let _ = writeln!(text, "totals = [{}]  # rows that begin so are left out", quoted(total));
    }
}

/// The table whose name or columns a file resembles most.
fn guess_table(
    mapping: &Mapping,
    file: &ForeignTable,
    formats: &Formats,
    taken: &BTreeSet<usize>,
) -> Option<usize> {
    let name = normalize(file.table.name());
    let mut best: Option<(usize, usize)> = None;
    for (at, spec) in mapping.schema.tables.iter().enumerate().filter(|(at, _)| !taken.contains(at))
    {
        let by_name = name.split('_').filter(|word| table_words(spec.name).contains(word)).count();
        let columns = guess_columns(spec, file, formats);
        let is_same = |ours: &str| {
            file.table.columns().iter().any(|theirs| normalize(theirs) == normalize(ours))
        };
        let is_found = |name: &str| {
            is_same(name) || columns.iter().any(|guess| guess.is_by_name && guess.ours == name)
        };
        let by_columns = spec.columns.iter().filter(|column| is_found(column.name)).count();
        let required = spec.columns.iter().filter(|column| column.is_required);
        let is_guessed = |name: &str| columns.iter().any(|guess| guess.ours == name);
        let found = required.filter(|c| is_same(c.name) || is_guessed(c.name)).count();
        let fit = by_name * 4 + by_columns + found;
        if by_columns + by_name * 2 >= 3 && best.is_none_or(|(most, _)| fit > most) {
            best = Some((fit, at));
        }
    }
    best.map(|(_, at)| at)
}

fn write_table(
    text: &mut String,
    spec: &TargetTable,
    file: &ForeignTable,
    by_name: bool,
    formats: &Formats,
) {
    let guesses = guess_columns(spec, file, formats);
    let header = file.table.columns();
    let is_same = |name: &str| spec.columns.iter().any(|c| normalize(c.name) == normalize(name));
    let missing: Vec<&str> = spec
        .columns
        .iter()
        .filter(|column| column.is_required)
        .map(|column| column.name)
        .filter(|name| {
            !guesses.iter().any(|guess| guess.ours == *name)
                && !header.iter().any(|theirs| normalize(theirs) == normalize(name))
        })
        .collect();
    let has_own_formats = formats.line_of(file).is_some();
    if by_name && guesses.is_empty() && missing.is_empty() && !has_own_formats {
        return;
    }
    let table = spec.name;
    let _ = writeln!(text, "\n[tables.{table}]");
    if !by_name {
        let _ = writeln!(
            text,
            "name = {}  # a guess: its name or columns are most like {table}",
            quoted(file.table.name())
        );
    }
    if let Some(line) = formats.line_of(file) {
        let _ = writeln!(text, "{line}");
    }
    let unknown = header.iter().filter(|name| {
        !name.is_empty() && !is_same(name) && !guesses.iter().any(|guess| guess.theirs == **name)
    });
    for name in unknown {
        let _ = writeln!(text, "# {} was not recognized as a column", one_line(name));
    }
    for name in &missing {
        let _ = writeln!(
            text,
            "# nothing looks like {name}, which is required; a value for every row would be:\n\
             # columns.{name} = {{ constant = \"…\" }}"
        );
    }
    let (plain, special): (Vec<&Guess>, Vec<&Guess>) =
        guesses.iter().partition(|guess| guess.settings.is_empty());
    if !plain.is_empty() {
        let _ = writeln!(text, "\n[tables.{table}.rename]");
        for guess in plain {
            let (theirs, reason) = (one_line(&guess.theirs), &guess.reason);
            let _ = writeln!(text, "{theirs} = \"{}\"  # {reason}", guess.ours);
        }
    }
    special.into_iter().for_each(|guess| write_special(text, table, guess));
}

/// A column that needs more than a name.
fn write_special(text: &mut String, table: &str, guess: &Guess) {
    let _ = writeln!(text, "\n[tables.{table}.columns.{}]  # {}", guess.ours, guess.reason);
    if normalize(&guess.theirs) != normalize(guess.ours) {
        let _ = writeln!(text, "from = {}", quoted(&guess.theirs));
    }
    for (setting, reason) in &guess.settings {
        let _ = writeln!(text, "{setting}  # {reason}");
    }
}

/// Required tables that no file has: rows to fill in.
fn write_absent(text: &mut String, taken: &BTreeSet<usize>) {
    let absent = TABLES.iter().enumerate().filter(|(at, t)| t.is_required && !taken.contains(at));
    for (_, table) in absent {
        let _ = writeln!(
            text,
            "\n# No file looks like {}, which is required. Name its file, or write its rows:\n\
             # [[tables.{}.rows]]",
            table.name, table.name
        );
        for column in table.columns.iter().filter(|column| !column.may_be_empty()) {
            let _ = writeln!(text, "# {} = \"…\"  # {}", column.name, column.allowed());
        }
    }
}

/// A text in quotes, as TOML writes it.
pub(crate) fn quoted(text: &str) -> String {
    toml::Value::from(one_row(text)).to_string()
}

/// A text in quotes on one line, for a key or a comment.
fn one_line(text: &str) -> String {
    quoted(text)
}

fn one_row(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use powerfill_events::input::RawTable;

    use super::*;

    fn file(name: &str, rows: &[&str]) -> ForeignTable {
        let cells = |row: &str| row.split('|').map(str::to_owned).collect::<Vec<_>>();
        let mut table = RawTable::of_file(name, cells(rows[0]), name);
        for (line, row) in (1..).zip(&rows[1..]) {
            table.begin_row(line);
            table.push_row(cells(row).iter()).unwrap();
        }
        ForeignTable {
            file: format!("{name}.csv"),
            is_sheet: false,
            digest: String::new(),
            notes: Vec::new(),
            header_lines: Vec::new(),
            table,
        }
    }

    #[test]
    fn a_table_with_our_columns_is_known_under_another_name() {
        let loans = file("Loans", &["loan_id|curr_status|loan_amount|note_rate", "A|Closed|1|6.5"]);
        let draft = draft_source("dir:tapes", &[loans]);
        assert!(draft.contains("[tables.loan]\nname = \"Loans\"  # a guess"), "{draft}");
    }

    #[test]
    fn files_with_commas_and_with_points_have_formats_of_their_own() {
        let loans = file("loan", &["loan_id|loan_amount|note_rate", "A|300.000,00|6,5"]);
        let trades = file("pscat_trades", &["trade_id|trade_price", "T1|101.5"]);
        let draft = draft_source("dir:tapes", &[loans, trades]);
        let line = "[tables.loan]\nformats = { decimal = \"comma\" }  # as \"300.000,00\" shows";
        assert!(draft.contains(line), "{draft}");
        assert!(!draft.contains("[formats]"), "{draft}");
    }

    #[test]
    fn a_word_of_a_column_is_no_word_for_null() {
        let trades = file("pscat_trades", &["trade_id|tolerance_side|trade_price", "T1|none|N/A"]);
        let draft = draft_source("dir:tapes", &[trades]);
        assert!(draft.contains("null = [\"N/A\"]  # these texts occur"), "{draft}");
    }
}
