//! The tables or views of a schema in a PostgreSQL database as the raw tables of a snapshot
//! (specification 1.2, 4.1). One transaction reads all of them and sees one state. The case of
//! their names does not matter.
//!
//! Values are the server's texts, so that a NUMERIC of any scale is exact. The padding of CHAR is
//! ignored. A binary float, and a timestamp that is not midnight, are faults of their cells.

use std::collections::BTreeSet;
use std::time::Duration;

use backon::Retryable;
use futures::TryStreamExt;
use powerfill_ports::{StoreError, StoreFault};
use powerfill_snapshot::near::suggestion;
use powerfill_snapshot::{
    FaultCode, IgnoredPart, RawSnapshot, RawTable, SourceFault, TableLimit, TooLarge, table_named,
    table_names,
};
use tokio::time::timeout;
use tokio_postgres::error::SqlState;
use tokio_postgres::types::Type;
use tokio_postgres::{SimpleQueryMessage, SimpleQueryRow, Transaction};

use crate::errors::{server_answer, store_error};
use crate::pool::{ConnectionPool, begin_consistent_read};
use crate::retry::SOURCE;
use crate::sql_names::quoted;
use crate::url::PostgresUrl;
use crate::values::get;

/// How long a source may be silent while it lists or reads its tables. It is not asked again then.
const SILENCE: Duration = Duration::from_secs(120);

const FLOAT: &str = "a binary float; make the column NUMERIC, so that decimals stay exact";
const TIMESTAMP: &str = "a moment within a day; a date is expected";
const BYTES: &str = "bytes; a text or a number is expected";
const MONEY: &str = "a value of type MONEY, whose text depends on the server; cast it to NUMERIC";

/// The database cannot be reached or listed.
#[derive(Debug, thiserror::Error)]
#[error("the source {url} cannot be read: {}", in_words(source, url, None))]
pub struct PostgresSourceError {
    url: PostgresUrl,
    source: StoreError,
}

/// An error of a source, with what to do about it. The words of [`StoreError`] are those of a
/// store, which has other tables and other rights.
fn in_words(error: &StoreError, url: &PostgresUrl, table: Option<&str>) -> String {
    let Some(answer) = server_answer(error) else {
        return match error {
            StoreError::Unavailable(fault) | StoreError::Failed(fault) => fault.to_string(),
            other => other.to_string(),
        };
    };
    let user = url.config.get_user().map_or_else(|| "this user".to_owned(), bare_or_quoted);
    let schema = bare_or_quoted(url.schema.as_deref().unwrap_or("public"));
    match (answer.code(), table) {
        (&SqlState::INSUFFICIENT_PRIVILEGE, _) if answer.message().contains("for schema") => {
            format!(
                "the role {user} may not use the schema {schema}; GRANT USAGE ON SCHEMA {schema} \
                 TO {user}"
            )
        }
        (&SqlState::INSUFFICIENT_PRIVILEGE, Some(table)) => {
            let name = format!("{schema}.{}", bare_or_quoted(table));
            format!("the role {user} may not read {name}; GRANT SELECT ON {name} TO {user}")
        }
        (&SqlState::UNDEFINED_DATABASE, _) => {
            format!("{}; name another database in the URL", answer.message())
        }
        _ => answer.message().to_owned(),
    }
}

/// A name as a person writes it in SQL: in quotes only where it needs them.
fn bare_or_quoted(name: &str) -> String {
    let is_plain = name.starts_with(|c: char| c.is_ascii_lowercase() || c == '_')
        && name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_');
    if is_plain { name.to_owned() } else { quoted(name) }
}

/// Reads the input tables from the schema that the URL names, or else from `public`. Other tables
/// and views are listed as ignored.
///
/// # Errors
/// If the database cannot be reached or listed. A table that cannot be read is a fault in the
/// result.
pub async fn read(url: &PostgresUrl) -> Result<RawSnapshot, PostgresSourceError> {
    read_limited(url, TableLimit::default()).await
}

