//! `migrate`: creates a store, or the tables of a tenant's database, or upgrades them to the
//! current schema. Moves the events of a store of 0.1.0 into blocks, and completes the list of
//! runs. A second call changes nothing.

use std::io::IsTerminal;

use indicatif::ProgressBar;
use powerfill_app::run_list::fill_headlines;
use powerfill_ports::{Store, StoreError};
use powerfill_sqlserver::migrate::{TableSet, migrate};
use serde_json::json;

use crate::args::{MigrateArgs, TargetTables};
use crate::error::{CliError, CliResult};
use crate::format::Format;
use crate::output::{print_csv, print_json, print_text};
use crate::progress::spinner;
use crate::settings::ProgramSettings;
use crate::summary::count;
use crate::tenancy::TenantStore;
use crate::urls::TargetUrl;

pub(crate) async fn run(args: MigrateArgs, settings: &ProgramSettings) -> CliResult<()> {
    let Some(target) = args.target else {
        let store = TenantStore::resolve(&args.common.store, settings)?;
        let opened = store.open().await?;
        let moved = move_rows_into_blocks(opened.as_ref()).await?;
        let moved = moved.map_or_else(String::new, |position| {
            format!("events 1 to {} are now stored in blocks\n", count(position))
        });
        let listed = match list_former_runs(opened.as_ref()).await? {
            0 => String::new(),
            runs => format!("the list of runs has the value of {} earlier runs\n", count(runs)),
        };
        return print_text(format!("{moved}{listed}{} has the current schema\n", store.url()));
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

/// Derives what the list of runs says about runs of an older program. Returns their number.
async fn list_former_runs(store: &dyn Store) -> CliResult<u64> {
    let bar = spinner();
    let filled = fill_headlines(store, |runs| bar.set_position(runs)).await?;
    bar.finish_and_clear();
    Ok(filled)
}

/// Moves all events that are stored in rows into blocks, step by step. Returns the position of the
/// last one; `None` if there was no such event.
async fn move_rows_into_blocks(store: &dyn Store) -> CliResult<Option<u64>> {
    let bar = match std::io::stderr().is_terminal() {
        true => ProgressBar::new(store.head().await?.position),
        false => ProgressBar::hidden(),
    };
    let mut moved = None;
    loop {
        match store.move_rows_into_blocks().await {
            Ok(Some(position)) => {
                bar.set_position(position);
                moved = Some(position);
            }
            Ok(None) => break,
            Err(error @ StoreError::Corrupt(_)) => {
                return Err(CliError::environment(format!(
                    "{error}; the events before it are in blocks, and nothing else was changed: \
                     `powerfill verify` reports the damage"
                )));
            }
            Err(error) => return Err(error.into()),
        }
    }
    bar.finish_and_clear();
    Ok(moved)
}
