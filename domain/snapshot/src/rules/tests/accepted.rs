//! What rules can say.

use super::super::Truth::{False, True, Unknown};
use super::{loan, truth};

/// Four loans and the rules that each satisfies.
#[test]
fn every_feature_against_four_loans() {
    let loans = [
        loan(&[
            ("loan_amount", "100000.00"),
            ("note_rate", "6.5"),
            ("close_date", "2026-01-05"),
            ("fico", "700"),
            ("ltv", "80"),
            ("state", "CA"),
            ("property_type", "SFR_Dt"),
            ("zip", "00501"),
        ]),
        loan(&[
            ("loan_amount", "100000.01"),
            ("note_rate", "6.625"),
            ("close_date", "2026-01-04"),
            ("ltv", "60"),
            ("state", "TX"),
            ("property_type", "PUD"),
            ("zip", "90210"),
        ]),
        loan(&[
            ("loan_amount", "90000.00"),
            ("note_rate", "6.5"),
            ("close_date", "2026-01-06"),
            ("fico", "640"),
            ("property_type", "sfr"),
        ]),
        loan(&[
            ("loan_amount", "100000.00"),
            ("note_rate", "6.5"),
            ("close_date", "2026-01-05"),
            ("fico", "639"),
            ("ltv", "70.01"),
            ("state", "O'Hara"),
            ("zip", "N/A"),
        ]),
    ];
    let cases: &[(&str, &[usize])] = &[
        ("fico >= 700 AND ltv <= 80", &[1]),
        ("fico >= 700 OR ltv <= 80", &[1, 2, 4]),
        ("NOT (fico >= 700)", &[3, 4]),
        ("state IN ('CA', 'TX')", &[1, 2]),
        ("state NOT IN ('CA', 'TX')", &[4]),
        ("fico BETWEEN 640 AND 700", &[1, 3]),
        ("fico NOT BETWEEN 640 AND 700", &[4]),
        ("property_type LIKE 'S_R%'", &[1, 3]),
        ("property_type NOT LIKE 'S_R%'", &[2]),
        ("fico IS NULL", &[2]),
        ("fico IS NOT NULL", &[1, 3, 4]),
        ("loan_amount * 2 - 10 > 199990", &[2]),
        ("loan.[state] <> 'CA'", &[2, 4]),
        ("\"state\" != 'CA'", &[2, 4]),
        ("close_date < '2026-01-05'", &[2]),
        ("close_date = '2026-01-05'", &[1, 4]),
        ("note_rate = 6.500", &[1, 3, 4]),
        ("zip = '00501'", &[1]),
        ("loan_amount / 3 * 3 = loan_amount", &[1, 2, 3, 4]),
        ("fico = fico", &[1, 3, 4]),
        ("(fico + 0) > 600 AND (state = 'CA' OR state = 'TX')", &[1]),
        ("NOT state = 'CA' AND ltv > 60", &[4]),
        ("fico < 700 OR fico >= 700", &[1, 3, 4]),
        ("state LIKE 'o''h%' OR state < 'CB'", &[1, 4]),
        ("-ltv < -70", &[1, 4]),
    ];
    for (rule, expected) in cases {
        let predicate = super::compile(rule).unwrap_or_else(|fault| panic!("{rule}: {fault}"));
        let satisfied: Vec<usize> =
            (1..=4).filter(|n| predicate.evaluate(&loans[n - 1]) == True).collect();
        assert_eq!(satisfied, *expected, "{rule}");
    }
}

#[test]
fn numbers_compare_exactly() {
    let values = [("loan_amount", "0.3"), ("fico", "700"), ("ltv", "0"), ("num", "1")];
    for (rule, expected) in [
        ("0.1 + 0.2 = loan_amount", True),
        ("num / 3 + num / 3 + num / 3 = 1", True),
        ("num / 3 > 0.3333333333333333333333333333", True),
        ("num / 3 < 0.3333333333333333333333333334", True),
        ("fico / ltv > 1", Unknown),
        ("fico / ltv IS NULL", True),
        ("fico / 0 = 1 OR fico = 700", True),
        ("fico * ltv IS NULL", False),
        ("dti + 1 IS NULL", True),
        ("- -fico = 700", True),
        ("-(fico - 1) = -699", True),
        ("fico<-5 OR fico>-5", True),
        ("fico<>-5 AND fico!=-5 AND fico>=-5", True),
        ("fico - -1 = 701", True),
        ("10 - 2 - 3 = 5 AND 2 + 3 * 4 = 14 AND (2 + 3) * 4 = 20 AND 8 / 2 / 2 = 2", True),
        ("-2 * 3 = -6 AND 7 / -2 = -3.5 AND 1 - -1 = 2", True),
        ("fico = 700.000000000000000000000000000000000000000001", False),
        ("fico < 700.000000000000000000000000000000000000000001", True),
        ("fico < 79228162514264337593543950336", True),
        ("79228162514264337593543950336 * 10 > 792281625142643375935439503359", True),
        ("-79228162514264337593543950336 < fico", True),
        ("fico IN (79228162514264337593543950336, 700)", True),
        ("fico = 0700 AND fico = 700. AND ltv = .0 AND 00.50 = .5", True),
        ("num = '01.0' AND num = '+1' AND -1 = '-1.00' AND '1' = num", True),
        ("-0 = 0 AND ltv = -0", True),
        ("dti > 0.1234567890123456789012345678 AND dti <> 0.1", Unknown),
        ("9999999999999999999999999999 > 0.9999999999999999999999999999", True),
        ("-9999999999999999999999999999 < 0.0000000000000000000000000001", True),
        (
            "9999999999999999999999999999 - 0.0000000000000000000000000001 < '9999999999999999999999999999'",
            True,
        ),
    ] {
        assert_eq!(truth(rule, &values), expected, "{rule}");
    }
}

