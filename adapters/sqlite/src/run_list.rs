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
use crate::statements::{execute, first_row, query, rows};

#[async_trait]
impl HeadlineStore for SqliteStore {
    async fn put_headline(&self, run: RunId, headline: &RunHeadline) -> StoreResult<()> {
        let values = (run.to_string(), encode_kept(headline)?);
        self.write(move |conn| execute(conn, query!("put_headline"), values).map(|_| ())).await
    }

    async fn put_annotation_head(
        &self,
        run: RunId,
        annotations: &AnnotationHead,
    ) -> StoreResult<()> {
        let values = (run.to_string(), annotations.folded_name(), encode_kept(annotations)?);
        self.write(move |conn| execute(conn, query!("put_annotation_head"), values).map(|_| ()))
            .await
    }

    async fn headlines(&self, runs: Vec<RunId>) -> StoreResult<BTreeMap<RunId, KeptHeadline>> {
        self.read_with(move |conn| {
            let kept = |run: RunId| {
                let kept = first_row(conn, query!("headline_of_run"), [run.to_string()], |row| {
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
        self.read_with(|conn| {
            rows(conn, query!("runs_named"), [name], |row| run_id(&get::<String>(row, 0)?))
        })
        .await
    }
}
