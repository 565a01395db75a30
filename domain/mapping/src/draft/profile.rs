//! What the values of files say about their formats.

use std::collections::BTreeSet;
use std::fmt::Write;

use powerfill_events::input::RawTable;
use powerfill_events::values::fold;

use super::quoted;
use crate::bind::ForeignTable;
use crate::formats::{CellFormats, DateFormat, DecimalMark, trim};
use crate::schema::{MappingUse, ValueKind};

/// The number of rows of a file that are read.
pub(super) const SAMPLE_ROWS: usize = 2_000;

/// Texts that tools write for NULL.
const NULL_WORDS: [&str; 9] =
    ["NULL", "<NULL>", "(NULL)", "N/A", "#N/A", "\\N", "NONE", "(BLANK)", "-"];

/// The formats of all files together, with the reasons.
pub(super) struct Formats {
    pub(super) cells: CellFormats,
    lines: Vec<String>,
}

/// The texts of a column in the first rows.
pub(super) fn sample(table: &RawTable, column: usize) -> impl Iterator<Item = &str> {
    (0..table.rows().min(SAMPLE_ROWS)).map(move |row| trim(table.cell(row, column)))
}

/// How many texts only one of two forms reads, and one of each.
#[derive(Default)]
struct Votes<'a> {
    first: usize,
    second: usize,
    either: usize,
    of_first: &'a str,
    of_second: &'a str,
    of_either: &'a str,
}

impl<'a> Votes<'a> {
    fn count(&mut self, text: &'a str, first: bool, second: bool) {
        let (votes, example) = match (first, second) {
            (true, false) => (&mut self.first, &mut self.of_first),
            (false, true) => (&mut self.second, &mut self.of_second),
            (true, true) => (&mut self.either, &mut self.of_either),
            (false, false) => return,
        };
        *votes += 1;
        if example.is_empty() {
            *example = text;
        }
    }
}

impl Formats {
    pub(super) fn of(files: &[ForeignTable]) -> Self {
        let mut formats =
            Self { cells: CellFormats::of_use(MappingUse::Source), lines: Vec::new() };
        let texts: BTreeSet<&str> = files
            .iter()
            .flat_map(|file| (0..file.table.columns().len()).map(move |at| (&file.table, at)))
            .flat_map(|(table, column)| sample(table, column))
            .filter(|text| !text.is_empty())
            .collect();
        formats.find_null(&texts);
        formats.find_decimal(&texts);
        formats.find_dates(&texts);
        formats
    }

    fn find_null(&mut self, texts: &BTreeSet<&str>) {
        let words: BTreeSet<&str> =
            texts.iter().copied().filter(|text| NULL_WORDS.contains(&&*fold(text))).collect();
        if !words.is_empty() {
            self.cells.null = words.iter().map(|word| fold(word)).collect();
            let words: Vec<String> = words.into_iter().map(quoted).collect();
            self.lines.push(format!("null = [{}]  # these texts occur", words.join(", ")));
        }
    }

    fn find_decimal(&mut self, texts: &BTreeSet<&str>) {
        let read = |decimal, text: &str| {
            let formats = CellFormats { decimal: Some(decimal), ..self.cells.clone() };
            formats.number(text, ValueKind::Number).is_ok()
        };
        let mut votes = Votes::default();
        let plain = |text: &str| self.cells.number(text, ValueKind::Number).is_ok();
        for text in texts.iter().copied().filter(|text| text.contains(',') && !plain(text)) {
            votes.count(text, read(DecimalMark::Point, text), read(DecimalMark::Comma, text));
        }
        let (mark, name, example) = match (votes.first, votes.second, votes.either) {
            (0, 0, 0) => return,
            (_, 0, _) if votes.first > 0 => (DecimalMark::Point, "point", votes.of_first),
            (0, _, _) if votes.second > 0 => (DecimalMark::Comma, "comma", votes.of_second),
            (0, 0, _) => {
                self.lines.push(format!(
                    "decimal = \"point\"  # a guess: {} can be read with a comma too",
                    quoted(votes.of_either)
                ));
                self.cells.decimal = Some(DecimalMark::Point);
                return;
            }
            _ => {
                self.lines.push(format!(
                    "# decimal: {} has a point and {} a comma; say it per table or column",
                    quoted(votes.of_first),
                    quoted(votes.of_second)
                ));
                return;
            }
        };
        self.cells.decimal = Some(mark);
        self.lines.push(format!("decimal = \"{name}\"  # as {} shows", quoted(example)));
    }

    fn find_dates(&mut self, texts: &BTreeSet<&str>) {
        let form = |dates| CellFormats {
            dates: vec![dates],
            first_year: Some(1970),
            ..CellFormats::of_use(MappingUse::Source)
        };
        let (month_first, day_first) = (form(DateFormat::MonthFirst), form(DateFormat::DayFirst));
        let is_plain = |text: &str| self.cells.day(text).is_ok();
        let mut votes = Votes::default();
        let mut short = "";
        for text in texts.iter().copied().filter(|text| text.len() >= 6 && !is_plain(text)) {
            let (month, day) = (month_first.day(text).is_ok(), day_first.day(text).is_ok());
            // A price in 32nds looks like a part of a date only to the eye.
            votes.count(text, month, day);
            let years = text.rsplit(['/', '-', '.', ' ']).next().unwrap_or_default();
            if (month || day) && years.len() == 2 && short.is_empty() {
                short = text;
            }
        }
        let (dates, name, reason) = match (votes.first, votes.second, votes.either) {
            (0, 0, 0) => return,
            (first, second, _) if first > 0 && second == 0 => {
                (DateFormat::MonthFirst, "mdy", format!("as {} shows", quoted(votes.of_first)))
            }
            (0, second, _) if second > 0 => {
                (DateFormat::DayFirst, "dmy", format!("as {} shows", quoted(votes.of_second)))
            }
            (0, 0, _) => (
                DateFormat::MonthFirst,
                "mdy",
                format!("a guess: {} can be read with the day first too", quoted(votes.of_either)),
            ),
            _ => {
                let (first, second) = (quoted(votes.of_first), quoted(votes.of_second));
                self.lines.push(format!(
                    "# dates: {first} has the month first and {second} the day; say it per column"
                ));
                return;
            }
        };
        self.cells.dates = vec![dates];
        self.lines.push(format!("dates = \"{name}\"  # {reason}"));
        if !short.is_empty() {
            self.cells.first_year = Some(1970);
            self.lines.push(format!(
                "first_year = 1970  # a guess: {} has two digits of the year",
                quoted(short)
            ));
        }
    }

    pub(super) fn write(&self, text: &mut String) {
        if !self.lines.is_empty() {
            text.push_str("\n[formats]\n");
        }
        for line in &self.lines {
            let _ = writeln!(text, "{line}");
        }
    }
}
