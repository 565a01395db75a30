//! What is asked of a report: filters and order by column, the page.

use std::cmp::Ordering;

use powerfill_events::run::RunId;
use powerfill_events::values::{Day, fold};
use powerfill_tables::csv;
use powerfill_tables::table::{Cell, CellType, Column};

use super::catalog::Report;
use crate::problem::{Answer, Problem};

/// Rows on a page where nothing is said, and at most.
pub(crate) const USUAL: usize = 500;
pub(crate) const MOST: usize = 5_000;

/// What a page is written as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    Json,
    Csv,
}

/// How a column is compared with a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Compared {
    /// `column=value`: equal to one of the values that are given for the column.
    Is,
    /// `column.ge=value`
    AtLeast,
    /// `column.le=value`
    AtMost,
}

/// A condition on a column; `None` is NULL, as an empty value asks.
#[derive(Debug)]
struct Filter {
    column: usize,
    compared: Compared,
    values: Vec<Wanted>,
}

#[derive(Debug)]
enum Wanted {
    Null,
    /// Text compares folded (1.1).
    Text(String),
    Cell(Cell),
}

/// What is asked.
#[derive(Debug)]
pub(crate) struct Question {
    pub(crate) report: &'static Report,
    pub(crate) run: RunId,
    filters: Vec<Filter>,
    /// The column, and whether the largest comes first.
    pub(crate) order: Option<(usize, bool)>,
    /// The number of the last row of the page before.
    pub(crate) after: Option<u64>,
    pub(crate) limit: usize,
    pub(crate) form: Form,
    /// Of everything but the place: a cursor counts for the same question alone.
    print: String,
}

impl Question {
    /// Reads a query.
    pub(crate) fn read(
        report: &'static Report,
        run: RunId,
        mut asked: Vec<(String, String)>,
    ) -> Answer<Self> {
        // The same question, however it is put, has the same cursors.
        asked.sort();
        let mut question = Self {
            report,
            run,
            filters: Vec::new(),
            order: None,
            after: None,
            limit: USUAL,
            form: Form::Json,
            print: String::new(),
        };
        if let Some((column, values)) = report.only {
            let values = values.iter().map(|value| Wanted::Text(fold(value))).collect();
            let column = question.column(column)?.0;
            question.filters.push(Filter { column, compared: Compared::Is, values });
        }
        let own = question.filters.len();
        let mut hasher = blake3::Hasher::new();
        hasher.update(run.0.as_bytes()).update(report.name.as_bytes());
        let mut cursor = None;
        for (name, value) in &asked {
            match name.as_str() {
                "limit" => question.limit = limit(value)?,
                "cursor" => cursor = Some(value),
                "format" => question.form = form(value)?,
                "sort" => {
                    let (name, down) = match value.strip_prefix('-') {
                        Some(name) => (name, true),
                        None => (value.as_str(), false),
                    };
                    question.order = Some((question.column(name)?.0, down));
                }
                name => question.filter(own, name, value)?,
            }
            if !["limit", "cursor", "format"].contains(&name.as_str()) {
                for text in [name, value] {
                    hasher.update(&(text.len() as u64).to_le_bytes()).update(text.as_bytes());
                }
            }
        }
        question.print = hasher.finalize().to_hex()[..16].to_owned();
        question.after = cursor.map(|cursor| question.place(cursor)).transpose()?;
        Ok(question)
    }

    fn column(&self, name: &str) -> Answer<(usize, &'static Column)> {
        let table = self.report.table;
        let found = table.columns.iter().enumerate().find(|(_, column)| column.name == name);
        found.ok_or_else(|| {
            let names: Vec<&str> = table.columns.iter().map(|column| column.name).collect();
            Problem::bad(format!(
                "There is no parameter or column {name}. Parameters are limit, cursor, sort and format; columns are {}.",
                names.join(", ")
            ))
        })
    }

    /// Adds a condition; values of one column beside each other are alternatives.
    fn filter(&mut self, own: usize, name: &str, value: &str) -> Answer<()> {
        let (name, compared) = match name.rsplit_once('.') {
            Some((name, "ge")) => (name, Compared::AtLeast),
            Some((name, "le")) => (name, Compared::AtMost),
            _ => (name, Compared::Is),
        };
        let (column, of) = self.column(name)?;
        let wanted = wanted(of, value, compared)?;
        let mut others = self.filters[own..].iter_mut();
        let same = others.find(|filter| filter.column == column && filter.compared == compared);
        match same {
            Some(filter) if compared == Compared::Is => filter.values.push(wanted),
            _ => self.filters.push(Filter { column, compared, values: vec![wanted] }),
        }
        Ok(())
    }

    /// Whether a row is asked for.
    pub(crate) fn admits(&self, row: &[Cell]) -> bool {
        self.filters.iter().all(|filter| filter.admits(&row[filter.column]))
    }

    /// Whether more rows than the page's are looked at.
    pub(crate) fn looks_through(&self) -> bool {
        self.order.is_some() || !self.filters.is_empty()
    }

    /// The cursor of the page after this row.
    pub(crate) fn cursor(&self, row: u64) -> String {
        format!("{row}.{}", self.print)
    }

