//! Guesses which column of a file is which of ours.

use std::collections::BTreeSet;

use powerfill_events::values::fold;
use powerfill_snapshot::near::nearest;
use powerfill_snapshot::usual_names::is_usual_name;
use rust_decimal::Decimal;

use super::profile::{Formats, sample};
use crate::bind::ForeignTable;
use crate::formats::{CellFormats, DateFormat, ExcelDates, PriceForm};
use crate::names::normalize;
use crate::schema::{LOAN, TargetTable, ValueKind};

/// A column of a file, and the column of ours that it could be.
#[derive(Debug)]
pub(super) struct Guess {
    pub(super) theirs: String,
    pub(super) ours: &'static str,
    pub(super) reason: String,
    pub(super) is_by_name: bool,
    /// Lines of the mapping for the column, each with its reason.
    pub(super) settings: Vec<(String, String)>,
}

/// The states of the United States, with DC and Puerto Rico.
const STATES: &str = "AL AK AZ AR CA CO CT DE DC FL GA HI ID IL IN IA KS KY LA ME MD \
                                 MA MI MN MS MO MT NE NV NH NJ NM NY NC ND OH OK OR PA PR RI SC \
                                 SD TN TX UT VT VA WA WV WI WY";

/// The guesses for a file as a table: columns with other names, and columns whose values need a
/// setting.
pub(super) fn guess_columns(
    spec: &TargetTable,
    file: &ForeignTable,
    formats: &Formats,
) -> Vec<Guess> {
    let formats = &formats.of_file(file);
    let header = file.table.columns();
    let mut found: Vec<(usize, usize, String, bool)> = Vec::new();
    let same = |theirs: &str| {
        spec.columns.iter().position(|column| normalize(column.name) == normalize(theirs))
    };
    let mut free: Vec<usize> = Vec::new();
    for (at, name) in header.iter().enumerate() {
        match same(name).filter(|column| !found.iter().any(|(_, taken, ..)| taken == column)) {
            Some(column) => found.push((at, column, String::new(), true)),
            None => free.push(at),
        }
    }
    // From the surest sign to the least sure one, so that a better fit is not taken away.
    for sign in [Sign::UsualName, Sign::SimilarName, Sign::Values] {
        free.retain(|at| {
            let open: Vec<usize> = (0..spec.columns.len())
                .filter(|column| !found.iter().any(|(_, taken, ..)| taken == column))
                .collect();
            let fits = sign.fits(spec, file, *at, &open, formats);
            match fits {
                Some((column, reason)) => {
                    found.push((*at, column, reason, sign != Sign::Values));
                    false
                }
                None => true,
            }
        });
    }
    found.sort_by_key(|(at, ..)| *at);
    let guesses = found.into_iter().map(|(at, column, reason, is_by_name)| {
        let settings = settings(spec, column, file, at, formats);
        let is_same = reason.is_empty();
        let reason = if is_same { "as its name says".to_owned() } else { reason };
        let ours = spec.columns[column].name;
        (is_same, Guess { theirs: header[at].clone(), ours, reason, is_by_name, settings })
    });
    let needed = guesses.filter(|(is_same, guess)| !is_same || !guess.settings.is_empty());
    needed.map(|(_, guess)| guess).collect()
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Sign {
    UsualName,
    SimilarName,
    Values,
}

impl Sign {
    /// The column of ours that fits a column of a file, and why.
    fn fits(
        self,
        spec: &TargetTable,
        file: &ForeignTable,
        at: usize,
        open: &[usize],
        formats: &CellFormats,
    ) -> Option<(usize, String)> {
        let name = &file.table.columns()[at];
        match self {
            Self::UsualName => {
                let column = open
                    .iter()
                    .find(|column| is_usual_name(spec.name, spec.columns[**column].name, name))?;
                Some((*column, "a usual name for it".to_owned()))
            }
            Self::SimilarName => {
                let names = open.iter().map(|column| spec.columns[*column].name);
                let near = nearest(name, names).into_iter().next()?;
                let column = spec.position(near)?;
                let is_readable = reads(spec.columns[column].kind, file, at, formats);
                is_readable.then(|| (column, "a guess: the names are similar".to_owned()))
            }
            Self::Values if spec.name == LOAN => by_values(spec, file, at, open, formats),
            Self::Values => None,
        }
    }
}

/// Whether most values of a column can be read.
fn reads(kind: ValueKind, file: &ForeignTable, at: usize, formats: &CellFormats) -> bool {
    let texts = sample(&file.table, at).filter(|text| !formats.is_null(text));
    let read: Vec<bool> = texts.map(|text| formats.read(text, kind).is_ok()).collect();
    read.iter().filter(|ok| **ok).count() * 10 >= read.len() * 9
}

/// The numbers of a column, if all its values are numbers.
fn numbers(file: &ForeignTable, at: usize, formats: &CellFormats) -> Option<Vec<Decimal>> {
    let texts = sample(&file.table, at).filter(|text| !formats.is_null(text));
    let numbers: Option<Vec<Decimal>> =
        texts.map(|text| formats.number(text, ValueKind::Number).ok()).collect();
    numbers.filter(|numbers| !numbers.is_empty())
}

fn by_values(
    spec: &TargetTable,
    file: &ForeignTable,
    at: usize,
    open: &[usize],
    formats: &CellFormats,
) -> Option<(usize, String)> {
    let is_open = |name: &str| spec.position(name).filter(|column| open.contains(column));
    let texts: BTreeSet<String> =
        sample(&file.table, at).filter(|text| !formats.is_null(text)).map(fold).collect();
    let states: BTreeSet<&str> = STATES.split_whitespace().collect();
    if texts.is_empty() {
        return None;
    }
    if texts.len() > 1 && texts.iter().all(|text| states.contains(text.as_str())) {
        return Some((is_open("state")?, "a guess by values: all are states".to_owned()));
    }
    let numbers = numbers(file, at, formats)?;
    let within = |low: u32, high: u32| {
        numbers.iter().all(|n| (Decimal::from(low)..=Decimal::from(high)).contains(n))
    };
    let whole = numbers.iter().all(|number| number.is_integer());
    if whole && within(300, 850) && texts.len() > 1 {
        return Some((is_open("fico")?, "a guess by values: whole, 300 to 850".to_owned()));
    }
    let is_bare = texts.iter().all(|text| text.bytes().all(|byte| byte.is_ascii_digit()));
    let is_id = is_bare && numbers.len() > 1 && texts.len() == numbers.len() && !within(0, 9_999);
    if is_id && let Some(column) = is_open("loan_id") {
        return Some((column, "a guess by values: whole, and no two alike".to_owned()));
    }
    if within(10_000, 10_000_000) {
        return Some((is_open("loan_amount")?, "a guess by values: above 10,000".to_owned()));
    }
    if !whole && within(1, 15) {
        return Some((is_open("note_rate")?, "a guess by values: 1 to 15, decimals".to_owned()));
    }
    None
}

/// What the values of a column need in the mapping.
fn settings(
    spec: &TargetTable,
    column: usize,
    file: &ForeignTable,
    at: usize,
    formats: &CellFormats,
) -> Vec<(String, String)> {
    let ours = spec.columns[column];
    let name = &file.table.columns()[at];
    let mut settings = Vec::new();
    let mut add = |line: &str, reason: &str| settings.push((line.to_owned(), reason.to_owned()));
    let texts = || sample(&file.table, at).filter(|text| !formats.is_null(text));
    let in_32nds = CellFormats { prices: vec![PriceForm::ThirtySeconds], ..formats.clone() };
    let has_ticks = texts().any(|text| text.contains('-'))
        && texts().all(|text| in_32nds.number(text, ValueKind::Number).is_ok());
    if matches!(ours.name, "trade_price" | "price" | "payup") && has_ticks {
        add("prices = \"32nds\"", "the values have a dash; 64ths are written alike");
    }
    if ours.kind == ValueKind::Number && normalize(name).contains("000") {
        add("times = \"1000\"", "a guess: the name says thousands");
    }
    let is_share = |n: &Decimal| *n > Decimal::ZERO && *n < Decimal::ONE;
    if matches!(ours.name, "note_rate" | "coupon" | "ltv" | "dti")
        && numbers(file, at, formats).is_some_and(|numbers| numbers.iter().all(is_share))
        && !texts().any(|text| text.contains('%'))
    {
        add("times = \"100\"", "a guess: every value is below 1, and per cent are expected");
    }
    let serial =
        CellFormats { dates: vec![DateFormat::Serial(ExcelDates::From1900)], ..formats.clone() };
    let is_serial = |text: &str| text.len() == 5 && serial.day(text).is_ok();
    if ours.kind == ValueKind::Day && texts().next().is_some() && texts().all(is_serial) {
        add("dates = \"serial\"", "a guess: five digits, as Excel counts days");
    }
    settings
}
