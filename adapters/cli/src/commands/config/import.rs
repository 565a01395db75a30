//! `config import`: the six tables of a source.

use powerfill_app::configure::{ConfigOutcome, ConfigureError, preview_change};
use powerfill_events::values::TenantId;
use powerfill_ports::Store;
use powerfill_snapshot::config::{Config, ConfigChange, ConfigState, ConfigTables};
use powerfill_snapshot::{RawSnapshot, RawTable};

use super::{changes, command, record, say_warnings, tenant_of};
use crate::args::ConfigImportArgs;
use crate::failure::Failure;
use crate::format::Format;
use crate::places::Source;
use crate::settings::Settings;
use crate::tenancy::Place;

pub(super) async fn run(args: ConfigImportArgs, settings: &Settings) -> Result<(), Failure> {
    let place = Place::resolve(&args.change.store.place, settings)?;
    let source = source(&args, &place, settings)?;
    let raw = source.read()?;
    let named = tenant_named_by(&raw);
    // Before a store is made for the wrong one.
    ensure_tenant(place.tenant(), &source, named.as_ref())?;
    let refused = |report| Failure::Faults { what: format!("{source} is refused"), report };
    let tables = ConfigTables::read(raw).map_err(refused)?;
    let what = ConfigChange::Import { source: source.to_string(), tables: Box::new(tables) };
    let format = args.change.store.print.format;
    // A look at what would change makes no store.
    if args.dry_run && !place.url().is_there() {
        let events = Config::decide(&ConfigState::default(), &command(what, &args.change));
        let mut previewed = ConfigOutcome {
            events: events.map_err(ConfigureError::from)?,
            state: ConfigState::default(),
        };
        let accepted = previewed.events.iter().try_for_each(|event| previewed.state.accept(event));
        accepted.map_err(ConfigureError::from)?;
        return say_preview(&previewed, format);
    }
    let store = match args.dry_run {
        true => place.open_existing().await?,
        false => place.open().await?,
    };
    let tenant = tenant(&place, store.as_ref(), &source, named).await?;
    if !args.dry_run {
        return record(store.as_ref(), &tenant, what, &args.change, settings).await;
    }
    say_preview(
        &preview_change(store.as_ref(), &tenant, &command(what, &args.change)).await?,
        format,
    )
}

fn say_preview(previewed: &ConfigOutcome, format: Format) -> Result<(), Failure> {
    say_warnings(previewed);
    changes::print(previewed, false, format)
}

fn source(args: &ConfigImportArgs, place: &Place, settings: &Settings) -> Result<Source, Failure> {
    let of_tenant = match place.tenant() {
        Some(tenant) => settings.of_tenant(tenant.as_str())?.source.clone(),
        None => None,
    };
    args.source.clone().or(of_tenant).ok_or_else(|| {
        Failure::Environment(
            "which source? Name one (dir:FOLDER, xlsx:FILE, sqlite:FILE, postgres://… or mssql://…), or a tenant that has one with \
             --tenant ID"
                .to_owned(),
        )
    })
}

/// Whose book a source holds, where it says so.
fn tenant_named_by(raw: &RawSnapshot) -> Option<TenantId> {
    let is_header = |table: &&RawTable| table.name().eq_ignore_ascii_case("snapshot");
    let header = raw.tables.iter().find(is_header).filter(|header| header.rows() == 1)?;
    let mut columns = header.columns().iter();
    let column = columns.position(|name| name.eq_ignore_ascii_case("tenant_id"))?;
    Some(header.cell(0, column)).filter(|id| !id.is_empty()).map(TenantId::from)
}

/// The source's tenant must be the one whose configuration it is, where both are said.
fn ensure_tenant(
    tenant: Option<&TenantId>,
    source: &Source,
    named: Option<&TenantId>,
) -> Result<(), Failure> {
    match (tenant, named) {
        (Some(tenant), Some(named)) if tenant != named => Err(Failure::Environment(format!(
            "{source} is a snapshot of tenant {named}, not of {tenant}; nothing was done"
        ))),
        _ => Ok(()),
    }
}

/// Whose configuration it is: that of the place or of the store, and of an empty store that of the
/// source.
async fn tenant(
    place: &Place,
    store: &dyn Store,
    source: &Source,
    named: Option<TenantId>,
) -> Result<TenantId, Failure> {
    match (tenant_of(place, store).await, named) {
        (Ok(tenant), named) => {
            ensure_tenant(Some(&tenant), source, named.as_ref())?;
            Ok(tenant)
        }
        (Err(_), Some(named)) => Ok(named),
        (Err(failure), None) => Err(failure),
    }
}
