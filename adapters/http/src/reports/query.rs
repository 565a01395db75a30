//! The query of a report: filters, order, and page.

use std::cmp::Ordering;

use axum::http::{HeaderMap, header};
use powerfill_events::run::RunId;
use powerfill_events::values::{Day, fold};
use powerfill_tables::table::{Cell, CellType, Column};

use super::Report;
use crate::problem::{ApiResult, Problem};
use powerfill_tables::sorting::{compare, folded};

/// Rows on a page without a limit, and at most.
pub(crate) const DEFAULT_LIMIT: usize = 500;
pub(crate) const MAX_LIMIT: usize = 5_000;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum PageFormat {
    Json,
    Csv,
    /// A workbook, which always has all rows.
    Xlsx,
}

/// The comparison of a column with a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Comparison {
    /// `column=value`: equal to one of the values of this column.
    Is,
    /// `column.ge=value`
    AtLeast,
    /// `column.le=value`
    AtMost,
}

/// A condition on a column.
#[derive(Debug, Clone)]
struct Filter {
    column: usize,
    comparison: Comparison,
    values: Vec<FilterValue>,
}

#[derive(Debug, Clone)]
enum FilterValue {
    /// An empty text of the query.
    Null,
    /// Folded, because text compares so (1.1).
    Text(String),
    Cell(Cell),
}

/// The query of a report of a run.
#[derive(Debug, Clone)]
pub(crate) struct ReportQuery {
    pub(crate) report: &'static Report,
    pub(crate) run: RunId,
    filters: Vec<Filter>,
    /// The column, and whether the largest value comes first.
    pub(crate) order: Option<(usize, bool)>,
    /// The number of the last row of the previous page, or before the first row of a page that
    /// begins at an offset.
    pub(crate) after: Option<u64>,
    /// The rows that are passed over where their number does not say which they are: with a filter
    /// or in another order.
    pub(crate) skipped: usize,
    pub(crate) limit: usize,
    pub(crate) format: PageFormat,
    /// Whether the answer has all rows, and not one page.
    pub(crate) is_whole: bool,
    /// The hash of run, report, filters, and order. A cursor is valid for these only.
    fingerprint: String,
}

impl ReportQuery {
    /// Reads a query.
    pub(crate) fn read(
        report: &'static Report,
        run: RunId,
        mut parameters: Vec<(String, String)>,
        format: PageFormat,
    ) -> ApiResult<Self> {
        refuse_doubled(&parameters)?;
        // Cursors do not depend on the order of parameters.
        parameters.sort();
        let mut query = Self {
            report,
            run,
            filters: Vec::new(),
            order: None,
            after: None,
            skipped: 0,
            limit: DEFAULT_LIMIT,
            format,
            is_whole: false,
            fingerprint: String::new(),
        };
        if let Some((column, values)) = report.spec.only {
            let values = values.iter().map(|value| FilterValue::Text(fold(value))).collect();
            let column = query.column(column)?.0;
            query.filters.push(Filter { column, comparison: Comparison::Is, values });
        }
        let mut hasher = blake3::Hasher::new();
        hasher.update(run.0.as_bytes()).update(report.spec.name.as_bytes());
        let (mut cursor, mut first) = (None, 0);
        for (name, value) in &parameters {
            match name.as_str() {
                "limit" => query.limit = limit(value)?,
                "cursor" => cursor = Some(value),
                "offset" => first = offset(value)?,
                "format" => query.format = page_format(value)?,
                "whole" => query.is_whole = whole(value)?,
                "sort" => {
                    let name = value.strip_prefix('-').unwrap_or(value);
                    query.order = Some((query.column(name)?.0, name.len() < value.len()));
                }
                name => query.add_filter(name, value)?,
            }
            if !["limit", "cursor", "offset", "format", "whole"].contains(&name.as_str()) {
                for text in [name, value] {
                    hasher.update(&(text.len() as u64).to_le_bytes()).update(text.as_bytes());
                }
            }
        }
        query.fingerprint = hasher.finalize().to_hex()[..16].to_owned();
        query.is_whole |= query.format == PageFormat::Xlsx;
        if query.is_whole {
            query.take_whole(&parameters)?;
        }
        query.after = cursor.map(|cursor| query.row_of_cursor(cursor)).transpose()?;
        query.begin_at(first)?;
        Ok(query)
    }

