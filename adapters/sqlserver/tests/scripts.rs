//! The scripts of `sql/sqlserver` are valid T-SQL, agree with the program, and have every table of
//! 1.2 and 1.5.

use std::fmt::Write;
use std::path::Path;

use powerfill_events::input::{Bounds, InputColumn, InputTable, InputType, Presence};
use powerfill_snapshot::{TABLES, input_table, table_names};
use powerfill_sqlserver::types::{PUBLICATION, SqlType, is_nullable, key, sql_type, staging};
use powerfill_tables::table::TableSpec;
use powerfill_tables::tables::ALL;
use sqlparser::ast::{ColumnOption, CreateTable, Statement, TableConstraint};
use sqlparser::dialect::MsSqlDialect;
use sqlparser::parser::Parser;

const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../sql/sqlserver");

fn script(name: &str) -> String {
    std::fs::read_to_string(Path::new(FOLDER).join(name)).unwrap()
}

const INPUTS: &str = "\
-- The tables that PowerFill reads (docs/guides/sqlserver.md), for a tenant that has none. A tenant
-- whose tables have other names or columns does not need this file. It creates views with these
-- names instead: see views_example.sql. Generated like outputs.sql.
--
-- Each guard reports what it did, and the file can be run again. `powerfill migrate --target
-- mssql://… --tables inputs` runs it for any schema. Run by hand, it creates the tables in dbo.
";

const OUTPUTS: &str = "\
-- The tables in which PowerFill shows its outputs (docs/guides/sqlserver.md), the tables in which
-- rows arrive first (…__staging), and the table that names the run shown. Generated from the output
-- tables of the program: UPDATE=1 cargo nextest run -p powerfill-sqlserver
--
-- Each guard reports what it did, and the file can be run again. `powerfill migrate --target
-- mssql://…` runs it for any schema. Run by hand, it creates the tables in dbo.
";

const HEAD: &str = "\
SET ANSI_NULLS ON; SET ANSI_PADDING ON; SET ANSI_WARNINGS ON; SET ARITHABORT ON; \
SET CONCAT_NULL_YIELDS_NULL ON;
SET QUOTED_IDENTIFIER ON; SET NUMERIC_ROUNDABORT OFF; SET NOCOUNT ON; SET XACT_ABORT ON;
GO
IF SCHEMA_ID(N'dbo') IS NULL
BEGIN
    EXEC(N'CREATE SCHEMA [dbo]');
    PRINT N'schema [dbo]: made';
END
ELSE
    PRINT N'schema [dbo]: is there';
GO
";

fn guarded(name: &str, lines: &[String]) -> String {
    format!(
        "IF OBJECT_ID(N'[dbo].[{name}]') IS NULL\nBEGIN\n    \
         CREATE TABLE [dbo].[{name}] (\n        {}\n    );\n    \
         PRINT N'[dbo].[{name}]: made';\nEND\nELSE\n    PRINT N'[dbo].[{name}]: is there';\nGO\n",
        lines.join(",\n        ")
    )
}

fn null(is_nullable: bool) -> &'static str {
    if is_nullable { "NULL" } else { "NOT NULL" }
}

fn columns(table: &TableSpec, staged: bool) -> Vec<String> {
    let run_id = format!("run_id {} NOT NULL", SqlType::Uuid);
    let columns = table.columns.iter().map(|column| {
        let may_be_null = staged || is_nullable(table, column);
        format!("{} {} {}", column.name, sql_type(column), null(may_be_null))
    });
    std::iter::once(run_id).chain(columns).collect()
}

fn published_table(table: &TableSpec) -> String {
    let mut lines = columns(table, false);
    let (key, is_primary) = key(table);
    let columns: String = key.iter().fold("run_id".to_owned(), |all, column| all + ", " + column);
    let name = table.name;
    lines.push(match is_primary {
        true => format!("CONSTRAINT PK_{name} PRIMARY KEY ({columns})"),
        false => format!("CONSTRAINT UQ_{name} UNIQUE ({columns})"),
    });
    guarded(name, &lines)
}

fn staging_table(table: &TableSpec) -> String {
    let name = staging(table);
    let mut lines = vec!["row_no BIGINT NOT NULL".to_owned()];
    lines.extend(columns(table, true));
    lines.push(format!("CONSTRAINT PK_{name} PRIMARY KEY (row_no)"));
    guarded(&name, &lines)
}

