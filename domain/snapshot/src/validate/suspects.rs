//! Values that are valid and likely wrong: what a column says is counted row by row, and becomes at
//! most one warning per column and kind (specification 1.2).

use std::borrow::Cow;

use powerfill_events::input::{CellDisplay, InputCell, Measure, ShownCell};
use powerfill_events::values::Day;
use rust_decimal::Decimal;

use super::context::PlacedFault;
use super::layout::{SourceColumn, TableLayout};
use super::suspicion::{Suspicion, invisible};
use crate::cell::CellFault;
use crate::report::{FaultCode, Severity};

/// How many rows have something, and the first of them.
#[derive(Debug, Default)]
struct Occurrences {
    rows: usize,
    first: Option<(usize, String)>,
}

impl Occurrences {
    fn add(&mut self, row: usize, text: &str) {
        self.rows += 1;
        if self.first.is_none() {
            self.first = Some((row, text.to_owned()));
        }
    }

    fn merge(&mut self, later: Self) {
        self.rows += later.rows;
        self.first = self.first.take().or(later.first);
    }
}

/// The longest id whose length is counted.
const MAX_ID: usize = 31;

/// The digits of a number that a spreadsheet keeps; it makes the others zeros.
const KEPT_DIGITS: usize = 15;

/// What the rows of a column have been seen to hold.
#[derive(Debug, Default)]
pub(super) struct ColumnWatch {
    suspects: Vec<(Suspicion, Occurrences)>,
    values: usize,
    outside: Occurrences,
    /// The first value of a column that is percent, and the least and the greatest.
    numbers: Option<(usize, Decimal, Decimal)>,
    /// Ids of digits only, by length, with the first of each, until another id is seen.
    lengths: Vec<Occurrences>,
    /// How many of them begin with a zero, by length.
    zero_led: [usize; MAX_ID + 1],
    /// How many of them have only zeros behind the digits that a spreadsheet keeps, by length.
    rounded: [usize; MAX_ID + 1],
    has_other_ids: bool,
}

impl ColumnWatch {
    pub(super) fn suspect(&mut self, suspicion: Suspicion, row: usize, text: &str) {
        if !self.suspects.iter().any(|(kind, _)| *kind == suspicion) {
            self.suspects.push((suspicion, Occurrences::default()));
        }
        if let Some((_, seen)) = self.suspects.iter_mut().find(|(kind, _)| *kind == suspicion) {
            seen.add(row, text);
        }
    }

    /// Counts the length of an id.
    pub(super) fn id(&mut self, row: usize, text: &str) {
        if self.has_other_ids {
            return;
        }
        let is_number = text.len() <= MAX_ID && text.bytes().all(|b| b.is_ascii_digit());
        if !is_number {
            self.has_other_ids = true;
            return;
        }
        self.lengths.resize_with(MAX_ID + 1, Occurrences::default);
        self.lengths[text.len()].add(row, text);
        self.zero_led[text.len()] += usize::from(text.starts_with('0'));
        let beyond = text.as_bytes().get(KEPT_DIGITS..).filter(|rest| !rest.is_empty());
        self.rounded[text.len()] +=
            usize::from(beyond.is_some_and(|d| d.iter().all(|b| *b == b'0')));
    }

    /// Counts a number or a date by the plausible range of its column.
    pub(super) fn value(
        &mut self,
        column: &SourceColumn,
        row: usize,
        cell: &InputCell,
        text: &str,
    ) {
        let number = match cell {
            InputCell::Decimal { units, scale } => Decimal::new(*units, *scale),
            InputCell::Number(number) => *number,
            InputCell::Day(day) => {
                if !is_plausible(*day) {
                    self.outside.add(row, text);
                }
                self.values += 1;
                return;
            }
            _ => return,
        };
        if column.measure == Measure::Dollars && has_thousands_points(text) {
            self.suspect(Suspicion::Points, row, text);
        }
        let Some((low, high)) = column.plausible else { return };
        self.values += 1;
        if number < Decimal::from(low) || number > Decimal::from(high) {
            self.outside.add(row, text);
        }
        let (first, least, greatest) = self.numbers.unwrap_or((row, number, number));
        self.numbers = Some((first, least.min(number), greatest.max(number)));
    }

