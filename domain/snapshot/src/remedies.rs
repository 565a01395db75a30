//! What to write instead of a faulty value. A remedy is computed from the fault alone, so that
//! every report can have it.

use powerfill_events::values::Day;
use rust_decimal::Decimal;

use crate::report::{Fault, FaultCode};
use crate::validate::is_null_word;

/// What to do about a fault; `None` if its reason says so already.
pub(crate) fn remedy(fault: &Fault) -> Option<String> {
    let value = fault.value.trim();
    let is_dashes = value.len() > 2 && value.bytes().all(|byte| byte == b'-');
    if is_dashes && fault.code != FaultCode::MissingColumn {
        return Some("delete the line of dashes under the header".to_owned());
    }
    let for_null = || is_null_word(value).then(|| "leave the cell empty for NULL".to_owned());
    match fault.code {
        FaultCode::NotANumber | FaultCode::NotWhole => {
            // A value that its source cannot give exactly has its remedy in the reason.
            let is_text = fault.reason.ends_with("is expected");
            for_null().or_else(|| number(&fault.column, value).filter(|_| is_text))
        }
        FaultCode::NotADate => for_null().or_else(|| date(value)),
        FaultCode::NotOneOf => for_null().or_else(|| word(value, &fault.reason)),
        FaultCode::UnknownReference if is_null_word(value) => for_null(),
        FaultCode::UnknownReference => {
            let table = fault.reason.strip_prefix("no such row in ")?;
            let table = table.split(';').next()?;
            Some(format!("add the row to {table}, or correct the name"))
        }
        FaultCode::MissingTable => (!fault.reason.contains(';')).then(|| {
            "add a file, a sheet, or a table of this name; `powerfill template` writes empty ones"
                .to_owned()
        }),
        FaultCode::RaggedRow => Some(ragged(&fault.reason).to_owned()),
        FaultCode::UnknownColumn => Some(format!(
            "rename or delete it; `powerfill schema {}` lists the columns",
            fault.table
        )),
        FaultCode::Required => Some("write a value, or delete the row if it is none".to_owned()),
        FaultCode::DuplicateKey => Some("keep one of the rows, or correct the key".to_owned()),
        _ => None,
    }
}

/// A short row is likely no row of the table; a long one has a comma too many.
fn ragged(reason: &str) -> &'static str {
    let numbers = reason.split(|c: char| !c.is_ascii_digit()).filter(|digits| !digits.is_empty());
    let numbers: Vec<usize> = numbers.filter_map(|digits| digits.parse().ok()).collect();
    match numbers.as_slice() {
        [fields, header, ..] if fields < header => {
            "delete the row if it is a title, a total, or a note; else write its empty fields too"
        }
        _ => "write a field that contains a comma in quotes: \"300,000.00\"",
    }
}

fn number(column: &str, value: &str) -> Option<String> {
    if let Some(price) = thirty_seconds(value) {
        return Some(format!("write {price}: prices are decimals, not 32nds"));
    }
    if let Some((digits, exponent)) = value.split_once(['E', 'e'])
        && let (Ok(_), Ok(_)) = (digits.parse::<Decimal>(), exponent.parse::<i32>())
    {
        return Some("write all digits, without an exponent".to_owned());
    }
    let plain = plain_number(value)?;
    let mut without = Vec::new();
    let has = |characters: &[char]| value.contains(characters);
    if has(&['$', '€', '£']) {
        without.push("a currency sign");
    }
    if has(&['%']) {
        without.push("%");
    }
    if has(&['(']) || value.ends_with('-') {
        without.push("parentheses or a sign behind it");
    }
    if has(&[',', '\'']) {
        without.push("commas");
    }
    if value.matches('.').count() > 1 {
        without.push("points");
    }
    if value.chars().any(char::is_whitespace) {
        without.push("blanks");
    }
    // Of a rate or a price, three digits behind a comma are decimals as likely as hundreds.
    let is_amount = column.ends_with("amount");
    let decimal = value.split_once(',').filter(|(whole, decimals)| {
        let is_digits = |text: &str| text.bytes().all(|b| b.is_ascii_digit());
        !is_amount && decimals.len() == 3 && is_digits(whole) && is_digits(decimals)
    });
    if let Some((whole, decimals)) = decimal {
        return Some(format!("write {whole}.{decimals} if it is a decimal comma, else {plain}"));
    }
    let without = match without.as_slice() {
        [] => String::new(),
        [one] => format!(", without {one}"),
        [first @ .., last] => format!(", without {} and {last}", first.join(", ")),
    };
    Some(format!("write {plain}{without}"))
}

