//! The line of an edit: `SUBJECT=VALUE`, `KIND:KEY=VALUE`, or `KIND:KEY:FIELD=VALUE`. The parts of
//! a key are joined by `/`; a part with one of `/ : = "` is in double quotes.

use std::fmt;

use powerfill_events::values::{fold, parse_units};

use super::{Edit, EditedTable, FORMS};
use crate::given;
use crate::near::suggestion;
use crate::report::{FaultCode, FaultReport};

/// Decimals of a shift in 32nds: 0.001/32 has the 8 decimals of a price.
const SHIFT_SCALE: u32 = 3;

impl Edit {
    /// Reads the line of an edit.
    ///
    /// # Errors
    /// The fault of a line that has no form of [`FORMS`]. What it names, and its value, are checked
    /// when it is applied.
    pub fn parse(line: &str) -> Result<Self, FaultReport> {
        let parts = Line::split(line)?;
        let Line { kind, key, field, value } = &parts;
        let Some(key) = key else {
            return match kind.as_str() {
                "prices" => shift(line, &[], value),
                _ => Ok(Self::Option { option: option(kind, value)?, value: value.clone() }),
            };
        };
        let one = || match key.as_slice() {
            [name] => Ok(name.clone()),
            _ => Err(fault(line, "one name is expected")),
        };
        match (kind.as_str(), field) {
            ("constraint", _) => parts.constraint(line, key),
            ("trade", _) => parts.row_edit(line, EditedTable::Trades, &[one()?]),
            ("loan", _) => parts.row_edit(line, EditedTable::Loans, &[one()?]),
            ("payup", _) if key.len() == 2 => parts.row_edit(line, EditedTable::Payups, key),
            ("payup", _) => Err(fault(line, "INSTRUMENT/NAME is expected")),
            ("rule", None) => Ok(Self::Rule { rule: one()?, syntax: value.clone() }),
            ("prices", None) => shift(line, key, value),
            ("carry", field) if key.len() == 2 && (field.is_some() || value == "out") => {
                parts.row_edit(line, EditedTable::Carry, key)
            }
            ("carry", None) => match key.as_slice() {
                [instrument, on_day @ ..] if on_day.len() < 2 => Ok(Self::CarryRate {
                    instrument: instrument.clone(),
                    on_day: on_day.first().cloned(),
                    rate: value.clone(),
                }),
                _ => Err(fault(line, "INSTRUMENT or INSTRUMENT/ON_DAY is expected")),
            },
            ("lockdown", None) => {
                let lock = match fold(value).as_str() {
                    "Y" => Some(true),
                    "N" => Some(false),
                    "OUT" => None,
                    _ => return Err(fault(line, "Y, N, or out is expected")),
                };
                Ok(Self::LockPool { pool: one()?, lock })
            }
            _ => Err(fault(line, "no form of an edit")),
        }
    }

    /// Reads the lines of several edits, in the order in which they apply.
    ///
    /// # Errors
    /// The faults of all lines.
    pub fn parse_all<'l>(
        lines: impl IntoIterator<Item = &'l str>,
    ) -> Result<Vec<Self>, FaultReport> {
        let (mut edits, mut faults) = (Vec::new(), Vec::new());
        for line in lines {
            match Self::parse(line) {
                Ok(edit) => edits.push(edit),
                Err(report) => faults.extend(report.faults),
            }
        }
        if faults.is_empty() { Ok(edits) } else { Err(FaultReport { faults }) }
    }

    /// Reads an edit with several values, joined by commas: one edit per value.
    ///
    /// # Errors
    /// As for [`parse_all`](Self::parse_all).
    pub fn parse_values(line: &str) -> Result<Vec<Self>, FaultReport> {
        let value = Line::split(line)?.value;
        let subject = &line[..line.trim_end_matches(' ').len() - value.len()];
        let lines: Vec<String> =
            value.split(',').map(|value| format!("{subject}{}", value.trim())).collect();
        Self::parse_all(lines.iter().map(String::as_str))
    }
}

/// The parts of a line.
struct Line {
    kind: String,
    key: Option<Vec<String>>,
    field: Option<String>,
    value: String,
}

