//! `migrate`: creates a store, or the tables of a tenant's database, or brings them to the present
//! schema. Run twice, it changes nothing.

use powerfill_sqlserver::migrate::{TableSet, migrate};
use serde_json::json;

use crate::args::{MigrateArgs, WhichTables};
use crate::failure::Failure;
use crate::format::Format;
use crate::output::{print_csv, print_json, say};
use crate::settings::Settings;
use crate::tenancy::Place;

pub(crate) async fn run(args: MigrateArgs, settings: &Settings) -> Result<(), Failure> {
    let Some(target) = args.target else {
        let place = Place::resolve(&args.store.place, settings)?;
        place.open().await?;
        return say(format!("{} has the present schema\n", place.url()));
    };
    let url = target.readable("--target")?;
    let tables = match args.tables {
        WhichTables::Outputs => TableSet::Outputs,
        WhichTables::Inputs => TableSet::Inputs,
    };
    let did = migrate(&url, tables).await;
    let did = did.map_err(|error| Failure::Environment(error.to_string()))?;
    match args.store.print.format {
        Format::Text => {
            let lines: String = did.iter().map(|line| format!("{line}\n")).collect();
            say(format!("{lines}{url} has the present tables\n"))
        }
        Format::Json => print_json(&json!({ "target": url.to_string(), "did": did })),
        Format::Csv => print_csv(&["did"], did.iter().map(|line| [line.as_str()])),
    }
}
