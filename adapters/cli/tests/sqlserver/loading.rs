//! Writes the tables of a snapshot to a schema, with the types of a real database.

use powerfill_snapshot::{RawSnapshot, RawTable};

use crate::server::Schema;

/// Instead of a type: a level of the constraint tree, where an empty text means that the level is
/// absent.
const LEVEL: &str = "LEVEL";

/// The largest number of rows of one INSERT.
const ROWS: usize = 500;

/// A type that can store all these cells; `at` selects one of several such types.
fn sql_type(cells: &[&str], at: usize) -> String {
    let filled = || cells.iter().filter(|cell| !cell.is_empty());
    let all = |reads: &dyn Fn(&str) -> bool| {
        filled().next().is_some() && filled().all(|cell| reads(cell))
    };
    let is_date = |cell: &str| cell.len() == 10 && cell.split('-').map(str::len).eq([4, 2, 2]);
    let is_whole = |cell: &str| cell.parse::<i64>().is_ok_and(|n| n.to_string() == cell);
    // `0501` is a text: a number would lose its zero.
    let is_decimal = |cell: &str| {
        let digits = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
        let number = cell.strip_prefix('-').unwrap_or(cell);
        let padded = number.starts_with('0') && !number.starts_with("0.") && number != "0";
        !padded && number.split('.').all(digits) && number.matches('.').count() <= 1
    };
    let decimals = |cell: &&&str| cell.split_once('.').map_or(0, |(_, part)| part.len());
    let longest = cells.iter().map(|cell| cell.encode_utf16().count()).max().unwrap_or(0);
    match () {
        () if all(&|cell| cell == "Y" || cell == "N") => ["BIT", "CHAR(1)"][at % 2].to_owned(),
        () if all(&is_date) && filled().all(|cell| *cell > "1800") => {
            ["DATE", "DATETIME", "DATETIME2(3)"][at % 3].to_owned()
        }
        () if all(&is_date) => "DATE".to_owned(),
        () if all(&|cell| cell.parse::<i32>().is_ok() && is_whole(cell)) => {
            ["INT", "BIGINT"][at % 2].to_owned()
        }
        () if all(&is_decimal) && longest < 20 => {
            // A larger scale adds zeros.
            let scale = filled().map(|cell| decimals(&cell)).max().unwrap_or(0) + 2;
            format!("{}(38, {scale})", ["DECIMAL", "NUMERIC"][at % 2])
        }
        // Padded with blanks.
        () if longest <= 40 => ["NCHAR(40)", "NVARCHAR(60)"][at % 2].to_owned(),
        () => "NVARCHAR(MAX)".to_owned(),
    }
}

fn literal(cell: &str, of: &str) -> String {
    match (cell, of) {
        ("", LEVEL) => "N''".to_owned(),
        ("", _) => "NULL".to_owned(),
        ("Y", "BIT") => "1".to_owned(),
        (_, "BIT") => "0".to_owned(),
        (number, of) if of.starts_with("DEC") || of.starts_with("NUM") || of.ends_with("INT") => {
            number.to_owned()
        }
        // The one form of a date that every language setting reads.
        (day, "DATETIME") => format!("N'{}'", day.replace('-', "")),
        (text, _) => format!("N'{}'", text.replace('\'', "''")),
    }
}

/// Creates and fills a table, whose name is in capitals and whose types follow from its cells.
fn create(schema: &Schema, table: &RawTable) {
    let column = |at: usize| (0..table.rows()).map(|row| table.cell(row, at)).collect::<Vec<_>>();
    let types: Vec<String> =
        (0..table.columns().len()).map(|at| sql_type(&column(at), at)).collect();
    let columns: Vec<String> = table
        .columns()
        .iter()
        .zip(&types)
        .map(|(name, of)| format!("[{name}] {of} NULL"))
        .collect();
    let name = schema.table(&table.name().to_uppercase());
    schema.sql(&format!("CREATE TABLE {name} ({})", columns.join(", ")));
    insert(schema, &name, table, &types);
}

fn insert(schema: &Schema, name: &str, table: &RawTable, types: &[String]) {
    let columns: Vec<String> = table.columns().iter().map(|name| format!("[{name}]")).collect();
    let row = |row| {
        let cells = types.iter().enumerate().map(|(at, of)| literal(table.cell(row, at), of));
        format!("({})", cells.collect::<Vec<_>>().join(", "))
    };
    let rows: Vec<String> = (0..table.rows()).map(row).collect();
    for rows in rows.chunks(ROWS) {
        schema.sql(&format!(
            "INSERT INTO {name} ({}) VALUES {}",
            columns.join(", "),
            rows.join(", ")
        ));
    }
}

/// Creates and fills every table of a snapshot.
pub(crate) fn load(raw: &RawSnapshot, schema: &Schema) {
    raw.tables.iter().for_each(|table| create(schema, table));
}

/// Inserts the rows of a snapshot into the tables of `sql/sqlserver/inputs.sql`.
pub(crate) fn fill(raw: &RawSnapshot, schema: &Schema) {
    for table in &raw.tables {
        // Tenants add columns to `loan`.
        for column in table.columns() {
            let add_column = format!(
                "IF COL_LENGTH(N'{0}.{1}', N'{column}') IS NULL ALTER TABLE {2} ADD [{column}] NVARCHAR(100) NULL",
                schema.name,
                table.name(),
                schema.table(table.name())
            );
            schema.sql(&add_column);
        }
        let of = |name: &String| match name.as_str() {
            "investor_instrument_name" | "constraint_name"
                if table.name().contains("constraint") =>
            {
                LEVEL
            }
            _ => "NVARCHAR",
        };
        let types: Vec<String> = table.columns().iter().map(|name| of(name).to_owned()).collect();
        insert(schema, &schema.table(table.name()), table, &types);
    }
}
