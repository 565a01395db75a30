//! Measures the store alone: appends, staged rows, publishing, reading back, a snapshot.
//!
//! `cargo run --release -p powerfill-sqlite --example append -- [events] [events an append] [rows]
//! [folder]`

use std::sync::Arc;
use std::time::{Duration, Instant};

use futures::TryStreamExt;
use powerfill_events::log::{AppendMeta, EncodedBatch};
use powerfill_events::run::event::{CandidateScored, Node, Pricing};
use powerfill_events::run::{RunEvent, RunId};
use powerfill_events::values::{
    ConstraintName, InstrumentName, InvestorId, LoanId, Price, TenantId, Timestamp, TradeId,
};
use powerfill_ports::events::{Append, EventStore};
use powerfill_ports::projections::ProjectionStore;
use powerfill_ports::runs::ProjectionWriter;
use powerfill_ports::snapshots::SnapshotStore;
use powerfill_ports::{StoreError, StoreFault, StoreResult};
use powerfill_sqlite::SqliteStore;
use powerfill_tables::table::{Cell, CellType, Column, RowBatch, TableSpec};
use uuid::Uuid;

/// As wide as a row of `pfill_loan2trade_candidates`.
static TABLE: TableSpec = TableSpec::bare(
    "pfill_measured",
    &[
        Column::new("loan_id", CellType::Text),
        Column::new("trade_id", CellType::Text),
        Column::new("investor_id", CellType::Text),
        Column::new("investor_instrument_name", CellType::Text),
        Column::new("constraint_name", CellType::Text),
        Column::new("constraint_priority", CellType::Int),
        Column::new("candidate_rank", CellType::Int),
        Column::new("interest_earning_days", CellType::Int),
        Column::new("price", CellType::Decimal(8)),
        Column::new("payup", CellType::Decimal(8)),
        Column::new("carry_cost", CellType::Decimal(8)),
        Column::new("prx_plus_carry", CellType::Decimal(8)),
    ],
);

fn event(n: u64, node: &Arc<Node>) -> RunEvent {
    let units = 10_012_345_678 + n as i64;
    RunEvent::CandidateScored(CandidateScored {
        turn: 3,
        candidate_rank: n as u32,
        node: Arc::clone(node),
        loan_id: LoanId::from(format!("LN{n:010}")),
        trade_id: TradeId::from(format!("T{:06}", n % 260)),
        pricing: Pricing {
            interest_earning_days: 28,
            price: Price::from_units(units),
            payup: Price::from_units(12_500_000),
            carry_cost: Price::from_units(-1_234_567),
            prx_plus_carry: Price::from_units(units - 1_234_567),
            score: Price::from_units(units),
        },
    })
}

fn rows(from: u64, count: u64) -> RowBatch {
    let mut batch = RowBatch::new(&TABLE);
    let shared: Arc<str> = "FNMA 30YR 5.5 85K".into();
    for n in from..from + count {
        let units = 10_012_345_678 + n as i64;
        batch.cells.extend([
            Cell::Text(format!("LN{n:010}").into()),
            Cell::Text(format!("T{:06}", n % 260).into()),
            Cell::Name("FNMA"),
            Cell::Text(Arc::clone(&shared)),
            Cell::Text(Arc::clone(&shared)),
            Cell::Int(120),
            Cell::Int(n as i64),
            Cell::Int(28),
            Cell::Fixed(units, 8),
            Cell::Fixed(12_500_000, 8),
            Cell::Fixed(-1_234_567, 8),
            Cell::Fixed(units - 1_234_567, 8),
        ]);
    }
    batch
}

fn say(what: &str, count: u64, took: Duration) {
    let rate = u128::from(count) * 1_000_000 / took.as_micros().max(1);
    println!("{what:<34} {count:>9}  {:>7} ms  {rate:>9}/s", took.as_millis());
}

#[tokio::main]
async fn main() -> StoreResult<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let number =
        |at: usize, other: u64| arguments.get(at).and_then(|n| n.parse().ok()).unwrap_or(other);
    let (events, per_append, row_count) =
        (number(0, 200_000), number(1, 10_000), number(2, 300_000));
    let folder = tempfile::tempdir_in(arguments.get(3).map_or(".", String::as_str))
        .map_err(|error| StoreError::Failed(StoreFault::caused_by(error)))?;
    let store = SqliteStore::open(folder.path().join("measured.db"))?;
    let run = RunId(Uuid::from_u128(7));

    append_all(&store, run, events, per_append).await?;
    stage_all(&store, run, row_count, per_append).await?;
    read_all(&store).await?;
    capture(&store).await?;

    let began = Instant::now();
    drop(store);
    say("close (log into file)", 1, began.elapsed());
    Ok(())
}

