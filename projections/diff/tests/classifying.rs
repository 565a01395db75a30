//! What classifications do, and how a file of them grows.

mod given;

use given::{classified, compared};
use powerfill_diff::classes::{Classifications, DifferenceClass};
use powerfill_diff::{Comparison, ComparisonOutcome};

const GUIDE: &str = "pfill_powerfill_guide";

fn comparison() -> Comparison {
    let here =
        "loan_id,trade_id,price,payup\nL1,T1,1,1\nL2,T1,1,1\nL[3],T1,1,1\nM1,T1,1,1\nM2,T1,1,1\n";
    let there =
        "loan_id,trade_id,price,payup\nL1,T1,2,1\nL2,T1,2,2\nL[3],T2,1,1\nM1,T2,1,1\nM3,T1,1,1\n";
    compared(&[(GUIDE, here)], &[(GUIDE, there)], "")
}

/// What was classified, unclassified, and stale lines.
fn counts(classes: &str) -> (u64, u64, Vec<usize>) {
    let comparison = classified(comparison(), classes);
    let of = &comparison.classified;
    let stale = of.stale.iter().map(|stale| stale.line).collect();
    (of.classes.values().sum(), of.unclassified, stale)
}

fn entry(rest: &str) -> String {
    format!("[[difference]]\nclass = \"bug\"\ntable = \"{GUIDE}\"\n{rest}\n")
}

#[test]
fn an_entry_speaks_of_what_it_matches() {
    for (rest, matches) in [
        ("", 6),
        ("verdict = \"other_numbers\"", 2),
        ("verdict = \"only_there\"", 1),
        ("columns = [\"price\"]", 1),
        ("columns = [\"price\", \"payup\"]", 2),
        ("columns = [\"trade_id\"]", 2),
        ("key = { loan_id = \"l1\" }", 1),
        ("key = { loan_id = \"L*\" }", 3),
        ("key = { loan_id = [\"L1\", \"m?\"] }", 4),
        ("key = { loan_id = \"L[12]\" }", 2),
        ("key = { loan_id = 'L\\[3\\]' }", 1),
        ("key = { loan_id = \"{L2,M2}\" }", 2),
        ("key = { loan_id = \"M*\", trade_id = \"T1\" }", 3),
        ("key = { loan_id = \"M*\" }\nverdict = \"only_here\"", 1),
    ] {
        assert_eq!(counts(&entry(rest)), (matches, 6 - matches, vec![]), "{rest}");
    }
}

#[test]
fn the_first_entry_counts_and_one_that_matches_nothing_is_stale() {
    let classes = [
        entry("key = { loan_id = \"L1\" }").replace("bug", "enhancement"),
        entry("verdict = \"other_numbers\"\ndate = 2026-02-12\nnote = \"rounding\""),
        entry("key = { loan_id = \"L1\" }"),
        entry("key = { loan_id = \"Z*\" }"),
        entry("").replace(GUIDE, "pfill_trade_recap"),
        entry("verdict = \"only_here\"").replace(GUIDE, "*"),
    ];
    let text = classes.concat();
    let comparison = classified(comparison(), &text);
    let of = &comparison.classified;
    assert_eq!(
        of.classes.clone().into_iter().collect::<Vec<_>>(),
        [("bug", 2), ("enhancement", 1)]
    );
    let lines: Vec<usize> = of.stale.iter().map(|stale| stale.line).collect();
    let line_of = |at: usize| 1 + classes[..at].concat().lines().count();
    assert_eq!(lines, [line_of(3), line_of(4)]);
    let entries = comparison.classifications.entries();
    assert_eq!(entries[1].note, "rounding");
    assert_eq!(entries[1].date.as_deref(), Some("2026-02-12"));
    assert_eq!(entries[1].class, Some(DifferenceClass::Bug));
}

#[test]
fn everything_classified_is_no_difference_and_an_entry_without_a_class_waits() {
    assert_eq!(classified(comparison(), &entry("")).answer(), ComparisonOutcome::Same);
    let waiting = classified(comparison(), &entry("").replace("bug", ""));
    assert_eq!(waiting.answer(), ComparisonOutcome::Different);
    assert_eq!((waiting.classified.pending, waiting.classified.unclassified), (6, 6));
}

