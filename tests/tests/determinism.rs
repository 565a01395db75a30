//! The same snapshot and options give the same events, byte for byte, with any number of threads,
//! and each time in one process, where every hash map has a seed of its own (specification, part 2;
//! `docs/DETERMINISM.md`).

use powerfill_engine::decide_all;
use powerfill_events::log::EncodedBatch;
use powerfill_fixtures::cases;

/// The two large books: by price, and by price and carry.
const CASES: &[&str] = &["41-mixed-400-price", "42-mixed-400-carry"];

fn with_threads(threads: usize, case: &str) -> EncodedBatch {
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
    // Validation and sorting run on these threads too.
    pool.install(|| {
        let (snapshot, options) = cases::input(&cases::case(case));
        EncodedBatch::encode(&decide_all(&snapshot, &options))
    })
}

#[test]
fn the_number_of_threads_does_not_change_the_events() {
    for case in CASES {
        let alone = with_threads(1, case);
        assert!(alone.len() > 1_000, "{case} has too few events to prove anything");
        for threads in [1, 2, 3, 8] {
            assert!(with_threads(threads, case) == alone, "{case} with {threads} threads");
        }
    }
}