async fn append_all(
    store: &SqliteStore,
    run: RunId,
    events: u64,
    per_append: u64,
) -> StoreResult<()> {
    let node = Arc::new(Node {
        investor_id: InvestorId::from("FNMA"),
        investor_instrument_name: InstrumentName::from("FNMA 30YR 5.5 85K"),
        constraint_name: ConstraintName::from("small balance California"),
        constraint_priority: 120,
    });
    let meta = AppendMeta {
        tenant_id: TenantId::from("acme"),
        actor: "desk@acme.example".to_owned(),
        recorded_at: Timestamp::from_micros(1_700_000_000_000_000),
        causation_id: Some(Uuid::from_u128(1)),
        correlation_id: Some(run.0),
    };
    let mut encoding = Duration::ZERO;
    let mut bytes = 0;
    let began = Instant::now();
    let mut under_way: Option<tokio::task::JoinHandle<_>> = None;
    let mut version = 0;
    while version < events {
        let count = per_append.min(events - version);
        let began = Instant::now();
        let batch: Vec<RunEvent> = (version..version + count).map(|n| event(n, &node)).collect();
        let batch = EncodedBatch::encode(&batch);
        bytes += batch.iter().map(|(_, payload)| payload.len()).sum::<usize>();
        encoding += began.elapsed();
        if let Some(append) = under_way.take() {
            append.await.map_err(|error| StoreError::Failed(StoreFault::caused_by(error)))??;
        }
        let append = Append {
            append_id: Uuid::from_u128(1_000 + u128::from(version)),
            stream: run.stream(),
            expected_version: version,
            meta: meta.clone(),
            events: batch,
            lease: None,
        };
        let store = store.clone();
        under_way = Some(tokio::spawn(async move { store.append(append).await.map(|_| ()) }));
        version += count;
    }
    if let Some(append) = under_way {
        append.await.map_err(|error| StoreError::Failed(StoreFault::caused_by(error)))??;
    }
    say("append, each durable", events, began.elapsed());
    say("  of which encoding, beside it", events, encoding);
    println!("  {} bytes an event", bytes as u64 / events.max(1));
    Ok(())
}

async fn stage_all(store: &SqliteStore, run: RunId, count: u64, at_once: u64) -> StoreResult<()> {
    let batches: Vec<RowBatch> = (0..count)
        .step_by(at_once as usize)
        .map(|from| rows(from, at_once.min(count - from)))
        .collect();
    let began = Instant::now();
    store.begin_staging(ProjectionWriter::Maintenance(run), &[&TABLE]).await?;
    for batch in batches {
        store.stage(ProjectionWriter::Maintenance(run), [batch].into(), 1).await?;
    }
    say("stage rows of 12 columns", count, began.elapsed());
    let began = Instant::now();
    store.publish(ProjectionWriter::Maintenance(run), &[]).await?;
    say("publish", 1, began.elapsed());
    let began = Instant::now();
    let shown: Vec<_> = store.rows(&TABLE).try_collect().await?;
    say("read rows", shown.iter().map(|batch| batch.rows.len() as u64).sum(), began.elapsed());
    Ok(())
}

async fn read_all(store: &SqliteStore) -> StoreResult<()> {
    let began = Instant::now();
    let mut count = 0;
    let mut batches = store.read_all(0);
    while let Some(batch) = batches.try_next().await? {
        count += batch.len() as u64;
    }
    say("read all events", count, began.elapsed());
    let began = Instant::now();
    let verification = store.verify(None).await?;
    say("verify", verification.events, began.elapsed());
    assert_eq!(verification.damage, None);
    Ok(())
}

/// A canonical form of some 20 MB, as compressible as a book of loans.
async fn capture(store: &SqliteStore) -> StoreResult<()> {
    let line = |n: u64| {
        let mixed = n.wrapping_mul(0x9E37_79B9_7F4A_7C15);
        format!(
            "LN{n:010}|{}|{}.{:02}|CA|Closed|FNMA 30YR 5.5\n",
            mixed % 900,
            mixed % 800_000,
            mixed % 100
        )
    };
    let canonical: String = (0..400_000).map(line).collect();
    let digest = blake3::hash(canonical.as_bytes()).to_hex().to_string();
    let began = Instant::now();
    store.capture(&digest, canonical.as_bytes()).await?;
    say("capture a snapshot, bytes", canonical.len() as u64, began.elapsed());
    let began = Instant::now();
    store.captured(&digest).await?;
    say("read it back", canonical.len() as u64, began.elapsed());
    Ok(())
}
