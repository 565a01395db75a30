//! Reads the mapping file. Every name of a table or a column of ours in it is checked.

mod column;
mod keys;
mod table;

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use powerfill_events::values::fold;
use serde::Deserialize;
use toml::Spanned;

use self::keys::OneOrMore;
use self::table::{TableFile, read_table};
use crate::formats::{CellFormats, DateFormat, DecimalMark, PercentSign, PriceForm};
use crate::mapping::{FileForm, HeaderPlace, Located, Mapping, MappingError, ValueTable, fault_at};
use crate::names::hint;
use crate::schema::TargetSchema;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    formats: Option<FormatsFile>,
    #[serde(default)]
    files: BTreeMap<Spanned<String>, FormFile>,
    #[serde(default)]
    lookups: BTreeMap<Spanned<String>, BTreeMap<String, String>>,
    #[serde(default)]
    tables: BTreeMap<Spanned<String>, TableFile>,
}

/// The formats of a file, a table, or a column.
#[derive(Deserialize, Clone, Default)]
#[serde(deny_unknown_fields)]
struct FormatsFile {
    dates: Option<Spanned<OneOrMore<String>>>,
    first_year: Option<Spanned<i32>>,
    decimal: Option<DecimalMark>,
    percent: Option<PercentSign>,
    prices: Option<OneOrMore<PriceForm>>,
    null: Option<Vec<String>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FormFile {
    encoding: Option<String>,
    delimiter: Option<Spanned<String>>,
    header: Option<Spanned<HeaderFile>>,
    first_row: Option<u32>,
    columns: Option<Vec<String>>,
    totals: Option<OneOrMore<String>>,
}

#[derive(Deserialize)]
#[serde(untagged, expecting = "a row from 1, a list of rows, or false")]
enum HeaderFile {
    Is(bool),
    Row(u32),
    Rows(Vec<u32>),
}

/// A fault with its place in the file.
type Fault = (Range<usize>, String);

impl FormatsFile {
    /// The formats of the file, with the others from `default`.
    fn or(self, default: &CellFormats) -> Result<CellFormats, Fault> {
        let mut formats = default.clone();
        if let Some(dates) = self.dates {
            let span = dates.span();
            let form = |text: String| DateFormat::parse(&text).map_err(|what| (span.clone(), what));
            let forms = dates.into_inner().into_vec().into_iter();
            formats.dates = forms.map(form).collect::<Result<_, _>>()?;
        }
        if let Some(year) = self.first_year {
            if !(1800..=2100).contains(year.get_ref()) {
                let what = "the first of the hundred years, 1800 to 2100, is expected".to_owned();
                return Err((year.span(), what));
            }
            formats.first_year = Some(year.into_inner());
        }
        formats.decimal = self.decimal.or(formats.decimal);
        formats.percent = self.percent.unwrap_or(formats.percent);
        formats.prices = self.prices.map_or(formats.prices, OneOrMore::into_vec);
        if let Some(null) = self.null {
            formats.null = null.iter().map(|text| fold(text.trim())).collect();
        }
        Ok(formats)
    }
}

impl FormFile {
    fn read(self) -> Result<FileForm, Fault> {
        let delimiter = self.delimiter.map(read_delimiter).transpose()?;
        let header = match self.header {
            None => HeaderPlace::First,
            Some(header) => {
                let span = header.span();
                let rows = match header.into_inner() {
                    HeaderFile::Is(true) => Vec::new(),
                    HeaderFile::Is(false) => vec![0],
                    HeaderFile::Row(row) => vec![row],
                    HeaderFile::Rows(rows) => rows,
                };
                match &rows[..] {
                    [] => HeaderPlace::First,
                    [0] if self.columns.is_some() => HeaderPlace::Absent,
                    [0] => {
                        let what = "a file without a header needs columns = [\"…\"]".to_owned();
                        return Err((span, what));
                    }
                    rows if rows.contains(&0) => {
                        return Err((span, "rows count from 1".to_owned()));
                    }
                    _ => HeaderPlace::Rows(rows),
                }
            }
        };
        let totals = self.totals.map_or_else(Vec::new, OneOrMore::into_vec);
        Ok(FileForm {
            encoding: self.encoding,
            delimiter,
            header,
            first_row: self.first_row,
            columns: self.columns,
            totals: totals.iter().map(|text| fold(text.trim())).collect(),
            ..FileForm::default()
        })
    }
}

fn read_delimiter(delimiter: Spanned<String>) -> Result<char, Fault> {
    let mut chars = delimiter.get_ref().chars();
    match (chars.next(), chars.next()) {
        (Some(one), None) if one.is_ascii() && one != '"' && !one.is_alphanumeric() => Ok(one),
        _ => Err((
            delimiter.span(),
            "a delimiter is one character: \",\", \";\", \"|\", or \"\\t\"".to_owned(),
        )),
    }
}

/// The tables of values that columns share, and which of them were used.
struct Lookups {
    tables: BTreeMap<String, ValueTable>,
    used: BTreeSet<String>,
}

impl Lookups {
    fn find(&mut self, name: &Spanned<String>) -> Result<ValueTable, Fault> {
        let Some(table) = self.tables.get(name.get_ref()) else {
            let hint = hint(name.get_ref(), self.tables.keys().map(String::as_str));
            return Err((name.span(), format!("no table [lookups.{}]{hint}", name.get_ref())));
        };
        self.used.insert(name.get_ref().clone());
        Ok(table.clone())
    }
}

fn value_table(values: BTreeMap<String, String>) -> ValueTable {
    let mut table = ValueTable::default();
    for (theirs, ours) in values {
        match theirs.as_str() {
            "*" => table.any = Some(ours),
            _ => _ = table.values.insert(fold(theirs.trim()), ours),
        }
    }
    table
}

/// Reads the file, and checks every name of a table or column of ours in it.
pub(crate) fn read(schema: TargetSchema, name: &str, text: &str) -> Result<Mapping, MappingError> {
    let file: File = toml::from_str(text).map_err(|error| {
        let span = error.span().unwrap_or_default();
        fault_at(name, text, &span, keys::with_hint(error.message()))
    })?;
    let mut mapping =
        Mapping { file: name.to_owned(), text: text.to_owned(), ..Mapping::none(schema) };
    let fault = |(span, what): Fault| fault_at(name, text, &span, what);
    if let Some(formats) = file.formats {
        mapping.formats = formats.or(&mapping.formats).map_err(fault)?;
    }
    for (pattern, form) in file.files {
        let span = pattern.span();
        let form = form.read().map_err(fault)?;
        mapping.forms.push((Located { value: pattern.into_inner(), span }, form));
    }
    let names: Vec<Spanned<String>> = file.lookups.keys().cloned().collect();
    let tables = file.lookups.into_iter();
    let tables = tables.map(|(name, values)| (name.into_inner(), value_table(values))).collect();
    let mut lookups = Lookups { tables, used: BTreeSet::new() };
    for (table_name, table) in file.tables {
        let Some(position) = mapping.schema.position(table_name.get_ref()) else {
            let kind = if mapping.is_source() { "input" } else { "output" };
            let hint = hint(table_name.get_ref(), mapping.schema.table_names());
            let what = format!("no {kind} table {}{hint}", table_name.get_ref());
            return Err(fault((table_name.span(), what)));
        };
        let spec = &mapping.schema.tables[position];
        let is_source = mapping.is_source();
        let table =
            read_table(spec, is_source, table_name.span(), table, &mapping.formats, &mut lookups);
        mapping.tables[position] = Some(table.map_err(fault)?);
    }
    if let Some(unused) = names.iter().find(|name| !lookups.used.contains(name.get_ref())) {
        let what = format!("no column uses [lookups.{}]", unused.get_ref());
        return Err(fault((unused.span(), what)));
    }
    Ok(mapping)
}
