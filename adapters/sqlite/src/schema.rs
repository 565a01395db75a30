//! The schema's steps, and how a store is brought to the present one.

use std::collections::BTreeMap;

use powerfill_ports::StoreError;
use rusqlite::{Connection, TransactionBehavior};

use crate::connection::{APPLICATION_ID, fault};

/// A step from one schema to the next.
pub(crate) struct Step {
    name: &'static str,
    sql: &'static str,
}

/// Every step ever released, in order; the number of a step is its place, from 1.
pub(crate) const STEPS: &[Step] = &[
    Step { name: "0001_store", sql: include_str!("../../../sql/sqlite/steps/0001_store.sql") },
    Step {
        name: "0002_event_index",
        sql: include_str!("../../../sql/sqlite/steps/0002_event_index.sql"),
    },
    Step {
        name: "0003_subscribers",
        sql: include_str!("../../../sql/sqlite/steps/0003_subscribers.sql"),
    },
    Step {
        name: "0004_run_list",
        sql: include_str!("../../../sql/sqlite/steps/0004_run_list.sql"),
    },
];

/// The number of steps that the file has seen; 0 for an empty one.
///
/// # Errors
/// [`StoreError::Schema`] where the file is another program's, or a newer PowerFill's.
fn steps_made(conn: &Connection) -> Result<usize, StoreError> {
    let tables: i64 = conn
        .query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))
        .map_err(fault)?;
    if tables == 0 {
        return Ok(0);
    }
    let application: i32 =
        conn.query_row("PRAGMA application_id", [], |row| row.get(0)).map_err(fault)?;
    if application != APPLICATION_ID {
        return Err(StoreError::Schema(
            "the file is an SQLite database, but not a PowerFill store".to_owned(),
        ));
    }
    let mut names = conn.prepare("SELECT name FROM schema_steps ORDER BY number").map_err(fault)?;
    let names: Vec<String> =
        names.query_map([], |row| row.get(0)).and_then(Iterator::collect).map_err(fault)?;
    for (at, name) in names.iter().enumerate() {
        match STEPS.get(at) {
            Some(step) if step.name == name => {}
            Some(step) => {
                return Err(StoreError::Schema(format!(
                    "schema step {} of the store is {name}, and this PowerFill knows it as {}",
                    at + 1,
                    step.name
                )));
            }
            None => {
                return Err(StoreError::Schema(format!(
                    "the store's schema is at step {} ({}), and this PowerFill knows {}: it was made by a newer \
                     PowerFill; use that one",
                    names.len(),
                    names[names.len() - 1],
                    STEPS.len()
                )));
            }
        }
    }
    Ok(names.len())
}

/// Brings the store to the present schema. Safe with several processes: the steps run under the write lock.
///
/// # Errors
/// [`StoreError::Schema`] as [`steps_made`]; or a step fails, and the store is as before.
pub(crate) fn migrate(conn: &mut Connection) -> Result<(), StoreError> {
    if steps_made(conn)? == STEPS.len() {
        return Ok(());
    }
    let tx = conn.transaction_with_behavior(TransactionBehavior::Immediate).map_err(fault)?;
    let made = steps_made(&tx)?;
    if made == 0 {
        tx.pragma_update(None, "application_id", APPLICATION_ID).map_err(fault)?;
        tx.execute_batch(include_str!("../../../sql/sqlite/queries/schema_steps.sql"))
            .map_err(fault)?;
    }
    for (at, step) in STEPS.iter().enumerate().skip(made) {
        tx.execute_batch(step.sql).map_err(fault)?;
        tx.execute(
            "INSERT INTO schema_steps (number, name) VALUES (?1, ?2)",
            (at as i64 + 1, step.name),
        )
        .map_err(fault)?;
    }
    tx.commit().map_err(fault)
}

/// Tables, indexes and triggers by kind and name, with the statement that made each, its blanks made single.
type Shape = BTreeMap<(String, String), String>;

