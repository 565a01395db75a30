//! Why a loan does not satisfy a rule.

use super::super::Truth::{False, Unknown};
use super::{columns, compile, loan};

fn failures(rule: &str, values: &[(&str, &str)]) -> Vec<String> {
    let failures = compile(rule).unwrap().failures(&loan(values), &columns());
    failures.iter().map(ToString::to_string).collect()
}

#[test]
fn names_the_parts_of_an_and_that_are_not_true() {
    let rule = "fico>=680 AND ltv <= 80 and (state = 'CA' AND loan.[dti] < 45)";
    let values = [("fico", "655.0"), ("ltv", "80"), ("state", "tx")];
    assert_eq!(
        failures(rule, &values),
        ["fico >= 680 (fico 655)", "state = 'CA' (state tx)", "loan.[dti] < 45 (dti NULL)"]
    );
    let failure = &compile(rule).unwrap().failures(&loan(&values), &columns());
    assert_eq!([failure[0].truth, failure[2].truth], [False, Unknown]);
    assert_eq!(failure[0].values[0].0.as_str(), "fico");
    let satisfied = [("fico", "680"), ("ltv", "1"), ("state", "ca"), ("dti", "1")];
    assert!(failures(rule, &satisfied).is_empty());
}

#[test]
fn an_or_and_a_not_fail_as_a_whole() {
    assert_eq!(
        failures(
            "(dti <= 45 OR (dti IS NULL AND fico > 740)) AND 1 = 1",
            &[("dti", "50"), ("fico", "700")]
        ),
        ["dti <= 45 OR (dti IS NULL AND fico > 740) (dti 50, fico 700)"]
    );
    assert_eq!(
        failures(
            "NOT (state IN ('CA', 'TX') AND close_date > seen)",
            &[("state", "TX"), ("close_date", "2026-01-02"), ("seen", "2026-01-01")]
        ),
        ["NOT (state IN ('CA', 'TX') AND close_date > seen) \
             (state TX, close_date 2026-01-02, seen 2026-01-01)"]
    );
    assert_eq!(
        failures("state NOT LIKE 'o''h%'", &[("state", "O'Hara")]),
        ["state NOT LIKE 'o''h%' (state O'Hara)"]
    );
    assert_eq!(failures("1 = 0", &[]), ["1 = 0"]);
}
