//! A first mapping from two sides: what an export's files and columns could be, found from their
//! names and, where these say nothing, from their values. It is for a person to look over.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::fmt::Write;

use powerfill_events::input::RawTable;
use powerfill_events::values::fold;
use powerfill_tables::table::{CellType, TableRole, TableSpec};
use powerfill_tables::tables::ALL;
use toml_edit::Value;

use super::{ExportSheet, plain, table_of};
use crate::grid::{Grid, GridColumn, PackedCell};
use crate::names::Interner;
use crate::reading::{CellFormats, DateOrder};
use crate::side::Side;

/// Rows of a file that are looked at.
const LOOKED_AT: usize = 2_000;

/// The most different values of a column of codes.
const CODES: usize = 20;

/// What of a column's values must be found in ours, in per cent, for it to be taken for it.
const ENOUGH: usize = 90;

/// A mapping file for this export.
pub fn draft(here: &Side, files: &[ExportSheet], names: &mut Interner) -> String {
    let formats = formats(files);
    let mut text = String::from(
        "# What the export calls the tables and columns of a run. Found from names and values: look it over.\n\
         # A column is renamed as \"theirs\" = \"ours\"; what has the same name already needs no line.\n",
    );
    if formats.dates == DateOrder::Dmy {
        text.push_str("\n[formats]\ndates = \"dmy\"\n");
    }
    let mut taken: BTreeSet<usize> =
        files.iter().filter_map(|f| table_of(f.table.name())).collect();
    for file in files {
        let sample = Sample { raw: &file.table, formats: &formats };
        let by_name = table_of(file.table.name());
        let Some(at) = by_name.or_else(|| sample.table(here, &taken, names)) else {
            let _ = writeln!(text, "\n# {} is no table that was recognised", comment(&file.file));
            continue;
        };
        taken.insert(at);
        let Some(ours) = &here.tables[at] else { continue };
        let found = sample.columns(ALL[at], &ours.grid, names);
        write_table(&mut text, ALL[at], by_name.is_none().then(|| file.table.name()), &found);
    }
    text
}

/// A file, as far as it is looked at.
struct Sample<'a> {
    raw: &'a RawTable,
    formats: &'a CellFormats,
}

