//! The output digest of a run (specification 3.1, 3.2). It reveals output tables that were edited,
//! and two runs that decided the same.
//!
//! The run names the tables that its digest covers, each with a version of its columns
//! ([`RunCompleted::tables`](powerfill_events::run::event::RunCompleted::tables)). Each table has a
//! BLAKE3 hash over its canonical CSV: the header, and the rows without `run_id`. The digest is the
//! BLAKE3 hash of one line per table, in the order that the run names: the table's hash in
//! hexadecimal, two blanks, the table's name, LF. So `b3sum` alone can compute it from CSV files.

use crate::csv::{write_names, write_row};
use crate::table::{Cell, RowBatch, TableRef};

/// Text is hashed in pieces of about this many bytes: enough for BLAKE3 to use its widest
/// instructions, and little enough for the cache.
const PIECE: usize = 64 * 1024;

/// The hash of one table in one version of its columns, updated row by row.
#[derive(Debug, Clone)]
pub struct TableDigest {
    table: TableRef,
    version: u32,
    /// Positions of the columns that the version has; `None` where it has all of them.
    covered: Option<Vec<usize>>,
    hasher: blake3::Hasher,
    rows: u64,
    text: Vec<u8>,
}

impl TableDigest {
    /// The digest of the table without rows, in the present version.
    pub fn new(table: TableRef) -> Self {
        Self::at_version(table, table.version())
    }

    /// The digest of the table without rows, in this version.
    pub fn at_version(table: TableRef, version: u32) -> Self {
        let covered: Vec<usize> = table.positions_at(version).collect();
        let mut text = Vec::new();
        write_names(covered.iter().map(|at| &table.columns[*at]), &mut text);
        let covered = Some(covered).filter(|covered| covered.len() < table.columns.len());
        Self { table, version, covered, hasher: blake3::Hasher::new(), rows: 0, text }
    }

    /// Adds the next rows in table order.
    pub fn update(&mut self, batch: &RowBatch) {
        for row in batch.rows() {
            self.row(row);
        }
    }

    /// Adds the next row, which has every column of the table.
    pub fn row(&mut self, row: &[Cell]) {
        if self.text.capacity() < PIECE {
            self.text.reserve(PIECE + PIECE / 4);
        }
        match &self.covered {
            None => write_row(row, &mut self.text),
            Some(covered) => write_row(covered.iter().map(|at| &row[*at]), &mut self.text),
        }
        self.rows += 1;
        if self.text.len() >= PIECE {
            self.hasher.update(&self.text);
            self.text.clear();
        }
    }

    /// The number of rows so far.
    pub const fn rows(&self) -> u64 {
        self.rows
    }

    /// The declaration of the table.
    pub const fn table(&self) -> TableRef {
        self.table
    }

    /// The version of the columns that are hashed.
    pub const fn version(&self) -> u32 {
        self.version
    }

    /// The hash of the rows so far.
    pub fn hash(&self) -> blake3::Hash {
        let mut hasher = self.hasher.clone();
        hasher.update(&self.text);
        hasher.finalize()
    }
}

/// The output digest over these tables, in this order, in hexadecimal.
pub fn output_digest<'a>(tables: impl IntoIterator<Item = &'a TableDigest>) -> String {
    let mut hasher = blake3::Hasher::new();
    for table in tables {
        hasher.update(table.hash().to_hex().as_bytes());
        hasher.update(b"  ");
        hasher.update(table.table.name.as_bytes());
        hasher.update(b"\n");
    }
    hasher.finalize().to_hex().to_string()
}
