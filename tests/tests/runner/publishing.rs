//! Showing outputs elsewhere: what reaches the place, what is tried again, and one who follows the
//! log.

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

/// What a place shows.
#[derive(Default)]
struct Showing {
    publication: Option<Publication>,
    tables: Vec<(String, String)>,
    /// Calls that have come.
    calls: usize,
    /// How many fail, and how.
    faults: Vec<PublishError>,
}

/// A place in memory, which says what it is told to say.
#[derive(Clone, Default)]
struct Notice(Arc<Mutex<Showing>>);

impl Notice {
    fn showing(&self) -> std::sync::MutexGuard<'_, Showing> {
        self.0.lock().expect("nobody panics with it")
    }

    /// Fails with these, one call after the other, from the `after`th on.
    fn failing(after: usize, faults: Vec<PublishError>) -> Self {
        let notice = Self::default();
        let well = std::iter::repeat_n(PublishError::Failed(String::new()), after);
        notice.showing().faults = well.chain(faults).collect();
        notice
    }

    fn call(&self) -> Result<(), PublishError> {
        let mut showing = self.showing();
        let at = showing.calls;
        showing.calls += 1;
        match showing.faults.get(at) {
            Some(PublishError::Failed(message)) if message.is_empty() => Ok(()),
            Some(fault) => Err(fault.clone()),
            None => Ok(()),
        }
    }
}

struct Under {
    notice: Notice,
    publication: Publication,
    tables: Vec<RowBatch>,
}

#[async_trait]
impl OutputTarget for Notice {
    fn place(&self) -> String {
        "notice:board".to_owned()
    }

    async fn begin(&self, publication: &Publication) -> Result<Box<dyn Publishing>, PublishError> {
        self.call()?;
        let tables = ALL.iter().map(|table| RowBatch::new(table)).collect();
        let (notice, publication) = (self.clone(), publication.clone());
        Ok(Box::new(Under { notice, publication, tables }))
    }
}

#[async_trait]
impl Publishing for Under {
    async fn stage(&mut self, rows: &RowBatch) -> Result<(), PublishError> {
        self.notice.call()?;
        let table = self.tables.iter_mut().find(|table| std::ptr::eq(table.table, rows.table));
        table.expect("it is one of all").append(&mut rows.clone());
        Ok(())
    }

    async fn show(self: Box<Self>, sent: &[TableDigest]) -> Result<PublishOutcome, PublishError> {
        self.notice.call()?;
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
        let mut showing = self.notice.showing();
        if let Some(shown) = &showing.publication
            && self.publication.only_if_later
            && shown.position > self.publication.position
        {
            return Ok(PublishOutcome::Later(shown.run_id));
        }
        showing.tables =
            self.tables.iter().map(|rows| text(self.publication.run_id, rows)).collect();
        showing.publication = Some(self.publication);
        Ok(PublishOutcome::This)
    }
}

fn text(run: RunId, rows: &RowBatch) -> (String, String) {
    let mut text = Vec::new();
    csv::write_file_rows(run, rows, &mut text);
    (rows.table.name.to_owned(), String::from_utf8(text).expect("CSV is text"))
}

/// What the desk's own store shows, in the same form.
async fn shown(desk: &Desk) -> Vec<(String, String)> {
    let shown = desk.shown().await.into_iter();
    shown.map(|(table, text)| (table.to_owned(), text)).collect()
}

fn without_history(tables: &[(String, String)]) -> Vec<(String, String)> {
    let mut tables = tables.to_vec();
    tables.retain(|(table, _)| table != "pfill_run_history");
    tables
}

pub(crate) async fn any_complete_run_can_be_shown_again(desk: &Desk) {
    let first = desk.completes(&books::small()).await;
    let tables_of_first = shown(desk).await;
    let second = desk.completes(&books::mixed()).await;
    let notice = Notice::default();
    for (run, tables) in [(second, shown(desk).await), (first, tables_of_first)] {
        for _ in 0..2 {
            let publication = publish(desk.store.as_ref(), run, &notice).await.unwrap();
            assert_eq!(publication.run_id, run);
            assert!(without_history(&notice.showing().tables) == tables);
        }
    }
}

pub(crate) async fn a_run_that_is_not_complete_is_not_shown(desk: &Desk) {
    let notice = Notice::default();
    let waiting = desk.ask(&books::mixed()).await;
    let refused = |run| publish(desk.store.as_ref(), run, &notice);
    assert!(refused(waiting).await.unwrap_err().to_string().contains("not Complete"));
    desk.work_cancelled_at(Step::PoolGuide).await;
    assert!(refused(waiting).await.unwrap_err().to_string().contains("not Complete"));
    let unknown = desk.next_run();
    assert!(refused(unknown).await.unwrap_err().to_string().contains("no run"));
    assert_eq!(notice.showing().calls, 0);
}

