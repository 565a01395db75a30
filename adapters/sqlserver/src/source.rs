//! The tables or views of a SQL Server schema as the raw tables of a snapshot (specification 1.2,
//! 4.1), read in one transaction of snapshot isolation, row by row as the server sends them.
//!
//! Values are decoded by their declared types: NUMERIC is exact; the server casts MONEY to a
//! decimal, because the protocol sends it as a float; the padding of CHAR is ignored; BIT becomes Y
//! or N; a moment within a day is rejected.

use std::time::Duration;

use futures::TryStreamExt;
use powerfill_ports::retry::RetryPolicy;
use powerfill_snapshot::{
    FaultCode, IgnoredPart, RawSnapshot, RawTable, SourceFault, TableLimit, TableTooLarge,
    TooLarge, input_table, table_named, table_names,
};
use tiberius::QueryItem;
use tiberius::error::{Error, TokenError};

use crate::cell::{DecodedValue, decode};
use crate::connect::{
    Connection, advice, batch, connect, error_number, error_text, is_transient, quoted,
};
use crate::url::MssqlUrl;

/// Reading changes nothing, so a lost connection starts it again from the beginning.
const RETRY: RetryPolicy =
    RetryPolicy::attempts(4, Duration::from_millis(200), Duration::from_secs(2));

/// The columns of a schema's tables and views, in order.
const COLUMNS: &str = "SELECT TABLE_NAME, COLUMN_NAME, DATA_TYPE FROM INFORMATION_SCHEMA.COLUMNS \
                       WHERE TABLE_SCHEMA = @P1 ORDER BY TABLE_NAME, ORDINAL_POSITION";

/// The number of the error "invalid object name".
const NO_SUCH_TABLE: u32 = 208;

/// The number of the error for a database that does not allow snapshot isolation. The server
/// reports it when the transaction first reads data.
const NO_SNAPSHOT_ISOLATION: u32 = 3_952;

/// The database as a whole cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum MssqlSourceError {
    /// The server, or the way to it, failed.
    #[error(
        "the database {url} cannot be read: {activity}: {}; {}",
        error_text(source),
        advice(url, source)
    )]
    Server {
        /// The database; printed without its password.
        url: Box<MssqlUrl>,
        /// What failed, as a participle phrase: "connecting".
        activity: String,
        /// The driver's error.
        source: Error,
    },
    /// A table exceeds the size of a raw table.
    #[error("the database {url} cannot be read: table {source}; read fewer rows, by a view")]
    TooLarge {
        /// The database; printed without its password.
        url: Box<MssqlUrl>,
        /// The table, and the exceeded limit.
        source: TableTooLarge,
    },
}

impl MssqlSourceError {
    pub(crate) fn new(url: &MssqlUrl, ServerFailure { activity, source }: ServerFailure) -> Self {
        Self::Server { url: Box::new(url.clone()), activity, source }
    }

    pub(crate) fn too_large(url: &MssqlUrl, table: &str, source: TooLarge) -> Self {
        Self::TooLarge { url: Box::new(url.clone()), source: TooLarge::of(table)(source) }
    }
}

/// An error of the server, and the activity that it interrupted.
pub(crate) struct ServerFailure {
    activity: String,
    source: Error,
}

impl ServerFailure {
    /// For `map_err`: the failure of an activity.
    pub(crate) fn during(activity: impl Into<String>) -> impl FnOnce(Error) -> Self {
        move |source| Self { activity: activity.into(), source }
    }
}

/// The activity of reading a table.
pub(crate) fn reading(table: &str) -> String {
    format!("reading {table}")
}

/// Reads the tables of 1.2, or views of these names, from the URL's schema. Lists other tables as
/// ignored. If the database does not allow snapshot isolation, reads one table after the other and
/// adds a warning.
///
/// # Errors
/// Only if the database cannot be reached or read; a table that cannot be read becomes a fault of
/// the snapshot.
pub async fn read(url: &MssqlUrl) -> Result<RawSnapshot, MssqlSourceError> {
    read_limited(url, TableLimit::default()).await
}

/// As [`read`], with tables of at most this size. A larger one is a fault, and is read no further.
///
/// # Errors
/// As of [`read`].
pub async fn read_limited(
    url: &MssqlUrl,
    limit: TableLimit,
) -> Result<RawSnapshot, MssqlSourceError> {
    let mut consistency = ReadConsistency::Snapshot;
    loop {
        let attempt = || read_database(url, consistency, limit);
        match RETRY.retry(attempt, |failure| is_transient(&failure.source)).await {
            Err(ServerFailure { source: Error::Server(token), .. })
                if no_snapshot(&token) && consistency == ReadConsistency::Snapshot =>
            {
                consistency = ReadConsistency::PerTable;
            }
            read => return read.map_err(|failure| MssqlSourceError::new(url, failure)),
        }
    }
}

