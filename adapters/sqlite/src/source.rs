//! A database file with the input tables (specification 1.2, 4.1) as the raw tables of a snapshot.
//! Reading writes nothing, neither into the file nor beside it.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::time::Duration;

use powerfill_snapshot::{
    FaultCode, IgnoredPart, RawSnapshot, RawTable, SourceFault, TableLimit, TooLarge, table_named,
    table_names,
};
use rusqlite::Transaction;
use rusqlite::types::ValueRef;

use crate::file_access::{FileAccess, beside};

/// How long to wait for another process that is writing to the database.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);

/// Another process that opens the database between two attempts makes SQLite's locks work.
const ATTEMPTS: usize = 3;

const FLOAT: &str =
    "a binary float, stored as REAL; declare the column TEXT, so that decimals stay exact";
const BLOB: &str = "a blob; a text or a whole number is expected";
const NOT_UTF8: &str = "a text that is not UTF-8";

/// The database cannot be opened or listed.
#[derive(Debug, thiserror::Error)]
pub enum SqliteSourceError {
    /// SQLite refuses.
    #[error("the source {path} cannot be read: {source}{}", advice(path))]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// The answer of SQLite.
        source: rusqlite::Error,
    },
    /// Another process wrote during each attempt.
    #[error(
        "the source {0} was written while it was read; read it when no program writes it, or read \
         a copy"
    )]
    Changed(PathBuf),
}

/// What to do about a database that another program has in an unfinished state.
fn advice(path: &Path) -> String {
    match ["-wal", "-journal"].into_iter().find(|suffix| beside(path, suffix).exists()) {
        Some(suffix) => {
            let name = path.display();
            format!(
                ". Beside it is {name}{suffix}, with changes that this user cannot read here: copy \
                 both files to a folder of your own and read the copy, or run PRAGMA \
                 journal_mode=DELETE in the program that writes it"
            )
        }
        None => String::new(),
    }
}

/// Reads the input tables. The case of their names does not matter. Other tables and views are
/// listed as ignored.
///
/// # Errors
/// If the database cannot be opened or listed. A table that cannot be read is a fault in the
/// result.
pub fn read(path: &Path) -> Result<RawSnapshot, SqliteSourceError> {
    read_limited(path, TableLimit::default())
}

/// As [`read`], with tables of at most this size. A larger one is a fault, and is read no further.
///
/// # Errors
/// As of [`read`].
pub fn read_limited(path: &Path, limit: TableLimit) -> Result<RawSnapshot, SqliteSourceError> {
    read_one_state(path, |transaction| read_database(transaction, limit))
}

/// Reads the tables and views whose names `is_wanted` accepts, for a mapping. The others are listed
/// by name.
///
/// # Errors
/// If the database or one of the tables cannot be read, or a table is larger than the limit.
pub fn read_wanted(
    path: &Path,
    limit: TableLimit,
    is_wanted: impl Fn(&str) -> bool,
) -> Result<(Vec<RawTable>, Vec<String>), SqliteSourceError> {
    read_one_state(path, |transaction| {
        let (mut tables, mut others) = (Vec::new(), Vec::new());
        for name in relation_names(transaction)? {
            if !is_wanted(&name) {
                others.push(name);
                continue;
            }
            tables.push(match read_table(transaction, &name, limit) {
                Ok(table) => table,
                Err(TableError::Database(error)) => return Err(error),
                Err(TableError::TooLarge(error)) => {
                    let error = TooLarge::of(&name)(error);
                    return Err(rusqlite::Error::ToSqlConversionFailure(error.into()));
                }
            });
        }
        Ok((tables, others))
    })
}

/// Reads from a transaction. If the file changes while it is read without locks, reads again.
fn read_one_state<T>(
    path: &Path,
    read: impl Fn(&Transaction<'_>) -> rusqlite::Result<T>,
) -> Result<T, SqliteSourceError> {
    for _ in 0..ATTEMPTS {
        let access = FileAccess::for_reading(path);
        let result = access.open(path).and_then(|mut database| {
            database.busy_timeout(BUSY_TIMEOUT)?;
            let transaction = database.transaction()?;
            read(&transaction)
        });
        if access.is_unchanged(path) {
            let path = path.to_owned();
            return result.map_err(|source| SqliteSourceError::Unreadable { path, source });
        }
    }
    Err(SqliteSourceError::Changed(path.to_owned()))
}

fn read_database(
    transaction: &Transaction<'_>,
    limit: TableLimit,
) -> rusqlite::Result<RawSnapshot> {
    let mut snapshot = RawSnapshot::default();
    let mut present: BTreeSet<&'static str> = BTreeSet::new();
    for name in relation_names(transaction)? {
        match table_named(&name).filter(|table| table.eq_ignore_ascii_case(&name)) {
            Some(table) => _ = present.insert(table),
            None => snapshot.ignored.push(IgnoredPart::Relation(name)),
        }
    }
    for table in table_names().filter(|table| present.contains(table)) {
        match read_table(transaction, table, limit) {
            Ok(read) => snapshot.tables.push(read),
            Err(error) => snapshot.faults.push(SourceFault {
                table: table.to_owned(),
                code: FaultCode::Unreadable,
                reason: error.to_string(),
            }),
        }
    }
    Ok(snapshot)
}

/// The tables and views of the database, without those of SQLite itself.
fn relation_names(transaction: &Transaction<'_>) -> rusqlite::Result<Vec<String>> {
    let mut query = transaction.prepare(
        "SELECT name FROM sqlite_schema
         WHERE type IN ('table', 'view') AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\'
         ORDER BY name",
    )?;
    query.query_map([], |row| row.get(0))?.collect()
}

#[derive(Debug, thiserror::Error)]
enum TableError {
    #[error(transparent)]
    Database(#[from] rusqlite::Error),
    #[error(transparent)]
    TooLarge(#[from] TooLarge),
}

fn read_table(
    transaction: &Transaction<'_>,
    name: &str,
    limit: TableLimit,
) -> Result<RawTable, TableError> {
    let quoted = name.replace('"', "\"\"");
    let mut query = transaction.prepare(&format!("SELECT * FROM \"{quoted}\""))?;
    let columns: Vec<String> = query.column_names().map(str::to_owned).collect();
    let width = columns.len();
    let mut table = RawTable::new(name, columns, false).within(limit);
    let mut rows = query.query([])?;
    while let Some(row) = rows.next()? {
        for column in 0..width {
            push_value(&mut table, row.get_ref(column)?)?;
        }
        table.end_row()?;
    }
    Ok(table)
}

fn push_value(table: &mut RawTable, value: ValueRef<'_>) -> Result<(), TooLarge> {
    match value {
        ValueRef::Null => table.push_cell(""),
        ValueRef::Integer(number) => table.push_cell(&number.to_string()),
        ValueRef::Real(float) => table.push_unfit(&float.to_string(), FLOAT),
        ValueRef::Text(bytes) => match std::str::from_utf8(bytes) {
            Ok(text) => table.push_cell(text),
            Err(_) => table.push_unfit(&String::from_utf8_lossy(bytes), NOT_UTF8),
        },
        ValueRef::Blob(_) => table.push_unfit("", BLOB),
    }
}
