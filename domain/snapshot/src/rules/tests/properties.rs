//! Whatever is written as a rule: it compiles or it is a fault with a place in it, and it never
//! panics.

use proptest::prelude::*;
use proptest::sample::{SizeRange, select};

use super::{columns, compile, loan};

/// Words of rules, and what looks like them. A line break is one more.
const TOKENS: &str = r#"
    fico ltv state close_date loan nosuch loan.fico [state] "zip" 1 0 700.5 1e5 'CA' '7'
    '2026-01-05' '' ' = <> != < <= > >= == + - * / % ( ) , . ; :: || AND OR NOT IN BETWEEN LIKE IS
    NULL ANY ALL EXISTS SELECT FROM CASE WHEN THEN END CAST AS DATE INTERVAL TRUE COLLATE ESCAPE
    AT TIME ZONE XOR ILIKE SIMILAR TO UPPER MAP STRUCT ARRAY LAMBDA -- /* */ [ ] { } ? :x @ $1
    N'a' X'00' 😀 é
"#;

const CONDITIONS: &[&str] = &[
    "fico >= 680",
    "ltv <= 80",
    "state = 'TX'",
    "state IN ('CA', zip)",
    "zip NOT LIKE '9%'",
    "close_date BETWEEN '2026-01-01' AND seen",
    "dti IS NULL",
    "fico / ltv * 2 - -dti > 17.5",
    "loan.num NOT IN (1, '2', fico)",
    "never IS NOT NULL",
];

fn tokens(count: impl Into<SizeRange>) -> impl Strategy<Value = String> {
    let tokens: Vec<&str> = TOKENS.split_whitespace().chain(["\n"]).collect();
    prop::collection::vec(select(tokens), count).prop_map(|tokens| tokens.join(" "))
}

/// A rule that compiles.
fn rule() -> impl Strategy<Value = String> {
    select(CONDITIONS).prop_map(str::to_owned).prop_recursive(5, 40, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 1..4).prop_map(|all| all.join(" AND ")),
            prop::collection::vec(inner.clone(), 1..4).prop_map(|any| any.join(" OR ")),
            inner.clone().prop_map(|one| format!("NOT {one}")),
            inner.prop_map(|one| format!("({one})")),
        ]
    })
}

fn compiles_or_has_a_place(rule: &str) {
    match compile(rule) {
        Ok(predicate) => {
            let loans = [
                loan(&[]),
                loan(&[("fico", "700"), ("state", "TX"), ("close_date", "2026-01-05")]),
            ];
            for loan in loans {
                let truth = predicate.evaluate(&loan);
                let failures = predicate.failures(&loan, &columns());
                assert_eq!(failures.is_empty(), truth == super::Truth::True, "{rule}");
            }
        }
        Err(fault) => {
            assert!((1..=rule.chars().count() + 1).contains(&fault.position), "{rule}: {fault}");
        }
    }
}

proptest! {
    #[test]
    fn any_text(rule in any::<String>()) {
        compiles_or_has_a_place(&rule);
    }

    #[test]
    fn any_characters_of_sql(rule in "[a-z0-9 .,'\"()<>=!+*/%_-]{0,40}") {
        compiles_or_has_a_place(&rule);
    }

    #[test]
    fn any_tokens_of_sql(rule in tokens(0..24)) {
        compiles_or_has_a_place(&rule);
    }

    #[test]
    fn any_tokens_after_a_value(rule in tokens(0..5)) {
        compiles_or_has_a_place(&format!("fico {rule}"));
        compiles_or_has_a_place(&format!("state = 'TX' {rule}"));
    }

    #[test]
    fn a_rule_and_its_explanation_mean_the_same(rule in rule()) {
        let whole = compile(&rule);
        prop_assert!(whole.is_ok(), "{}: {:?}", rule, whole.err());
        let whole = whole.unwrap();
        let values = [("fico", "655"), ("ltv", "80"), ("dti", "3"), ("zip", "10001"), ("state", "tx")];
        let loan = loan(&values);
        compiles_or_has_a_place(&rule);
        for failure in whole.failures(&loan, &columns()) {
            let clause = compile(&failure.clause);
            prop_assert!(clause.is_ok(), "{}: {:?}", failure.clause, clause.err());
            prop_assert_eq!(clause.unwrap().evaluate(&loan), failure.truth, "{}", failure.clause);
        }
    }
}