/// What the rows of different tables have in common.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum ReadConsistency {
    /// One transaction reads all tables as of one moment.
    Snapshot,
    /// Each table is read as of a moment of its own.
    PerTable,
}

impl ReadConsistency {
    const fn begin_sql(self) -> &'static str {
        match self {
            Self::Snapshot => "SET TRANSACTION ISOLATION LEVEL SNAPSHOT; BEGIN TRANSACTION",
            Self::PerTable => "SET TRANSACTION ISOLATION LEVEL READ COMMITTED",
        }
    }

    /// The warning for the log of a run.
    fn warning(self, url: &MssqlUrl) -> Option<String> {
        (self == Self::PerTable).then(|| {
            format!(
                "{url} does not allow snapshot isolation: its tables were read one after the \
                 other, and may be of different moments; ALTER DATABASE … SET \
                 ALLOW_SNAPSHOT_ISOLATION ON"
            )
        })
    }
}

fn no_snapshot(token: &TokenError) -> bool {
    error_number(token) == NO_SNAPSHOT_ISOLATION
}

async fn read_database(
    url: &MssqlUrl,
    consistency: ReadConsistency,
    limit: TableLimit,
) -> Result<RawSnapshot, ServerFailure> {
    let mut client = connect(url).await.map_err(ServerFailure::during("connecting"))?;
    let mut snapshot = RawSnapshot::default();
    let tables = readable_tables(&mut client, url, &mut snapshot).await?;
    let begun = batch(&mut client, consistency.begin_sql()).await;
    begun.map_err(ServerFailure::during("beginning a transaction"))?;
    snapshot.warnings.extend(consistency.warning(url));
    for (table, listed) in tables {
        let raw = RawTable::new(table, listed.column_names(), false).within(limit);
        match read_rows(&mut client, &url.schema, raw, &listed, limit).await {
            Ok(read) => snapshot.tables.push(read),
            Err(ReadTableError::Server(error)) if !is_table_error(&error) => {
                return Err(ServerFailure::during(reading(&listed.name))(error));
            }
            Err(error) => {
                let reason = error.to_string();
                let code = FaultCode::Unreadable;
                snapshot.faults.push(table_fault(url, table, &listed.name, code, &reason));
            }
        }
    }
    // All rows are here; whether the commit succeeds does not matter.
    let _ = batch(&mut client, "IF @@TRANCOUNT > 0 COMMIT TRANSACTION").await;
    Ok(snapshot)
}

/// The tables of 1.2 that can be read, each with its name in 1.2. The others become faults of the
/// snapshot, or are ignored.
async fn readable_tables(
    client: &mut Connection,
    url: &MssqlUrl,
    snapshot: &mut RawSnapshot,
) -> Result<Vec<(&'static str, ListedTable)>, ServerFailure> {
    let listed = list_tables(client, &url.schema).await;
    let listed = listed.map_err(ServerFailure::during("listing its tables"))?;
    let ignored = listed.iter().filter(|table| table_named(&table.name).is_none());
    snapshot.ignored.extend(ignored.map(|table| IgnoredPart::Relation(table.name.clone())));
    let mut tables = Vec::new();
    for table in table_names() {
        let found = listed.iter().find(|listed| table_named(&listed.name) == Some(table));
        let name = found.map_or(table, |listed| &listed.name);
        let access = probe_table(client, &url.schema, name).await;
        let (code, reason) = match access.map_err(ServerFailure::during(reading(name)))? {
            TableAccess::Readable => match found {
                Some(listed) => {
                    tables.push((table, listed.clone()));
                    continue;
                }
                // A synonym, for example: the catalog does not list its columns.
                None => {
                    let reason = "it is neither a table nor a view; make a view of it";
                    (FaultCode::Unreadable, reason.to_owned())
                }
            },
            TableAccess::Missing if input_table(table).is_some_and(|table| table.is_required) => {
                let reason = "there is no such table or view, or the user has no right to see it";
                (FaultCode::MissingTable, reason.to_owned())
            }
            TableAccess::Missing => continue,
            TableAccess::Denied(reason) => (FaultCode::Unreadable, reason),
        };
        snapshot.faults.push(table_fault(url, table, name, code, &reason));
    }
    Ok(tables)
}

