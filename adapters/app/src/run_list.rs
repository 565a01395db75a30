//! The list of runs (specification 4.2 `runs`), and the names and notes of runs (3.6).

use futures::stream::{Stream, TryStreamExt, iter, try_unfold};
use powerfill_events::annotation::{
    AnnotationEvent, AnnotationRejection, Annotations, RunNamed, RunNoted, check_name, check_note,
    stream_of,
};
use powerfill_events::log::{AppendMeta, EncodedBatch};
use powerfill_events::run::{RunEvent, RunId};
use powerfill_events::values::{Day, Timestamp, derive_uuid};
use powerfill_ports::detached_block::HashCheck;
use powerfill_ports::events::Append;
use powerfill_ports::run_list::{AnnotationHead, read_annotations};
use powerfill_ports::runs::{QueuedRun, RUNS_PER_PAGE, RunCursor, RunFilter, RunStatus};
use powerfill_ports::{Store, StoreError, StoreResult};
use powerfill_snapshot::near::suggestion;
use powerfill_snapshot::options;
use powerfill_tables::run_headline::{RunHeadline, VERSION, option_text};
use powerfill_tables::tables::projectors;

use crate::events::{DecodedEvent, read_versions};
use crate::rebuild::{fold_with_index, put_headline};
use crate::run::history::with_logged_status;
use crate::{AppError, AppResult};

/// A run in the list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListedRun {
    /// Its number in the store, from 1 in the order of requests; `None` in a list that does not
    /// begin with the newest run.
    pub number: Option<u64>,
    /// Its entry in the queue.
    pub queued: QueuedRun,
    /// What its events say.
    pub headline: RunHeadline,
    /// Its name and notes.
    pub annotations: AnnotationHead,
}

/// Which runs a list has. What is absent admits every run.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RunListFilter {
    /// Requested on this day (UTC) or later.
    pub since: Option<Day>,
    /// Requested on this day (UTC) or earlier.
    pub until: Option<Day>,
    /// The day from which the run counts.
    pub as_of: Option<Day>,
    /// Its status.
    pub status: Option<RunStatus>,
    /// Who requested it, without regard to case.
    pub requested_by: Option<String>,
    /// Options by name, with the values that they must have.
    pub options: Vec<(String, String)>,
    /// The scenarios instead of the official runs.
    pub scenarios: bool,
}

impl RunListFilter {
    /// Adds a condition on an option, `NAME=VALUE`.
    ///
    /// # Errors
    /// Why the text is none.
    pub fn add_option(&mut self, text: &str) -> Result<(), String> {
        let (name, value) = text
            .split_once('=')
            .ok_or_else(|| format!("{text:?} is no NAME=VALUE, such as price_mode=pc"))?;
        if RunHeadline::default().option(name).is_none() {
            let near = suggestion(name, options().iter().map(|option| option.name));
            return Err(format!(
                "no run option {name:?}{near}; docs/reference/options.md lists them"
            ));
        }
        self.options.push((name.to_owned(), value.to_owned()));
        Ok(())
    }

    fn admits(&self, run: &ListedRun) -> bool {
        let ListedRun { queued, headline, .. } = run;
        let day = queued.requested_at.day();
        let has_option = |(name, value): &(String, String)| {
            headline.option(name).is_some_and(|own| option_equals(&option_text(&own), value))
        };
        self.since.is_none_or(|since| since <= day)
            && self.until.is_none_or(|until| day <= until)
            && self.as_of.is_none_or(|as_of| headline.as_of == Some(as_of))
            && self.status.is_none_or(|status| queued.status == status)
            && self
                .requested_by
                .as_ref()
                .is_none_or(|by| by.eq_ignore_ascii_case(&headline.requested_by))
            && self.options.iter().all(has_option)
            && self.scenarios == queued.is_scenario
    }
}

/// Whether two texts of an option's value are the same: `0.01` is `0.010000`.
fn option_equals(own: &str, wanted: &str) -> bool {
    let plain = |text: &str| match text.contains('.') {
        true => text.trim_end_matches('0').trim_end_matches('.').to_owned(),
        false => text.to_owned(),
    };
    plain(own).eq_ignore_ascii_case(&plain(wanted))
}

