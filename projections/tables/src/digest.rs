//! The digest of a run's outputs (specification 3.1, 3.2): it shows output tables that were edited by hand, and two
//! runs that decided the same.
//!
//! Each table of [`crate::tables::DECISIONS`] has a BLAKE3 hash over its canonical CSV with the header and without
//! `run_id`. The digest is the BLAKE3 hash of one line a table, in that order: the table's hash in hexadecimal, two
//! blanks, the table's name, LF. So it can be had from the CSV files with `b3sum` alone.

use crate::csv::{write_header, write_row};
use crate::table::{Cell, RowBatch, TableSpec};

/// Text is hashed in pieces of about this many bytes: enough for BLAKE3 to use its widest instructions, little enough
/// to stay in the cache.
const PIECE: usize = 64 * 1024;

/// The hash of one table, row by row.
#[derive(Clone)]
pub struct TableDigest {
    table: &'static TableSpec,
    hasher: blake3::Hasher,
    rows: u64,
    text: Vec<u8>,
}

impl TableDigest {
    /// Of the table without rows.
    pub fn new(table: &'static TableSpec) -> Self {
        let mut text = Vec::new();
        write_header(table, &mut text);
        Self { table, hasher: blake3::Hasher::new(), rows: 0, text }
    }

    /// Takes the next rows in table order.
    pub fn update(&mut self, batch: &RowBatch) {
        for row in batch.rows() {
            self.row(row);
        }
    }

    /// Takes the next row, `run_id` left out.
    pub fn row(&mut self, row: &[Cell]) {
        if self.text.capacity() < PIECE {
            self.text.reserve(PIECE + PIECE / 4);
        }
        write_row(row, &mut self.text);
        self.rows += 1;
        if self.text.len() >= PIECE {
            self.hasher.update(&self.text);
            self.text.clear();
        }
    }

    /// How many rows it has taken.
    pub const fn rows(&self) -> u64 {
        self.rows
    }

    /// The table.
    pub const fn table(&self) -> &'static TableSpec {
        self.table
    }

    /// The hash of the rows so far.
    pub fn hash(&self) -> blake3::Hash {
        let mut hasher = self.hasher.clone();
        hasher.update(&self.text);
        hasher.finalize()
    }
}

/// The digest over the tables of [`crate::tables::DECISIONS`], in that order, in hexadecimal.
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
