//! A database file with the input tables (specification 1.2, 4.1) as the raw tables of a snapshot.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::time::Duration;

use powerfill_snapshot::{
    FaultCode, IgnoredPart, RawSnapshot, RawTable, SourceFault, TooLarge, table_named, table_names,
};
use rusqlite::types::ValueRef;
use rusqlite::{Connection, OpenFlags, Transaction};

/// How long to wait for another process that is writing to the database.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);

const FLOAT: &str =
    "a binary float, stored as REAL; declare the column TEXT, so that decimals stay exact";
const BLOB: &str = "a blob; a text or a whole number is expected";
const NOT_UTF8: &str = "a text that is not UTF-8";

/// The database cannot be opened or listed.
#[derive(Debug, thiserror::Error)]
#[error("the database {path} cannot be read: {source}")]
pub struct SqliteSourceError {
    path: PathBuf,
    source: rusqlite::Error,
}

/// Reads the input tables. The case of their names does not matter. Other tables and views are
/// listed as ignored.
///
/// # Errors
/// If the database cannot be opened or listed. A table that cannot be read is a fault in the
/// result.
pub fn read(path: &Path) -> Result<RawSnapshot, SqliteSourceError> {
    read_database(path).map_err(|source| SqliteSourceError { path: path.to_owned(), source })
}

/// Reads the tables and views whose names `is_wanted` accepts, for a mapping. The others are listed
/// by name.
///
/// # Errors
/// If the database or one of the tables cannot be read.
pub fn read_wanted(
    path: &Path,
    is_wanted: impl Fn(&str) -> bool,
) -> Result<(Vec<RawTable>, Vec<String>), SqliteSourceError> {
    let failed = |source| SqliteSourceError { path: path.to_owned(), source };
    let mut database = open(path).map_err(failed)?;
    let transaction = database.transaction().map_err(failed)?;
    let (mut tables, mut others) = (Vec::new(), Vec::new());
    for name in relation_names(&transaction).map_err(failed)? {
        if !is_wanted(&name) {
            others.push(name);
            continue;
        }
        tables.push(match read_table(&transaction, &name) {
            Ok(table) => table,
            Err(TableError::Database(error)) => return Err(failed(error)),
            Err(TableError::TooLarge(error)) => {
                let error = rusqlite::Error::ToSqlConversionFailure(error.into());
                return Err(failed(error));
            }
        });
    }
    Ok((tables, others))
}

fn open(path: &Path) -> rusqlite::Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let database = Connection::open_with_flags(path, flags)?;
    database.busy_timeout(BUSY_TIMEOUT)?;
    Ok(database)
}

fn read_database(path: &Path) -> rusqlite::Result<RawSnapshot> {
    let mut database = open(path)?;
    let transaction = database.transaction()?;
    let mut snapshot = RawSnapshot::default();
    let mut present: BTreeSet<&'static str> = BTreeSet::new();
    for name in relation_names(&transaction)? {
        match table_named(&name).filter(|table| table.eq_ignore_ascii_case(&name)) {
            Some(table) => _ = present.insert(table),
            None => snapshot.ignored.push(IgnoredPart::Relation(name)),
        }
    }
    for table in table_names().filter(|table| present.contains(table)) {
        match read_table(&transaction, table) {
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

fn read_table(transaction: &Transaction<'_>, name: &str) -> Result<RawTable, TableError> {
    let quoted = name.replace('"', "\"\"");
    let mut query = transaction.prepare(&format!("SELECT * FROM \"{quoted}\""))?;
    let columns: Vec<String> = query.column_names().map(str::to_owned).collect();
    let width = columns.len();
    let mut table = RawTable::new(name, columns, false);
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
