//! `export`: writes the output tables and the events of runs as Parquet files.

use std::sync::Arc;

use futures::TryStreamExt;
use powerfill_app::rebuild;
use powerfill_events::values::TenantId;
use powerfill_parquet::{EVENTS, Partition, RunFiles, event_rows};
use powerfill_ports::Store;
use powerfill_ports::runs::{QueuedRun, RunFilter, stream_runs};
use powerfill_tables::status::RunStatus;
use powerfill_tables::table::{TableRef, TableSpec};
use powerfill_tables::tables::ALL;

use super::retention::ensure_payloads;
use super::{find_run, tables::spec, tenant_of};
use crate::args::ExportArgs;
use crate::error::{CliError, CliResult};
use crate::out_folder::has_table;
use crate::output::print_text;
use crate::settings::ProgramSettings;
use crate::summary::count;
use crate::tenancy::TenantStore;

pub(crate) async fn run(args: ExportArgs, settings: &ProgramSettings) -> CliResult<()> {
    let mut tables = match args.tables.is_empty() {
        true => ALL.to_vec(),
        false => args.tables.iter().map(|name| spec(name)).collect::<Result<_, _>>()?,
    };
    if args.events {
        tables.push(&EVENTS);
    }
    for store in TenantStore::resolve_all(args.all_tenants, &args.store, settings)? {
        let opened = store.open_for_reading().await?;
        let export = StoreExport {
            tenant: tenant_of(&store, opened.as_ref()).await?,
            store: opened,
            tables: &tables,
            args: &args,
        };
        export.run().await?;
    }
    Ok(())
}

/// What the export of a run did.
enum ExportOutcome {
    /// All files were there.
    Present,
    /// The payloads are archived.
    Archived,
    /// Files of so many bytes were written.
    Written(u64),
}

/// The export from one store.
struct StoreExport<'a> {
    store: Arc<dyn Store>,
    tenant: TenantId,
    tables: &'a [TableRef],
    args: &'a ExportArgs,
}

impl StoreExport<'_> {
    async fn run(&self) -> CliResult<()> {
        let [mut written, mut present, mut archived, mut active, mut bytes] = [0_u64; 5];
        for run in self.wanted_runs().await? {
            if !run.status.is_over() {
                active += 1;
                continue;
            }
            match self.export(&run).await? {
                ExportOutcome::Present => present += 1,
                ExportOutcome::Archived => archived += 1,
                ExportOutcome::Written(size) => {
                    written += 1;
                    bytes += size;
                }
            }
        }
        let mut text = format!(
            "{}: {} runs written to {}, {} bytes",
            self.tenant,
            count(written),
            self.args.out.display(),
            count(bytes)
        );
        if present > 0 {
            text += &format!("; {} were there", count(present));
        }
        if archived > 0 {
            text += &format!(
                "; {} are archived and are left out: `powerfill export --store evidence:FILE` \
                 exports one from its evidence",
                count(archived)
            );
        }
        if active > 0 {
            text += &format!("; {} are not over and are left out", count(active));
        }
        print_text(text + "\n")
    }

    async fn wanted_runs(&self) -> CliResult<Vec<QueuedRun>> {
        let store = self.store.as_ref();
        if self.args.all {
            return Ok(stream_runs(store, RunFilter::Official).try_collect().await?);
        }
        let latest = ["latest".to_owned()];
        let names = if self.args.runs.is_empty() { &latest[..] } else { &self.args.runs };
        let mut runs = Vec::new();
        for name in names {
            let found = find_run(store, name).await?;
            runs.extend(store.run(found).await?);
        }
        Ok(runs)
    }

    /// Writes the missing files of a run.
    async fn export(&self, run: &QueuedRun) -> CliResult<ExportOutcome> {
        let partition = Partition {
            tenant: self.tenant.clone(),
            run_date: run.requested_at.day(),
            run: run.run_id,
        };
        let is_complete = run.status == RunStatus::Complete;
        let out = &self.args.out;
        let is_wanted = |table: &&&TableSpec| {
            let exists = table.name == EVENTS.name || has_table(table, is_complete);
            exists && (self.args.overwrite || !partition.file(out, table).exists())
        };
        let tables: Vec<_> = self.tables.iter().filter(is_wanted).copied().collect();
        if tables.is_empty() {
            return Ok(ExportOutcome::Present);
        }
        if self.args.all && !self.store.archived_blocks(run.run_id).await?.is_empty() {
            return Ok(ExportOutcome::Archived);
        }
        ensure_payloads(self.store.as_ref(), run.run_id).await?;
        let mut files = RunFiles::create(out, partition, &tables).map_err(CliError::environment)?;
        let mut result = Ok(());
        if tables.iter().any(|table| table.name != EVENTS.name) {
            rebuild::fold(self.store.as_ref(), run.run_id, async |batches, _| {
                if result.is_ok() {
                    result = batches.into_iter().try_for_each(|batch| files.add(batch));
                }
                Ok(())
            })
            .await?;
        }
        if tables.iter().any(|table| table.name == EVENTS.name) {
            let mut batches = self.store.read(&run.run_id.stream(), 1);
            while let Some(events) = batches.try_next().await? {
                files.add(event_rows(events)).map_err(CliError::environment)?;
            }
        }
        let saved = result.and_then(|()| files.save()).map_err(CliError::environment);
        saved.map(ExportOutcome::Written)
    }
}