/// At whatever call it happens.
pub(crate) async fn what_passes_is_tried_again_and_what_fails_is_said(desk: &Desk) {
    let run = desk.completes(&books::small()).await;
    let passing = || PublishError::Transient("the victim of a deadlock".to_owned());
    let calls = {
        let notice = Notice::default();
        publish(desk.store.as_ref(), run, &notice).await.unwrap();
        notice.showing().calls
    };
    assert!(calls > 3, "{calls}");
    for call in 0..calls {
        let notice = Notice::failing(call, vec![passing()]);
        publish(desk.store.as_ref(), run, &notice).await.unwrap();
        assert_eq!(notice.showing().publication.as_ref().unwrap().run_id, run, "call {call}");
        let notice = Notice::failing(call, vec![PublishError::Failed("no such table".to_owned())]);
        let failed = publish(desk.store.as_ref(), run, &notice).await.unwrap_err();
        assert!(matches!(failed, AppError::Publish(PublishError::Failed(_))), "{failed:?}");
        assert_eq!(notice.showing().calls, call + 1);
        assert!(notice.showing().publication.is_none());
    }
    let notice = Notice::failing(0, vec![passing(); 100]);
    let gave_up = publish(desk.store.as_ref(), run, &notice).await.unwrap_err();
    assert!(matches!(gave_up, AppError::Publish(PublishError::Transient(_))), "{gave_up:?}");
    assert_eq!(notice.showing().calls, 5);
}

pub(crate) async fn one_who_follows_shows_what_completes_and_goes_on_where_it_was(desk: &Desk) {
    let stop = CancellationToken::new();
    let notice = Notice::default();
    let store = desk.store.as_ref();
    let publisher = || Publisher::new(store, &notice, stop.clone());
    let caught_up = async || {
        let mut told = Vec::new();
        let tell = &mut |what: PublisherEvent<'_>| told.push(format!("{what:?}"));
        publisher().catch_up(tell).await.unwrap();
        told
    };
    assert!(caught_up().await.is_empty());
    let first = desk.completes(&books::small()).await;
    assert_eq!(caught_up().await.len(), 1);
    assert_eq!(notice.showing().publication.as_ref().unwrap().run_id, first);
    // Nothing is done twice, also by another process.
    assert!(caught_up().await.is_empty());
    let second = desk.completes(&books::mixed()).await;
    desk.run(&books::refused()).await;
    assert_eq!(caught_up().await.len(), 1);
    assert_eq!(notice.showing().publication.as_ref().unwrap().run_id, second);
    // Somebody shows an older run on purpose: it stays until the next run completes.
    publish(store, first, &notice).await.unwrap();
    assert!(caught_up().await.is_empty());
    let third = desk.completes(&books::small()).await;
    assert_eq!(caught_up().await.len(), 1);
    assert_eq!(notice.showing().publication.as_ref().unwrap().run_id, third);
    // One who comes late leaves the later run alone.
    notice.showing().publication.as_mut().unwrap().position += 1_000_000;
    desk.completes(&books::small()).await;
    assert!(caught_up().await[0].starts_with("Superseded"));
    assert_eq!(notice.showing().publication.as_ref().unwrap().run_id, third);
}

pub(crate) async fn one_who_follows_waits_for_a_place_that_is_away(desk: &Desk) {
    let stop = CancellationToken::new();
    let stopped = stop.clone();
    let notice = Notice::failing(0, vec![PublishError::Transient("away".to_owned()); 6]);
    let run = desk.completes(&books::small()).await;
    let store = Arc::clone(&desk.store);
    let following = tokio::spawn({
        let notice = notice.clone();
        async move {
            let mut told = Vec::new();
            let publisher = Publisher::new(store.as_ref(), &notice, stopped);
            let tell = |what: PublisherEvent<'_>| {
                told.push(format!("{what:?}"));
                if matches!(what, PublisherEvent::Published(_)) {
                    stop.cancel();
                }
            };
            publisher.follow(tell).await.map(|()| told)
        }
    });
    let told = following.await.unwrap().unwrap();
    assert_eq!(told.len(), 2, "{told:?}");
    assert!(told[0].starts_with("Waiting") && told[1].starts_with("Published"), "{told:?}");
    assert_eq!(notice.showing().publication.as_ref().unwrap().run_id, run);
}

/// A place that never answers.
struct Silent;

#[async_trait]
impl OutputTarget for Silent {
    fn place(&self) -> String {
        "notice:silent".to_owned()
    }

    async fn begin(&self, _: &Publication) -> Result<Box<dyn Publishing>, PublishError> {
        std::future::pending().await
    }
}

pub(crate) async fn one_who_follows_ends_when_it_is_told_to(desk: &Desk) {
    let stop = CancellationToken::new();
    let stopped = stop.clone();
    desk.completes(&books::small()).await;
    let store = Arc::clone(&desk.store);
    let following = tokio::spawn(async move {
        Publisher::new(store.as_ref(), &Silent, stopped).follow(|_| {}).await
    });
    tokio::task::yield_now().await;
    stop.cancel();
    following.await.unwrap().unwrap();
    assert_eq!(desk.store.subscriber("publish:notice:silent").await.unwrap(), None);
}

pub(crate) async fn what_a_source_had_to_say_stands_in_the_log_of_the_run(desk: &Desk) {
    let plain = desk.completes(&books::mixed()).await;
    let book = books::mixed();
    let run = desk.ask_warned(&book, &["the tables may be of different moments".to_owned()]).await;
    desk.work().await.expect("there was a run");
    let log = shown(desk).await.into_iter().find(|(table, _)| table == "pfill_powerfill_log");
    let (_, log) = log.expect("there is a log");
    let first = format!("{run},1,snapshot,the tables may be of different moments,\n");
    assert!(log.starts_with(&first), "{log}");
    let digest = async |run| {
        let last = desk.events(run).await.pop().expect("it is over");
        let powerfill_events::run::RunEvent::RunCompleted(completed) = last else {
            panic!("{last:?}")
        };
        completed.output_digest
    };
    assert_eq!(digest(run).await, digest(plain).await, "what was decided is the same");
    desk.verify().await;
}
