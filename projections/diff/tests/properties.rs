//! Properties of comparisons of any two sides.

mod sides;

use std::collections::BTreeMap;

use powerfill_diff::{Comparison, ComparisonOutcome, RowVerdict};
use proptest::collection::btree_map;
use proptest::prelude::*;
use sides::{compared, differences};

const GUIDE: &str = "pfill_powerfill_guide";

/// Loans with trade, price, and action. There are few of each, so that the sides share loans.
fn rows() -> impl Strategy<Value = BTreeMap<u8, (u8, i32, bool)>> {
    btree_map(0..12_u8, (0..3_u8, -3..3_i32, any::<bool>()), 1..10)
}

fn text(rows: &BTreeMap<u8, (u8, i32, bool)>) -> String {
    let lines = rows.iter().map(|(loan, (trade, price, joins))| {
        let trade = if *trade == 0 { String::new() } else { format!("T{trade}") };
        format!("L{loan},{trade},{price},{}\n", if *joins { "Joining" } else { "Remaining" })
    });
    format!("loan_id,trade_id,price,pool_action\n{}", lines.collect::<String>())
}

/// The same rows in another form: order of rows and columns, case, padding, and numbers.
fn other_form(rows: &BTreeMap<u8, (u8, i32, bool)>) -> String {
    let lines = rows.iter().rev().map(|(loan, (trade, price, joins))| {
        let trade = if *trade == 0 { "NULL".to_owned() } else { format!("t{trade}   ") };
        let price = if *price < 0 { format!("({}.000)", -price) } else { format!("${price}.0") };
        format!("{price},{},l{loan}  ,{trade}\n", if *joins { "JOINING" } else { "remaining " })
    });
    format!("Price,POOL ACTION,[loan_id],Trade_ID\n{}", lines.collect::<String>())
}

fn mirrored(verdict: RowVerdict) -> RowVerdict {
    match verdict {
        RowVerdict::OnlyHere => RowVerdict::OnlyThere,
        RowVerdict::OnlyThere => RowVerdict::OnlyHere,
        same @ (RowVerdict::Same | RowVerdict::OtherNumbers | RowVerdict::OtherDecision) => same,
    }
}

fn folded(comparison: &Comparison) -> Vec<(String, RowVerdict, Vec<&'static str>)> {
    let found = differences(comparison).into_iter();
    found.map(|(key, verdict, columns)| (key.to_uppercase(), verdict, columns)).collect()
}

proptest! {
    #[test]
    fn a_side_equals_itself_in_another_form(rows in rows()) {
        for there in [text(&rows), other_form(&rows)] {
            let comparison = compared(&[(GUIDE, &text(&rows))], &[(GUIDE, &there)], "");
            prop_assert_eq!(differences(&comparison), []);
            prop_assert_eq!(comparison.outcome(), ComparisonOutcome::Same);
            prop_assert_eq!(comparison.same(), rows.len() as u64);
        }
    }

    #[test]
    fn swapped_sides_give_mirrored_verdicts(a in rows(), b in rows()) {
        let (a, b) = (text(&a), other_form(&b));
        let there = compared(&[(GUIDE, &a)], &[(GUIDE, &b)], "");
        let back = compared(&[(GUIDE, &b)], &[(GUIDE, &a)], "");
        let mirror: Vec<_> = folded(&back).into_iter()
            .map(|(key, verdict, columns)| (key, mirrored(verdict), columns)).collect();
        prop_assert_eq!(folded(&there), mirror);
        prop_assert_eq!(there.outcome(), back.outcome());
    }

    /// Compares the counts with counts of the rows themselves.
    #[test]
    fn every_row_is_counted_once_under_its_verdict(a in rows(), b in rows()) {
        let comparison = compared(&[(GUIDE, &text(&a))], &[(GUIDE, &text(&b))], "");
        let has_pair = a.keys().any(|loan| b.contains_key(loan));
        prop_assert_eq!(comparison.outcome() == ComparisonOutcome::Incomparable, !has_pair);
        if has_pair {
            let both = || a.iter().filter_map(|(loan, ours)| Some((ours, b.get(loan)?)));
            let counts = comparison.tables[0].counts;
            let count = |number: usize| number as u64;
            prop_assert_eq!(counts.same, count(both().filter(|(x, y)| x == y).count()));
            let other = both().filter(|(x, y)| (x.0, x.2) != (y.0, y.2));
            prop_assert_eq!(counts.other_decision, count(other.count()));
            let numbers = both().filter(|(x, y)| (x.0, x.2) == (y.0, y.2) && x.1 != y.1);
            prop_assert_eq!(counts.other_numbers, count(numbers.count()));
            let only = a.keys().filter(|loan| !b.contains_key(loan)).count();
            prop_assert_eq!(counts.only_here, count(only));
            let only = b.keys().filter(|loan| !a.contains_key(loan)).count();
            prop_assert_eq!(counts.only_there, count(only));
        }
    }
}