/// As [`read`], with tables of at most this size. A larger one is a fault, and is read no further.
///
/// # Errors
/// As of [`read`].
pub async fn read_limited(
    url: &PostgresUrl,
    limit: TableLimit,
) -> Result<RawSnapshot, PostgresSourceError> {
    (|| read_database(url, limit))
        .retry(SOURCE)
        .when(StoreError::is_transient)
        .await
        .map_err(|source| PostgresSourceError { url: url.clone(), source })
}

/// Reads the tables and views whose names `is_wanted` accepts, for a mapping. The others are listed
/// by name.
///
/// # Errors
/// If the database or one of the tables cannot be read, or a table is larger than the limit.
pub async fn read_wanted(
    url: &PostgresUrl,
    limit: TableLimit,
    is_wanted: impl Fn(&str) -> bool,
) -> Result<(Vec<RawTable>, Vec<String>), PostgresSourceError> {
    (|| read_wanted_tables(url, limit, &is_wanted))
        .retry(SOURCE)
        .when(StoreError::is_transient)
        .await
        .map_err(|source| PostgresSourceError { url: url.clone(), source })
}

async fn read_wanted_tables(
    url: &PostgresUrl,
    limit: TableLimit,
    is_wanted: &impl Fn(&str) -> bool,
) -> Result<(Vec<RawTable>, Vec<String>), StoreError> {
    let schema = url.schema.as_deref().unwrap_or("public");
    let pool = ConnectionPool::new(url)?;
    let mut client = pool.session().await?;
    let tx = begin_consistent_read(&mut client).await?;
    let (mut tables, mut others) = (Vec::new(), Vec::new());
    for name in relation_names(&tx, schema).await? {
        if !is_wanted(&name) {
            others.push(name);
            continue;
        }
        tables.push(match read_table(&tx, (schema, &name), &name, limit).await {
            Ok(table) => table,
            Err(TableReadError::Store(error)) => return Err(error),
            Err(TableReadError::TooLarge(error)) => {
                return Err(StoreError::Failed(StoreFault::caused_by(TooLarge::of(&name)(error))));
            }
        });
    }
    tx.commit().await.map_err(store_error)?;
    Ok((tables, others))
}

