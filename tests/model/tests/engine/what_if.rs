//! The findings of `what_if` against the model: each change is written into the tables of the book,
//! and the naive model runs the book. With the change, the loan is placed as the finding says, and
//! the other loans move as it counts them; with the smaller change, the loan is not placed.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Mutex;

use powerfill_engine::what_if::{MAX_RUNS_PER_KIND, NoAnswer, what_if};
use powerfill_events::values::LoanId;
use powerfill_facts::what_if::{ChangeKind, ChangeOutcome, PlacingChange, TrialChange};
use powerfill_model::run;
use powerfill_snapshot::RunOptions;

use crate::books::{Book, Table, Terms, book};
use crate::seeds::each;

/// The trade of every loan of a book by the model; `None` for a kicked-out loan. Loans that do not
/// take part and are in no trade are left out.
type Places = BTreeMap<String, Option<String>>;

fn places(book: &Book, options: &RunOptions) -> Option<Places> {
    let model = run(&book.typed().0, options);
    if !model.completes {
        return None;
    }
    let column = |table: &str, name: &str| {
        let table = model.table(table).unwrap();
        let at = table.columns.iter().position(|column| *column == name).unwrap();
        table.rows.iter().map(|row| row[at].clone()).collect::<Vec<_>>()
    };
    let guide = column("pfill_powerfill_guide", "loan_id").into_iter();
    let guide = guide.zip(column("pfill_powerfill_guide", "trade_id"));
    let placed = guide.filter(|(_, trade)| !trade.is_empty());
    let kicked_out = column("pfill_kickout_guide_01", "loan_id").into_iter();
    let kicked_out = kicked_out.map(|loan| (loan, None));
    Some(placed.map(|(loan, trade)| (loan, Some(trade))).chain(kicked_out).collect())
}

/// Writes a change into the tables, or the options.
fn with_change(book: &Book, options: &RunOptions, change: &TrialChange) -> (Book, RunOptions) {
    let (mut book, mut options) = (book.clone(), options.clone());
    match change {
        TrialChange::FreedAmount { trade_id, trade_amount, .. } => {
            book.write(
                "pscat_trades",
                &[("trade_id", trade_id.as_str())],
                "trade_amount",
                trade_amount,
            );
        }
        TrialChange::LimitRaised { node, hi_limit, .. } => {
            let key = [
                ("investor_id", node.investor_id.as_str()),
                ("investor_instrument_name", node.investor_instrument_name.as_str()),
                ("constraint_name", node.constraint_name.as_str()),
            ];
            book.write("pfill_constraints", &key, "hi_limit", hi_limit);
        }
        TrialChange::PriceFloorLowered { bx_price_floor, .. } => {
            options.bx_price_floor = Some(*bx_price_floor);
        }
        TrialChange::BufferShortened { eligible_settle_buffer_days, .. } => {
            options.eligible_settle_buffer_days = *eligible_settle_buffer_days;
        }
        TrialChange::HorizonLengthened { max_trade_settle_days, .. } => {
            options.max_trade_settle_days = *max_trade_settle_days;
        }
    }
    (book, options)
}

impl Book {
    /// Writes into a column of the one row with this key.
    fn write(&mut self, table: &str, key: &[(&str, &str)], column: &str, value: &dyn ToString) {
        let table = self.tables.iter_mut().find(|given| given.name == table).unwrap();
        let at = |name: &str| table.columns.iter().position(|column| *column == name).unwrap();
        let (key, column): (Vec<_>, _) =
            (key.iter().map(|(name, value)| (at(name), *value)).collect(), at(column));
        let is = |row: &&mut Vec<String>| {
            key.iter().all(|(at, value)| row[*at].trim_end_matches(' ') == *value)
        };
        let mut rows: Vec<_> = table.rows.iter_mut().filter(is).collect();
        assert_eq!(rows.len(), 1, "{key:?}");
        rows[0][column] = value.to_string();
    }
}

