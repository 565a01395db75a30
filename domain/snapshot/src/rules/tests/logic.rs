//! Three-valued logic: a loan satisfies a rule only where it is TRUE.

use super::super::Truth::{self, False, True, Unknown};
use super::truth;

/// A condition for each truth, on a loan without values.
const CONDITIONS: [(&str, Truth); 3] = [("1 = 1", True), ("1 = 0", False), ("fico = 1", Unknown)];

#[test]
fn truth_tables() {
    let and = [[True, False, Unknown], [False, False, False], [Unknown, False, Unknown]];
    let or = [[True, True, True], [True, False, Unknown], [True, Unknown, Unknown]];
    for (i, (left, value)) in CONDITIONS.into_iter().enumerate() {
        for (j, (right, _)) in CONDITIONS.into_iter().enumerate() {
            assert_eq!(truth(&format!("{left} AND {right}"), &[]), and[i][j], "{left} AND {right}");
            assert_eq!(truth(&format!("{left} OR {right}"), &[]), or[i][j], "{left} OR {right}");
        }
        assert_eq!(truth(&format!("NOT {left}"), &[]), !value, "NOT {left}");
        assert_eq!(truth(&format!("NOT ({left})"), &[]), !value, "NOT ({left})");
    }
}

#[test]
fn and_binds_tighter_than_or_and_not_tighter_than_both() {
    assert_eq!(truth("1 = 1 OR 1 = 1 AND 1 = 0", &[]), True);
    assert_eq!(truth("(1 = 1 OR 1 = 1) AND 1 = 0", &[]), False);
    assert_eq!(truth("NOT 1 = 0 OR 1 = 1", &[]), True);
    assert_eq!(truth("NOT (1 = 0 OR 1 = 1)", &[]), False);
    assert_eq!(truth("NOT 1 = 1 AND 1 = 0", &[]), False);
    assert_eq!(truth("1 = 0 AND 1 = 0 OR 1 = 1", &[]), True);
    assert_eq!(truth("2 BETWEEN 1 AND 3 AND 1 = 0", &[]), False);
    assert_eq!(truth("NOT 2 BETWEEN 1 AND 3 OR 1 = 1", &[]), True);
}

#[test]
fn null_is_neither_in_nor_out_nor_like() {
    for rule in [
        "fico = fico",
        "fico <> 1",
        "fico IN (1, 2)",
        "fico NOT IN (1, 2)",
        "fico + 1 IN (1, ltv)",
        "1 IN (2, fico)",
        "1 NOT IN (2, fico)",
        "state IN ('a')",
        "state NOT LIKE '%'",
        "state LIKE '%'",
        "close_date IN ('2026-01-01')",
        "close_date NOT BETWEEN '2026-01-01' AND '2026-01-02'",
        "5 BETWEEN 1 AND fico",
        "5 BETWEEN fico AND 9",
        "-fico = fico",
        "state = never",
    ] {
        assert_eq!(truth(rule, &[]), Unknown, "{rule}");
    }
    assert_eq!(truth("5 BETWEEN fico AND 4", &[]), False, "one bound decides");
    assert_eq!(truth("5 NOT BETWEEN fico AND 4", &[]), True, "one bound decides");
    assert_eq!(truth("1 IN (fico, 1)", &[]), True);
    assert_eq!(truth("1 NOT IN (fico, 1)", &[]), False);
    assert_eq!(truth("9 BETWEEN 9 AND 1", &[]), False, "the bounds do not swap");
}

#[test]
fn a_predicate_can_be_shared_between_threads() {
    fn shared<T: Clone + std::fmt::Debug + Send + Sync>() {}
    shared::<super::super::Predicate>();
}
