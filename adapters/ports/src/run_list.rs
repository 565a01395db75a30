//! What a store keeps of each run for the list of runs, besides the queue (specification 4.2
//! `runs`): projections of the run's events and of its annotations. The list of a long history
//! reads nothing else.

use std::collections::BTreeMap;

use async_trait::async_trait;
use futures::TryStreamExt;
use powerfill_events::annotation::{AnnotationEvent, Annotations, stream_of};
use powerfill_events::run::RunId;
use powerfill_events::values::fold;
use powerfill_tables::run_headline::RunHeadline;
use serde::{Deserialize, Serialize};

use crate::events::EventStore;
use crate::{StoreError, StoreFault, StoreResult};

/// The annotations of a run as the list has them.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct AnnotationHead {
    /// The name of the run.
    pub name: Option<String>,
    /// The number of notes.
    pub notes: u64,
    /// The last note.
    pub last_note: Option<String>,
}

impl AnnotationHead {
    /// The name as it is looked up: names compare as text (1.1).
    pub fn folded_name(&self) -> Option<String> {
        self.name.as_deref().map(fold)
    }
}

impl From<&Annotations> for AnnotationHead {
    fn from(annotations: &Annotations) -> Self {
        Self {
            name: annotations.name.clone(),
            notes: annotations.notes.len() as u64,
            last_note: annotations.notes.last().map(|note| note.text.clone()),
        }
    }
}

/// What a store keeps of a run for the list.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct KeptHeadline {
    /// From the events of the run; `None` if nothing was kept, because the run is not over, or was
    /// recorded by an older program.
    pub headline: Option<RunHeadline>,
    /// From its annotations.
    pub annotations: AnnotationHead,
}

/// The headlines of runs. A store that does not implement them keeps none.
///
/// # Errors
/// Each call returns an error if the store fails; a method names the others that it has.
#[async_trait]
pub trait HeadlineStore: Send + Sync {
    /// Replaces what is kept of a run's events.
    async fn put_headline(&self, _run: RunId, _headline: &RunHeadline) -> StoreResult<()> {
        Ok(())
    }

    /// Replaces what is kept of a run's annotations.
    async fn put_annotation_head(
        &self,
        _run: RunId,
        _annotations: &AnnotationHead,
    ) -> StoreResult<()> {
        Ok(())
    }

    /// What is kept of these runs. A run of which nothing is kept is absent.
    ///
    /// # Errors
    /// [`StoreError::Corrupt`] if it cannot be read; the store fails.
    async fn headlines(&self, _runs: Vec<RunId>) -> StoreResult<BTreeMap<RunId, KeptHeadline>> {
        Ok(BTreeMap::new())
    }

    /// The runs with this name, at most two, by id.
    async fn runs_named(&self, _name: &str) -> StoreResult<Vec<RunId>> {
        Ok(Vec::new())
    }
}

/// A headline or an annotation head as a store keeps it.
///
/// # Errors
/// [`StoreError::Failed`] if it cannot be written as JSON, which is a fault of the program.
pub fn encode_kept(value: &impl Serialize) -> StoreResult<String> {
    serde_json::to_string(value).map_err(|error| StoreError::Failed(StoreFault::caused_by(error)))
}

/// What a store keeps of a run, from its two texts.
///
/// # Errors
/// [`StoreError::Corrupt`].
pub fn decode_kept(headline: Option<&str>, annotations: Option<&str>) -> StoreResult<KeptHeadline> {
    let corrupt = |error: serde_json::Error| {
        let fault = StoreFault::caused_by(error);
        StoreError::Corrupt(fault.context("the list of runs"))
    };
    Ok(KeptHeadline {
        headline: headline.map(serde_json::from_str).transpose().map_err(corrupt)?,
        annotations: annotations
            .map(serde_json::from_str)
            .transpose()
            .map_err(corrupt)?
            .unwrap_or_default(),
    })
}

/// The name and the notes of a run (3.6).
///
/// # Errors
/// [`StoreError::Corrupt`] if an event cannot be read; the store fails.
pub async fn read_annotations<S: EventStore + ?Sized>(
    store: &S,
    run: RunId,
) -> StoreResult<Annotations> {
    let stream = stream_of(run);
    let mut annotations = Annotations::default();
    let mut batches = store.read(&stream, 1);
    while let Some(batch) = batches.try_next().await? {
        for stored in batch {
            let event = AnnotationEvent::decode_stored(&stored).map_err(|error| {
                let fault = StoreFault::caused_by(error);
                StoreError::Corrupt(
                    fault.context(format!("event {} of {stream}", stored.stream_version)),
                )
            })?;
            annotations.apply(event, stored.recorded_at, &stored.actor);
        }
    }
    Ok(annotations)
}
