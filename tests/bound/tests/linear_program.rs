//! The bound (specification 10.2) is at most 0.1 basis points over the optimum of the linear
//! program on the real book, and 0.5 on `demo`.
//!
//! The solver computes in binary floating point. It only judges: nothing exact depends on it.

use std::path::Path;

use clarabel::algebra::CscMatrix;
use clarabel::solver::SupportedConeT::NonnegativeConeT;
use clarabel::solver::{DefaultSettings, DefaultSolver, IPSolver, SolverStatus};
use powerfill_challenge::{Instance, RunReader, find_prices};
use powerfill_engine::decide_all;
use powerfill_events::challenge::ChallengeWeights;
use powerfill_generator::{Scale, generate};
use powerfill_snapshot::{RunOptions, validate};

/// Amounts and worths in this many dollars, so that the numbers of the program are near 1.
const UNIT: f64 = 100_000.0;

fn instance(folder: &Path) -> Instance {
    let tables = powerfill_csv::read_folder(folder).unwrap();
    let snapshot = validate(tables).unwrap().snapshot;
    let mut reader = RunReader::new(&snapshot);
    decide_all(&snapshot, &RunOptions::default()).iter().for_each(|event| reader.apply(event));
    reader.completed();
    reader.finish(ChallengeWeights::default()).unwrap()
}

fn dollars(units: i128) -> f64 {
    units as f64 / 1e12
}

/// The optimum in dollars: each loan at most once, within rooms, limits, and the priority rule.
fn optimum(instance: &Instance) -> f64 {
    let usable: Vec<usize> =
        (0..instance.pairs.len()).filter(|pair| instance.pairs[*pair].is_usable).collect();
    let (loans, trades) = (instance.loans.len(), instance.trades.len());
    let (limits, turns) = (instance.limits.len(), instance.required.len());
    let rows = loans + trades + limits + turns + usable.len();
    let amount = |cents: i64| cents as f64 / 100.0 / UNIT;
    let (mut columns, mut row_of, mut values) = (vec![0], Vec::new(), Vec::new());
    for (at, pair) in usable.iter().enumerate() {
        let own = &instance.pairs[*pair];
        let a = amount(instance.amount_of(*pair));
        let mut column = vec![(own.loan as usize, 1.0), (loans + own.trade as usize, a)];
        let used = instance.limits_of(*pair).iter();
        column.extend(used.map(|limit| (loans + trades + *limit as usize, a)));
        let counted = own.turn as usize - 1..turns;
        column.extend(counted.map(|turn| (loans + trades + limits + turn, -a)));
        column.push((loans + trades + limits + turns + at, -1.0));
        column.sort_by_key(|(row, _)| *row);
        for (row, value) in column {
            row_of.push(row);
            values.push(value);
        }
        columns.push(row_of.len());
    }
    let mut right = vec![1.0; loans];
    right.extend(instance.trades.iter().map(|trade| amount(trade.room())));
    right.extend(instance.limits.iter().map(|limit| amount(limit.room)));
    right.extend(instance.required.iter().map(|required| -amount(*required)));
    right.extend(usable.iter().map(|_| 0.0));
    let gains: Vec<f64> =
        usable.iter().map(|pair| -dollars(instance.worth(*pair)) / UNIT).collect();
    let n = usable.len();
    let quadratic = CscMatrix::zeros((n, n));
    let left = CscMatrix::new(rows, n, columns, row_of, values);
    let settings = DefaultSettings { verbose: false, ..DefaultSettings::default() };
    let cones = [NonnegativeConeT(rows)];
    let mut solver =
        DefaultSolver::new(&quadratic, &gains, &left, &right, &cones, settings).unwrap();
    solver.solve();
    assert!(matches!(solver.solution.status, SolverStatus::Solved | SolverStatus::AlmostSolved));
    -solver.solution.obj_val * UNIT
}

/// The bound is at most so many basis points of the eligible amount over the optimum, and, up to
/// the tolerance of the solver, not below it.
fn assert_tight(instance: &Instance, basis_points: f64) {
    let bound = dollars(instance.bound(&find_prices(instance)));
    let best = optimum(instance);
    let over = (bound - best) / (instance.eligible_amount() as f64 / 100.0) * 10_000.0;
    println!("bound {bound:.2}, optimum {best:.2}: {over:.4} bp over");
    assert!(over <= basis_points, "the bound is {over:.4} bp over the optimum");
    assert!(over >= -0.001, "the bound is {over:.4} bp below the optimum");
}

#[test]
fn the_bound_of_the_real_book_is_tight() {
    let book = concat!(env!("CARGO_MANIFEST_DIR"), "/../books/real");
    assert_tight(&instance(Path::new(book)), 0.1);
}

#[test]
fn the_bound_of_the_demo_book_is_tight() {
    let folder = tempfile::tempdir().unwrap();
    let book = folder.path().join("book");
    generate(&Scale::Demo.sizes(), 7, &book).unwrap();
    assert_tight(&instance(&book), 0.5);
}
