//! Output tables of runs in memory, bounded. The tables of a Complete run never change, so nothing
//! here is ever stale; the least recently used tables make room.
//!
//! The tables of the shown run are read one by one. Those of another run come from its events, all
//! at once, except the large ones, each of which comes from its own type of event. A table that is
//! too large to be kept is read for each page.

use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::sync::Arc;

use futures::TryStreamExt;
use parking_lot::Mutex;
use powerfill_app::rebuild::{build_table, fold, is_built};
use powerfill_events::run::RunId;
use powerfill_ports::Store;
use powerfill_tables::table::{Cell, RowBatch, TableRef, TableSpec};
use powerfill_tables::tables::reports;

use crate::blocking::spawn_blocking;
use crate::bounded_cache::{BoundedCache, CacheKey};
use crate::problem::ApiResult;
use crate::row_starts::RowStarts;
use powerfill_tables::sorting::SortKey;

/// A table of a run.
pub(crate) struct CachedTable {
    pub(crate) rows: RowBatch,
    bytes: usize,
    /// The numbers of the rows by a column, the smallest value first, for the columns that were
    /// sorted by last.
    orders: Mutex<Vec<(usize, Arc<Vec<u32>>)>>,
    /// The numbers of rows that queries select, by their fingerprints, of the latest queries.
    totals: Mutex<Vec<(String, u64)>>,
}

/// The orders that are kept per table.
const MAX_ORDERS: usize = 4;

/// The totals that are kept per table.
const MAX_TOTALS: usize = 64;

impl CachedTable {
    fn new(mut rows: RowBatch) -> Self {
        rows.cells.shrink_to_fit();
        Self { bytes: size(&rows), rows, orders: Mutex::default(), totals: Mutex::default() }
    }

    /// A row by its number.
    pub(crate) fn row(&self, number: usize) -> &[Cell] {
        let columns = self.rows.table.columns.len();
        &self.rows.cells[number * columns..(number + 1) * columns]
    }

    /// The numbers of the rows by a column. Equal values keep the order of the table.
    pub(crate) fn order(&self, column: usize) -> Arc<Vec<u32>> {
        let mut orders = self.orders.lock();
        if let Some((_, order)) = orders.iter().find(|(of, _)| *of == column) {
            return Arc::clone(order);
        }
        let mut order: Vec<u32> = (0..u32::try_from(self.rows.len()).unwrap_or(u32::MAX)).collect();
        order.sort_by_cached_key(|row| SortKey::of(&self.row(*row as usize)[column]));
        let order = Arc::new(order);
        if orders.len() == MAX_ORDERS {
            orders.remove(0);
        }
        orders.push((column, Arc::clone(&order)));
        order
    }

    /// The number of rows that a query selects, counted for the first of its pages.
    pub(crate) fn total(&self, fingerprint: &str, admits: impl Fn(&[Cell]) -> bool) -> u64 {
        let known = |totals: &Vec<(String, u64)>| {
            totals.iter().find(|(of, _)| of == fingerprint).map(|(_, total)| *total)
        };
        if let Some(total) = known(&self.totals.lock()) {
            return total;
        }
        let total = (0..self.rows.len()).filter(|row| admits(self.row(*row))).count() as u64;
        let mut totals = self.totals.lock();
        if totals.len() == MAX_TOTALS {
            totals.remove(0);
        }
        totals.push((fingerprint.to_owned(), total));
        total
    }
}

/// The approximate memory of rows and of the orders that are kept with them, in bytes.
fn size(rows: &RowBatch) -> usize {
    let texts = rows.cells.iter().map(|cell| match cell {
        Cell::Text(text) => 16 + text.len(),
        _ => 0,
    });
    rows.cells.len() * size_of::<Cell>()
        + texts.sum::<usize>()
        + rows.len() * MAX_ORDERS * size_of::<u32>()
}

/// The memory of an entry without rows, such as that of a table that is too large.
const ENTRY_BYTES: usize = 1_024;