/// The runs that a filter admits after a cursor, newest first. It reads the list by an index, and
/// no events except the first and the last one of runs that are not over or that an older program
/// recorded. An error ends the stream.
pub fn list_runs(
    store: &dyn Store,
    filter: RunListFilter,
    after: RunCursor,
) -> impl Stream<Item = AppResult<ListedRun>> {
    let pages = try_unfold(Some((after, None)), move |state: Option<(RunCursor, _)>| {
        let filter = filter.clone();
        async move {
            let Some((cursor, number)) = state else { return Ok(None) };
            let first: Option<u64> = match cursor == RunCursor::START {
                true => Some(store.run_counts().await?.values().sum()),
                false => number,
            };
            let page = store.runs_after(cursor, RUNS_PER_PAGE, RunFilter::All).await?;
            let last = page.last().map(QueuedRun::cursor);
            let is_earlier = |day| last.is_some_and(|last| last.requested_at.day() < day);
            let ends = page.len() < RUNS_PER_PAGE || filter.since.is_some_and(is_earlier);
            let next = first.map(|first| first.saturating_sub(page.len() as u64));
            let mut runs = listed(store, page, first).await?;
            runs.retain(|run| filter.admits(run));
            let state = last.filter(|_| !ends).map(|last| (last, next));
            Ok::<_, AppError>(Some((iter(runs.into_iter().map(Ok)), state)))
        }
    });
    pages.try_flatten()
}

/// These runs, numbered downward from `first`, if that is known.
async fn listed(
    store: &dyn Store,
    page: Vec<QueuedRun>,
    first: Option<u64>,
) -> AppResult<Vec<ListedRun>> {
    let mut kept = store.headlines(page.iter().map(|run| run.run_id).collect()).await?;
    let mut runs = Vec::with_capacity(page.len());
    for (queued, before) in page.into_iter().zip(0..) {
        let queued = with_logged_status(store, queued).await?;
        let kept = kept.remove(&queued.run_id).unwrap_or_default();
        let headline = match kept.headline {
            Some(headline) => headline,
            None => read_headline(store, queued.run_id).await?,
        };
        let number = first.map(|first| first.saturating_sub(before));
        runs.push(ListedRun { number, queued, headline, annotations: kept.annotations });
    }
    Ok(runs)
}

/// What the first and the last event of a run say. The value is left out. Nothing, where payloads
/// are archived.
async fn read_headline(store: &dyn Store, run: RunId) -> AppResult<RunHeadline> {
    let end = store.stream_version(&run.stream()).await?;
    if end == 0 || !store.archived_blocks(run).await?.is_empty() {
        return Ok(RunHeadline::default());
    }
    let mut headline = RunHeadline::default();
    for version in [1, end] {
        let mut batches = read_versions(store, run, version, version);
        while let Some(batch) = batches.try_next().await? {
            for DecodedEvent { event, .. } in &batch {
                if let RunEvent::RunRequested(request) = event {
                    headline = RunHeadline::requested(request);
                } else if let RunEvent::RunCompleted(completed) = event {
                    headline.complete(completed);
                }
            }
        }
    }
    Ok(headline)
}

/// Keeps what the list of runs says about each run that is over and was recorded by an older
/// program. Returns their number. Runs whose payloads are archived stay as they are.
///
/// # Errors
/// An event cannot be read; the store fails.
pub async fn fill_headlines(store: &dyn Store, mut progress: impl FnMut(u64)) -> AppResult<u64> {
    let (mut filled, mut cursor) = (0, RunCursor::START);
    loop {
        let page = store.runs_after(cursor, RUNS_PER_PAGE, RunFilter::All).await?;
        let Some(last) = page.last().map(QueuedRun::cursor) else { return Ok(filled) };
        cursor = last;
        let kept = store.headlines(page.iter().map(|run| run.run_id).collect()).await?;
        let is_kept = |run: RunId| {
            let headline = kept.get(&run).and_then(|kept| kept.headline.as_ref());
            headline.is_some_and(|headline| headline.version == VERSION)
        };
        for queued in page.iter().filter(|run| run.status.is_over() && !is_kept(run.run_id)) {
            let run = queued.run_id;
            let has_events = store.stream_version(&run.stream()).await? > 0;
            if has_events && store.archived_blocks(run).await?.is_empty() {
                let fold =
                    fold_with_index(store, run, projectors, HashCheck::OnRead, async |_, _| Ok(()));
                let rebuilt = fold.await?;
                put_headline(store, run, &rebuilt).await?;
                filled += 1;
                progress(filled);
            }
        }
    }
}

