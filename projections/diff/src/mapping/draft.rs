//! Drafts a mapping for an export: finds its tables and columns by their names and, if these say
//! nothing, by their values. A person reviews the draft.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::fmt::Write;

use powerfill_events::input::RawTable;
use powerfill_events::values::fold;
use powerfill_tables::table::{CellType, TableRole, TableSpec};
use powerfill_tables::tables::ALL;
use toml_edit::Value;

use powerfill_mapping::formats::{CellFormats, CellRead, DateFormat, trim};
use powerfill_mapping::names::normalize;
use powerfill_mapping::{ForeignTable, MappingUse};

use super::ComparisonMapping;
use crate::grid::{Grid, GridColumn, PackedCell};
use crate::interner::Interner;
use crate::side::Side;

/// The number of rows of a file that are read.
const SAMPLE_ROWS: usize = 2_000;

/// The greatest number of different values in a column of codes.
const MAX_CODES: usize = 20;

/// The share of values, in per cent, that must agree for a column to be recognized.
const MIN_AGREEMENT: usize = 90;

/// The text of a mapping file for this export.
pub fn draft(here: &Side, files: &[ForeignTable], names: &mut Interner) -> String {
    let formats = formats(files);
    let mut text = String::from(
        "# What the export calls the tables and columns of a run. Found by names and values: review it.\n\
         # A column is renamed as \"theirs\" = \"ours\"; what has the same name already needs no line.\n",
    );
    if formats.dates == [DateFormat::DayFirst] {
        text.push_str("\n[formats]\ndates = \"dmy\"\n");
    }
    let none = ComparisonMapping::default();
    let default_table = |file: &ForeignTable| none.mapping().default_table(file.table.name());
    let mut taken: BTreeSet<usize> = files.iter().filter_map(default_table).collect();
    for file in files {
        let sample = Sample { raw: &file.table, formats: &formats };
        let by_name = default_table(file);
        let Some(at) = by_name.or_else(|| sample.table(here, &taken, names)) else {
            let _ = writeln!(text, "\n# {} was not recognized as a table", one_line(&file.file));
            continue;
        };
        taken.insert(at);
        let Some(known) = &here.tables[at] else { continue };
        let found = sample.columns(ALL[at], &known.grid, names);
        write_table(&mut text, ALL[at], by_name.is_none().then(|| file.table.name()), &found);
    }
    text
}

/// The first rows of a file.
struct Sample<'a> {
    raw: &'a RawTable,
    formats: &'a CellFormats,
}

