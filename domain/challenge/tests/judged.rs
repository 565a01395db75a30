//! Challenges of the real book and of the generated `demo` book, judged by the checks, which see
//! neither prices nor search.

use std::path::Path;

use powerfill_challenge::{
    Instance, NoWatcher, RunReader, SearchPlan, SearchWatcher, ShadowPrices, certified, completed,
    decided_otherwise, find_prices, search, seed_of,
};
use powerfill_checks::{judge_challenge, verify};
use powerfill_engine::{Cancelled, GivenPlacement, Observer, decide_all, decide_given};
use powerfill_events::challenge::{ChallengeEvent, ChallengeRequested, ChallengeWeights};
use powerfill_events::ignored;
use powerfill_events::run::event::Pass;
use powerfill_events::run::{RunEvent, RunId};
use powerfill_events::values::{Money, Price};
use powerfill_generator::{Scale, generate};
use powerfill_snapshot::{RunOptions, Snapshot, validate};

struct Book {
    snapshot: Snapshot,
    options: RunOptions,
    events: Vec<RunEvent>,
}

impl Book {
    fn new(folder: &Path) -> Self {
        let tables = powerfill_csv::read_folder(folder).unwrap();
        let snapshot = validate(tables).unwrap().snapshot;
        let options = RunOptions::default();
        let events = decide_all(&snapshot, &options);
        Self { snapshot, options, events }
    }

    fn real() -> Self {
        Self::new(Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/books/real")))
    }

    fn demo() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let book = folder.path().join("book");
        generate(&Scale::Demo.sizes(), 7, &book).unwrap();
        Self::new(&book)
    }

    fn conformance(case: &str) -> Self {
        let cases = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/conformance");
        Self::new(&Path::new(cases).join(case).join("snapshot"))
    }

    fn instance(&self) -> Instance {
        let mut reader = RunReader::new(&self.snapshot);
        self.events.iter().for_each(|event| reader.apply(event));
        reader.completed();
        reader.finish(ChallengeWeights::default()).unwrap()
    }

    fn events(
        &self,
        instance: &Instance,
        prices: &ShadowPrices,
        allocation: Option<&[Option<u32>]>,
    ) -> Vec<ChallengeEvent> {
        let mut events = vec![ChallengeEvent::ChallengeRequested(Box::new(ChallengeRequested {
            run_id: RunId::default(),
            snapshot_digest: String::new(),
            engine_version: String::new(),
            weights: instance.weights,
            steps: allocation.map_or(0, |_| 1),
            seed: String::new(),
            requested_by: String::new(),
        }))];
        events.extend(certified(instance, prices));
        if let Some(allocation) = allocation {
            events.extend(decided_otherwise(instance, prices, allocation));
        }
        let end = completed(instance, 1, allocation);
        events.push(ChallengeEvent::ChallengeCompleted(Box::new(end)));
        events
    }

    /// The events of the run that adopts an allocation.
    fn adopt(&self, instance: &Instance, allocation: &[Option<u32>]) -> Vec<RunEvent> {
        let placed = instance.loans.iter().zip(allocation);
        let given = placed.filter_map(|(loan, pair)| {
            let trade = instance.pairs[(*pair)? as usize].trade as usize;
            let trade_id = instance.trades[trade].trade_id.clone();
            Some(GivenPlacement { loan_id: loan.loan_id.clone(), trade_id })
        });
        self.decide_given(&given.collect::<Vec<_>>())
    }

    fn decide_given(&self, given: &[GivenPlacement]) -> Vec<RunEvent> {
        struct Collector(Vec<RunEvent>);
        impl Observer for Collector {
            fn events(&mut self, chunk: Vec<RunEvent>) {
                self.0.extend(chunk);
            }
        }
        let mut collector = Collector(Vec::new());
        let decided: Result<(), Cancelled> =
            decide_given(&self.snapshot, &self.options, given, &mut collector);
        decided.unwrap();
        collector.0
    }

    fn judge(&self, events: &[ChallengeEvent]) -> Result<(), String> {
        judge_challenge(&self.snapshot, &self.options, &[&self.events[..]], events)
            .map(|_| ())
            .map_err(|fault| fault.to_string())
    }
}

fn plan(steps: u64) -> SearchPlan {
    SearchPlan { steps, seed: seed_of("00ff00ff00ff00ff") }
}

