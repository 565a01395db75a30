//! Publishing outputs to another system: the rows that arrive, retries, and publishers that follow
//! the log.

use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use powerfill_app::AppError;
use powerfill_app::publish::{Publisher, PublisherEvent, publish};
use powerfill_events::run::RunId;
use powerfill_ports::publishing::{
    OutputTarget, Publication, PublishError, PublishOutcome, Publishing,
};
use powerfill_tables::csv;
use powerfill_tables::digest::{TableDigest, output_digest};
use powerfill_tables::table::RowBatch;
use powerfill_tables::tables::{ALL, decisions};
use tokio_util::sync::CancellationToken;

use crate::books;
use crate::desk::Desk;
use powerfill_events::run::event::Step;

#[derive(Default)]
struct TargetState {
    publication: Option<Publication>,
    tables: Vec<(String, String)>,
    /// The number of calls.
    calls: usize,
    /// The errors of the next calls; an empty message is no error.
    faults: Vec<PublishError>,
}

/// A target in memory, which fails as a test decides.
#[derive(Clone, Default)]
pub(crate) struct MemoryTarget(Arc<Mutex<TargetState>>);

impl MemoryTarget {
    fn state(&self) -> std::sync::MutexGuard<'_, TargetState> {
        self.0.lock().expect("no test panics with the lock")
    }

    /// A target that fails with these errors, one per call, after this number of calls.
    fn failing(after: usize, faults: Vec<PublishError>) -> Self {
        let target = Self::default();
        let none = std::iter::repeat_n(PublishError::Failed(String::new()), after);
        target.state().faults = none.chain(faults).collect();
        target
    }

    fn call(&self) -> Result<(), PublishError> {
        let mut state = self.state();
        let at = state.calls;
        state.calls += 1;
        match state.faults.get(at) {
            Some(PublishError::Failed(message)) if message.is_empty() => Ok(()),
            Some(fault) => Err(fault.clone()),
            None => Ok(()),
        }
    }
}

struct TargetPublication {
    target: MemoryTarget,
    publication: Publication,
    tables: Vec<RowBatch>,
}

#[async_trait]
impl OutputTarget for MemoryTarget {
    fn place(&self) -> String {
        "notice:board".to_owned()
    }

    async fn begin(&self, publication: &Publication) -> Result<Box<dyn Publishing>, PublishError> {
        self.call()?;
        let tables = ALL.iter().map(|table| RowBatch::new(table)).collect();
        let (target, publication) = (self.clone(), publication.clone());
        Ok(Box::new(TargetPublication { target, publication, tables }))
    }
}

#[async_trait]
impl Publishing for TargetPublication {
    async fn stage(&mut self, rows: &RowBatch) -> Result<(), PublishError> {
        self.target.call()?;
        let table = self.tables.iter_mut().find(|table| std::ptr::eq(table.table, rows.table));
        table.expect("the table is one of ALL").append(&mut rows.clone());
        Ok(())
    }

    async fn show(self: Box<Self>, sent: &[TableDigest]) -> Result<PublishOutcome, PublishError> {
        self.target.call()?;
        for (rows, sent) in self.tables.iter().zip(sent) {
            let mut digest = TableDigest::new(rows.table);
            digest.update(rows);
            assert_eq!(
                (digest.rows(), digest.hash()),
                (sent.rows(), sent.hash()),
                "{}",
                rows.table.name
            );
        }
        let of_decisions = output_digest(&sent[..decisions().count()]);
        assert_eq!(of_decisions, self.publication.output_digest);
        let mut state = self.target.state();
        if let Some(shown) = &state.publication
            && self.publication.only_if_later
            && shown.position > self.publication.position
        {
            return Ok(PublishOutcome::Later(shown.run_id));
        }
        state.tables = self.tables.iter().map(|rows| text(self.publication.run_id, rows)).collect();
        state.publication = Some(self.publication);
        Ok(PublishOutcome::This)
    }
}

