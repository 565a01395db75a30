//! Makes the tables that are not there (specification 4.1), from the files of `sql/sqlserver`, and knows whether those
//! that are there are the ones that are meant.

use powerfill_ports::publishing::PublishError;
use powerfill_tables::table::TableSpec;
use powerfill_tables::tables::ALL;
use tiberius::error::Error;

use crate::connect::{Connection, batch, connect, publish_error, quoted};
use crate::types::{PUBLICATION, SqlType, sql_type, staging};
use crate::url::MssqlUrl;

const OUTPUTS: &str = include_str!("../../../sql/sqlserver/outputs.sql");
const INPUTS: &str = include_str!("../../../sql/sqlserver/inputs.sql");

/// What there is to be made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tables {
    /// Those of 1.2, for a tenant that has none.
    Inputs,
    /// Those of 1.5.
    Outputs,
}

/// Makes what is not there, and answers what each guard has to say.
///
/// # Errors
/// [`PublishError`]; where a table of that name is there and is another one, also that.
pub async fn migrate(url: &MssqlUrl, tables: Tables) -> Result<Vec<String>, PublishError> {
    let failed = |error: &Error| publish_error(url, "making the tables", error);
    let mut client = connect(url).await.map_err(|error| failed(&error))?;
    let script = match tables {
        Tables::Inputs => INPUTS,
        Tables::Outputs => OUTPUTS,
    };
    let mut did = Vec::new();
    for sql in batches(script, &url.schema) {
        let rows = batch(&mut client, &sql).await.map_err(|error| failed(&error))?;
        let told = rows.iter().filter_map(|row| row.try_get::<&str, _>(0).ok().flatten());
        did.extend(told.map(str::to_owned));
    }
    if tables == Tables::Outputs {
        check(&mut client, url).await?;
    }
    Ok(did)
}

/// The batches of a script, for a schema. What a guard prints is selected, since the driver does not hand on what is
/// printed.
fn batches(script: &str, schema: &str) -> Vec<String> {
    let of_schema =
        script.replace("[dbo]", &quoted(schema)).replace("N'dbo'", &format!("N'{schema}'"));
    let selecting = of_schema.replace("PRINT ", "SELECT ");
    let batches = selecting.split("\nGO\n").map(str::trim).filter(|sql| !sql.is_empty());
    batches.map(str::to_owned).collect()
}

/// The columns of a schema's tables: table, column, type, length, precision, scale.
const COLUMNS: &str = "SELECT TABLE_NAME, COLUMN_NAME, DATA_TYPE, \
     CAST(CHARACTER_MAXIMUM_LENGTH AS INT), CAST(NUMERIC_PRECISION AS INT), CAST(NUMERIC_SCALE AS INT) \
     FROM INFORMATION_SCHEMA.COLUMNS WHERE TABLE_SCHEMA = @P1 AND TABLE_NAME LIKE N'pfill[_]%'";

/// A column as the database declares it.
struct Found {
    table: String,
    column: String,
    declared: String,
}

/// Whether the tables are those of `sql/sqlserver/outputs.sql`.
///
/// # Errors
/// [`PublishError`] with everything that is missing or other.
pub(crate) async fn check(client: &mut Connection, url: &MssqlUrl) -> Result<(), PublishError> {
    let found = columns(client, &url.schema).await;
    let found = found.map_err(|error| publish_error(url, "looking at the tables", &error))?;
    let mut faults = Vec::new();
    for table in ALL {
        for name in [table.name.to_owned(), staging(table)] {
            faults.extend(faults_of(table, &name, &found));
        }
    }
    if !found.iter().any(|found| found.table == PUBLICATION) {
        faults.push(format!("{PUBLICATION} is missing"));
    }
    if faults.is_empty() {
        return Ok(());
    }
    let (schema, faults) = (&url.schema, faults.join("; "));
    Err(PublishError::Failed(format!(
        "{url}: schema {schema} has not the output tables of sql/sqlserver: {faults}. Make those that are missing with \
         `powerfill migrate --target`; where others of that name are there, name another schema with ?schema=NAME"
    )))
}

async fn columns(client: &mut Connection, schema: &str) -> Result<Vec<Found>, Error> {
    let rows = client.query(COLUMNS, &[&schema]).await?.into_first_result().await?;
    let mut found = Vec::new();
    for row in rows {
        let text = |at: usize| row.try_get::<&str, _>(at).map(|text| text.unwrap_or("").to_owned());
        let number = |at: usize| row.try_get::<i32, _>(at).map(Option::unwrap_or_default);
        let declared = match text(2)?.to_ascii_lowercase().as_str() {
            "nvarchar" => match number(3)? {
                -1 => SqlType::Text(None).to_string(),
                length => format!("NVARCHAR({length})"),
            },
            "decimal" | "numeric" => format!("DECIMAL({}, {})", number(4)?, number(5)?),
            "datetime2" => SqlType::Moment.to_string(),
            other => other.to_ascii_uppercase(),
        };
        found.push(Found { table: text(0)?, column: text(1)?, declared });
    }
    Ok(found)
}

fn faults_of(table: &TableSpec, name: &str, found: &[Found]) -> Vec<String> {
    let of_table = || found.iter().filter(|found| found.table.eq_ignore_ascii_case(name));
    if of_table().next().is_none() {
        return vec![format!("{name} is missing")];
    }
    let run_id = ("run_id", SqlType::Uuid);
    let columns = table.columns.iter().map(|column| (column.name, sql_type(column)));
    let mut faults = Vec::new();
    for (column, wanted) in std::iter::once(run_id).chain(columns) {
        match of_table().find(|found| found.column.eq_ignore_ascii_case(column)) {
            None => faults.push(format!("{name} has no column {column}")),
            Some(found) if found.declared != wanted.to_string() => {
                faults.push(format!("{name}.{column} is {}, not {wanted}", found.declared));
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
    fn a_script_is_cut_at_go_and_its_guards_are_heard() {
        let sql = "SET NOCOUNT ON;\nGO\nIF OBJECT_ID(N'[dbo].[t]') IS NULL PRINT N't: made';\nGO\n";
        assert_eq!(
            batches(sql, "pf"),
            ["SET NOCOUNT ON;", "IF OBJECT_ID(N'[pf].[t]') IS NULL SELECT N't: made';"]
        );
    }

    #[test]
    fn a_table_of_the_same_name_and_another_shape_is_known() {
        let table = ALL[0];
        let of = |column: &str, declared: &str| Found {
            table: table.name.to_uppercase(),
            column: column.to_owned(),
            declared: declared.to_owned(),
        };
        let mut found = vec![of("run_id", "UNIQUEIDENTIFIER")];
        found.extend(
            table.columns.iter().map(|column| of(column.name, &sql_type(column).to_string())),
        );
        assert_eq!(faults_of(table, table.name, &found), Vec::<String>::new());
        found[1].declared = "NVARCHAR(20)".to_owned();
        found.pop();
        let faults = faults_of(table, table.name, &found);
        assert_eq!(faults.len(), 2, "{faults:?}");
        assert_eq!(faults_of(table, "pfill_other", &found), ["pfill_other is missing"]);
    }
}
