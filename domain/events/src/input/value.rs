//! Values of cells: as the validation reads them, and as fields of typed rows.

use std::fmt::Write;
use std::marker::PhantomData;

use rust_decimal::Decimal;

use super::input_type::InputType;
use super::schema::Measure;
use crate::values::{Day, Fixed, Key, Name, Unit};

/// A cell that was read by the type of its column.
#[derive(Debug, Clone)]
pub enum InputCell {
    /// An empty cell of a nullable column.
    Null,
    /// A text, also an empty one where the column allows it.
    Text(Name),
    /// A decimal of a fixed scale.
    Decimal {
        /// The number without its point.
        units: i64,
        /// Decimals after the point.
        scale: u32,
    },
    /// A whole number.
    Whole(i64),
    /// A number of any scale.
    Number(Decimal),
    /// A date.
    Day(Day),
    /// The position of the word in its list.
    Word(usize),
    /// The text of a rule.
    Rule(Box<str>),
    /// A cell with a fault, which the report has.
    Faulty,
}

/// A type of the fields of typed rows. The schema of a column follows from it.
pub trait InputValue: Sized {
    /// What the column holds.
    const TYPE: InputType;

    /// Whether a cell can be NULL.
    const IS_NULLABLE: bool = false;

    /// What its numbers measure.
    const MEASURE: Measure = Measure::Plain;

    /// The value of a cell without fault; `None` for a cell of another type.
    fn from_cell(cell: InputCell) -> Option<Self>;

    /// Writes the canonical text at the end of `out`; nothing for NULL.
    fn write(&self, out: &mut String);

    /// Whether both are written the same: for names, with the same spelling.
    fn is_same(&self, other: &Self) -> bool;
}

/// The canonical text of a value.
pub fn text_of<T: InputValue>(value: &T) -> String {
    let mut text = String::new();
    value.write(&mut text);
    text
}

impl InputValue for Name {
    const TYPE: InputType = InputType::Text;

    fn from_cell(cell: InputCell) -> Option<Self> {
        if let InputCell::Text(name) = cell { Some(name) } else { None }
    }

    fn write(&self, out: &mut String) {
        out.push_str(self.as_str());
    }

    fn is_same(&self, other: &Self) -> bool {
        self.as_str() == other.as_str()
    }
}

impl<T> InputValue for Key<T> {
    const TYPE: InputType = InputType::Text;

    fn from_cell(cell: InputCell) -> Option<Self> {
        Name::from_cell(cell).map(Self::from)
    }

    fn write(&self, out: &mut String) {
        out.push_str(self.as_str());
    }

    fn is_same(&self, other: &Self) -> bool {
        self.as_str() == other.as_str()
    }
}

impl<K: Unit> InputValue for Fixed<K> {
    const TYPE: InputType =
        InputType::Decimal { scale: K::SCALE, bound: K::BOUND, sql_type: K::SQL_TYPE };
    const MEASURE: Measure = K::MEASURE;

    fn from_cell(cell: InputCell) -> Option<Self> {
        match cell {
            InputCell::Decimal { units, scale } if scale == K::SCALE => {
                Some(Self::from_units(units))
            }
            _ => None,
        }
    }

    fn write(&self, out: &mut String) {
        self.write_to(out);
    }

    fn is_same(&self, other: &Self) -> bool {
        self == other
    }
}

/// A value that its [`Display`](std::fmt::Display) writes.
macro_rules! displayed_values {
    ($($type:ty: $input_type:ident, $cell:pat => $value:expr;)*) => {$(
        impl InputValue for $type {
            const TYPE: InputType = InputType::$input_type;

            fn from_cell(cell: InputCell) -> Option<Self> {
                if let $cell = cell { $value } else { None }
            }

            fn write(&self, out: &mut String) {
                write!(out, "{self}").expect("writing to a text does not fail");
            }

            fn is_same(&self, other: &Self) -> bool {
                self == other
            }
        }
    )*};
}

displayed_values! {
    i64: Whole, InputCell::Whole(number) => Some(number);
    i32: Whole, InputCell::Whole(number) => number.try_into().ok();
    u32: Whole, InputCell::Whole(number) => number.try_into().ok();
    Decimal: Number, InputCell::Number(number) => Some(number);
    Day: Day, InputCell::Day(day) => Some(day);
    String: Rule, InputCell::Rule(text) => Some(text.into());
}

impl InputValue for bool {
    const TYPE: InputType = InputType::OneOf(&["Y", "N"]);

    fn from_cell(cell: InputCell) -> Option<Self> {
        if let InputCell::Word(position) = cell { Some(position == 0) } else { None }
    }

    fn write(&self, out: &mut String) {
        out.push(if *self { 'Y' } else { 'N' });
    }

    fn is_same(&self, other: &Self) -> bool {
        self == other
    }
}

impl<T: InputValue> InputValue for Option<T> {
    const TYPE: InputType = T::TYPE;
    const IS_NULLABLE: bool = true;
    const MEASURE: Measure = T::MEASURE;

    fn from_cell(cell: InputCell) -> Option<Self> {
        match cell {
            InputCell::Null => Some(None),
            cell => T::from_cell(cell).map(Some),
        }
    }

    fn write(&self, out: &mut String) {
        if let Some(value) = self {
            value.write(out);
        }
    }

    fn is_same(&self, other: &Self) -> bool {
        match (self, other) {
            (None, None) => true,
            (Some(one), Some(other)) => one.is_same(other),
            _ => false,
        }
    }
}

/// A column without a field of its own: only rules read it, among the attributes of a loan.
#[derive(Debug, Clone, Copy)]
pub struct RuleOnly<T>(PhantomData<fn() -> T>);

impl<T: InputValue> InputValue for RuleOnly<T> {
    const TYPE: InputType = T::TYPE;
    const IS_NULLABLE: bool = T::IS_NULLABLE;
    const MEASURE: Measure = T::MEASURE;

    fn from_cell(_: InputCell) -> Option<Self> {
        Some(Self(PhantomData))
    }

    fn write(&self, _: &mut String) {}

    fn is_same(&self, _: &Self) -> bool {
        true
    }
}
