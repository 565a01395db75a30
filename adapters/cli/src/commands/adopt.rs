//! `adopt`: makes an official run of the allocation that a challenge found (specification 10.7).

use std::sync::Arc;

use powerfill_app::adopt::Adoption;
use powerfill_app::run_list::{AnnotationChange, annotate};
use powerfill_app::{Clock, SystemClock};
use powerfill_events::annotation::check_note;
use powerfill_ports::Store;
use powerfill_snapshot::{FaultReport, Validated};
use powerfill_tables::status::RunStatus;

use super::retention;
use super::run::{print_result, process_name, run_in_foreground, tenant_runner};
use crate::args::AdoptArgs;
use crate::error::{CliError, CliResult};
use crate::settings::{ALLOW_ADOPTION, ProgramSettings};
use crate::tenancy::TenantStore;

pub(crate) async fn run(args: AdoptArgs, settings: &ProgramSettings) -> CliResult<()> {
    let tenant_store = TenantStore::resolve(&args.common.store, settings)?
        .with_large_tables(args.large_tables.value());
    ensure_allowed(&tenant_store, settings)?;
    args.note.as_deref().map_or(Ok(()), check_note).map_err(CliError::environment)?;
    let store: Arc<dyn Store> = tenant_store.open_existing().await?;
    retention::ensure_payloads(store.as_ref(), args.challenge.run).await?;
    let Adoption { snapshot, requested, origin } =
        Adoption::read(store.as_ref(), args.challenge).await?;
    let input = Validated {
        snapshot: Arc::unwrap_or_clone(snapshot),
        warnings: FaultReport::default(),
        source_warnings: requested.source_warnings,
        mapping: requested.mapping,
        provenance: origin.provenance.clone(),
    };
    let by = settings.requested_by(args.requested_by.as_deref());
    let runner = tenant_runner(&tenant_store, Arc::clone(&store), process_name());
    let summary = run_in_foreground(&runner, input, &requested.options, &by, None, origin).await?;
    if args.note.is_some() {
        let change = AnnotationChange { name: None, note: args.note };
        annotate(store.as_ref(), summary.run_id, &change, &by, SystemClock.now())
            .await
            .map_err(CliError::environment)?;
    }
    print_result(&runner, &summary, args.common.print.format).await?;
    if summary.status == RunStatus::Complete { Ok(()) } else { Err(CliError::NegativeAnswer) }
}

/// People decide whether a search may take the place of the passes: the settings must say so.
fn ensure_allowed(store: &TenantStore, settings: &ProgramSettings) -> CliResult<()> {
    let (allows, place) = match store.tenant() {
        Some(tenant) => (tenant.allows_adoption, format!("under [tenants.{}]", tenant.id)),
        None => (settings.allows_adoption, "at the top".to_owned()),
    };
    if allows {
        return Ok(());
    }
    Err(CliError::environment(format!(
        "adopting a challenge is forbidden here: the run would follow a search instead of the \
         passes. If that is intended, write {ALLOW_ADOPTION} = true {place} of powerfill.toml"
    )))
}
