//! Dates as spreadsheets and database tools write them.

use chrono::NaiveDate;
use powerfill_events::values::Day;

use super::CellFormats;

/// A form of dates, beside those that have one meaning: `2026-02-12`, `20260212`, `12-Feb-2026`,
/// `Feb 12 2026`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DateFormat {
    /// `2/12/2026`: month, day, year, as in the United States.
    MonthFirst,
    /// `12/2/2026`: day, month, year.
    DayFirst,
    /// `46065`: the days of Excel.
    Serial(ExcelDates),
    /// A named pattern.
    Pattern(DatePattern),
}

/// The two date systems of Excel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ExcelDates {
    /// 1 is 1900-01-01, and 60 is no day.
    From1900,
    /// 0 is 1904-01-01.
    From1904,
}

/// A pattern such as `MMDDYYYY` or `DD.MM.YY`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DatePattern {
    text: String,
    parts: Vec<PatternPart>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum PatternPart {
    Year4,
    Year2,
    /// One or two digits, or always two.
    Month(bool),
    MonthName,
    Day(bool),
    Literal(char),
}

const TOKENS: [(&str, PatternPart); 7] = [
    ("YYYY", PatternPart::Year4),
    ("YY", PatternPart::Year2),
    ("MON", PatternPart::MonthName),
    ("MM", PatternPart::Month(true)),
    ("M", PatternPart::Month(false)),
    ("DD", PatternPart::Day(true)),
    ("D", PatternPart::Day(false)),
];

impl DateFormat {
    /// Reads the form as a mapping writes it.
    ///
    /// # Errors
    /// What a form can be.
    pub fn parse(text: &str) -> Result<Self, String> {
        match text {
            "mdy" => return Ok(Self::MonthFirst),
            "dmy" => return Ok(Self::DayFirst),
            "serial" => return Ok(Self::Serial(ExcelDates::From1900)),
            "serial1904" => return Ok(Self::Serial(ExcelDates::From1904)),
            _ => {}
        }
        DatePattern::parse(text).map(Self::Pattern).ok_or_else(|| {
            format!(
                "unknown form of dates {text}: mdy, dmy, serial, serial1904, or a pattern of YYYY \
                 or YY, MM, M, or MON, and perhaps DD or D, as MMDDYYYY"
            )
        })
    }

    fn name(&self) -> &str {
        match self {
            Self::MonthFirst => "mdy",
            Self::DayFirst => "dmy",
            Self::Serial(ExcelDates::From1900) => "serial",
            Self::Serial(ExcelDates::From1904) => "serial1904",
            Self::Pattern(pattern) => &pattern.text,
        }
    }
}

impl DatePattern {
    fn parse(text: &str) -> Option<Self> {
        let (mut rest, mut parts) = (text, Vec::new());
        while let Some(first) = rest.chars().next() {
            let token = TOKENS.iter().find(|(token, _)| rest.starts_with(token));
            match token {
                Some((token, part)) => {
                    parts.push(*part);
                    rest = &rest[token.len()..];
                }
                None if first.is_alphanumeric() => return None,
                None => {
                    parts.push(PatternPart::Literal(first));
                    rest = &rest[first.len_utf8()..];
                }
            }
        }
        let count = |is: fn(&PatternPart) -> bool| parts.iter().filter(|part| is(part)).count();
        let years = count(|part| matches!(part, PatternPart::Year4 | PatternPart::Year2));
        let months = count(|part| matches!(part, PatternPart::Month(_) | PatternPart::MonthName));
        let days = count(|part| matches!(part, PatternPart::Day(_)));
        let is_date = years == 1 && months == 1 && days <= 1;
        is_date.then(|| Self { text: text.to_owned(), parts })
    }

    /// The day of a text; the first of the month if the pattern has no day. `None` if the text is
    /// not of the pattern.
    fn read(&self, text: &str, formats: &CellFormats) -> Option<Result<Day, String>> {
        let (mut year, mut month, mut day) = ("", String::new(), "1");
        let mut rest = text;
        for part in &self.parts {
            let (most, least) = match part {
                PatternPart::Year4 => (4, 4),
                PatternPart::Year2 | PatternPart::Month(true) | PatternPart::Day(true) => (2, 2),
                PatternPart::Month(false) | PatternPart::Day(false) => (2, 1),
                PatternPart::MonthName => {
                    let letters = rest.find(|c: char| !c.is_alphabetic()).unwrap_or(rest.len());
                    month = month_number(&rest[..letters])?;
                    rest = &rest[letters..];
                    continue;
                }
                PatternPart::Literal(c) => {
                    rest = rest.strip_prefix(*c)?;
                    continue;
                }
            };
            let digits = rest.bytes().take(most).take_while(u8::is_ascii_digit).count();
            if digits < least {
                return None;
            }
            let (value, after) = rest.split_at(digits);
            rest = after;
            match part {
                PatternPart::Year4 | PatternPart::Year2 => year = value,
                PatternPart::Month(_) => month = value.to_owned(),
                _ => day = value,
            }
        }
        rest.is_empty().then(|| date(year, &month, day, formats))
    }
}