async fn read_database(url: &PostgresUrl, limit: TableLimit) -> Result<RawSnapshot, StoreError> {
    let schema = url.schema.as_deref().unwrap_or("public");
    let pool = ConnectionPool::new(url)?;
    let mut client = pool.session().await?;
    let mut tx = begin_consistent_read(&mut client).await?;
    let mut snapshot = RawSnapshot::default();
    let mut present: BTreeSet<(&'static str, String)> = BTreeSet::new();
    for name in relation_names(&tx, schema).await? {
        match table_named(&name).filter(|table| table.eq_ignore_ascii_case(&name)) {
            Some(table) => _ = present.insert((table, name)),
            None => snapshot.ignored.push(IgnoredPart::Relation(name)),
        }
    }
    for table in table_names() {
        let mut candidates = present.iter().filter(|(of, _)| *of == table);
        let Some((_, name)) = candidates.next() else { continue };
        let unreadable = |reason: String| SourceFault {
            table: table.to_owned(),
            code: FaultCode::Unreadable,
            reason,
        };
        if let Some((_, other)) = candidates.next() {
            snapshot.faults.push(unreadable(format!("{name:?} and {other:?} are both there")));
            continue;
        }
        // A savepoint: a table that cannot be read must not end the transaction.
        let inner = tx.transaction().await.map_err(store_error)?;
        match read_table(&inner, (schema, name), table, limit).await {
            Ok(read) => {
                inner.commit().await.map_err(store_error)?;
                snapshot.tables.push(read);
            }
            Err(TableReadError::Store(error)) if error.is_transient() => return Err(error),
            Err(error) => {
                inner.rollback().await.map_err(store_error)?;
                snapshot.faults.push(unreadable(match &error {
                    TableReadError::Store(error) => in_words(error, url, Some(name)),
                    TableReadError::TooLarge(error) => error.to_string(),
                }));
            }
        }
    }
    tx.commit().await.map_err(store_error)?;
    Ok(snapshot)
}

/// An answer of the server, which may be silent for two minutes.
async fn answered<T>(
    answer: impl Future<Output = Result<T, tokio_postgres::Error>>,
) -> Result<T, StoreError> {
    match timeout(SILENCE, answer).await {
        Ok(answer) => answer.map_err(store_error),
        Err(_) => Err(StoreError::Failed(
            format!("the server has been silent for {} s", SILENCE.as_secs()).into(),
        )),
    }
}

/// The tables and views of a schema.
async fn relation_names(tx: &Transaction<'_>, schema: &str) -> Result<Vec<String>, StoreError> {
    let schemas = answered(tx.query(
        r"SELECT nspname::text FROM pg_namespace
          WHERE nspname !~ '^pg_' AND nspname <> 'information_schema' ORDER BY 1",
        &[],
    ))
    .await?;
    let schemas: Vec<String> = schemas.iter().map(|row| get(row, 0)).collect::<Result<_, _>>()?;
    if !schemas.iter().any(|name| name == schema) {
        let near = suggestion(schema, schemas.iter().map(String::as_str));
        let names = schemas.join(", ");
        let message = format!("the database has no schema {schema}{near}; it has {names}");
        return Err(StoreError::Failed(message.into()));
    }
    let rows = answered(tx.query(
        "SELECT c.relname::text FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
         WHERE n.nspname = $1 AND c.relkind IN ('r', 'p', 'v', 'm', 'f') AND NOT c.relispartition
         ORDER BY 1",
        &[&schema],
    ))
    .await?;
    rows.iter().map(|row| get(row, 0)).collect()
}

#[derive(Debug, thiserror::Error)]
enum TableReadError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    TooLarge(#[from] TooLarge),
}

/// Reads a table as a stream of rows, so that only the result is in memory.
async fn read_table(
    tx: &Transaction<'_>,
    (schema, name): (&str, &str),
    table: &str,
    limit: TableLimit,
) -> Result<RawTable, TableReadError> {
    // The row after them says that there are more; the server sends no further ones.
    let rows = i64::try_from(limit.rows).unwrap_or(i64::MAX).saturating_add(1);
    let sql = format!("SELECT * FROM {}.{} LIMIT {rows}", quoted(schema), quoted(name));
    let statement = answered(tx.prepare(&sql)).await?;
    let (columns, types): (Vec<String>, Vec<Type>) = statement
        .columns()
        .iter()
        .map(|column| (column.name().to_owned(), column.type_().clone()))
        .unzip();
    let mut raw = RawTable::new(table, columns, false).within(limit);
    let rows = answered(tx.client().simple_query_raw(&sql)).await?;
    futures::pin_mut!(rows);
    while let Some(message) = answered(rows.try_next()).await? {
        if let SimpleQueryMessage::Row(row) = message {
            push_row(&mut raw, &types, &row)?;
        }
    }
    Ok(raw)
}

fn push_row(
    table: &mut RawTable,
    types: &[Type],
    row: &SimpleQueryRow,
) -> Result<(), TableReadError> {
    for (at, sql_type) in types.iter().enumerate() {
        let text = row.try_get(at).map_err(store_error)?.unwrap_or_default();
        match *sql_type {
            Type::BOOL => table.push_cell(match text {
                "t" => "Y",
                "f" => "N",
                other => other,
            }),
            Type::FLOAT4 | Type::FLOAT8 if !text.is_empty() => table.push_unfit(text, FLOAT),
            Type::MONEY if !text.is_empty() => table.push_unfit(text, MONEY),
            Type::BYTEA if !text.is_empty() => table.push_unfit("", BYTES),
            Type::TIMESTAMP | Type::TIMESTAMPTZ if !text.is_empty() => match day_of(text) {
                Some(day) => table.push_cell(day),
                None => table.push_unfit(text, TIMESTAMP),
            },
            _ => table.push_cell(text),
        }?;
    }
    Ok(table.end_row()?)
}

/// The date of a timestamp at midnight, in the session's time zone UTC.
fn day_of(timestamp: &str) -> Option<&str> {
    let timestamp = timestamp.strip_suffix("+00").unwrap_or(timestamp);
    timestamp.strip_suffix(" 00:00:00")
}
