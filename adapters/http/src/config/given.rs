//! Rows and keys as requests give them: read by the declaration of the table, and not validated
//! yet.

use std::fmt;
use std::marker::PhantomData;

use powerfill_events::input::InputColumn;
use powerfill_snapshot::config::{ConfigRow, ConfigTable, GivenRow, RowKey};
use serde::de::{self, Deserialize, DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};

use crate::schema::{JsonType, is_nullable, json_type};

/// The cells of a row that a body gives: its columns from `FROM` on, because the path can give
/// those before. An absent cell is an empty text.
pub(crate) struct GivenCells<R, const FROM: usize> {
    pub(crate) row: GivenRow,
    table: PhantomData<R>,
}

impl<'de, R: ConfigRow, const FROM: usize> Deserialize<'de> for GivenCells<R, FROM> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let columns = Columns(&R::TABLE.columns[FROM..]);
        let row = deserializer.deserialize_struct(R::TABLE.name, &[], columns)?;
        Ok(Self { row, table: PhantomData })
    }
}

/// Columns that a JSON object can have.
#[derive(Clone, Copy)]
struct Columns(&'static [InputColumn]);

impl<'de> Visitor<'de> for Columns {
    type Value = GivenRow;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object with the columns of a row")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<GivenRow, A::Error> {
        let mut cells: Vec<Option<String>> = vec![None; self.0.len()];
        while let Some(position) = map.next_key_seed(ColumnName(self))? {
            let column = &self.0[position];
            if cells[position].is_some() {
                return Err(de::Error::duplicate_field(column.name));
            }
            cells[position] = Some(text_of(&mut map, column)?);
        }
        let cell = |(column, text): (&InputColumn, Option<String>)| match text {
            None if !column.may_be_empty() => Err(de::Error::missing_field(column.name)),
            text => Ok((column.name.to_owned(), text.unwrap_or_default())),
        };
        self.0.iter().zip(cells).map(cell).collect()
    }
}

/// Reads a value of JSON as the text of a cell.
fn text_of<'de, A: MapAccess<'de>>(map: &mut A, column: &InputColumn) -> Result<String, A::Error> {
    Ok(match (json_type(column), is_nullable(column)) {
        (JsonType::Integer, false) => map.next_value::<i64>()?.to_string(),
        (JsonType::Integer, true) => {
            map.next_value::<Option<i64>>()?.map_or_else(String::new, |number| number.to_string())
        }
        (JsonType::Boolean, _) => if map.next_value()? { "Y" } else { "N" }.to_owned(),
        (JsonType::Text, false) => map.next_value()?,
        (JsonType::Text, true) => map.next_value::<Option<String>>()?.unwrap_or_default(),
    })
}

/// The name of a column; reads its position.
struct ColumnName(Columns);

impl<'de> DeserializeSeed<'de> for ColumnName {
    type Value = usize;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<usize, D::Error> {
        deserializer.deserialize_identifier(self)
    }
}

impl Visitor<'_> for ColumnName {
    type Value = usize;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("field identifier")
    }

    fn visit_str<E: de::Error>(self, name: &str) -> Result<usize, E> {
        let Columns(columns) = self.0;
        columns.iter().position(|column| column.name == name).ok_or_else(|| {
            let names: Vec<String> = columns.iter().map(|c| format!("`{}`", c.name)).collect();
            let expected = match names.len() {
                1 | 2 => names.join(" or "),
                _ => format!("one of {}", names.join(", ")),
            };
            E::custom(format_args!("unknown field `{name}`, expected {expected}"))
        })
    }
}

/// The key of a row that a path gives, part by part. `-` stands for an absent level of the
/// constraint tree.
pub(crate) struct KeyPath<R>(Vec<String>, PhantomData<R>);

impl<R: ConfigRow> KeyPath<R> {
    pub(crate) fn key(&self) -> RowKey {
        RowKey::of(R::CONFIG_TABLE, self.0.iter().map(String::as_str))
    }

    /// The cells of the key.
    pub(crate) fn cells(self) -> GivenRow {
        R::TABLE.key.iter().map(|column| (*column).to_owned()).zip(self.0).collect()
    }
}

impl<'de, R: ConfigRow> Deserialize<'de> for KeyPath<R> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let parts =
            deserializer.deserialize_tuple(R::TABLE.key.len(), KeyParts(R::CONFIG_TABLE))?;
        Ok(Self(parts, PhantomData))
    }
}

struct KeyParts(ConfigTable);

impl<'de> Visitor<'de> for KeyParts {
    type Value = Vec<String>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the key of a row")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut parts: A) -> Result<Vec<String>, A::Error> {
        let has_levels = matches!(self.0, ConfigTable::Constraints | ConfigTable::Links);
        let mut texts = Vec::new();
        for column in &self.0.schema().columns[..self.0.key_columns().len()] {
            let text = match json_type(column) {
                JsonType::Integer => parts.next_element::<i64>()?.map(|number| number.to_string()),
                JsonType::Boolean | JsonType::Text => parts.next_element::<String>()?,
            };
            let is_absent = has_levels && column.name != "rule_name";
            texts.extend(
                text.map(|text| if is_absent && text == "-" { String::new() } else { text }),
            );
        }
        Ok(texts)
    }
}
