//! Errors of PostgreSQL as errors of a store. The texts contain no password, because neither the
//! client nor the server puts one into them.

use std::error::Error as _;

use deadpool_postgres::{PoolError, TimeoutType};
use powerfill_ports::StoreError;
use tokio_postgres::Error;
use tokio_postgres::error::{DbError, SqlState};

/// Translates the error of a statement.
pub(crate) fn store_error(error: Error) -> StoreError {
    match error.as_db_error() {
        Some(answer) => server_error(answer),
        None if is_connection_error(&error) => StoreError::Unavailable(format!(
            "the connection to PostgreSQL: {}",
            with_sources(&error)
        )),
        None => StoreError::Failed(with_sources(&error)),
    }
}

/// Translates the error of a value that has another type than the program writes: the value or the
/// table was changed.
pub(crate) fn decode_error(error: Error) -> StoreError {
    StoreError::Corrupt(with_sources(&error))
}

/// The error and its sources, in one line.
fn with_sources(error: &Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(error) = source {
        let reason = error.to_string();
        if !text.ends_with(&reason) {
            text = format!("{text}: {reason}");
        }
        source = error.source();
    }
    text
}

/// Whether the connection failed, and not a statement on it.
fn is_connection_error(error: &Error) -> bool {
    // A refused certificate is an I/O error, too, and stays refused.
    let source = error.source();
    let io = source.and_then(|source| source.downcast_ref::<std::io::Error>());
    if io.is_some_and(|io| io.get_ref().is_some_and(|inner| inner.is::<rustls::Error>())) {
        return false;
    }
    error.is_closed() || io.is_some() || error.to_string().starts_with("timeout")
}

fn server_error(answer: &DbError) -> StoreError {
    let message = answer.message().to_owned();
    let code = answer.code();
    if is_transient(code) {
        return StoreError::Unavailable(message);
    }
    if *code == SqlState::DISK_FULL {
        return StoreError::Failed(format!("the disk is full: {message}"));
    }
    if *code == SqlState::READ_ONLY_SQL_TRANSACTION {
        return StoreError::Failed(format!("the server is read-only: {message}"));
    }
    if *code == SqlState::DATA_CORRUPTED || *code == SqlState::INDEX_CORRUPTED {
        return StoreError::Corrupt(message);
    }
    if *code == SqlState::INSUFFICIENT_PRIVILEGE {
        return StoreError::Failed(format!(
            "{message}; the role needs the rights of sql/postgres/roles.sql"
        ));
    }
    if *code == SqlState::UNDEFINED_TABLE || *code == SqlState::UNDEFINED_COLUMN {
        return StoreError::Schema(format!("{message}: the store's schema was changed"));
    }
    if *code == SqlState::UNDEFINED_DATABASE {
        return StoreError::Failed(format!("{message}; make it with createdb"));
    }
    StoreError::Failed(message)
}

/// Whether nothing was done and the same call may work later.
fn is_transient(code: &SqlState) -> bool {
    [
        SqlState::ADMIN_SHUTDOWN,
        SqlState::CRASH_SHUTDOWN,
        SqlState::CANNOT_CONNECT_NOW,
        SqlState::IDLE_SESSION_TIMEOUT,
        SqlState::IDLE_IN_TRANSACTION_SESSION_TIMEOUT,
        SqlState::QUERY_CANCELED,
        SqlState::TOO_MANY_CONNECTIONS,
        SqlState::OUT_OF_MEMORY,
        SqlState::T_R_SERIALIZATION_FAILURE,
        SqlState::T_R_DEADLOCK_DETECTED,
        SqlState::LOCK_NOT_AVAILABLE,
        SqlState::OBJECT_IN_USE,
    ]
    .contains(code)
        || code.code().starts_with("08")
}

/// Whether a COMMIT that failed with this error may have been carried out.
pub(crate) fn may_have_committed(error: &Error) -> bool {
    match error.as_db_error() {
        Some(answer) => {
            let code = answer.code().code();
            code.starts_with("57P") || code.starts_with("08")
        }
        None => true,
    }
}

/// Translates the error of taking a connection out of the pool.
pub(crate) fn pool_error(error: PoolError) -> StoreError {
    match error {
        PoolError::Backend(error) => store_error(error),
        PoolError::Timeout(TimeoutType::Wait) => {
            StoreError::Unavailable("all connections of this process are in use".to_owned())
        }
        PoolError::Timeout(_) => StoreError::Unavailable("PostgreSQL does not answer".to_owned()),
        other => StoreError::Failed(other.to_string()),
    }
}
