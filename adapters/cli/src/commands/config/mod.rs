//! `config`: the configuration that a tenant manages (specification 4.2).
//!
//! * [`list`]: its tables, as they are or were
//! * [`change`]: a row, the order of the constraints
//! * [`import`]: all of it from a source
//! * [`export`]: all of it as CSV
//! * [`changes`]: what changed, as commands and the history print it

mod change;
mod changes;
mod export;
mod import;
mod list;

use std::collections::BTreeSet;

use powerfill_app::SystemClock;
use powerfill_app::configure::{
    ConfigAsOf, ConfigOutcome, ConfigRequest, configure, read_config_history, read_configuration,
};
use powerfill_events::values::{Name, TenantId, Timestamp};
use powerfill_ports::Store;
use powerfill_snapshot::config::RowChange;
use powerfill_snapshot::config::{self, ConfigChange, ConfigState, ConfigTable, carry_warnings};
use uuid::Uuid;

use crate::CommandFuture;
use crate::args::{ChangeArgs, ConfigAtArgs, ConfigCommand, Kind, StoreArgs};
use crate::failure::Failure;
use crate::settings::Settings;
use crate::tenancy::Place;

pub(crate) fn run(command: ConfigCommand, settings: &Settings) -> CommandFuture<'_> {
    match command {
        ConfigCommand::List(args) => Box::pin(list::run(args, settings)),
        ConfigCommand::Add(args) => Box::pin(change::add(args, settings)),
        ConfigCommand::Change(args) => Box::pin(change::change(args, settings)),
        ConfigCommand::Remove(args) => Box::pin(change::remove(args, settings)),
        ConfigCommand::Reprioritise(args) => Box::pin(change::reprioritise(args, settings)),
        ConfigCommand::Import(args) => Box::pin(import::run(args, settings)),
        ConfigCommand::Export(args) => Box::pin(export::run(args, settings)),
        ConfigCommand::History(args) => Box::pin(history(args, settings)),
    }
}

async fn history(args: StoreArgs, settings: &Settings) -> Result<(), Failure> {
    let store = Place::resolve(&args.place, settings)?.open_existing().await?;
    let records = read_config_history(store.as_ref()).await?;
    changes::print_history(&records, args.print.format)
}

/// The table that a word means.
const fn table(kind: Kind) -> ConfigTable {
    match kind {
        Kind::Rule => ConfigTable::Rules,
        Kind::Constraint => ConfigTable::Constraints,
        Kind::Link => ConfigTable::Links,
        Kind::Carry => ConfigTable::Carry,
        Kind::Lock => ConfigTable::Lockdown,
        Kind::Settings => ConfigTable::Preflight,
    }
}

/// The configuration as it is, or was.
async fn looked_at(
    at: &ConfigAtArgs,
    args: &StoreArgs,
    settings: &Settings,
) -> Result<ConfigState, Failure> {
    let as_of = match &at.at {
        None => ConfigAsOf::Now,
        Some(text) => as_of(text)?,
    };
    let store = Place::resolve(&args.place, settings)?.open_existing().await?;
    Ok(read_configuration(store.as_ref(), as_of).await?)
}

fn as_of(text: &str) -> Result<ConfigAsOf, Failure> {
    if let Ok(version) = text.parse() {
        return Ok(ConfigAsOf::Version(version));
    }
    Timestamp::try_from(text.to_owned()).map(ConfigAsOf::Moment).map_err(|_| {
        Failure::Environment(format!(
            "--at {text}: give a version of the configuration, or a moment such as 2026-01-15T10:00:00Z"
        ))
    })
}

/// Whose configuration a store has: that of the tenant who is named, or of the store.
async fn tenant_of(place: &Place, store: &dyn Store) -> Result<TenantId, Failure> {
    let found = match place.tenant() {
        Some(tenant) => Some(tenant.clone()),
        None => store.tenant().await?,
    };
    found.ok_or_else(|| {
        Failure::Environment(
            "whose configuration? The store is empty: name a tenant of powerfill.toml with --tenant ID, or begin with \
             `powerfill config import` of a snapshot"
                .to_owned(),
        )
    })
}

/// Changes the configuration, and prints what changed.
async fn record(
    store: &dyn Store,
    tenant: &TenantId,
    what: ConfigChange,
    args: &ChangeArgs,
    settings: &Settings,
) -> Result<(), Failure> {
    let command = command(what, args);
    let requested_by = settings.requested_by(args.requested_by.as_deref());
    let command_id = Uuid::now_v7();
    let ask = ConfigRequest { command_id, tenant, command: &command, requested_by: &requested_by };
    let configured = configure(store, &SystemClock, &ask).await?;
    say_warnings(&configured);
    changes::print(&configured, true, args.store.print.format)
}

fn command(what: ConfigChange, args: &ChangeArgs) -> config::ConfigCommand {
    config::ConfigCommand { what, reason: args.reason.clone() }
}

/// Notes about carry curves that are printed, at most.
const NOTES: usize = 6;

/// What deserves a look at the carry curves that were changed.
fn say_warnings(configured: &ConfigOutcome) {
    let rows = configured.events.iter().flat_map(RowChange::of_event);
    let buckets = rows.filter(|row| row.table == ConfigTable::Carry);
    let instruments: BTreeSet<Name> = buckets
        .filter_map(|row| row.after.or(row.before))
        .filter_map(|cells| cells.first().map(|(_, instrument)| Name::new(instrument)))
        .collect();
    let curves = configured.state.carry().values().map(|held| &held.row);
    let changed = curves.filter(|bucket| {
        instruments.contains(&Name::new(bucket.investor_instrument_name.as_str()))
    });
    let warnings = carry_warnings(changed);
    for warning in warnings.iter().take(NOTES) {
        eprintln!("note: {warning}");
    }
    if warnings.len() > NOTES {
        eprintln!("note: and {} more about the carry curves", warnings.len() - NOTES);
    }
}
