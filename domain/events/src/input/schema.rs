//! What an input table declares: its columns, its key, and its references.

use super::input_type::InputType;
use super::value::InputValue;
use crate::values::{Severity, fold};

/// An input table (specification 1.2), or the options of a run (1.3), which are one row.
#[derive(Debug)]
pub struct InputTable {
    /// Its name in every source.
    pub name: &'static str,
    /// What its rows are, in one or two sentences.
    pub description: &'static str,
    /// How many rows it may have.
    pub rows: RowCount,
    /// Whether a source must have it. Otherwise, an absent table is an empty one.
    pub is_required: bool,
    /// In the order of the specification, which is also that of the canonical form.
    pub columns: &'static [InputColumn],
    /// The columns of its key; none for a table of one row.
    pub key: &'static [&'static str],
    /// The columns that name rows of other tables.
    pub references: &'static [InputReference],
    /// A condition across columns, as SQL, which a database can check too.
    pub check: Option<&'static str>,
}

impl InputTable {
    /// A table of any number of rows that may be absent.
    pub const fn new(
        name: &'static str,
        description: &'static str,
        key: &'static [&'static str],
        references: &'static [InputReference],
        columns: &'static [InputColumn],
    ) -> Self {
        let (rows, is_required, check) = (RowCount::Any, false, None);
        Self { name, description, rows, is_required, columns, key, references, check }
    }

    /// A source must have the table.
    #[must_use]
    pub const fn required(mut self) -> Self {
        self.is_required = true;
        self
    }

    /// The table has one row.
    #[must_use]
    pub const fn exactly_one_row(mut self) -> Self {
        self.rows = RowCount::ExactlyOne;
        self
    }

    /// The table has one row or none.
    #[must_use]
    pub const fn at_most_one_row(mut self) -> Self {
        self.rows = RowCount::AtMostOne;
        self
    }

    /// Adds a condition across columns.
    #[must_use]
    pub const fn check(mut self, condition: &'static str) -> Self {
        self.check = Some(condition);
        self
    }

    /// The header of the table.
    pub fn column_names(&self) -> Vec<&'static str> {
        self.columns.iter().map(|column| column.name).collect()
    }

    /// Whether the texts of a column name rows: of this table, or of another one.
    pub fn names_rows(&self, column: &str) -> bool {
        let mut references = self.references.iter().flat_map(|reference| reference.columns);
        self.key.contains(&column) || references.any(|name| *name == column)
    }

    /// The position of the column of this name; names compare as text (1.1).
    pub fn position(&self, column: &str) -> Option<usize> {
        let folded = fold(column);
        self.columns.iter().position(|column| fold(column.name) == folded)
    }
}

/// How many rows a table may have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RowCount {
    /// Zero or more.
    Any,
    /// Zero or one.
    AtMostOne,
    /// One.
    ExactlyOne,
}

/// A column of an input table.
#[derive(Debug, Clone, Copy)]
pub struct InputColumn {
    /// Its name in every source.
    pub name: &'static str,
    /// What it holds: units, and what NULL means.
    pub description: &'static str,
    /// What a cell can hold.
    pub input_type: InputType,
    /// The range of numbers.
    pub bounds: Bounds,
    /// What an empty cell means.
    pub presence: Presence,
    /// What its numbers measure.
    pub measure: Measure,
    /// The range, in whole units, beyond which a value is likely a mistake: a warning.
    pub plausible: Option<(i64, i64)>,
    /// A value for templates; empty for none.
    pub example: &'static str,
    /// The version of the canonical form that has it first.
    pub since: u32,
}

impl InputColumn {
    /// The column of a field of this type.
    pub const fn of<T: InputValue>(name: &'static str, description: &'static str) -> Self {
        let presence = if T::IS_NULLABLE { Presence::Nullable } else { Presence::Required };
        Self {
            name,
            description: description.trim_ascii(),
            input_type: T::TYPE,
            bounds: Bounds::Any,
            presence,
            measure: T::MEASURE,
            plausible: None,
            example: "",
            since: 1,
        }
    }

    /// The numbers are percents, though their type does not say so.
    #[must_use]
    pub const fn percent(mut self) -> Self {
        self.measure = Measure::Percent;
        self
    }

    /// Values outside this range are likely mistakes: both ends are within it.
    #[must_use]
    pub const fn plausible(mut self, low: i64, high: i64) -> Self {
        self.plausible = Some((low, high));
        self
    }

    /// The value that templates show.
    #[must_use]
    pub const fn example(mut self, text: &'static str) -> Self {
        self.example = text;
        self
    }

    /// The value that an empty cell stands for.
    #[must_use]
    pub const fn default(mut self, text: fn() -> String) -> Self {
        self.presence = Presence::Default(text);
        self
    }

    /// An empty cell is an empty text: an absent level of the constraint tree.
    #[must_use]
    pub const fn or_empty(mut self) -> Self {
        self.presence = Presence::EmptyText;
        self
    }

    /// Values must be greater.
    #[must_use]
    pub const fn above(mut self, low: i64) -> Self {
        self.bounds = Bounds::Above(low);
        self
    }