#[test]
fn a_column_holds_the_widest_decimal() {
    let widest = [("num", "79228162514264337593543950335")];
    let finest = [("num", "7.9228162514264337593543950335")];
    for (rule, values) in [
        ("num > 0.0000000000000000000000000001 AND num > 9999999999999999999999999999", widest),
        ("num = 79228162514264337593543950335 AND num < 79228162514264337593543950335.1", widest),
        ("num * num / num = num AND num + 1 - num = 1", widest),
        ("num IN (1, 79228162514264337593543950335) AND num NOT IN (0.1, 5)", widest),
        ("num < 7.923 AND num > 7.922 AND num <> 7.922816251426433759354395033", finest),
        ("num < 9999999999999999999999999999 AND num > 7.922816251426433759354395033", finest),
    ] {
        assert_eq!(truth(rule, &values), True, "{rule}");
    }
}

#[test]
fn text_compares_folded() {
    let values = [("state", "Straße  "), ("zip", " tx"), ("property_type", "A_"), ("order", "é")];
    for (rule, expected) in [
        ("state = 'STRASSE   '", True),
        ("state LIKE 'stra__e'", True),
        ("state LIKE 'straß%'", True),
        ("state LIKE '%SE '", True),
        ("state > '' AND state <> '' AND NOT state = ''", True),
        ("state = ''", False),
        ("never = ''", Unknown),
        ("zip = 'TX'", False),
        ("zip = ' Tx '", True),
        ("property_type > 'A1' AND property_type < 'AA'", False),
        ("property_type > 'Az'", True),
        ("state BETWEEN 'strassa' AND 'STRASSZ'", True),
        ("'b' > 'A' AND 'a' = 'A  ' AND 'é' = 'É'", True),
        ("'' = '  ' AND '' LIKE '%' AND NOT '' LIKE '_'", True),
        ("'o''h' = 'O''H' AND 'a\\' = 'A\\' AND 'a\\' LIKE 'a\\'", True),
        ("'50%' LIKE '50\\%'", False),
        ("state = zip OR state <> zip", True),
        ("state LIKE state AND state LIKE never", Unknown),
        ("state IN ('x', zip, 'strasse')", True),
        ("state IN ('x', never)", Unknown),
        ("state NOT IN ('strasse', never)", False),
        ("'tx' IN (state, zip)", False),
        ("'a' IS NULL OR '' IS NULL OR 1 IS NULL", False),
        ("order = 'É' AND [ORDER] = 'é' AND \"Order\" = 'é' AND LOAN.order = 'é'", True),
        ("order LIKE '_'", True),
        ("(state) = ('strasse') AND ((state = 'strasse'))", True),
    ] {
        assert_eq!(truth(rule, &values), expected, "{rule}");
    }
}

#[test]
fn dates_compare_with_dates_and_date_literals() {
    let values = [("close_date", "2026-01-05"), ("seen", "2025-12-31")];
    for (rule, expected) in [
        ("close_date > seen AND '2026-01-01' < close_date", True),
        ("close_date BETWEEN '2026-01-05' AND '2026-01-05'", True),
        ("close_date IN ('2026-01-04', '2026-01-05')", True),
        ("close_date NOT IN ('2026-01-04', seen)", True),
        ("seen BETWEEN close_date AND '2026-01-05'", False),
        ("'2026-01-01' BETWEEN seen AND close_date", True),
        ("lock_expiration_date > '2026-01-01'", Unknown),
        ("lock_expiration_date IS NULL AND close_date IS NOT NULL", True),
    ] {
        assert_eq!(truth(rule, &values), expected, "{rule}");
    }
}

#[test]
fn names_and_blanks_are_free() {
    let values = [("fico", "700"), ("Größe in m²", "81"), ("state", "CA")];
    for rule in [
        "FICO=700",
        "\tfico\r\n = \u{a0}700 ",
        "Loan.Fico = 700 AND [loan].\"fico\" = 700 AND loan . fico = 700",
        "[Größe in m²] > 80 AND \"GRÖSSE IN M²\" > 80 AND loan.[größe in m² ] > 80",
        "fico>1AND state='ca'",
        "nOt fico iS nUlL aNd sTATE lIKe 'c%' Or 1 = 2",
        "700 = fico AND 'CA' = state",
        "1 = 1 AND NOT 1 = 0 AND 'a' <> 'b'",
        "NOT NOT fico = 700",
        "fico IN ('700', 5) AND '700' IN (5, fico) AND '700' BETWEEN fico AND 800",
        "fico + 1 IN (701) AND fico BETWEEN 600 + 50 AND 2 * 400",
    ] {
        assert_eq!(truth(rule, &values), True, "{rule}");
    }
}

#[test]
fn a_text_with_the_prefix_of_sql_server_is_the_text() {
    assert_eq!(truth("state = N'CA' AND state IN (n'ca')", &[("state", "CA")]), True);
    assert_eq!(truth("state LIKE N'O''H%'", &[("state", "O'Hara")]), True);
}

#[test]
fn undeclared_columns_that_look_like_numbers_are_text() {
    let values = [("zip", "0501"), ("never", "10")];
    assert_eq!(truth("zip = '501'", &values), False);
    assert_eq!(truth("never < '9'", &values), True);
    assert_eq!(truth("zip LIKE '05%' AND never LIKE '1_'", &values), True);
}