/// A book from the tables that matter, as CSV without quotes. Unless the tables say otherwise, one
/// constraint takes every loan for `FN 6.0`.
fn by_hand(options: &str, tables: &[(&'static str, &'static str)]) -> Book {
    let rest = [
        ("snapshot", "tenant_id,as_of\nHAND,2026-01-15"),
        ("pscat_loan_stages", "stage_name,stage_rank\nClosed,60"),
        (
            "pscat_instruments",
            "investor_id,investor_instrument_name,kind\nFNMA,FN 6.0,tba\nFNMA,FN 6.5,tba\nFNMA,\
            CASH,cash",
        ),
        (
            "pfill_constraints",
            "investor_id,investor_instrument_name,constraint_name,constraint_priority,lo_limit,\
            hi_limit\n\
             FNMA,FN 6.0,,1,,",
        ),
    ];
    let rest = rest.iter().filter(|(name, _)| tables.iter().all(|(given, _)| given != name));
    let table = |(name, csv): &(&'static str, &'static str)| {
        let mut lines = csv.lines().map(|line| line.split(',').map(str::trim));
        let columns = lines.next().unwrap().collect();
        let rows = lines.map(|line| line.map(str::to_owned).collect()).collect();
        Table { name, columns, rows }
    };
    Book { tables: tables.iter().chain(rest).map(table).collect(), options: options.to_owned() }
}

/// The answers for a loan, one line per kind of change. Every finding holds in the model.
fn answers(book: &Book, loan: &str) -> [String; 5] {
    let (snapshot, options) = book.typed();
    let before = places(book, &options).unwrap();
    let told = what_if(snapshot, &options, loan, &mut |_| {}).unwrap();
    let kinds: Vec<String> = told
        .kinds
        .iter()
        .map(|answer| match &answer.answer {
            ChangeOutcome::Places(finding) => {
                let wrong = judge(book, &options, &before, loan, finding);
                assert!(wrong.is_empty(), "{wrong:?}");
                assert!(finding.exact);
                let PlacingChange { change, not_enough, place, others, .. } = &**finding;
                let less = not_enough.as_ref().map_or("as it was".to_owned(), value);
                let (trade, pass) = (&place.trade_id, place.pass);
                let (moved, out, too) = (others.moved, &others.kicked_out, &others.placed);
                format!(
                    "{} not {less}: {trade} by {pass:?}, {moved} move, {out:?} out, \
                    {too:?} too; {} runs",
                    value(change),
                    answer.runs
                )
            }
            ChangeOutcome::DoesNot { tried, gave_up: false } => {
                format!("not with {:?}", tried.iter().map(value).collect::<Vec<_>>())
            }
            ChangeOutcome::DoesNot { gave_up: true, .. } => panic!("{answer:?}"),
            ChangeOutcome::NotTried { reason } => format!("{reason:?}"),
        })
        .collect();
    kinds.try_into().unwrap()
}

/// A change as text.
fn value(change: &TrialChange) -> String {
    match change {
        TrialChange::FreedAmount {
            trade_id,
            freed_amount,
            trade_amount,
            open_amount,
            max_amount,
        } => {
            format!("{trade_id} +{freed_amount} = {trade_amount}, {open_amount} to {max_amount}")
        }
        TrialChange::LimitRaised { node, raised_by, hi_limit } => {
            format!("{} +{raised_by} = {hi_limit}", node.constraint_name)
        }
        TrialChange::PriceFloorLowered { lowered_by, bx_price_floor } => {
            format!("-{lowered_by} = {bx_price_floor}")
        }
        TrialChange::BufferShortened { days, eligible_settle_buffer_days } => {
            format!("-{days} = {eligible_settle_buffer_days}")
        }
        TrialChange::HorizonLengthened { days, max_trade_settle_days } => {
            format!("+{days} = {max_trade_settle_days}")
        }
    }
}