/// Tables of a run that were read together. `None` is a table that is too large.
type Tables = Arc<Vec<(&'static str, Option<Arc<CachedTable>>)>>;

/// The rows of a table, unless they are too many.
type Rows = Option<RowBatch>;

/// What a Complete run says of its output tables.
pub(crate) struct RunOutputs {
    /// BLAKE3 of the output tables.
    pub(crate) digest: String,
    /// Rows per output table.
    pub(crate) counts: BTreeMap<String, u64>,
}

/// The runs whose outputs are known without reading an event.
const MAX_OUTPUTS: u64 = 1_000;

/// The tenants that have a reader.
const MAX_READERS: u64 = 10_000;

/// The large tables whose row starts are kept. One of a run of a million loans has 10,000 starts.
const MAX_ROW_STARTS: u64 = 100;

/// Overviews take up to this part of the memory of the tables, in addition to it.
const OVERVIEW_SHARE: u64 = 8;

/// The tables that are in memory.
pub(crate) struct ReportCache {
    max_bytes: usize,
    /// By run, and by table if the tables of the run were not read together.
    tables: BoundedCache<Tables>,
    outputs: BoundedCache<Arc<RunOutputs>>,
    /// Overviews as JSON, by their tags.
    overviews: BoundedCache<Arc<str>>,
    row_starts: BoundedCache<Arc<RowStarts>>,
    /// One per tenant: it reads one table at a time, because several large ones need too much
    /// memory, and never waits for another tenant.
    readers: BoundedCache<Arc<tokio::sync::Mutex<()>>>,
}

impl ReportCache {
    /// A cache of about this size.
    pub(crate) fn new(max_bytes: usize) -> Self {
        let tables = |tables: &Tables| {
            let bytes = tables.iter().flat_map(|(_, table)| table).map(|table| table.bytes);
            ENTRY_BYTES + bytes.sum::<usize>()
        };
        let overviews = max_bytes as u64 / OVERVIEW_SHARE;
        Self {
            max_bytes,
            tables: BoundedCache::of_bytes(max_bytes as u64, None, tables),
            outputs: BoundedCache::of_values(MAX_OUTPUTS),
            overviews: BoundedCache::of_bytes(overviews, None, |json| json.len()),
            row_starts: BoundedCache::of_values(MAX_ROW_STARTS),
            readers: BoundedCache::of_values(MAX_READERS),
        }
    }

    /// The outputs of a run that is known to be Complete.
    pub(crate) async fn outputs(&self, tenant: &str, run: RunId) -> Option<Arc<RunOutputs>> {
        self.outputs.get(&CacheKey::of_run(tenant, run)).await
    }

    /// Keeps the outputs of a Complete run.
    pub(crate) async fn keep_outputs(
        &self,
        tenant: &str,
        run: RunId,
        outputs: RunOutputs,
    ) -> Arc<RunOutputs> {
        let outputs = Arc::new(outputs);
        self.outputs.insert(CacheKey::of_run(tenant, run), Arc::clone(&outputs)).await;
        outputs
    }

    /// The overview of a Complete run as JSON, which is made if it is not in memory.
    pub(crate) async fn overview(
        &self,
        tenant: &str,
        run: RunId,
        tag: &str,
        make: impl AsyncFnOnce() -> ApiResult<String>,
    ) -> ApiResult<Arc<str>> {
        let make = async || Ok(make().await?.into());
        let key = CacheKey::of_run(tenant, run).named(tag.to_owned());
        self.in_turn(tenant, &self.overviews, key, make, |_| true).await
    }

    /// A value of a cache, which is made in the tenant's turn if it is not in memory. A value that
    /// `keeps` refuses is made again the next time.
    pub(crate) async fn in_turn<V: Clone + Send + Sync + 'static>(
        &self,
        tenant: &str,
        cache: &BoundedCache<V>,
        key: CacheKey,
        make: impl AsyncFnOnce() -> ApiResult<V>,
        keeps: impl FnOnce(&V) -> bool,
    ) -> ApiResult<V> {
        if let Some(value) = cache.get(&key).await {
            return Ok(value);
        }
        let reader = self.reader(tenant).await;
        let _reading = reader.lock().await;
        // Another request may have made it in the meantime.
        if let Some(value) = cache.get(&key).await {
            return Ok(value);
        }
        let value = make().await?;
        if keeps(&value) {
            cache.insert(key, value.clone()).await;
        }
        Ok(value)
    }

    /// Where the rows of a table of a Complete run are among its events.
    pub(crate) async fn row_starts(
        &self,
        tenant: &str,
        run: RunId,
        table: &TableSpec,
    ) -> Arc<RowStarts> {
        let key = CacheKey::of_run(tenant, run).named(table.name);
        self.row_starts.get_or_default(key).await
    }

    /// A table of a Complete run; `None` if it is too large to be kept. `count` is the number of
    /// its rows, if it is known.
    pub(crate) async fn table(
        &self,
        tenant: &str,
        store: &Arc<dyn Store>,
        run: RunId,
        (table, count): (TableRef, Option<u64>),
    ) -> ApiResult<Option<Arc<CachedTable>>> {
        let largest = self.max_bytes / 2;
        // Its cells alone are too large, so none of it is read to find that out.
        let cell_bytes = (table.columns.len() * size_of::<Cell>()) as u64;
        if count.is_some_and(|rows| rows.saturating_mul(cell_bytes) > largest as u64) {
            return Ok(None);
        }
        let key = CacheKey::of_run(tenant, run);
        if let Some(tables) = self.find(&key, table).await {
            return Ok(select(&tables, table));
        }
        let reader = self.reader(tenant).await;
        let _reading = reader.lock().await;
        // Another request may have read the table in the meantime.
        if let Some(tables) = self.find(&key, table).await {
            return Ok(select(&tables, table));
        }
        let (together, tables) = match read_shown(store.as_ref(), run, table, largest).await? {
            Some(rows) => (Some(table.name), vec![(table, rows)]),
            None if table.built_from.is_some() => {
                (Some(table.name), vec![(table, read_large(store, run, table, largest).await?)])
            }
            None => (None, read_events(store, run, largest).await?),
        };
        let cached = |(spec, rows): (&TableSpec, Rows)| {
            (spec.name, rows.map(|rows| Arc::new(CachedTable::new(rows))))
        };
        let tables: Tables = Arc::new(tables.into_iter().map(cached).collect());
        self.tables.insert(key.named(together.unwrap_or_default()), Arc::clone(&tables)).await;
        Ok(select(&tables, table))
    }

    /// The turn to read something large of a tenant.
    async fn reader(&self, tenant: &str) -> Arc<tokio::sync::Mutex<()>> {
        self.readers.get_or_default(CacheKey::of_tenant(tenant)).await
    }

    async fn find(&self, key: &CacheKey, table: &TableSpec) -> Option<Tables> {
        match self.tables.get(&key.clone().named(table.name)).await {
            // A large table is not among those that were read together.
            None => self.tables.get(key).await.filter(|tables| has(tables, table)),
            found => found,
        }
    }
}

