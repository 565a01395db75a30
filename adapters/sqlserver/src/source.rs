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
use crate::connect::{Connection, advice, connect, is_passing, quoted, said};
use crate::url::MssqlUrl;

/// Attempts to read, with growing pauses: nothing has been decided yet.
const ATTEMPTS: u32 = 4;
const FIRST_PAUSE: Duration = Duration::from_millis(200);

/// The columns of a schema's tables and views, in order.
const COLUMNS: &str = "SELECT TABLE_NAME, COLUMN_NAME, DATA_TYPE FROM INFORMATION_SCHEMA.COLUMNS \
                       WHERE TABLE_SCHEMA = @P1 ORDER BY TABLE_NAME, ORDINAL_POSITION";

/// Snapshot isolation is off in the database.
const NO_SNAPSHOT_ISOLATION: u32 = 3_952;

/// The database as a whole cannot be read.
#[derive(Debug, thiserror::Error)]
#[error("the database {url} cannot be read: {fault}; {advice}")]
pub struct SourceUnreadable {
    url: MssqlUrl,
    fault: String,
    advice: &'static str,
}

impl SourceUnreadable {
    pub(crate) fn new(url: &MssqlUrl, error: &Error) -> Self {
        Self { url: url.clone(), fault: said(error), advice: advice(url, error) }
    }

    pub(crate) fn too_large(url: &MssqlUrl, table: &str, fault: &TooLarge) -> Self {
        let fault = format!("{table}: {fault}");
        Self { url: url.clone(), fault, advice: "read less of it, through a view" }
    }
}

/// What was read, and in what way.
#[derive(Debug)]
pub struct Read {
    /// The tables.
    pub snapshot: RawSnapshot,
    /// A warning for the log of the run: the database does not allow snapshot isolation, so that the tables may be of
    /// different moments.
    pub warning: Option<String>,
}

/// Reads the tables of 1.2, or views of those names, from the URL's schema. Others are left alone and listed as ignored.
/// A lost connection is tried again, from the beginning, with growing pauses.
///
/// # Errors
/// Only where the database cannot be reached or read; a table that cannot be read is a fault of its own.
pub async fn read(url: &MssqlUrl) -> Result<Read, SourceUnreadable> {
    let (mut pause, mut attempt) = (FIRST_PAUSE, 1);
    loop {
        match read_database(url).await {
            Err(error) if is_passing(&error) && attempt < ATTEMPTS => {
                tokio::time::sleep(pause).await;
                pause *= 2;
                attempt += 1;
            }
            read => return read.map_err(|error| SourceUnreadable::new(url, &error)),
        }
    }
}

async fn read_database(url: &MssqlUrl) -> Result<Read, Error> {
    let mut client = connect(url).await?;
    let tables = columns(&mut client, &url.schema).await?;
    let warning = begin(&mut client, &tables, &url.schema).await?;
    let mut snapshot = RawSnapshot::default();
    for (name, _) in &tables {
        if table_named(name).is_none() {
            snapshot.ignored.push(name.clone());
        }
    }
    for table in table_names() {
        let Some((name, columns)) =
            tables.iter().find(|(name, _)| table_named(name) == Some(table))
        else {
            continue;
        };
        let names = columns.iter().map(|(name, _)| name.clone()).collect();
        let raw = RawTable::new(table, names, false);
        match read_rows(&mut client, &url.schema, raw, name, columns).await {
            Ok(read) => snapshot.tables.push(read),
            Err(Unreadable::Server(error)) if is_passing(&error) => return Err(error),
            Err(unreadable) => {
                let reason = format!("{}.{name}: {unreadable}", url.schema);
                let (table, code) = (table.to_owned(), FaultCode::Unreadable);
                snapshot.faults.push(SourceFault { table, code, reason });
            }
        }
    }
    client.simple_query("IF @@TRANCOUNT > 0 COMMIT TRANSACTION").await?.into_results().await?;
    Ok(Read { snapshot, warning })
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
    tables: &[Table],
    schema: &str,
) -> Result<Option<String>, Error> {
    let begin = "SET TRANSACTION ISOLATION LEVEL SNAPSHOT; BEGIN TRANSACTION";
    client.simple_query(begin).await?.into_results().await?;
    let Some((first, _)) = tables.first() else { return Ok(None) };
    let look = format!("SELECT TOP (0) * FROM {}.{}", quoted(schema), quoted(first));
    let looked = match client.simple_query(look).await {
        Ok(stream) => stream.into_results().await.map(drop),
        Err(error) => Err(error),
    };
    match looked {
        Ok(()) => Ok(None),
        Err(Error::Server(token)) if token.code() == NO_SNAPSHOT_ISOLATION => {
            let again = "IF @@TRANCOUNT > 0 ROLLBACK TRANSACTION; \
                         SET TRANSACTION ISOLATION LEVEL READ COMMITTED";
            client.simple_query(again).await?.into_results().await?;
            let warning = "the database does not allow snapshot isolation, so that its tables may be of different \
                           moments; ALTER DATABASE … SET ALLOW_SNAPSHOT_ISOLATION ON";
            Ok(Some(warning.to_owned()))
        }
        // A table that cannot be read is that table's fault.
        Err(Error::Server(_)) => Ok(None),
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
