//! `migrate`: creates a store, or the tables of a tenant's database, or upgrades them to the
//! current schema. A second call changes nothing.

use powerfill_sqlserver::migrate::{TableSet, migrate};
use serde_json::json;

use crate::args::{MigrateArgs, TargetTables};
use crate::error::CliError;
use crate::format::Format;
use crate::output::{print_csv, print_json, print_text};
use crate::settings::ProgramSettings;
use crate::tenancy::TenantStore;
use crate::urls::TargetUrl;

pub(crate) async fn run(args: MigrateArgs, settings: &ProgramSettings) -> Result<(), CliError> {
    let Some(target) = args.target else {
        let store = TenantStore::resolve(&args.common.store, settings)?;
        store.open().await?;
        return print_text(format!("{} has the current schema\n", store.url()));
    };
    let url = target.parse::<TargetUrl>("--target")?.0;
    let tables = match args.tables {
        TargetTables::Outputs => TableSet::Outputs,
        TargetTables::Inputs => TableSet::Inputs,
    };
    let reports = migrate(&url, tables).await.map_err(CliError::environment)?;
    match args.common.print.format {
        Format::Text => {
            let lines: String = reports.iter().map(|line| format!("{line}\n")).collect();
            print_text(format!("{lines}{url} has the current tables\n"))
        }
        Format::Json => print_json(&json!({ "target": url.to_string(), "did": reports })),
        Format::Csv => print_csv(&["did"], reports.iter().map(|line| [line.as_str()])),
    }
}
