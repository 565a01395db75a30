//! Sides as tests write them: tables of comma-separated cells.

#![allow(dead_code, unreachable_pub, reason = "each test file uses its own part")]

use powerfill_diff::classes::Classifications;
use powerfill_diff::compare::TableComparison;
use powerfill_diff::mapping::{ComparisonMapping, export_side};
use powerfill_diff::{Comparison, Interner, RowVerdict, Side};
use powerfill_events::input::RawTable;
use powerfill_mapping::ForeignTable;

/// A table: the name of its file without ending, and its lines with the header.
pub type TableText<'a> = (&'a str, &'a str);

pub fn sheet(name: &str, text: &str) -> ForeignTable {
    let mut lines = text.lines().filter(|line| !line.trim().is_empty());
    let cells = |line: &str| line.split(',').map(str::to_owned).collect::<Vec<_>>();
    let mut table = RawTable::new(name, cells(lines.next().unwrap_or_default()), true);
    for line in lines {
        for cell in cells(line) {
            table.push_cell(&cell).unwrap();
        }
        table.end_row().unwrap();
    }
    let (file, digest) = (format!("{name}.csv"), "d".to_owned());
    ForeignTable {
        file,
        is_sheet: false,
        digest,
        notes: Vec::new(),
        header_lines: Vec::new(),
        table,
    }
}

pub fn sheets(tables: &[TableText<'_>]) -> Vec<ForeignTable> {
    tables.iter().map(|(name, text)| sheet(name, text)).collect()
}

pub fn side(tables: &[TableText<'_>], mapping: &ComparisonMapping, names: &mut Interner) -> Side {
    export_side("dir:given", &sheets(tables), mapping, names).unwrap()
}

/// Compares all tables of `here`, with the records, with the tables of `there` under a mapping.
pub fn compared(here: &[TableText<'_>], there: &[TableText<'_>], mapping: &str) -> Comparison {
    let mapping = ComparisonMapping::parse("m.toml", mapping).unwrap();
    let mut names = Interner::default();
    let all_tables = "[tables.pfill_powerfill_log]\n[tables.pfill_run_history]\n";
    let all = ComparisonMapping::parse("all.toml", all_tables).unwrap();
    let here = side(here, &all, &mut names);
    let there = side(there, &mapping, &mut names);
    Comparison::new(names, here, there, &mapping)
}

pub fn classified(mut comparison: Comparison, classes: &str) -> Comparison {
    comparison.classify(Classifications::parse("c.toml", classes).unwrap());
    comparison
}

/// The key, the verdict, and the columns of each difference.
fn table_differences(
    table: &TableComparison,
    names: &Interner,
) -> Vec<(String, RowVerdict, Vec<&'static str>)> {
    let differences = table.differences.iter().map(|difference| {
        let columns = powerfill_diff::column_set::columns_of(difference.columns);
        let columns = columns.map(|at| table.column(at)).collect();
        (table.key_texts(difference, names).join("|"), difference.verdict, columns)
    });
    differences.collect()
}

pub fn differences(comparison: &Comparison) -> Vec<(String, RowVerdict, Vec<&'static str>)> {
    comparison.tables.iter().flat_map(|table| table_differences(table, &comparison.names)).collect()
}