impl Line {
    fn split(line: &str) -> Result<Self, FaultReport> {
        let mut rest = line.trim_start();
        let mut next = |ends: &[char], quotes: bool| -> Result<(String, char), FaultReport> {
            let (part, after) = match rest.strip_prefix('"').filter(|_| quotes) {
                Some(quoted) => {
                    quoted_part(quoted).ok_or_else(|| fault(line, "a quote is open"))?
                }
                None => {
                    let end = rest.find(ends).ok_or_else(|| fault(line, "= is missing"))?;
                    (rest[..end].trim_end_matches(' ').to_owned(), &rest[end..])
                }
            };
            let end = after.chars().next().filter(|end| ends.contains(end));
            let end =
                end.ok_or_else(|| fault(line, "/, :, or = is expected after a quoted name"))?;
            rest = &after[1..];
            Ok((part, end))
        };
        let (kind, mut end) = next(&[':', '='], false)?;
        let (mut key, mut field) = (None, None);
        if end == ':' {
            let mut parts = Vec::new();
            loop {
                let (part, after) = next(&['/', ':', '='], true)?;
                parts.push(part);
                end = after;
                if end != '/' {
                    break;
                }
            }
            key = Some(parts);
            if end == ':' {
                field = Some(next(&['='], false)?.0);
            }
        }
        Ok(Self { kind, key, field, value: rest.trim_end_matches(' ').to_owned() })
    }

    /// The edit of a node of the constraint tree.
    fn constraint(&self, line: &str, key: &[String]) -> Result<Edit, FaultReport> {
        let (table, node) = (EditedTable::Constraints, node(line, key)?);
        match (self.field.as_deref(), self.value.as_str()) {
            (Some("add"), priority) => {
                let cells = vec![("constraint_priority".to_owned(), priority.to_owned())];
                Ok(Edit::AddRow { table, key: node, cells })
            }
            (Some("rules+"), rule) => Ok(Edit::LinkRule { node, rule: rule.to_owned() }),
            (Some("rules-"), rule) => Ok(Edit::UnlinkRule { node, rule: rule.to_owned() }),
            (Some(column), _) => self.column(table, &node, column),
            (None, "out") => Ok(Edit::RemoveRow { table, key: node }),
            (None, _) => Err(fault(line, "no form of an edit")),
        }
    }

    /// The edit of a trade, a loan, a pay-up, or a carry bucket.
    fn row_edit(
        &self,
        line: &str,
        table: EditedTable,
        key: &[String],
    ) -> Result<Edit, FaultReport> {
        use EditedTable::{Carry, Loans, Payups, Trades};
        let value = &self.value;
        match (self.field.as_deref(), value.as_str(), table) {
            (Some("add"), _, Trades | Payups | Carry) => self.row(line, table, key),
            (Some("like"), _, Trades | Loans) => {
                Ok(Edit::CopyRow { table, name: key[0].clone(), like: value.clone() })
            }
            (Some(column), ..) => self.column(table, key, column),
            (None, "in" | "out", Trades) => {
                Ok(Edit::TradeStatus { trade: key[0].clone(), is_in: value == "in" })
            }
            (None, "out", _) => Ok(Edit::RemoveRow { table, key: key.to_vec() }),
            (None, ..) => Err(fault(line, "no form of an edit")),
        }
    }

    /// The edit that sets a column, by its name or a short one.
    fn column(&self, table: EditedTable, key: &[String], name: &str) -> Result<Edit, FaultReport> {
        let column = column(table, key, name)?;
        Ok(Edit::Column { table, key: key.to_vec(), column, value: self.value.clone() })
    }

    /// The edit that adds a row: `COLUMN=VALUE, COLUMN=VALUE`.
    fn row(&self, line: &str, table: EditedTable, key: &[String]) -> Result<Edit, FaultReport> {
        let (mut cells, mut rest) = (Vec::new(), self.value.as_str());
        loop {
            let (name, after) =
                rest.split_once('=').ok_or_else(|| fault(line, "COLUMN=VALUE is expected"))?;
            let (value, after) = match after.trim_start().strip_prefix('"') {
                Some(quoted) => {
                    quoted_part(quoted).ok_or_else(|| fault(line, "a quote is open"))?
                }
                None => {
                    let end = after.find(',').unwrap_or(after.len());
                    (after[..end].trim().to_owned(), &after[end..])
                }
            };
            cells.push((column(table, key, name.trim())?, value));
            match after.trim_start().strip_prefix(',') {
                Some(next) => rest = next,
                None if after.trim_start().is_empty() => break,
                None => return Err(fault(line, "a comma is expected after a quoted value")),
            }
        }
        Ok(Edit::AddRow { table, key: key.to_vec(), cells })
    }
}