/// Whether an error concerns one table only, and not the transaction or the connection.
fn is_table_error(error: &Error) -> bool {
    matches!(error, Error::Server(token) if !no_snapshot(token)) && !is_transient(error)
}

fn table_fault(
    url: &MssqlUrl,
    table: &str,
    name: &str,
    code: FaultCode,
    reason: &str,
) -> SourceFault {
    let reason = format!("{}.{name}: {reason}", url.schema);
    SourceFault { table: table.to_owned(), code, reason }
}

/// Whether the user may read a table.
enum TableAccess {
    Readable,
    /// There is no table of this name.
    Missing,
    /// The table exists, and the server refuses to read it or a part of it, with this message.
    Denied(String),
}

/// Tries to select no rows of a table. The catalog does not list tables that the user may not see,
/// so a table that it does not list may exist; to treat it as empty would change what a run
/// decides.
async fn probe_table(
    client: &mut Connection,
    schema: &str,
    name: &str,
) -> Result<TableAccess, Error> {
    let sql = format!("SELECT TOP (0) * FROM {}.{}", quoted(schema), quoted(name));
    match batch(client, &sql).await {
        Ok(_) => Ok(TableAccess::Readable),
        Err(Error::Server(token)) if error_number(&token) == NO_SUCH_TABLE => {
            Ok(TableAccess::Missing)
        }
        Err(error) if is_transient(&error) => Err(error),
        Err(error @ Error::Server(_)) => Ok(TableAccess::Denied(error_text(&error))),
        Err(error) => Err(error),
    }
}

/// A table or view of the catalog.
#[derive(Debug, Clone)]
pub(crate) struct ListedTable {
    pub(crate) name: String,
    /// Names and declared types.
    columns: Vec<(String, String)>,
}

impl ListedTable {
    pub(crate) fn column_names(&self) -> Vec<String> {
        self.columns.iter().map(|(name, _)| name.clone()).collect()
    }
}

pub(crate) async fn list_tables(
    client: &mut Connection,
    schema: &str,
) -> Result<Vec<ListedTable>, Error> {
    let rows = client.query(COLUMNS, &[&schema]).await?.into_first_result().await?;
    let mut tables: Vec<ListedTable> = Vec::new();
    for row in rows {
        let text = |at: usize| row.try_get::<&str, _>(at).map(|text| text.unwrap_or("").to_owned());
        let (name, column) = (text(0)?, (text(1)?, text(2)?));
        match tables.last_mut() {
            Some(last) if last.name == name => last.columns.push(column),
            _ => tables.push(ListedTable { name, columns: vec![column] }),
        }
    }
    Ok(tables)
}

#[derive(Debug, thiserror::Error)]
pub(crate) enum ReadTableError {
    #[error(transparent)]
    Server(#[from] Error),
    #[error(transparent)]
    TooLarge(#[from] TooLarge),
}

/// Reads the rows of a table, in the order in which the server sends them.
pub(crate) async fn read_rows(
    client: &mut Connection,
    schema: &str,
    mut raw: RawTable,
    table: &ListedTable,
    limit: TableLimit,
) -> Result<RawTable, ReadTableError> {
    let columns = table.columns.iter().map(|(name, sql_type)| select_expression(name, sql_type));
    let columns = columns.collect::<Vec<_>>().join(", ");
    // The row after them says that there are more; the server sends no further ones.
    let top = match i64::try_from(limit.rows) {
        Ok(most) => format!("TOP ({}) ", most.saturating_add(1)),
        Err(_) => String::new(),
    };
    let sql = format!("SELECT {top}{columns} FROM {}.{}", quoted(schema), quoted(&table.name));
    let mut items = client.simple_query(sql).await?;
    while let Some(item) = items.try_next().await? {
        let QueryItem::Row(row) = item else { continue };
        for (_, value) in row.cells() {
            match decode(value) {
                DecodedValue::Text(text) => raw.push_cell(&text),
                DecodedValue::Rejected(text, reason) => raw.push_unfit(&text, reason),
            }?;
        }
        raw.end_row()?;
    }
    Ok(raw)
}

fn select_expression(name: &str, sql_type: &str) -> String {
    let name = quoted(name);
    match sql_type.to_ascii_lowercase().as_str() {
        "money" | "smallmoney" => format!("CAST({name} AS decimal(19, 4)) AS {name}"),
        _ => name,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn money_is_selected_as_a_decimal() {
        let money = select_expression("price", "MONEY");
        assert_eq!(money, "CAST([price] AS decimal(19, 4)) AS [price]");
        assert_eq!(select_expression("price", "numeric"), "[price]");
    }
}
