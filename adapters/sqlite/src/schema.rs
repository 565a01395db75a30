//! The steps of the schema, the migration of a store, and the check that the schema
//! is unchanged.

use std::collections::BTreeMap;

use powerfill_ports::StoreError;
use powerfill_ports::schema_steps::{SchemaStep, count_applied_steps};
use rusqlite::Connection;

use crate::connection::{APPLICATION_ID, begin_write, store_error};

/// Every step that was ever released, in order. The number of a step is its place, from 1.
const STEPS: &[SchemaStep] = &[
    SchemaStep {
        name: "0001_store",
        sql: include_str!("../../../sql/sqlite/steps/0001_store.sql"),
    },
    SchemaStep {
        name: "0002_event_index",
        sql: include_str!("../../../sql/sqlite/steps/0002_event_index.sql"),
    },
    SchemaStep {
        name: "0003_subscribers",
        sql: include_str!("../../../sql/sqlite/steps/0003_subscribers.sql"),
    },
    SchemaStep {
        name: "0004_run_list",
        sql: include_str!("../../../sql/sqlite/steps/0004_run_list.sql"),
    },
    SchemaStep {
        name: "0005_event_blocks",
        sql: include_str!("../../../sql/sqlite/steps/0005_event_blocks.sql"),
    },
];

/// The number of steps that were applied to the file; 0 for an empty one.
///
/// # Errors
/// [`StoreError::Schema`] if the file belongs to another program or to a newer PowerFill.
fn applied_steps(conn: &Connection) -> Result<usize, StoreError> {
    let tables: i64 = conn
        .query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))
        .map_err(store_error)?;
    if tables == 0 {
        return Ok(0);
    }
    let application: i32 =
        conn.query_row("PRAGMA application_id", [], |row| row.get(0)).map_err(store_error)?;
    if application != APPLICATION_ID {
        return Err(StoreError::Schema(
            "the file is an SQLite database, but not a PowerFill store".into(),
        ));
    }
    let mut names =
        conn.prepare("SELECT name FROM schema_steps ORDER BY number").map_err(store_error)?;
    let names: Vec<String> =
        names.query_map([], |row| row.get(0)).and_then(Iterator::collect).map_err(store_error)?;
    count_applied_steps(STEPS, &names)
}

/// Applies the missing steps. Safe with several processes: the steps run under the write lock.
///
/// # Errors
/// [`StoreError::Schema`] as [`applied_steps`]. If a step fails, the store is as before.
pub(crate) fn migrate(conn: &mut Connection) -> Result<(), StoreError> {
    if applied_steps(conn)? == STEPS.len() {
        return Ok(());
    }
    let tx = begin_write(conn)?;
    let applied = applied_steps(&tx)?;
    if applied == 0 {
        tx.pragma_update(None, "application_id", APPLICATION_ID).map_err(store_error)?;
        tx.execute_batch(include_str!("../../../sql/sqlite/queries/schema_steps.sql"))
            .map_err(store_error)?;
    }
    for (at, step) in STEPS.iter().enumerate().skip(applied) {
        tx.execute_batch(step.sql).map_err(store_error)?;
        tx.execute(
            "INSERT INTO schema_steps (number, name) VALUES (?1, ?2)",
            (at as i64 + 1, step.name),
        )
        .map_err(store_error)?;
    }
    tx.commit().map_err(store_error)
}

/// Tables, indexes, and triggers by kind and name, each with the statement that created it, in
/// which every run of white space is one blank.
type SchemaShape = BTreeMap<(String, String), String>;

fn shape(conn: &Connection) -> Result<SchemaShape, StoreError> {
    let mut rows = conn
        .prepare("SELECT type, name, coalesce(sql, '') FROM sqlite_schema")
        .map_err(store_error)?;
    let rows = rows.query_map([], |row| {
        let (kind, name, sql): (String, String, String) = (row.get(0)?, row.get(1)?, row.get(2)?);
        Ok(((kind, name), sql.split_whitespace().collect::<Vec<_>>().join(" ")))
    });
    rows.and_then(Iterator::collect).map_err(store_error)
}

/// The first part of the store's schema that is missing or not as the steps create it. An
/// additional trigger counts, too. Output tables are not part of the schema.
pub(crate) fn first_difference(conn: &Connection) -> Result<Option<String>, StoreError> {
    let mut reference = Connection::open_in_memory().map_err(store_error)?;
    migrate(&mut reference)?;
    let (expected, mut actual) = (shape(&reference)?, shape(conn)?);
    for ((kind, name), sql) in expected {
        match actual.remove(&(kind.clone(), name.clone())) {
            None => return Ok(Some(format!("the {kind} {name} of the store is missing"))),
            Some(other) if other != sql => {
                return Ok(Some(format!("the {kind} {name} of the store was changed")));
            }
            Some(_) => {}
        }
    }
    let trigger = actual.into_keys().find(|(kind, _)| kind == "trigger");
    Ok(trigger.map(|(_, name)| format!("the trigger {name} does not belong to the store")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shape(conn: &Connection) -> SchemaShape {
        let mut shape = super::shape(conn).unwrap();
        shape.retain(|(_, name), _| !name.contains("schema_steps"));
        shape
    }

    #[test]
    fn the_steps_together_give_the_schema_and_run_once() {
        let mut stepped = Connection::open_in_memory().unwrap();
        migrate(&mut stepped).unwrap();
        migrate(&mut stepped).unwrap();
        let whole = Connection::open_in_memory().unwrap();
        whole.execute_batch(include_str!("../../../sql/sqlite/schema.sql")).unwrap();
        assert_eq!(shape(&stepped), shape(&whole));
    }

    #[test]
    fn a_store_at_any_step_is_migrated() {
        let whole = Connection::open_in_memory().unwrap();
        whole.execute_batch(include_str!("../../../sql/sqlite/schema.sql")).unwrap();
        for applied in 1..=STEPS.len() {
            let mut conn = Connection::open_in_memory().unwrap();
            conn.pragma_update(None, "application_id", APPLICATION_ID).unwrap();
            conn.execute_batch(include_str!("../../../sql/sqlite/queries/schema_steps.sql"))
                .unwrap();
            for (number, step) in (1_i64..).zip(&STEPS[..applied]) {
                conn.execute_batch(step.sql).unwrap();
                conn.execute(
                    "INSERT INTO schema_steps (number, name) VALUES (?1, ?2)",
                    (number, step.name),
                )
                .unwrap();
            }
            conn.execute("INSERT INTO es_streams VALUES (1, 'run-x', 1, x'00')", []).unwrap();
            migrate(&mut conn).unwrap();
            assert_eq!(shape(&conn), shape(&whole), "from step {applied}");
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
        assert!(
            matches!(&error, StoreError::Schema(fault) if fault.to_string().contains("newer")),
            "{error}"
        );
    }

    #[test]
    fn the_database_of_another_program_is_refused() {
        let mut conn = Connection::open_in_memory().unwrap();
        conn.execute_batch("CREATE TABLE notes (text TEXT)").unwrap();
        let error = migrate(&mut conn).unwrap_err();
        assert!(
            matches!(&error, StoreError::Schema(fault) if fault.to_string().contains("not a PowerFill")),
            "{error}"
        );
    }
}