/// The column of this name or short name, which is no part of the key.
fn column(table: EditedTable, key: &[String], name: &str) -> Result<String, FaultReport> {
    let schema = table.schema();
    let folded = fold(name);
    let short = table.short_names().iter().find(|(short, _)| fold(short) == folded);
    let listed = short.map_or(name, |(_, column)| *column);
    let column = schema.position(listed).map(|at| schema.columns[at].name);
    match (column, table) {
        (Some(column), _) if schema.key.contains(&column) => {
            let reason = "a key cannot be changed".to_owned();
            Err(unknown_column(schema.name, key, column, reason))
        }
        (Some(column), _) => Ok(column.to_owned()),
        // A loan may have additional columns.
        (None, EditedTable::Loans) => Ok(name.to_owned()),
        (None, _) => {
            let short = table.short_names().iter().map(|(short, _)| *short);
            let near = suggestion(name, schema.column_names().into_iter().chain(short));
            let reason = format!("not a column of this table{near}");
            Err(unknown_column(schema.name, key, name, reason))
        }
    }
}

/// The text before the closing quote, its doubled quotes as one, and what follows the quote.
fn quoted_part(text: &str) -> Option<(String, &str)> {
    let mut part = String::new();
    let mut rest = text;
    loop {
        let end = rest.find('"')?;
        part.push_str(&rest[..end]);
        rest = &rest[end + 1..];
        match rest.strip_prefix('"') {
            Some(after) => {
                part.push('"');
                rest = after;
            }
            None => return Some((part, rest)),
        }
    }
}

/// The option of this name, or the only one in whose name a word begins so.
fn option(name: &str, value: &str) -> Result<&'static str, FaultReport> {
    let names = || given::options().iter().map(|option| option.name);
    let folded = fold(name).replace('-', "_");
    if let Some(option) = names().find(|option| fold(option) == folded) {
        return Ok(option);
    }
    let has_part = |option: &&str| format!("_{}", fold(option)).contains(&format!("_{folded}"));
    let mut parts = names().filter(has_part);
    match (parts.next(), parts.next()) {
        (Some(option), None) => Ok(option),
        (Some(one), Some(other)) => {
            let reason = format!("names several options, as {one} and {other}");
            let fault = given::fault(name, value, FaultCode::UnknownOption, reason.into());
            Err(FaultReport { faults: vec![fault] })
        }
        _ => Err(FaultReport { faults: vec![given::unknown_option(name, value)] }),
    }
}

fn unknown_column(table: &str, key: &[String], name: &str, reason: String) -> FaultReport {
    super::apply::fault(table, &key.join("|"), name, "", FaultCode::UnknownColumn, reason)
}

/// The node of a constraint edit: one to three names.
fn node(line: &str, key: &[String]) -> Result<Vec<String>, FaultReport> {
    match key.len() {
        1..=3 if !key.iter().any(String::is_empty) => Ok(key.to_vec()),
        _ => Err(fault(
            line,
            "INVESTOR, INVESTOR/INSTRUMENT, or INVESTOR/INSTRUMENT/NAME is expected",
        )),
    }
}

fn shift(line: &str, key: &[String], value: &str) -> Result<Edit, FaultReport> {
    let number = value.strip_suffix("/32").unwrap_or(value);
    if !number.starts_with(['+', '-']) {
        return Err(fault(line, "a shift begins with + or -, as +4/32"));
    }
    let thousandths = parse_units(number, SHIFT_SCALE, 32_000, "a shift below 32000/32")
        .map_err(|error| fault(line, &error.to_string()))?;
    match key {
        [] => Ok(Edit::ShiftPrices { instrument: None, settlement_date: None, thousandths }),
        [instrument, date @ ..] if date.len() < 2 => Ok(Edit::ShiftPrices {
            instrument: Some(instrument.clone()),
            settlement_date: date.first().cloned(),
            thousandths,
        }),
        _ => Err(fault(line, "INSTRUMENT or INSTRUMENT/DATE is expected")),
    }
}

