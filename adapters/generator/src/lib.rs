//! Writes realistic snapshots of any size, seeded and streaming.
//!
//! [`generate`] makes a CSV folder of the input tables of 1.2 with the sizes and marginals of 5.1.
//! The same seed gives the same bytes on any machine: chance comes from ChaCha8 with an explicit
//! key, each topic from a stream of its own, and all arithmetic is in whole numbers.
//!
//! # How a book is made
//!
//! 1. `catalog` lists the instruments, desk by desk; `placement` lets a trial run of loans tell how
//!    much each is in demand.
//! 2. `book` hands out the open trades by that demand, with settlements and prices, but without
//!    amounts; `pools` hangs pools below them.
//! 3. `loans` draws the loans one by one and writes each at once. An eligible one is meant for a
//!    trade, and most pooled ones are in that trade's pool already. A few have a fate of their own,
//!    so that every kickout reason of 2.8 comes up; `BelowPriceFloor` needs a run with a floor, of
//!    95 for instance.
//! 4. `tables::trades` writes the trades with amounts that follow from the loans meant for them and
//!    held by them: what is in the pools nearly fills a trade, new loans complete it, and a little
//!    supply is left over.
//!
//! # Memory
//!
//! Nothing is kept of a loan, of a trade of the past or of its pool: rows go straight to the
//! writers, and which pool belongs to which trade of the past follows from the numbers. Kept are
//! the instruments, the open trades (some sixty bytes each) and their pools (twelve bytes each): a
//! process that writes an `xl` book peaks at a few megabytes.
//!
//! # Candidates
//!
//! A loan meets one included trade in five of its desk: its note rate fits two coupons, and several
//! investors buy each. Desks are as many as keep that at some sixty candidates for an eligible loan
//! (`catalog`), so that the candidates of a book grow with its loans and not with their square.

mod book;
mod calendar;
mod catalog;
mod dice;
mod error;
mod figures;
mod folder;
mod loans;
mod market;
mod placement;
mod pools;
mod roles;
mod rules;
mod settled;
mod shapes;
mod sizes;
mod tables;
mod traits;

use std::path::{Path, PathBuf};

use book::Book;
use catalog::Catalog;
use folder::Folder;
use loans::LoanWriter;
use placement::{Markets, pilot};
use pools::Pools;
use settled::Past;

pub use error::GenerateError;
pub use folder::WrittenTable;
pub use sizes::{Scale, Sizes, UnknownScale};

/// What [`generate`] wrote.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Written {
    /// The folder.
    pub folder: PathBuf,
    /// Its tables by name.
    pub tables: Vec<WrittenTable>,
}

impl Written {
    /// The rows of a table; none where it was not written.
    pub fn rows(&self, table: &str) -> Option<u64> {
        self.tables.iter().find(|written| written.table == table).map(|written| written.rows)
    }

    /// The size of all tables.
    pub fn bytes(&self) -> u64 {
        self.tables.iter().map(|written| written.bytes).sum()
    }
}

/// Writes a snapshot of those sizes into the folder `out`, which is made, and must be empty if it
/// exists.
///
/// # Errors
///
/// When the folder has something in it, the sizes contradict each other, or the file system
/// refuses. Then nothing stays: the tables are written beside the folder and named at the end.
pub fn generate(sizes: &Sizes, seed: u64, out: &Path) -> Result<Written, GenerateError> {
    sizes.check()?;
    let mut folder = Folder::begin(out)?;
    let catalog = Catalog::new(sizes);
    let demand = pilot(&catalog, sizes, seed);
    let mut book = Book::new(&catalog, sizes, &demand, seed);
    let pools = Pools::new(&book, sizes, seed);
    let past = Past::new(sizes, pools.settled, &demand, seed);
    {
        let markets = Markets::new(&catalog, |at| book.has_trades(at));
        let writer =
            LoanWriter { catalog: &catalog, markets: &markets, pools: &pools, past: &past };
        writer.write(&mut folder, &mut book, sizes.loans, seed)?;
    }
    tables::settings::write_header(&mut folder)?;
    tables::settings::write_rules(&mut folder, &catalog)?;
    tables::settings::write_carry(&mut folder, &catalog, sizes.carry_rows, seed)?;
    tables::instruments::write(&mut folder, &catalog)?;
    tables::trades::write(&mut folder, &catalog, &book, &past, seed)?;
    tables::pools::write(&mut folder, &catalog, &book, &pools, &past, seed)?;
    tables::prices::write_grid(&mut folder, &catalog)?;
    tables::prices::write_payups(&mut folder, &catalog)?;
    let by_demand = by_demand(&book, &demand);
    tables::constraints::write(&mut folder, &catalog, &by_demand, sizes.constraints, seed)?;
    Ok(Written { folder: out.to_owned(), tables: folder.finish()? })
}

/// Positions of the instruments with trades, those that see most loans first.
fn by_demand(book: &Book, demand: &[u64]) -> Vec<u32> {
    let mut instruments: Vec<u32> = (0_u32..)
        .zip(demand)
        .map(|(at, _)| at)
        .filter(|at| book.has_trades(*at as usize))
        .collect();
    instruments.sort_by_key(|at| (std::cmp::Reverse(demand[*at as usize]), *at));
    instruments
}
