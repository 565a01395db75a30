//! The columns of a table of the file.

use std::collections::BTreeMap;
use std::ops::Range;

use powerfill_snapshot::tables::ColumnType;
use rust_decimal::Decimal;
use serde::Deserialize;
use toml::Spanned;

use super::keys::OneOrMore;
use super::table::{find_column, located};
use super::{Fault, FormatsFile};
use crate::formats::{CellFormats, DecimalMark, PercentSign, PriceForm};
use crate::mapping::{ColumnMapping, Located, TextPart, ValueTable};
use crate::names::{hint, written};
use crate::schema::TargetTable;

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields)]
pub(super) struct ColumnFile {
    from: Option<Spanned<OneOrMore<String>>>,
    join: Option<String>,
    split: Option<String>,
    part: Option<i32>,
    characters: Option<[usize; 2]>,
    constant: Option<ConstantFile>,
    default: Option<ConstantFile>,
    times: Option<Spanned<String>>,
    pad: Option<usize>,
    #[serde(rename = "type")]
    column_type: Option<TypeFile>,
    dates: Option<Spanned<OneOrMore<String>>>,
    first_year: Option<Spanned<i32>>,
    decimal: Option<DecimalMark>,
    percent: Option<PercentSign>,
    prices: Option<OneOrMore<PriceForm>>,
    null: Option<Vec<String>>,
}

/// A text in quotes, or a whole number.
#[derive(Deserialize)]
#[serde(untagged, expecting = "a value in quotes")]
enum ConstantFile {
    Text(String),
    Whole(i64),
}

impl ConstantFile {
    fn into_text(self) -> String {
        match self {
            Self::Text(text) => text,
            Self::Whole(number) => number.to_string(),
        }
    }
}

#[derive(Deserialize, Clone, Copy)]
#[serde(rename_all = "lowercase")]
enum TypeFile {
    Text,
    Number,
    Date,
}

impl From<TypeFile> for ColumnType {
    fn from(column_type: TypeFile) -> Self {
        match column_type {
            TypeFile::Text => Self::Text,
            TypeFile::Number => Self::Number,
            TypeFile::Date => Self::Date,
        }
    }
}

/// The columns of a table while the file is read.
pub(super) struct ColumnsBuilder<'a> {
    pub(super) spec: &'a TargetTable,
    pub(super) formats: &'a CellFormats,
    pub(super) columns: BTreeMap<usize, ColumnMapping>,
}

impl ColumnsBuilder<'_> {
    pub(super) fn rename(
        &mut self,
        theirs: Spanned<String>,
        ours: &Spanned<String>,
    ) -> Result<(), Fault> {
        let position = find_column(self.spec, ours)?;
        if self.columns.contains_key(&position) {
            let what = format!("{} is the new name of two columns", ours.get_ref());
            return Err((ours.span(), what));
        }
        let mut column = ColumnMapping::new(self.formats.clone());
        column.from = vec![located(theirs)];
        self.columns.insert(position, column);
        Ok(())
    }

    /// Returns a column that the table does not list.
    pub(super) fn column(
        &mut self,
        name: Spanned<String>,
        file: Spanned<ColumnFile>,
    ) -> Result<Option<(Located<String>, ColumnMapping)>, Fault> {
        let span = name.span();
        let mut column = file.into_inner().read(&span, self.formats)?;
        let position = self.spec.position(name.get_ref());
        match (position, column.declared) {
            (Some(_), Some(_)) => {
                let name = name.get_ref();
                Err((span, format!("{} lists {name}, so that its type is known", self.spec.name)))
            }
            (Some(position), None) => {
                if let Some(renamed) = self.columns.get(&position) {
                    if !column.from.is_empty() {
                        let what = "the column has a rename and a from; keep one".to_owned();
                        return Err((span, what));
                    }
                    column.from.clone_from(&renamed.from);
                }
                self.columns.insert(position, column);
                Ok(None)
            }
            (None, Some(_)) if self.spec.takes_more_columns => Ok(Some((located(name), column))),
            (None, _) => {
                let (table, wrong) = (self.spec.name, name.get_ref());
                let hint = hint(wrong, self.spec.column_names());
                let more = match self.spec.takes_more_columns {
                    true => {
                        "; to add a column that rules can use, say its type: text, number, or \
                             date"
                    }
                    false => "",
                };
                Err((span, format!("{table} has no column {wrong}{hint}{more}")))
            }
        }
    }

    pub(super) fn values(
        &mut self,
        name: &Spanned<String>,
        values: ValueTable,
        more: &mut [(Located<String>, ColumnMapping)],
    ) -> Result<(), Fault> {
        let wanted = written(name.get_ref());
        if let Some((_, column)) = more.iter_mut().find(|(more, _)| written(&more.value) == wanted)
        {
            column.values = Some(values);
            return Ok(());
        }
        let position = find_column(self.spec, name)?;
        let formats = self.formats;
        let column = self.columns.entry(position);
        column.or_insert_with(|| ColumnMapping::new(formats.clone())).values = Some(values);
        Ok(())
    }
}

impl ColumnMapping {
    pub(crate) fn new(formats: CellFormats) -> Self {
        Self {
            from: Vec::new(),
            join: " ".to_owned(),
            part: TextPart::Whole,
            constant: None,
            default: None,
            values: None,
            times: None,
            pad: 0,
            formats,
            declared: None,
        }
    }
}

impl ColumnFile {
    fn read(self, span: &Range<usize>, formats: &CellFormats) -> Result<ColumnMapping, Fault> {
        let own = FormatsFile {
            dates: self.dates,
            first_year: self.first_year,
            decimal: self.decimal,
            percent: self.percent,
            prices: self.prices,
            null: self.null,
        };
        let mut column = ColumnMapping::new(own.or(formats)?);
        let fault = |what: &str| Err((span.clone(), what.to_owned()));
        let has_from = self.from.is_some();
        if let Some(from) = self.from {
            let span = from.span();
            let names = from.into_inner().into_vec().into_iter();
            column.from = names.map(|value| Located { value, span: span.clone() }).collect();
        }
        if self.join.is_some() && column.from.len() < 2 {
            return fault("join is for the values of several columns: from = [\"…\", \"…\"]");
        }
        column.join = self.join.unwrap_or(column.join);
        column.part = match (self.split, self.part, self.characters) {
            (None, None, None) => TextPart::Whole,
            (Some(separator), Some(part), None) if !separator.is_empty() && part != 0 => {
                TextPart::Split(separator, part)
            }
            (None, None, Some([first, last])) if first >= 1 && last >= first => {
                TextPart::Characters(first, last)
            }
            _ => {
                return fault(
                    "split = \"…\" with part = 1 (or -1 for the last), or characters = [1, 3]",
                );
            }
        };
        if self.constant.is_some() && has_from {
            return fault("a constant has no from");
        }
        column.constant = self.constant.map(ConstantFile::into_text);
        column.default = self.default.map(ConstantFile::into_text);
        if let Some(times) = self.times {
            let factor = times.get_ref().parse::<Decimal>().ok().filter(|f| !f.is_zero());
            let what = "times is a number in quotes, not 0: \"1000\" or \"0.01\"".to_owned();
            column.times = Some(factor.ok_or((times.span(), what))?);
        }
        if self.pad.is_some_and(|width| width > 200) {
            return fault("pad is at most 200 characters");
        }
        column.pad = self.pad.unwrap_or_default();
        column.declared = self.column_type.map(ColumnType::from);
        Ok(column)
    }
}
