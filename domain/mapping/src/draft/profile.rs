//! What the values of files say about their formats.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

use powerfill_events::input::{InputType, RawTable};
use powerfill_events::values::fold;
use powerfill_snapshot::{TABLES, is_null_word};

use super::quoted;
use crate::bind::ForeignTable;
use crate::formats::{CellFormats, DateFormat, DecimalMark, trim};
use crate::schema::{MappingUse, ValueKind};

/// The number of rows of a file that are read.
pub(super) const SAMPLE_ROWS: usize = 2_000;

/// The formats of all files together, with the reasons.
pub(super) struct Formats {
    cells: CellFormats,
    lines: Vec<String>,
    /// The decimal marks of files, by their titles, if they have not all the same; each with its
    /// line.
    decimals: BTreeMap<String, (DecimalMark, String)>,
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

impl<'a> Votes<'a> {
    fn add(&mut self, other: Self) {
        let sides = [
            (&mut self.first, &mut self.of_first, other.first, other.of_first),
            (&mut self.second, &mut self.of_second, other.second, other.of_second),
            (&mut self.either, &mut self.of_either, other.either, other.of_either),
        ];
        for (votes, example, others, other_example) in sides {
            *votes += others;
            if example.is_empty() {
                *example = other_example;
            }
        }
    }

    /// The decimal mark that the texts show, where the first form has points and the second
    /// commas, with the line of the mapping; no mark if they contradict one another.
    fn decimal(&self) -> Option<(Option<DecimalMark>, String)> {
        let shown = |example: &str| format!("as {} shows", quoted(example));
        let (mark, name, reason) = match (self.first, self.second, self.either) {
            (0, 0, 0) => return None,
            (1.., 0, _) => (DecimalMark::Point, "point", shown(self.of_first)),
            (0, 1.., _) => (DecimalMark::Comma, "comma", shown(self.of_second)),
            (0, 0, _) => {
                let either = quoted(self.of_either);
                let reason = format!("a guess: {either} can be read with a comma too");
                (DecimalMark::Point, "point", reason)
            }
            _ => {
                let line = format!(
                    "# decimal: {} has a point and {} a comma; say it per table or column",
                    quoted(self.of_first),
                    quoted(self.of_second)
                );
                return Some((None, line));
            }
        };
        Some((Some(mark), format!("decimal = \"{name}\"  # {reason}")))
    }

    /// The form of dates that the texts show, where the first form has the month first and the
    /// second the day, with the line of the mapping; no form if they contradict one another.
    fn dates(&self) -> Option<(Option<DateFormat>, String)> {
        let shown = |example: &str| format!("as {} shows", quoted(example));
        let guess = |other: &str| {
            let either = quoted(self.of_either);
            format!("a guess: {either} can be read with the {other} first too")
        };
        let (form, name, reason) = match (self.first, self.second, self.either) {
            (0, 0, 0) => return None,
            (1.., 0, _) => (DateFormat::MonthFirst, "mdy", shown(self.of_first)),
            (0, 1.., _) => (DateFormat::DayFirst, "dmy", shown(self.of_second)),
            // Dates with points are of countries that write the day first.
            (0, 0, _) if self.of_either.contains('.') => {
                (DateFormat::DayFirst, "dmy", guess("month"))
            }
            (0, 0, _) => (DateFormat::MonthFirst, "mdy", guess("day")),
            _ => {
                let (first, second) = (quoted(self.of_first), quoted(self.of_second));
                let line = format!(
                    "# dates: {first} has the month first and {second} the day; say it per column"
                );
                return Some((None, line));
            }
        };
        Some((Some(form), format!("dates = \"{name}\"  # {reason}")))
    }
}

/// Whether a text is one of the words of a column, as `none` is of `tolerance_side`.
fn is_value(text: &str) -> bool {
    let mut columns = TABLES.iter().flat_map(|table| table.columns);
    columns.any(|column| match column.input_type {
        InputType::OneOf(words) => words.iter().any(|word| fold(word) == fold(text)),
        _ => false,
    })
}

/// Whether a text is a number with a decimal point that separates no thousands.
fn is_decimal(text: &str) -> bool {
    let Some((whole, decimals)) = text.split_once('.') else { return false };
    let is_digits = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    is_digits(whole) && is_digits(decimals) && (decimals.len() != 3 || whole.len() > 3)
}

impl Formats {
    pub(super) fn of(files: &[ForeignTable]) -> Self {
        let mut formats = Self {
            cells: CellFormats::of_use(MappingUse::Source),
            lines: Vec::new(),
            decimals: BTreeMap::new(),
        };
        let texts_of = |file: &'_ ForeignTable| -> BTreeSet<String> {
            let columns = 0..file.table.columns().len();
            let texts = columns.flat_map(|column| sample(&file.table, column));
            texts.filter(|text| !text.is_empty()).map(str::to_owned).collect()
        };
        let by_file: Vec<BTreeSet<String>> = files.iter().map(texts_of).collect();
        let texts: BTreeSet<&str> = by_file.iter().flatten().map(String::as_str).collect();
        formats.find_null(&texts);
        formats.find_decimals(files, &by_file);
        formats.find_dates(&texts);
        formats
    }

