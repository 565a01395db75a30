//! `config add`, `change`, `remove` and `reprioritise`.

use std::io::Read;
use std::path::Path;

use powerfill_snapshot::config::{
    ConfigChange, ConfigTable, GivenRow, LeftOut, Precondition, RowKey,
};

use super::{record, table, tenant_of};
use crate::args::{ChangeArgs, ConfigRowArgs, ReprioritiseArgs};
use crate::failure::Failure;
use crate::settings::Settings;
use crate::tenancy::Place;

pub(super) async fn add(args: ConfigRowArgs, settings: &Settings) -> Result<(), Failure> {
    if args.token.is_some() {
        let message = "a row that is added has no token yet; leave --token out";
        return Err(Failure::Environment(message.to_owned()));
    }
    let what = ConfigChange::Write {
        table: table(args.kind),
        rows: vec![args.row],
        left_out: LeftOut::Empty,
        precondition: Precondition::Absent,
    };
    recorded(what, &args.change, settings, true).await
}

pub(super) async fn change(args: ConfigRowArgs, settings: &Settings) -> Result<(), Failure> {
    let what = ConfigChange::Write {
        table: table(args.kind),
        rows: vec![args.row],
        left_out: LeftOut::AsItWas,
        precondition: args.token.map_or(Precondition::Present, Precondition::Token),
    };
    // Settings are there before anything is.
    let makes = table(args.kind) == ConfigTable::Preflight;
    recorded(what, &args.change, settings, makes).await
}

pub(super) async fn remove(args: ConfigRowArgs, settings: &Settings) -> Result<(), Failure> {
    let table = table(args.kind);
    let of_key = |name: &str| table.key_columns().iter().any(|key| key.eq_ignore_ascii_case(name));
    if let Some((column, _)) = args.row.iter().find(|(name, _)| !of_key(name)) {
        let key = match table.key_columns() {
            [] => "there is one row, which needs no column".to_owned(),
            columns => format!("the key is {}", columns.join(", ")),
        };
        let message = format!("{column} does not say which row of {table} is meant: {key}");
        return Err(Failure::Environment(message));
    }
    let text = |column: &&'static str| {
        let cell = args.row.iter().find(|(name, _)| name.eq_ignore_ascii_case(column));
        cell.map_or("", |(_, text)| text.as_str())
    };
    let what = ConfigChange::Remove {
        table,
        key: RowKey::of(table, table.key_columns().iter().map(text)),
        precondition: args.token.map_or(Precondition::Present, Precondition::Token),
    };
    recorded(what, &args.change, settings, false).await
}

pub(super) async fn reprioritise(
    args: ReprioritiseArgs,
    settings: &Settings,
) -> Result<(), Failure> {
    let order = read_order(&args.order)?;
    let what = ConfigChange::Reprioritise { order, token: args.token };
    recorded(what, &args.change, settings, false).await
}

async fn recorded(
    what: ConfigChange,
    args: &ChangeArgs,
    settings: &Settings,
    makes_store: bool,
) -> Result<(), Failure> {
    let place = Place::resolve(&args.store.place, settings)?;
    let store = match makes_store {
        true => place.open().await?,
        false => place.open_existing().await?,
    };
    let tenant = tenant_of(&place, store.as_ref()).await?;
    record(store.as_ref(), &tenant, what, args, settings).await
}

/// The rows of the file, but for the column of tokens that `list` prints.
fn read_order(file: &Path) -> Result<Vec<GivenRow>, Failure> {
    let unreadable = |fault: &dyn std::fmt::Display| {
        Failure::Environment(format!("the order in {} cannot be read: {fault}", file.display()))
    };
    let input: Box<dyn Read> = match file.to_str() {
        Some("-") => Box::new(std::io::stdin().lock()),
        _ => Box::new(std::fs::File::open(file).map_err(|fault| unreadable(&fault))?),
    };
    let name = ConfigTable::Constraints.name();
    let raw = powerfill_csv::read_table(name, input).map_err(|fault| unreadable(&fault))?;
    if let Some((row, cells)) = (0..raw.rows()).find_map(|row| Some((row, raw.ragged(row)?))) {
        let fault =
            format!("row {} has {cells} fields, the header {}", row + 1, raw.columns().len());
        return Err(unreadable(&fault));
    }
    let columns = || raw.columns().iter().enumerate().filter(|(_, name)| *name != "token");
    let row =
        |row| columns().map(|(at, name)| (name.clone(), raw.cell(row, at).to_owned())).collect();
    Ok((0..raw.rows()).map(row).collect())
}
