//! What the list of runs says about each run (specification 4.2 `runs`).

use std::collections::BTreeMap;

use async_trait::async_trait;
use powerfill_events::run::RunId;
use powerfill_events::values::fold;
use powerfill_ports::StoreResult;
use powerfill_ports::run_list::{
    AnnotationHead, HeadlineStore, KeptHeadline, decode_kept, encode_kept,
};
use powerfill_tables::run_headline::RunHeadline;

use crate::SqliteStore;
use crate::decode::{get, run_id};
use crate::statements::{execute, first_row, rows};

const PUT_HEADLINE: &str = include_str!("../../../sql/sqlite/queries/put_headline.sql");
const PUT_ANNOTATIONS: &str = include_str!("../../../sql/sqlite/queries/put_annotation_head.sql");
const HEADLINE: &str = include_str!("../../../sql/sqlite/queries/headline_of_run.sql");
const NAMED: &str = include_str!("../../../sql/sqlite/queries/runs_named.sql");

#[async_trait]
impl HeadlineStore for SqliteStore {
    async fn put_headline(&self, run: RunId, headline: &RunHeadline) -> StoreResult<()> {
        let values = (run.to_string(), encode_kept(headline)?);
        self.write(move |conn| execute(conn, PUT_HEADLINE, values).map(|_| ())).await
    }

    async fn put_annotation_head(
        &self,
        run: RunId,
        annotations: &AnnotationHead,
    ) -> StoreResult<()> {
        let values = (run.to_string(), annotations.folded_name(), encode_kept(annotations)?);
        self.write(move |conn| execute(conn, PUT_ANNOTATIONS, values).map(|_| ())).await
    }

    async fn headlines(&self, runs: Vec<RunId>) -> StoreResult<BTreeMap<RunId, KeptHeadline>> {
        self.read_with(move |conn| {
            let kept = |run: RunId| {
                let kept = first_row(conn, HEADLINE, [run.to_string()], |row| {
                    let (headline, annotations): (Option<String>, Option<String>) =
                        (get(row, 0)?, get(row, 1)?);
                    Ok((run, decode_kept(headline.as_deref(), annotations.as_deref())?))
                });
                kept.transpose()
            };
            runs.into_iter().filter_map(kept).collect()
        })
        .await
    }

    async fn runs_named(&self, name: &str) -> StoreResult<Vec<RunId>> {
        let name = fold(name);
        self.read_with(|conn| rows(conn, NAMED, [name], |row| run_id(&get::<String>(row, 0)?)))
            .await
    }
}
