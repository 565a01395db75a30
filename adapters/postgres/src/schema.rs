//! The steps of the schema, the migration of a store, and the check that the schema
//! is unchanged.

use std::collections::BTreeMap;

use powerfill_ports::schema_steps::{SchemaStep, count_applied_steps};
use powerfill_ports::{StoreError, StoreResult};
use tokio_postgres::Client;

use crate::commit::commit_idempotent;
use crate::errors::store_error;
use crate::locks;
use crate::pool::ConnectionPool;
use crate::statements::{execute, query, rows};
use crate::values::get;

/// A step with its statements.
macro_rules! step {
    ($name:literal) => {
        SchemaStep {
            name: $name,
            sql: include_str!(concat!("../../../sql/postgres/steps/", $name, ".sql")),
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

const SHAPE: &str = include_str!("../../../sql/postgres/queries/shape.sql");
/// The result of [`SHAPE`] for a schema that only the steps have changed.
const EXPECTED_SHAPE: &str = include_str!("../../../sql/postgres/shape.txt");

/// The number of steps that were applied to the database; 0 if it contains no store.
///
/// # Errors
/// [`StoreError::Schema`] if the schema belongs to another program or to a newer PowerFill.
async fn applied_steps(client: &Client) -> StoreResult<usize> {
    let state = client.query_one(query!("place"), &[]).await.map_err(store_error)?;
    let (relations, is_ours): (i64, bool) = (get(&state, 0)?, get(&state, 1)?);
    if relations == 0 {
        return Ok(0);
    }
    if !is_ours {
        return Err(StoreError::Schema(
            "the database has a schema powerfill, but it is not a PowerFill store".into(),
        ));
    }
    let rows = client
        .query("SELECT name FROM powerfill.schema_steps ORDER BY number", &[])
        .await
        .map_err(store_error)?;
    let names = rows.iter().map(|row| get(row, 0)).collect::<Result<Vec<String>, _>>()?;
    count_applied_steps(STEPS, &names)
}

/// Whether the database contains a store.
pub(crate) async fn exists(pool: &ConnectionPool) -> StoreResult<bool> {
    let client = pool.get().await?;
    Ok(applied_steps(&client).await? > 0)
}

/// Applies the missing steps in one transaction, under a lock, so that several processes may do it
/// at the same time. If no step is missing, no right to change a schema is needed.
///
/// # Errors
/// [`StoreError::Schema`] as [`applied_steps`]. If a step fails, the store is as before.
pub(crate) async fn migrate(pool: &ConnectionPool) -> StoreResult<()> {
    let mut client = pool.get().await?;
    if applied_steps(&client).await? == STEPS.len() {
        return Ok(());
    }
    let tx = client.transaction().await.map_err(store_error)?;
    tx.batch_execute(&locks::take(locks::SCHEMA)).await.map_err(store_error)?;
    let applied = applied_steps(tx.client()).await?;
    if applied == 0 {
        tx.batch_execute(query!("schema_steps")).await.map_err(store_error)?;
    }
    for (at, step) in STEPS.iter().enumerate().skip(applied) {
        tx.batch_execute(step.sql).await.map_err(store_error)?;
        let insert = "INSERT INTO powerfill.schema_steps (number, name) VALUES ($1, $2)";
        execute(tx.client(), insert, &[&(at as i32 + 1), &step.name]).await?;
    }
    commit_idempotent(tx).await
}

/// Tables, columns, constraints, indexes, triggers, and functions by kind and name, each with its
/// definition.
type SchemaShape = BTreeMap<(String, String), String>;

/// The shape of the schema, one line per object. `sql/postgres/shape.txt` has the expected lines.
///
/// # Errors
/// If the store fails.
pub async fn shape(client: &Client) -> StoreResult<Vec<String>> {
    rows(client, SHAPE, &[], |row| {
        let (kind, name, definition): (&str, &str, &str) =
            (get(row, 0)?, get(row, 1)?, get(row, 2)?);
        Ok(format!("{kind}\t{name}\t{definition}"))
    })
    .await
}

fn parse_shape<'a>(lines: impl Iterator<Item = &'a str>) -> SchemaShape {
    lines
        .filter_map(|line| {
            let (kind, rest) = line.split_once('\t')?;
            let (name, definition) = rest.split_once('\t')?;
            Some(((kind.to_owned(), name.to_owned()), definition.to_owned()))
        })
        .collect()
}

/// The first part of the store's schema that is missing or not as the steps create it. An
/// additional trigger, rule, or policy counts, too. Output tables are not part of the schema.
pub(crate) async fn first_difference(client: &Client) -> StoreResult<Option<String>> {
    let lines = shape(client).await?;
    let mut actual = parse_shape(lines.iter().map(String::as_str));
    for ((kind, name), definition) in parse_shape(EXPECTED_SHAPE.lines()) {
        match actual.remove(&(kind.clone(), name.clone())) {
            None => return Ok(Some(format!("the {kind} {name} of the store is missing"))),
            Some(other) if other != definition => {
                return Ok(Some(format!("the {kind} {name} of the store was changed")));
            }
            Some(_) => {}
        }
    }
    let own_tables: Vec<String> = parse_shape(EXPECTED_SHAPE.lines())
        .into_keys()
        .filter_map(|(kind, name)| (kind == "table").then_some(name))
        .collect();
    let additional = actual.into_keys().find(|(kind, name)| match kind.as_str() {
        "trigger" | "rule" | "policy" => true,
        // An additional constraint, column, or index on one of the store's own tables.
        _ => name.split_once('.').is_some_and(|(table, _)| own_tables.iter().any(|t| t == table)),
    });
    Ok(additional.map(|(kind, name)| format!("the {kind} {name} does not belong to the store")))
}
