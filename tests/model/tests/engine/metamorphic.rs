//! Changes to a book that must not change the decisions.

use powerfill_engine::decide_all;
use powerfill_events::run::RunEvent;

use crate::books::{Book, Terms, book};
use crate::compare::decisions;
use crate::dice::Dice;
use crate::seeds::each;

fn events(book: &Book) -> Vec<RunEvent> {
    let (snapshot, options) = book.typed();
    decide_all(&snapshot, &options)
}

/// The decisions, without amounts and prices.
fn choices(events: &[RunEvent]) -> Vec<String> {
    let mut all: Vec<String> = decisions(events)
        .into_iter()
        .map(|d| {
            let number = d.allocation_seq;
            let places = (d.loan_id, d.from_trade_id, d.to_trade_id, d.other_loan_id);
            format!("{} {:?} in {} {} {number:?}", d.event, places, d.turn, d.pass)
        })
        .collect();
    for event in events {
        match event {
            RunEvent::LoanKickedOut(e) => {
                all.push(format!("{} out: {:?} {:?}", e.loan_id, e.reason, e.best_trade_id));
            }
            RunEvent::PoolActionDerived(e) => {
                let pools = (&e.pool_name, &e.from_pool_name, &e.to_pool_name);
                all.push(format!("{} {:?} {pools:?}", e.loan_id, e.pool_action));
            }
            RunEvent::SyntheticOptionsRanked(e) => {
                let ranked = e.options.iter().map(|o| (&o.slot.syn_trade_id, o.rank_pc));
                all.push(format!("{} {:?}", e.loan_id, ranked.collect::<Vec<_>>()));
            }
            _ => {}
        }
    }
    all
}

fn first_difference<T: PartialEq + std::fmt::Debug>(before: &[T], after: &[T]) -> Vec<String> {
    if before == after {
        return vec![];
    }
    let at = before.iter().zip(after).take_while(|(a, b)| a == b).count();
    vec![format!("number {}:\n  {:?}\n  {:?}", at + 1, before.get(at), after.get(at))]
}

/// "no dependence on the order of rows in the input" (2)
#[test]
fn shuffled_rows_give_the_same_events() {
    each("metamorphic::shuffled_rows_give_the_same_events", 500, |seed| {
        let plain = book(seed, Terms::PLAIN);
        let mut shuffled = plain.clone();
        let mut dice = Dice::new(!seed);
        dice.shuffle(&mut shuffled.tables);
        shuffled.tables.iter_mut().for_each(|table| dice.shuffle(&mut table.rows));
        first_difference(&events(&plain), &events(&shuffled))
    });
}

/// Columns of names, and a prefix per kind of name. The prefixes occur nowhere else, so they can be
/// removed again.
const NAMES: [(&str, &str); 5] = [
    ("loan_id", "¶a"),
    ("trade_id", "¶b"),
    ("pool_name", "¶c"),
    ("investor_instrument_name", "¶d"),
    ("investor_id", "¶e"),
];

/// New names in the old order change nothing but names.
#[test]
fn renamed_ids_give_the_same_decisions() {
    each("metamorphic::renamed_ids_give_the_same_decisions", 500, |seed| {
        let plain = book(seed, Terms::PLAIN);
        let mut renamed = plain.clone();
        for table in &mut renamed.tables {
            for (column, prefix) in NAMES {
                let Some(at) = table.columns.iter().position(|name| *name == column) else {
                    continue;
                };
                // An empty name is an absent one, or means the investor's level of the tree.
                let cells = table.rows.iter_mut().map(|row| &mut row[at]);
                cells.filter(|cell| !cell.is_empty()).for_each(|cell| cell.insert_str(0, prefix));
            }
        }
        let (before, after) = (choices(&events(&plain)), choices(&events(&renamed)));
        assert!(after.iter().all(|choice| choice.contains(NAMES[0].1)), "{after:?}");
        let named_back = |choice: &String| {
            NAMES.iter().fold(choice.clone(), |text, (_, prefix)| text.replace(prefix, ""))
        };
        first_difference(&before, &after.iter().map(named_back).collect::<Vec<_>>())
    });
}

/// Ten times the dollars everywhere give the same decisions. No odd cents occur, so no rounding
/// differs.
#[test]
fn scaled_amounts_give_the_same_decisions() {
    each("metamorphic::scaled_amounts_give_the_same_decisions", 500, |seed| {
        let terms = Terms { cents: false, ..Terms::PLAIN };
        let plain = events(&book(seed, terms));
        let scaled = events(&book(seed, Terms { scale: 10, ..terms }));
        first_difference(&choices(&plain), &choices(&scaled))
    });
}

/// Two points more on every price give the same decisions, because only differences between scores
/// count.
#[test]
fn shifted_prices_give_the_same_decisions() {
    each("metamorphic::shifted_prices_give_the_same_decisions", 500, |seed| {
        let plain = events(&book(seed, Terms::PLAIN));
        let shifted = events(&book(seed, Terms { shift: 200, ..Terms::PLAIN }));
        first_difference(&choices(&plain), &choices(&shifted))
    });
}
