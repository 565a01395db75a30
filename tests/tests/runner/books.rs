//! Snapshots with options.

use std::path::{Path, PathBuf};
use std::sync::{Arc, LazyLock};

use powerfill_generator::{Scale, Sizes, generate};
use powerfill_snapshot::{GivenOptions, RawSnapshot, RunOptions, Snapshot, validate};

/// The input of a run: a snapshot and options.
#[derive(Clone)]
pub(crate) struct Book {
    pub(crate) snapshot: Arc<Snapshot>,
    pub(crate) options: RunOptions,
}

/// Reads a snapshot. All have the same tenant, because a store belongs to one tenant.
fn snapshot(folder: &Path) -> Arc<Snapshot> {
    let raw = powerfill_csv::read_folder(folder).expect("the folder exists");
    let mut snapshot = validate(raw).expect("the snapshot is valid").snapshot;
    snapshot.header.tenant_id = "WATERMARK".into();
    Arc::new(snapshot)
}

fn conformance() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("conformance")
}

fn case_in(folder: &Path) -> Book {
    let json = std::fs::read_to_string(folder.join("options.json")).expect("the case has options");
    let options = GivenOptions::from_json(&json).resolve().expect("the options are valid");
    Book { snapshot: snapshot(&folder.join("snapshot")), options }
}

/// The unvalidated snapshot of a conformance case.
pub(crate) fn raw(name: &str) -> RawSnapshot {
    let folder = conformance().join(name).join("snapshot");
    powerfill_csv::read_folder(&folder).expect("the folder exists")
}

/// A conformance case.
pub(crate) fn case(name: &str) -> Book {
    case_in(&conformance().join(name))
}

/// Every conformance case with a valid snapshot.
pub(crate) fn cases() -> impl Iterator<Item = Book> {
    let folders = std::fs::read_dir(conformance()).expect("the folder of cases exists");
    let mut folders: Vec<PathBuf> = folders.map(|entry| entry.expect("a case").path()).collect();
    folders.retain(|folder| folder.join("expected/pfill_preflight_findings.csv").is_file());
    folders.sort();
    folders.into_iter().map(|folder| case_in(&folder))
}

/// A book on which every pass has an effect.
pub(crate) fn mixed() -> Book {
    static BOOK: LazyLock<Book> = LazyLock::new(|| case("41-mixed-400-price"));
    BOOK.clone()
}

/// A book with a few loans.
pub(crate) fn small() -> Book {
    case("03-best-fit")
}

/// A book with a few loans, and with a row in nearly every output table.
pub(crate) fn with_every_table() -> Book {
    case("12-kickout-reasons")
}

/// A book that preflight refuses.
pub(crate) fn refused() -> Book {
    case("39-preflight-errors")
}

/// A book whose run needs several appends.
pub(crate) fn large() -> Book {
    static BOOK: LazyLock<Book> = LazyLock::new(|| generated(6_000, 600));
    BOOK.clone()
}

/// A book that is small enough to check each loan and trade, with candidates that compete.
pub(crate) fn medium() -> Book {
    static BOOK: LazyLock<Book> = LazyLock::new(|| generated(500, 250));
    BOOK.clone()
}

/// A generated book.
fn generated(loans: u32, trades: u32) -> Book {
    let folder = tempfile::tempdir().expect("a folder");
    let sizes = Sizes { loans, ..Scale::Demo.sizes().with_trades(trades) };
    let snapshot_folder = folder.path().join("snapshot");
    generate(&sizes, 7, &snapshot_folder).expect("a book is generated");
    Book { snapshot: snapshot(&snapshot_folder), options: RunOptions::default() }
}
