//! Events, appends, and tables for tests.

use std::sync::Arc;

use futures::TryStreamExt;
use powerfill_events::log::{AppendMeta, EncodedBatch};
use powerfill_events::run::event::{CandidateScored, Node, PassCompleted, Pricing, RunCancelled};
use powerfill_events::run::event::{Pass, Step};
use powerfill_events::run::{RunEvent, RunId};
use powerfill_events::values::{
    ConstraintName, InstrumentName, InvestorId, LoanId, Price, TenantId, Timestamp, TradeId,
};
use powerfill_ports::events::{Append, EventBatches, EventStore, LogHead, StoredEvent};
use powerfill_ports::runs::ProjectionWriter;
use powerfill_ports::snapshots::SnapshotStore;
use powerfill_snapshot::config::event::RowSet;
use powerfill_snapshot::config::{self, ConfigEvent, PoolLockRow};
use powerfill_tables::table::{Cell, CellType, Column, RowBatch, TableSpec};
use uuid::Uuid;

/// The id of a run.
pub fn run(number: u128) -> RunId {
    RunId(Uuid::from_u128(0x0198_0000_0000_7000_8000_0000_0000_0000 + number))
}

/// A time, in seconds after a fixed start.
pub fn moment(seconds: i64) -> Timestamp {
    Timestamp::from_micros(1_770_000_000_000_000 + seconds * 1_000_000)
}

/// A candidate with this rank.
pub fn candidate(rank: u32) -> RunEvent {
    let node = Node {
        investor_id: InvestorId::from("FNMA"),
        investor_instrument_name: InstrumentName::from("FNMA 30YR 5.5 – “85k”"),
        constraint_name: ConstraintName::from(""),
        constraint_priority: 10,
    };
    let price = Price::from_units(10_012_345_678 + i64::from(rank));
    RunEvent::CandidateScored(CandidateScored {
        turn: 1,
        candidate_rank: rank,
        node: Arc::new(node),
        loan_id: LoanId::from(format!("LN{rank:06}")),
        trade_id: TradeId::from("T1"),
        pricing: Pricing {
            interest_earning_days: -3,
            price,
            payup: Price::ZERO,
            carry_cost: Price::from_units(-5),
            prx_plus_carry: price,
            score: price,
        },
    })
}

/// Another type of event.
pub fn pass_completed(allocated: u64) -> RunEvent {
    RunEvent::PassCompleted(PassCompleted {
        pass: Pass::BestFit,
        turn: Some(1),
        allocated,
        moved: 0,
        released: 0,
        iterations: 1,
        converged: true,
    })
}

/// The end of a run.
pub fn cancelled(by: &str) -> RunEvent {
    RunEvent::RunCancelled(RunCancelled { cancelled_by: by.to_owned(), step: Step::Allocation })
}

/// Fills a store with two interleaved streams and two snapshots. Returns the end of its log.
///
/// # Panics
/// If the store fails.
pub async fn fill_to_tamper(store: &(impl EventStore + SnapshotStore)) -> LogHead {
    for (run, version, count) in [(run(1), 0, 4), (run(2), 0, 3), (run(1), 4, 3), (run(2), 3, 1)] {
        store.append(candidates(run, version, count)).await.expect("the store appends");
    }
    for text in ["one book", "another book"] {
        let digest = blake3::hash(text.as_bytes()).to_hex();
        store.capture(&digest, text.as_bytes()).await.expect("the store captures");
    }
    store.head().await.expect("the log has a head")
}

/// Damages of such a store, in the SQL of any database.
pub const DAMAGES: [&str; 11] = [
    "DELETE FROM es_appends WHERE seq = 2",
    "DELETE FROM es_appends WHERE seq = 4",
    "DELETE FROM es_streams WHERE stream_id = 2",
    "DELETE FROM es_head",
    "DELETE FROM es_appends WHERE seq = 2;
     DELETE FROM es_event_blocks WHERE stream_id = 2 AND first_version = 1",
    "DELETE FROM es_appends; DELETE FROM es_event_blocks; DELETE FROM es_streams",
    "UPDATE es_appends SET event_count = 9223372036854775807 WHERE seq = 1",
    "UPDATE es_appends SET event_count = 0 WHERE seq = 3",
    "UPDATE es_event_blocks SET event_count = 9223372036854775807 WHERE first_version = 4",
    "UPDATE es_event_blocks SET byte_count = -1 WHERE first_version = 4",
    "UPDATE es_event_blocks SET byte_count = 9223372036854775807 WHERE first_version = 4",
];