/// Reads a date with midnight or no time of day.
pub(super) fn day(formats: &CellFormats, text: &str) -> Result<Day, String> {
    let (text, is_midnight) = split_time(text);
    if !is_midnight {
        return Err("a date without a time of day is expected".to_owned());
    }
    for format in &formats.dates {
        let read = match format {
            DateFormat::Pattern(pattern) => pattern.read(text, formats),
            DateFormat::Serial(dates) => serial(text, *dates).map(Ok),
            DateFormat::MonthFirst | DateFormat::DayFirst => None,
        };
        if let Some(read) = read {
            return read;
        }
    }
    let parts: Vec<&str> =
        text.split(['-', '/', '.', ' ', ',']).filter(|part| !part.is_empty()).collect();
    let order = formats
        .dates
        .iter()
        .find(|format| matches!(format, DateFormat::MonthFirst | DateFormat::DayFirst));
    match parts[..] {
        [all] if all.len() == 8 && all.bytes().all(|byte| byte.is_ascii_digit()) => {
            date(&all[..4], &all[4..6], &all[6..], formats)
        }
        [year, month, day] if year.len() == 4 => {
            // ISO 8601, or with the name of the month.
            date(year, month_number(month).as_deref().unwrap_or(month), day, formats)
        }
        [first, second, year] => match (month_number(first), month_number(second)) {
            (Some(month), None) => date(year, &month, second, formats),
            (None, Some(month)) => date(year, &month, first, formats),
            (None, None) => match order {
                Some(DateFormat::DayFirst) => date(year, second, first, formats),
                Some(_) => date(year, first, second, formats),
                None => Err(unknown(formats, "dates = \"mdy\" or \"dmy\"")),
            },
            (Some(_), Some(_)) => Err(unknown(formats, "dates")),
        },
        _ => Err(unknown(formats, "dates")),
    }
}

fn unknown(formats: &CellFormats, what: &str) -> String {
    let known: Vec<&str> = formats.dates.iter().map(DateFormat::name).collect();
    match known.is_empty() {
        true => format!(
            "a date YYYY-MM-DD is expected; for another form, write {what} under [formats] of the mapping"
        ),
        false => format!("a date YYYY-MM-DD or {} is expected", known.join(" or ")),
    }
}

/// Splits a text into the date, and whether the time of day is midnight or absent. `T` or blanks
/// precede the time.
fn split_time(text: &str) -> (&str, bool) {
    let Some(colon) = text.find(':') else { return (text, true) };
    let Some(start) = text[..colon].rfind(['T', ' ']) else { return (text, false) };
    let (date, time) = (&text[..start], &text[start + 1..]);
    let time = time.to_ascii_uppercase();
    let (time, twelve_is_midnight) = match time.strip_suffix("AM") {
        Some(time) => (time.trim_end().to_owned(), true),
        None => (time.trim_end_matches('Z').trim_end_matches("+00:00").to_owned(), false),
    };
    let mut parts = time.split([':', '.']);
    let hour = parts.next().unwrap_or_default();
    let no_hour = matches!(hour, "0" | "00") || (twelve_is_midnight && hour == "12");
    let zero = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte == b'0');
    (date.trim_end(), no_hour && parts.all(zero))
}

/// A calendar date from the texts of its parts.
fn date(year: &str, month: &str, day: &str, formats: &CellFormats) -> Result<Day, String> {
    let number = |text: &str, widths: &[usize]| {
        let plain = widths.contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
        plain.then(|| text.parse::<u32>().ok()).flatten()
    };
    let no_day = || "a day of the calendar is expected".to_owned();
    let years = number(year, &[2, 4]).and_then(|y| i32::try_from(y).ok());
    let mut years = years.ok_or_else(|| unknown(formats, "dates"))?;
    if year.len() == 2 {
        let first = formats.first_year.ok_or(
            "which century? write first_year = 1970, for the years 1970 to 2069, under [formats] \
             of the mapping",
        )?;
        years += first - first.rem_euclid(100);
        if years < first {
            years += 100;
        }
    }
    let month = number(month, &[1, 2]).ok_or_else(no_day)?;
    let day = number(day, &[1, 2]).ok_or_else(no_day)?;
    NaiveDate::from_ymd_opt(years, month, day).map(Day::from).ok_or_else(no_day)
}

/// The day of Excel's serial number, which may end in `.0`.
fn serial(text: &str, dates: ExcelDates) -> Option<Day> {
    let whole = match text.split_once('.') {
        Some((whole, zeros)) if zeros.bytes().all(|byte| byte == b'0') => whole,
        Some(_) => return None,
        None => text,
    };
    if whole.is_empty() || whole.len() > 7 || !whole.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let serial: i32 = whole.parse().ok()?;
    let (epoch, last) = match dates {
        // Excel has a 29 February in 1900, number 60.
        ExcelDates::From1900 if serial < 60 => (NaiveDate::from_ymd_opt(1899, 12, 31)?, 59),
        ExcelDates::From1900 => (NaiveDate::from_ymd_opt(1899, 12, 30)?, 2_958_465),
        ExcelDates::From1904 => (NaiveDate::from_ymd_opt(1904, 1, 1)?, 2_957_003),
    };
    let is_day = serial <= last && (dates == ExcelDates::From1904 || (serial != 0 && serial != 60));
    // A date YYYYMMDD has eight digits, so that the two are never confused.
    is_day.then(|| Day::from(epoch).plus(serial))
}

/// The number of a month, from its English name or the first three letters of the name.
fn month_number(name: &str) -> Option<String> {
    const MONTHS: [&str; 12] = [
        "january",
        "february",
        "march",
        "april",
        "may",
        "june",
        "july",
        "august",
        "september",
        "october",
        "november",
        "december",
    ];
    let name = name.to_ascii_lowercase();
    let is = |month: &&str| *month == name || (name.len() == 3 && month.starts_with(&name));
    MONTHS.iter().position(is).map(|at| (at + 1).to_string())
}
