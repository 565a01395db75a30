//! `config list`: prints the tables, each row with its token.

use powerfill_snapshot::config::{ConfigState, ConfigTable, Rows};
use serde::Serialize;
use serde_json::{Map, Value, json};

use super::{configuration_at, table};
use crate::args::ConfigListArgs;
use crate::error::{CliError, CliResult};
use crate::format::Format;
use crate::output::{print_csv, print_json, print_table, print_text};
use crate::settings::ProgramSettings;

pub(super) async fn run(args: ConfigListArgs, settings: &ProgramSettings) -> CliResult<()> {
    let format = args.common.print.format;
    let tables = match args.table {
        Some(argument) => vec![table(argument)],
        None if format == Format::Csv => {
            let message =
                "--format csv prints one table: name it, as in `powerfill config list constraint`";
            return Err(CliError::environment(message));
        }
        None => ConfigTable::ALL.to_vec(),
    };
    let state = configuration_at(&args.at, &args.common, settings).await?;
    match format {
        Format::Text => print_tables(&state, &tables),
        Format::Json => {
            let tables: Map<String, Value> = tables
                .iter()
                .map(|table| {
                    let object =
                        json!({ "token": state.token(*table), "rows": objects(&state, *table) });
                    (table.to_string(), object)
                })
                .collect();
            print_json(&json!({ "version": state.version(), "tables": tables }))
        }
        Format::Csv => {
            let rows: Vec<Vec<String>> =
                tables.iter().flat_map(|table| texts(&state, *table)).collect();
            tables.first().map_or(Ok(()), |table| print_csv(&header(*table), rows))
        }
    }
}

fn header(table: ConfigTable) -> Vec<&'static str> {
    let mut header = table.schema().column_names();
    header.push("token");
    header
}

/// The cells of each row, and its token.
fn texts(state: &ConfigState, table: ConfigTable) -> Vec<Vec<String>> {
    let row = |(cells, token): (Vec<(&str, String)>, u64)| {
        cells.into_iter().map(|(_, text)| text).chain([token.to_string()]).collect()
    };
    state.rows(table).into_iter().map(row).collect()
}

fn print_tables(state: &ConfigState, tables: &[ConfigTable]) -> CliResult<()> {
    print_text(format_args!("version {} of the configuration\n", state.version()))?;
    for table in tables {
        let rows = texts(state, *table);
        let (token, count) = (state.token(*table), rows.len());
        print_text(format_args!("\n{table}, token {token}, {count} rows\n"))?;
        if !rows.is_empty() {
            let header = header(*table);
            let is_number = |name: &str| {
                ["priority", "limit", "day", "rate", "days", "loans", "token"]
                    .iter()
                    .any(|end| name.ends_with(end))
            };
            let right = header.iter().enumerate().filter(|(_, name)| is_number(name));
            let right: Vec<usize> = right.map(|(at, _)| at).collect();
            print_table(&header, rows, &right)?;
        }
    }
    Ok(())
}

/// The rows as in events, each with its token.
fn objects(state: &ConfigState, table: ConfigTable) -> Vec<Value> {
    fn all<R: Serialize>(rows: &Rows<R>) -> Vec<Value> {
        rows.values().map(|entry| with_token(&entry.row, entry.token)).collect()
    }
    match table {
        ConfigTable::Rules => all(state.rules()),
        ConfigTable::Constraints => all(state.constraints()),
        ConfigTable::Links => all(state.links()),
        ConfigTable::Carry => all(state.carry()),
        ConfigTable::Lockdown => all(state.lockdown()),
        ConfigTable::Preflight => vec![with_token(state.preflight(), state.token(table))],
    }
}

fn with_token(row: &impl Serialize, token: u64) -> Value {
    let mut object = json!(row);
    object["token"] = token.into();
    object
}
