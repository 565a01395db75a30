//! `config import`: adopts the six tables of a source.

use powerfill_app::configure::{ConfigOutcome, ConfigureError, check_rules, preview_change};
use powerfill_events::values::TenantId;
use powerfill_ports::Store;
use powerfill_snapshot::config::{Config, ConfigChange, ConfigState};
use powerfill_snapshot::{
    RawSnapshot, RawTable, TableLimit, columns_for_rules, validate_configuration,
};

use super::{changes, command, print_warnings, record, tenant_of};
use crate::args::ConfigImportArgs;
use crate::error::{CliError, CliResult};
use crate::format::Format;
use crate::mapped;
use crate::output::print_note;
use crate::report;
use crate::settings::ProgramSettings;
use crate::tenancy::{TenantStore, ensure_same_tenant, missing_source};
use crate::urls::SourceUrl;

pub(super) async fn run(args: ConfigImportArgs, settings: &ProgramSettings) -> CliResult<()> {
    let tenant_store = TenantStore::resolve(&args.change.common.store, settings)?;
    let source = match &args.source.source {
        Some(url) => Some(url.parse("SOURCE")?),
        None => tenant_store.tenant().and_then(|tenant| tenant.source.clone()),
    };
    let source: SourceUrl = source.ok_or_else(|| missing_source(None))?;
    let own = tenant_store.tenant().filter(|_| args.source.source.is_none());
    let mapping = args.source.mapping.as_ref().or(own.and_then(|tenant| tenant.mapping.as_ref()));
    let raw = match mapping {
        Some(mapping) => mapped::read(&source, mapping, TableLimit::default()).await?,
        None => source.read().await?,
    };
    let by_mapping = raw.mapping.as_ref().map_or_else(String::new, |mapping| {
        format!(" by mapping {} (BLAKE3 {})", mapping.file, mapping.digest)
    });
    let source_tenant = tenant_in(&raw);
    if let Some(found) = &source_tenant {
        // Before a store is created for the wrong tenant.
        ensure_same_tenant(&source, tenant_store.tenant_id(), found)?;
    }
    let all = args.report.all;
    let rejected = |report| CliError::Faults { what: format!("{source} is refused"), report, all };
    let columns = columns_for_rules(&raw);
    let (tables, warnings) = validate_configuration(raw).map_err(rejected)?;
    print_note(report::text(&warnings, all));
    let change =
        ConfigChange::Import { source: format!("{source}{by_mapping}"), tables: Box::new(tables) };
    let format = args.change.common.print.format;
    // A dry run creates no store.
    if args.dry_run && !tenant_store.url().may_exist() {
        let events = Config::decide(&ConfigState::default(), &command(change, &args.change));
        let mut previewed = ConfigOutcome {
            events: events.map_err(ConfigureError::from)?,
            state: ConfigState::default(),
        };
        let accepted = previewed.events.iter().try_for_each(|event| previewed.state.accept(event));
        accepted.map_err(ConfigureError::from)?;
        return print_preview(&previewed, format);
    }
    let store = match args.dry_run {
        true => tenant_store.open_for_reading().await?,
        false => tenant_store.open().await?,
    };
    let tenant = tenant(&tenant_store, store.as_ref(), &source, source_tenant).await?;
    if !args.dry_run {
        let change = (change, columns.as_deref());
        return record(store.as_ref(), &tenant, change, &args.change, settings).await;
    }
    let command = command(change, &args.change);
    print_note(report::text(
        &check_rules(store.as_ref(), &command, columns.as_deref()).await?,
        false,
    ));
    print_preview(&preview_change(store.as_ref(), &tenant, &command).await?, format)
}

fn print_preview(previewed: &ConfigOutcome, format: Format) -> CliResult<()> {
    print_warnings(previewed);
    changes::print(previewed, false, format)
}

/// The tenant that a source names, if it has a table `snapshot` with one row.
fn tenant_in(raw: &RawSnapshot) -> Option<TenantId> {
    let is_header = |table: &&RawTable| table.name().eq_ignore_ascii_case("snapshot");
    let header = raw.tables.iter().find(is_header).filter(|header| header.rows() == 1)?;
    let mut columns = header.columns().iter();
    let column = columns.position(|name| name.eq_ignore_ascii_case("tenant_id"))?;
    Some(header.cell(0, column)).filter(|id| !id.is_empty()).map(TenantId::from)
}

/// The tenant of the configuration: that of the store; for an empty store, that of the source.
async fn tenant(
    tenant_store: &TenantStore,
    store: &dyn Store,
    source: &SourceUrl,
    source_tenant: Option<TenantId>,
) -> CliResult<TenantId> {
    match (tenant_of(tenant_store, store).await, source_tenant) {
        (Ok(tenant), Some(found)) => {
            ensure_same_tenant(source, Some(&tenant), &found)?;
            Ok(tenant)
        }
        (tenant @ Ok(_), None) => tenant,
        (Err(_), Some(found)) => Ok(found),
        (Err(error), None) => Err(error),
    }
}