    /// Values must be at least this.
    #[must_use]
    pub const fn at_least(mut self, low: i64) -> Self {
        self.bounds = Bounds::AtLeast(low);
        self
    }

    /// Values must be within both ends.
    #[must_use]
    pub const fn within(mut self, low: i64, high: i64) -> Self {
        self.bounds = Bounds::Within(low, high);
        self
    }

    /// The column's name, where the field cannot have it.
    #[must_use]
    pub const fn named(mut self, name: &'static str) -> Self {
        self.name = name;
        self
    }

    /// The version of the canonical form that has the column first.
    #[must_use]
    pub const fn since(mut self, version: u32) -> Self {
        self.since = version;
        self
    }

    /// Whether a cell can be empty.
    pub const fn may_be_empty(&self) -> bool {
        !matches!(self.presence, Presence::Required)
    }

    /// The canonical text of an empty cell.
    pub fn text_of_empty(&self) -> String {
        match self.presence {
            Presence::Default(text) => text(),
            Presence::Required | Presence::Nullable | Presence::EmptyText => String::new(),
        }
    }

    /// The value that a template shows; the default if nothing better is declared.
    pub fn sample(&self) -> String {
        if self.example.is_empty() { self.text_of_empty() } else { self.example.to_owned() }
    }

    /// The type of the column, and the range of its values, in words.
    pub fn type_in_words(&self) -> String {
        let allowed = self.allowed();
        match self.input_type {
            InputType::Decimal { scale, .. } => format!("decimal, {scale} places; {allowed}"),
            InputType::Whole if allowed != "a whole number" => format!("whole number; {allowed}"),
            InputType::OneOf(words) => words.join(" | "),
            _ => allowed.trim_start_matches("a ").to_owned(),
        }
    }

    /// What an empty cell means, in words.
    pub fn empty_in_words(&self) -> String {
        match self.presence {
            Presence::Required => "no".to_owned(),
            Presence::Nullable => "NULL".to_owned(),
            Presence::Default(text) => text(),
            Presence::EmptyText => "an absent level".to_owned(),
        }
    }

    /// The values that it can hold, in words.
    pub fn allowed(&self) -> String {
        match (self.input_type, self.bounds) {
            (InputType::OneOf(words), _) => words.join(", "),
            (InputType::Text, _) => "a text".to_owned(),
            (InputType::Number, _) => "a number".to_owned(),
            (InputType::Day, _) => "a date, YYYY-MM-DD".to_owned(),
            (InputType::Rule, _) => "a rule".to_owned(),
            (_, Bounds::Within(low, high)) => format!("{low}..{high}"),
            (InputType::Whole, Bounds::Any) => "a whole number".to_owned(),
            (InputType::Whole, Bounds::Above(low)) => format!("more than {low}"),
            (InputType::Whole, Bounds::AtLeast(low)) => format!("{low} or more"),
            (InputType::Decimal { sql_type, .. }, Bounds::Any) => sql_type.to_owned(),
            (InputType::Decimal { sql_type, .. }, Bounds::Above(low)) => {
                format!("more than {low}, {sql_type}")
            }
            (InputType::Decimal { sql_type, .. }, Bounds::AtLeast(low)) => {
                format!("{low} or more, {sql_type}")
            }
        }
    }
}

/// What the numbers of a column measure (1.1). It says how a percent sign or a scaled display is
/// to be taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Measure {
    /// A count, a rank, an identifier, or nothing known.
    Plain,
    /// US dollars.
    Dollars,
    /// Points per 100 of par.
    Points,
    /// Percent: `6.5` stands for `6.5 %`.
    Percent,
    /// A share: 0.15 stands for 15 %.
    Share,
}

impl Measure {
    /// The unit in words; empty for none.
    pub const fn unit(self) -> &'static str {
        match self {
            Self::Plain => "",
            Self::Dollars => "US dollars",
            Self::Points => "points per 100 of par",
            Self::Percent => "percent: 6.5 for 6.5 %",
            Self::Share => "a share: 0.15 for 15 %",
        }
    }
}

/// A range, in whole units.
#[derive(Debug, Clone, Copy)]
pub enum Bounds {
    /// No range beyond that of the type.
    Any,
    /// Exclusive.
    Above(i64),
    /// Inclusive.
    AtLeast(i64),
    /// Both ends inclusive.
    Within(i64, i64),
}

/// What an empty cell means, or an absent column.
#[derive(Debug, Clone, Copy)]
pub enum Presence {
    /// A fault.
    Required,
    /// NULL.
    Nullable,
    /// The value of this text.
    Default(fn() -> String),
    /// An empty text. The column itself must be there.
    EmptyText,
}

/// Columns that name a row of another table by its key.
#[derive(Debug)]
pub struct InputReference {
    /// In the order of the other table's key.
    pub columns: &'static [&'static str],
    /// The other table.
    pub table: &'static str,
    /// How severe an unknown name is. With a warning, the engine ignores the row.
    pub unknown: Severity,
}
