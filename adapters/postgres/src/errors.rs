//! Errors of PostgreSQL as errors of a store. The texts contain no password, because neither the
//! client nor the server puts one into them.

use std::error::Error as _;
use std::fmt;

use deadpool_postgres::{PoolError, TimeoutType};
use powerfill_ports::{StoreError, StoreFault};
use tokio_postgres::Error;
use tokio_postgres::error::{DbError, SqlState};

/// Translates the error of a statement.
pub(crate) fn store_error(error: Error) -> StoreError {
    let (code, is_connection) = (error.code().cloned(), is_connection_error(&error));
    let fault = StoreFault::caused_by(PostgresError(error));
    match code {
        Some(code) => server_error(&code, fault),
        None if is_connection => {
            StoreError::Unavailable(fault.context("the connection to PostgreSQL"))
        }
        None => StoreError::Failed(fault),
    }
}

/// Translates the error of a value that has another type than the program writes: the value or the
/// table was changed.
pub(crate) fn decode_error(error: Error) -> StoreError {
    StoreError::Corrupt(StoreFault::caused_by(PostgresError(error)))
}

/// An error in one line: the message of the server, or that of the client with its sources.
#[derive(Debug)]
struct PostgresError(Error);

impl fmt::Display for PostgresError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.as_db_error() {
            Some(answer) => f.write_str(answer.message()),
            None => f.write_str(&with_sources(&self.0)),
        }
    }
}

impl std::error::Error for PostgresError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&self.0)
    }
}

/// The answer of the server in an error of a store, if there is one.
pub(crate) fn server_answer(error: &StoreError) -> Option<&DbError> {
    let (StoreError::Failed(fault) | StoreError::Schema(fault)) = error else { return None };
    fault.source()?.downcast_ref::<PostgresError>()?.0.as_db_error()
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

fn server_error(code: &SqlState, fault: StoreFault) -> StoreError {
    if is_transient(code) {
        return StoreError::Unavailable(fault);
    }
    if *code == SqlState::DISK_FULL {
        return StoreError::Failed(fault.context("the disk is full"));
    }
    if *code == SqlState::READ_ONLY_SQL_TRANSACTION {
        let advice = "; commands that only read work; to write, name the primary server";
        return StoreError::ReadOnly(fault.context("the server is read-only").suffix(advice));
    }
    if *code == SqlState::DATA_CORRUPTED || *code == SqlState::INDEX_CORRUPTED {
        return StoreError::Corrupt(fault);
    }
    if *code == SqlState::INSUFFICIENT_PRIVILEGE {
        let advice = "; the role needs the rights of sql/postgres/roles.sql";
        return StoreError::Failed(fault.suffix(advice));
    }
    if *code == SqlState::UNDEFINED_TABLE || *code == SqlState::UNDEFINED_COLUMN {
        return StoreError::Schema(fault.suffix(": the store's schema was changed"));
    }
    if *code == SqlState::UNDEFINED_DATABASE {
        return StoreError::Failed(fault.suffix("; make it with createdb"));
    }
    StoreError::Failed(fault)
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
            StoreError::Unavailable("all connections of this process are in use".into())
        }
        PoolError::Timeout(_) => StoreError::Unavailable("PostgreSQL does not answer".into()),
        other => StoreError::Failed(StoreFault::caused_by(other)),
    }
}