const LOANS: &str = "loan_id,curr_status,loan_amount,note_rate,close_date,state";
const ONE_TRADE: &str = "trade_id,investor_instrument_name,trade_type,status,settlement_date,\
    trade_amount,\
     tolerance,trade_price,pair_off_amount\n\
     T1,FN 6.0,forward,open,2026-02-12,500000,2,101,100000";

/// 400,000 are open, and 408,000 is max. A has 300,000, so B lacks 142,000: 139,215.69 more and the
/// tolerance of 2 % on it.
#[test]
fn freed_room_includes_the_tolerance_on_it() {
    let loans =
        format!("{LOANS}\nA,Closed,300000,6.5,2026-01-05,TX\nB,Closed,250000,6.5,2026-01-05,TX");
    let book = by_hand("{}", &[("pscat_trades", ONE_TRADE), ("loan", loans.leak())]);
    assert_eq!(
        answers(&book, "B"),
        [
            "T1 +139215.69 = 639215.69, 539215.69 to 550000.00 not T1 +139215.68 = 639215.68, \
             539215.68 to 549999.99: T1 by BestFit, 0 move, [] out, [] too; 2 runs",
            "NoLimitBars",
            "NoPriceFloor",
            "NoBuffer",
            "NothingBeyond",
        ]
    );
}

/// C, with the better price, takes the room that B lacks at the end, so B needs room for both,
/// 560,000.
#[test]
fn freed_room_includes_the_loans_that_rank_first() {
    let loans = format!(
        "{LOANS}\nA,Closed,400000,6.5,2026-01-05,TX\nB,Closed,100000,6.5,2026-01-05,TX\n\
         C,Closed,60000,6.5,2026-01-05,TX"
    );
    let book = by_hand(
        r#"{"max_fill_iterations": 0}"#,
        &[
            ("pscat_trades", ONE_TRADE),
            ("loan", loans.leak()),
            ("loan_price", "loan_id,trade_id,price\nA,T1,103\nC,T1,102"),
        ],
    );
    let [freed, ..] = answers(&book, "B");
    assert_eq!(
        freed,
        "T1 +149019.61 = 649019.61, 549019.61 to 560000.00 not T1 +149019.60 = 649019.60, \
         549019.60 to 559999.99: T1 by BestFit, 1 move, [] out, [\"C\"] too; 26 runs"
    );
    // With less room, an exchange replaces C by B.
    let book = Book { options: "{}".to_owned(), ..book };
    let [freed, ..] = answers(&book, "B");
    assert_eq!(
        freed,
        "T1 +90196.08 = 590196.08, 490196.08 to 500000.00 not T1 +90196.07 = 590196.07, \
         490196.07 to 499999.99: T1 by FillRemaining, 0 move, [] out, [] too; 2 runs"
    );
}

/// The limit alone bars B from T1, and A is placed there. With a higher limit B is placed and A is
/// kicked out.
#[test]
fn a_higher_limit_can_kick_out_another_loan() {
    let loans =
        format!("{LOANS}\nA,Closed,300000,6.5,2026-01-05,TX\nB,Closed,390000,6.5,2026-01-05,CA");
    let book = by_hand(
        "{}",
        &[
            ("pscat_trades", ONE_TRADE),
            ("loan", loans.leak()),
            ("pscat_securitization_rules", "rule_name,rule_syntax\nca,state = 'CA'"),
            (
                "pfill_constraints",
                "investor_id,investor_instrument_name,constraint_name,constraint_priority,\
                lo_limit,hi_limit\n\
                 FNMA,FN 6.0,,1,,\nFNMA,FN 6.0,California,1,,0.9",
            ),
            (
                "pfill_constraint_sec_rule_rel",
                "investor_id,investor_instrument_name,constraint_name,rule_name\nFNMA,FN 6.0,\
                California,ca",
            ),
        ],
    );
    let [freed, limit, ..] = answers(&book, "B");
    assert_eq!(
        limit,
        "California +0.075000 = 0.975000 not California +0.074999 = 0.974999: T1 by BestFit, \
        1 move, \
         [\"A\"] out, [] too; 2 runs"
    );
    // A larger trade raises the limit's amount: 0.9 of 433,333.33 is 390,000.00.
    assert_eq!(
        freed,
        "T1 +33333.33 = 533333.33, 433333.33 to 442000.00 not T1 +33333.32 = 533333.32, \
         433333.32 to 441999.99: T1 by BestFit, 1 move, [\"A\"] out, [] too; 27 runs"
    );
}

