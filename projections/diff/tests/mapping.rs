//! The effects of a mapping file, and its faults.

mod sides;

use powerfill_diff::mapping::{ComparisonMapping, draft, export_side};
use powerfill_diff::{ComparisonOutcome, Interner, RowVerdict};
use sides::{compared, differences, sheets, side};

const GUIDE: &str = "pfill_powerfill_guide";
const OURS: (&str, &str) = (
    GUIDE,
    "loan_id,trade_id,pool_name,pool_action,loan_amount,price,settlement_date\n\
     L1,T1,P1,Remaining,200000.00,100.50000000,2026-02-12\n\
     L2,T1,P1,Swapped In,150000.10,101.25000000,2026-02-12\n\
     L3,T2,NEW-T2,Joining,99000.00,99.00000000,2026-03-01\n",
);

#[test]
fn names_values_and_formats_of_an_export_become_those_of_the_run() {
    let theirs = (
        "Where To",
        "Px,Loan Number,Deal,Pool,Action,Bal,Settle\n\
         100.5,L1   ,T1,P1,REM,200 000.00 ,12/2/2026\n\
         101.25,L2,t1,P1,SWAP,150000.1,12/2/2026\n\
         99,L3,T2,NEW-T2,JOIN,$99000,1/3/2026\n",
    );
    let mapping = r#"
        [formats]
        dates = "dmy"
        [tables.pfill_powerfill_guide]
        name = "where to"
        [tables.pfill_powerfill_guide.rename]
        "loan number" = "loan_id"
        Deal = "trade_id"
        Pool = "pool_name"
        Action = "pool_action"
        Bal = "loan_amount"
        Px = "price"
        Settle = "settlement_date"
        [tables.pfill_powerfill_guide.values.pool_action]
        REM = "Remaining"
        swap = "Swapped In"
        JOIN = "Joining"
    "#;
    let comparison = compared(&[OURS], &[theirs], mapping);
    assert_eq!(differences(&comparison), []);
    assert_eq!(comparison.outcome(), ComparisonOutcome::Same);
    assert_eq!(comparison.tables[0].compared.count_ones(), 6);
}

#[test]
fn tolerance_ignore_key_and_skip_have_their_effect() {
    let theirs = (
        GUIDE,
        "loan_id,trade_id,pool_name,price\n\
         L1,T1,X,100.51\nL2,T1,X,101.2600001\nL3,T2,X,99\n",
    );
    let tolerance = "[tables.pfill_powerfill_guide]\nignore = [\"pool_name\"]\n\
                     tolerance = { price = \"0.01\" }\n";
    let found = differences(&compared(&[OURS], &[theirs], tolerance));
    assert_eq!(found, [("L2".to_owned(), RowVerdict::OtherNumbers, vec!["price"])]);

    let by_pool = "[tables.pfill_powerfill_guide]\nkey = [\"pool_name\", \"loan_id\"]\n";
    let found = compared(&[OURS], &[OURS], by_pool);
    assert_eq!(found.outcome(), ComparisonOutcome::Same);
    assert_eq!(found.tables[0].key.len(), 2);

    let skip = "[tables.pfill_powerfill_guide]\nskip = true\n";
    let skipped = compared(&[OURS], &[OURS], skip);
    assert_eq!(skipped.outcome(), ComparisonOutcome::Incomparable);
    assert!(skipped.left_out.contains(&(GUIDE, "the mapping skips it")));
}

/// The log and the history describe a run. They are compared only if the mapping names them.
#[test]
fn records_are_compared_if_the_mapping_names_them() {
    let log = |message: &str| format!("seq,step,message,row_count\n1,preflight,{message},3\n");
    let (one, other) = (log("a"), log("b"));
    let (here, there) =
        ([OURS, ("pfill_powerfill_log", &one)], [OURS, ("pfill_powerfill_log", &other)]);
    assert_eq!(compared(&here, &there, "").tables.len(), 1);
    let named = compared(&here, &there, "[tables.pfill_powerfill_log]\n");
    assert_eq!((named.tables.len(), named.outcome()), (2, ComparisonOutcome::Same));
}