fn text(run: RunId, rows: &RowBatch) -> (String, String) {
    let mut text = Vec::new();
    csv::write_file_rows(run, rows, &mut text);
    (rows.table.name.to_owned(), String::from_utf8(text).expect("CSV is text"))
}

/// The published tables of the store, in the same form.
async fn published(desk: &Desk) -> Vec<(String, String)> {
    let tables = desk.published_tables().await.into_iter();
    tables.map(|(table, text)| (table.to_owned(), text)).collect()
}

fn without_history(tables: &[(String, String)]) -> Vec<(String, String)> {
    let mut tables = tables.to_vec();
    tables.retain(|(table, _)| table != "pfill_run_history");
    tables
}

pub(crate) async fn any_complete_run_can_be_published_again(desk: &Desk) {
    let first = desk.complete(&books::small()).await;
    let tables_of_first = published(desk).await;
    let second = desk.complete(&books::mixed()).await;
    let target = MemoryTarget::default();
    for (run, tables) in [(second, published(desk).await), (first, tables_of_first)] {
        for _ in 0..2 {
            let publication = publish(desk.store.as_ref(), run, &target).await.unwrap();
            assert_eq!(publication.run_id, run);
            assert!(without_history(&target.state().tables) == tables);
        }
    }
}

pub(crate) async fn a_run_that_is_not_complete_is_not_published(desk: &Desk) {
    let target = MemoryTarget::default();
    let waiting = desk.request(&books::mixed()).await;
    let refused = |run| publish(desk.store.as_ref(), run, &target);
    assert!(refused(waiting).await.unwrap_err().to_string().contains("not Complete"));
    desk.work_cancelled_at(Step::PoolGuide).await;
    assert!(refused(waiting).await.unwrap_err().to_string().contains("not Complete"));
    let unknown = desk.next_run();
    assert!(refused(unknown).await.unwrap_err().to_string().contains("no run"));
    assert_eq!(target.state().calls, 0);
}

/// At any call.
pub(crate) async fn transient_errors_are_retried_and_others_returned(desk: &Desk) {
    let run = desk.complete(&books::small()).await;
    let passing = || PublishError::Transient("the victim of a deadlock".to_owned());
    let calls = {
        let target = MemoryTarget::default();
        publish(desk.store.as_ref(), run, &target).await.unwrap();
        target.state().calls
    };
    assert!(calls > 3, "{calls}");
    for call in 0..calls {
        let target = MemoryTarget::failing(call, vec![passing()]);
        publish(desk.store.as_ref(), run, &target).await.unwrap();
        assert_eq!(target.state().publication.as_ref().unwrap().run_id, run, "call {call}");
        let target =
            MemoryTarget::failing(call, vec![PublishError::Failed("no such table".to_owned())]);
        let failed = publish(desk.store.as_ref(), run, &target).await.unwrap_err();
        assert!(matches!(failed, AppError::Publish(PublishError::Failed(_))), "{failed:?}");
        assert_eq!(target.state().calls, call + 1);
        assert!(target.state().publication.is_none());
    }
    let target = MemoryTarget::failing(0, vec![passing(); 100]);
    let gave_up = publish(desk.store.as_ref(), run, &target).await.unwrap_err();
    assert!(matches!(gave_up, AppError::Publish(PublishError::Transient(_))), "{gave_up:?}");
    assert_eq!(target.state().calls, 5);
}