    /// The formats of a file.
    pub(super) fn of_file(&self, file: &ForeignTable) -> CellFormats {
        let own = self.decimals.get(&file.title()).map(|(mark, _)| *mark);
        CellFormats { decimal: own.or(self.cells.decimal), ..self.cells.clone() }
    }

    /// The line of a table of the mapping with the formats of its file, if it has its own.
    pub(super) fn line_of(&self, file: &ForeignTable) -> Option<&str> {
        self.decimals.get(&file.title()).map(|(_, line)| line.as_str())
    }

    fn find_null(&mut self, texts: &BTreeSet<&str>) {
        let is_null = |text: &&str| is_null_word(text) && !is_value(text);
        let words: BTreeSet<&str> = texts.iter().copied().filter(is_null).collect();
        if !words.is_empty() {
            self.cells.null = words.iter().map(|word| fold(word)).collect();
            let words: Vec<String> = words.into_iter().map(quoted).collect();
            self.lines.push(format!("null = [{}]  # these texts occur", words.join(", ")));
        }
    }

    /// Finds the decimal mark of all files; of each file, if one has commas and another points.
    fn find_decimals(&mut self, files: &[ForeignTable], by_file: &[BTreeSet<String>]) {
        let votes: Vec<Votes<'_>> = by_file.iter().map(|texts| self.decimal_votes(texts)).collect();
        // A number such as `6.5` needs no setting, and a setting for commas would refuse it.
        let has_points = |texts: &BTreeSet<String>| texts.iter().any(|text| is_decimal(text));
        let has_commas = votes.iter().any(|votes| votes.second > 0 && votes.first == 0);
        let is_mixed = has_commas
            && votes
                .iter()
                .zip(by_file)
                .any(|(votes, texts)| votes.second == 0 && (votes.first > 0 || has_points(texts)));
        if !is_mixed {
            let mut all = Votes::default();
            votes.into_iter().for_each(|votes| all.add(votes));
            if let Some((mark, line)) = all.decimal() {
                self.cells.decimal = mark;
                self.lines.push(line);
            }
            return;
        }
        for (file, votes) in files.iter().zip(votes) {
            if let Some((Some(mark), line)) = votes.decimal() {
                let (setting, reason) = line.split_once("  # ").unwrap_or((&line, ""));
                let line = format!("formats = {{ {setting} }}  # {reason}");
                self.decimals.insert(file.title(), (mark, line));
            }
        }
    }

    fn decimal_votes<'t>(&self, texts: &'t BTreeSet<String>) -> Votes<'t> {
        let read = |decimal, text: &str| {
            let formats = CellFormats { decimal: Some(decimal), ..self.cells.clone() };
            formats.number(text, ValueKind::Number).is_ok()
        };
        let mut votes = Votes::default();
        let plain = |text: &str| self.cells.number(text, ValueKind::Number).is_ok();
        for text in texts.iter().filter(|text| text.contains(',') && !plain(text)) {
            votes.count(text, read(DecimalMark::Point, text), read(DecimalMark::Comma, text));
        }
        votes
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
        let Some((form, line)) = votes.dates() else { return };
        self.lines.push(line);
        let Some(form) = form else { return };
        self.cells.dates = vec![form];
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
