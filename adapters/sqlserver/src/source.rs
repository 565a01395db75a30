//! The tables or views of a SQL Server database as the raw tables of a snapshot (specification 1.2, 4.1): those of a
//! schema, in one transaction of snapshot isolation, row by row as they come.
//!
//! Values are decoded by their declared types: NUMERIC is exact, MONEY is cast to a decimal by the server since the
//! protocol has it as a float, CHAR's padding does not count, BIT is Y or N, a moment that is not a day is refused.

use std::time::Duration;

use futures::TryStreamExt;
use powerfill_domain::snapshot::{
    FaultCode, RawSnapshot, RawTable, SourceFault, TooLarge, table_named, table_names,
};
use tiberius::QueryItem;
use tiberius::error::Error;

use crate::cell::{Cell, cell};
use crate::connect::{Connection, advice, batch, connect, is_passing, number, quoted, said};
use crate::url::MssqlUrl;

/// Attempts to read, with growing pauses: nothing has been decided yet.
const ATTEMPTS: u32 = 4;
const FIRST_PAUSE: Duration = Duration::from_millis(200);

/// The columns of a schema's tables and views, in order.
const COLUMNS: &str = "SELECT TABLE_NAME, COLUMN_NAME, DATA_TYPE FROM INFORMATION_SCHEMA.COLUMNS \
                       WHERE TABLE_SCHEMA = @P1 ORDER BY TABLE_NAME, ORDINAL_POSITION";

/// There is no table of that name.
const NO_SUCH_TABLE: u32 = 208;

/// Snapshot isolation is off in the database.
const NO_SNAPSHOT_ISOLATION: u32 = 3_952;

/// The database as a whole cannot be read.
#[derive(Debug, thiserror::Error)]
#[error("the database {url} cannot be read: {doing}: {fault}; {advice}")]
pub struct SourceUnreadable {
    url: MssqlUrl,
    /// What was under way.
    doing: String,
    fault: String,
    advice: &'static str,
}

impl SourceUnreadable {
    pub(crate) fn new(url: &MssqlUrl, Broken(doing, error): &Broken) -> Self {
        let (doing, fault) = (doing.clone(), said(error));
        Self { url: url.clone(), doing, fault, advice: advice(url, error) }
    }

    pub(crate) fn too_large(url: &MssqlUrl, table: &str, fault: &TooLarge) -> Self {
        let (doing, fault) = (reading(table), fault.to_string());
        Self { url: url.clone(), doing, fault, advice: "read less of it, through a view" }
    }
}

/// What was under way when the server failed, and how.
pub(crate) struct Broken(pub(crate) String, pub(crate) Error);

/// Says what is under way.
pub(crate) fn at(doing: impl Into<String>) -> impl FnOnce(Error) -> Broken {
    move |error| Broken(doing.into(), error)
}

/// The words for reading a table.
pub(crate) fn reading(table: &str) -> String {
    format!("reading {table}")
}

/// Reads the tables of 1.2, or views of those names, from the URL's schema. Others are left alone and listed as ignored.
/// A lost connection is tried again, from the beginning, with growing pauses. Where the database does not allow snapshot
/// isolation, they are read one after the other, and a warning says so.
///
/// # Errors
/// Only where the database cannot be reached or read; a table that cannot be read is a fault of its own.
pub async fn read(url: &MssqlUrl) -> Result<RawSnapshot, SourceUnreadable> {
    let (mut pause, mut attempt) = (FIRST_PAUSE, 1);
    loop {
        match read_database(url).await {
            Err(Broken(_, error)) if is_passing(&error) && attempt < ATTEMPTS => {
                tokio::time::sleep(pause).await;
                pause *= 2;
                attempt += 1;
            }
            read => return read.map_err(|broken| SourceUnreadable::new(url, &broken)),
        }
    }
}

async fn read_database(url: &MssqlUrl) -> Result<RawSnapshot, Broken> {
    let mut client = connect(url).await.map_err(at("connecting"))?;
    let listed = columns(&mut client, &url.schema).await.map_err(at("listing its tables"))?;
    let mut snapshot = RawSnapshot::default();
    let other = listed.iter().filter(|(name, _)| table_named(name).is_none());
    snapshot.ignored.extend(other.map(|(name, _)| name.clone()));
    let mut tables = Vec::new();
    for table in table_names() {
        let found = listed.iter().find(|(name, _)| table_named(name) == Some(table));
        let name = found.map_or(table, |(name, _)| name);
        match (look(&mut client, &url.schema, name).await, found) {
            (Ok(Looked::Readable), Some(found)) => tables.push((table, found)),
            (Ok(Looked::Absent), _) => {}
            // A synonym, say, whose columns the catalog does not list.
            (Ok(Looked::Readable), None) => {
                let reason = "it is no table and no view; make a view of it";
                snapshot.faults.push(unreadable(url, table, name, reason));
            }
            (Ok(Looked::Refused(reason)), _) => {
                snapshot.faults.push(unreadable(url, table, name, &reason));
            }
            (Err(error), _) => return Err(Broken(reading(name), error)),
        }
    }
    let first = tables.first().map(|(_, (name, _))| name);
    let warning = begin(&mut client, url, first).await.map_err(at("beginning a transaction"))?;
    snapshot.warnings.extend(warning);
    for (table, (name, columns)) in tables {
        let names = columns.iter().map(|(name, _)| name.clone()).collect();
        let raw = RawTable::new(table, names, false);
        match read_rows(&mut client, &url.schema, raw, name, columns).await {
            Ok(read) => snapshot.tables.push(read),
            Err(Unreadable::Server(error))
                if !matches!(error, Error::Server(_)) || is_passing(&error) =>
            {
                return Err(Broken(reading(name), error));
            }
            Err(fault) => snapshot.faults.push(unreadable(url, table, name, &fault.to_string())),
        }
    }
    // Everything is read; what becomes of the transaction changes nothing.
    let _ = batch(&mut client, "IF @@TRANCOUNT > 0 COMMIT TRANSACTION").await;
    Ok(snapshot)
}