/// Cuts off the last append of such a store with all traces.
pub const CUT_OFF: &str = "DELETE FROM es_event_blocks WHERE stream_id = 2 AND first_version = 4;
     DELETE FROM es_appends WHERE seq = 4;
     UPDATE es_streams SET version = 3,
            tail_hash = (SELECT hash_after FROM es_event_blocks WHERE stream_id = 2)
      WHERE stream_id = 2;
     UPDATE es_head SET seq = 3, position = 10,
            seal = (SELECT seal FROM es_appends WHERE seq = 3);";

/// The metadata of an append.
pub fn meta() -> AppendMeta {
    AppendMeta {
        tenant_id: TenantId::from("acme"),
        actor: "desk@acme.example".to_owned(),
        recorded_at: moment(0),
        causation_id: Some(Uuid::from_u128(77)),
        correlation_id: None,
    }
}

/// An append. Its id follows from the stream and the version.
pub fn append<'a>(
    run: RunId,
    expected_version: u64,
    events: impl IntoIterator<Item = &'a RunEvent>,
) -> Append {
    Append {
        append_id: Uuid::from_u128(run.0.as_u128() ^ (u128::from(expected_version) << 64)),
        stream: run.stream(),
        expected_version,
        meta: meta(),
        events: EncodedBatch::encode(events),
        lease: None,
    }
}

/// An append to the configuration that locks or unlocks a pool.
pub fn pool_lock(expected_version: u64, lock_pool: bool) -> Append {
    let row = PoolLockRow {
        pool_name: "P1".into(),
        investor_instrument_name: None,
        trade_id: None,
        lock_pool,
    };
    let before =
        (expected_version > 0).then(|| PoolLockRow { lock_pool: !lock_pool, ..row.clone() });
    let event = ConfigEvent::PoolLockSet(RowSet { before, after: row, reason: None });
    Append {
        append_id: Uuid::from_u128(u128::from(expected_version) << 64 | 0xc0f1),
        stream: config::STREAM.to_owned(),
        expected_version,
        meta: meta(),
        events: EncodedBatch::encode([&event]),
        lease: None,
    }
}

/// The append that adds a run to the queue.
pub fn request(run: RunId, at: Timestamp) -> Append {
    let meta = AppendMeta { recorded_at: at, ..meta() };
    Append { meta, ..candidates(run, 0, 1) }
}

/// The writer of a run's tables while no run is active.
pub const fn unleased(run: RunId) -> ProjectionWriter {
    ProjectionWriter::Maintenance(run)
}

/// An append of candidates. The first rank is the first version.
pub fn candidates(run: RunId, expected_version: u64, count: u32) -> Append {
    let first = expected_version as u32 + 1;
    let events: Vec<RunEvent> = (first..first + count).map(candidate).collect();
    append(run, expected_version, &events)
}

/// All events of a reader that ends.
pub async fn collect(batches: EventBatches<'_>) -> Vec<StoredEvent> {
    let batches: Vec<Vec<StoredEvent>> = batches.try_collect().await.expect("reading works");
    batches.into_iter().flatten().collect()
}

/// A table with every type of cell.
pub static GUIDE: TableSpec = TableSpec::bare(
    "pfill_test_guide",
    &[
        Column::new("loan_id", CellType::Text),
        Column::new("rank", CellType::Int),
        Column::new("loan_amount", CellType::Decimal(2)),
        Column::new("price", CellType::Decimal(8)),
        Column::new("wavg", CellType::Decimal(6)),
        Column::new("settlement_date", CellType::Day),
        Column::new("run_started", CellType::Timestamp),
        Column::new("options", CellType::Json),
    ],
);

/// A second table.
pub static KICKOUTS: TableSpec = TableSpec::bare(
    "pfill_test_kickouts",
    &[Column::new("loan_id", CellType::Text), Column::new("reason", CellType::Text)],
);

/// A table that keeps every run.
pub static HISTORY: TableSpec = TableSpec {
    keeps_every_run: true,
    ..TableSpec::bare(
        "pfill_test_history",
        &[Column::new("status", CellType::Text), Column::new("loans", CellType::Int)],
    )
};

/// Rows with these loans.
pub fn kickouts<'a>(loans: impl IntoIterator<Item = &'a str>) -> RowBatch {
    let mut batch = RowBatch::new(&KICKOUTS);
    for loan in loans {
        batch.cells.extend([Cell::Text(loan.into()), Cell::Name("NoPrice")]);
    }
    batch
}