fn has(tables: &Tables, table: &TableSpec) -> bool {
    tables.iter().any(|(name, _)| *name == table.name)
}

fn select(tables: &Tables, table: &TableSpec) -> Option<Arc<CachedTable>> {
    tables.iter().find(|(name, _)| *name == table.name).and_then(|(_, table)| table.clone())
}

/// The rows of the shown table; `None` if another run is shown, or the store has no rows of it.
async fn read_shown(
    store: &dyn Store,
    run: RunId,
    table: TableRef,
    largest: usize,
) -> ApiResult<Option<Rows>> {
    if store.published().await?.is_none_or(|(published, _)| published != run)
        || is_built(store, table).await?
    {
        return Ok(None);
    }
    let mut rows = RowBatch::new(table);
    let mut bytes = 0;
    let mut batches = store.rows(table);
    while let Some(mut batch) = batches.try_next().await? {
        if batch.run_id != run {
            // Another run was published in between.
            return Ok(None);
        }
        bytes += size(&batch.rows);
        if bytes > largest {
            return Ok(Some(None));
        }
        rows.append(&mut batch.rows);
    }
    // An empty table could also belong to a run that was published in between.
    let still = store.published().await?.is_some_and(|(published, _)| published == run);
    Ok(still.then_some(Some(rows)))
}

/// The rows of a large table from the events of a run.
async fn read_large(
    store: &Arc<dyn Store>,
    run: RunId,
    table: TableRef,
    largest: usize,
) -> ApiResult<Rows> {
    let store = Arc::clone(store);
    spawn_blocking(async move || {
        let (mut rows, mut bytes) = (RowBatch::new(table), 0);
        build_table(store.as_ref(), run, table, 1, async |mut batch, _| {
            bytes += size(&batch);
            if bytes > largest {
                return ControlFlow::Break(());
            }
            rows.append(&mut batch);
            ControlFlow::Continue(())
        })
        .await?;
        Ok((bytes <= largest).then_some(rows))
    })
    .await
}

/// The other tables of all reports from the events of a run. If they are too large together, the
/// largest is left out.
async fn read_events(
    store: &Arc<dyn Store>,
    run: RunId,
    max_bytes: usize,
) -> ApiResult<Vec<(TableRef, Rows)>> {
    let store = Arc::clone(store);
    spawn_blocking(async move || {
        let mut tables: Vec<(TableRef, Rows, usize)> = Vec::new();
        for (spec, _) in reports() {
            let is_new = !tables.iter().any(|(table, ..)| std::ptr::eq(*table, spec));
            if spec.built_from.is_none() && is_new {
                tables.push((spec, Some(RowBatch::new(spec)), 0));
            }
        }
        fold(store.as_ref(), run, async |batches, _| {
            for mut batch in batches {
                let of = tables.iter_mut().find(|(table, ..)| std::ptr::eq(*table, batch.table));
                if let Some((_, Some(rows), bytes)) = of {
                    *bytes += size(&batch);
                    rows.append(&mut batch);
                }
                while tables.iter().map(|(_, _, bytes)| bytes).sum::<usize>() > max_bytes {
                    let Some(largest) = tables.iter_mut().max_by_key(|(_, _, bytes)| *bytes) else {
                        break;
                    };
                    (largest.1, largest.2) = (None, 0);
                }
            }
            Ok(())
        })
        .await?;
        Ok(tables.into_iter().map(|(table, rows, _)| (table, rows)).collect())
    })
    .await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_tenant_reads_one_table_at_a_time_and_delays_no_other() {
        let cache = ReportCache::new(1 << 20);
        let reader = cache.reader("one").await;
        let _reading = reader.lock().await;
        assert!(cache.reader("one").await.try_lock().is_err());
        assert!(cache.reader("other").await.try_lock().is_ok());
    }
}