    pub(super) fn merge(&mut self, later: Self) {
        for (suspicion, seen) in later.suspects {
            match self.suspects.iter_mut().find(|(kind, _)| *kind == suspicion) {
                Some((_, earlier)) => earlier.merge(seen),
                None => self.suspects.push((suspicion, seen)),
            }
        }
        self.values += later.values;
        self.outside.merge(later.outside);
        self.numbers = match (self.numbers, later.numbers) {
            (Some((first, a, b)), Some((_, c, d))) => Some((first, a.min(c), b.max(d))),
            (one, other) => one.or(other),
        };
        self.has_other_ids |= later.has_other_ids;
        self.zero_led.iter_mut().zip(later.zero_led).for_each(|(one, other)| *one += other);
        self.rounded.iter_mut().zip(later.rounded).for_each(|(one, other)| *one += other);
        if self.lengths.is_empty() {
            self.lengths = later.lengths;
        } else {
            self.lengths.iter_mut().zip(later.lengths).for_each(|(one, other)| one.merge(other));
        }
    }

    /// The warnings of a column.
    pub(super) fn faults(self, layout: &TableLayout<'_>, at: usize) -> Vec<PlacedFault> {
        let column = &layout.columns[at];
        let mut faults = Vec::new();
        let mut warn = |row: usize, code: FaultCode, reason: Cow<'static, str>| {
            let fault = CellFault::new(code, reason);
            faults.push(layout.row_fault(Severity::Warning, row, &[at], fault));
        };
        let mangled = self.lost_zeros().into_iter().chain(self.lost_digits());
        let mangled: Vec<(usize, String)> = mangled.collect();
        for (suspicion, Occurrences { rows, first }) in self.suspects {
            let Some((row, text)) = first else { continue };
            let is_null = matches!(suspicion, Suspicion::NullWord | Suspicion::MaybeNull);
            let is_value = suspicion == Suspicion::MaybeNull && rows == 1 && column.is_additional;
            // One cell of three decimals shows no habit.
            let is_habit = suspicion != Suspicion::Points || rows > 1;
            // An unknown reference is an error already.
            if is_value || !is_habit || is_null && layout.must_refer(&column.name) {
                continue;
            }
            let (code, reason) = match suspicion {
                Suspicion::Shown(display) => shown_otherwise(display, layout, row, at, rows),
                suspicion => {
                    let (code, what) = suspect_text(suspicion, &text);
                    (code, format!("{}: {what}", cells(rows)))
                }
            };
            warn(row, code, reason.into());
        }
        for (row, reason) in mangled {
            warn(row, FaultCode::MangledId, reason.into());
        }
        match self.numbers.and_then(|numbers| suspect_scale(column, numbers, self.values)) {
            Some((row, reason)) => warn(row, FaultCode::SuspectScale, reason.into()),
            None => {
                if let (rows, Some((row, text))) = (self.outside.rows, self.outside.first) {
                    let reason = implausible(column, rows, self.values, &text);
                    warn(row, FaultCode::Implausible, reason.into());
                }
            }
        }
        faults
    }

    /// Ids of digits that are shorter than the others: than those with leading zeros, or than
    /// nearly all of many long ones.
    fn lost_zeros(&self) -> Option<(usize, String)> {
        /// The fewest digits of an id that is no count, and the fewest ids that show a length.
        const LONG: usize = 7;
        const MANY: usize = 8;
        if self.has_other_ids {
            return None;
        }
        let ids: usize = self.lengths.iter().map(|seen| seen.rows).sum();
        let usual = self.lengths.iter().rposition(|seen| seen.rows > 0)?;
        let shortest = self.lengths.iter().position(|seen| seen.rows > 0)?;
        let of_usual = self.lengths[usual].rows;
        let is_clear = self.zero_led[usual] > 0 && of_usual * 2 >= ids;
        let is_likely =
            ids >= MANY && usual >= LONG && of_usual * 5 >= ids * 4 && shortest + 3 >= usual;
        if shortest == usual || !(is_clear || is_likely) {
            return None;
        }
        let shorter = self.lengths[shortest..usual].iter().filter_map(|seen| seen.first.as_ref());
        let (row, _) = shorter.min_by_key(|(row, _)| *row)?;
        let few = ids - self.lengths[usual].rows;
        let reason = format!(
            "{few} of {ids} ids have fewer than {usual} digits: they may have lost leading zeros; \
             restore them, and format the column as text"
        );
        Some((*row, reason))
    }

    /// Long ids that all have zeros behind the digits that a spreadsheet keeps.
    fn lost_digits(&self) -> Option<(usize, String)> {
        let is_rounded = |length: &usize| {
            let rows = self.lengths[*length].rows;
            rows > 1 && self.rounded[*length] == rows
        };
        if self.has_other_ids {
            return None;
        }
        let length = (KEPT_DIGITS + 1..self.lengths.len()).find(is_rounded)?;
        let (row, _) = self.lengths[length].first.as_ref()?;
        let reason = format!(
            "all {} ids of {length} digits have zeros behind the first {KEPT_DIGITS}, which a \
             spreadsheet keeps; take them from their source, as text",
            self.lengths[length].rows
        );
        Some((*row, reason))
    }
}

