//! Statements whose errors are those of a store.

use deadpool_postgres::ClientWrapper;
use powerfill_ports::StoreResult;
use tokio_postgres::types::ToSql;
use tokio_postgres::{Client, Row, Statement, ToStatement};

use crate::errors::store_error;

/// A statement of `sql/postgres/queries`.
macro_rules! query {
    ($name:literal) => {
        include_str!(concat!("../../../sql/postgres/queries/", $name, ".sql"))
    };
}
pub(crate) use query;

/// Values to bind.
type Values<'a> = &'a [&'a (dyn ToSql + Sync)];

/// Prepares a statement, or finds it in the cache of the connection.
pub(crate) async fn prepared(client: &ClientWrapper, sql: &str) -> StoreResult<Statement> {
    client.prepare_cached(sql).await.map_err(store_error)
}

/// Carries out a statement. Returns the number of rows that it changed.
pub(crate) async fn execute(
    client: &Client,
    statement: &(impl ToStatement + Sync + ?Sized),
    values: Values<'_>,
) -> StoreResult<u64> {
    client.execute(statement, values).await.map_err(store_error)
}

/// Carries out statements without values.
pub(crate) async fn execute_batch(client: &Client, sql: &str) -> StoreResult<()> {
    client.batch_execute(sql).await.map_err(store_error)
}

/// The rows of a query, in order, as `read` makes them.
pub(crate) async fn rows<T, C: FromIterator<T>>(
    client: &Client,
    statement: &(impl ToStatement + Sync + ?Sized),
    values: Values<'_>,
    read: impl Fn(&Row) -> StoreResult<T>,
) -> StoreResult<C> {
    client.query(statement, values).await.map_err(store_error)?.iter().map(read).collect()
}

/// The row of a query, as `read` makes it; `None` if there is none.
pub(crate) async fn one_row<T>(
    client: &Client,
    statement: &(impl ToStatement + Sync + ?Sized),
    values: Values<'_>,
    read: impl Fn(&Row) -> StoreResult<T>,
) -> StoreResult<Option<T>> {
    client.query_opt(statement, values).await.map_err(store_error)?.as_ref().map(read).transpose()
}
