//! The output tables that a database holds, such as those of the Desktop App, for a comparison (specification 3.4).

use powerfill_snapshot::RawTable;

use crate::connect::connect;
use crate::source::{Broken, SourceUnreadable, Unreadable, at, columns, read_rows, reading};
use crate::url::MssqlUrl;

/// Reads the tables or views of the URL's schema that `wanted` takes by their names, as texts.
///
/// # Errors
/// Where the database cannot be reached, or one of them cannot be read.
pub async fn read(
    url: &MssqlUrl,
    wanted: impl Fn(&str) -> bool,
) -> Result<Vec<RawTable>, SourceUnreadable> {
    let unreadable = |broken: Broken| SourceUnreadable::new(url, &broken);
    let mut client = connect(url).await.map_err(at("connecting")).map_err(unreadable)?;
    let tables = columns(&mut client, &url.schema).await;
    let tables = tables.map_err(at("listing its tables")).map_err(unreadable)?;
    let mut read = Vec::new();
    for (name, columns) in tables.iter().filter(|(name, _)| wanted(name)) {
        let names = columns.iter().map(|(name, _)| name.clone()).collect();
        let raw = RawTable::new(name, names, true);
        match read_rows(&mut client, &url.schema, raw, name, columns).await {
            Ok(raw) => read.push(raw),
            Err(Unreadable::Server(error)) => return Err(unreadable(Broken(reading(name), error))),
            Err(Unreadable::TooLarge(fault)) => {
                return Err(SourceUnreadable::too_large(url, name, &fault));
            }
        }
    }
    Ok(read)
}