/// What is suspect about a text, and what to do.
fn suspect_text(suspicion: Suspicion, text: &str) -> (FaultCode, String) {
    match suspicion {
        Suspicion::NullWord | Suspicion::MaybeNull => (
            FaultCode::NullWord,
            format!("the text {text:?}, a word for NULL; leave a cell empty for NULL"),
        ),
        Suspicion::Invisible => {
            let remedy = "remove it, a text with it equals no text without it";
            let what = format!("an invisible character, {}; {remedy}", invisible(text));
            (FaultCode::InvisibleCharacter, what)
        }
        Suspicion::Rewritten => {
            let remedy = "write all digits, and format the column as text";
            (FaultCode::MangledId, format!("a number that a spreadsheet rewrote; {remedy}"))
        }
        Suspicion::Escaped => {
            let plain = text.trim_start_matches(['=', '\'']).trim_matches('"');
            let what = "the signs by which a spreadsheet keeps a text";
            (FaultCode::MangledId, format!("{what}; write {plain}"))
        }
        Suspicion::Points => {
            let what = format!("three decimals of dollars, read as {}", dollars(text));
            let remedy = "if the point is between thousands, leave it out";
            (FaultCode::Implausible, format!("{what}; {remedy}"))
        }
        // A display has a text of its own.
        Suspicion::Total | Suspicion::Shown(_) => {
            (FaultCode::MangledId, "the label of a totals row; delete the row".to_owned())
        }
    }
}

fn cells(rows: usize) -> String {
    if rows == 1 { "1 cell".to_owned() } else { format!("{rows} cells") }
}

/// Whether an amount is written like `300.000`: dollars have two decimals, so that the point is
/// likely one between thousands.
fn has_thousands_points(text: &str) -> bool {
    let Some((before, after)) = text.split_once('.') else { return false };
    (1..=3).contains(&before.len()) && after.len() == 3
}

/// An amount of three decimals as it is read.
fn dollars(text: &str) -> &str {
    text.strip_suffix('0').unwrap_or(text)
}

/// No date of a book is in another century.
fn is_plausible(day: Day) -> bool {
    let year = chrono::Datelike::year(&day.to_chrono());
    (1950..=2100).contains(&year)
}

/// All numbers of a percent column are so small that they are shares.
fn suspect_scale(
    column: &SourceColumn,
    (row, least, greatest): (usize, Decimal, Decimal),
    values: usize,
) -> Option<(usize, String)> {
    let low = Decimal::from(column.plausible?.0);
    // A loan-to-value of 120 % is common enough, a rate of 1 % is not.
    let limit = if column.is_decimal() { Decimal::ONE } else { Decimal::new(15, 1) };
    let is_suspect = column.measure == Measure::Percent
        && low >= Decimal::ZERO
        && greatest > Decimal::ZERO
        && greatest < limit;
    let name = &column.name;
    let example = (greatest * Decimal::ONE_HUNDRED).normalize();
    is_suspect.then(|| {
        let range = format!("all {values} values are from {least} to {greatest}");
        (row, format!("{range}, and {name} is in percent; write {example} for {example} %"))
    })
}

