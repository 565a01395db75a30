//! The effects of a classification file, and new entries for it.

mod sides;

use powerfill_diff::classes::{Classifications, DifferenceClass};
use powerfill_diff::{Comparison, ComparisonOutcome};
use sides::{classified, compared};

const GUIDE: &str = "pfill_powerfill_guide";

fn comparison() -> Comparison {
    let here =
        "loan_id,trade_id,price,payup\nL1,T1,1,1\nL2,T1,1,1\nL[3],T1,1,1\nM1,T1,1,1\nM2,T1,1,1\n";
    let there =
        "loan_id,trade_id,price,payup\nL1,T1,2,1\nL2,T1,2,2\nL[3],T2,1,1\nM1,T2,1,1\nM3,T1,1,1\n";
    compared(&[(GUIDE, here)], &[(GUIDE, there)], "")
}

/// The numbers of classified and unclassified differences, and the lines of stale entries.
fn counts(classes: &str) -> (u64, u64, Vec<usize>) {
    let comparison = classified(comparison(), classes);
    let counts = &comparison.classified;
    let stale = counts.stale.iter().map(|stale| stale.line).collect();
    (counts.classes.values().sum(), counts.unclassified, stale)
}

fn entry(rest: &str) -> String {
    format!("[[difference]]\nclass = \"bug\"\ntable = \"{GUIDE}\"\n{rest}\n")
}

#[test]
fn an_entry_matches_by_verdict_columns_and_key() {
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
fn the_first_matching_entry_counts_and_an_entry_without_a_match_is_stale() {
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
fn classified_differences_do_not_count_and_an_entry_without_a_class_is_pending() {
    assert_eq!(classified(comparison(), &entry("")).outcome(), ComparisonOutcome::Same);
    let pending = classified(comparison(), &entry("").replace("bug", ""));
    assert_eq!(pending.outcome(), ComparisonOutcome::Different);
    assert_eq!((pending.classified.pending, pending.classified.unclassified), (6, 6));
}

#[test]
fn unknown_names_are_refused_with_their_line() {
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
        assert_eq!((fault.line, fault.file.as_str()), (line, "c.toml"), "{classes}: {fault}");
    }
}

#[test]
fn new_entries_are_appended_and_the_former_text_stays() {
    let old = "# The desk's classes.\n\n[[difference]] # rounding\nclass   = 'bug'\ntable = \"pfill_powerfill_guide\"\n\
               key = { loan_id = \"L2\" }\n# the end";
    let comparison = classified(comparison(), old);
    let new = comparison.append_classifications("c.toml", old).unwrap().unwrap();
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
    // The new entries match these differences, are pending, and are not added again.
    let again = classified(self::comparison(), &new);
    assert_eq!((again.classified.pending, again.classified.unclassified), (5, 5));
    assert_eq!(again.append_classifications("c.toml", &new).unwrap(), None);
    // Once a person has filled them in, nothing is unclassified.
    let filled =
        classified(self::comparison(), &new.replace("class = \"\"", "class = \"enhancement\""));
    assert_eq!(filled.outcome(), ComparisonOutcome::Same);
    assert!(filled.classified.stale.is_empty());
    // An entry for one loan matches no other loan.
    let other = compared(
        &[(GUIDE, "loan_id,trade_id,price,payup\nL3,T1,1,1\nX,T1,1,1\n")],
        &[(GUIDE, "loan_id,trade_id,price,payup\nL3,T2,1,1\nX,T1,1,1\n")],
        "",
    );
    assert_eq!(classified(other, &new).classified.unclassified, 1);
}

#[test]
fn many_rows_with_the_same_differences_get_one_entry() {
    let rows = |price: u32| {
        let rows = (0..500).map(|at| format!("L{at},T1,{price},1\n"));
        format!("loan_id,trade_id,price,payup\n{}", rows.collect::<String>())
    };
    let comparison = compared(&[(GUIDE, &rows(1))], &[(GUIDE, &rows(2))], "");
    let new = comparison.append_classifications("c.toml", "").unwrap().unwrap();
    assert!(new.starts_with("# 500 rows, whatever their key: narrow it"), "{new}");
    assert!(!new.contains("\nkey ="));
    assert_eq!(classified(comparison, &new).classified.pending, 500);
}