fn outputs() -> String {
    let mut sql = OUTPUTS.to_owned() + HEAD;
    for table in ALL {
        write!(sql, "{}{}", published_table(table), staging_table(table)).unwrap();
    }
    let lines = [
        "tenant_id NVARCHAR(100) NOT NULL",
        "run_id UNIQUEIDENTIFIER NOT NULL",
        "position BIGINT NOT NULL",
        "output_digest NVARCHAR(64) NOT NULL",
        "published_at DATETIME2(6) NOT NULL",
        "CONSTRAINT PK_pfill_publication PRIMARY KEY (tenant_id)",
    ];
    sql + &guarded(PUBLICATION, &lines.map(str::to_owned))
}

/// The type of a column of an input table. Whole numbers fit 32 bits; percentages have six
/// decimals.
fn input_type(column: &InputColumn) -> &'static str {
    match column.input_type {
        InputType::Text => "NVARCHAR(100)",
        InputType::Decimal { scale: 2, .. } => "DECIMAL(19, 2)",
        InputType::Decimal { scale: 8, .. } => "DECIMAL(11, 8)",
        InputType::Decimal { .. } => "DECIMAL(9, 6)",
        InputType::Whole => "INT",
        InputType::Number => "DECIMAL(18, 6)",
        InputType::Day => "DATE",
        InputType::OneOf(["Y", "N"]) => "CHAR(1)",
        InputType::OneOf(_) => "NVARCHAR(10)",
        InputType::Rule => "NVARCHAR(MAX)",
    }
}

/// The range of a column of decimals that cannot be NULL. The validation checks all ranges.
fn range(column: &InputColumn) -> Option<String> {
    let is_checked = matches!(column.input_type, InputType::Decimal { .. })
        && matches!(column.presence, Presence::Required);
    let name = column.name;
    match column.bounds {
        Bounds::Above(low) => Some(format!("{name} > {low}")),
        Bounds::AtLeast(low) => Some(format!("{name} >= {low}")),
        Bounds::Within(low, high) => Some(format!("{name} >= {low} AND {name} <= {high}")),
        Bounds::Any => None,
    }
    .filter(|_| is_checked)
}

fn input_ddl(table: &InputTable) -> String {
    let widest = |text: fn(&InputColumn) -> &str| {
        table.columns.iter().map(|column| text(column).len()).max().unwrap_or_default()
    };
    let (names, types) = (widest(|column| column.name), widest(input_type));
    let column = |column: &InputColumn| {
        let null = null(matches!(column.presence, Presence::Nullable | Presence::Default(_)));
        format!("{:names$} {:types$} {null}", column.name, input_type(column))
    };
    let mut lines: Vec<String> = table.columns.iter().map(column).collect();
    if !table.key.is_empty() {
        let (name, key) = (table.name, table.key.join(", "));
        lines.push(format!("CONSTRAINT PK_{name} PRIMARY KEY ({key})"));
    }
    let checks = table.columns.iter().filter_map(range).chain(table.check.map(str::to_owned));
    for (at, check) in checks.enumerate() {
        lines.push(format!("CONSTRAINT CK_{}_{} CHECK ({check})", table.name, at + 1));
    }
    let description = table.description.split_whitespace().collect::<Vec<_>>().join(" ");
    format!("-- {}: {description}\n{}", table.name, guarded(table.name, &lines))
}

fn inputs() -> String {
    let tables: String = TABLES.iter().map(|table| input_ddl(table)).collect();
    INPUTS.to_owned() + HEAD + &tables
}

fn grants() -> String {
    let reads = table_names().map(|table| (table.to_owned(), "SELECT", "powerfill_reader"));
    let published = ALL.iter().map(|table| table.name.to_owned());
    let staging = ALL.iter().map(|table| staging(table));
    let writes = published.chain(staging).chain([PUBLICATION.to_owned()]);
    let writes = writes.map(|table| (table, "SELECT, INSERT, DELETE", "powerfill_publisher"));
    let mut sql = GRANTS.to_owned();
    for (table, rights, role) in reads.chain(writes) {
        let guard = format!("IF OBJECT_ID(N'[dbo].[{table}]') IS NOT NULL");
        writeln!(sql, "{guard} GRANT {rights} ON [dbo].[{table}] TO {role};\nGO").unwrap();
    }
    sql
}

const GRANTS: &str = "\
-- The least rights: a role that reads the input, and a role that publishes. Neither can change the
-- structure of a table. Generated like outputs.sql; the file can be run again.
--
-- Then add users:
-- CREATE USER pf_desk FOR LOGIN pf_desk; ALTER ROLE powerfill_reader ADD MEMBER pf_desk;
SET NOCOUNT ON; SET XACT_ABORT ON;
GO
IF NOT EXISTS (SELECT 1 FROM sys.database_principals WHERE name = N'powerfill_reader') \
CREATE ROLE powerfill_reader;
GO
IF NOT EXISTS (SELECT 1 FROM sys.database_principals WHERE name = N'powerfill_publisher') \
CREATE ROLE powerfill_publisher;
GO
";

