//! The tables or views of a PostgreSQL database as the raw tables of a snapshot (specification 1.2, 4.1): those of a
//! schema, by whatever case their names have, in one transaction that only reads and sees one moment.
//!
//! Values come as the server writes them, so that a NUMERIC is exact whatever its scale; the padding of CHAR does not
//! count. A binary float and a moment that is not a day are refused with their place.

use std::collections::BTreeSet;
use std::time::Duration;

use futures::TryStreamExt;
use powerfill_ports::StoreError;
use powerfill_snapshot::{
    FaultCode, RawSnapshot, RawTable, SourceFault, TooLarge, table_named, table_names,
};
use tokio_postgres::types::Type;
use tokio_postgres::{SimpleQueryMessage, SimpleQueryRow, Transaction};

use crate::bytes_in::get;
use crate::fault::fault;
use crate::pool::{Connections, one_moment};
use crate::staging::quoted;
use crate::url::PostgresUrl;

/// Attempts to read, with growing pauses: nothing has been decided yet.
const ATTEMPTS: u32 = 4;
const FIRST_PAUSE: Duration = Duration::from_millis(200);

const FLOAT: &str = "a binary float; make the column NUMERIC, so that decimals stay exact";
const MOMENT: &str = "a moment within a day; a date is expected";
const BYTES: &str = "bytes; a text or a number is expected";

/// The database as a whole cannot be read.
#[derive(Debug, thiserror::Error)]
#[error("the database {url} cannot be read: {source}")]
pub struct SourceUnreadable {
    url: PostgresUrl,
    source: StoreError,
}

/// Reads the tables of 1.2 from the schema that the URL names, else from `public`. Other tables and views are left alone
/// and listed as ignored.
///
/// # Errors
/// Only where the database cannot be reached or read; a table that cannot be read is a fault of its own.
pub async fn read(url: &PostgresUrl) -> Result<RawSnapshot, SourceUnreadable> {
    let mut pause = FIRST_PAUSE;
    let mut attempt = 1;
    loop {
        match read_database(url).await {
            Err(error) if error.is_transient() && attempt < ATTEMPTS => {
                tokio::time::sleep(pause).await;
                pause *= 2;
                attempt += 1;
            }
            read => return read.map_err(|source| SourceUnreadable { url: url.clone(), source }),
        }
    }
}

async fn read_database(url: &PostgresUrl) -> Result<RawSnapshot, StoreError> {
    let schema = url.schema.as_deref().unwrap_or("public");
    let connections = Connections::new(url)?;
    let mut client = connections.get().await?;
    let mut tx = one_moment(&mut client).await?;
    let mut snapshot = RawSnapshot::default();
    let mut present: BTreeSet<(&'static str, String)> = BTreeSet::new();
    for name in names(&tx, schema).await? {
        match table_named(&name).filter(|table| table.eq_ignore_ascii_case(&name)) {
            Some(table) => _ = present.insert((table, name)),
            None => snapshot.ignored.push(name),
        }
    }
    for table in table_names() {
        let mut named = present.iter().filter(|(of, _)| *of == table);
        let Some((_, name)) = named.next() else { continue };
        let unreadable = |reason: String| SourceFault {
            table: table.to_owned(),
            code: FaultCode::Unreadable,
            reason,
        };
        if let Some((_, other)) = named.next() {
            snapshot.faults.push(unreadable(format!("{name:?} and {other:?} are both there")));
            continue;
        }
        // A table that cannot be read must not end the transaction of the others.
        let inner = tx.transaction().await.map_err(fault)?;
        match read_table(&inner, schema, table, name).await {
            Ok(read) => {
                inner.commit().await.map_err(fault)?;
                snapshot.tables.push(read);
            }
            Err(Unreadable::Store(error)) if error.is_transient() => return Err(error),
            Err(unfit) => {
                inner.rollback().await.map_err(fault)?;
                snapshot.faults.push(unreadable(unfit.to_string()));
            }
        }
    }
    tx.commit().await.map_err(fault)?;
    Ok(snapshot)
}

/// The tables and views of a schema.
async fn names(tx: &Transaction<'_>, schema: &str) -> Result<Vec<String>, StoreError> {
    let found = tx
        .query_opt("SELECT FROM pg_namespace WHERE nspname = $1", &[&schema])
        .await
        .map_err(fault)?;
    if found.is_none() {
        return Err(StoreError::Failed(format!("it has no schema {schema}")));
    }
    let rows = tx
        .query(
            "SELECT c.relname::text FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
             WHERE n.nspname = $1 AND c.relkind IN ('r', 'p', 'v', 'm', 'f') AND NOT c.relispartition
             ORDER BY 1",
            &[&schema],
        )
        .await
        .map_err(fault)?;
    rows.iter().map(|row| get(row, 0)).collect()
}

#[derive(Debug, thiserror::Error)]
enum Unreadable {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    TooLarge(#[from] TooLarge),
}

/// Reads a table, row by row as they come.
async fn read_table(
    tx: &Transaction<'_>,
    schema: &str,
    table: &'static str,
    name: &str,
) -> Result<RawTable, Unreadable> {
    let sql = format!("SELECT * FROM {}.{}", quoted(schema), quoted(name));
    let statement = tx.prepare(&sql).await.map_err(fault)?;
    let (columns, types): (Vec<String>, Vec<Type>) = statement
        .columns()
        .iter()
        .map(|column| (column.name().to_owned(), column.type_().clone()))
        .unzip();
    let mut raw = RawTable::new(table, columns, false);
    let rows = tx.client().simple_query_raw(&sql).await.map_err(fault)?;
    futures::pin_mut!(rows);
    while let Some(message) = rows.try_next().await.map_err(fault)? {
        if let SimpleQueryMessage::Row(row) = message {
            push_row(&mut raw, &types, &row)?;
        }
    }
    Ok(raw)
}

fn push_row(table: &mut RawTable, types: &[Type], row: &SimpleQueryRow) -> Result<(), Unreadable> {
    for (at, sql_type) in types.iter().enumerate() {
        let text = row.try_get(at).map_err(fault)?.unwrap_or_default();
        match *sql_type {
            Type::BOOL => table.push_cell(match text {
                "t" => "Y",
                "f" => "N",
                other => other,
            }),
            Type::FLOAT4 | Type::FLOAT8 if !text.is_empty() => table.push_unfit(text, FLOAT),
            Type::BYTEA if !text.is_empty() => table.push_unfit("", BYTES),
            Type::TIMESTAMP | Type::TIMESTAMPTZ if !text.is_empty() => match day_of(text) {
                Some(day) => table.push_cell(day),
                None => table.push_unfit(text, MOMENT),
            },
            _ => table.push_cell(text),
        }?;
    }
    Ok(table.end_row()?)
}

/// The day of a moment at its very beginning (in UTC, as the session has it).
fn day_of(moment: &str) -> Option<&str> {
    let moment = moment.strip_suffix("+00").unwrap_or(moment);
    moment.strip_suffix(" 00:00:00")
}
