//! What rules cannot say: the code of the fault and its place.

use super::compile;
use crate::report::FaultCode::{RuleColumn, RuleSyntax, RuleType};

/// Code and place of the first fault.
macro_rules! refused {
    ($($rule:expr => $code:ident $position:literal,)*) => {$(
        match compile($rule) {
            Ok(predicate) => panic!("{} is accepted: {predicate:?}", $rule),
            Err(fault) => assert_eq!((fault.code, fault.position), ($code, $position), "{}: {fault}", $rule),
        }
    )*};
}

#[test]
fn the_faults_of_a_rule_book() {
    refused! {
        "fico >" => RuleSyntax 7,
        "fico > 700 AND" => RuleSyntax 15,
        "nosuch = 1" => RuleColumn 1,
        "state = 5" => RuleType 1,
        "fico = 'high'" => RuleType 8,
        "close_date > 'soon'" => RuleType 14,
        "close_date > 5" => RuleType 14,
        "fico IN (SELECT 1)" => RuleSyntax 10,
        "UPPER(state) = 'CA'" => RuleSyntax 1,
        "state = 'CA" => RuleSyntax 9,
        "(fico > 1" => RuleSyntax 10,
        "fico" => RuleSyntax 1,
        "state + 1 > 2" => RuleType 1,
        "fico IN ()" => RuleSyntax 10,
        "trade.fico > 1" => RuleColumn 1,
        "fico LIKE '7%'" => RuleType 1,
        "fico > 1; DROP" => RuleSyntax 9,
        "fico NOT 5" => RuleSyntax 10,
        "fico > 1 -- always" => RuleSyntax 10,
        "zip > 500" => RuleType 1,
        "state > close_date" => RuleType 1,
        "fico = NULL" => RuleSyntax 8,
        "fico IN (NULL)" => RuleSyntax 10,
        "fico > 1e2" => RuleSyntax 8,
        "'5' + 1 = 6" => RuleType 1,
        "zip = fico" => RuleType 1,
        "never = 3" => RuleType 1,
        "fico = ''" => RuleType 8,
    }
    for rule in [
        "fico > 700",
        "num > 500 AND num = '0700'",
        "zip = '90210' AND never = '3' AND seen > '2026-01-01'",
        "dti > 1 AND loan_type = 'FHA'",
    ] {
        assert!(compile(rule).is_ok(), "{rule}");
    }
}

