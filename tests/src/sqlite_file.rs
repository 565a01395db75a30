//! Someone with an editor for databases, who changes a store's file behind its back.

use std::path::Path;

use rusqlite::Connection;
use rusqlite::config::DbConfig;

/// Opens the file; its guards sleep as long as it is open.
///
/// # Panics
/// Where it is no store's file.
pub fn open_unguarded(file: &Path) -> Connection {
    let conn = Connection::open(file).expect("the file opens");
    conn.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_TRIGGER, false)
        .expect("triggers are switched off");
    conn.execute_batch("PRAGMA ignore_check_constraints = ON; PRAGMA foreign_keys = OFF")
        .expect("checks are switched off");
    conn
}
