//! Changes a store's file without the store, as an editor for databases would.

use std::path::Path;

use rusqlite::Connection;
use rusqlite::config::DbConfig;

/// Opens the file without the guards of the store: triggers, checks, and foreign keys are switched
/// off on this connection.
///
/// # Panics
/// If the file is not a database.
pub fn open_unguarded(file: &Path) -> Connection {
    let conn = Connection::open(file).expect("the file opens");
    conn.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_TRIGGER, false)
        .expect("triggers are switched off");
    conn.execute_batch("PRAGMA ignore_check_constraints = ON; PRAGMA foreign_keys = OFF")
        .expect("checks are switched off");
    conn
}
