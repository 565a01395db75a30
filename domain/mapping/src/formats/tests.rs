//! Texts of other systems, and what they read as.

use super::*;
use crate::schema::MappingUse;

fn lenient() -> CellFormats {
    CellFormats::of_use(MappingUse::Comparison)
}

fn strict() -> CellFormats {
    CellFormats::of_use(MappingUse::Source)
}

fn dates(forms: &[&str]) -> Vec<DateFormat> {
    forms.iter().map(|form| DateFormat::parse(form).unwrap()).collect()
}

#[test]
fn numbers_are_read_in_the_forms_of_spreadsheets() {
    let formats = lenient();
    for (text, number) in [
        ("100", Some("100")),
        ("100.00", Some("100")),
        (" $1,234,567.80 ", Some("1234567.8")),
        ("\u{a0}250,000\t", Some("250000")),
        ("$ -5", Some("-5")),
        ("-$5.10", Some("-5.1")),
        ("(1,234.50)", Some("-1234.5")),
        ("($0.05)", Some("-0.05")),
        ("1234.5-", Some("-1234.5")),
        ("+7", Some("7")),
        ("USD 1,234.50", Some("1234.5")),
        ("US$5", Some("5")),
        ("1,234 USD", Some("1234")),
        ("=\"0042\"", Some("42")),
        (".5", Some("0.5")),
        ("5.", Some("5")),
        ("6.5%", Some("6.5")),
        ("6 3/4", Some("6.75")),
        ("6 1/3", None),
        ("1.5E-05", Some("0.000015")),
        ("1.2e3", Some("1200")),
        ("1 234.5", Some("1234.5")),
        ("1\u{a0}234", Some("1234")),
        ("99.12345678900000000000000000000000000000", Some("99.123456789")),
        ("1,5", None),
        ("12,34,567", None),
        ("(-5)", None),
        ("--5", None),
        ("", None),
        (".", None),
        ("abc", None),
        ("1.2.3", None),
        ("NaN", None),
        ("1e999", None),
        ("1e-2147483648", None),
    ] {
        let expected = number.map(|number| number.parse::<Decimal>().unwrap());
        assert_eq!(formats.number(text, ValueKind::Number).ok(), expected, "{text:?}");
    }
    let share = formats.number("14.3560 %", ValueKind::Share);
    assert_eq!(share, Ok("0.14356".parse().unwrap()));
    let german = CellFormats { decimal: Some(DecimalMark::Comma), ..lenient() };
    assert_eq!(german.number("1.234,50", ValueKind::Number), Ok("1234.5".parse().unwrap()));
    let refused = german.number("6.5", ValueKind::Number).unwrap_err();
    assert!(refused.contains("formats = { decimal = \"point\" }"), "{refused}");
    assert!(german.number("1,234.50", ValueKind::Number).is_err());
    let fraction = CellFormats { percent: PercentSign::Fraction, ..strict() };
    assert_eq!(fraction.number("6.5%", ValueKind::Number), Ok("0.065".parse().unwrap()));
}

/// What can be read in two ways is read in neither until the mapping says which.
#[test]
fn a_separator_is_a_fault_until_the_mapping_names_the_decimal_mark() {
    for text in ["1,234", "1,5", "$250,000.00", "1'000", "1 234"] {
        let fault = strict().number(text, ValueKind::Number).unwrap_err();
        assert!(fault.contains("decimal = \"point\""), "{text}: {fault}");
    }
    assert_eq!(strict().number("1234.5", ValueKind::Number), Ok("1234.5".parse().unwrap()));
}

#[test]
fn prices_are_read_in_ticks_only_if_the_mapping_says_so() {
    let formats = |prices: &[PriceForm]| CellFormats { prices: prices.to_vec(), ..strict() };
    let in_32nds = formats(&[PriceForm::ThirtySeconds]);
    for (text, price) in [
        ("101-16", Some("101.5")),
        ("101-16+", Some("101.515625")),
        ("101-162", Some("101.5078125")),
        ("101-001", Some("101.00390625")),
        ("101'08", Some("101.25")),
        ("99-31+", Some("99.984375")),
        ("-0-08", Some("-0.25")),
        ("(0-16)", Some("-0.5")),
        ("101", Some("101")),
        ("101-32", None),
        ("101-8", None),
        ("101-168", None),
        ("101-1623", None),
        ("101.5", None),
        ("101-1é", None),
        ("", None),
        ("-", None),
        ("101-", None),
    ] {
        let expected = price.map(|price| price.parse::<Decimal>().unwrap());
        assert_eq!(in_32nds.number(text, ValueKind::Number).ok(), expected, "{text:?}");
    }
    let in_64ths = formats(&[PriceForm::SixtyFourths]);
    assert_eq!(in_64ths.number("101-33", ValueKind::Number), Ok("101.515625".parse().unwrap()));
    assert_eq!(in_64ths.number("101-33+", ValueKind::Number), Ok("101.5234375".parse().unwrap()));
    let both = formats(&[PriceForm::ThirtySeconds, PriceForm::Decimal]);
    assert_eq!(both.number("101.5", ValueKind::Number), Ok("101.5".parse().unwrap()));
    assert_eq!(both.number("101-16", ValueKind::Number), Ok("101.5".parse().unwrap()));
    assert!(strict().number("101-16", ValueKind::Number).is_err());
}

