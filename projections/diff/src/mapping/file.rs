//! Reads the mapping file.

use std::collections::BTreeMap;
use std::ops::Range;

use powerfill_events::values::fold;
use powerfill_tables::table::TableSpec;
use rust_decimal::Decimal;
use serde::Deserialize;
use toml::Spanned;

use super::{Located, Mapping, MappingError, TableMapping, fault, is_number};
use crate::reading::{CellFormats, DateOrder, DecimalMark};
use crate::side::{by_name, table_names};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    formats: Option<Spanned<FormatsFile>>,
    #[serde(default)]
    tables: BTreeMap<Spanned<String>, TableFile>,
}

#[derive(Deserialize, Clone, Default)]
#[serde(deny_unknown_fields)]
struct FormatsFile {
    dates: Option<DateOrder>,
    decimal: Option<DecimalMark>,
    null: Option<Vec<String>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct TableFile {
    name: Option<Spanned<String>>,
    #[serde(default)]
    skip: bool,
    key: Option<Spanned<Vec<Spanned<String>>>>,
    #[serde(default)]
    rename: BTreeMap<Spanned<String>, Spanned<String>>,
    #[serde(default)]
    ignore: Vec<Spanned<String>>,
    #[serde(default)]
    tolerance: BTreeMap<Spanned<String>, Spanned<String>>,
    #[serde(default)]
    values: BTreeMap<Spanned<String>, BTreeMap<String, String>>,
    formats: Option<Spanned<FormatsFile>>,
}

impl FormatsFile {
    /// The formats of the file, with the others from `default`.
    fn or(self, default: &CellFormats) -> CellFormats {
        let null = self.null.map(|texts| texts.iter().map(|text| fold(text)).collect());
        CellFormats {
            dates: self.dates.unwrap_or(default.dates),
            decimal: self.decimal.unwrap_or(default.decimal),
            null: null.unwrap_or_else(|| default.null.clone()),
        }
    }
}

/// A fault with its place in the file.
type Fault = (Range<usize>, String);

/// Reads the file, and checks every name of an output table or column in it.
pub(super) fn read(name: &str, text: &str) -> Result<Mapping, MappingError> {
    let file: File = toml::from_str(text).map_err(|error| {
        let span = error.span().unwrap_or_default();
        fault(name, text, &span, error.message())
    })?;
    let mut mapping =
        Mapping { file: name.to_owned(), text: text.to_owned(), ..Mapping::default() };
    if let Some(formats) = &file.formats {
        mapping.formats = formats.get_ref().clone().or(&CellFormats::default());
    }
    let fault = |(span, what): Fault| fault(name, text, &span, what);
    for (table_name, table) in file.tables {
        let Some((position, spec)) = by_name(table_name.get_ref()) else {
            let what =
                format!("no output table {}; there are {}", table_name.get_ref(), table_names());
            return Err(fault((table_name.span(), what)));
        };
        let table = read_table(spec, table, &mapping.formats).map_err(fault)?;
        mapping.tables[position] = Some(table);
    }
    Ok(mapping)
}

fn read_table(
    spec: &'static TableSpec,
    file: TableFile,
    formats: &CellFormats,
) -> Result<TableMapping, Fault> {
    let column = |name: &Spanned<String>| find_column(spec, name);
    let mut table = TableMapping { skip: file.skip, ..TableMapping::default() };
    let mut export_only = None;
    if let Some(name) = file.name {
        export_only = Some(name.span());
        table.name = Some(Located { span: name.span(), value: name.into_inner() });
    }
    if let Some(key) = file.key {
        let columns: Vec<usize> = key.get_ref().iter().map(&column).collect::<Result<_, _>>()?;
        if columns.is_empty() {
            return Err((key.span(), "a key has at least one column".to_owned()));
        }
        table.key = Some(columns);
    }
    for (theirs, ours) in file.rename {
        let position = column(&ours)?;
        if table.rename.iter().any(|(_, taken)| *taken == position) {
            let what = format!("{} is the new name of two columns", ours.get_ref());
            return Err((ours.span(), what));
        }
        export_only.get_or_insert(theirs.span());
        table.rename.push((Located { span: theirs.span(), value: theirs.into_inner() }, position));
    }
    for ignored in &file.ignore {
        table.ignore |= 1 << column(ignored)?;
    }
    for (name, bound) in &file.tolerance {
        let position = column(name)?;
        let is_number = is_number(spec.columns[position].cell_type);
        table.tolerance.insert(position, read_tolerance(name, bound, is_number)?);
    }
    for (name, values) in file.values {
        let position = column(&name)?;
        export_only.get_or_insert(name.span());
        let folded = values.into_iter().map(|(theirs, ours)| (fold(&theirs), ours)).collect();
        table.values.insert(position, folded);
    }
    if let Some(own_formats) = file.formats {
        export_only.get_or_insert(own_formats.span());
        table.formats = Some(own_formats.into_inner().or(formats));
    }
    let ignores_key = table.key.iter().flatten().any(|at| table.ignore >> at & 1 == 1);
    if ignores_key && let Some(name) = file.ignore.first() {
        let what = "a column that rows pair by cannot be ignored".to_owned();
        return Err((name.span(), what));
    }
    table.export_only = export_only;
    Ok(table)
}

fn find_column(spec: &TableSpec, name: &Spanned<String>) -> Result<usize, Fault> {
    spec.position(name.get_ref()).ok_or_else(|| {
        let names: Vec<&str> = spec.columns.iter().map(|column| column.name).collect();
        let (table, names) = (spec.name, names.join(", "));
        (name.span(), format!("{table} has no column {}; it has {names}", name.get_ref()))
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