/// A line that is no edit: its fault lists the forms that begin alike.
fn fault(line: &str, what: &str) -> FaultReport {
    let kind = line.trim_start().split([':', '=']).next().unwrap_or_default();
    let mut forms: Vec<&str> =
        FORMS.iter().filter(|form| form.kind == kind).map(|form| form.form).collect();
    if forms.is_empty() {
        forms = FORMS.iter().map(|form| form.form).collect();
    }
    let reason = format!("{what}; an edit is {}", forms.join(", or "));
    super::apply::fault("edits", "", "", line, FaultCode::NotOneOf, reason)
}

/// A name as a part of a key.
struct Part<'a>(&'a str);

impl fmt::Display for Part<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_text(f, self.0, &['/', ':', '=', '"'])
    }
}

/// Writes a text, in quotes if it has one of these characters.
fn write_text(f: &mut fmt::Formatter<'_>, text: &str, special: &[char]) -> fmt::Result {
    match text.contains(special) {
        true => write!(f, "\"{}\"", text.replace('"', "\"\"")),
        false => f.write_str(text),
    }
}

fn write_key<'p>(
    f: &mut fmt::Formatter<'_>,
    kind: &str,
    parts: impl IntoIterator<Item = &'p String>,
) -> fmt::Result {
    f.write_str(kind)?;
    for (at, part) in parts.into_iter().enumerate() {
        write!(f, "{}{}", if at == 0 { ':' } else { '/' }, Part(part))?;
    }
    Ok(())
}

/// The columns of a new row. A node has its priority alone, without the column's name.
fn write_cells(
    f: &mut fmt::Formatter<'_>,
    table: EditedTable,
    cells: &[(String, String)],
) -> fmt::Result {
    for (at, (column, value)) in cells.iter().enumerate() {
        if table != EditedTable::Constraints {
            write!(f, "{}{column}=", if at == 0 { "" } else { ", " })?;
        }
        write_text(f, value, &[',', '"'])?;
    }
    Ok(())
}

impl fmt::Display for Edit {
    /// The line, with the full names of options and columns.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Option { option, value } => write!(f, "{option}={value}"),
            Self::Column { table, key, column, value } => {
                write_key(f, table.kind(), key)?;
                write!(f, ":{column}={value}")
            }
            Self::AddRow { table, key, cells } => {
                write_key(f, table.kind(), key)?;
                f.write_str(":add=")?;
                write_cells(f, *table, cells)
            }
            Self::CopyRow { table, name, like } => {
                write_key(f, table.kind(), [name])?;
                write!(f, ":like={like}")
            }
            Self::RemoveRow { table, key } => {
                write_key(f, table.kind(), key)?;
                f.write_str("=out")
            }
            Self::LinkRule { node, rule } => {
                write_key(f, "constraint", node)?;
                write!(f, ":rules+={rule}")
            }
            Self::UnlinkRule { node, rule } => {
                write_key(f, "constraint", node)?;
                write!(f, ":rules-={rule}")
            }
            Self::Rule { rule, syntax } => write!(f, "rule:{}={syntax}", Part(rule)),
            Self::TradeStatus { trade, is_in } => {
                write!(f, "trade:{}={}", Part(trade), if *is_in { "in" } else { "out" })
            }
            Self::ShiftPrices { instrument, settlement_date, thousandths } => {
                write_key(f, "prices", instrument.iter().chain(settlement_date))?;
                let sign = if *thousandths < 0 { '-' } else { '+' };
                let (whole, part) = (thousandths.abs() / 1000, thousandths.abs() % 1000);
                let number = format!("{whole}.{part:03}");
                let number = number.trim_end_matches('0').trim_end_matches('.');
                write!(f, "={sign}{number}/32")
            }
            Self::CarryRate { instrument, on_day, rate } => {
                write_key(f, "carry", [instrument].into_iter().chain(on_day))?;
                write!(f, "={rate}")
            }
            Self::LockPool { pool, lock } => {
                let value = lock.map_or("out", |lock| if lock { "Y" } else { "N" });
                write!(f, "lockdown:{}={value}", Part(pool))
            }
        }
    }
}
