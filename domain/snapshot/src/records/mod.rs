//! How a checked row becomes a typed one, and how a typed one is written again: the two sides of
//! each table, next to each other.

mod book;
mod desk;
mod loan;

use std::cmp::Ordering;
use std::fmt::{Display, Write as _};

use rust_decimal::Decimal;

use super::cell::Value;
use super::tables::{Attribute, NodeKey};
use crate::rules::Predicate;
use powerfill_events::values::Choice;
use powerfill_events::values::{Day, Fixed, Name, Unit};

/// A row of a table.
pub(super) trait Record: Sized + Send {
    /// The table of 1.2.
    const TABLE: &'static str;

    /// Takes the cells in the order of the table's columns. They are without fault.
    fn read(cells: &mut Cells<'_>) -> Self;

    /// Writes them in the same order.
    fn write(&self, row: &mut RowWriter);

    /// The order of the table: by its key.
    fn order(&self, other: &Self) -> Ordering;
}

/// The checked cells of a row, taken one after the other.
///
/// Asking for another type than the column's panics: the schema and the record would disagree,
/// which the tests show.
pub(super) struct Cells<'a> {
    values: &'a mut [Value],
    next: usize,
}

impl<'a> Cells<'a> {
    pub(super) fn new(values: &'a mut [Value]) -> Self {
        Self { values, next: 0 }
    }

    fn take(&mut self) -> Option<Value> {
        let value = std::mem::replace(&mut self.values[self.next], Value::Null);
        self.next += 1;
        match value {
            Value::Null => None,
            value => Some(value),
        }
    }

    fn disagreement(&self, value: Option<Value>) -> ! {
        panic!("column {} of the schema does not suit the record: {value:?}", self.next)
    }

    fn maybe_name(&mut self) -> Option<Name> {
        match self.take() {
            None => None,
            Some(Value::Text(name)) => Some(name),
            other => self.disagreement(other),
        }
    }

    fn name(&mut self) -> Name {
        self.maybe_name().unwrap_or_else(|| self.disagreement(None))
    }

    fn maybe_fixed<K: Unit>(&mut self) -> Option<Fixed<K>> {
        match self.take() {
            None => None,
            Some(Value::Fixed { units, scale }) if scale == K::SCALE => {
                Some(Fixed::from_units(units))
            }
            other => self.disagreement(other),
        }
    }

    fn fixed<K: Unit>(&mut self) -> Fixed<K> {
        self.maybe_fixed().unwrap_or_else(|| self.disagreement(None))
    }

    fn maybe_whole(&mut self) -> Option<i64> {
        match self.take() {
            None => None,
            Some(Value::Whole(number)) => Some(number),
            other => self.disagreement(other),
        }
    }

    fn whole(&mut self) -> i64 {
        self.maybe_whole().unwrap_or_else(|| self.disagreement(None))
    }

    fn maybe_number(&mut self) -> Option<Decimal> {
        match self.take() {
            None => None,
            Some(Value::Number(number)) => Some(number),
            other => self.disagreement(other),
        }
    }

    fn maybe_day(&mut self) -> Option<Day> {
        match self.take() {
            None => None,
            Some(Value::Day(day)) => Some(day),
            other => self.disagreement(other),
        }
    }

    fn day(&mut self) -> Day {
        self.maybe_day().unwrap_or_else(|| self.disagreement(None))
    }

    fn choice<T: Choice>(&mut self) -> T {
        match self.take() {
            Some(Value::Choice(position)) => T::nth(position),
            other => self.disagreement(other),
        }
    }

    fn rule(&mut self) -> (String, Predicate) {
        match self.take() {
            Some(Value::Rule(rule)) => *rule,
            other => self.disagreement(other),
        }
    }

    fn rule_text(&mut self) -> String {
        match self.take() {
            Some(Value::Rule(rule)) => rule.0,
            Some(Value::RuleText(text)) => text.into(),
            other => self.disagreement(other),
        }
    }

    fn node_key(&mut self) -> NodeKey {
        NodeKey {
            investor_id: self.name(),
            investor_instrument_name: self.name(),
            constraint_name: self.name(),
        }
    }

    /// Every cell of the row as rules see it, nothing taken.
    fn attributes(&self) -> Box<[Option<Attribute>]> {
        self.values
            .iter()
            .map(|value| match value {
                Value::Text(name) => Some(Attribute::Text(name.clone())),
                Value::Fixed { units, scale } => {
                    Some(Attribute::Number(Decimal::new(*units, *scale).normalize()))
                }
                Value::Number(number) => Some(Attribute::Number(*number)),
                Value::Day(day) => Some(Attribute::Date(*day)),
                _ => None,
            })
            .collect()
    }
}

/// The cells of a row in their canonical text, each behind its length.
#[derive(Debug, Default)]
pub(super) struct RowWriter {
    bytes: Vec<u8>,
    scratch: String,
}

impl RowWriter {
    /// What was written since the last call.
    pub(super) fn take(
        &mut self,
        take: impl FnOnce(&[u8]) -> std::io::Result<()>,
    ) -> std::io::Result<()> {
        let taken = take(&self.bytes);
        self.bytes.clear();
        taken
    }

    /// A count or a length: seven bits a byte, the lowest first, the top bit set on all but the
    /// last.
    pub(super) fn count(&mut self, mut count: usize) {
        while count >= 0x80 {
            self.bytes.push((count & 0x7f) as u8 | 0x80);
            count >>= 7;
        }
        self.bytes.push(count as u8);
    }

    pub(super) fn text(&mut self, text: &str) {
        self.count(text.len());
        self.bytes.extend_from_slice(text.as_bytes());
    }

    fn name(&mut self, name: &Name) {
        self.text(name.as_str());
    }

    fn maybe_name(&mut self, name: Option<&Name>) {
        self.text(name.map_or("", Name::as_str));
    }

    fn fixed<K: Unit>(&mut self, number: Fixed<K>) {
        self.maybe_fixed(Some(number));
    }

    fn maybe_fixed<K: Unit>(&mut self, number: Option<Fixed<K>>) {
        let mut scratch = std::mem::take(&mut self.scratch);
        scratch.clear();
        if let Some(number) = number {
            number.write_to(&mut scratch);
        }
        self.text(&scratch);
        self.scratch = scratch;
    }

    fn shown(&mut self, value: impl Display) {
        let mut scratch = std::mem::take(&mut self.scratch);
        scratch.clear();
        write!(scratch, "{value}").expect("writing to a text does not fail");
        self.text(&scratch);
        self.scratch = scratch;
    }

    fn maybe_shown(&mut self, value: Option<impl Display>) {
        match value {
            Some(value) => self.shown(value),
            None => self.text(""),
        }
    }

    fn node_key(&mut self, key: &NodeKey) {
        self.name(&key.investor_id);
        self.name(&key.investor_instrument_name);
        self.name(&key.constraint_name);
    }
}
