//! `docs/reference/tables.md`: the output tables, from their declarations.

use std::fmt::Write;

use powerfill_tables::table::{CellType, TableRole, TableSpec};
use powerfill_tables::tables::{ALL, decisions};

use crate::file;

#[test]
fn the_page_of_tables_follows_from_the_declarations() {
    file::assert_is("docs/reference/tables.md", &page());
}

fn page() -> String {
    let mut page = String::from(
        "# Output tables\n\n\
         Generated from the declarations in `projections/tables`; \
         `UPDATE=1 cargo test -p powerfill-tests --test contracts` writes it again.\n\n\
         `run_id` is the first column of each and part of each key. As CSV: header first, decimals with all their \
         places, dates ISO 8601, NULL as an empty field, LF.\n\n| table | |\n|---|---|\n",
    );
    for table in ALL {
        writeln!(page, "| [{0}](#{0}) | {1} |", table.name, sentence(table.purpose)).unwrap();
    }
    let records = ALL.len() - decisions().count();
    writeln!(
        page,
        "\nThe output digest of a run covers the tables that say what it decided: all but {records}. The run names \
         them in [RunCompleted](events.md#runcompleted) with the version of their columns."
    )
    .unwrap();
    ALL.iter().for_each(|table| section(table, &mut page));
    page
}

fn section(table: &TableSpec, page: &mut String) {
    write!(page, "\n## {}\n\n{}. {}\n", table.name, sentence(table.purpose), table.rows).unwrap();
    if table.keeps_every_run {
        page.push_str("Kept for every run, not only for the latest Complete one.\n");
    }
    if let Some(event_type) = table.built_from {
        writeln!(
            page,
            "Built from the `{}` events when it is read; a store has rows of it with \
             [`large_tables = \"stored\"`](../guides/operating.md#choose-what-a-store-keeps).",
            event_type.name()
        )
        .unwrap();
    }
    if table.role == TableRole::Record {
        page.push_str("The output digest does not cover it.\n");
    }
    let key = if table.key.is_empty() { "`run_id`".to_owned() } else { names(table.key) };
    let version = table.version();
    write!(page, "\nVersion {version}. Key within a run: {key}.\n").unwrap();
    let diff = &table.diff;
    let pairing = match diff.pair_by {
        [] => "A comparison pairs the one row of each side".to_owned(),
        columns => format!("A comparison pairs rows by {}", names(columns)),
    };
    let decision = match diff.decision {
        [] => String::new(),
        columns => format!(", and {} says what was decided", names(columns)),
    };
    writeln!(page, "{pairing}{decision}: {}.", diff.because).unwrap();
    for report in table.reports {
        writeln!(page, "Report `{}`: {}.", report.name, report.about).unwrap();
    }
    page.push_str("\n| column | type |\n|---|---|\n");
    for column in table.columns {
        let since = match column.since {
            1 => String::new(),
            version => format!(", since version {version}"),
        };
        let cell_type = type_of(column.cell_type);
        writeln!(page, "| `{}` | {cell_type}{since} |", column.name).unwrap();
    }
}

fn names(columns: &[&str]) -> String {
    format!("`{}`", columns.join("`, `"))
}

fn sentence(text: &str) -> String {
    let mut letters = text.chars();
    let first = letters.next().into_iter().flat_map(char::to_uppercase);
    first.chain(letters).collect()
}

fn type_of(cell: CellType) -> String {
    match cell {
        CellType::Text => "text".to_owned(),
        CellType::Int => "whole number".to_owned(),
        CellType::Decimal(scale) => format!("decimal, {scale} places"),
        CellType::Day => "date".to_owned(),
        CellType::Timestamp => "moment in UTC, microseconds".to_owned(),
        CellType::Json => "JSON".to_owned(),
    }
}