#[test]
fn unknown_names_are_refused_with_their_line() {
    for (mapping, line, words) in [
        ("[table.x]", 1, "unknown field `table`"),
        (
            "\n[tables.pfill_guide]\n",
            2,
            "no output table pfill_guide; did you mean pfill_pool_guide?",
        ),
        ("[tables.pfill_trade_recap]\nname = 3\n", 2, "invalid type"),
        ("[tables.pfill_trade_recap]\nnames = \"x\"\n", 2, "unknown field `names`"),
        (
            "[tables.pfill_trade_recap]\nignore = [\"trade_id\",\n\"prize\"]\n",
            3,
            "pfill_trade_recap has no column prize",
        ),
        ("[tables.pfill_trade_recap.rename]\nX = \"trade\"\n", 2, "has no column trade"),
        (
            "[tables.pfill_trade_recap.rename]\nX = \"trade_id\"\nY = \"trade_id\"\n",
            3,
            "new name of two columns",
        ),
        ("[tables.pfill_trade_recap]\nkey = []\n", 2, "at least one column"),
        ("[tables.pfill_trade_recap]\nkey = [\"id\"]\n", 2, "no column id"),
        ("[tables.pfill_trade_recap.tolerance]\nfill_status = \"1\"\n", 2, "holds no numbers"),
        ("[tables.pfill_trade_recap.tolerance]\nopen_amount = \"-1\"\n", 2, "0 or more"),
        ("[tables.pfill_trade_recap.tolerance]\nopen_amount = 0.5\n", 2, "invalid type"),
        ("[formats]\ndates = \"ymd\"\n", 2, "unknown form of dates ymd: mdy, dmy"),
        (
            "[tables.pfill_trade_recap]\nkey = [\"trade_id\"]\nignore = [\"trade_id\"]\n",
            3,
            "cannot be ignored",
        ),
        ("[tables", 1, "unclosed table"),
    ] {
        let fault = ComparisonMapping::parse("m.toml", mapping).unwrap_err();
        assert!(fault.to_string().contains(words), "{mapping}: {fault}");
        assert_eq!((fault.line, fault.file.as_str()), (line, "m.toml"), "{mapping}: {fault}");
    }
}

#[test]
fn names_that_the_export_does_not_have_are_refused_with_their_line() {
    let bound = |mapping: &str, tables: &[(&str, &str)]| {
        let mapping = ComparisonMapping::parse("m.toml", mapping).unwrap();
        let side = export_side("dir:x", &sheets(tables), &mapping, &mut Interner::default());
        side.unwrap_err().to_string()
    };
    let named = "[tables.pfill_powerfill_guide]\nname = \"Guide\"\n";
    assert_eq!(
        bound(named, &[OURS]),
        "m.toml, line 2: no file or sheet Guide; did you mean pfill_powerfill_guide?"
    );
    let renamed = "[tables.pfill_powerfill_guide.rename]\nLoan = \"loan_id\"\n";
    let fault = bound(renamed, &[OURS]);
    assert!(
        fault.starts_with(
            "m.toml, line 2: pfill_powerfill_guide.csv has no column Loan; did you mean loan_"
        ),
        "{fault}"
    );
    let twins = [OURS, ("dbo.PFILL_powerfill_guide", "loan_id\nL1\n")];
    assert!(bound("", &twins).contains("both are pfill_powerfill_guide"));
    let columns = [(GUIDE, "loan_id,Loan ID\nA,B\n")];
    assert!(bound("", &columns).contains("two columns are loan_id"));
}

#[test]
fn a_mapping_for_exports_is_refused_for_runs() {
    let of_export =
        ComparisonMapping::parse("m.toml", "[tables.pfill_trade_recap]\nname = \"x\"\n").unwrap();
    assert_eq!(of_export.check_for_runs().unwrap_err().line, 2);
    let of_both = "[tables.pfill_trade_recap]\nignore = [\"wavg_fico\"]\n";
    assert!(ComparisonMapping::parse("m.toml", of_both).unwrap().check_for_runs().is_ok());
}

/// The names of the export say nothing, so the draft finds everything by values.
#[test]
fn a_mapping_can_be_drafted_from_values() {
    let row = |at: usize, ours: bool| {
        let action = match (at % 3, ours) {
            (0, true) => "Remaining",
            (1, true) => "Joining",
            (_, true) => "Swapped In",
            (0, false) => "stay",
            (1, false) => "new",
            (_, false) => "swap",
        };
        let (loan, trade, day) = (format!("L{at:03}"), format!("T{}", at % 7), 1 + at % 28);
        let (amount, price) = (100_000 + 1_000 * at, 95 + at % 11);
        match ours {
            true => format!("{loan},{trade},{action},{amount}.00,{price}.5,2026-02-{day:02}\n"),
            false => format!("{price}.50,{day}/2/2026,x{at},${amount},{action},{trade},{loan}\n"),
        }
    };
    let (mut ours, mut theirs) = (
        "loan_id,trade_id,pool_action,loan_amount,price,settlement_date\n".to_owned(),
        "Px,When,Memo,Balance,What Action,Deal,Number\n".to_owned(),
    );
    (0..60).for_each(|at| ours.push_str(&row(at, true)));
    (0..60).rev().for_each(|at| theirs.push_str(&row(at, false)));
    let (ours, theirs) = ([(GUIDE, ours.as_str())], [("Export 7", theirs.as_str())]);
    let mut names = Interner::default();
    let here = side(&ours, &ComparisonMapping::default(), &mut names);
    let text = draft(&here, &sheets(&theirs), &mut names);
    for line in [
        "dates = \"dmy\"",
        "name = \"Export 7\"",
        "\"Number\" = \"loan_id\"",
        "\"Deal\" = \"trade_id\"",
        "\"When\" = \"settlement_date\"",
        "# \"Memo\" was not recognized as a column of the table",
    ] {
        assert!(text.contains(line), "{line} is not in\n{text}");
    }
    let comparison = compared(&ours, &theirs, &text);
    assert_eq!(differences(&comparison), [], "{text}");
    assert_eq!(comparison.tables[0].compared.count_ones(), 5, "{text}");
}
