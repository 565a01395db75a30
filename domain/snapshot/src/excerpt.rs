//! What a snapshot says about a few loans, read out of its canonical form without the rows of all
//! the others: a loan of a large book is explained in a fraction of the time that the whole takes
//! to read.

use std::borrow::Cow;
use std::collections::HashSet;

use foldhash::fast::RandomState;

use powerfill_events::config::PoolLockRow;
use powerfill_events::input::{InputRow, InputTable};
use powerfill_events::values::fold;

use super::canonical::{CanonicalFault, CanonicalReader};
use super::raw::{RawSnapshot, RawTable};
use super::tables::{Designation, Loan, LoanPrice, Pool, Snapshot, TABLES};
use super::validate::validate;

/// Names by their folded form.
type Folded = HashSet<String, RandomState>;

impl Snapshot {
    /// The excerpt of a canonical form that concerns these loans: their rows, pools, designations,
    /// lockdown rows and own prices, and every other table whole. Whether such a loan takes part,
    /// which nodes it matches, what its pairs are worth: it is all the same as in the whole. What
    /// comes from other loans is not there, as the amounts that held loans use up. Loans that the
    /// snapshot does not have are left out.
    ///
    /// # Errors
    /// [`CanonicalFault`].
    pub fn excerpt<'n>(
        canonical: &[u8],
        loan_ids: impl IntoIterator<Item = &'n str>,
    ) -> Result<Self, CanonicalFault> {
        let loans: Folded = loan_ids.into_iter().map(fold).collect();
        let mut pools = Folded::default();
        let mut reader = CanonicalReader::new(canonical)?;
        let mut raw = RawSnapshot::default();
        let has_pool = [Pool::TABLE, Designation::TABLE, PoolLockRow::TABLE].map(|t| t.name);
        for schema in TABLES {
            let table = if schema.name == Loan::TABLE.name {
                let table = rows_of(&mut reader, schema, "loan_id", &loans)?;
                pools = column(&table, "pool_name");
                table
            } else if schema.name == LoanPrice::TABLE.name {
                rows_of(&mut reader, schema, "loan_id", &loans)?
            } else if has_pool.contains(&schema.name) {
                rows_of(&mut reader, schema, "pool_name", &pools)?
            } else {
                reader.table(schema)?
            };
            raw.tables.push(table);
        }
        reader.end()?;
        validate(raw).map(|validated| validated.snapshot).map_err(CanonicalFault::Refused)
    }
}

/// The rows whose `key` is one of the wanted.
fn rows_of(
    reader: &mut CanonicalReader<'_>,
    schema: &InputTable,
    key: &str,
    wanted: &Folded,
) -> Result<RawTable, CanonicalFault> {
    let (columns, rows) = reader.table_header(schema)?;
    let key = columns.iter().position(|column| column == key).ok_or_else(|| reader.malformed())?;
    let width = columns.len();
    let mut table = RawTable::new(schema.name, columns, true);
    for _ in 0..rows {
        // Most rows are only stepped over; one that is wanted is read once more.
        let mut row = reader.clone();
        let mut is_wanted = false;
        for column in 0..width {
            let cell = reader.cell()?;
            is_wanted |= column == key && wanted.contains(&*folded(cell));
        }
        if is_wanted {
            for _ in 0..width {
                table.push_cell(row.text()?)?;
            }
            table.end_row()?;
        }
    }
    Ok(table)
}

/// The folded form of a cell; the bytes of ASCII without small letters are that already.
fn folded(cell: &[u8]) -> Cow<'_, str> {
    match std::str::from_utf8(cell) {
        Ok(text) if cell.iter().all(|b| b.is_ascii() && !b.is_ascii_lowercase()) => text.into(),
        Ok(text) => fold(text).into(),
        // No name is like this one; where its row is wanted for another's sake, that fails.
        Err(_) => "".into(),
    }
}

fn column(table: &RawTable, name: &str) -> Folded {
    let at = table.columns().iter().position(|column| column == name);
    let cells = at.into_iter().flat_map(|at| (0..table.rows()).map(move |row| table.cell(row, at)));
    cells.filter(|cell| !cell.is_empty()).map(fold).collect()
}