/// Searches, has the result judged, and asserts that it is no worse than the passes, and keeps no
/// fewer loans where they are.
fn assert_better(book: &Book, steps: u64) {
    let instance = book.instance();
    let prices = find_prices(&instance);
    let found = search(&instance, &prices, plan(steps), &mut NoWatcher).allocation;
    book.judge(&book.events(&instance, &prices, Some(&found))).unwrap();
    let passes = instance.run_allocation();
    let (run, own) = (instance.totals(&passes), instance.totals(&found));
    assert!(instance.worth_of(&found) > instance.worth_of(&passes));
    assert!(own.kicked_out <= run.kicked_out && own.placed_amount >= run.placed_amount);
    assert!(own.filled_trades >= run.filled_trades && own.stays >= run.stays);
    let terms = instance.gap(&prices, &found);
    assert_eq!(terms.total(), instance.bound(&prices) - instance.worth_of(&found));
}

#[test]
fn the_challenger_of_the_real_book_is_better_and_judged() {
    assert_better(&Book::real(), 200_000);
}

#[test]
fn the_challenger_of_the_demo_book_is_better_and_judged() {
    assert_better(&Book::demo(), 200_000);
}

#[test]
fn every_complete_conformance_case_has_a_judged_challenge() {
    let cases = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/conformance");
    let mut challenged = 0;
    let mut names: Vec<_> = std::fs::read_dir(cases)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| name.as_bytes()[0].is_ascii_digit())
        .collect();
    names.sort();
    for name in names {
        let folder = Path::new(cases).join(&name).join("snapshot");
        let Ok(tables) = powerfill_csv::read_folder(&folder) else { continue };
        let Ok(validated) = validate(tables) else { continue };
        let options = RunOptions::default();
        let events = decide_all(&validated.snapshot, &options);
        if events.last().is_some_and(RunEvent::is_terminal) {
            continue;
        }
        let book = Book { snapshot: validated.snapshot, options, events };
        let instance = book.instance();
        let prices = find_prices(&instance);
        let found = search(&instance, &prices, plan(2000), &mut NoWatcher).allocation;
        let events = book.events(&instance, &prices, Some(&found));
        book.judge(&events).unwrap_or_else(|fault| panic!("{name}: {fault}"));
        let adopted = book.adopt(&instance, &found);
        verify(&book.snapshot, &book.options, &[&adopted[..]])
            .unwrap_or_else(|violation| panic!("{name}, adopted: {violation}"));
        challenged += 1;
    }
    assert!(challenged > 30, "{challenged}");
}

/// The events of all that is not a pass, without the sequence and the pass of a placement.
fn results(events: &[RunEvent]) -> Vec<&RunEvent> {
    let is_result = |event: &&RunEvent| {
        matches!(event, ignored!(Opening Positions CashGrids Candidates Results Synthetic))
    };
    events.iter().filter(is_result).collect()
}

/// The passes' own allocation, when it is given, comes to the passes' own results.
#[test]
fn given_placements_have_the_results_of_the_passes() {
    let book = Book::real();
    let instance = book.instance();
    let adopted = book.adopt(&instance, &instance.run_allocation());
    assert_eq!(results(&adopted), results(&book.events));
    let completed = adopted.iter().filter_map(|event| match event {
        RunEvent::PassCompleted(completed) => Some((completed.pass, completed.allocated)),
        _ => None,
    });
    let placed = instance.run_allocation().iter().flatten().count() as u64;
    assert_eq!(completed.collect::<Vec<_>>(), [(Pass::Challenger, placed)]);
    verify(&book.snapshot, &book.options, &[&adopted[..]]).unwrap();
}

#[test]
fn a_placement_that_is_not_possible_fails_the_run() {
    let book = Book::conformance("41-mixed-400-price");
    let instance = book.instance();
    let at = |loan: usize, trade: u32| GivenPlacement {
        loan_id: instance.loans[loan].loan_id.clone(),
        trade_id: instance.trades[trade as usize].trade_id.clone(),
    };
    let pair = instance.pairs.iter().find(|pair| pair.is_usable).unwrap();
    let (loan, trade) = (pair.loan as usize, pair.trade);
    let others = 0..u32::try_from(instance.trades.len()).unwrap();
    let no_candidate = others.into_iter().find(|t| instance.pair_at(loan, *t).is_none()).unwrap();
    let in_trade = instance.pairs.iter().filter(|other| other.trade == trade);
    let all: Vec<_> = in_trade.map(|other| at(other.loan as usize, trade)).collect();
    let cases = [
        (vec![at(loan, no_candidate)], "is no candidate"),
        (vec![at(loan, trade), at(loan, trade)], "is the second placement of the loan"),
        (all, "does not fit beside the others"),
    ];
    for (given, why) in cases {
        match book.decide_given(&given).last() {
            Some(RunEvent::RunFailed(failed)) => {
                assert_eq!(failed.code, "PLACEMENT_REFUSED");
                assert!(failed.message.ends_with(why), "{}", failed.message);
            }
            other => panic!("{why}: {other:?}"),
        }
    }
}