/// The number that people write with signs, groups of thousands, or a decimal comma.
fn plain_number(value: &str) -> Option<String> {
    let is_sign =
        |c: char| matches!(c, '$' | '€' | '£' | '%' | '\'' | '(' | ')') || c.is_whitespace();
    let kept: String = value.chars().filter(|c| !is_sign(*c)).collect();
    let kept = kept.trim_start_matches("USD").trim_end_matches("USD");
    let is_negative = value.starts_with('(') || kept.ends_with('-') || kept.starts_with(['-', '−']);
    let digits = kept.trim_matches(['-', '−', '+']);
    let last_comma = digits.rfind(',');
    let is_decimal_comma = match (last_comma, digits.rfind('.')) {
        (Some(comma), Some(point)) => comma > point,
        (Some(comma), None) => digits.len() - comma != 4,
        _ => false,
    };
    let are_points_separators = digits.matches('.').count() > 1;
    let digits: String = match is_decimal_comma || are_points_separators {
        true => digits.replace('.', "").replace(',', "."),
        false => digits.replace(',', ""),
    };
    digits.parse::<Decimal>().ok()?;
    let is_plain = digits.bytes().all(|b| b.is_ascii_digit() || b == b'.');
    is_plain.then(|| if is_negative { format!("-{digits}") } else { digits })
}

/// A price in 32nds: `101-16`, `101-16+`, `101-162`.
fn thirty_seconds(value: &str) -> Option<Decimal> {
    let (whole, ticks) = value.split_once(['-', '\''])?;
    let whole: Decimal = whole.parse().ok()?;
    let (ticks, eighths) = match ticks.as_bytes() {
        [_, _] => (ticks, 0),
        [_, _, b'+'] => (&ticks[..2], 4),
        [_, _, eighths @ b'0'..=b'7'] => (&ticks[..2], i64::from(eighths - b'0')),
        _ => return None,
    };
    let ticks: i64 = ticks.parse().ok().filter(|ticks| (0..32).contains(ticks))?;
    Some((whole + Decimal::from(ticks * 8 + eighths) / Decimal::from(256)).normalize())
}

const MONTHS: [&str; 12] =
    ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];

fn date(value: &str) -> Option<String> {
    let expected = "write the date as YYYY-MM-DD";
    let has_time = value.contains(':');
    let day = value.split([' ', 'T']).next().unwrap_or_default();
    if has_time && day.parse::<Day>().is_ok() {
        return Some(format!("write {day}, without a time of day"));
    }
    if value.len() == 5 && value.bytes().all(|b| b.is_ascii_digit()) {
        return Some(format!("{expected}; it reads as a serial number of a spreadsheet"));
    }
    if value.len() == 8 && value.bytes().all(|b| b.is_ascii_digit()) {
        let written = format!("{}-{}-{}", &value[..4], &value[4..6], &value[6..]);
        return Some(
            is_date(&written).map_or_else(|| expected.to_owned(), |d| format!("write {d}")),
        );
    }
    let (day_text, parts) = (day, day.split(['/', '.', '-']).collect::<Vec<&str>>());
    let written = |year: &str, month: usize, day: &str| {
        let year = if year.len() == 2 { format!("20{year}") } else { year.to_owned() };
        is_date(&format!("{year}-{month:02}-{day:0>2}"))
    };
    let month_of = |text: &str| -> Option<usize> {
        let named = MONTHS.iter().position(|month| text.to_ascii_lowercase().starts_with(month));
        named.map(|at| at + 1).or_else(|| text.parse().ok())
    };
    let is_named = |text: &str| text.starts_with(|c: char| c.is_ascii_alphabetic());
    let found = match parts.as_slice() {
        [year, month, day] if year.len() == 4 => written(year, month_of(month)?, day),
        [day, month, year] if is_named(month) => written(year, month_of(month)?, day),
        [month, day, year] => match (written(year, month_of(month)?, day), month_of(day)) {
            (Some(us), Some(other)) => match written(year, other, month) {
                Some(eu) if eu != us && day_text.contains('.') => {
                    return Some(format!("write {eu}, or {us} if the month comes first"));
                }
                Some(eu) if eu != us => {
                    return Some(format!("write {us}, or {eu} if the day comes first"));
                }
                _ => Some(us),
            },
            (None, Some(other)) => written(year, other, month),
            (us, None) => us,
        },
        _ => None,
    };
    Some(found.map_or_else(|| expected.to_owned(), |day| format!("write {day}")))
}

