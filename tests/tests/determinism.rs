//! The same snapshot and options give the same events, byte for byte, with any number of threads,
//! and each time in one process, where every hash map has a seed of its own (specification, part 2;
//! `docs/DETERMINISM.md`).

use std::path::Path;

use powerfill_engine::decide_all;
use powerfill_events::log::EncodedBatch;
use powerfill_snapshot::{GivenOptions, RunOptions, Snapshot, validate};

/// The two large books: by price, and by price and carry.
const CASES: &[&str] = &["41-mixed-400-price", "42-mixed-400-carry"];

fn book(case: &str) -> (Snapshot, RunOptions) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("conformance").join(case);
    let raw = powerfill_csv::read_folder(&folder.join("snapshot")).unwrap();
    let json = std::fs::read_to_string(folder.join("options.json")).unwrap();
    let options = GivenOptions::from_json(&json).resolve().unwrap();
    (validate(raw).unwrap().snapshot, options)
}

fn with_threads(threads: usize, case: &str) -> EncodedBatch {
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
    // Validation and sorting run on these threads too.
    pool.install(|| {
        let (snapshot, options) = book(case);
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