pub(crate) async fn a_publisher_publishes_completed_runs_from_its_position_on(desk: &Desk) {
    let stop = CancellationToken::new();
    let target = MemoryTarget::default();
    let store = desk.store.as_ref();
    let publisher = || Publisher::new(store, &target, stop.clone());
    let caught_up = async || {
        let mut reports = Vec::new();
        let report = &mut |event: PublisherEvent<'_>| reports.push(format!("{event:?}"));
        publisher().catch_up(report).await.unwrap();
        reports
    };
    assert!(caught_up().await.is_empty());
    let first = desk.complete(&books::small()).await;
    assert_eq!(caught_up().await.len(), 1);
    assert_eq!(target.state().publication.as_ref().unwrap().run_id, first);
    // Nothing is published twice, also by another process.
    assert!(caught_up().await.is_empty());
    let second = desk.complete(&books::mixed()).await;
    desk.run(&books::refused()).await;
    assert_eq!(caught_up().await.len(), 1);
    assert_eq!(target.state().publication.as_ref().unwrap().run_id, second);
    // An older run that was published on purpose stays until the next run completes.
    publish(store, first, &target).await.unwrap();
    assert!(caught_up().await.is_empty());
    let third = desk.complete(&books::small()).await;
    assert_eq!(caught_up().await.len(), 1);
    assert_eq!(target.state().publication.as_ref().unwrap().run_id, third);
    // A late publisher does not replace a later run.
    target.state().publication.as_mut().unwrap().position += 1_000_000;
    desk.complete(&books::small()).await;
    assert!(caught_up().await[0].starts_with("Superseded"));
    assert_eq!(target.state().publication.as_ref().unwrap().run_id, third);
}

pub(crate) async fn a_publisher_waits_for_an_unavailable_target(desk: &Desk) {
    let stop = CancellationToken::new();
    let stopped = stop.clone();
    let target = MemoryTarget::failing(0, vec![PublishError::Transient("no answer".to_owned()); 6]);
    let run = desk.complete(&books::small()).await;
    let store = Arc::clone(&desk.store);
    let following = tokio::spawn({
        let target = target.clone();
        async move {
            let mut reports = Vec::new();
            let publisher = Publisher::new(store.as_ref(), &target, stopped);
            let report = |event: PublisherEvent<'_>| {
                reports.push(format!("{event:?}"));
                if matches!(event, PublisherEvent::Published(_)) {
                    stop.cancel();
                }
            };
            publisher.follow(report).await.map(|()| reports)
        }
    });
    let reports = following.await.unwrap().unwrap();
    assert_eq!(reports.len(), 2, "{reports:?}");
    assert!(
        reports[0].starts_with("Waiting") && reports[1].starts_with("Published"),
        "{reports:?}"
    );
    assert_eq!(target.state().publication.as_ref().unwrap().run_id, run);
}

/// A target that never answers.
struct SilentTarget;

#[async_trait]
impl OutputTarget for SilentTarget {
    fn place(&self) -> String {
        "notice:silent".to_owned()
    }

    async fn begin(&self, _: &Publication) -> Result<Box<dyn Publishing>, PublishError> {
        std::future::pending().await
    }
}

pub(crate) async fn a_publisher_ends_when_it_is_stopped(desk: &Desk) {
    let stop = CancellationToken::new();
    let stopped = stop.clone();
    desk.complete(&books::small()).await;
    let store = Arc::clone(&desk.store);
    let following = tokio::spawn(async move {
        Publisher::new(store.as_ref(), &SilentTarget, stopped).follow(|_| {}).await
    });
    tokio::task::yield_now().await;
    stop.cancel();
    following.await.unwrap().unwrap();
    assert_eq!(desk.store.subscriber("publish:notice:silent").await.unwrap(), None);
}

pub(crate) async fn warnings_of_a_source_are_in_the_log_of_the_run(desk: &Desk) {
    let plain = desk.complete(&books::mixed()).await;
    let book = books::mixed();
    let run = desk
        .request_with_warnings(&book, &["the tables may be of different moments".to_owned()])
        .await;
    desk.work().await.expect("a run is queued");
    let log = published(desk).await.into_iter().find(|(table, _)| table == "pfill_powerfill_log");
    let (_, log) = log.expect("the log is published");
    let first = format!("{run},1,snapshot,the tables may be of different moments,\n");
    assert!(log.starts_with(&first), "{log}");
    let digest = async |run| {
        let last = desk.events(run).await.pop().expect("the run is over");
        let powerfill_events::run::RunEvent::RunCompleted(completed) = last else {
            panic!("{last:?}")
        };
        completed.output_digest
    };
    assert_eq!(digest(run).await, digest(plain).await, "the decisions are the same");
    desk.verify().await;
}
