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
use tokio_postgres::Row;
use uuid::Uuid;

use crate::PostgresStore;
use crate::statements::{execute, query, rows};
use crate::values::get;

#[async_trait]
impl HeadlineStore for PostgresStore {
    async fn put_headline(&self, run: RunId, headline: &RunHeadline) -> StoreResult<()> {
        let (client, text) = (self.inner.pool.get().await?, encode_kept(headline)?);
        execute(&client, query!("put_headline"), &[&run.0, &text]).await.map(|_| ())
    }

    async fn put_annotation_head(
        &self,
        run: RunId,
        annotations: &AnnotationHead,
    ) -> StoreResult<()> {
        let (name, text) = (annotations.folded_name(), encode_kept(annotations)?);
        let client = self.inner.pool.get().await?;
        execute(&client, query!("put_annotation_head"), &[&run.0, &name, &text]).await.map(|_| ())
    }

    async fn headlines(&self, runs: Vec<RunId>) -> StoreResult<BTreeMap<RunId, KeptHeadline>> {
        let runs: Vec<Uuid> = runs.iter().map(|run| run.0).collect();
        let client = self.inner.pool.get().await?;
        let kept = |row: &Row| Ok((RunId(get(row, 0)?), decode_kept(get(row, 1)?, get(row, 2)?)?));
        rows(&client, query!("headlines_of_runs"), &[&runs], kept).await
    }

    async fn runs_named(&self, name: &str) -> StoreResult<Vec<RunId>> {
        let client = self.inner.pool.get().await?;
        rows(&client, query!("runs_named"), &[&fold(name)], |row| get(row, 0).map(RunId)).await
    }
}
