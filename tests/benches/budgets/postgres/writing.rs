//! Appends against INSERTs of the same rows and against other libraries' stores, all on the same
//! server and by turns.

use std::path::Path;
use std::time::Instant;

use powerfill_ports::events::{Append, EventStore};
use powerfill_postgres::PostgresStore;
use powerfill_tests::postgres::{DedicatedServer, TestDatabase, connect};
use powerfill_tests::store_suite::StoreLocation;

use super::inserts::{Insert, PLAIN, inserted};
use super::peers::Peers;
use crate::row;
use crate::store::{appends, candidates};

/// Events of all appends and INSERTs of a round, however they are cut.
const EVENTS: usize = 20_000;
/// Rounds, in which the ways to write take turns.
const ROUNDS: usize = 7;

/// A way to write.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Way {
    Append(usize),
    Insert(Insert),
    Peer(&'static str),
}

/// Each with its share of the events, so that none takes for ever.
const WAYS: [(Way, usize, &str); 11] = [
    (Way::Append(1), 400, "append, batches of 1"),
    (Way::Insert(Insert::AndCommit), 400, "INSERT and COMMIT for each row"),
    (Way::Append(100), 10_000, "append, batches of 100"),
    (Way::Append(1_000), EVENTS, "append, batches of 1,000"),
    (Way::Append(10_000), EVENTS, "append, batches of 10,000"),
    (Way::Append(20_000), EVENTS, "append, batches of 20,000"),
    (Way::Insert(Insert::One), EVENTS, "INSERT of one row, prepared, COMMIT for 10,000"),
    (Way::Insert(Insert::Many), EVENTS, "INSERT of 1,000 rows, prepared, COMMIT for 10,000"),
    (Way::Insert(Insert::ManyAsText), EVENTS, "INSERT of 1,000 rows as text, COMMIT for 10,000"),
    (Way::Peer("disintegrate-postgres"), EVENTS, "disintegrate-postgres 4, batches of 10,000"),
    (Way::Peer("postgres-es"), EVENTS, "postgres-es 0.5 (cqrs-es), batches of 10,000"),
];

/// The ways take turns: whatever else the machine does meets all of them.
pub(super) async fn bench(book: &Path, server: &DedicatedServer) {
    let events = candidates(book, EVENTS);
    let place = TestDatabase::of(server);
    let store = place.open().await;
    let client = connect(&place.url().await).await;
    client.batch_execute(PLAIN).await.unwrap();
    let others = TestDatabase::of(server);
    let mut peers = Peers::start(&others.url().await, &events);
    let mut rates = vec![Vec::new(); WAYS.len()];
    for round in 0..ROUNDS {
        for (at, (way, count, _)) in WAYS.iter().enumerate() {
            let stream = (round * 100 + at + 1) as u128;
            let events = &events[..*count];
            let micros = match way {
                Way::Append(batch) => appended(&store, appends(events, stream, *batch)).await,
                Way::Insert(how) => inserted(&client, *how, events, stream as i64).await,
                Way::Peer(name) => peers.append(name, 10_000),
            };
            rates[at].push(*count as u128 * 1_000_000 / micros.max(1));
        }
    }
    for ((_, _, name), rates) in WAYS.iter().zip(&mut rates) {
        rates.sort_unstable();
        let (median, best) = (rates[ROUNDS / 2], rates[ROUNDS - 1]);
        let measured = format!("{median} events per second (best {best}) of {ROUNDS}");
        row(&format!("PostgreSQL, durable: {name}"), "–", &measured);
    }
    let median = |of: Way| {
        let at = WAYS.iter().position(|(way, ..)| *way == of).unwrap();
        rates[at][ROUNDS / 2]
    };
    let ours = median(Way::Append(10_000));
    let times = |other: u128| format!("{}.{:02} ×", ours / other, ours * 100 / other % 100);
    let against = |how: Insert| times(median(Way::Insert(how)));
    let measured = format!(
        "{} many rows as text, {} many rows prepared, {} one row",
        against(Insert::ManyAsText),
        against(Insert::Many),
        against(Insert::One)
    );
    row("append of 10,000 against INSERT of the same rows", "5 × many rows", &measured);
    let peers = WAYS.iter().filter(|(way, ..)| matches!(way, Way::Peer(_)));
    let best = peers.map(|(way, ..)| median(*way)).max().unwrap();
    row("append of 10,000 against the best peer", "2 ×", &times(best));
}

async fn appended(store: &PostgresStore, appends: Vec<Append>) -> u128 {
    let begun = Instant::now();
    for append in appends {
        store.append(append).await.unwrap();
    }
    begun.elapsed().as_micros()
}
