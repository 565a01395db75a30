//! Output tables in a database, such as those of the Desktop App, for a comparison (specification
//! 3.4).

use powerfill_snapshot::{RawTable, TableLimit};

use crate::connect::connect;
use crate::source::{
    MssqlSourceError, ReadTableError, ServerFailure, list_tables, read_rows, reading,
};
use crate::url::MssqlUrl;

/// Reads the tables and views of the URL's schema whose names `is_wanted` accepts, as texts.
///
/// # Errors
/// If the database cannot be reached, or one of the tables cannot be read, or is larger than the
/// limit.
pub async fn read(
    url: &MssqlUrl,
    limit: TableLimit,
    is_wanted: impl Fn(&str) -> bool,
) -> Result<Vec<RawTable>, MssqlSourceError> {
    let failed = |failure: ServerFailure| MssqlSourceError::new(url, failure);
    let connected = connect(url).await.map_err(ServerFailure::during("connecting"));
    let mut client = connected.map_err(failed)?;
    let listed = list_tables(&mut client, &url.schema).await;
    let listed = listed.map_err(ServerFailure::during("listing its tables")).map_err(failed)?;
    let mut tables = Vec::new();
    for table in listed.iter().filter(|table| is_wanted(&table.name)) {
        let raw = RawTable::new(&table.name, table.column_names(), true).within(limit);
        match read_rows(&mut client, &url.schema, raw, table, limit).await {
            Ok(raw) => tables.push(raw),
            Err(ReadTableError::Server(error)) => {
                return Err(failed(ServerFailure::during(reading(&table.name))(error)));
            }
            Err(ReadTableError::TooLarge(source)) => {
                return Err(MssqlSourceError::too_large(url, &table.name, source));
            }
        }
    }
    Ok(tables)
}
