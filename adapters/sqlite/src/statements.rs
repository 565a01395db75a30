//! Statements whose errors are those of a store. Each stays prepared, in the cache of its
//! connection.

use powerfill_ports::StoreResult;
use rusqlite::{Connection, Params, Row};

use crate::connection::store_error;

/// A statement of `sql/sqlite/queries`.
macro_rules! query {
    ($name:literal) => {
        include_str!(concat!("../../../sql/sqlite/queries/", $name, ".sql"))
    };
}
pub(crate) use query;

/// Carries out a statement. Returns the number of rows that it changed.
pub(crate) fn execute(conn: &Connection, sql: &str, values: impl Params) -> StoreResult<usize> {
    conn.prepare_cached(sql)
        .and_then(|mut statement| statement.execute(values))
        .map_err(store_error)
}

/// The rows of a query, in order, as `read` makes them.
pub(crate) fn rows<T, C: FromIterator<T>>(
    conn: &Connection,
    sql: &str,
    values: impl Params,
    mut read: impl FnMut(&Row<'_>) -> StoreResult<T>,
) -> StoreResult<C> {
    let mut query = conn.prepare_cached(sql).map_err(store_error)?;
    let mut rows = query.query(values).map_err(store_error)?;
    std::iter::from_fn(|| {
        let row = rows.next().map_err(store_error);
        row.and_then(|row| row.map(&mut read).transpose()).transpose()
    })
    .collect()
}

/// The first row of a query, as `read` makes it; `None` if there is none.
pub(crate) fn first_row<T>(
    conn: &Connection,
    sql: &str,
    values: impl Params,
    read: impl FnOnce(&Row<'_>) -> StoreResult<T>,
) -> StoreResult<Option<T>> {
    let mut query = conn.prepare_cached(sql).map_err(store_error)?;
    let mut rows = query.query(values).map_err(store_error)?;
    rows.next().map_err(store_error)?.map(read).transpose()
}
