//! Sides as a test writes them down: tables of comma-separated cells.

#![allow(dead_code, unreachable_pub, reason = "each test file uses its own part")]

use powerfill_diff::classes::Classifications;
use powerfill_diff::compare::TableComparison;
use powerfill_diff::mapping::{ExportSheet, Mapping, export_side};
use powerfill_diff::{Comparison, Interner, RowVerdict, Side};
use powerfill_events::input::RawTable;

/// A table: its file's name without ending, and its lines, the header first.
pub type Given<'a> = (&'a str, &'a str);

pub fn sheet(name: &str, text: &str) -> ExportSheet {
    let mut lines = text.lines().filter(|line| !line.trim().is_empty());
    let cells = |line: &str| line.split(',').map(str::to_owned).collect::<Vec<_>>();
    let mut table = RawTable::new(name, cells(lines.next().unwrap_or_default()), true);
    for line in lines {
        for cell in cells(line) {
            table.push_cell(&cell).unwrap();
        }
        table.end_row().unwrap();
    }
    ExportSheet { file: format!("{name}.csv"), digest: "d".to_owned(), table }
}

pub fn sheets(tables: &[Given<'_>]) -> Vec<ExportSheet> {
    tables.iter().map(|(name, text)| sheet(name, text)).collect()
}

pub fn side(tables: &[Given<'_>], mapping: &Mapping, names: &mut Interner) -> Side {
    export_side("dir:given", sheets(tables), mapping, names).unwrap()
}

/// Our side with whatever it has, records too, as a run; theirs under the mapping.
pub fn compared(here: &[Given<'_>], there: &[Given<'_>], mapping: &str) -> Comparison {
    let mapping = Mapping::parse("m.toml", mapping).unwrap();
    let mut names = Interner::default();
    let all = "[tables.pfill_powerfill_log]\n[tables.pfill_run_history]\n";
    let all = Mapping::parse("all.toml", all).unwrap();
    let here = side(here, &all, &mut names);
    let there = side(there, &mapping, &mut names);
    Comparison::new(names, here, there, &mapping)
}

pub fn classified(mut comparison: Comparison, classes: &str) -> Comparison {
    comparison.classify(Classifications::parse("c.toml", classes).unwrap());
    comparison
}

/// Each difference: key, verdict, columns.
pub fn differences(
    table: &TableComparison,
    names: &Interner,
) -> Vec<(String, RowVerdict, Vec<&'static str>)> {
    let of = table.differences.iter().map(|difference| {
        let columns = powerfill_diff::compare::columns_of(difference.columns);
        let columns = columns.map(|at| table.column(at)).collect();
        (table.key_texts(difference, names).join("|"), difference.verdict, columns)
    });
    of.collect()
}

pub fn the_differences(comparison: &Comparison) -> Vec<(String, RowVerdict, Vec<&'static str>)> {
    comparison.tables.iter().flat_map(|table| differences(table, &comparison.names)).collect()
}