/// What a file's columns are.
#[derive(Debug, Default)]
struct Found {
    /// Their column, ours.
    rename: Vec<(String, &'static str)>,
    /// Their column, and ours that it could be.
    doubtful: Vec<(String, Vec<&'static str>)>,
    strangers: Vec<String>,
    /// By column of ours: their value, ours.
    values: BTreeMap<&'static str, BTreeMap<String, String>>,
}

fn formats(files: &[ExportSheet]) -> CellFormats {
    let month_first = CellFormats::default();
    let day_first = CellFormats { dates: DateOrder::Dmy, ..CellFormats::default() };
    let (mut only_month_first, mut only_day_first) = (0, 0);
    for file in files {
        let table = &file.table;
        for row in 0..table.rows().min(LOOKED_AT) {
            for text in (0..table.columns().len()).map(|column| table.cell(row, column)) {
                match (month_first.day(text).is_some(), day_first.day(text).is_some()) {
                    (true, false) => only_month_first += 1,
                    (false, true) => only_day_first += 1,
                    _ => {}
                }
            }
        }
    }
    if only_day_first > only_month_first { day_first } else { month_first }
}

impl Sample<'_> {
    fn rows(&self) -> usize {
        self.raw.rows().min(LOOKED_AT)
    }

    fn slot(
        &self,
        row: usize,
        theirs: usize,
        ours: GridColumn,
        names: &mut Interner,
    ) -> PackedCell {
        self.formats.slot(self.raw.cell(row, theirs), ours, names)
    }

    /// The table that most of the columns fit, by name or by value.
    fn table(&self, here: &Side, taken: &BTreeSet<usize>, names: &mut Interner) -> Option<usize> {
        let mut best = None;
        for (at, spec) in
            ALL.iter().enumerate().filter(|(_, spec)| spec.role == TableRole::Decision)
        {
            let Some(ours) = here.tables[at].as_ref().filter(|_| !taken.contains(&at)) else {
                continue;
            };
            let found = self.columns(spec, &ours.grid, names);
            let named = self.raw.columns().iter().filter(|name| default(spec, name).is_some());
            let has_key = spec.diff.pair_by.iter().all(|column| {
                self.raw.columns().iter().any(|name| default(spec, name) == spec.position(column))
                    || found.rename.iter().any(|(_, ours)| ours == column)
            });
            let fit = (found.rename.len() + named.count(), at);
            if has_key && best.is_none_or(|best: (usize, usize)| fit.0 > best.0) {
                best = Some(fit);
            }
        }
        best.map(|(_, at)| at)
    }

    fn columns(&self, spec: &TableSpec, ours: &Grid, names: &mut Interner) -> Found {
        let mut found = Found::default();
        let mut theirs_of: BTreeMap<usize, usize> = BTreeMap::new();
        for (at, name) in self.raw.columns().iter().enumerate() {
            if let Some(column) = default(spec, name) {
                theirs_of.entry(column).or_insert(at);
            }
        }
        // The key first: with it rows pair, and columns can be told apart row by row.
        for column in spec.diff.pair_by.iter().filter_map(|name| spec.position(name)) {
            if !theirs_of.contains_key(&column)
                && let Some(at) = self.most_alike(spec, ours, column, &theirs_of, names)
            {
                theirs_of.insert(column, at);
                found.rename.push((self.raw.columns()[at].clone(), spec.columns[column].name));
            }
        }
        let pairs = self.pairs(spec, ours, &theirs_of, names);
        self.by_pairs(spec, ours, &pairs, &mut theirs_of, &mut found, names);
        self.codes(spec, ours, &pairs, &theirs_of, &mut found, names);
        found
    }

    /// Their column whose values are ours most of all.
    fn most_alike(
        &self,
        spec: &TableSpec,
        ours: &Grid,
        column: usize,
        taken: &BTreeMap<usize, usize>,
        names: &mut Interner,
    ) -> Option<usize> {
        let known: HashSet<PackedCell> = (0..ours.len()).map(|row| ours.row(row)[column]).collect();
        let holds = ours.columns()[column];
        let mut best = None;
        for theirs in (0..self.raw.columns().len()).filter(|at| !taken.values().any(|t| t == at)) {
            let mut values: Vec<PackedCell> =
                (0..self.rows()).map(|row| self.slot(row, theirs, holds, names)).collect();
            values.retain(|slot| *slot != PackedCell::NULL);
            let of_ours = values.iter().filter(|slot| known.contains(slot)).count();
            let name = &self.raw.columns()[theirs];
            let fit = (of_ours * 100 / values.len().max(1), words_in_common(spec, column, name));
            if fit.0 >= ENOUGH / 2 && best.is_none_or(|(fit_of_best, _)| fit > fit_of_best) {
                best = Some((fit, theirs));
            }
        }
        best.map(|(_, at)| at)
    }

    /// Rows that pair by the key: theirs, ours.
    fn pairs(
        &self,
        spec: &TableSpec,
        ours: &Grid,
        theirs_of: &BTreeMap<usize, usize>,
        names: &mut Interner,
    ) -> Vec<(usize, u32)> {
        let key: Vec<usize> =
            spec.diff.pair_by.iter().filter_map(|name| spec.position(name)).collect();
        let Some(theirs) =
            key.iter().map(|at| theirs_of.get(at).copied()).collect::<Option<Vec<_>>>()
        else {
            return Vec::new();
        };
        let known: HashMap<Vec<PackedCell>, u32> = (0..ours.len())
            .map(|row| (key.iter().map(|at| ours.row(row)[*at]).collect(), row))
            .collect();
        let mut pairs = Vec::new();
        for row in 0..self.rows() {
            let of = key.iter().zip(&theirs);
            let slots: Vec<PackedCell> = of
                .map(|(at, theirs)| self.slot(row, *theirs, ours.columns()[*at], names))
                .collect();
            pairs.extend(known.get(&slots).map(|ours| (row, *ours)));
        }
        pairs
    }

    /// Columns that say the same row by row.
    fn by_pairs(
        &self,
        spec: &TableSpec,
        ours: &Grid,
        pairs: &[(usize, u32)],
        theirs_of: &mut BTreeMap<usize, usize>,
        found: &mut Found,
        names: &mut Interner,
    ) {
        let free = |theirs_of: &BTreeMap<usize, usize>, at: usize| {
            !theirs_of.values().any(|theirs| *theirs == at)
                && plain(&self.raw.columns()[at]) != "RUN_ID"
        };
        for theirs in 0..self.raw.columns().len() {
            if !free(theirs_of, theirs) {
                continue;
            }
            let name = &self.raw.columns()[theirs];
            let mut fits: Vec<((usize, usize), usize)> = Vec::new();
            for column in (0..spec.columns.len()).filter(|c| !theirs_of.contains_key(c)) {
                let holds = ours.columns()[column];
                let mut said = 0;
                let mut same = 0;
                for (row, of_ours) in pairs {
                    let (a, b) =
                        (self.slot(*row, theirs, holds, names), ours.row(*of_ours)[column]);
                    said += usize::from(a != PackedCell::NULL || b != PackedCell::NULL);
                    same += usize::from(a == b && a != PackedCell::NULL);
                }
                let words = words_in_common(spec, column, name);
                let fit = same * 100 / said.max(1);
                if fit >= ENOUGH || (words > 0 && said == 0) {
                    fits.push(((words, fit), column));
                }
            }
            if fits.is_empty() {
                let free = (0..spec.columns.len()).filter(|c| !theirs_of.contains_key(c));
                fits.extend(free.filter_map(|column| {
                    let fit = self.translated(ours, pairs, column, theirs)?;
                    Some(((words_in_common(spec, column, name), fit), column))
                }));
            }
            fits.sort_by(|a, b| b.cmp(a));
            let column_name = |at: usize| spec.columns[at].name;
            match &fits[..] {
                [] => found.strangers.push(name.clone()),
                [(first, column), rest @ ..] if rest.first().is_none_or(|next| next.0 < *first) => {
                    theirs_of.insert(*column, theirs);
                    found.rename.push((name.clone(), column_name(*column)));
                }
                more => {
                    let could_be = more.iter().map(|(_, at)| column_name(*at)).collect();
                    found.doubtful.push((name.clone(), could_be));
                }
            }
        }
    }

    /// How many codes of ours, at least two, are each another code there, always the same.
    fn translated(
        &self,
        ours: &Grid,
        pairs: &[(usize, u32)],
        column: usize,
        theirs: usize,
    ) -> Option<usize> {
        if ours.columns()[column].cell_type != CellType::Text {
            return None;
        }
        let mut there: BTreeMap<PackedCell, String> = BTreeMap::new();
        let mut here: BTreeMap<String, PackedCell> = BTreeMap::new();
        for (row, of_ours) in pairs {
            let slot = ours.row(*of_ours)[column];
            let text = self.raw.cell(*row, theirs);
            let text = if self.formats.is_null(text) { String::new() } else { fold(text) };
            let is_new = there.len() < CODES || there.contains_key(&slot);
            if !is_new
                || *there.entry(slot).or_insert_with(|| text.clone()) != text
                || *here.entry(text).or_insert(slot) != slot
            {
                return None;
            }
        }
        let codes = there.keys().filter(|slot| **slot != PackedCell::NULL).count();
        (codes >= 2).then_some(codes)
    }

    /// Columns of a few values that are called otherwise there, always the same.
    fn codes(
        &self,
        spec: &TableSpec,
        ours: &Grid,
        pairs: &[(usize, u32)],
        theirs_of: &BTreeMap<usize, usize>,
        found: &mut Found,
        names: &mut Interner,
    ) {
        for (column, theirs) in theirs_of {
            let (name, cell_type) = (spec.columns[*column].name, ours.columns()[*column].cell_type);
            let own: BTreeSet<PackedCell> =
                (0..ours.len()).map(|row| ours.row(row)[*column]).collect();
            if cell_type != CellType::Text || own.len() > CODES || spec.diff.pair_by.contains(&name)
            {
                continue;
            }
            let mut said: BTreeMap<String, BTreeMap<PackedCell, usize>> = BTreeMap::new();
            for (row, of_ours) in pairs {
                let text = self.raw.cell(*row, *theirs);
                let slot = self.slot(*row, *theirs, ours.columns()[*column], names);
                if slot != PackedCell::NULL && !own.contains(&slot) {
                    let of_text = said.entry(fold(text)).or_default();
                    *of_text.entry(ours.row(*of_ours)[*column]).or_default() += 1;
                }
            }
            for (text, counts) in said {
                let all: usize = counts.values().sum();
                let most = counts.iter().max_by_key(|(_, count)| **count);
                if let Some((slot, count)) = most
                    && count * 100 >= all * ENOUGH
                {
                    let ours = slot.written(cell_type, names);
                    found.values.entry(name).or_default().insert(text, ours);
                }
            }
        }
    }
}

fn default(spec: &TableSpec, name: &str) -> Option<usize> {
    let wanted = plain(name);
    spec.columns.iter().position(|column| fold(column.name) == wanted)
}

/// How many words their name has in common with ours.
fn words_in_common(spec: &TableSpec, column: usize, name: &str) -> usize {
    let theirs = plain(name);
    let ours = fold(spec.columns[column].name);
    theirs.split('_').filter(|word| ours.split('_').any(|own| own == *word)).count()
}

fn write_table(text: &mut String, spec: &TableSpec, name: Option<&str>, found: &Found) {
    let table = spec.name;
    let quoted = |text: &str| Value::from(text).to_string();
    let _ = writeln!(text, "\n[tables.{table}]");
    if let Some(name) = name {
        let _ = writeln!(text, "name = {}", quoted(name));
    }
    for (name, could_be) in &found.doubtful {
        let _ = writeln!(text, "# {} could be {}", comment(name), could_be.join(" or "));
    }
    for name in &found.strangers {
        let _ = writeln!(text, "# {} is no column of ours that was recognised", comment(name));
    }
    if !found.rename.is_empty() {
        let _ = writeln!(text, "\n[tables.{table}.rename]");
        for (theirs, ours) in &found.rename {
            let _ = writeln!(text, "{} = {}", basic(theirs), quoted(ours));
        }
    }
    for (column, values) in &found.values {
        let _ = writeln!(text, "\n[tables.{table}.values.{column}]");
        for (theirs, ours) in values {
            let _ = writeln!(text, "{} = {}", basic(theirs), quoted(ours));
        }
    }
}

/// A key in quotes on one line, whatever is in it.
fn basic(key: &str) -> String {
    serde_json::Value::from(key).to_string()
}

/// A name within a comment, on one line.
fn comment(name: &str) -> String {
    basic(name)
}
