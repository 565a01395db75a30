//! Someone with an editor for databases, who changes a store's file behind its back.

use std::path::Path;

use rusqlite::Connection;

/// Opens the file and takes the guards away first.
///
/// # Panics
/// Where it is no store's file.
pub fn open(file: &Path) -> Connection {
    let conn = Connection::open(file).expect("the file opens");
    let triggers: Vec<String> = conn
        .prepare("SELECT name FROM sqlite_schema WHERE type = 'trigger'")
        .and_then(|mut find| find.query_map([], |row| row.get(0))?.collect())
        .expect("the guards are listed");
    for trigger in triggers {
        conn.execute_batch(&format!("DROP TRIGGER {trigger}")).expect("a guard goes away");
    }
    conn.execute_batch("PRAGMA ignore_check_constraints = ON; PRAGMA foreign_keys = OFF")
        .expect("checks are switched off");
    conn
}
