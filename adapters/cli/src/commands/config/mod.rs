//! `config`: a tenant's managed configuration (specification 4.2).
//!
//! * [`list`]: prints the tables, as they are or were
//! * [`change`]: changes a row, or the priorities of the constraints
//! * [`import`]: adopts the six tables of a source
//! * [`export`]: writes the six tables as CSV
//! * [`changes`]: prints changes, for commands and the history

mod change;
mod changes;
mod export;
mod import;
mod list;

use std::collections::BTreeSet;

use powerfill_app::SystemClock;
use powerfill_app::configure::{
    ConfigAsOf, ConfigOutcome, ConfigRequest, check_rules, configure, read_config_history,
    read_configuration,
};
use powerfill_events::values::{Name, TenantId, Timestamp};
use powerfill_ports::Store;
use powerfill_snapshot::config::RowChange;
use powerfill_snapshot::config::{self, ConfigChange, ConfigState, ConfigTable, carry_warnings};
use powerfill_snapshot::rules::rule_remarks;
use powerfill_snapshot::tables::LoanColumn;
use uuid::Uuid;

use crate::CommandFuture;
use crate::args::{ChangeArgs, ConfigAtArgs, ConfigSubcommand, ConfigTableArg, StorePrintArgs};
use crate::error::{CliError, CliResult};
use crate::output::print_note;
use crate::report;
use crate::settings::ProgramSettings;
use crate::tenancy::TenantStore;

pub(crate) fn run(command: ConfigSubcommand, settings: &ProgramSettings) -> CommandFuture<'_> {
    match command {
        ConfigSubcommand::List(args) => Box::pin(list::run(args, settings)),
        ConfigSubcommand::Add(args) => Box::pin(change::add(args, settings)),
        ConfigSubcommand::Change(args) => Box::pin(change::change(args, settings)),
        ConfigSubcommand::Remove(args) => Box::pin(change::remove(args, settings)),
        ConfigSubcommand::Reprioritise(args) => Box::pin(change::reprioritise(args, settings)),
        ConfigSubcommand::Import(args) => Box::pin(import::run(args, settings)),
        ConfigSubcommand::Export(args) => Box::pin(export::run(args, settings)),
        ConfigSubcommand::History(args) => Box::pin(history(args, settings)),
    }
}

async fn history(args: StorePrintArgs, settings: &ProgramSettings) -> CliResult<()> {
    let store = TenantStore::resolve(&args.store, settings)?.open_for_reading().await?;
    let records = read_config_history(store.as_ref()).await?;
    changes::print_history(&records, args.print.format)
}

/// The table of an argument.
const fn table(table: ConfigTableArg) -> ConfigTable {
    match table {
        ConfigTableArg::Rule => ConfigTable::Rules,
        ConfigTableArg::Constraint => ConfigTable::Constraints,
        ConfigTableArg::Link => ConfigTable::Links,
        ConfigTableArg::Carry => ConfigTable::Carry,
        ConfigTableArg::Lock => ConfigTable::Lockdown,
        ConfigTableArg::Settings => ConfigTable::Preflight,
    }
}

/// The configuration as it is, or was.
async fn configuration_at(
    at: &ConfigAtArgs,
    args: &StorePrintArgs,
    settings: &ProgramSettings,
) -> CliResult<ConfigState> {
    let as_of = match &at.at {
        None => ConfigAsOf::Now,
        Some(text) => as_of(text)?,
    };
    let store = TenantStore::resolve(&args.store, settings)?.open_for_reading().await?;
    Ok(read_configuration(store.as_ref(), as_of).await?)
}

fn as_of(text: &str) -> CliResult<ConfigAsOf> {
    if let Ok(version) = text.parse() {
        return Ok(ConfigAsOf::Version(version));
    }
    Timestamp::try_from(text.to_owned()).map(ConfigAsOf::Moment).map_err(|_| {
        CliError::environment(format!(
            "--at {text}: must be a version of the configuration, or a time such as \
             2026-01-15T10:00:00Z"
        ))
    })
}

/// The tenant of a store: the selected one, or that of its events.
async fn tenant_of(tenant_store: &TenantStore, store: &dyn Store) -> CliResult<TenantId> {
    let tenant = match tenant_store.tenant_id() {
        Some(tenant) => Some(tenant.clone()),
        None => store.tenant().await?,
    };
    tenant.ok_or_else(|| {
        CliError::environment(
            "which tenant? The store is empty: name a tenant of powerfill.toml with --tenant ID, \
             or begin with `powerfill config import` of a snapshot",
        )
    })
}

/// Changes the configuration, and prints what changed. A change that comes from a source with loans
/// has the columns that its rules can name.
async fn record(
    store: &dyn Store,
    tenant: &TenantId,
    (change, of_source): (ConfigChange, Option<&[LoanColumn]>),
    args: &ChangeArgs,
    settings: &ProgramSettings,
) -> CliResult<()> {
    let command = command(change, args);
    let warnings = check_rules(store, &command, of_source).await?;
    print_note(report::text(&warnings, false));
    let requested_by = settings.requested_by(args.requested_by.as_deref());
    let command_id = Uuid::now_v7();
    let request =
        ConfigRequest { command_id, tenant, command: &command, requested_by: &requested_by };
    let configured = configure(store, &SystemClock, &request).await?;
    print_warnings(&configured);
    changes::print(&configured, true, args.common.print.format)
}

fn command(change: ConfigChange, args: &ChangeArgs) -> config::ConfigCommand {
    config::ConfigCommand { what: change, reason: args.reason.clone() }
}

/// The largest number of printed notes about carry curves.
const MAX_NOTES: usize = 6;

/// Prints warnings about the changed rules and carry curves on standard error.
fn print_warnings(configured: &ConfigOutcome) {
    let rows = configured.events.iter().flat_map(RowChange::of_event);
    let buckets = rows.filter(|row| row.table == ConfigTable::Carry);
    let instruments: BTreeSet<Name> = buckets
        .filter_map(|row| row.after.or(row.before))
        .filter_map(|cells| cells.first().map(|(_, instrument)| Name::new(instrument)))
        .collect();
    let curves = configured.state.carry().values().map(|entry| &entry.row);
    let changed = curves.filter(|bucket| {
        instruments.contains(&Name::new(bucket.investor_instrument_name.as_str()))
    });
    for row in configured.events.iter().flat_map(RowChange::of_event) {
        let rule = row.after.iter().flatten().find(|(column, _)| *column == "rule_syntax");
        for remark in rule.map_or_else(Vec::new, |(_, syntax)| rule_remarks(syntax)) {
            print_note(format_args!("warning: rule {}, {}\n", row.key, remark.reason));
        }
    }
    let warnings = carry_warnings(changed);
    for warning in warnings.iter().take(MAX_NOTES) {
        print_note(format_args!("note: {warning}\n"));
    }
    if warnings.len() > MAX_NOTES {
        print_note(format_args!(
            "note: and {} more about the carry curves\n",
            warnings.len() - MAX_NOTES
        ));
    }
}
