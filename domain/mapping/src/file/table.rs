//! The tables of the file and their columns.

use std::collections::BTreeMap;
use std::ops::Range;

use rust_decimal::Decimal;
use serde::Deserialize;
use toml::{Spanned, Value};

use super::column::{ColumnFile, ColumnsBuilder};
use super::{Fault, FormatsFile, Lookups, value_table};
use crate::formats::CellFormats;
use crate::mapping::{ComparisonSettings, Located, MappingRow, OtherColumns, TableMapping};
use crate::names::hint;
use crate::schema::{TargetTable, ValueKind};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct TableFile {
    name: Option<Spanned<String>>,
    files: Option<Spanned<Vec<String>>>,
    #[serde(default)]
    rename: BTreeMap<Spanned<String>, Spanned<String>>,
    #[serde(default)]
    columns: BTreeMap<Spanned<String>, Spanned<ColumnFile>>,
    #[serde(default)]
    values: BTreeMap<Spanned<String>, Spanned<ValuesFile>>,
    #[serde(default)]
    rows: Vec<Spanned<BTreeMap<Spanned<String>, Value>>>,
    formats: Option<Spanned<FormatsFile>>,
    others: Option<OthersFile>,
    keep: Option<Spanned<String>>,
    leave_out: Option<Spanned<String>>,
    distinct: Option<Spanned<bool>>,
    skip: Option<Spanned<bool>>,
    key: Option<Spanned<Vec<Spanned<String>>>>,
    ignore: Option<Spanned<Vec<Spanned<String>>>>,
    tolerance: Option<Spanned<BTreeMap<Spanned<String>, Spanned<String>>>>,
}

#[derive(Deserialize)]
#[serde(untagged, expecting = "the name of a table of [lookups], or a table of values")]
enum ValuesFile {
    Lookup(String),
    Values(BTreeMap<String, String>),
}

#[derive(Deserialize)]
#[serde(rename_all = "lowercase")]
enum OthersFile {
    Keep,
}

/// What `name` is called where it stands in the file.
pub(super) fn located(name: Spanned<String>) -> Located<String> {
    Located { span: name.span(), value: name.into_inner() }
}

/// Reads a table of the file.
pub(super) fn read_table(
    spec: &TargetTable,
    is_source: bool,
    span: Range<usize>,
    mut file: TableFile,
    formats: &CellFormats,
    lookups: &mut Lookups,
) -> Result<TableMapping, Fault> {
    let translation = file.translation();
    let comparison = file.read_comparison(spec, is_source)?;
    let mut files: Vec<Located<String>> = file.name.take().map(located).into_iter().collect();
    if let Some(more) = file.files.take() {
        let span = more.span();
        let more = more.into_inner().into_iter();
        files.extend(more.map(|value| Located { value, span: span.clone() }));
    }
    let formats = match file.formats.take() {
        Some(own) => own.into_inner().or(formats)?,
        None => formats.clone(),
    };
    let mut builder = ColumnsBuilder { spec, formats: &formats, columns: BTreeMap::new() };
    for (theirs, ours) in std::mem::take(&mut file.rename) {
        builder.rename(theirs, &ours)?;
    }
    let mut more_columns = Vec::new();
    for (name, column) in std::mem::take(&mut file.columns) {
        if let Some(more) = builder.column(name, column)? {
            more_columns.push(more);
        }
    }
    for (name, values) in std::mem::take(&mut file.values) {
        let table = match values.into_inner() {
            ValuesFile::Values(values) => value_table(values),
            ValuesFile::Lookup(lookup) => {
                let span = name.span();
                lookups.find(&Spanned::new(span, lookup))?
            }
        };
        builder.values(&name, table, &mut more_columns)?;
    }
    let columns = builder.columns;
    let rows = std::mem::take(&mut file.rows);
    let rows = rows.into_iter().map(|row| read_row(spec, row)).collect::<Result<_, _>>()?;
    Ok(TableMapping {
        span,
        files,
        rows,
        columns,
        more_columns,
        others: if file.others.is_some() { OtherColumns::All } else { OtherColumns::None },
        keep: file.keep.map(located),
        leave_out: file.leave_out.map(located),
        distinct: file.distinct.is_some_and(Spanned::into_inner),
        formats,
        comparison,
        translation,
    })
}

