//! The tables or views of a SQL Server database as the raw tables of a snapshot (specification 1.2, 4.1): those of a
//! schema, in one transaction of snapshot isolation, row by row as they come.
//!
//! Values are decoded by their declared types: NUMERIC is exact, MONEY is cast to a decimal by the server since the
//! protocol has it as a float, CHAR's padding does not count, BIT is Y or N, a moment that is not a day is refused.

use std::time::Duration;

use futures::TryStreamExt;
use powerfill_snapshot::{
    FaultCode, RawSnapshot, RawTable, SourceFault, TooLarge, input_table, table_named, table_names,
};
use tiberius::QueryItem;
use tiberius::error::{Error, TokenError};

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

/// Snapshot isolation is off in the database; it says so where data is first read.
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
    let (mut pause, mut attempt, mut moments) = (FIRST_PAUSE, 1, Moments::One);
    loop {
        match read_database(url, moments).await {
            Err(Broken(_, Error::Server(token)))
                if no_snapshot(&token) && moments == Moments::One =>
            {
                moments = Moments::Several;
            }
            Err(Broken(_, error)) if is_passing(&error) && attempt < ATTEMPTS => {
                tokio::time::sleep(pause).await;
                pause *= 2;
                attempt += 1;
            }
            read => return read.map_err(|broken| SourceUnreadable::new(url, &broken)),
        }
    }
}

/// Of how many moments the tables are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Moments {
    /// One transaction sees them all.
    One,
    /// The database does not allow that.
    Several,
}

impl Moments {
    /// How to begin.
    const fn begin(self) -> &'static str {
        match self {
            Self::One => "SET TRANSACTION ISOLATION LEVEL SNAPSHOT; BEGIN TRANSACTION",
            Self::Several => "SET TRANSACTION ISOLATION LEVEL READ COMMITTED",
        }
    }

    /// What the log of a run says of it.
    fn warning(self, url: &MssqlUrl) -> Option<String> {
        (self == Self::Several).then(|| {
            format!(
                "{url} does not allow snapshot isolation: its tables were read one after the other, and may be of \
                 different moments; ALTER DATABASE … SET ALLOW_SNAPSHOT_ISOLATION ON"
            )
        })
    }
}

fn no_snapshot(token: &TokenError) -> bool {
    number(token) == NO_SNAPSHOT_ISOLATION
}

async fn read_database(url: &MssqlUrl, moments: Moments) -> Result<RawSnapshot, Broken> {
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
            (Ok(Looked::Absent), _)
                if input_table(table).is_some_and(|table| table.is_required) =>
            {
                let reason = "there is no such table or view, or the user may not know of it";
                snapshot.faults.push(fault(url, table, name, FaultCode::MissingTable, reason));
            }
            (Ok(Looked::Absent), _) => {}
            // A synonym, say, whose columns the catalog does not list.
            (Ok(Looked::Readable), None) => {
                let reason = "it is no table and no view; make a view of it";
                snapshot.faults.push(fault(url, table, name, FaultCode::Unreadable, reason));
            }
            (Ok(Looked::Refused(reason)), _) => {
                snapshot.faults.push(fault(url, table, name, FaultCode::Unreadable, &reason));
            }
            (Err(error), _) => return Err(Broken(reading(name), error)),
        }
    }
    batch(&mut client, moments.begin()).await.map_err(at("beginning a transaction"))?;
    snapshot.warnings.extend(moments.warning(url));
    for (table, (name, columns)) in tables {
        let names = columns.iter().map(|(name, _)| name.clone()).collect();
        let raw = RawTable::new(table, names, false);
        match read_rows(&mut client, &url.schema, raw, name, columns).await {
            Ok(read) => snapshot.tables.push(read),
            // A fault of one table is that table's; what concerns the whole read ends it.
            Err(Unreadable::Server(error)) if !is_of_the_table(&error) => {
                return Err(Broken(reading(name), error));
            }
            Err(broken) => {
                let reason = broken.to_string();
                snapshot.faults.push(fault(url, table, name, FaultCode::Unreadable, &reason));
            }
        }
    }
    // Everything is read; what becomes of the transaction changes nothing.
    let _ = batch(&mut client, "IF @@TRANCOUNT > 0 COMMIT TRANSACTION").await;
    Ok(snapshot)
}

fn is_of_the_table(error: &Error) -> bool {
    matches!(error, Error::Server(token) if !no_snapshot(token)) && !is_passing(error)
}

/// A fault of a table, with its name in T-SQL.
fn fault(url: &MssqlUrl, table: &str, name: &str, code: FaultCode, reason: &str) -> SourceFault {
    let reason = format!("{}.{name}: {reason}", url.schema);
    SourceFault { table: table.to_owned(), code, reason }
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
