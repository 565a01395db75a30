//! Each verdict, and each reason why sides cannot be compared.

mod sides;

use powerfill_diff::{ComparisonOutcome, Incomparable, RowVerdict};
use sides::{TableText, compared, differences};

const GUIDE: &str = "pfill_powerfill_guide";
const KICKOUTS: &str = "pfill_kickout_guide_01";

#[test]
fn each_row_has_its_verdict_in_the_order_of_the_key() {
    let here = [(
        GUIDE,
        "loan_id,trade_id,pool_action,price\n\
         b,T1,Joining,100.5\n\
         C,T1,Joining,100.5\n\
         D,T1,Joining,100.5\n\
         A,T1,Joining,100.5\n",
    )];
    let there = [(
        GUIDE,
        "price,LOAN_ID,pool_action,trade_id\n\
         100.50000000,a,joining,t1  \n\
         101,B,Joining,T1\n\
         100.5,c,Joining,T2\n\
         100.5,E,Joining,T1\n",
    )];
    let comparison = compared(&here, &there, "");
    assert_eq!(
        differences(&comparison),
        [
            ("b".to_owned(), RowVerdict::OtherNumbers, vec!["price"]),
            ("C".to_owned(), RowVerdict::OtherDecision, vec!["trade_id"]),
            ("D".to_owned(), RowVerdict::OnlyHere, vec![]),
            ("E".to_owned(), RowVerdict::OnlyThere, vec![]),
        ]
    );
    let counts = comparison.tables[0].counts;
    assert_eq!((counts.same, counts.differences()), (1, 4));
    assert_eq!(comparison.outcome(), ComparisonOutcome::Different);
    let (loans, all) = comparison.diverging_loans(2);
    assert_eq!((loans, all), (vec!["C".to_owned(), "D".to_owned()], 3));
}

#[test]
fn a_decision_outweighs_numbers_and_a_remark_is_not_compared() {
    let here = [("pfill_preflight_findings", "code,severity,subject,message\nX,error,s,one\n")];
    let same = [("pfill_preflight_findings", "code,severity,subject,message\nx,ERROR,s,two\n")];
    assert_eq!(compared(&here, &same, "").outcome(), ComparisonOutcome::Same);
    let here = [(GUIDE, "loan_id,pool_action,price\nA,Joining,1\n")];
    let there = [(GUIDE, "loan_id,pool_action,price\nA,Switching,2\n")];
    assert_eq!(
        differences(&compared(&here, &there, "")),
        [("A".to_owned(), RowVerdict::OtherDecision, vec!["price", "pool_action"])]
    );
}

#[test]
fn columns_that_a_side_lacks_are_named_and_not_compared() {
    let here = [(GUIDE, "loan_id,trade_id,price\nA,T1,100\n")];
    let there = [(GUIDE, "loan_id,trade_id,comment\nA,T1,hello\n")];
    let comparison = compared(&here, &there, "");
    let table = &comparison.tables[0];
    assert_eq!(comparison.outcome(), ComparisonOutcome::Same);
    let price = table.spec.position("price").unwrap();
    assert!(table.missing >> price & 1 == 1 && table.compared >> price & 1 == 0);
    assert_eq!(table.there.unknown_columns, ["comment"]);
}

#[test]
fn a_text_in_a_column_of_numbers_differs_and_is_reported() {
    let here = [(GUIDE, "loan_id,price,settlement_date\nA,100,2026-02-12\nB,1,2026-02-12\n")];
    let there = [(GUIDE, "loan_id,price,settlement_date\nA,soon,13/13/2026\nB,1,2/12/2026\n")];
    let comparison = compared(&here, &there, "");
    assert_eq!(
        differences(&comparison),
        [("A".to_owned(), RowVerdict::OtherNumbers, vec!["price", "settlement_date"])]
    );
    let unread: Vec<_> = comparison.tables[0].there.unreadable.iter().collect();
    assert_eq!((unread[0].column, unread[0].cells, unread[0].row), ("price", 1, 1));
    assert_eq!(unread[1].text, "13/13/2026");
}

#[track_caller]
fn incomparable(here: &[TableText<'_>], there: &[TableText<'_>], mapping: &str) -> Incomparable {
    let comparison = compared(here, there, mapping);
    assert_eq!(comparison.outcome(), ComparisonOutcome::Incomparable);
    comparison.incomparable[0].clone()
}

