//! Snapshots with options.

use std::sync::{Arc, LazyLock};

use powerfill_fixtures::cases;
use powerfill_generator::{Scale, Sizes, generate};
use powerfill_snapshot::{RawSnapshot, RunOptions, Snapshot, validate};

/// The input of a run: a snapshot and options.
#[derive(Clone)]
pub(crate) struct Book {
    pub(crate) snapshot: Arc<Snapshot>,
    pub(crate) options: RunOptions,
}

/// A book. All have the same tenant, because a store belongs to one tenant.
fn book((mut snapshot, options): (Snapshot, RunOptions)) -> Book {
    snapshot.header.tenant_id = "WATERMARK".into();
    Book { snapshot: Arc::new(snapshot), options }
}

/// The unvalidated snapshot of a conformance case.
pub(crate) fn raw(name: &str) -> RawSnapshot {
    let folder = cases::case(name).join("snapshot");
    powerfill_csv::read_folder(&folder).expect("the folder exists")
}

/// A conformance case.
pub(crate) fn case(name: &str) -> Book {
    book(cases::input(&cases::case(name)))
}

/// Every conformance case with a valid snapshot.
pub(crate) fn cases() -> impl Iterator<Item = Book> {
    cases::cases().into_iter().map(|folder| book(cases::input(&folder)))
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
    let raw = powerfill_csv::read_folder(&snapshot_folder).expect("the folder exists");
    book((validate(raw).expect("the snapshot is valid").snapshot, RunOptions::default()))
}