fn implausible(column: &SourceColumn, rows: usize, values: usize, text: &str) -> String {
    let range = match column.plausible {
        Some((low, high)) => format!("{low} to {high}"),
        None => "1950 to 2100".to_owned(),
    };
    let of = format!("{rows} of {values} values are not within {range}");
    let is_code = text.len() > 1 && text.bytes().all(|b| matches!(b, b'9' | b'.'))
        || matches!(text, "0" | "0.0" | "0.00" | "-1")
        || column.plausible.is_none();
    match is_code {
        true => format!("{of}; if {text} stands for unknown, leave the cell empty"),
        false => format!("{of}; correct them if they are mistakes"),
    }
}

fn shown_otherwise(
    display: CellDisplay,
    layout: &TableLayout<'_>,
    row: usize,
    at: usize,
    rows: usize,
) -> (FaultCode, String) {
    let stored = layout.text(row, at);
    let shown = layout.columns[at].source.and_then(|source| layout.raw.shown(row, source));
    let shown = shown.map_or("", |cell| &cell.shown);
    let of = if rows == 1 { String::new() } else { format!(" ({rows} cells)") };
    let read = format!("shown as {shown}, read as {stored}{of}");
    match display {
        CellDisplay::LeadingZeros => {
            (FaultCode::MangledId, format!("{read}; type it as text, with its zeros"))
        }
        CellDisplay::Percent | CellDisplay::Thousands => (
            FaultCode::ScaledDisplay,
            format!("{read}; format the column as a plain number, and check the values"),
        ),
    }
}

/// The fault of a cell that is shown as a percentage, in a column whose values are not shares:
/// a hundredth of what is seen is not meant. `None` if only the stored value can be meant, because
/// the shown one is beyond the column.
pub(super) fn scaled_fault(
    column: &SourceColumn,
    stored: &str,
    cell: &ShownCell,
) -> Option<CellFault> {
    let is_scaled = matches!(column.measure, Measure::Percent | Measure::Dollars | Measure::Points);
    if !is_scaled || cell.display != CellDisplay::Percent {
        return None;
    }
    let typed = stored.parse::<Decimal>().ok()?.checked_mul(Decimal::ONE_HUNDRED)?.normalize();
    let highest = column.plausible.map_or(100, |(_, high)| high);
    if column.measure == Measure::Percent && typed > Decimal::from(highest) {
        return None;
    }
    let reason = format!(
        "shown as {}, stored as {stored}; type {typed} without % in a cell with a plain number \
         format",
        cell.shown
    );
    Some(CellFault::new(FaultCode::ScaledDisplay, reason))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_that_lost_zeros_are_shorter_than_nearly_all() {
        let watch = |ids: &[String]| {
            let mut watch = ColumnWatch::default();
            ids.iter().enumerate().for_each(|(row, id)| watch.id(row, id));
            watch.lost_zeros().map(|(row, _)| row)
        };
        let mut ids: Vec<String> =
            (1_000_000_001_u64..=1_000_000_020).map(|n| n.to_string()).collect();
        assert_eq!(watch(&ids), None);
        ids[7] = "100000008".to_owned();
        assert_eq!(watch(&ids), Some(7));
        ids[3] = "0100000004".to_owned();
        assert_eq!(watch(&ids), Some(7));
        let few = ["0001000101", "1000102", "0001000103"].map(str::to_owned);
        assert_eq!(watch(&few), Some(1));
        let counted = ["01", "02", "99", "100"].map(str::to_owned);
        assert_eq!(watch(&counted), None);
        let counted: Vec<String> = (1..=2_000).map(|n: u64| n.to_string()).collect();
        assert_eq!(watch(&counted), None);
    }
}
