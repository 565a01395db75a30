//! The schema's steps, how a store is brought to the present one, and whether it still is what the steps made.

use std::collections::BTreeMap;

use powerfill_ports::StoreError;
use tokio_postgres::Client;

use crate::bytes_in::get;
use crate::commit::commit_repeatable;
use crate::fault::fault;
use crate::pool::Connections;

/// A step from one schema to the next.
pub(crate) struct Step {
    name: &'static str,
    sql: &'static str,
}

/// Every step ever released, in order; the number of a step is its place, from 1.
pub(crate) const STEPS: &[Step] = &[
    Step { name: "0001_store", sql: include_str!("../../../sql/postgres/steps/0001_store.sql") },
    Step {
        name: "0002_event_index",
        sql: include_str!("../../../sql/postgres/steps/0002_event_index.sql"),
    },
    Step {
        name: "0003_subscribers",
        sql: include_str!("../../../sql/postgres/steps/0003_subscribers.sql"),
    },
    Step {
        name: "0004_run_list",
        sql: include_str!("../../../sql/postgres/steps/0004_run_list.sql"),
    },
];

const PLACE: &str = include_str!("../../../sql/postgres/queries/place.sql");
const SCHEMA_STEPS: &str = include_str!("../../../sql/postgres/queries/schema_steps.sql");
const SHAPE: &str = include_str!("../../../sql/postgres/queries/shape.sql");
/// What the steps make, as [`SHAPE`] says it.
const MADE: &str = include_str!("../../../sql/postgres/shape.txt");

/// One process at a time changes the schema.
const LOCK: &str = "SELECT pg_advisory_xact_lock(8101262203462340)";

/// The number of steps that the database has seen; 0 where it holds no store.
///
/// # Errors
/// [`StoreError::Schema`] where the schema is another program's, or a newer PowerFill's.
async fn steps_made(client: &Client) -> Result<usize, StoreError> {
    let place = client.query_one(PLACE, &[]).await.map_err(fault)?;
    let (relations, is_ours): (i64, bool) = (get(&place, 0)?, get(&place, 1)?);
    if relations == 0 {
        return Ok(0);
    }
    if !is_ours {
        return Err(StoreError::Schema(
            "the database has a schema powerfill, but it is not a PowerFill store".to_owned(),
        ));
    }
    let rows = client
        .query("SELECT name FROM powerfill.schema_steps ORDER BY number", &[])
        .await
        .map_err(fault)?;
    let names = rows.iter().map(|row| get(row, 0)).collect::<Result<Vec<String>, _>>()?;
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

/// Whether the database holds a store.
pub(crate) async fn is_there(connections: &Connections) -> Result<bool, StoreError> {
    let client = connections.get().await?;
    Ok(steps_made(&client).await? > 0)
}

/// Brings the store to the present schema: in one transaction, under a lock, so that several processes may do it at the
/// same time. Where nothing is to be done, no right to change a schema is needed.
///
/// # Errors
/// [`StoreError::Schema`] as [`steps_made`]; or a step fails, and the store is as before.
pub(crate) async fn migrate(connections: &Connections) -> Result<(), StoreError> {
    let mut client = connections.get().await?;
    if steps_made(&client).await? == STEPS.len() {
        return Ok(());
    }
    let tx = client.transaction().await.map_err(fault)?;
    tx.batch_execute(LOCK).await.map_err(fault)?;
    let made = steps_made(tx.client()).await?;
    if made == 0 {
        tx.batch_execute(SCHEMA_STEPS).await.map_err(fault)?;
    }
    for (at, step) in STEPS.iter().enumerate().skip(made) {
        tx.batch_execute(step.sql).await.map_err(fault)?;
        tx.execute(
            "INSERT INTO powerfill.schema_steps (number, name) VALUES ($1, $2)",
            &[&(at as i32 + 1), &step.name],
        )
        .await
        .map_err(fault)?;
    }
    commit_repeatable(tx).await
}

/// Tables, columns, constraints, indexes, triggers and functions by kind and name, with what they are.
type Shape = BTreeMap<(String, String), String>;

/// What of the schema can be told, a line each: for the file that verification holds it against.
///
/// # Errors
/// Where the store fails.
pub async fn shape(client: &Client) -> Result<Vec<String>, StoreError> {
    let rows = client.query(SHAPE, &[]).await.map_err(fault)?;
    rows.iter()
        .map(|row| {
            let (kind, name, definition): (&str, &str, &str) =
                (get(row, 0)?, get(row, 1)?, get(row, 2)?);
            Ok(format!("{kind}\t{name}\t{definition}"))
        })
        .collect()
}

fn parsed<'a>(lines: impl Iterator<Item = &'a str>) -> Shape {
    lines
        .filter_map(|line| {
            let (kind, rest) = line.split_once('\t')?;
            let (name, definition) = rest.split_once('\t')?;
            Some(((kind.to_owned(), name.to_owned()), definition.to_owned()))
        })
        .collect()
}

/// The first thing of the store's own schema that is missing or not as the steps made it; a trigger, rule or policy
/// that someone put on a table counts too. Output tables are no part of it.
pub(crate) async fn first_departure(client: &Client) -> Result<Option<String>, StoreError> {
    let found = shape(client).await?;
    let mut found = parsed(found.iter().map(String::as_str));
    for ((kind, name), definition) in parsed(MADE.lines()) {
        match found.remove(&(kind.clone(), name.clone())) {
            None => return Ok(Some(format!("the {kind} {name} of the store is missing"))),
            Some(other) if other != definition => {
                return Ok(Some(format!("the {kind} {name} of the store was changed")));
            }
            Some(_) => {}
        }
    }
    let own_tables: Vec<String> = parsed(MADE.lines())
        .into_keys()
        .filter_map(|(kind, name)| (kind == "table").then_some(name))
        .collect();
    let strange = found.into_keys().find(|(kind, name)| match kind.as_str() {
        "trigger" | "rule" | "policy" => true,
        // A constraint, column or index more on one of the store's own tables.
        _ => name.split_once('.').is_some_and(|(table, _)| own_tables.iter().any(|t| t == table)),
    });
    Ok(strange.map(|(kind, name)| format!("the {kind} {name} is none of the store's")))
}