#[test]
fn sql_that_is_not_a_rule() {
    refused! {
        "" => RuleSyntax 1,
        "  " => RuleSyntax 3,
        "()" => RuleSyntax 2,
        "fico = 1)" => RuleSyntax 9,
        "fico == 1" => RuleSyntax 6,
        "fico <=> 1" => RuleSyntax 6,
        "fico < > 1" => RuleSyntax 8,
        "fico !< 1" => RuleSyntax 6,
        "fico = +5" => RuleSyntax 8,
        "fico = -+5" => RuleSyntax 9,
        "fico % 2 = 1" => RuleSyntax 6,
        "fico & 2 = 1" => RuleSyntax 6,
        "fico | 2 = 1" => RuleSyntax 6,
        "fico ^ 2 = 1" => RuleSyntax 6,
        "~fico = 1" => RuleSyntax 1,
        "fico // 2 = 1" => RuleSyntax 7,
        "state || 'a' = 'b'" => RuleSyntax 7,
        "fico::int = 1" => RuleSyntax 5,
        "fico = 1 XOR ltv = 1" => RuleSyntax 10,
        "fico = 1 && ltv = 1" => RuleSyntax 10,
        "state ILIKE 'a'" => RuleSyntax 7,
        "state NOT ILIKE 'a'" => RuleSyntax 11,
        "state SIMILAR TO 'a'" => RuleSyntax 7,
        "state RLIKE 'a'" => RuleSyntax 7,
        "state ~ 'a'" => RuleSyntax 7,
        "state LIKE 'a' ESCAPE '!'" => RuleSyntax 16,
        "state LIKE ANY ('a')" => RuleSyntax 12,
        "state COLLATE latin1 = 'a'" => RuleSyntax 7,
        "fico IS TRUE" => RuleSyntax 9,
        "fico IS NOT 5" => RuleSyntax 13,
        "fico IS DISTINCT FROM 5" => RuleSyntax 9,
        "fico ISNULL" => RuleSyntax 6,
        "fico NOTNULL" => RuleSyntax 6,
        "fico NOT NULL" => RuleSyntax 10,
        "NULL IS NULL" => RuleSyntax 1,
        "fico > ANY (1, 2)" => RuleSyntax 8,
        "fico > ALL (SELECT 1)" => RuleSyntax 8,
        "EXISTS (SELECT 1)" => RuleSyntax 1,
        "NOT EXISTS (SELECT 1)" => RuleSyntax 5,
        "(SELECT 1) = 1" => RuleSyntax 2,
        "CASE WHEN fico > 1 THEN 1 END = 1" => RuleSyntax 1,
        "CAST(fico AS int) = 1" => RuleSyntax 1,
        "INTERVAL '1 day' = 1" => RuleSyntax 1,
        "close_date = DATE '2026-01-05'" => RuleSyntax 14,
        "close_date < CURRENT_DATE" => RuleSyntax 14,
        "fico = 1 AND TRUE" => RuleSyntax 14,
        "TRUE" => RuleSyntax 1,
        "(fico, ltv) = (1, 2)" => RuleSyntax 6,
        "(fico, ltv) IN ((1, 2))" => RuleSyntax 6,
        "fico IN 5" => RuleSyntax 9,
        "fico IN (1, 2" => RuleSyntax 14,
        "fico IN (1,)" => RuleSyntax 12,
        "fico IN (1, NULL)" => RuleSyntax 13,
        "fico IN UNNEST(ltv)" => RuleSyntax 9,
        "fico BETWEEN NULL AND 5" => RuleSyntax 14,
        "fico BETWEEN 1 OR 5" => RuleSyntax 16,
        "fico BETWEEN 1" => RuleSyntax 15,
        "fico = 1 = 1" => RuleSyntax 10,
        "1 < fico < 9" => RuleSyntax 10,
        "fico IS NULL IS NULL" => RuleSyntax 14,
        "fico IN (1) IN (2)" => RuleSyntax 13,
        "(fico = 1) = (ltv = 1)" => RuleSyntax 2,
        "(fico = 1) + 1 = 2" => RuleSyntax 2,
        "NOT fico" => RuleSyntax 5,
        "fico AND ltv = 1" => RuleSyntax 1,
        "fico = NOT 1" => RuleSyntax 12,
        "-(fico = 1) = 1" => RuleSyntax 3,
        "fico = ?" => RuleSyntax 8,
        "fico = @x" => RuleSyntax 8,
        "fico = :x" => RuleSyntax 8,
        "fico = $1" => RuleSyntax 8,
        "fico = 0x1F" => RuleSyntax 8,
        "fico = 1_000" => RuleSyntax 9,
        "fico = 1,000" => RuleSyntax 9,
        "fico = 1.2.3" => RuleSyntax 11,
        "fico = 5L" => RuleSyntax 8,
        "fico = 1E+5" => RuleSyntax 8,
        "state = X'41'" => RuleSyntax 9,
        "state = E'CA'" => RuleSyntax 9,
        "state = 'C' 'A'" => RuleSyntax 13,
        "state = `CA`" => RuleSyntax 9,
        "state = $$CA$$" => RuleSyntax 9,
        "`state` = 'CA'" => RuleSyntax 1,
        "fico[1] = 1" => RuleSyntax 5,
        "ARRAY[1] = fico" => RuleSyntax 6,
        "state -> 'a' = 'b'" => RuleSyntax 7,
        "state @> 'a'" => RuleSyntax 7,
        "fico /* a */ = 1" => RuleSyntax 6,
        "fico = 1 /* a" => RuleSyntax 14,
        "fico = 1 # a" => RuleSyntax 10,
        "fico--1 = 1" => RuleSyntax 5,
        "[state = 'CA'" => RuleSyntax 1,
        "\"state = 'CA'" => RuleSyntax 1,
        "loan.* = 1" => RuleSyntax 6,
        "loan. = 1" => RuleSyntax 7,
        "(loan).fico = 1" => RuleSyntax 7,
        "loan.'fico' = 1" => RuleSyntax 6,
        "SELECT * FROM loan" => RuleSyntax 1,
        "fico = 1 ORDER BY fico" => RuleSyntax 10,
        "fico = 1 UNION SELECT 1" => RuleSyntax 10,
        "fico = 1 AS x" => RuleSyntax 10,
        "fico = 1\n  AND\n  ;" => RuleSyntax 18,
        "order = 'é😀' AND fico >" => RuleSyntax 24,
    }
}

