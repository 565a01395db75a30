//! Output tables of runs in memory, bounded. A run that is Complete has the same tables for ever,
//! so that nothing here is ever stale: what was used longest ago makes room.
//!
//! The shown run's tables are read one by one as they are asked for; those of any other run come
//! out of its events, all at once. A table that is too large to be kept is read through for each
//! page.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use futures::TryStreamExt;
use powerfill_app::rebuild::fold;
use powerfill_events::run::RunId;
use powerfill_ports::Store;
use powerfill_tables::table::{Cell, RowBatch, TableSpec};
use tokio::runtime::Handle;

use super::catalog;
use super::question::SortKey;
use crate::problem::{Answer, internal};

/// A table of a run.
pub(crate) struct Shelf {
    pub(crate) rows: RowBatch,
    bytes: usize,
    /// The rows' numbers by a column, the smallest value first, for the columns that were sorted by
    /// last.
    orders: Mutex<Vec<(usize, Arc<Vec<u32>>)>>,
}

/// Orders that are kept of a table.
const ORDERS: usize = 4;

impl Shelf {
    fn new(mut rows: RowBatch) -> Self {
        rows.cells.shrink_to_fit();
        Self { bytes: size(&rows), rows, orders: Mutex::new(Vec::new()) }
    }

    /// A row by its number.
    pub(crate) fn row(&self, number: usize) -> &[Cell] {
        let columns = self.rows.table.columns.len();
        &self.rows.cells[number * columns..(number + 1) * columns]
    }

    /// The rows' numbers by a column; equal values in the order of the table.
    pub(crate) fn order(&self, column: usize) -> Arc<Vec<u32>> {
        let mut orders = lock(&self.orders);
        if let Some((_, order)) = orders.iter().find(|(of, _)| *of == column) {
            return Arc::clone(order);
        }
        let mut order: Vec<u32> = (0..u32::try_from(self.rows.len()).unwrap_or(u32::MAX)).collect();
        order.sort_by_cached_key(|row| SortKey::of(&self.row(*row as usize)[column]));
        let order = Arc::new(order);
        if orders.len() == ORDERS {
            orders.remove(0);
        }
        orders.push((column, Arc::clone(&order)));
        order
    }
}

/// What rows take in memory, about.
fn size(rows: &RowBatch) -> usize {
    let texts = rows.cells.iter().map(|cell| match cell {
        Cell::Text(text) => 16 + text.len(),
        _ => 0,
    });
    rows.cells.len() * size_of::<Cell>() + texts.sum::<usize>()
        // An order of each of the columns that are kept.
        + rows.len() * ORDERS * size_of::<u32>()
}

