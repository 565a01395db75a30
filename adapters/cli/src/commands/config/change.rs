//! `config add`, `change`, `remove`, and `reprioritise`.

use std::io::Read;
use std::path::Path;

use powerfill_snapshot::config::{
    ConfigChange, ConfigTable, GivenRow, LeftOut, Precondition, RowKey,
};

use super::{record, table, tenant_of};
use crate::args::{ChangeArgs, ConfigRowArgs, ReprioritiseArgs};
use crate::error::{CliError, CliResult};
use crate::settings::ProgramSettings;
use crate::tenancy::TenantStore;

pub(super) async fn add(args: ConfigRowArgs, settings: &ProgramSettings) -> CliResult<()> {
    if args.token.is_some() {
        let message = "--token: a row that is added has no token yet; leave --token out";
        return Err(CliError::environment(message));
    }
    let change = ConfigChange::Write {
        table: table(args.table),
        rows: vec![args.row],
        left_out: LeftOut::Empty,
        precondition: Precondition::Absent,
    };
    record_change(change, &args.change, settings, true).await
}

pub(super) async fn change(args: ConfigRowArgs, settings: &ProgramSettings) -> CliResult<()> {
    let change = ConfigChange::Write {
        table: table(args.table),
        rows: vec![args.row],
        left_out: LeftOut::AsItWas,
        precondition: args.token.map_or(Precondition::Present, Precondition::Token),
    };
    // The preflight settings have defaults, so they can be changed in an empty store.
    let creates_store = table(args.table) == ConfigTable::Preflight;
    record_change(change, &args.change, settings, creates_store).await
}

pub(super) async fn remove(args: ConfigRowArgs, settings: &ProgramSettings) -> CliResult<()> {
    let table = table(args.table);
    let is_key = |name: &str| table.key_columns().iter().any(|key| key.eq_ignore_ascii_case(name));
    if let Some((column, _)) = args.row.iter().find(|(name, _)| !is_key(name)) {
        let key = match table.key_columns() {
            [] => "it has one row, and no key".to_owned(),
            columns => format!("its key is {}", columns.join(", ")),
        };
        let message = format!("{column} is not a key column of {table}: {key}");
        return Err(CliError::environment(message));
    }
    let text = |column: &&'static str| {
        let cell = args.row.iter().find(|(name, _)| name.eq_ignore_ascii_case(column));
        cell.map_or("", |(_, text)| text.as_str())
    };
    let change = ConfigChange::Remove {
        table,
        key: RowKey::of(table, table.key_columns().iter().map(text)),
        precondition: args.token.map_or(Precondition::Present, Precondition::Token),
    };
    record_change(change, &args.change, settings, false).await
}

pub(super) async fn reprioritise(
    args: ReprioritiseArgs,
    settings: &ProgramSettings,
) -> CliResult<()> {
    let order = read_order(&args.order)?;
    let change = ConfigChange::Reprioritise { order, token: args.token };
    record_change(change, &args.change, settings, false).await
}

async fn record_change(
    change: ConfigChange,
    args: &ChangeArgs,
    settings: &ProgramSettings,
    creates_store: bool,
) -> CliResult<()> {
    let tenant_store = TenantStore::resolve(&args.common.store, settings)?;
    let store = match creates_store {
        true => tenant_store.open().await?,
        false => tenant_store.open_existing().await?,
    };
    let tenant = tenant_of(&tenant_store, store.as_ref()).await?;
    record(store.as_ref(), &tenant, (change, None), args, settings).await
}

/// The rows of the file, without the column `token`, which `list` prints.
fn read_order(file: &Path) -> CliResult<Vec<GivenRow>> {
    let context = || format!("cannot read the priorities in {}", file.display());
    let input: Box<dyn Read> = match file.to_str() {
        Some("-") => Box::new(std::io::stdin().lock()),
        _ => Box::new(
            std::fs::File::open(file).map_err(|error| CliError::context(context(), error))?,
        ),
    };
    let name = ConfigTable::Constraints.name();
    let raw = powerfill_csv::read_table(name, input);
    let raw = raw.map_err(|error| CliError::context(context(), error))?;
    if let Some((row, cells)) = (0..raw.rows()).find_map(|row| Some((row, raw.ragged(row)?))) {
        let columns = raw.columns().len();
        let error = format!("row {} has {cells} fields, the header {columns}", row + 1);
        return Err(CliError::context(context(), error));
    }
    let columns = || raw.columns().iter().enumerate().filter(|(_, name)| *name != "token");
    let row =
        |row| columns().map(|(at, name)| (name.clone(), raw.cell(row, at).to_owned())).collect();
    Ok((0..raw.rows()).map(row).collect())
}
