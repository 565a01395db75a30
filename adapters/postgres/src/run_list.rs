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
use uuid::Uuid;

use crate::PostgresStore;
use crate::errors::store_error;
use crate::values::get;

const PUT_HEADLINE: &str = include_str!("../../../sql/postgres/queries/put_headline.sql");
const PUT_ANNOTATIONS: &str = include_str!("../../../sql/postgres/queries/put_annotation_head.sql");
const HEADLINES: &str = include_str!("../../../sql/postgres/queries/headlines_of_runs.sql");
const NAMED: &str = include_str!("../../../sql/postgres/queries/runs_named.sql");

#[async_trait]
impl HeadlineStore for PostgresStore {
    async fn put_headline(&self, run: RunId, headline: &RunHeadline) -> Result<(), StoreError> {
        let (client, text) = (self.inner.pool.get().await?, encode_kept(headline)?);
        let put = client.execute(PUT_HEADLINE, &[&run.0, &text]).await;
        put.map(|_| ()).map_err(store_error)
    }

    async fn put_annotation_head(
        &self,
        run: RunId,
        annotations: &AnnotationHead,
    ) -> Result<(), StoreError> {
        let (name, text) = (annotations.folded_name(), encode_kept(annotations)?);
        let client = self.inner.pool.get().await?;
        let put = client.execute(PUT_ANNOTATIONS, &[&run.0, &name, &text]).await;
        put.map(|_| ()).map_err(store_error)
    }

    async fn headlines(
        &self,
        runs: Vec<RunId>,
    ) -> Result<BTreeMap<RunId, KeptHeadline>, StoreError> {
        let runs: Vec<Uuid> = runs.iter().map(|run| run.0).collect();
        let client = self.inner.pool.get().await?;
        let rows = client.query(HEADLINES, &[&runs]).await.map_err(store_error)?;
        let kept = |row| Ok((RunId(get(row, 0)?), decode_kept(get(row, 1)?, get(row, 2)?)?));
        rows.iter().map(kept).collect()
    }

    async fn runs_named(&self, name: &str) -> Result<Vec<RunId>, StoreError> {
        let client = self.inner.pool.get().await?;
        let rows = client.query(NAMED, &[&fold(name)]).await.map_err(store_error)?;
        rows.iter().map(|row| get(row, 0).map(RunId)).collect()
    }
}