fn is_date(text: &str) -> Option<String> {
    text.parse::<Day>().ok().map(|day| day.to_string())
}

fn word(value: &str, reason: &str) -> Option<String> {
    if !reason.starts_with("one of Y, N ") {
        return None;
    }
    let is_any = |words: &[&str]| words.iter().any(|word| word.eq_ignore_ascii_case(value));
    if is_any(&["yes", "true", "1", "t", "x"]) {
        return Some("write Y".to_owned());
    }
    is_any(&["no", "false", "0", "f"]).then(|| "write N".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::Severity;

    fn of(code: FaultCode, value: &str) -> String {
        let fault = Fault {
            severity: Severity::Error,
            table: "loan".into(),
            row: "1".into(),
            column: "loan_amount".into(),
            value: value.into(),
            code,
            reason: "one of Y, N is expected".into(),
        };
        remedy(&fault).unwrap_or_default()
    }

    #[test]
    fn numbers_as_people_write_them_are_written_plainly() {
        for (value, expected) in [
            ("$300,000.00", "write 300000.00, without a currency sign and commas"),
            ("250,000", "write 250000, without commas"),
            (
                "(450,000.00)",
                "write -450000.00, without parentheses or a sign behind it and commas",
            ),
            ("6.375 %", "write 6.375, without % and blanks"),
            ("6,5", "write 6.5, without commas"),
            ("300.000,00", "write 300000.00, without commas"),
            ("1.000.000", "write 1000000, without points"),
            ("------", "delete the line of dashes under the header"),
            ("101-16+", "write 101.515625: prices are decimals, not 32nds"),
            ("101-162", "write 101.5078125: prices are decimals, not 32nds"),
            ("1.2E+11", "write all digits, without an exponent"),
            ("#N/A", "leave the cell empty for NULL"),
            ("six", ""),
        ] {
            assert_eq!(of(FaultCode::NotANumber, value), expected, "{value}");
        }
    }

    #[test]
    fn dates_as_people_write_them_are_written_by_iso_8601() {
        for (value, expected) in [
            ("1/5/2026", "write 2026-01-05, or 2026-05-01 if the day comes first"),
            ("1/15/2026", "write 2026-01-15"),
            ("15.01.2026", "write 2026-01-15"),
            ("05.01.2026", "write 2026-01-05, or 2026-05-01 if the month comes first"),
            ("01/06/26", "write 2026-01-06, or 2026-06-01 if the day comes first"),
            ("7-Jan-2026", "write 2026-01-07"),
            ("2026/1/7", "write 2026-01-07"),
            ("20260107", "write 2026-01-07"),
            ("2026-01-05T12:30:00", "write 2026-01-05, without a time of day"),
            ("46027", "write the date as YYYY-MM-DD; it reads as a serial number of a spreadsheet"),
            ("soon", "write the date as YYYY-MM-DD"),
            ("(null)", "leave the cell empty for NULL"),
        ] {
            assert_eq!(of(FaultCode::NotADate, value), expected, "{value}");
        }
        assert_eq!(of(FaultCode::NotOneOf, "yes"), "write Y");
        assert_eq!(of(FaultCode::NotOneOf, "maybe"), "");
        let ragged = |reason: &str| super::ragged(reason);
        assert!(ragged("1 field, the header has 11").starts_with("delete the row"));
        assert!(ragged("12 fields, the header has 11").starts_with("write a field"));
        let rate = number("note_rate", "6,500");
        assert_eq!(rate.as_deref(), Some("write 6.500 if it is a decimal comma, else 6500"));
    }
}
