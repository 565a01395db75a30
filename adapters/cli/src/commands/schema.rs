//! `schema`: the input tables as JSON Schema.

use powerfill_snapshot::near::suggestion;
use powerfill_snapshot::schema::{snapshot_schema, table_schema};
use powerfill_snapshot::{input_table, table_names};

use crate::args::SchemaArgs;
use crate::error::{CliError, CliResult};
use crate::output::print_json;

pub(crate) fn run(args: &SchemaArgs) -> CliResult<()> {
    let Some(name) = &args.table else { return print_json(&snapshot_schema()) };
    match input_table(name) {
        Some(table) => print_json(&table_schema(table)),
        None => {
            let near = suggestion(name, table_names());
            let tables = table_names().collect::<Vec<_>>().join(", ");
            let message = format!("no input table {name}{near}; there are {tables}");
            Err(CliError::environment(message))
        }
    }
}
