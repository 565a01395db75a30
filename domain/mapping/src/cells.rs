//! Makes the value of a column from a row of a foreign table.

use std::borrow::Cow;

use powerfill_events::values::{Day, Name, fold};
use powerfill_snapshot::near::nearest;
use powerfill_snapshot::tables::{Attribute, ColumnType};
use rust_decimal::Decimal;

use crate::bind::{CellPlace, CellSource, ForeignTable};
use crate::formats::{CellFormats, CellRead, trim};
use crate::mapping::{ColumnMapping, TextPart, ValueTable};
use crate::schema::ValueKind;

/// A value of ours, made from a row of a foreign table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MappedCell<'a> {
    /// NULL.
    Null,
    /// A text.
    Text(Cow<'a, str>),
    /// A number.
    Number(Decimal),
    /// A day.
    Day(Day),
    /// A text that does not have the type of its column, and why.
    Unreadable(Cow<'a, str>, String),
}

impl MappedCell<'_> {
    /// The text of our files; empty for NULL.
    pub(crate) fn text(&self) -> Cow<'_, str> {
        match self {
            Self::Null => Cow::Borrowed(""),
            Self::Text(text) | Self::Unreadable(text, _) => Cow::Borrowed(text),
            Self::Number(number) => Cow::Owned(number.normalize().to_string()),
            Self::Day(day) => Cow::Owned(day.to_string()),
        }
    }

    /// As a value of a rule; NULL if it is unreadable.
    pub(crate) fn attribute(&self) -> Option<Attribute> {
        match self {
            Self::Null | Self::Unreadable(..) => None,
            Self::Text(text) => Some(Attribute::Text(Name::new(text))),
            Self::Number(number) => Some(Attribute::Number(number.normalize())),
            Self::Day(day) => Some(Attribute::Date(*day)),
        }
    }
}

/// How the values of one column come about.
#[derive(Debug, Clone, Copy)]
pub(crate) struct CellRule<'m> {
    pub(crate) kind: ValueKind,
    /// `None` if the mapping says nothing about the column.
    pub(crate) column: Option<&'m ColumnMapping>,
    /// The formats of the table.
    pub(crate) formats: &'m CellFormats,
    /// Whether a text without an entry in a table of values stays.
    pub(crate) keeps_unknown_values: bool,
}

impl ValueKind {
    /// The type in rules.
    pub(crate) fn column_type(self) -> ColumnType {
        match self {
            Self::Text => ColumnType::Text,
            Self::Number | Self::Share => ColumnType::Number,
            Self::Day => ColumnType::Date,
        }
    }
}

