//! Long rules work, deep ones are faults, and neither needs more stack than a thread has.

use super::super::Truth;
use super::{compile, loan};
use crate::report::FaultCode;

/// Runs on a stack as small as that of a thread that a test, a server or a thread pool starts.
fn on_a_small_stack(test: impl FnOnce() + Send + 'static) {
    let small = std::thread::Builder::new().stack_size(1024 * 1024);
    small.spawn(test).unwrap().join().unwrap();
}

#[test]
fn deep_rules_are_faults() {
    on_a_small_stack(|| {
        let n = 100_000;
        for rule in [
            format!("{}fico = 1{}", "(".repeat(n), ")".repeat(n)),
            "(".repeat(n),
            format!("{}fico = 1", "NOT ".repeat(n)),
            format!("{}fico = 1", "- ".repeat(n)),
            format!("fico IN {}1", "(1 IN ".repeat(n / 2)),
            format!("fico = 1{}", " + (1".repeat(n / 2)),
            format!("fico LIKE {}'a'", "'a' LIKE (".repeat(n / 4)),
            format!("fico BETWEEN {}1", "1 BETWEEN 1 AND (".repeat(n / 4)),
        ] {
            let fault = compile(&rule).unwrap_err();
            assert_eq!(fault.code, FaultCode::RuleSyntax, "{fault}");
            assert!(fault.position <= rule.len() + 1, "{fault}");
        }
    });
}

#[test]
fn endless_rules_are_faults() {
    on_a_small_stack(|| {
        for rule in [
            format!("fico = 1{}", " AND fico = 1".repeat(100_000)),
            format!("fico = 1{}", " + 1".repeat(200_000)),
            format!("fico IN (1{})", ", 1".repeat(200_000)),
        ] {
            assert_eq!(compile(&rule).unwrap_err().code, FaultCode::RuleSyntax);
        }
    });
}

/// The tree of such a rule is as deep as the rule is long, also where a fault at its end throws it
/// away.
#[test]
fn long_chains_with_a_fault_at_the_end() {
    on_a_small_stack(|| {
        let n = 99_000;
        for rule in [
            format!("1{}", " + 1".repeat(n)),
            format!("1{} >", " - 1".repeat(n)),
            format!("1{} > 1 AND", " * 1".repeat(n)),
            format!("1{} LIKE 'a'", " / 1".repeat(n)),
            format!("1{} IS NULL IN (1", " / 1".repeat(n)),
        ] {
            assert!(compile(&rule).is_err());
        }
        let rule = format!("fico = 1{} AND", " AND fico = 1".repeat(49_000));
        assert_eq!(compile(&rule).unwrap_err().position, rule.len() + 1);
        let rule = format!("fico = 1{} AND nosuch = 1", " OR fico = 1".repeat(49_000));
        assert_eq!(compile(&rule).unwrap_err().code, FaultCode::RuleColumn);
    });
}

#[test]
fn long_rules_work() {
    on_a_small_stack(|| {
        let (seven, none) = (loan(&[("fico", "7"), ("state", "S9999")]), loan(&[]));
        let n = 10_000;
        let numbers: Vec<String> = (0..n).map(|n| n.to_string()).collect();
        let list = |each: &dyn Fn(&String) -> String, between: &str| {
            numbers.iter().map(each).collect::<Vec<_>>().join(between)
        };
        for (rule, expected) in [
            (list(&|n| format!("loan.fico = {n}"), " OR "), Truth::True),
            (list(&|n| format!("fico <> {n}"), " AND "), Truth::False),
            (list(&|n| format!("fico NOT BETWEEN -{n} AND -1"), " AND "), Truth::True),
            (format!("NOT ({})", list(&|n| format!("(fico = {n})"), " OR ")), Truth::False),
            (format!("fico IN ({})", list(&String::clone, ", ")), Truth::True),
            (format!("fico + 0 IN ({})", list(&String::clone, ", ")), Truth::True),
            (format!("state NOT IN ({})", list(&|n| format!("'s{n}'"), ", ")), Truth::False),
            (format!("fico - {} < 0", list(&String::clone, " + ")), Truth::False),
            (format!("fico{} > 0", " * 3 / 3".repeat(1000)), Truth::True),
        ] {
            let predicate = compile(&rule).unwrap();
            assert_eq!(predicate.evaluate(&seven), expected, "{}", &rule[..60]);
            assert_eq!(predicate.evaluate(&none), Truth::Unknown, "{}", &rule[..60]);
            let failures = predicate.failures(&none, &super::columns());
            assert!(!failures.is_empty());
        }
    });
}

#[test]
fn nesting_that_people_write_works() {
    on_a_small_stack(|| {
        let rule = format!("{}fico = 7{}", "NOT (".repeat(60), ")".repeat(60));
        let predicate = compile(&rule).unwrap();
        assert_eq!(predicate.evaluate(&loan(&[("fico", "7")])), Truth::True);
        let failures = predicate.failures(&loan(&[]), &super::columns());
        assert!(failures[0].clause.starts_with("NOT (NOT ("));
        let rule = format!("{}fico{} = 7", "(".repeat(200), " + 0)".repeat(200));
        assert_eq!(compile(&rule).unwrap().evaluate(&loan(&[("fico", "7")])), Truth::True);
    });
}