#[test]
fn prices_and_allocation_do_not_depend_on_threads() {
    let book = Book::real();
    let instance = book.instance();
    let answers = [1, 3].map(|threads| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| {
            let prices = find_prices(&instance);
            let found = search(&instance, &prices, plan(20_000), &mut NoWatcher);
            (prices, found)
        })
    });
    assert_eq!(answers[0], answers[1]);
}

/// Weak duality: whatever the prices are, the bound is at least the worth of an allocation.
#[test]
fn any_prices_give_a_bound_that_the_checks_confirm() {
    let book = Book::conformance("41-mixed-400-price");
    let instance = book.instance();
    let passes = instance.run_allocation();
    let mut state = 7_u64;
    let mut price = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        // Up to 4 points; every second one is 0.
        if state >> 63 == 0 { 0 } else { i64::try_from(state >> 36).unwrap() * 3 }
    };
    for _ in 0..50 {
        let mut prices = ShadowPrices::zero(&instance);
        let of_all = [&mut prices.trades, &mut prices.limits, &mut prices.turns];
        of_all.into_iter().flatten().for_each(|slot| *slot = price());
        let (bound, worth) = (instance.bound(&prices), instance.worth_of(&passes));
        assert!(bound >= worth);
        let terms = instance.gap(&prices, &passes);
        assert_eq!(terms.total(), bound - worth);
        let all = [terms.trades, terms.limits, terms.turns, terms.loans];
        assert!(all.iter().flatten().all(|term| *term >= 0));
        book.judge(&book.events(&instance, &prices, None)).unwrap();
    }
}

/// Each changed statement is found.
#[test]
fn a_false_statement_is_found() {
    let book = Book::real();
    let instance = book.instance();
    let prices = find_prices(&instance);
    let found = search(&instance, &prices, plan(20_000), &mut NoWatcher).allocation;
    let honest = book.events(&instance, &prices, Some(&found));
    book.judge(&honest).unwrap();
    let cent = Money::from_units(1);
    let mut changed = 0;
    for kind in 0..6 {
        let mut events = honest.clone();
        let is_changed = events.iter_mut().any(|event| match (kind, event) {
            (0, ChallengeEvent::ShadowPriceFound(found)) => {
                found.price += Price::from_units(1);
                true
            }
            (1, ChallengeEvent::BoundCertified(certified)) => {
                certified.bound -= cent.to_decimal();
                true
            }
            (2, ChallengeEvent::ChallengerPlaced(placed)) => {
                placed.to_score += Price::from_units(1);
                true
            }
            (3, ChallengeEvent::ChallengerPlaced(placed)) => {
                placed.loan_amount += cent;
                true
            }
            (4, ChallengeEvent::ChallengeCompleted(completed)) => {
                completed.run.kicked_out += 1;
                true
            }
            (5, ChallengeEvent::ShadowPriceFound(found)) => {
                found.price = Price::ZERO;
                true
            }
            _ => false,
        });
        assert!(is_changed);
        let fault = book.judge(&events);
        assert!(fault.is_err(), "change {kind} is not found");
        changed += 1;
    }
    assert_eq!(changed, 6);
}

#[test]
fn a_search_that_is_ended_keeps_an_allocation() {
    struct EndsAt(u64);
    impl SearchWatcher for EndsAt {
        fn goes_on(&mut self, steps: u64, _: i64) -> bool {
            steps < self.0
        }
    }
    let book = Book::real();
    let instance = book.instance();
    let prices = find_prices(&instance);
    let ended = search(&instance, &prices, plan(1_000_000), &mut EndsAt(2048));
    assert_eq!(ended.steps, 2048);
    book.judge(&book.events(&instance, &prices, Some(&ended.allocation))).unwrap();
}
