//! The steps of the schema, the migration of a store, and the check that the schema
//! is unchanged.

use std::collections::BTreeMap;

use powerfill_ports::schema_steps::{SchemaStep, count_applied_steps};
use powerfill_ports::{StoreError, StoreResult};
use rusqlite::Connection;

use crate::connection::{APPLICATION_ID, begin_write, store_error};
use crate::decode::get;
use crate::statements::{execute, first_row, rows};

/// A step with its statements.
macro_rules! step {
    ($name:literal) => {
        SchemaStep {
            name: $name,
            sql: include_str!(concat!("../../../sql/sqlite/steps/", $name, ".sql")),
        }
    };
}

/// Every step that was ever released, in order. The number of a step is its place, from 1.
const STEPS: &[SchemaStep] = &[
    step!("0001_store"),
    step!("0002_event_index"),
    step!("0003_subscribers"),
    step!("0004_run_list"),
    step!("0005_event_blocks"),
    step!("0006_verified_log"),
    step!("0007_run_headlines"),
    step!("0008_scenarios"),
];

/// The number of steps that were applied to the file; 0 for an empty one.
///
/// # Errors
/// [`StoreError::Schema`] if the file belongs to another program or to a newer PowerFill.
fn applied_steps(conn: &Connection) -> StoreResult<usize> {
    if first_row(conn, "SELECT 1 FROM sqlite_schema", [], |_| Ok(()))?.is_none() {
        return Ok(0);
    }
    let application: i32 =
        conn.query_row("PRAGMA application_id", [], |row| row.get(0)).map_err(store_error)?;
    if application != APPLICATION_ID {
        return Err(StoreError::Schema(
            "the file is an SQLite database, but not a PowerFill store".into(),
        ));
    }
    let names = "SELECT name FROM schema_steps ORDER BY number";
    let names: Vec<String> = rows(conn, names, [], |row| get(row, 0))?;
    count_applied_steps(STEPS, &names)
}

/// Applies the missing steps. Safe with several processes: the steps run under the write lock.
///
/// # Errors
/// [`StoreError::Schema`] as [`applied_steps`]. If a step fails, the store is as before.
pub(crate) fn migrate(conn: &mut Connection) -> StoreResult<()> {
    if applied_steps(conn)? == STEPS.len() {
        return Ok(());
    }
    let tx = begin_write(conn)?;
    apply_steps(&tx, STEPS)?;
    tx.commit().map_err(store_error)
}

/// Applies those of the first steps that are missing.
fn apply_steps(conn: &Connection, steps: &[SchemaStep]) -> StoreResult<()> {
    let applied = applied_steps(conn)?;
    if applied == 0 {
        conn.pragma_update(None, "application_id", APPLICATION_ID).map_err(store_error)?;
        conn.execute_batch(include_str!("../../../sql/sqlite/queries/schema_steps.sql"))
            .map_err(store_error)?;
    }
    for (at, step) in steps.iter().enumerate().skip(applied) {
        conn.execute_batch(step.sql).map_err(store_error)?;
        let sql = "INSERT INTO schema_steps (number, name) VALUES (?1, ?2)";
        execute(conn, sql, (at as i64 + 1, step.name))?;
    }
    Ok(())
}

/// An empty store after the first steps.
fn reference(steps: usize) -> StoreResult<Connection> {
    let reference = Connection::open_in_memory().map_err(store_error)?;
    apply_steps(&reference, &STEPS[..steps])?;
    Ok(reference)
}

/// Gives a store that cannot be written the tables that it lacks: empty ones of this connection.
///
/// # Errors
/// [`StoreError::Schema`] as [`applied_steps`], or if the file is empty.
pub(crate) fn complete_for_reading(conn: &Connection) -> StoreResult<()> {
    let applied = applied_steps(conn)?;
    if applied == STEPS.len() {
        return Ok(());
    }
    if applied == 0 {
        return Err(StoreError::Schema("the file is empty, and not a PowerFill store".into()));
    }
    let former = shape(&reference(applied)?)?;
    let reference = reference(STEPS.len())?;
    let tables = "SELECT name, sql FROM sqlite_schema WHERE type = 'table' AND sql IS NOT NULL";
    let tables: Vec<(String, String)> =
        rows(&reference, tables, [], |row| Ok((get(row, 0)?, get(row, 1)?)))?;
    for (name, sql) in tables {
        if !former.contains_key(&("table".to_owned(), name)) {
            let sql = sql.replacen("CREATE TABLE", "CREATE TEMP TABLE", 1);
            conn.execute_batch(&sql).map_err(store_error)?;
        }
    }
    Ok(())
}

/// Tables, indexes, and triggers by kind and name, each with the statement that created it, in
/// which every run of white space is one blank.
type SchemaShape = BTreeMap<(String, String), String>;

fn shape(conn: &Connection) -> StoreResult<SchemaShape> {
    rows(conn, "SELECT type, name, coalesce(sql, '') FROM sqlite_schema", [], |row| {
        let (kind, name, sql): (String, String, String) =
            (get(row, 0)?, get(row, 1)?, get(row, 2)?);
        Ok(((kind, name), sql.split_whitespace().collect::<Vec<_>>().join(" ")))
    })
}

/// The first part of the store's schema that is missing or not as the steps create it. An
/// additional trigger counts, too. Output tables are not part of the schema.
pub(crate) fn first_difference(conn: &Connection) -> StoreResult<Option<String>> {
    let (expected, mut actual) = (shape(&reference(applied_steps(conn)?)?)?, shape(conn)?);
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
    fn a_store_of_each_earlier_step_has_every_table_for_reading() {
        let columns = |conn: &Connection| -> Vec<(String, String)> {
            let sql = "SELECT DISTINCT t.name, c.name
                       FROM pragma_table_list t JOIN pragma_table_info(t.name, t.schema) c
                       WHERE t.type = 'table' AND t.name NOT LIKE 'sqlite%' ORDER BY 1, c.cid";
            let mut rows = conn.prepare(sql).unwrap();
            let rows = rows.query_map([], |row| Ok((row.get(0)?, row.get(1)?))).unwrap();
            rows.map(Result::unwrap).collect()
        };
        let whole = columns(&reference(STEPS.len()).unwrap());
        for steps in 1..STEPS.len() {
            let store = reference(steps).unwrap();
            complete_for_reading(&store).unwrap();
            assert_eq!(columns(&store), whole, "from step {steps}");
            // What a reader lacks is no difference to the store's own schema.
            assert_eq!(first_difference(&store).unwrap(), None, "from step {steps}");
        }
        assert!(complete_for_reading(&Connection::open_in_memory().unwrap()).is_err());
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
