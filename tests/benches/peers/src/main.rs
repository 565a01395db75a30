//! Other libraries' stores on the same server, with the same events: `powerfill-peers URL FILE`,
//! where each line of FILE is the payload of an event. Then, for each line "NAME BATCH" on standard
//! input, appends all of them with that library to a new stream, a batch at a time, and answers how
//! many microseconds that took.
//!
//! Payloads are read, and parsed where a library wants them so, before the clock runs.

use std::io::{BufRead, Write};
use std::time::Instant;

use cqrs_es::persist::{PersistedEventRepository, SerializedEvent};
use disintegrate::EventStore;
use disintegrate::{DomainIdInfo, DomainIdSet, EventInfo, EventSchema, IdentifierType};
use disintegrate::{domain_ids, ident, query};
use disintegrate_postgres::PgEventStore;
use postgres_es::PostgresEventRepository;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sqlx::postgres::PgPool;

const TYPE: &str = "CandidateScored";

/// What disintegrate makes last says a number in a way that PostgreSQL 15 does not read: the same
/// in its stead, two locks by the last number given out and one by the database, and the column of
/// the stream.
const BEFORE_16: &str = "
    CREATE FUNCTION event_store_begin_epoch() RETURNS VOID LANGUAGE plpgsql AS $$
    DECLARE last BIGINT; ours INT;
    BEGIN
        SELECT last_value FROM seq_event_event_id INTO last;
        SELECT oid FROM pg_database WHERE datname = current_database() INTO ours;
        PERFORM pg_try_advisory_xact_lock_shared(ours, 0), pg_try_advisory_xact_lock_shared(1, (last % 2147483648)::INT),
                pg_try_advisory_xact_lock_shared(2, (last / 2147483648)::INT);
    END $$;
    ALTER TABLE event ADD COLUMN run_id VARCHAR(255);
    CREATE INDEX ON event (run_id)";

fn main() {
    let args: Vec<String> = std::env::args().collect();
    let [_, url, file] = args.as_slice() else { panic!("powerfill-peers URL FILE") };
    let payloads: Vec<String> =
        std::fs::read_to_string(file).unwrap().lines().map(str::to_owned).collect();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let pool = PgPool::connect(url).await.unwrap();
        if PgEventStore::<Scored, _>::try_new(pool.clone(), Payload).await.is_err() {
            sqlx::raw_sql(BEFORE_16).execute(&pool).await.unwrap();
        }
        let disintegrate = PgEventStore::new_uninitialized(pool.clone(), Payload);
        sqlx::query(EVENTS).execute(&pool).await.unwrap();
        let cqrs = PostgresEventRepository::new(pool);
        for (round, line) in std::io::stdin().lock().lines().enumerate() {
            let line = line.unwrap();
            let (name, batch) = line.split_once(' ').unwrap();
            let (stream, batch) = (format!("run-{round}"), batch.parse().unwrap());
            let micros = match name {
                "disintegrate-postgres" => {
                    by_disintegrate(&disintegrate, &payloads, &stream, batch).await
                }
                "postgres-es" => by_cqrs(&cqrs, &payloads, &stream, batch).await,
                other => panic!("{other}"),
            };
            println!("{micros}");
            std::io::stdout().flush().unwrap();
        }
    });
}

/// An event for disintegrate, which has its text ready.
#[derive(Debug, Clone)]
struct Scored {
    run_id: String,
    payload: String,
}

impl disintegrate::Event for Scored {
    const SCHEMA: EventSchema = EventSchema {
        events: &[TYPE],
        events_info: &[&EventInfo { name: TYPE, domain_ids: &[&ident!(#run_id)] }],
        domain_ids: &[&DomainIdInfo { ident: ident!(#run_id), type_info: IdentifierType::String }],
    };

    fn domain_ids(&self) -> DomainIdSet {
        domain_ids! {run_id: self.run_id}
    }

    fn name(&self) -> &'static str {
        TYPE
    }
}

#[derive(Debug, Clone, Copy)]
struct Payload;

impl disintegrate_serde::Serializer<Scored> for Payload {
    fn serialize(&self, event: Scored) -> Vec<u8> {
        event.payload.into_bytes()
    }
}

impl disintegrate_serde::Deserializer<Scored> for Payload {
    fn deserialize(&self, _: Vec<u8>) -> Result<Scored, disintegrate_serde::Error> {
        Err(disintegrate_serde::Error::Conversion)
    }
}

async fn by_disintegrate(
    store: &PgEventStore<Scored, Payload>,
    payloads: &[String],
    stream: &str,
    batch: usize,
) -> u128 {
    let event = |payload: &String| Scored { run_id: stream.to_owned(), payload: payload.clone() };
    let batches: Vec<Vec<Scored>> =
        payloads.chunks(batch).map(|part| part.iter().map(event).collect()).collect();
    let mut last = 0;
    let begun = Instant::now();
    for events in batches {
        let of_this_run = query!(Scored; run_id == stream.to_owned());
        let stored = store.append(events, of_this_run, last).await.unwrap();
        last = stored.last().unwrap().id();
    }
    begun.elapsed().as_micros()
}

/// As its documentation gives it.
const EVENTS: &str = "CREATE TABLE IF NOT EXISTS events (aggregate_type TEXT NOT NULL, aggregate_id TEXT NOT NULL,
    sequence BIGINT NOT NULL CHECK (sequence >= 0), event_type TEXT NOT NULL, event_version TEXT NOT NULL,
    payload JSON NOT NULL, metadata JSON NOT NULL, PRIMARY KEY (aggregate_type, aggregate_id, sequence))";

/// An aggregate for cqrs-es, whose repository asks for no more than its name.
#[derive(Debug, Default, Serialize, Deserialize)]
struct Run;

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Nothing;

impl cqrs_es::DomainEvent for Nothing {
    fn event_type(&self) -> String {
        TYPE.to_owned()
    }

    fn event_version(&self) -> String {
        "1".to_owned()
    }
}

impl cqrs_es::Aggregate for Run {
    const TYPE: &'static str = "run";
    type Command = ();
    type Event = Nothing;
    type Error = std::fmt::Error;
    type Services = ();

    async fn handle(
        &mut self,
        (): (),
        (): &(),
        _: &cqrs_es::event_sink::EventSink<Self>,
    ) -> Result<(), Self::Error> {
        Ok(())
    }

    fn apply(&mut self, _: Nothing) {}
}

async fn by_cqrs(
    store: &PostgresEventRepository,
    payloads: &[String],
    stream: &str,
    batch: usize,
) -> u128 {
    let event = |(payload, sequence): (&String, usize)| SerializedEvent {
        aggregate_id: stream.to_owned(),
        sequence,
        aggregate_type: "run".to_owned(),
        event_type: TYPE.to_owned(),
        event_version: "1".to_owned(),
        payload: serde_json::from_str::<Value>(payload).unwrap(),
        metadata: Value::Object(serde_json::Map::new()),
    };
    let events: Vec<SerializedEvent> = payloads.iter().zip(1..).map(event).collect();
    let begun = Instant::now();
    for part in events.chunks(batch) {
        store.persist::<Run>(part, None).await.unwrap();
    }
    begun.elapsed().as_micros()
}
