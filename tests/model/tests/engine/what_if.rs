//! What `what_if` finds, held against the model: the change is typed into the tables of the book as a person would, and
//! the naive model runs it. With the change the loan is placed where the finding says and the others are as it counts
//! them; with the smaller one it is not placed.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Mutex;

use powerfill_domain::snapshot::RunOptions;
use powerfill_domain::values::LoanId;
use powerfill_domain::what_if::{Answer, Change, Finding, Kind, MOST_RUNS_OF_A_KIND, what_if};
use powerfill_model::run;

use crate::books::{Book, Terms, book};
use crate::seeds::each;

/// Where every loan of a book is, by the model: its trade, or nowhere (`None`) where it is kicked out. Loans that take
/// no part and are in no trade are left out.
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

/// Types a change into the tables, or the options.
fn typed(book: &Book, options: &RunOptions, change: &Change) -> (Book, RunOptions) {
    let (mut book, mut options) = (book.clone(), options.clone());
    match change {
        Change::FreedAmount { trade_id, trade_amount, .. } => {
            book.write(
                "pscat_trades",
                &[("trade_id", trade_id.as_str())],
                "trade_amount",
                trade_amount,
            );
        }
        Change::LimitRaised { node, hi_limit, .. } => {
            let key = [
                ("investor_id", node.investor_id.as_str()),
                ("investor_instrument_name", node.investor_instrument_name.as_str()),
                ("constraint_name", node.constraint_name.as_str()),
            ];
            book.write("pfill_constraints", &key, "hi_limit", hi_limit);
        }
        Change::PriceFloorLowered { bx_price_floor, .. } => {
            options.bx_price_floor = Some(*bx_price_floor);
        }
        Change::BufferShortened { eligible_settle_buffer_days, .. } => {
            options.eligible_settle_buffer_days = *eligible_settle_buffer_days;
        }
        Change::HorizonLengthened { max_trade_settle_days, .. } => {
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

fn judge(
    book: &Book,
    options: &RunOptions,
    before: &Places,
    loan: &str,
    finding: &Finding,
) -> Vec<String> {
    let mut wrong = vec![];
    let (changed, with) = typed(book, options, &finding.change);
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
        Some(change) => typed(book, options, change),
        None => (book.clone(), options.clone()),
    };
    if let Some(Some(trade)) = places(&smaller, &with).and_then(|mut after| after.remove(loan)) {
        wrong.push(format!("{loan} is in {trade} already with the smaller change of {finding:?}"));
    }
    wrong
}

#[test]
fn what_is_found_holds_when_it_is_typed_in_and_one_unit_less_does_not() {
    let reached = Mutex::new(BTreeMap::<String, u64>::new());
    each("what_if::what_is_found", 100, |seed| {
        let book = book(seed, Terms::PLAIN);
        let (snapshot, options) = book.typed();
        let Some(before) = places(&book, &options) else { return vec![] };
        let kicked_out = before.iter().filter(|(_, place)| place.is_none());
        let mut wrong = vec![];
        for (loan, _) in kicked_out.take(4) {
            let answer = what_if(snapshot.clone(), &options, loan, &mut |_| {}).unwrap();
            for answer in &answer.kinds {
                assert!(answer.runs <= MOST_RUNS_OF_A_KIND);
                let what = match &answer.answer {
                    Answer::Places(finding) => {
                        wrong.extend(judge(&book, &options, &before, loan, finding));
                        if finding.exact { "exact" } else { "between" }
                    }
                    Answer::DoesNot { .. } => "does not",
                    Answer::NotTried { .. } => "not tried",
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
        for kind in Kind::ALL {
            assert!(reached.contains_key(&format!("{kind:?} exact")), "{kind:?}: {reached:?}");
        }
    }
}