/// The columns of a file, as far as they were recognized.
#[derive(Debug, Default)]
struct DraftColumns {
    /// A column of the file, and the table's column.
    rename: Vec<(String, &'static str)>,
    /// A column of the file, and the table's columns that it could be.
    doubtful: Vec<(String, Vec<&'static str>)>,
    unknown: Vec<String>,
    /// By column of the table: a code of the file, and the code of the run.
    values: BTreeMap<&'static str, BTreeMap<String, String>>,
}

/// The formats with the order of dates that more cells have.
fn formats(files: &[ForeignTable]) -> CellFormats {
    let month_first = CellFormats::of_use(MappingUse::Comparison);
    let day_first = CellFormats { dates: vec![DateFormat::DayFirst], ..month_first.clone() };
    let (mut only_month_first, mut only_day_first) = (0, 0);
    for file in files {
        let table = &file.table;
        for row in 0..table.rows().min(SAMPLE_ROWS) {
            for text in (0..table.columns().len()).map(|column| table.cell(row, column)) {
                match (month_first.day(text).is_ok(), day_first.day(text).is_ok()) {
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
        self.raw.rows().min(SAMPLE_ROWS)
    }

    fn cell(
        &self,
        row: usize,
        theirs: usize,
        column: GridColumn,
        names: &mut Interner,
    ) -> PackedCell {
        let text = trim(self.raw.cell(row, theirs));
        if self.formats.is_null(text) {
            return PackedCell::NULL;
        }
        match self.formats.read(text, column.kind) {
            Ok(CellRead::Text) => PackedCell::text(text, column, names),
            Ok(CellRead::Number(number)) => PackedCell::number(number, column, names),
            Ok(CellRead::Day(day)) => PackedCell::day(day),
            Err(_) => PackedCell::unreadable(text, column, names),
        }
    }

    /// The position of the table that most columns fit, by name or by value.
    fn table(&self, here: &Side, taken: &BTreeSet<usize>, names: &mut Interner) -> Option<usize> {
        let mut best = None;
        for (at, spec) in
            ALL.iter().enumerate().filter(|(_, spec)| spec.role == TableRole::Decision)
        {
            let Some(ours) = here.tables[at].as_ref().filter(|_| !taken.contains(&at)) else {
                continue;
            };
            let found = self.columns(spec, &ours.grid, names);
            let named =
                self.raw.columns().iter().filter(|name| default_column(spec, name).is_some());
            let has_key = spec.diff.pair_by.iter().all(|column| {
                self.raw
                    .columns()
                    .iter()
                    .any(|name| default_column(spec, name) == spec.position(column))
                    || found.rename.iter().any(|(_, ours)| ours == column)
            });
            let fit = (found.rename.len() + named.count(), at);
            if has_key && best.is_none_or(|best: (usize, usize)| fit.0 > best.0) {
                best = Some(fit);
            }
        }
        best.map(|(_, at)| at)
    }

    fn columns(&self, spec: &TableSpec, ours: &Grid, names: &mut Interner) -> DraftColumns {
        let mut found = DraftColumns::default();
        let mut theirs_of: BTreeMap<usize, usize> = BTreeMap::new();
        for (at, name) in self.raw.columns().iter().enumerate() {
            if let Some(column) = default_column(spec, name) {
                theirs_of.entry(column).or_insert(at);
            }
        }
        // The key comes first: it pairs rows, so that the other columns can be compared row by row.
        for column in spec.diff.pair_by.iter().filter_map(|name| spec.position(name)) {
            if !theirs_of.contains_key(&column)
                && let Some(at) = self.most_similar_column(spec, ours, column, &theirs_of, names)
            {
                theirs_of.insert(column, at);
                found.rename.push((self.raw.columns()[at].clone(), spec.columns[column].name));
            }
        }
        let pairs = self.pairs(spec, ours, &theirs_of, names);
        self.match_by_rows(spec, ours, &pairs, &mut theirs_of, &mut found, names);
        self.match_codes(spec, ours, &pairs, &theirs_of, &mut found, names);
        found
    }

    /// The column of the file that has the most values of a column of the table.
    fn most_similar_column(
        &self,
        spec: &TableSpec,
        ours: &Grid,
        column: usize,
        taken: &BTreeMap<usize, usize>,
        names: &mut Interner,
    ) -> Option<usize> {
        let known: HashSet<PackedCell> = (0..ours.len()).map(|row| ours.row(row)[column]).collect();
        let form = ours.columns()[column];
        let mut best = None;
        for theirs in (0..self.raw.columns().len()).filter(|at| !taken.values().any(|t| t == at)) {
            let mut values: Vec<PackedCell> =
                (0..self.rows()).map(|row| self.cell(row, theirs, form, names)).collect();
            values.retain(|cell| *cell != PackedCell::NULL);
            let agreeing = values.iter().filter(|cell| known.contains(cell)).count();
            let name = &self.raw.columns()[theirs];
            let fit = (agreeing * 100 / values.len().max(1), shared_words(spec, column, name));
            if fit.0 >= MIN_AGREEMENT / 2 && best.is_none_or(|(fit_of_best, _)| fit > fit_of_best) {
                best = Some((fit, theirs));
            }
        }
        best.map(|(_, at)| at)
    }

    /// The pairs of rows with the same key: the row of the file, and the row of the run.
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
            let columns = key.iter().zip(&theirs);
            let cells: Vec<PackedCell> = columns
                .map(|(at, theirs)| self.cell(row, *theirs, ours.columns()[*at], names))
                .collect();
            pairs.extend(known.get(&cells).map(|ours| (row, *ours)));
        }
        pairs
    }

    /// Recognizes columns whose values agree row by row.
    fn match_by_rows(
        &self,
        spec: &TableSpec,
        ours: &Grid,
        pairs: &[(usize, u32)],
        theirs_of: &mut BTreeMap<usize, usize>,
        found: &mut DraftColumns,
        names: &mut Interner,
    ) {
        let free = |theirs_of: &BTreeMap<usize, usize>, at: usize| {
            !theirs_of.values().any(|theirs| *theirs == at)
                && normalize(&self.raw.columns()[at]) != "RUN_ID"
        };
        for theirs in 0..self.raw.columns().len() {
            if !free(theirs_of, theirs) {
                continue;
            }
            let name = &self.raw.columns()[theirs];
            let mut fits: Vec<((usize, usize), usize)> = Vec::new();
            for column in (0..spec.columns.len()).filter(|c| !theirs_of.contains_key(c)) {
                let form = ours.columns()[column];
                let mut filled = 0;
                let mut same = 0;
                for (row, our_row) in pairs {
                    let (a, b) = (self.cell(*row, theirs, form, names), ours.row(*our_row)[column]);
                    filled += usize::from(a != PackedCell::NULL || b != PackedCell::NULL);
                    same += usize::from(a == b && a != PackedCell::NULL);
                }
                let words = shared_words(spec, column, name);
                let fit = same * 100 / filled.max(1);
                if fit >= MIN_AGREEMENT || (words > 0 && filled == 0) {
                    fits.push(((words, fit), column));
                }
            }
            if fits.is_empty() {
                let free = (0..spec.columns.len()).filter(|c| !theirs_of.contains_key(c));
                fits.extend(free.filter_map(|column| {
                    let fit = self.translated_codes(ours, pairs, column, theirs)?;
                    Some(((shared_words(spec, column, name), fit), column))
                }));
            }
            fits.sort_by(|a, b| b.cmp(a));
            let column_name = |at: usize| spec.columns[at].name;
            match &fits[..] {
                [] => found.unknown.push(name.clone()),
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

    /// The number of codes of the run, at least two, that always have the same other code in the
    /// file; `None` if the columns do not translate.
    fn translated_codes(
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
        for (row, our_row) in pairs {
            let code = ours.row(*our_row)[column];
            let text = self.raw.cell(*row, theirs);
            let text = if self.formats.is_null(text) { String::new() } else { fold(text) };
            let is_new = there.len() < MAX_CODES || there.contains_key(&code);
            if !is_new
                || *there.entry(code).or_insert_with(|| text.clone()) != text
                || *here.entry(text).or_insert(code) != code
            {
                return None;
            }
        }
        let codes = there.keys().filter(|code| **code != PackedCell::NULL).count();
        (codes >= 2).then_some(codes)
    }

    /// Finds the codes of recognized columns that have other names in the file, always the same.
    fn match_codes(
        &self,
        spec: &TableSpec,
        ours: &Grid,
        pairs: &[(usize, u32)],
        theirs_of: &BTreeMap<usize, usize>,
        found: &mut DraftColumns,
        names: &mut Interner,
    ) {
        for (column, theirs) in theirs_of {
            let (name, cell_type) = (spec.columns[*column].name, ours.columns()[*column].cell_type);
            let own: BTreeSet<PackedCell> =
                (0..ours.len()).map(|row| ours.row(row)[*column]).collect();
            if cell_type != CellType::Text
                || own.len() > MAX_CODES
                || spec.diff.pair_by.contains(&name)
            {
                continue;
            }
            let mut translations: BTreeMap<String, BTreeMap<PackedCell, usize>> = BTreeMap::new();
            for (row, our_row) in pairs {
                let text = self.raw.cell(*row, *theirs);
                let cell = self.cell(*row, *theirs, ours.columns()[*column], names);
                if cell != PackedCell::NULL && !own.contains(&cell) {
                    let counts = translations.entry(fold(text)).or_default();
                    *counts.entry(ours.row(*our_row)[*column]).or_default() += 1;
                }
            }
            for (text, counts) in translations {
                let all: usize = counts.values().sum();
                let most = counts.iter().max_by_key(|(_, count)| **count);
                if let Some((code, count)) = most
                    && count * 100 >= all * MIN_AGREEMENT
                {
                    let ours = code.canonical_text(cell_type, names);
                    found.values.entry(name).or_default().insert(text, ours);
                }
            }
        }
    }
}

fn default_column(spec: &TableSpec, name: &str) -> Option<usize> {
    let wanted = normalize(name);
    spec.columns.iter().position(|column| fold(column.name) == wanted)
}

/// The number of words that the name of a column of the file shares with a column of the table.
fn shared_words(spec: &TableSpec, column: usize, name: &str) -> usize {
    let theirs = normalize(name);
    let ours = fold(spec.columns[column].name);
    theirs.split('_').filter(|word| ours.split('_').any(|own| own == *word)).count()
}

fn write_table(text: &mut String, spec: &TableSpec, name: Option<&str>, found: &DraftColumns) {
    let table = spec.name;
    let quoted = |text: &str| Value::from(text).to_string();
    let _ = writeln!(text, "\n[tables.{table}]");
    if let Some(name) = name {
        let _ = writeln!(text, "name = {}", quoted(name));
    }
    for (name, could_be) in &found.doubtful {
        let _ = writeln!(text, "# {} could be {}", one_line(name), could_be.join(" or "));
    }
    for name in &found.unknown {
        let _ = writeln!(text, "# {} was not recognized as a column of the table", one_line(name));
    }
    if !found.rename.is_empty() {
        let _ = writeln!(text, "\n[tables.{table}.rename]");
        for (theirs, ours) in &found.rename {
            let _ = writeln!(text, "{} = {}", one_line(theirs), quoted(ours));
        }
    }
    for (column, values) in &found.values {
        let _ = writeln!(text, "\n[tables.{table}.values.{column}]");
        for (theirs, ours) in values {
            let _ = writeln!(text, "{} = {}", one_line(theirs), quoted(ours));
        }
    }
}

/// A text in quotes on one line, for a key or a comment.
fn one_line(key: &str) -> String {
    serde_json::Value::from(key).to_string()
}