    fn place(&self, cursor: &str) -> Answer<u64> {
        let row = cursor.split_once('.').filter(|(_, print)| *print == self.print);
        let row = row.and_then(|(row, _)| row.parse().ok());
        row.ok_or_else(|| {
            Problem::bad(
                "cursor is no `next` of this run, report, filter and order; leave it out to begin.",
            )
        })
    }

    /// What the page is known by, given the digest of the run's outputs.
    pub(crate) fn tag(&self, digest: &str) -> String {
        let mut hasher = blake3::Hasher::new();
        let (print, after, limit, form) = (&self.print, self.after, self.limit, self.form);
        hasher.update(format!("{digest} {print} {after:?} {limit} {form:?}").as_bytes());
        hasher.finalize().to_hex()[..32].to_owned()
    }
}

fn limit(value: &str) -> Answer<usize> {
    let limit = value.parse().ok().filter(|limit| (1..=MOST).contains(limit));
    limit.ok_or_else(|| Problem::bad(format!("limit is {value:?}; it may be 1 to {MOST}.")))
}

fn form(value: &str) -> Answer<Form> {
    match value {
        "json" => Ok(Form::Json),
        "csv" => Ok(Form::Csv),
        _ => Err(Problem::bad(format!("format is {value:?}; it may be json or csv."))),
    }
}

/// Reads a value as one of a column.
fn wanted(column: &Column, value: &str, compared: Compared) -> Answer<Wanted> {
    if value.is_empty() {
        return match compared {
            Compared::Is => Ok(Wanted::Null),
            Compared::AtLeast | Compared::AtMost => {
                Err(Problem::bad(format!("{} is compared with nothing.", column.name)))
            }
        };
    }
    let read = match column.cell_type {
        CellType::Text | CellType::Json => return Ok(Wanted::Text(fold(value))),
        CellType::Int => value.parse().ok().map(Cell::Int),
        CellType::Decimal(_) => value.parse().ok().map(Cell::Decimal),
        CellType::Day => value.parse::<Day>().ok().map(Cell::Day),
        CellType::Timestamp => value.to_owned().try_into().ok().map(Cell::Timestamp),
    };
    let kind = match column.cell_type {
        CellType::Int => "a whole number",
        CellType::Decimal(_) => "a decimal",
        CellType::Day => "a date, YYYY-MM-DD",
        CellType::Text | CellType::Json | CellType::Timestamp => "a moment, RFC 3339",
    };
    let unread = || Problem::bad(format!("{} is {value:?}; it is {kind}.", column.name));
    read.map(Wanted::Cell).ok_or_else(unread)
}

impl Filter {
    fn admits(&self, cell: &Cell) -> bool {
        let compare = |wanted: &Wanted| match wanted {
            Wanted::Null => (*cell == Cell::Null).then_some(Ordering::Equal),
            Wanted::Text(text) => folded(cell).map(|cell| cell.cmp(text)),
            Wanted::Cell(wanted) if *cell != Cell::Null => Some(order(cell, wanted)),
            Wanted::Cell(_) => None,
        };
        self.values.iter().any(|wanted| match (self.compared, compare(wanted)) {
            (_, None) => false,
            (Compared::Is, Some(order)) => order.is_eq(),
            (Compared::AtLeast, Some(order)) => order.is_ge(),
            (Compared::AtMost, Some(order)) => order.is_le(),
        })
    }
}

fn folded(cell: &Cell) -> Option<String> {
    match cell {
        Cell::Text(text) => Some(fold(text)),
        Cell::Name(name) => Some(fold(name)),
        _ => None,
    }
}

/// What a column is sorted by: NULL first, text folded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct SortKey(Option<String>, Cell);

impl SortKey {
    pub(crate) fn of(cell: &Cell) -> Self {
        match folded(cell) {
            Some(text) => Self(Some(text), Cell::Null),
            None => Self(None, cell.clone()),
        }
    }
}

impl PartialOrd for SortKey {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for SortKey {
    fn cmp(&self, other: &Self) -> Ordering {
        self.0.cmp(&other.0).then_with(|| order(&self.1, &other.1))
    }
}

/// Values of one column; NULL comes first.
fn order(one: &Cell, other: &Cell) -> Ordering {
    match (one, other) {
        (Cell::Null, Cell::Null) => Ordering::Equal,
        (Cell::Null, _) => Ordering::Less,
        (_, Cell::Null) => Ordering::Greater,
        (Cell::Int(one), Cell::Int(other)) => one.cmp(other),
        (Cell::Fixed(one, a), Cell::Fixed(other, b)) if a == b => one.cmp(other),
        (Cell::Fixed(..) | Cell::Decimal(_), Cell::Fixed(..) | Cell::Decimal(_)) => {
            decimal(one).cmp(&decimal(other))
        }
        (Cell::Day(one), Cell::Day(other)) => one.cmp(other),
        (Cell::Timestamp(one), Cell::Timestamp(other)) => one.cmp(other),
        _ => text(one).cmp(&text(other)),
    }
}

fn decimal(cell: &Cell) -> Option<rust_decimal::Decimal> {
    match cell {
        Cell::Fixed(units, scale) => Some(rust_decimal::Decimal::new(*units, u32::from(*scale))),
        Cell::Decimal(number) => Some(*number),
        _ => None,
    }
}

fn text(cell: &Cell) -> Vec<u8> {
    let mut text = Vec::new();
    csv::write_text(cell, &mut text);
    text
}