#[test]
fn what_is_not_known_is_refused_with_its_place() {
    for (classes, line, words) in [
        (entry("").replace("bug", "typo"), 2, "no class typo"),
        (entry("").replace(GUIDE, "guide"), 3, "no output table guide"),
        (entry("verdict = \"same\""), 4, "no verdict same"),
        (entry("columns = [\"prise\"]"), 4, "has no column prise"),
        (entry("key = { loan = \"x\" }"), 4, "has no column loan"),
        (entry("key = { loan_id = \"[\" }"), 4, "unclosed character class"),
        (entry("date = \"soon\""), 4, "invalid type"),
        (entry("date = 12:00:00"), 4, "YYYY-MM-DD"),
        (entry("reason = \"x\""), 4, "unknown field `reason`"),
        ("[[differences]]\n".to_owned(), 1, "unknown field `differences`"),
        ("[[difference]]\nclass = \"bug\"\n".to_owned(), 1, "missing field `table`"),
    ] {
        let fault = Classifications::parse("c.toml", &classes).unwrap_err();
        assert!(fault.to_string().contains(words), "{classes}: {fault}");
        assert_eq!((fault.line, fault.place.as_str()), (line, "c.toml"), "{classes}: {fault}");
    }
}

#[test]
fn a_file_grows_by_what_nothing_was_said_about_and_stays_as_it_was_above() {
    let old = "# The desk's word.\n\n[[difference]] # rounding\nclass   = 'bug'\ntable = \"pfill_powerfill_guide\"\n\
               key = { loan_id = \"L2\" }\n# the end";
    let comparison = classified(comparison(), old);
    let new = comparison.classifications_appended("c.toml", old).unwrap().unwrap();
    assert!(new.starts_with(old), "{new}");
    let added = &new[old.len()..];
    assert_eq!(added.matches("[[difference]]").count(), 4, "{added}");
    for line in [
        "key = { loan_id = \"L1\" }",
        "columns = [\"price\"]",
        "key = { loan_id = ['L\\[3\\]', \"M1\"] }",
        "verdict = \"only_there\"",
        "# 2 rows; class is bug, enhancement or acceptable_variation",
    ] {
        assert!(added.contains(line), "{line} is not in\n{added}");
    }
    // The entries are of these differences, wait for a class, and are not added again.
    let again = classified(self::comparison(), &new);
    assert_eq!((again.classified.pending, again.classified.unclassified), (5, 5));
    assert_eq!(again.classifications_appended("c.toml", &new).unwrap(), None);
    // Filled in, nothing is left.
    let filled =
        classified(self::comparison(), &new.replace("class = \"\"", "class = \"enhancement\""));
    assert_eq!(filled.answer(), ComparisonOutcome::Same);
    assert!(filled.classified.stale.is_empty());
    // An entry of one loan is of no other.
    let other = compared(
        &[(GUIDE, "loan_id,trade_id,price,payup\nL3,T1,1,1\nX,T1,1,1\n")],
        &[(GUIDE, "loan_id,trade_id,price,payup\nL3,T2,1,1\nX,T1,1,1\n")],
        "",
    );
    assert_eq!(classified(other, &new).classified.unclassified, 1);
}

#[test]
fn many_rows_of_a_kind_are_one_entry() {
    let rows = |price: u32| {
        let rows = (0..500).map(|at| format!("L{at},T1,{price},1\n"));
        format!("loan_id,trade_id,price,payup\n{}", rows.collect::<String>())
    };
    let comparison = compared(&[(GUIDE, &rows(1))], &[(GUIDE, &rows(2))], "");
    let new = comparison.classifications_appended("c.toml", "").unwrap().unwrap();
    assert!(new.starts_with("# 500 rows, whatever their key: narrow it"), "{new}");
    assert!(!new.contains("\nkey ="));
    assert_eq!(classified(comparison, &new).classified.pending, 500);
}
