//! Measuring the PostgreSQL store, on a server of its own whose commits are on the disk before they
//! are answered: whole runs, reading back, writing against other ways to write, and how soon a
//! subscriber sees an event.

mod inserts;
mod peers;
mod writing;

use std::path::Path;
use std::time::Instant;

use futures::StreamExt;
use powerfill_ports::events::EventStore;
use powerfill_tests::postgres::{DedicatedServer, Durability, TestDatabase, connect};
use powerfill_tests::store_suite::StoreLocation;

use crate::{mebibytes, row, seconds, store, timed_run};

/// Events whose way to a subscriber is timed.
const NOTIFIED: usize = 200;

/// Everything about PostgreSQL.
pub(crate) fn bench(powerfill: &Path, demo: &Path, l: &Path) {
    let server = DedicatedServer::start(Durability::Synced);
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        whole_runs(powerfill, demo, "demo", 5, &server).await;
        let place = whole_runs(powerfill, l, "l", 1, &server).await;
        store::read_back_and_fold(&place.open().await, "PostgreSQL").await;
        writing::bench(demo, &server).await;
        notifying(demo, &server).await;
    });
}

/// Runs something with the URLs of two empty databases.
pub(crate) fn with_databases(work: impl FnOnce([String; 2])) {
    let server = DedicatedServer::start(Durability::Synced);
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let databases = [TestDatabase::of(&server), TestDatabase::of(&server)];
    let urls = runtime.block_on(async { [databases[0].url().await, databases[1].url().await] });
    work(urls);
}

/// `run dir:`, each time into a new database; answers the last one.
async fn whole_runs(
    powerfill: &Path,
    book: &Path,
    scale: &str,
    runs: usize,
    server: &DedicatedServer,
) -> TestDatabase {
    let (mut times, mut peak, mut last) = (Vec::new(), 0, None);
    for _ in 0..runs {
        let place = TestDatabase::of(server);
        let (micros, kib) = timed_run(powerfill, book, &place.url().await);
        times.push(micros);
        peak = kib.max(peak);
        last = Some(place);
    }
    times.sort_unstable();
    let place = last.expect("at least one run");
    let client = connect(&place.url().await).await;
    let found = client.query_one("SELECT pg_database_size(current_database())", &[]).await;
    let size: i64 = found.unwrap().get(0);
    let measured = format!(
        "{} (least {}) of {runs}; peak {}; the database has {} MiB",
        seconds(times[runs / 2]),
        seconds(times[0]),
        mebibytes(peak),
        size / (1024 * 1024)
    );
    let budget = if scale == "demo" { "4 s" } else { "–" };
    row(&format!("`run dir:` at `{scale}`, PostgreSQL, durable"), budget, &measured);
    place
}

/// From before the append to the subscriber, through another store, as from another process; and
/// from its answer.
async fn notifying(book: &Path, server: &DedicatedServer) {
    let events = store::candidates(book, NOTIFIED + 1);
    let place = TestDatabase::of(server);
    let (writer, reader) = (place.open().await, place.open().await);
    let mut subscription = reader.subscribe(0);
    let appends = store::appends(&events, 1, 1);
    let (seen, mut delivered) = tokio::sync::mpsc::unbounded_channel();
    let following = tokio::spawn(async move {
        let mut count = 0;
        while count <= NOTIFIED {
            count += subscription.next().await.unwrap().unwrap().len();
            seen.send(Instant::now()).unwrap();
        }
    });
    let (mut whole, mut after) = (Vec::new(), Vec::new());
    for append in appends {
        let begun = Instant::now();
        writer.append(append).await.unwrap();
        let committed = Instant::now();
        let seen = delivered.recv().await.unwrap();
        whole.push(seen.duration_since(begun).as_micros());
        after.push(seen.saturating_duration_since(committed).as_micros());
    }
    following.await.unwrap();
    // The first one waits for the connection that listens.
    let (whole, after) = (&mut whole[1..], &mut after[1..]);
    whole.sort_unstable();
    after.sort_unstable();
    let millis = |micros: u128| format!("{}.{:03} ms", micros / 1_000, micros % 1_000);
    let measured = format!(
        "{} median, {} at 99 of 100; from the append's beginning {} median",
        millis(after[NOTIFIED / 2]),
        millis(after[NOTIFIED * 99 / 100]),
        millis(whole[NOTIFIED / 2])
    );
    row("committed → at a subscriber of another store, PostgreSQL", "50 ms (SSE)", &measured);
}