    /// Reads all rows, in pages that no parameter describes.
    fn take_whole(&mut self, parameters: &[(String, String)]) -> ApiResult<()> {
        let is_of_page =
            |(name, _): &(String, String)| ["limit", "cursor", "offset"].contains(&&**name);
        if self.format == PageFormat::Json || parameters.iter().any(is_of_page) {
            let detail = "All rows are there as CSV and XLSX, without limit, cursor, and offset.";
            return Err(Problem::bad(detail));
        }
        self.limit = MAX_LIMIT;
        Ok(())
    }

    fn column(&self, name: &str) -> ApiResult<(usize, &'static Column)> {
        let table = self.report.table;
        let found = table.columns.iter().enumerate().find(|(_, column)| column.name == name);
        found.ok_or_else(|| {
            let names: Vec<&str> = table.columns.iter().map(|column| column.name).collect();
            Problem::bad(format!(
                "There is no parameter or column {name}. Parameters are limit, cursor, offset, \
                 sort, format, and whole; columns are {}.",
                names.join(", ")
            ))
        })
    }

    /// Adds a condition. Several values of one column are alternatives.
    fn add_filter(&mut self, name: &str, value: &str) -> ApiResult<()> {
        let (name, comparison) = match name.rsplit_once('.') {
            Some((name, "ge")) => (name, Comparison::AtLeast),
            Some((name, "le")) => (name, Comparison::AtMost),
            _ => (name, Comparison::Is),
        };
        let (column, spec) = self.column(name)?;
        let value = filter_value(spec, value, comparison)?;
        // The filter of the report itself is no alternative.
        let own = usize::from(self.report.spec.only.is_some());
        let mut others = self.filters[own..].iter_mut();
        let same = others.find(|filter| filter.column == column && filter.comparison == comparison);
        match same {
            Some(filter) if comparison == Comparison::Is => filter.values.push(value),
            _ => self.filters.push(Filter { column, comparison, values: vec![value] }),
        }
        Ok(())
    }

    /// Whether a row meets all conditions.
    pub(crate) fn admits(&self, row: &[Cell]) -> bool {
        self.filters.iter().all(|filter| filter.admits(&row[filter.column]))
    }

    /// Whether some rows of the table are left out.
    pub(crate) fn is_filtered(&self) -> bool {
        !self.filters.is_empty()
    }

    /// Whether the page needs more rows than its own.
    pub(crate) fn scans_table(&self) -> bool {
        self.order.is_some() || self.is_filtered()
    }

    /// The same query for the page after this row.
    pub(crate) fn following(&self, row: u64) -> Self {
        Self { after: Some(row), skipped: 0, ..self.clone() }
    }

    /// What names the rows of all pages, and their order.
    pub(crate) fn fingerprint(&self) -> &str {
        &self.fingerprint
    }

    /// The cursor of the page after this row.
    pub(crate) fn cursor(&self, row: u64) -> String {
        format!("{row}.{}", self.fingerprint)
    }

    /// Passes over this many of the rows that the query selects.
    fn begin_at(&mut self, first: usize) -> ApiResult<()> {
        match first.checked_sub(1) {
            None => {}
            Some(_) if self.after.is_some() => {
                return Err(Problem::bad(
                    "A page begins at a cursor or at an offset, not at both.",
                ));
            }
            Some(_) if self.scans_table() => self.skipped = first,
            Some(last) => self.after = Some(last as u64),
        }
        Ok(())
    }

    fn row_of_cursor(&self, cursor: &str) -> ApiResult<u64> {
        let row =
            cursor.split_once('.').filter(|(_, fingerprint)| *fingerprint == self.fingerprint);
        let row = row.and_then(|(row, _)| row.parse().ok());
        row.ok_or_else(|| {
            Problem::bad(
                "cursor is no `next` of this run, report, filter, and order; omit it to begin.",
            )
        })
    }

    /// The ETag of the page, which depends on the digest of the run's outputs.
    pub(crate) fn etag(&self, digest: &str) -> String {
        let mut hasher = blake3::Hasher::new();
        let (print, after, limit, form) = (&self.fingerprint, self.after, self.limit, self.format);
        let whole = if self.is_whole { " whole" } else { "" };
        let begin = format!("{after:?} {}", self.skipped);
        hasher.update(format!("{digest} {print} {begin} {limit} {form:?}{whole}").as_bytes());
        hasher.finalize().to_hex()[..32].to_owned()
    }
}

