//! Snapshots with options.

use std::path::{Path, PathBuf};
use std::sync::{Arc, LazyLock};

use powerfill_generator::{Scale, Sizes, generate};
use powerfill_snapshot::{GivenOptions, RawSnapshot, RunOptions, Snapshot, validate};

/// What a run is asked for with.
#[derive(Clone)]
pub(crate) struct Book {
    pub(crate) snapshot: Arc<Snapshot>,
    pub(crate) options: RunOptions,
}

/// All of one tenant, since a desk's store is one tenant's.
fn snapshot(folder: &Path) -> Arc<Snapshot> {
    let raw = powerfill_csv::read_folder(folder).expect("the folder is there");
    let mut snapshot = validate(raw).expect("the snapshot is sound").snapshot;
    snapshot.header.tenant_id = "WATERMARK".into();
    Arc::new(snapshot)
}

fn conformance() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("conformance")
}

fn case_in(folder: &Path) -> Book {
    let json = std::fs::read_to_string(folder.join("options.json")).expect("it has options");
    let options = GivenOptions::from_json(&json).resolve().expect("the options are sound");
    Book { snapshot: snapshot(&folder.join("snapshot")), options }
}

/// The input of a conformance case as its source has it.
pub(crate) fn raw(name: &str) -> RawSnapshot {
    let folder = conformance().join(name).join("snapshot");
    powerfill_csv::read_folder(&folder).expect("the folder is there")
}

/// A conformance case.
pub(crate) fn case(name: &str) -> Book {
    case_in(&conformance().join(name))
}

/// Every conformance case that runs, completing or refused by preflight.
pub(crate) fn cases() -> impl Iterator<Item = Book> {
    let folders = std::fs::read_dir(conformance()).expect("the cases are there");
    let mut folders: Vec<PathBuf> = folders.map(|entry| entry.expect("a case").path()).collect();
    folders.retain(|folder| folder.join("expected/pfill_preflight_findings.csv").is_file());
    folders.sort();
    folders.into_iter().map(|folder| case_in(&folder))
}

/// Every pass has something to do.
pub(crate) fn mixed() -> Book {
    static BOOK: LazyLock<Book> = LazyLock::new(|| case("41-mixed-400-price"));
    BOOK.clone()
}

/// A few loans.
pub(crate) fn small() -> Book {
    case("03-best-fit")
}

/// A few loans, and a row in nearly every output table.
pub(crate) fn with_every_table() -> Book {
    case("12-kickout-reasons")
}

/// Preflight finds errors.
pub(crate) fn refused() -> Book {
    case("39-preflight-errors")
}

/// Its events go into several appends.
pub(crate) fn large() -> Book {
    static BOOK: LazyLock<Book> = LazyLock::new(|| generated(6_000, 600));
    BOOK.clone()
}

/// Few enough loans and trades to look at each, and enough for candidates that compete.
pub(crate) fn medium() -> Book {
    static BOOK: LazyLock<Book> = LazyLock::new(|| generated(500, 250));
    BOOK.clone()
}

/// A book of the generator's.
fn generated(loans: u32, trades: u32) -> Book {
    let folder = tempfile::tempdir().expect("a folder");
    let sizes = Sizes { loans, ..Scale::Demo.sizes().with_trades(trades) };
    let snapshot_folder = folder.path().join("snapshot");
    generate(&sizes, 7, &snapshot_folder).expect("a book is made");
    Book { snapshot: snapshot(&snapshot_folder), options: RunOptions::default() }
}