/// A change of a run's annotations.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AnnotationChange {
    /// The new name; an empty one takes the name away.
    pub name: Option<String>,
    /// A new note.
    pub note: Option<String>,
}

/// Why annotations are not written.
#[derive(Debug, thiserror::Error)]
pub enum AnnotateError {
    /// The name or the note is refused.
    #[error(transparent)]
    Rejected(#[from] AnnotationRejection),
    /// Another run has the name.
    #[error("run {0} has this name already; names of runs are unique")]
    NameTaken(RunId),
    /// An event cannot be read, or the store fails.
    #[error(transparent)]
    App(#[from] AppError),
}

impl From<StoreError> for AnnotateError {
    fn from(error: StoreError) -> Self {
        Self::App(error.into())
    }
}

/// Names a run, and adds a note to it. The stream of the run stays as it is. What is so already
/// writes nothing. Returns the annotations after it.
///
/// # Errors
/// See [`AnnotateError`]. A conflict if another command was first.
pub async fn annotate(
    store: &dyn Store,
    run: RunId,
    change: &AnnotationChange,
    actor: &str,
    now: Timestamp,
) -> Result<Annotations, AnnotateError> {
    if store.stream_version(&run.stream()).await? == 0 {
        return Err(AppError::no_run(run).into());
    }
    let mut annotations = read_annotations(store, run).await?;
    let mut events = Vec::new();
    if let Some(name) = &change.name {
        let name = Some(name.trim()).filter(|name| !name.is_empty());
        if let Some(name) = name {
            check_name(name)?;
            let named = store.runs_named(name).await?;
            if let Some(other) = named.into_iter().find(|other| *other != run) {
                return Err(AnnotateError::NameTaken(other));
            }
        }
        if annotations.name.as_deref() != name {
            let name = name.map(str::to_owned);
            events.push(AnnotationEvent::RunNamed(RunNamed { name }));
        }
    }
    if let Some(note) = &change.note {
        check_note(note)?;
        events.push(AnnotationEvent::RunNoted(RunNoted { note: note.clone() }));
    }
    if !events.is_empty() {
        append(store, run, annotations.version, &events, actor, now).await?;
    }
    for event in events {
        annotations.apply(event, now, actor);
    }
    // Also where nothing was written: an earlier command may have ended before this.
    store.put_annotation_head(run, &AnnotationHead::from(&annotations)).await?;
    Ok(annotations)
}

async fn append(
    store: &dyn Store,
    run: RunId,
    expected_version: u64,
    events: &[AnnotationEvent],
    actor: &str,
    now: Timestamp,
) -> StoreResult<()> {
    let no_run = || StoreError::NotFound { what: "run", name: run.to_string() };
    let tenant_id = store.tenant().await?.ok_or_else(no_run)?;
    let events = EncodedBatch::encode(events);
    let payloads: Vec<u8> = events.iter().flat_map(|(_, payload)| payload.to_vec()).collect();
    let (version, at) = (expected_version.to_le_bytes(), now.micros().to_le_bytes());
    let parts: [&[u8]; 4] = [run.0.as_bytes(), &version, &at, &payloads];
    let append = Append {
        append_id: derive_uuid("powerfill 2026 annotation append id", &parts),
        stream: stream_of(run),
        expected_version,
        meta: AppendMeta::new(tenant_id, actor, now),
        events,
        lease: None,
    };
    store.append(append).await.map(|_| ())
}