type Key = (Arc<str>, RunId, &'static str);

#[derive(Default)]
struct Kept {
    shelves: HashMap<Key, (u64, Arc<Shelf>)>,
    too_large: HashSet<Key>,
    digests: HashMap<(Arc<str>, RunId), Arc<str>>,
    bytes: usize,
    uses: u64,
}

/// Runs whose digest, or tables that are too large, are remembered.
const REMEMBERED: usize = 10_000;

/// The tables that are in memory.
pub(crate) struct Shelves {
    most: usize,
    kept: Mutex<Kept>,
    /// One is read at a time: many pages of one table are asked for at once, and two large tables
    /// would be too much.
    reading: tokio::sync::Mutex<()>,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Shelves {
    /// With room for so many bytes.
    pub(crate) fn new(most: usize) -> Self {
        Self { most, kept: Mutex::default(), reading: tokio::sync::Mutex::new(()) }
    }

    /// The output digest of a run that is known to be Complete.
    pub(crate) fn digest(&self, tenant: &str, run: RunId) -> Option<Arc<str>> {
        lock(&self.kept).digests.get(&(Arc::from(tenant), run)).cloned()
    }

    /// Remembers that a run is Complete.
    pub(crate) fn remember(&self, tenant: &str, run: RunId, digest: &str) -> Arc<str> {
        let digest: Arc<str> = digest.into();
        let mut kept = lock(&self.kept);
        if kept.digests.len() >= REMEMBERED {
            kept.digests.clear();
        }
        kept.digests.insert((tenant.into(), run), Arc::clone(&digest));
        digest
    }

    /// A table of a Complete run; `None` where it is too large to be kept.
    pub(crate) async fn table(
        &self,
        tenant: &str,
        store: &Arc<dyn Store>,
        run: RunId,
        table: &'static TableSpec,
    ) -> Answer<Option<Arc<Shelf>>> {
        let key: Key = (tenant.into(), run, table.name);
        if let Some(found) = self.find(&key) {
            return Ok(found);
        }
        let _one = self.reading.lock().await;
        // Whoever read before may have read just this.
        if let Some(found) = self.find(&key) {
            return Ok(found);
        }
        if let Some(rows) = shown(store.as_ref(), run, table, self.largest()).await? {
            return Ok(self.put(key, rows));
        }
        for (spec, rows) in folded(store, run, self.largest()).await? {
            self.put((Arc::clone(&key.0), run, spec.name), rows);
        }
        Ok(self.find(&key).flatten())
    }

    /// The largest table that is kept.
    const fn largest(&self) -> usize {
        self.most / 2
    }

    fn find(&self, key: &Key) -> Option<Option<Arc<Shelf>>> {
        let mut kept = lock(&self.kept);
        if kept.too_large.contains(key) {
            return Some(None);
        }
        kept.uses += 1;
        let now = kept.uses;
        kept.shelves.get_mut(key).map(|(used, shelf)| {
            *used = now;
            Some(Arc::clone(shelf))
        })
    }

    /// Puts rows on a shelf; `None` are those of a table that is too large.
    fn put(&self, key: Key, rows: Option<RowBatch>) -> Option<Arc<Shelf>> {
        let mut kept = lock(&self.kept);
        let Some(rows) = rows else {
            if kept.too_large.len() >= REMEMBERED {
                kept.too_large.clear();
            }
            kept.too_large.insert(key);
            return None;
        };
        let shelf = Arc::new(Shelf::new(rows));
        while kept.bytes + shelf.bytes > self.most {
            let oldest = kept.shelves.iter().min_by_key(|(_, (used, _))| *used);
            let Some(oldest) = oldest.map(|(key, _)| key.clone()) else { break };
            if let Some((_, gone)) = kept.shelves.remove(&oldest) {
                kept.bytes -= gone.bytes;
            }
        }
        kept.uses += 1;
        kept.bytes += shelf.bytes;
        let used = kept.uses;
        if let Some((_, before)) = kept.shelves.insert(key, (used, Arc::clone(&shelf))) {
            kept.bytes -= before.bytes;
        }
        Some(shelf)
    }
}

/// The rows of a table, unless they are too many.
type Rows = Option<RowBatch>;

/// The table where the run is the shown one, as it is shown; `None` where another run is.
async fn shown(
    store: &dyn Store,
    run: RunId,
    table: &'static TableSpec,
    largest: usize,
) -> Answer<Option<Rows>> {
    if store.published().await?.is_none_or(|(published, _)| published != run) {
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
    // No rows may also be those of a run that came in between.
    let still = store.published().await?.is_some_and(|(published, _)| published == run);
    Ok(still.then_some(Some(rows)))
}

/// The tables of all reports from the events of a run. Where they are too many together, the
/// largest gives way.
async fn folded(
    store: &Arc<dyn Store>,
    run: RunId,
    most: usize,
) -> Answer<Vec<(&'static TableSpec, Rows)>> {
    let store = Arc::clone(store);
    let folded = aside(async move || {
        let mut tables: Vec<(&'static TableSpec, Rows, usize)> = Vec::new();
        for report in catalog::ALL.iter() {
            if !tables.iter().any(|(table, ..)| std::ptr::eq(*table, report.table)) {
                tables.push((report.table, Some(RowBatch::new(report.table)), 0));
            }
        }
        fold(store.as_ref(), run, async |batches, _| {
            for mut batch in batches {
                let of = tables.iter_mut().find(|(table, ..)| std::ptr::eq(*table, batch.table));
                if let Some((_, Some(rows), bytes)) = of {
                    *bytes += size(&batch);
                    rows.append(&mut batch);
                }
                while tables.iter().map(|(_, _, bytes)| bytes).sum::<usize>() > most {
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
    });
    folded.await
}

/// Work that takes the processor for long, away from the threads that answer.
pub(crate) async fn aside<T: Send + 'static>(
    work: impl AsyncFnOnce() -> Answer<T> + Send + 'static,
) -> Answer<T> {
    let here = Handle::current();
    let done = tokio::task::spawn_blocking(move || here.block_on(work())).await;
    done.map_err(|panic| internal(&panic))?
}
