//! A comparison as one JSON document.

use std::io::{self, Write};

use serde::ser::SerializeSeq;
use serde::{Serialize, Serializer};
use serde_json::{Value, json};

use super::difference::difference_row;
use crate::column_set::columns_of;
use crate::compare::TableComparison;
use crate::comparison::{Comparison, ComparisonOutcome};

/// Writes the whole comparison as JSON with an LF at the end.
///
/// # Errors
/// Those of `out`.
pub fn json(comparison: &Comparison, out: &mut impl Write) -> io::Result<()> {
    serde_json::to_writer_pretty(&mut *out, &ComparisonDocument(comparison))?;
    writeln!(out)
}

impl ComparisonOutcome {
    /// The name in documents.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Same => "same",
            Self::Different => "different",
            Self::Incomparable => "incomparable",
        }
    }
}

/// A comparison as [`json()`] writes it.
#[derive(Debug)]
pub struct ComparisonDocument<'a>(pub &'a Comparison);

struct Tables<'a>(&'a Comparison);
struct TableDocument<'a>(&'a Comparison, &'a TableComparison);
struct Differences<'a>(&'a Comparison, &'a TableComparison);

impl Serialize for ComparisonDocument<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        use serde::ser::SerializeMap;
        let comparison = self.0;
        let incomparable = comparison.incomparable.iter().map(|reason| {
            let mut value = serde_json::to_value(reason).unwrap_or(Value::Null);
            if let Value::Object(object) = &mut value {
                object.insert("message".to_owned(), reason.to_string().into());
            }
            value
        });
        let left_out = comparison.left_out.iter();
        let left_out = left_out.map(|(table, reason)| json!({ "table": table, "reason": reason }));
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("answer", comparison.outcome().name())?;
        map.serialize_entry("labels", &comparison.labels())?;
        map.serialize_entry("here", &comparison.here.head)?;
        map.serialize_entry("there", &comparison.there.head)?;
        map.serialize_entry("same", &comparison.same())?;
        map.serialize_entry("differences", &comparison.differences())?;
        map.serialize_entry("classified", &comparison.classified)?;
        map.serialize_entry("incomparable", &incomparable.collect::<Vec<_>>())?;
        map.serialize_entry("left_out", &left_out.collect::<Vec<_>>())?;
        map.serialize_entry("why", &comparison.run_differences)?;
        map.serialize_entry("tables", &Tables(comparison))?;
        map.serialize_entry("loans_parted", &comparison.diverging_loan_count)?;
        map.serialize_entry("loans", &comparison.loans)?;
        map.end()
    }
}

impl Serialize for Tables<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.0.tables.iter().map(|table| TableDocument(self.0, table)))
    }
}

impl Serialize for TableDocument<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        use serde::ser::SerializeMap;
        let table = self.1;
        let names = |set| columns_of(set).map(|at| table.column(at)).collect::<Vec<_>>();
        let key: Vec<&str> = table.key.iter().map(|at| table.column(*at)).collect();
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("table", table.spec.name)?;
        map.serialize_entry("key", &key)?;
        map.serialize_entry("decision", table.spec.diff.decision)?;
        map.serialize_entry("compared", &names(table.compared))?;
        map.serialize_entry("ignored", &names(table.ignored))?;
        map.serialize_entry("missing", &names(table.missing))?;
        map.serialize_entry("only_there", &table.there.unknown_columns)?;
        map.serialize_entry("unread", &table.there.unreadable)?;
        map.serialize_entry("rows_here", &table.here.grid.len())?;
        map.serialize_entry("rows_there", &table.there.grid.len())?;
        map.serialize_entry("counts", &table.counts)?;
        map.serialize_entry("differences", &Differences(self.0, table))?;
        map.end()
    }
}

impl Serialize for Differences<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let differences = &self.1.differences;
        let mut seq = serializer.serialize_seq(Some(differences.len()))?;
        for difference in differences {
            seq.serialize_element(&difference_row(self.0, self.1, difference))?;
        }
        seq.end()
    }
}