impl<'m> CellRule<'m> {
    fn own_formats(&self) -> &'m CellFormats {
        self.column.map_or(self.formats, |column| &column.formats)
    }

    /// The value of the column in a row.
    pub(crate) fn cell<'t>(
        &self,
        source: &CellSource,
        foreign: &'t ForeignTable,
        row: usize,
    ) -> MappedCell<'t>
    where
        'm: 't,
    {
        let text = match source {
            CellSource::Absent => return MappedCell::Null,
            CellSource::Mapping => {
                let column = self.column;
                let text = column.and_then(|c| c.constant.as_deref().or(c.default.as_deref()));
                return self.ours(text.unwrap_or_default());
            }
            CellSource::From(places) => match self.joined(places, foreign, row) {
                Ok(text) => text,
                Err(unreadable) => return unreadable,
            },
        };
        match self.column {
            Some(column) => self.mapped(column, text),
            None => self.read(text),
        }
    }

    /// The text of the foreign columns.
    fn joined<'t>(
        &self,
        places: &[CellPlace],
        foreign: &'t ForeignTable,
        row: usize,
    ) -> Result<Cow<'t, str>, MappedCell<'t>> {
        let table = &foreign.table;
        let mut joined: Option<Cow<'t, str>> = None;
        for place in places {
            let text = match place {
                CellPlace::FileName => foreign.file.as_str(),
                CellPlace::SheetName => table.name(),
                CellPlace::Column(at) => {
                    let text = table.cell(row, *at);
                    if let Some(reason) = table.unfit(row, *at) {
                        let name = &table.columns()[*at];
                        let reason = format!("column {name}: {reason}");
                        return Err(MappedCell::Unreadable(text.into(), reason));
                    }
                    text
                }
            };
            let text = trim(text);
            joined = Some(match (joined, self.column) {
                (None, _) => Cow::Borrowed(text),
                (Some(before), _) if self.own_formats().is_null(text) => before,
                (Some(before), _) if self.own_formats().is_null(&before) => Cow::Borrowed(text),
                (Some(before), column) => {
                    let join = column.map_or(" ", |column| column.join.as_str());
                    Cow::Owned(format!("{before}{join}{text}"))
                }
            });
        }
        Ok(joined.unwrap_or_default())
    }

    fn mapped<'t>(&self, column: &'t ColumnMapping, text: Cow<'t, str>) -> MappedCell<'t> {
        let text = match part_of(&column.part, text) {
            Ok(text) => text,
            Err((text, reason)) => return MappedCell::Unreadable(text, reason),
        };
        if let Some(values) = &column.values {
            match values.find(&text) {
                Some(ours) => return self.ours_or(column, ours),
                None if self.own_formats().is_null(&text) => {}
                None => match (values.any.as_deref(), self.keeps_unknown_values) {
                    (Some("*"), _) | (None, true) => {}
                    (Some(ours), _) => return self.ours_or(column, ours),
                    (None, false) if values.has_result(&text) => {}
                    (None, false) => {
                        let reason = values.unknown(&text);
                        return MappedCell::Unreadable(text, reason);
                    }
                },
            }
        }
        if self.own_formats().is_null(&text) {
            return self.ours(column.default.as_deref().unwrap_or_default());
        }
        let read = match (self.kind, column.pad) {
            (ValueKind::Text, width) if is_digits(&text) && text.len() < width => {
                MappedCell::Text(Cow::Owned(format!("{text:0>width$}")))
            }
            _ => self.read(text),
        };
        match (read, column.times) {
            (MappedCell::Number(number), Some(factor)) => match number.checked_mul(factor) {
                Some(product) if is_exact(number, factor, product) => MappedCell::Number(product),
                _ => MappedCell::Unreadable(
                    number.to_string().into(),
                    format!("the number times {factor} has more than 28 digits"),
                ),
            },
            (read, _) => read,
        }
    }

    /// A text of a table of values; NULL becomes the default.
    fn ours_or<'t>(&self, column: &'t ColumnMapping, ours: &'t str) -> MappedCell<'t> {
        match ours.is_empty() {
            true => self.ours(column.default.as_deref().unwrap_or_default()),
            false => self.ours(ours),
        }
    }

    /// A text of the mapping, which is in our formats, or else in those of the column.
    fn ours<'t>(&self, text: &'t str) -> MappedCell<'t> {
        if text.is_empty() {
            return MappedCell::Null;
        }
        match CellFormats::canonical().read(text, self.kind) {
            Ok(read) => value(read, text.into()),
            Err(_) => self.read(text.into()),
        }
    }

    fn read<'t>(&self, text: Cow<'t, str>) -> MappedCell<'t> {
        let formats = self.own_formats();
        if formats.is_null(&text) {
            return MappedCell::Null;
        }
        match formats.read(&text, self.kind) {
            Ok(read) => value(read, text),
            Err(reason) => MappedCell::Unreadable(text, reason),
        }
    }
}

fn value(read: CellRead, text: Cow<'_, str>) -> MappedCell<'_> {
    match read {
        CellRead::Text => MappedCell::Text(text),
        CellRead::Number(number) => MappedCell::Number(number),
        CellRead::Day(day) => MappedCell::Day(day),
    }
}

/// Whether a product was not rounded.
fn is_exact(number: Decimal, factor: Decimal, product: Decimal) -> bool {
    let (number, factor) = (number.normalize(), factor.normalize());
    product.is_zero() || product.scale() == number.scale() + factor.scale() || {
        product.checked_div(factor).is_some_and(|back| back == number)
    }
}

fn is_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// What of a text is taken, or why it does not have that.
fn part_of<'t>(
    part: &TextPart,
    text: Cow<'t, str>,
) -> Result<Cow<'t, str>, (Cow<'t, str>, String)> {
    let owned = |part: &str| Cow::Owned(trim(part).to_owned());
    match part {
        TextPart::Whole => Ok(text),
        _ if text.is_empty() => Ok(text),
        TextPart::Characters(first, last) => {
            let taken: String = text.chars().skip(first - 1).take(last - first + 1).collect();
            Ok(owned(&taken))
        }
        TextPart::Split(separator, number) => {
            let parts: Vec<&str> = text.split(separator.as_str()).collect();
            let wanted = usize::try_from(number.unsigned_abs()).unwrap_or(usize::MAX);
            let at = match *number > 0 {
                true => wanted.checked_sub(1),
                false => parts.len().checked_sub(wanted),
            };
            match at.and_then(|at| parts.get(at)) {
                Some(part) => Ok(owned(part)),
                None => {
                    let reason = format!(
                        "no part {number} between {separator:?}; the text has {}",
                        parts.len()
                    );
                    Err((text, reason))
                }
            }
        }
    }
}

impl ValueTable {
    /// Whether a text is one of ours already.
    fn has_result(&self, text: &str) -> bool {
        let folded = fold(text);
        self.values.values().any(|ours| fold(ours) == folded)
    }

    fn unknown(&self, text: &str) -> String {
        let near = nearest(text, self.values.keys().map(String::as_str));
        let near = match near.first() {
            Some(near) => format!("; the nearest is {near}"),
            None => String::new(),
        };
        format!(
            "no entry in the table of values of the mapping{near}; add {text:?} = \"…\", or \
             \"*\" = \"*\" to keep other texts"
        )
    }
}
