//! What the list of runs says about each run.

use std::collections::BTreeMap;

use async_trait::async_trait;
use powerfill_events::run::RunId;
use powerfill_events::values::fold;
use powerfill_ports::StoreResult;
use powerfill_ports::run_list::{AnnotationHead, HeadlineStore, KeptHeadline};
use powerfill_tables::run_headline::RunHeadline;

use crate::MemoryStore;

#[async_trait]
impl HeadlineStore for MemoryStore {
    async fn put_headline(&self, run: RunId, headline: &RunHeadline) -> StoreResult<()> {
        self.state().headlines.entry(run).or_default().headline = Some(headline.clone());
        Ok(())
    }

    async fn put_annotation_head(
        &self,
        run: RunId,
        annotations: &AnnotationHead,
    ) -> StoreResult<()> {
        self.state().headlines.entry(run).or_default().annotations = annotations.clone();
        Ok(())
    }

    async fn headlines(&self, runs: Vec<RunId>) -> StoreResult<BTreeMap<RunId, KeptHeadline>> {
        let state = self.state();
        let kept = |run: RunId| Some((run, state.headlines.get(&run)?.clone()));
        Ok(runs.into_iter().filter_map(kept).collect())
    }

    async fn runs_named(&self, name: &str) -> StoreResult<Vec<RunId>> {
        let (state, name) = (self.state(), Some(fold(name)));
        let named =
            state.headlines.iter().filter(|(_, kept)| kept.annotations.folded_name() == name);
        Ok(named.map(|(run, _)| *run).take(2).collect())
    }
}
