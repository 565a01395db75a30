//! What the list of runs says about each run (specification 4.2 `runs`).

use std::collections::BTreeMap;

use async_trait::async_trait;
use powerfill_events::run::RunId;
use powerfill_events::values::fold;
use powerfill_ports::StoreError;
use powerfill_ports::run_list::{
    AnnotationHead, HeadlineStore, KeptHeadline, decode_kept, encode_kept,
};
use powerfill_tables::run_headline::RunHeadline;
use rusqlite::{Connection, OptionalExtension};

use crate::SqliteStore;
use crate::connection::store_error;
use crate::decode::{get, run_id};

const PUT_HEADLINE: &str = include_str!("../../../sql/sqlite/queries/put_headline.sql");
const PUT_ANNOTATIONS: &str = include_str!("../../../sql/sqlite/queries/put_annotation_head.sql");
const HEADLINE: &str = include_str!("../../../sql/sqlite/queries/headline_of_run.sql");
const NAMED: &str = include_str!("../../../sql/sqlite/queries/runs_named.sql");

fn headlines(
    conn: &Connection,
    runs: &[RunId],
) -> Result<BTreeMap<RunId, KeptHeadline>, StoreError> {
    let mut find = conn.prepare_cached(HEADLINE).map_err(store_error)?;
    let mut found = BTreeMap::new();
    for run in runs {
        let texts: Option<(Option<String>, Option<String>)> = find
            .query_row([run.to_string()], |row| Ok((row.get(0)?, row.get(1)?)))
            .optional()
            .map_err(store_error)?;
        if let Some((headline, annotations)) = texts {
            found.insert(*run, decode_kept(headline.as_deref(), annotations.as_deref())?);
        }
    }
    Ok(found)
}

fn named(conn: &Connection, name: &str) -> Result<Vec<RunId>, StoreError> {
    let mut find = conn.prepare_cached(NAMED).map_err(store_error)?;
    let mut rows = find.query([fold(name)]).map_err(store_error)?;
    let mut runs = Vec::new();
    while let Some(row) = rows.next().map_err(store_error)? {
        runs.push(run_id(&get::<String>(row, 0)?)?);
    }
    Ok(runs)
}

#[async_trait]
impl HeadlineStore for SqliteStore {
    async fn put_headline(&self, run: RunId, headline: &RunHeadline) -> Result<(), StoreError> {
        let values = (run.to_string(), encode_kept(headline)?);
        self.write(move |conn| conn.execute(PUT_HEADLINE, values).map(|_| ()).map_err(store_error))
            .await
    }

    async fn put_annotation_head(
        &self,
        run: RunId,
        annotations: &AnnotationHead,
    ) -> Result<(), StoreError> {
        let values = (run.to_string(), annotations.folded_name(), encode_kept(annotations)?);
        self.write(move |conn| {
            conn.execute(PUT_ANNOTATIONS, values).map(|_| ()).map_err(store_error)
        })
        .await
    }

    async fn headlines(
        &self,
        runs: Vec<RunId>,
    ) -> Result<BTreeMap<RunId, KeptHeadline>, StoreError> {
        self.read_with(move |conn| headlines(conn, &runs)).await
    }

    async fn runs_named(&self, name: &str) -> Result<Vec<RunId>, StoreError> {
        let name = name.to_owned();
        self.read_with(move |conn| named(conn, &name)).await
    }
}