#[test]
fn nothing_to_compare_is_never_a_pass() {
    let guide = [(GUIDE, "loan_id,trade_id\nA,T1\nB,T1\n")];
    let none = Incomparable::NoTableInCommon;
    assert_eq!(incomparable(&guide, &[("notes", "loan_id\nA\n")], ""), none);
    assert_eq!(incomparable(&guide, &[(KICKOUTS, "loan_id\nA\n")], ""), none);
    let empty = [(GUIDE, "loan_id,trade_id\n")];
    assert_eq!(incomparable(&guide, &empty, ""), Incomparable::NoRows);
    assert_eq!(incomparable(&empty, &guide, ""), Incomparable::NoRows);
    assert_eq!(incomparable(&empty, &empty, ""), Incomparable::NoRows);

    let missing = incomparable(&guide, &[(GUIDE, "loan number,trade_id\nA,T1\n")], "");
    let message = "pfill_powerfill_guide: there has no column loan_id, which rows pair by";
    assert!(missing.to_string().starts_with(message), "{missing}");

    let twice = incomparable(&guide, &[(GUIDE, "loan_id,trade_id\nA,T1\nB,T2\na ,T3\n")], "");
    let Incomparable::DuplicateKey { side, first, second, key, .. } = &twice else {
        panic!("{twice}")
    };
    assert_eq!((*side, *first, *second, key.as_str()), ("there", 1, 3, "A"));

    let apart = incomparable(&guide, &[(GUIDE, "loan_id,trade_id\n000A,T1\n000B,T1\n")], "");
    let Incomparable::KeysDoNotMeet { here, there, sample, .. } = &apart else { panic!("{apart}") };
    assert_eq!((*here, *there, sample.as_str()), (2, 2, "000A"));

    let prices = "investor_instrument_name,settlement_date,note_rate,price\n";
    let ours = format!("{prices}I,2026-02-12,6,100\n");
    let theirs = format!("{prices}I,soon,6,100\n");
    let unread =
        incomparable(&[("pfill_syn_trade_base", &ours)], &[("pfill_syn_trade_base", &theirs)], "");
    assert!(matches!(unread, Incomparable::KeyUnread { row: 1, column: "settlement_date", .. }));
}

#[test]
fn one_incomparable_table_makes_the_comparison_incomparable() {
    let here = [(GUIDE, "loan_id,trade_id\nA,T1\n"), ("pfill_trade_recap", "trade_id\nT1\n")];
    let there = [(GUIDE, "loan_id,trade_id\nA,T1\n"), ("pfill_trade_recap", "trade_id\nX9\n")];
    assert_eq!(compared(&here, &there, "").outcome(), ComparisonOutcome::Incomparable);
}

/// The set of kicked-out loans is the decision itself.
#[test]
fn kickouts_of_other_loans_are_differences() {
    let here = [(GUIDE, "loan_id,trade_id\nA,T1\n"), (KICKOUTS, "loan_id,reason\nB,NoPrice\n")];
    let there = [(GUIDE, "loan_id,trade_id\nA,T1\n"), (KICKOUTS, "loan_id,reason\nC,NoPrice\n")];
    let found = differences(&compared(&here, &there, ""));
    let verdicts: Vec<RowVerdict> = found.iter().map(|(_, verdict, _)| *verdict).collect();
    assert_eq!(verdicts, [RowVerdict::OnlyHere, RowVerdict::OnlyThere]);
}

#[test]
fn an_empty_table_does_not_make_the_comparison_incomparable() {
    let cash = ("pfill_cash_market_map", "loan_id,price\n");
    let guide = (GUIDE, "loan_id,trade_id\nA,T1\n");
    assert_eq!(compared(&[guide, cash], &[guide, cash], "").outcome(), ComparisonOutcome::Same);
}

#[test]
fn candidates_pair_by_loan_and_trade_whatever_their_rank() {
    let header = "turn,candidate_rank,loan_id,trade_id,score\n";
    let here = format!("{header}1,1,A,T1,100\n1,2,B,T1,99\n");
    let there = format!("{header}1,2,A,T1,100\n2,1,B,T1,99\n");
    let name = "pfill_loan2trade_candy_level_01";
    assert_eq!(
        differences(&compared(&[(name, &here)], &[(name, &there)], "")),
        [
            ("A|T1".to_owned(), RowVerdict::OtherNumbers, vec!["candidate_rank"]),
            ("B|T1".to_owned(), RowVerdict::OtherNumbers, vec!["turn", "candidate_rank"]),
        ]
    );
}