fn unreadable(url: &MssqlUrl, table: &str, name: &str, reason: &str) -> SourceFault {
    let reason = format!("{}.{name}: {reason}", url.schema);
    SourceFault { table: table.to_owned(), code: FaultCode::Unreadable, reason }
}

/// What a table is to whoever asks.
enum Looked {
    Readable,
    /// There is none of that name.
    Absent,
    /// It is there, and may not be read, or not all of it.
    Refused(String),
}

/// Looks at a table without reading it. The catalog does not list what somebody may not see, so that a table that it does
/// not list may be there: taken for an empty one, it would change what a run decides.
async fn look(client: &mut Connection, schema: &str, name: &str) -> Result<Looked, Error> {
    let sql = format!("SELECT TOP (0) * FROM {}.{}", quoted(schema), quoted(name));
    match batch(client, &sql).await {
        Ok(_) => Ok(Looked::Readable),
        Err(Error::Server(token)) if number(&token) == NO_SUCH_TABLE => Ok(Looked::Absent),
        Err(error) if is_passing(&error) => Err(error),
        Err(error @ Error::Server(_)) => Ok(Looked::Refused(said(&error))),
        Err(error) => Err(error),
    }
}

/// A table's name and its columns: names and declared types.
pub(crate) type Table = (String, Vec<(String, String)>);

pub(crate) async fn columns(client: &mut Connection, schema: &str) -> Result<Vec<Table>, Error> {
    let rows = client.query(COLUMNS, &[&schema]).await?.into_first_result().await?;
    let mut tables: Vec<Table> = Vec::new();
    for row in rows {
        let text = |at: usize| row.try_get::<&str, _>(at).map(|text| text.unwrap_or("").to_owned());
        let (name, column) = (text(0)?, (text(1)?, text(2)?));
        match tables.last_mut() {
            Some((last, columns)) if *last == name => columns.push(column),
            _ => tables.push((name, vec![column])),
        }
    }
    Ok(tables)
}

/// Begins the transaction; the warning where the database has no snapshot isolation. It refuses where a table is first
/// read, so that one is asked at once.
async fn begin(
    client: &mut Connection,
    url: &MssqlUrl,
    first: Option<&String>,
) -> Result<Option<String>, Error> {
    batch(client, "SET TRANSACTION ISOLATION LEVEL SNAPSHOT; BEGIN TRANSACTION").await?;
    let Some(first) = first else { return Ok(None) };
    let look = format!("SELECT TOP (0) * FROM {}.{}", quoted(&url.schema), quoted(first));
    match batch(client, &look).await {
        Ok(_) => Ok(None),
        Err(Error::Server(token)) if token.code() == NO_SNAPSHOT_ISOLATION => {
            let again = "IF @@TRANCOUNT > 0 ROLLBACK TRANSACTION; \
                         SET TRANSACTION ISOLATION LEVEL READ COMMITTED";
            batch(client, again).await?;
            Ok(Some(format!(
                "{url} does not allow snapshot isolation: its tables were read one after the other, and may be of \
                 different moments; ALTER DATABASE … SET ALLOW_SNAPSHOT_ISOLATION ON"
            )))
        }
        Err(error) => Err(error),
    }
}

#[derive(Debug, thiserror::Error)]
pub(crate) enum Unreadable {
    #[error(transparent)]
    Server(#[from] Error),
    #[error(transparent)]
    TooLarge(#[from] TooLarge),
}

/// Reads the rows of a table as they come, in no order of their own.
pub(crate) async fn read_rows(
    client: &mut Connection,
    schema: &str,
    mut raw: RawTable,
    name: &str,
    columns: &[(String, String)],
) -> Result<RawTable, Unreadable> {
    let listed: Vec<String> = columns.iter().map(|(name, of)| selected(name, of)).collect();
    let sql = format!("SELECT {} FROM {}.{}", listed.join(", "), quoted(schema), quoted(name));
    let mut items = client.simple_query(sql).await?;
    while let Some(item) = items.try_next().await? {
        let QueryItem::Row(row) = item else { continue };
        for (_, value) in row.cells() {
            match cell(value) {
                Cell::Text(text) => raw.push_cell(&text),
                Cell::Unfit(text, reason) => raw.push_unfit(&text, reason),
            }?;
        }
        raw.end_row()?;
    }
    Ok(raw)
}

/// A column as it is asked for.
fn selected(name: &str, declared: &str) -> String {
    let name = quoted(name);
    match declared.to_ascii_lowercase().as_str() {
        "money" | "smallmoney" => format!("CAST({name} AS decimal(19, 4)) AS {name}"),
        _ => name,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn money_is_asked_for_as_a_decimal() {
        assert_eq!(selected("price", "MONEY"), "CAST([price] AS decimal(19, 4)) AS [price]");
        assert_eq!(selected("price", "numeric"), "[price]");
    }
}