impl TableFile {
    /// The first place that says how other names or values become ours.
    fn translation(&self) -> Option<Range<usize>> {
        let first = |spans: Vec<Range<usize>>| spans.into_iter().min_by_key(|span| span.start);
        first(
            [
                self.name.as_ref().map(Spanned::span),
                self.files.as_ref().map(Spanned::span),
                self.rename.keys().next().map(Spanned::span),
                self.columns.keys().next().map(Spanned::span),
                self.values.keys().next().map(Spanned::span),
                self.rows.first().map(Spanned::span),
                self.formats.as_ref().map(Spanned::span),
                self.keep.as_ref().map(Spanned::span),
                self.leave_out.as_ref().map(Spanned::span),
                self.distinct.as_ref().map(Spanned::span),
            ]
            .into_iter()
            .flatten()
            .collect(),
        )
    }

    fn read_comparison(
        &mut self,
        spec: &TargetTable,
        is_source: bool,
    ) -> Result<ComparisonSettings, Fault> {
        let given = [
            self.skip.as_ref().map(|key| ("skip", key.span())),
            self.key.as_ref().map(|key| ("key", key.span())),
            self.ignore.as_ref().map(|key| ("ignore", key.span())),
            self.tolerance.as_ref().map(|key| ("tolerance", key.span())),
        ];
        if is_source && let Some((key, span)) = given.into_iter().flatten().next() {
            return Err((span, format!("{key} is for comparisons; a source has no use for it")));
        }
        let mut settings = ComparisonSettings {
            skip: self.skip.take().is_some_and(Spanned::into_inner),
            ..ComparisonSettings::default()
        };
        if let Some(key) = self.key.take() {
            let columns = key.get_ref().iter().map(|name| find_column(spec, name));
            let columns: Vec<usize> = columns.collect::<Result<_, _>>()?;
            if columns.is_empty() {
                return Err((key.span(), "a key has at least one column".to_owned()));
            }
            settings.key = Some(columns);
        }
        for ignored in self.ignore.take().map_or_else(Vec::new, Spanned::into_inner) {
            let at = find_column(spec, &ignored)?;
            settings.ignore.push(at);
            if settings.key.iter().flatten().any(|key| *key == at) {
                let what = "a column that rows pair by cannot be ignored".to_owned();
                return Err((ignored.span(), what));
            }
        }
        for (name, bound) in self.tolerance.take().map_or_else(BTreeMap::new, Spanned::into_inner) {
            let at = find_column(spec, &name)?;
            let is_number = matches!(spec.columns[at].kind, ValueKind::Number | ValueKind::Share);
            settings.tolerance.insert(at, read_tolerance(&name, &bound, is_number)?);
        }
        Ok(settings)
    }
}

pub(super) fn find_column(spec: &TargetTable, name: &Spanned<String>) -> Result<usize, Fault> {
    spec.position(name.get_ref()).ok_or_else(|| {
        let (table, wrong) = (spec.name, name.get_ref());
        let hint = hint(wrong, spec.column_names());
        (name.span(), format!("{table} has no column {wrong}{hint}"))
    })
}

fn read_tolerance(
    column: &Spanned<String>,
    bound: &Spanned<String>,
    is_number: bool,
) -> Result<Decimal, Fault> {
    if !is_number {
        let name = column.get_ref();
        let what = format!("{name} holds no numbers, so that it has no tolerance");
        return Err((column.span(), what));
    }
    let number = bound.get_ref().parse::<Decimal>().ok().filter(|b| !b.is_sign_negative());
    number.ok_or_else(|| {
        (bound.span(), "a tolerance is a decimal, 0 or more, in quotes: \"0.01\"".to_owned())
    })
}

/// Reads a row that the mapping itself has.
fn read_row(
    spec: &TargetTable,
    row: Spanned<BTreeMap<Spanned<String>, Value>>,
) -> Result<MappingRow, Fault> {
    let span = row.span();
    let mut cells = BTreeMap::new();
    for (name, value) in row.into_inner() {
        let position = find_column(spec, &name)?;
        let text = match value {
            Value::String(text) => text,
            Value::Integer(number) => number.to_string(),
            Value::Boolean(is_true) => if is_true { "Y" } else { "N" }.to_owned(),
            Value::Datetime(moment) => moment.to_string(),
            Value::Float(_) | Value::Array(_) | Value::Table(_) => {
                let what = format!("write the value of {} in quotes", name.get_ref());
                return Err((name.span(), what));
            }
        };
        cells.insert(position, text);
    }
    Ok(MappingRow { span, cells })
}