fn shape(conn: &Connection) -> Result<Shape, StoreError> {
    let mut rows =
        conn.prepare("SELECT type, name, coalesce(sql, '') FROM sqlite_schema").map_err(fault)?;
    let rows = rows.query_map([], |row| {
        let (kind, name, sql): (String, String, String) = (row.get(0)?, row.get(1)?, row.get(2)?);
        Ok(((kind, name), sql.split_whitespace().collect::<Vec<_>>().join(" ")))
    });
    rows.and_then(Iterator::collect).map_err(fault)
}

/// The first thing of the store's own schema that is missing or not as the steps made it; a trigger that someone put
/// on one of its tables counts too. Output tables are no part of it.
pub(crate) fn first_departure(conn: &Connection) -> Result<Option<String>, StoreError> {
    let mut made = Connection::open_in_memory().map_err(fault)?;
    migrate(&mut made)?;
    let (made, mut found) = (shape(&made)?, shape(conn)?);
    for ((kind, name), sql) in made {
        match found.remove(&(kind.clone(), name.clone())) {
            None => return Ok(Some(format!("the {kind} {name} of the store is missing"))),
            Some(other) if other != sql => {
                return Ok(Some(format!("the {kind} {name} of the store was changed")));
            }
            Some(_) => {}
        }
    }
    let trigger = found.into_keys().find(|(kind, _)| kind == "trigger");
    Ok(trigger.map(|(_, name)| format!("the trigger {name} is none of the store's")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shape(conn: &Connection) -> Shape {
        let mut shape = super::shape(conn).unwrap();
        shape.retain(|(_, name), _| !name.contains("schema_steps"));
        shape
    }

    #[test]
    fn the_steps_add_up_to_the_schema_and_run_once() {
        let mut stepped = Connection::open_in_memory().unwrap();
        migrate(&mut stepped).unwrap();
        migrate(&mut stepped).unwrap();
        let whole = Connection::open_in_memory().unwrap();
        whole.execute_batch(include_str!("../../../sql/sqlite/schema.sql")).unwrap();
        assert_eq!(shape(&stepped), shape(&whole));
    }

    #[test]
    fn a_store_of_any_step_is_brought_to_the_present_one() {
        let whole = Connection::open_in_memory().unwrap();
        whole.execute_batch(include_str!("../../../sql/sqlite/schema.sql")).unwrap();
        for made in 1..=STEPS.len() {
            let mut conn = Connection::open_in_memory().unwrap();
            conn.pragma_update(None, "application_id", APPLICATION_ID).unwrap();
            conn.execute_batch(include_str!("../../../sql/sqlite/queries/schema_steps.sql"))
                .unwrap();
            for (number, step) in (1_i64..).zip(&STEPS[..made]) {
                conn.execute_batch(step.sql).unwrap();
                conn.execute(
                    "INSERT INTO schema_steps (number, name) VALUES (?1, ?2)",
                    (number, step.name),
                )
                .unwrap();
            }
            conn.execute("INSERT INTO es_streams VALUES (1, 'run-x', 1, x'00')", []).unwrap();
            migrate(&mut conn).unwrap();
            assert_eq!(shape(&conn), shape(&whole), "from step {made}");
            let kept: i64 =
                conn.query_row("SELECT count(*) FROM es_streams", [], |row| row.get(0)).unwrap();
            assert_eq!(kept, 1);
        }
    }

    #[test]
    fn a_store_of_a_newer_powerfill_is_refused() {
        let mut conn = Connection::open_in_memory().unwrap();
        migrate(&mut conn).unwrap();
        conn.execute("INSERT INTO schema_steps VALUES (99, '0099_later')", []).unwrap();
        let error = migrate(&mut conn).unwrap_err();
        assert!(matches!(&error, StoreError::Schema(text) if text.contains("newer")), "{error}");
    }

    #[test]
    fn another_programs_database_is_refused() {
        let mut conn = Connection::open_in_memory().unwrap();
        conn.execute_batch("CREATE TABLE notes (text TEXT)").unwrap();
        let error = migrate(&mut conn).unwrap_err();
        assert!(
            matches!(&error, StoreError::Schema(text) if text.contains("not a PowerFill")),
            "{error}"
        );
    }
}