#[test]
fn columns_that_loan_does_not_have() {
    refused! {
        "fico = 1 AND nosuch IS NULL" => RuleColumn 14,
        "loan.nosuch = 1" => RuleColumn 6,
        "dbo.loan.fico = 1" => RuleColumn 1,
        "[loan.fico] = 1" => RuleColumn 1,
        "[ fico] = 1" => RuleColumn 1,
        "state = 'é😀' AND [é] = 1" => RuleColumn 18,
        "\"SELECT\" = 1" => RuleColumn 1,
        "state = \"CA\"" => RuleColumn 9,
        "[] = 1" => RuleColumn 1,
    }
}

#[test]
fn types_that_do_not_go_together() {
    refused! {
        "5 = state" => RuleType 5,
        "5 = close_date" => RuleType 1,
        "close_date = fico" => RuleType 14,
        "close_date = state" => RuleType 14,
        "fico + 1 = state" => RuleType 12,
        "fico BETWEEN 'a' AND 5" => RuleType 14,
        "fico BETWEEN 5 AND state" => RuleType 20,
        "state BETWEEN 'a' AND 5" => RuleType 1,
        "close_date BETWEEN '2026-01-01' AND '2026-02-30'" => RuleType 37,
        "fico IN (1, 'x')" => RuleType 13,
        "state IN ('a', 5)" => RuleType 1,
        "close_date IN ('2026-01-01', 5)" => RuleType 30,
        "close_date LIKE '2026%'" => RuleType 1,
        "state LIKE 5" => RuleType 12,
        "state LIKE fico" => RuleType 12,
        "5 LIKE '5'" => RuleType 1,
        "-state = 'a'" => RuleType 2,
        "fico = -'5'" => RuleType 9,
        "fico * state = 1" => RuleType 8,
        "close_date + 30 > '2026-01-01'" => RuleType 1,
        "close_date - seen > 5" => RuleType 1,
        "fico = '1e2'" => RuleType 8,
        "fico = '1,000'" => RuleType 8,
        "fico = ' 700'" => RuleType 8,
        "fico = '700 '" => RuleType 8,
        "'high' = 5" => RuleType 1,
        "close_date = '2026-1-5'" => RuleType 14,
        "close_date = '2026-01-05 '" => RuleType 14,
        "close_date = '01/05/2026'" => RuleType 14,
        "close_date = ''" => RuleType 14,
        "NOT (ltv > 1 OR (fico = 'high'))" => RuleType 25,
    }
}

#[test]
fn messages_say_what_was_expected_and_found() {
    for (rule, message) in [
        ("fico >", "character 7: a value expected, the end found"),
        ("fico NOT 5", "character 10: IN, BETWEEN or LIKE expected, 5 found"),
        ("(fico > 1", "character 10: ) expected, the end found"),
        ("fico IN (SELECT 1)", "character 10: SELECT is not part of the rule syntax"),
        ("UPPER(state) = 'CA'", "character 1: a function call is not part of the rule syntax"),
        ("fico > 1; DROP", "character 9: ; is not part of the rule syntax; a rule ends without it"),
        ("fico > 1 -- x", "character 10: a comment is not part of the rule syntax"),
        ("fico = NULL", "character 8: a value expected, NULL found; write IS NULL"),
        (
            "fico > 1,000",
            "character 9: AND, OR or the end expected, a comma found; a number has no commas",
        ),
        (
            "state = ‘CA’",
            "character 9: ‘ is not part of the rule syntax; a text is in straight quotes: 'CA'",
        ),
        ("fico == 1", "character 6: == is not part of the rule syntax; write ="),
        ("stat = 'CA'", "character 1: unknown column stat; did you mean state?"),
        (
            "state = \"Primary\"",
            "character 9: unknown column Primary; a text is in single quotes: 'Primary'",
        ),
        ("fico", "character 1: a condition expected, a value found"),
        ("state = 5", "character 1: a text against a number"),
        ("nosuch = 1", "character 1: unknown column nosuch; a text is in single quotes: 'nosuch'"),
        ("fico > 1e2", "character 8: a plain decimal number is expected"),
        ("fico = 'high'", "character 8: 'high' cannot be read as a number"),
        (
            "fico = 1 ' at Line: 1, Column: 3'",
            "character 10: AND, OR or the end expected, ' at Line: 1, Column: 3' found",
        ),
    ] {
        assert_eq!(compile(rule).unwrap_err().to_string(), message, "{rule}");
    }
}
