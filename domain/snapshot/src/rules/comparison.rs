//! Typed values and what compares two of them. Nothing here allocates, arithmetic beyond 128 bits
//! excepted.

use std::cmp::Ordering;
use std::sync::Arc;

use rust_decimal::Decimal;

use super::exact::Exact;
use super::like::is_like;
use super::truth::Truth;
use crate::tables::Attribute;
use powerfill_events::values::Day;

/// The values of a loan, in the order of the columns that the rule was compiled against.
pub(super) type Attributes<'a> = &'a [Option<Attribute>];

fn attribute(attributes: Attributes<'_>, column: usize) -> Option<&Attribute> {
    attributes[column].as_ref()
}

/// A value of another type than its column's comes from a broken snapshot: no answer would be
/// right.
fn mistyped(column: usize, found: &Attribute) -> ! {
    panic!("attribute {column} of a loan has another type than its column: {found:?}")
}

/// A text value.
#[derive(Debug, Clone)]
pub(super) enum Text {
    Column(usize),
    /// Folded.
    Literal(Arc<str>),
}

impl Text {
    pub(super) fn folded<'a>(&'a self, attributes: Attributes<'a>) -> Option<&'a str> {
        match self {
            Self::Literal(text) => Some(text),
            Self::Column(column) => match attribute(attributes, *column)? {
                Attribute::Text(name) => Some(name.folded()),
                other => mistyped(*column, other),
            },
        }
    }
}

/// A date value.
#[derive(Debug, Clone, Copy)]
pub(super) enum Date {
    Column(usize),
    Literal(Day),
}

impl Date {
    pub(super) fn day(self, attributes: Attributes<'_>) -> Option<Day> {
        match self {
            Self::Literal(day) => Some(day),
            Self::Column(column) => match attribute(attributes, column)? {
                Attribute::Date(day) => Some(*day),
                other => mistyped(column, other),
            },
        }
    }
}

/// An operator of arithmetic.
#[derive(Debug, Clone, Copy)]
pub(super) enum Arithmetic {
    Plus,
    Minus,
    Times,
    Over,
}

/// A number value.
#[derive(Debug, Clone)]
pub(super) enum Number {
    Column(usize),
    Literal(Decimal),
    /// A literal with more digits than a [`Decimal`] holds.
    Wide(Exact),
    Negated(Arc<Number>),
    /// `a + b - c …`, from left to right; a list, because a rule can have thousands.
    Chain(Arc<Number>, Arc<[(Arithmetic, Number)]>),
}

impl Number {
    /// The value of a column or a literal; the outer `None` for anything else.
    fn decimal(&self, attributes: Attributes<'_>) -> Option<Option<Decimal>> {
        match self {
            Self::Literal(number) => Some(Some(*number)),
            Self::Column(column) => Some(match attribute(attributes, *column) {
                None => None,
                Some(Attribute::Number(number)) => Some(*number),
                Some(other) => mistyped(*column, other),
            }),
            _ => None,
        }
    }

    /// The exact value; `None` for NULL: a column without a value, or a quotient by zero (1.4).
    pub(super) fn exact(&self, attributes: Attributes<'_>) -> Option<Exact> {
        match self {
            Self::Wide(number) => Some(number.clone()),
            Self::Negated(number) => Some(number.exact(attributes)?.negated()),
            Self::Chain(first, rest) => {
                let mut result = first.exact(attributes)?;
                for (operator, number) in rest.iter() {
                    let number = number.exact(attributes)?;
                    result = match operator {
                        Arithmetic::Plus => result.add(&number),
                        Arithmetic::Minus => result.subtract(&number),
                        Arithmetic::Times => result.multiply(&number),
                        Arithmetic::Over => result.divide(&number)?,
                    };
                }
                Some(result)
            }
            plain => plain.decimal(attributes).flatten().map(Exact::from),
        }
    }

    fn compare(&self, other: &Self, attributes: Attributes<'_>) -> Option<Ordering> {
        match (self.decimal(attributes), other.decimal(attributes)) {
            (Some(left), Some(right)) => Some(left?.cmp(&right?)),
            _ => Some(self.exact(attributes)?.compare(&other.exact(attributes)?)),
        }
    }
}

/// Two values of one type.
#[derive(Debug, Clone)]
pub(super) enum Pair {
    Text(Text, Text),
    Number(Number, Number),
    Date(Date, Date),
}

impl Pair {
    fn compare(&self, attributes: Attributes<'_>) -> Option<Ordering> {
        match self {
            Self::Text(left, right) => {
                Some(left.folded(attributes)?.cmp(right.folded(attributes)?))
            }
            Self::Number(left, right) => left.compare(right, attributes),
            Self::Date(left, right) => Some(left.day(attributes)?.cmp(&right.day(attributes)?)),
        }
    }
}

/// A comparison operator.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Operator {
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

impl Operator {
    fn holds(self, ordering: Ordering) -> bool {
        match self {
            Self::Equal => ordering.is_eq(),
            Self::NotEqual => ordering.is_ne(),
            Self::Less => ordering.is_lt(),
            Self::LessOrEqual => ordering.is_le(),
            Self::Greater => ordering.is_gt(),
            Self::GreaterOrEqual => ordering.is_ge(),
        }
    }
}

/// What a clause asks, before its `NOT`.
#[derive(Debug)]
pub(super) enum Test {
    Compare(Pair, Operator),
    /// At or above the one, at or below the other.
    Between(Pair, Pair),
    /// Equal to one of them.
    In(Box<[Pair]>),
    /// A column among literals, which are sorted.
    InTexts(Text, Box<[Arc<str>]>),
    InNumbers(usize, Box<[Decimal]>),
    InDates(Date, Box<[Day]>),
    Like(Text, Text),
    TextIsNull(Text),
    NumberIsNull(Number),
    DateIsNull(Date),
}

impl Test {
    pub(super) fn answer(&self, attributes: Attributes<'_>) -> Truth {
        let compare = |pair: &Pair, operator: Operator| {
            Truth::of(pair.compare(attributes).map(|ordering| operator.holds(ordering)))
        };
        match self {
            Self::Compare(pair, operator) => compare(pair, *operator),
            Self::Between(low, high) => Truth::all([
                compare(low, Operator::GreaterOrEqual),
                compare(high, Operator::LessOrEqual),
            ]),
            Self::In(pairs) => Truth::any(pairs.iter().map(|pair| compare(pair, Operator::Equal))),
            Self::InTexts(text, list) => Truth::of(
                text.folded(attributes)
                    .map(|text| list.binary_search_by(|one| (**one).cmp(text)).is_ok()),
            ),
            Self::InNumbers(column, list) => {
                let number = Number::Column(*column).decimal(attributes).flatten();
                Truth::of(number.map(|number| list.binary_search(&number).is_ok()))
            }
            Self::InDates(date, list) => {
                Truth::of(date.day(attributes).map(|day| list.binary_search(&day).is_ok()))
            }
            Self::Like(text, pattern) => Truth::of(
                text.folded(attributes)
                    .zip(pattern.folded(attributes))
                    .map(|(text, pattern)| is_like(text, pattern)),
            ),
            Self::TextIsNull(text) => Truth::of(Some(text.folded(attributes).is_none())),
            Self::NumberIsNull(number) => Truth::of(Some(number.exact(attributes).is_none())),
            Self::DateIsNull(date) => Truth::of(Some(date.day(attributes).is_none())),
        }
    }
}