#[test]
fn scripts_are_generated_from_the_program() {
    let scripts = [("inputs.sql", inputs()), ("outputs.sql", outputs()), ("grants.sql", grants())];
    for (name, generated) in scripts {
        let file = Path::new(FOLDER).join(name);
        if std::env::var_os("UPDATE").is_some() {
            std::fs::write(&file, &generated).unwrap();
        }
        assert!(script(name) == generated, "sql/sqlserver/{name} is stale: UPDATE=1 writes it");
    }
}

fn parsed(name: &str) -> Vec<Statement> {
    let mut statements = Vec::new();
    for batch in script(name).split("\nGO\n").filter(|batch| !batch.trim().is_empty()) {
        let read = Parser::parse_sql(&MsSqlDialect {}, batch);
        statements.extend(read.unwrap_or_else(|fault| panic!("{name}: {fault}\n{batch}")));
    }
    statements
}

#[test]
fn the_grants_are_valid_t_sql() {
    assert!(parsed("grants.sql").len() > 3 * ALL.len());
}

#[test]
fn the_example_views_have_names_of_input_tables() {
    let read: Vec<&str> = table_names().collect();
    let mut views = 0;
    for statement in parsed("views_example.sql") {
        if let Statement::CreateView(view) = statement {
            let name = view.name.0.last().and_then(|part| part.as_ident()).expect("a name");
            assert!(read.contains(&name.value.as_str()), "{name}");
            views += 1;
        }
    }
    assert!(views > 3, "{views}");
}

/// The tables that a script creates inside its guards.
fn tables(name: &str) -> Vec<CreateTable> {
    let mut tables = Vec::new();
    for statement in parsed(name) {
        let Statement::If(guard) = statement else { continue };
        let guarded = guard.if_block.statements().iter().cloned();
        tables.extend(guarded.filter_map(|statement| match statement {
            Statement::CreateTable(table) => Some(table),
            _ => None,
        }));
    }
    tables
}

fn name_of(table: &CreateTable) -> String {
    let last = table.name.0.last().and_then(|part| part.as_ident());
    last.expect("a name").value.clone()
}

/// The columns of the primary key, or of the unique constraint of a key that may be NULL.
fn key_of(table: &CreateTable) -> Vec<String> {
    let columns = table.constraints.iter().find_map(|constraint| match constraint {
        TableConstraint::PrimaryKey(key) => Some(&key.columns),
        TableConstraint::Unique(key) => Some(&key.columns),
        _ => None,
    });
    let columns = columns.into_iter().flatten();
    columns.map(|column| column.column.expr.to_string()).collect()
}

#[test]
fn every_input_table_is_created_with_its_key() {
    let tables = tables("inputs.sql");
    let names: Vec<String> = tables.iter().map(name_of).collect();
    assert_eq!(names, table_names().collect::<Vec<_>>());
    for table in &tables {
        let declared = input_table(&name_of(table)).expect("a table of 1.2");
        assert_eq!(key_of(table), declared.key, "{}", declared.name);
    }
}

#[test]
fn every_output_table_is_created_with_its_key_and_types() {
    let tables = tables("outputs.sql");
    assert_eq!(tables.len(), 2 * ALL.len() + 1);
    for spec in ALL {
        let table =
            tables.iter().find(|table| name_of(table) == spec.name).expect("the script creates it");
        let declared: Vec<String> = table
            .columns
            .iter()
            .map(|column| {
                let not_null = column.options.iter().any(|o| o.option == ColumnOption::NotNull);
                format!("{} {} {}", column.name, column.data_type, null(!not_null))
            })
            .collect();
        let spaced = |lines: Vec<String>| {
            lines.iter().map(|line| line.replace(", ", ",")).collect::<Vec<_>>()
        };
        assert_eq!(spaced(declared), spaced(columns(spec, false)), "{}", spec.name);
        let (key, _) = key(spec);
        assert_eq!(key_of(table)[1..], key, "{}", spec.name);
    }
}

/// SQL Server limits keys to 900 bytes in a clustered index and to 1,700 bytes in another one.
#[test]
fn no_key_exceeds_the_limit_of_the_server() {
    for table in ALL {
        let (names, is_primary) = key(table);
        let of = |name: &&str| table.columns.iter().find(|column| column.name == *name).unwrap();
        let bytes: u32 = names
            .iter()
            .map(|name| match sql_type(of(name)) {
                SqlType::Text(length) => 2 * u32::from(length.expect("a key has a bound")),
                _ => 17,
            })
            .sum();
        assert!(16 + bytes <= if is_primary { 900 } else { 1_700 }, "{}", table.name);
    }
}
