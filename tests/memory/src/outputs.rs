//! Output tables: the staged rows and the published ones.

use std::collections::BTreeMap;
use std::sync::Arc;

use async_trait::async_trait;
use futures::stream::{self, StreamExt};
use powerfill_events::run::RunId;
use powerfill_ports::projections::{
    ProjectionStore, ROWS_PER_BATCH, RowBatches, RunRows, ensure_row_of_run, stored_form,
};
use powerfill_ports::runs::ProjectionWriter;
use powerfill_ports::{StoreError, StoreResult};
use powerfill_tables::table::{Cell, RowBatch, TableRef, TableSpec};

use crate::MemoryStore;

/// The staged run, the published run, and the rows of tables that keep every run.
#[derive(Default)]
pub(crate) struct Outputs {
    staged: Option<StagedRun>,
    shown: Option<(RunId, u64)>,
    tables: BTreeMap<&'static str, (RunId, RowBatch)>,
    kept: BTreeMap<&'static str, BTreeMap<RunId, RowBatch>>,
}

struct StagedRun {
    run: RunId,
    up_to_version: u64,
    tables: BTreeMap<&'static str, (TableRef, Vec<Cell>)>,
}

/// The cells in the form in which a store returns them.
fn stored_cells(table: &TableSpec, cells: &[Cell]) -> StoreResult<Vec<Cell>> {
    if !cells.len().is_multiple_of(table.columns.len()) {
        return Err(StoreError::Failed(format!("a row of {} is not whole", table.name).into()));
    }
    let columns = table.columns.iter().cycle();
    columns.zip(cells).map(|(column, cell)| stored_form(column, cell)).collect()
}

impl Outputs {
    fn ensure_staged(&mut self, run: RunId) -> StoreResult<&mut StagedRun> {
        let staged = self
            .staged
            .as_mut()
            .ok_or_else(|| StoreError::Failed(format!("nothing is staged for run {run}").into()))?;
        if staged.run != run {
            let other = staged.run;
            return Err(StoreError::Failed(
                format!("the staging area is run {other}'s, not run {run}'s").into(),
            ));
        }
        Ok(staged)
    }

    fn stage(&mut self, run: RunId, rows: &[RowBatch], up_to: u64) -> StoreResult<()> {
        let staged = self.ensure_staged(run)?;
        let mut ready = Vec::with_capacity(rows.len());
        for batch in rows {
            let name = batch.table.name;
            if !staged.tables.contains_key(name) {
                return Err(StoreError::Failed(format!("table {name} is not staged").into()));
            }
            ready.push((name, stored_cells(batch.table, &batch.cells)?));
        }
        for (name, cells) in ready {
            if let Some((_, all)) = staged.tables.get_mut(name) {
                all.extend(cells);
            }
        }
        staged.up_to_version = up_to;
        Ok(())
    }

    fn publish(&mut self, run: RunId, left_out: &[TableRef]) -> StoreResult<()> {
        self.ensure_staged(run)?;
        let Some(staged) = self.staged.take() else { return Ok(()) };
        for table in left_out {
            self.tables.remove(table.name);
        }
        for (name, (table, cells)) in staged.tables {
            let rows = RowBatch { table, cells };
            if !table.keeps_every_run {
                self.tables.insert(name, (run, rows));
            } else if !rows.is_empty() {
                self.kept.entry(name).or_default().insert(run, rows);
            }
        }
        self.shown = Some((run, staged.up_to_version));
        Ok(())
    }

    fn rows(&self, table: TableRef) -> Vec<RunRows> {
        let batch =
            |run_id: RunId, cells: Vec<Cell>| RunRows { run_id, rows: RowBatch { table, cells } };
        if table.keeps_every_run {
            let kept = self.kept.get(table.name).into_iter().flatten();
            return kept.map(|(run, rows)| batch(*run, cells_of(table, rows))).collect();
        }
        let Some((run, rows)) = self.tables.get(table.name) else { return Vec::new() };
        let cells = cells_of(table, rows);
        let batches = cells.chunks(ROWS_PER_BATCH * table.columns.len());
        batches.map(|cells| batch(*run, cells.to_vec())).collect()
    }
}

/// The cells of stored rows in the columns of a table. A column that an older program did not store
/// is NULL.
fn cells_of(table: &TableSpec, rows: &RowBatch) -> Vec<Cell> {
    let columns = table.columns.iter();
    let positions: Vec<_> = columns.map(|column| rows.table.position(column.name)).collect();
    let cell = |row: &[Cell], at: &Option<usize>| at.map_or(Cell::Null, |at| row[at].clone());
    rows.rows().flat_map(|row| positions.iter().map(move |at| cell(row, at))).collect()
}

#[async_trait]
impl ProjectionStore for MemoryStore {
    async fn begin_staging(
        &self,
        writer: ProjectionWriter,
        tables: &[TableRef],
    ) -> StoreResult<()> {
        let run = writer.run();
        let tables = tables.iter().map(|table| (table.name, (*table, Vec::new()))).collect();
        let mut state = self.state();
        state.queue.ensure_may_write(writer)?;
        state.outputs.staged = Some(StagedRun { run, up_to_version: 0, tables });
        Ok(())
    }

    async fn stage(
        &self,
        writer: ProjectionWriter,
        rows: Arc<[RowBatch]>,
        up_to_version: u64,
    ) -> StoreResult<()> {
        let mut state = self.state();
        state.queue.ensure_may_write(writer)?;
        state.outputs.stage(writer.run(), &rows, up_to_version)
    }

    async fn publish(&self, writer: ProjectionWriter, left_out: &[TableRef]) -> StoreResult<()> {
        let mut state = self.state();
        state.queue.ensure_may_write(writer)?;
        state.outputs.publish(writer.run(), left_out)
    }

    async fn published(&self) -> StoreResult<Option<(RunId, u64)>> {
        Ok(self.state().outputs.shown)
    }

    async fn is_stored(&self, table: TableRef) -> StoreResult<bool> {
        let outputs = &self.state().outputs;
        Ok(outputs.tables.contains_key(table.name) || outputs.kept.contains_key(table.name))
    }

    async fn put_row(
        &self,
        writer: ProjectionWriter,
        table: TableRef,
        row: Vec<Cell>,
    ) -> StoreResult<()> {
        ensure_row_of_run(table, &row)?;
        let cells = stored_cells(table, &row)?;
        let mut state = self.state();
        state.queue.ensure_may_write(writer)?;
        let rows = RowBatch { table, cells };
        state.outputs.kept.entry(table.name).or_default().insert(writer.run(), rows);
        Ok(())
    }

    fn rows(&self, table: TableRef) -> RowBatches<'_> {
        stream::iter(self.state().outputs.rows(table).into_iter().map(Ok)).boxed()
    }
}
