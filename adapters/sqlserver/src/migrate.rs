//! Creates the missing tables of a database (specification 4.1) from the scripts in
//! `sql/sqlserver`, and checks the existing ones.

use powerfill_ports::publishing::PublishError;
use powerfill_tables::table::TableSpec;
use powerfill_tables::tables::ALL;
use tiberius::error::Error;

use crate::connect::{Connection, batch, connect, publish_error, quoted};
use crate::types::{PUBLICATION, SqlType, sql_type, staging};
use crate::url::MssqlUrl;

const OUTPUTS: &str = include_str!("../../../sql/sqlserver/outputs.sql");
const INPUTS: &str = include_str!("../../../sql/sqlserver/inputs.sql");

/// Which tables to create.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TableSet {
    /// The input tables of 1.2, for a tenant that has none.
    Inputs,
    /// The output tables of 1.5.
    Outputs,
}

/// Creates the missing tables and returns what the guards of the script report, one line per table.
///
/// # Errors
/// [`PublishError`], also if a table of the name exists with other columns.
pub async fn migrate(url: &MssqlUrl, tables: TableSet) -> Result<Vec<String>, PublishError> {
    let failed = |error: Error| publish_error(url, "creating the tables", &error);
    let mut client = connect(url).await.map_err(failed)?;
    let script = match tables {
        TableSet::Inputs => INPUTS,
        TableSet::Outputs => OUTPUTS,
    };
    let mut reports = Vec::new();
    for sql in batches(script, &url.schema) {
        let rows = batch(&mut client, &sql).await.map_err(failed)?;
        let lines = rows.iter().filter_map(|row| row.try_get::<&str, _>(0).ok().flatten());
        reports.extend(lines.map(str::to_owned));
    }
    if tables == TableSet::Outputs {
        check(&mut client, url).await?;
    }
    Ok(reports)
}

/// The batches of a script, for a schema. PRINT becomes SELECT, because the driver does not pass on
/// printed messages.
fn batches(script: &str, schema: &str) -> Vec<String> {
    let script = script
        .replace("[dbo]", &quoted(schema))
        .replace("N'dbo'", &format!("N'{schema}'"))
        .replace("PRINT ", "SELECT ");
    let batches = script.split("\nGO\n").map(str::trim).filter(|sql| !sql.is_empty());
    batches.map(str::to_owned).collect()
}

/// The columns of a schema's tables: table, column, type, length, precision, scale.
const COLUMNS: &str = "SELECT TABLE_NAME, COLUMN_NAME, DATA_TYPE, \
     CAST(CHARACTER_MAXIMUM_LENGTH AS INT), CAST(NUMERIC_PRECISION AS INT), \
     CAST(NUMERIC_SCALE AS INT) \
     FROM INFORMATION_SCHEMA.COLUMNS WHERE TABLE_SCHEMA = @P1 AND TABLE_NAME LIKE N'pfill[_]%'";

/// A column as the database declares it.
struct DeclaredColumn {
    table: String,
    column: String,
    sql_type: String,
}

/// Checks that the schema has the tables of `sql/sqlserver/outputs.sql`.
///
/// # Errors
/// [`PublishError`] that lists everything that is missing or different.
pub(crate) async fn check(client: &mut Connection, url: &MssqlUrl) -> Result<(), PublishError> {
    let declared = declared_columns(client, &url.schema).await;
    let declared = declared.map_err(|error| publish_error(url, "checking the tables", &error))?;
    let mut faults = Vec::new();
    for table in ALL {
        for name in [table.name.to_owned(), staging(table)] {
            faults.extend(table_faults(table, &name, &declared));
        }
    }
    if !declared.iter().any(|column| column.table == PUBLICATION) {
        faults.push(format!("{PUBLICATION} is missing"));
    }
    if faults.is_empty() {
        return Ok(());
    }
    let (schema, faults) = (&url.schema, faults.join("; "));
    Err(PublishError::Failed(format!(
        "{url}: schema {schema} does not have the output tables of sql/sqlserver: {faults}. Create \
         missing tables with `powerfill migrate --target`; if tables of these names exist with \
         other columns, name another schema with ?schema=NAME"
    )))
}

async fn declared_columns(
    client: &mut Connection,
    schema: &str,
) -> Result<Vec<DeclaredColumn>, Error> {
    let rows = client.query(COLUMNS, &[&schema]).await?.into_first_result().await?;
    let mut columns = Vec::new();
    for row in rows {
        let text = |at: usize| row.try_get::<&str, _>(at).map(|text| text.unwrap_or("").to_owned());
        let number = |at: usize| row.try_get::<i32, _>(at).map(Option::unwrap_or_default);
        let sql_type = match text(2)?.to_ascii_lowercase().as_str() {
            "nvarchar" => match number(3)? {
                -1 => SqlType::Text(None).to_string(),
                length => format!("NVARCHAR({length})"),
            },
            "decimal" | "numeric" => format!("DECIMAL({}, {})", number(4)?, number(5)?),
            "datetime2" => SqlType::Moment.to_string(),
            other => other.to_ascii_uppercase(),
        };
        columns.push(DeclaredColumn { table: text(0)?, column: text(1)?, sql_type });
    }
    Ok(columns)
}

fn table_faults(table: &TableSpec, name: &str, declared: &[DeclaredColumn]) -> Vec<String> {
    let own: Vec<&DeclaredColumn> =
        declared.iter().filter(|column| column.table.eq_ignore_ascii_case(name)).collect();
    if own.is_empty() {
        return vec![format!("{name} is missing")];
    }
    let run_id = ("run_id", SqlType::Uuid);
    let columns = table.columns.iter().map(|column| (column.name, sql_type(column)));
    let mut faults = Vec::new();
    for (column, expected) in std::iter::once(run_id).chain(columns) {
        match own.iter().find(|declared| declared.column.eq_ignore_ascii_case(column)) {
            None => faults.push(format!("{name} has no column {column}")),
            Some(declared) if declared.sql_type != expected.to_string() => {
                faults.push(format!("{name}.{column} is {}, not {expected}", declared.sql_type));
            }
            Some(_) => {}
        }
    }
    faults
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scripts_are_split_at_go_and_their_guards_selected() {
        let sql = "SET NOCOUNT ON;\nGO\nIF OBJECT_ID(N'[dbo].[t]') IS NULL PRINT N't: made';\nGO\n";
        assert_eq!(
            batches(sql, "pf"),
            ["SET NOCOUNT ON;", "IF OBJECT_ID(N'[pf].[t]') IS NULL SELECT N't: made';"]
        );
    }

    #[test]
    fn tables_of_the_same_name_with_other_columns_are_faults() {
        let table = ALL[0];
        let declared = |column: &str, sql_type: &str| DeclaredColumn {
            table: table.name.to_uppercase(),
            column: column.to_owned(),
            sql_type: sql_type.to_owned(),
        };
        let mut columns = vec![declared("run_id", "UNIQUEIDENTIFIER")];
        columns.extend(
            table.columns.iter().map(|column| declared(column.name, &sql_type(column).to_string())),
        );
        assert_eq!(table_faults(table, table.name, &columns), Vec::<String>::new());
        columns[1].sql_type = "NVARCHAR(20)".to_owned();
        columns.pop();
        let faults = table_faults(table, table.name, &columns);
        assert_eq!(faults.len(), 2, "{faults:?}");
        assert_eq!(table_faults(table, "pfill_other", &columns), ["pfill_other is missing"]);
    }
}