/// Refuses a second value of a parameter that has one.
fn refuse_doubled(parameters: &[(String, String)]) -> ApiResult<()> {
    let is_doubled = |name: &&str| parameters.iter().filter(|(of, _)| of == name).count() > 1;
    let single = ["limit", "cursor", "offset", "format", "sort", "whole"];
    match single.into_iter().find(|name| is_doubled(name)) {
        Some(name) => Err(Problem::bad(format!("{name} is there more than once."))),
        None => Ok(()),
    }
}

impl PageFormat {
    /// The format that a request prefers by its header `Accept`, without a parameter: JSON, unless
    /// CSV is named before it.
    pub(crate) fn preferred(headers: &HeaderMap) -> Self {
        let accepted = headers.get_all(header::ACCEPT).iter().filter_map(|text| text.to_str().ok());
        let media_type =
            |range: &str| range.split(';').next().unwrap_or_default().trim().to_owned();
        let known = accepted.flat_map(|text| text.split(',')).map(media_type).find(|name| {
            ["text/csv", "application/json", "application/*", "*/*"].contains(&name.as_str())
        });
        if known.as_deref() == Some("text/csv") { Self::Csv } else { Self::Json }
    }
}

fn limit(value: &str) -> ApiResult<usize> {
    let limit = value.parse().ok().filter(|limit| (1..=MAX_LIMIT).contains(limit));
    limit.ok_or_else(|| Problem::bad(format!("limit is {value:?}; it may be 1 to {MAX_LIMIT}.")))
}

fn offset(value: &str) -> ApiResult<usize> {
    value.parse().map_err(|_| {
        Problem::bad(format!("offset is {value:?}; it must be a whole number, 0 or more."))
    })
}

fn whole(value: &str) -> ApiResult<bool> {
    value.parse().map_err(|_| Problem::bad(format!("whole is {value:?}; it may be true or false.")))
}

fn page_format(value: &str) -> ApiResult<PageFormat> {
    match value {
        "json" => Ok(PageFormat::Json),
        "csv" => Ok(PageFormat::Csv),
        "xlsx" => Ok(PageFormat::Xlsx),
        _ => Err(Problem::bad(format!("format is {value:?}; it may be json, csv, or xlsx."))),
    }
}

/// Reads a value of a column.
fn filter_value(column: &Column, value: &str, comparison: Comparison) -> ApiResult<FilterValue> {
    if value.is_empty() {
        return match comparison {
            Comparison::Is => Ok(FilterValue::Null),
            Comparison::AtLeast | Comparison::AtMost => {
                Err(Problem::bad(format!("{} has no value to compare with.", column.name)))
            }
        };
    }
    let read = match column.cell_type {
        CellType::Text | CellType::Json => return Ok(FilterValue::Text(fold(value))),
        CellType::Int => value.parse().ok().map(Cell::Int),
        CellType::Decimal(_) => value.parse().ok().map(Cell::Decimal),
        CellType::Day => value.parse::<Day>().ok().map(Cell::Day),
        CellType::Timestamp => value.to_owned().try_into().ok().map(Cell::Timestamp),
    };
    let expected = match column.cell_type {
        CellType::Int => "a whole number",
        CellType::Decimal(_) => "a decimal",
        CellType::Day => "a date, YYYY-MM-DD",
        CellType::Text | CellType::Json | CellType::Timestamp => "a time, RFC 3339",
    };
    let unread = || Problem::bad(format!("{} is {value:?}; it must be {expected}.", column.name));
    read.map(FilterValue::Cell).ok_or_else(unread)
}

impl Filter {
    fn admits(&self, cell: &Cell) -> bool {
        let compared = |value: &FilterValue| match value {
            FilterValue::Null => (*cell == Cell::Null).then_some(Ordering::Equal),
            FilterValue::Text(text) => folded(cell).map(|cell| cell.cmp(text)),
            FilterValue::Cell(value) if *cell != Cell::Null => Some(compare(cell, value)),
            FilterValue::Cell(_) => None,
        };
        self.values.iter().any(|value| match (self.comparison, compared(value)) {
            (_, None) => false,
            (Comparison::Is, Some(order)) => order.is_eq(),
            (Comparison::AtLeast, Some(order)) => order.is_ge(),
            (Comparison::AtMost, Some(order)) => order.is_le(),
        })
    }
}
