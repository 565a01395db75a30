//! `docs/reference/tables.md`: the output tables, from their specifications.

use std::fmt::Write;

use powerfill_tables::table::{CellType, TableSpec};
use powerfill_tables::tables;

use crate::file;

const SOURCES: &str = "projections/tables/src/tables";

#[test]
fn the_page_is_that_of_the_specifications() {
    file::assert_is("docs/reference/tables.md", &page());
}

fn page() -> String {
    let mut page = String::from(
        "# Output tables\n\n\
         Generated from the specifications in `projections`; \
         `UPDATE=1 cargo test -p powerfill-tests --test contracts` writes it again.\n\n\
         `run_id` is the first column of each and part of each key. As CSV: header first, decimals with all their \
         places, dates ISO 8601, NULL as an empty field, LF.\n\n| table | |\n|---|---|\n",
    );
    let sources: Vec<String> = file::names_in(SOURCES)
        .iter()
        .map(|name| file::read(&format!("{SOURCES}/{name}")))
        .collect();
    let told: Vec<(&TableSpec, Told)> =
        tables::ALL.iter().map(|table| (*table, Told::of(table, &sources))).collect();
    for (table, told) in &told {
        writeln!(page, "| [{0}](#{0}) | {1} |", table.name, told.purpose).unwrap();
    }
    for (table, told) in told {
        section(table, &told, &mut page);
    }
    page
}

/// What the source of a table says in words: the types cannot carry it.
struct Told {
    purpose: String,
    rows: String,
}

impl Told {
    fn of(table: &TableSpec, sources: &[String]) -> Self {
        let name = format!("name: \"{}\"", table.name);
        let source = sources.iter().find(|source| source.contains(&name)).unwrap();
        let header: Vec<&str> =
            source.lines().map_while(|line| line.strip_prefix("//! ")).collect();
        let header = header.join(" ");
        let (_, purpose) = header.split_once("`: ").unwrap_or_else(|| panic!("{header}"));
        let (before, _) = source.split_once("pub static TABLE").unwrap();
        let comment: Vec<&str> =
            before.lines().rev().map_while(|line| line.strip_prefix("/// ")).collect();
        let rows = comment.into_iter().rev().collect::<Vec<_>>().join(" ");
        assert!(!rows.is_empty(), "{}: nothing says what a row is", table.name);
        Self { purpose: sentence(purpose), rows }
    }
}

fn section(table: &TableSpec, told: &Told, page: &mut String) {
    let key: Vec<&str> = table.key.iter().map(|at| table.columns[*at].name).collect();
    write!(page, "\n## {}\n\n{} {}\n", table.name, told.purpose, told.rows).unwrap();
    if table.keeps_every_run {
        page.push_str("Kept for every run, not only for the latest Complete one.\n");
    }
    let key =
        if key.is_empty() { "`run_id`".to_owned() } else { format!("`{}`", key.join("`, `")) };
    write!(page, "\nKey within a run: {key}.\n\n| column | type |\n|---|---|\n").unwrap();
    for column in table.columns {
        writeln!(page, "| `{}` | {} |", column.name, type_of(column.cell_type)).unwrap();
    }
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
