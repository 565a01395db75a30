//! What PostgreSQL says, in a store's terms. An error's text has no password: neither the client nor the server puts
//! one into it.

use std::error::Error as _;

use deadpool_postgres::{PoolError, TimeoutType};
use powerfill_ports::StoreError;
use tokio_postgres::Error;
use tokio_postgres::error::{DbError, SqlState};

/// What went wrong with a statement.
pub(crate) fn fault(error: Error) -> StoreError {
    match error.as_db_error() {
        Some(answer) => of_server(answer),
        None if is_of_connection(&error) => {
            StoreError::Unavailable(format!("the connection to PostgreSQL: {}", text(&error)))
        }
        None => StoreError::Failed(text(&error)),
    }
}

/// A value that is not of the type it should be: somebody changed it, or the table.
pub(crate) fn misread(error: Error) -> StoreError {
    StoreError::Corrupt(text(&error))
}

/// The error and what it comes from, in one line.
fn text(error: &Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(under) = cause {
        let more = under.to_string();
        if !text.ends_with(&more) {
            text = format!("{text}: {more}");
        }
        cause = under.source();
    }
    text
}

/// Whether the connection is what failed, and not what was said on it.
fn is_of_connection(error: &Error) -> bool {
    // A refused certificate comes as an I/O error too, and does not get better with time.
    let source = error.source();
    let io = source.and_then(|source| source.downcast_ref::<std::io::Error>());
    if io.is_some_and(|io| io.get_ref().is_some_and(|inner| inner.is::<rustls::Error>())) {
        return false;
    }
    error.is_closed() || io.is_some() || error.to_string().starts_with("timeout")
}

fn of_server(answer: &DbError) -> StoreError {
    let message = answer.message().to_owned();
    let code = answer.code();
    if unavailable(code) {
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
        return StoreError::Schema(format!("{message}: the store's schema is not what it was"));
    }
    if *code == SqlState::UNDEFINED_DATABASE {
        return StoreError::Failed(format!("{message}; make it with createdb"));
    }
    StoreError::Failed(message)
}

/// What passes: nothing was done, and the same call may work later.
fn unavailable(code: &SqlState) -> bool {
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

/// Whether a COMMIT that was answered so, or not at all, may have been carried out.
pub(crate) fn leaves_open(error: &Error) -> bool {
    match error.as_db_error() {
        Some(answer) => {
            let code = answer.code().code();
            code.starts_with("57P") || code.starts_with("08")
        }
        None => true,
    }
}

/// What went wrong with getting a connection.
pub(crate) fn no_connection(error: PoolError) -> StoreError {
    match error {
        PoolError::Backend(error) => fault(error),
        PoolError::Timeout(TimeoutType::Wait) => {
            StoreError::Unavailable("all connections of this process are in use".to_owned())
        }
        PoolError::Timeout(_) => StoreError::Unavailable("PostgreSQL does not answer".to_owned()),
        other => StoreError::Failed(other.to_string()),
    }
}