#[test]
fn days_are_read_in_many_forms_but_only_at_midnight() {
    let formats = lenient();
    for text in [
        "2026-02-12",
        "2026-02-12 00:00:00",
        "2026-02-12T00:00:00.0000000",
        "2026-02-12T00:00:00Z",
        "2/12/2026",
        "02/12/2026 12:00:00 AM",
        "02-12-2026",
        "2.12.26",
        "20260212",
        "12-Feb-2026",
        "Feb 12 2026 12:00AM",
        "February 12, 2026",
        "2026 feb 12",
    ] {
        assert_eq!(formats.day(text).ok(), "2026-02-12".parse().ok(), "{text:?}");
    }
    for text in [
        "13/2/2026",
        "2026-02-30",
        "2026-02-12 17:00:00",
        "2/12/2026 12:00:00 PM",
        "46065",
        "",
        "2026",
        "Feb Feb 2026",
        "12:00",
        "２０２６-02-12",
        "２０２６0212",
    ] {
        assert!(formats.day(text).is_err(), "{text:?}");
    }
    let day_first = CellFormats { dates: dates(&["dmy"]), ..lenient() };
    assert_eq!(day_first.day("12/2/2026").ok(), "2026-02-12".parse().ok());
    assert_eq!(day_first.day("2026-02-12").ok(), "2026-02-12".parse().ok());
}

#[test]
fn patterns_and_serial_numbers_are_read_as_the_mapping_names_them() {
    for (form, text, day) in [
        ("MMDDYYYY", "02122026", Some("2026-02-12")),
        ("MMYYYY", "102051", Some("2051-10-01")),
        ("YYYYMM", "202602", Some("2026-02-01")),
        ("DD.MM.YY", "12.02.26", Some("2026-02-12")),
        ("D/M/YYYY", "1/12/2026", Some("2026-12-01")),
        ("D-MON-YY", "7-Jan-26", Some("2026-01-07")),
        ("MM/DD/YYYY", "2/12/2026", None),
        ("YYMMDD", "260212", Some("2026-02-12")),
        ("serial", "46065", Some("2026-02-12")),
        ("serial", "46065.0", Some("2026-02-12")),
        ("serial", "46065.5", None),
        ("serial", "60", None),
        ("serial", "59", Some("1900-02-28")),
        ("serial", "20260212", Some("2026-02-12")),
        ("serial1904", "44603", Some("2026-02-12")),
    ] {
        let formats = CellFormats { dates: dates(&[form]), first_year: Some(1970), ..strict() };
        let expected = day.map(|day| day.parse().unwrap());
        assert_eq!(formats.day(text).ok(), expected, "{form} {text}");
    }
    let several = CellFormats { dates: dates(&["MM/DD/YYYY", "serial"]), ..strict() };
    assert_eq!(several.day("46065"), several.day("02/12/2026"));
    for form in ["ymd", "YYYY", "MMDD", "YYYY-MM-DD-DD", "yyyy-mm-dd", ""] {
        assert!(DateFormat::parse(form).is_err(), "{form}");
    }
}

#[test]
fn what_has_two_meanings_is_a_fault_that_says_what_to_write() {
    let fault = strict().day("1/5/2026").unwrap_err();
    assert!(fault.contains("dates = \"mdy\" or \"dmy\""), "{fault}");
    let short = CellFormats { dates: dates(&["mdy"]), ..strict() };
    let fault = short.day("1/5/26").unwrap_err();
    assert!(fault.contains("first_year = 1970"), "{fault}");
    let century = |first_year, text: &str| {
        CellFormats { first_year: Some(first_year), ..short.clone() }.day(text).unwrap().to_string()
    };
    assert_eq!(century(1970, "1/5/69"), "2069-01-05");
    assert_eq!(century(1970, "1/5/70"), "1970-01-05");
    assert_eq!(century(2000, "1/5/99"), "2099-01-05");
}

#[test]
fn null_is_an_empty_text_or_a_word_of_the_mapping() {
    assert!(lenient().is_null("null  ") && lenient().is_null("\u{a0}\t"));
    assert!(!strict().is_null("NULL") && strict().is_null("  "));
    assert_eq!(trim("\u{feff} a b\u{a0}\t"), "a b");
}
