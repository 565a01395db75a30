//! Generates realistic snapshots of any size from a seed, without holding them in memory.
//!
//! [`generate`] writes a CSV folder of the input tables of 1.2 with the sizes and marginals of 5.1,
//! which are in `src/data`. The same seed gives the same bytes on any machine: random numbers come
//! from ChaCha8 with an explicit key, with one stream per topic, and all arithmetic is in whole
//! numbers.
//!
//! # Steps
//!
//! 1. `catalog` lists the instruments per desk; `placement` estimates the demand for each with a
//!    sample of loans.
//! 2. `book` distributes the open trades by demand, with settlements and prices, but without
//!    amounts; `pools` assigns pools to them.
//! 3. `loans` draws the loans one by one and writes each at once. An eligible loan has an intended
//!    trade, and most pooled loans are in a pool of that trade. A few loans are odd cases, so that
//!    every kickout reason of 2.8 occurs; `BelowPriceFloor` needs a run with a floor, such as 95.
//! 4. `tables::trades` writes the trades. Their amounts follow from the loans that are intended for
//!    them or held by them: the pooled loans nearly fill a trade, new loans complete it, and a
//!    little supply is left over.
//!
//! # Memory
//!
//! Loans, past trades, and their pools are written and not kept; which pool belongs to which past
//! trade follows from their numbers. Only the instruments, the open trades (about 60 bytes each),
//! and their pools (12 bytes each) are kept: a process that writes an `xl` book needs a few
//! megabytes.
//!
//! # Candidates
//!
//! A loan fits one included trade in five of its desk: its note rate fits two coupons, and several
//! investors buy each. `catalog` has as many desks as keep that at about 60 candidates per eligible
//! loan, so that the candidates of a book grow with its loans and not with their square.

mod book;
mod calendar;
mod catalog;
mod data;
mod dice;
mod error;
mod figures;
mod folder;
mod kinds;
mod loans;
mod market;
mod placement;
mod pools;
mod roles;
mod rules;
mod settled;
mod sizes;
mod tables;
mod traits;

use std::path::{Path, PathBuf};

use book::TradeBook;
use catalog::Catalog;
use folder::Folder;
use loans::LoanWriter;
use placement::{Markets, estimate_demand};
use pools::Pools;
use settled::PastTrades;

pub use error::GenerateError;
pub use folder::WrittenTable;
pub use sizes::{Scale, Sizes, UnknownScale};

/// A generated snapshot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GeneratedBook {
    /// The folder.
    pub folder: PathBuf,
    /// Its tables, by name.
    pub tables: Vec<WrittenTable>,
}

impl GeneratedBook {
    /// The number of rows of a table; `None` if there is no such table.
    pub fn rows(&self, table: &str) -> Option<u64> {
        self.tables.iter().find(|written| written.table == table).map(|written| written.rows)
    }

    /// The size of all tables, in bytes.
    pub fn bytes(&self) -> u64 {
        self.tables.iter().map(|written| written.bytes).sum()
    }
}

/// Writes a snapshot of these sizes into the folder `out`, which must be empty or not exist.
///
/// # Errors
///
/// The folder is not empty, the sizes contradict each other, or the file system refuses. Then
/// nothing is left: the tables are written beside the folder, which is renamed at the end.
pub fn generate(sizes: &Sizes, seed: u64, out: &Path) -> Result<GeneratedBook, GenerateError> {
    sizes.check()?;
    let mut folder = Folder::begin(out)?;
    let catalog = Catalog::new(sizes);
    let demand = estimate_demand(&catalog, sizes, seed);
    let mut book = TradeBook::new(&catalog, sizes, &demand, seed);
    let pools = Pools::new(&book, sizes, seed);
    let past = PastTrades::new(sizes, pools.settled, &demand, seed);
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
    Ok(GeneratedBook { folder: out.to_owned(), tables: folder.finish()? })
}

/// The positions of the instruments with trades, by falling demand.
fn by_demand(book: &TradeBook, demand: &[u64]) -> Vec<u32> {
    let mut instruments: Vec<u32> = (0_u32..)
        .zip(demand)
        .map(|(at, _)| at)
        .filter(|at| book.has_trades(*at as usize))
        .collect();
    instruments.sort_by_key(|at| (std::cmp::Reverse(demand[*at as usize]), *at));
    instruments
}