/// B1 pays 98.5 for B and is filled by A, which can move to B2.
#[test]
fn a_lower_floor_makes_a_candidate_for_which_another_loan_moves() {
    let loans =
        format!("{LOANS}\nA,Closed,200000,6.5,2026-01-05,TX\nB,Closed,200000,6,2026-01-05,TX");
    let book = by_hand(
        r#"{"bx_price_floor": "99"}"#,
        &[
            (
                "pscat_trades",
                "trade_id,investor_instrument_name,trade_type,status,settlement_date,\
                trade_amount,tolerance\n\
                 B1,CASH,bx,open,2026-02-12,200000,1\nB2,CASH,bx,open,2026-02-19,200000,1",
            ),
            ("loan", loans.leak()),
            (
                "rmcat_todays_prices",
                "investor_instrument_name,settlement_date,note_rate,price\nCASH,2026-02-12,6,98.5\n\
                 CASH,2026-02-12,6.5,100\nCASH,2026-02-19,6,98.4\nCASH,2026-02-19,6.5,99.5",
            ),
            (
                "pfill_constraints",
                "investor_id,investor_instrument_name,constraint_name,constraint_priority,\
                lo_limit,hi_limit\n\
                 FNMA,CASH,,1,,",
            ),
        ],
    );
    assert_eq!(
        answers(&book, "B"),
        [
            "NoCandidate",
            "NoCandidate",
            "-0.50000000 = 98.50000000 not -0.49999999 = 98.50000001: B1 by OrphanHandling, \
            1 move, \
             [] out, [] too; 2 runs",
            "NoBuffer",
            "NothingBeyond",
        ]
    );
}

/// The loan is deliverable two days before T1 settles; T2 of the same instrument settles in 64
/// days.
#[test]
fn the_edge_of_buffer_and_horizon_is_found_to_the_day() {
    let loans = format!(
        "{LOANS}\nA,Closed,300000,6.5,2026-01-05,TX\nB,Closed,100000,6.5,2026-02-10,TX\n\
                 C,Closed,90000,6.5,2026-02-13,TX"
    );
    let trades = format!("{ONE_TRADE}\nT2,FN 6.0,forward,open,2026-03-20,500000,2,101,");
    let tables = [("pscat_trades", &*trades.leak()), ("loan", loans.leak())];
    let [_, _, _, buffer, horizon] =
        answers(&by_hand(r#"{"eligible_settle_buffer_days": 5}"#, &tables), "B");
    assert_eq!(buffer, "-3 = 2 not -2 = 3: T1 by BestFit, 0 move, [] out, [] too; 2 runs");
    // C is placed there too, and A fills T2, which is short without it.
    assert_eq!(horizon, "+4 = 64 not +3 = 63: T2 by ExactFit, 2 move, [] out, [\"C\"] too; 2 runs");
    let too_late = by_hand(r#"{"eligible_settle_buffer_days": 0, "as_of": "2026-01-14"}"#, &tables);
    let [.., horizon] = answers(&too_late, "C");
    assert_eq!(horizon, "+5 = 65 not +4 = 64: T2 by ExactFit, 0 move, [] out, [] too; 2 runs");
}

#[test]
fn only_a_kicked_out_loan_has_an_answer() {
    let loans =
        format!("{LOANS}\nA,Closed,300000,6.5,2026-01-05,TX\nB,Sold,1000,6.5,2026-01-05,TX");
    let book = by_hand("{}", &[("pscat_trades", ONE_TRADE), ("loan", loans.leak())]);
    let (snapshot, options) = book.typed();
    for (loan, no_answer) in
        [("A", NoAnswer::NotKickedOut), ("B", NoAnswer::NotKickedOut), ("C", NoAnswer::UnknownLoan)]
    {
        assert_eq!(what_if(snapshot.clone(), &options, loan, &mut |_| {}), Err(no_answer));
    }
    let refused =
        by_hand(r#"{"as_of": "2027-01-01"}"#, &[("pscat_trades", ONE_TRADE), ("loan", LOANS)]);
    let (mut refused, options) = refused.typed();
    refused.loans = snapshot.loans;
    assert_eq!(what_if(refused, &options, "A", &mut |_| {}), Err(NoAnswer::Refused));
}

fn judge(
    book: &Book,
    options: &RunOptions,
    before: &Places,
    loan: &str,
    finding: &PlacingChange,
) -> Vec<String> {
    let mut wrong = vec![];
    let (changed, with) = with_change(book, options, &finding.change);
    let after = places(&changed, &with).expect("a run that places a loan completes");
    if after.get(loan) != Some(&Some(finding.place.trade_id.as_str().to_owned())) {
        wrong.push(format!("{loan} is at {:?}, not as {finding:?}", after.get(loan)));
    }
    let ids = |ids: &[LoanId]| ids.iter().map(|id| id.as_str().to_owned()).collect();
    let all: BTreeSet<&String> = before.keys().chain(after.keys()).collect();
    let mut found = (0, BTreeSet::new(), BTreeSet::new());
    for other in all.into_iter().filter(|other| *other != loan) {
        let (was, is) = (before.get(other), after.get(other));
        if was == is {
            continue;
        }
        found.0 += 1;
        match (was, is) {
            (_, Some(None)) => _ = found.1.insert(other.clone()),
            (Some(None), _) => _ = found.2.insert(other.clone()),
            _ => {}
        }
    }
    let others = &finding.others;
    let told = (others.moved, ids(&others.kicked_out), ids(&others.placed));
    if told != found {
        wrong.push(format!("{loan}: the others are {found:?}, not as {finding:?}"));
    }
    let (smaller, with) = match &finding.not_enough {
        Some(change) => with_change(book, options, change),
        None => (book.clone(), options.clone()),
    };
    if let Some(Some(trade)) = places(&smaller, &with).and_then(|mut after| after.remove(loan)) {
        wrong.push(format!("{loan} is in {trade} already with the smaller change of {finding:?}"));
    }
    wrong
}

#[test]
fn every_finding_holds_in_the_model_and_one_unit_less_does_not() {
    let reached = Mutex::new(BTreeMap::<String, u64>::new());
    each("what_if::every_finding", 100, |seed| {
        let book = book(seed, Terms::PLAIN);
        let (snapshot, options) = book.typed();
        let Some(before) = places(&book, &options) else { return vec![] };
        let kicked_out = before.iter().filter(|(_, place)| place.is_none());
        let mut wrong = vec![];
        for (loan, _) in kicked_out.take(4) {
            let answer = what_if(snapshot.clone(), &options, loan, &mut |_| {}).unwrap();
            for answer in &answer.kinds {
                assert!(answer.runs <= MAX_RUNS_PER_KIND);
                let what = match &answer.answer {
                    ChangeOutcome::Places(finding) => {
                        wrong.extend(judge(&book, &options, &before, loan, finding));
                        if finding.exact { "exact" } else { "between" }
                    }
                    ChangeOutcome::DoesNot { .. } => "does not",
                    ChangeOutcome::NotTried { .. } => "not tried",
                };
                let reached = &mut *reached.lock().unwrap();
                *reached.entry(format!("{:?} {what}", answer.kind)).or_default() += 1;
            }
        }
        wrong
    });
    let reached = reached.into_inner().unwrap();
    println!("{reached:#?}");
    if std::env::var_os("POWERFILL_SEED").is_none() {
        for kind in ChangeKind::ALL {
            assert!(reached.contains_key(&format!("{kind:?} exact")), "{kind:?}: {reached:?}");
        }
    }
}
