//! The input of the later run with parts of the earlier one (9.4).

use std::collections::{HashMap, HashSet};

use powerfill_events::config::ConfigTable;
use powerfill_events::values::fold;
use powerfill_snapshot::{RawTable, TooLarge, input_table};

const TRADES: &str = "pscat_trades";
const DESIGNATIONS: &str = "pscat_trades_pools_relation";

/// Tables that keep the rows of the later run when those of the earlier one are added, so that what
/// refers to them stays valid.
const UNITED: [&str; 2] = ["pscat_instruments", "pscat_pools"];

/// The tables of the later run with the configuration of the earlier one, and with its trades and
/// the designations to them, if `with_trades`. Prices of trades stay those of the later run.
pub(super) fn with_former(
    then: &[RawTable],
    now: &[RawTable],
    with_trades: bool,
) -> Result<Vec<RawTable>, TooLarge> {
    let named = |tables: &'_ [RawTable], name: &str| tables.iter().position(|t| t.name() == name);
    let trade_ids: HashSet<String> = named(then, TRADES)
        .map(|at| Rows::new(&then[at]).texts("trade_id").collect())
        .unwrap_or_default();
    let mixed = now.iter().map(|present| {
        let name = present.name();
        let Some(former) = named(then, name).map(|at| &then[at]) else {
            return union(present, present, |_| false);
        };
        match name {
            TRADES if with_trades => former_trades(former, present),
            DESIGNATIONS if with_trades => {
                let at = column(present, "trade_id");
                let exists = |row: &[&str]| {
                    at.and_then(|at| row.get(at)).is_some_and(|id| trade_ids.contains(&fold(id)))
                };
                union(former, present, exists)
            }
            _ if with_trades && UNITED.contains(&name) => union(present, former, |_| true),
            // A pay-up of the later run may name a rule that the earlier one did not have.
            "pscat_securitization_rules" => union(former, present, |_| true),
            _ if ConfigTable::named(name).is_some() => union(former, former, |_| false),
            _ => union(present, present, |_| false),
        }
    });
    mixed.collect()
}

/// The trades of the earlier run, with the prices that they have in the later one.
fn former_trades(former: &RawTable, present: &RawTable) -> Result<RawTable, TooLarge> {
    let price = column(present, "trade_price");
    let keys = Rows::new(present);
    let prices: HashMap<String, &str> = (0..present.rows())
        .filter_map(|row| Some((keys.key(row), present.cell(row, price?))))
        .collect();
    let (to, keys) = (column(former, "trade_price"), Rows::new(former));
    let mut table = RawTable::new(former.name(), former.columns().to_vec(), false);
    for row in 0..former.rows() {
        let newer = prices.get(&keys.key(row)).copied();
        table.push_row((0..former.columns().len()).map(|at| {
            let own = former.cell(row, at);
            // A bx trade has no price of its own.
            let is_price = Some(at) == to && !own.is_empty();
            newer.filter(|newer| is_price && !newer.is_empty()).unwrap_or(own)
        }))?;
    }
    Ok(table)
}

/// The rows of one table, and those of the other whose key the first one lacks and that `admits`
/// takes, with the columns of both.
fn union(
    first: &RawTable,
    second: &RawTable,
    admits: impl Fn(&[&str]) -> bool,
) -> Result<RawTable, TooLarge> {
    let mut columns = first.columns().to_vec();
    for name in second.columns() {
        if column(first, name).is_none() {
            columns.push(name.clone());
        }
    }
    let sources = [first, second].map(|source| -> Vec<Option<usize>> {
        columns.iter().map(|name| column(source, name)).collect()
    });
    let mut table = RawTable::new(first.name(), columns, false);
    let mut copy = |source: &RawTable, columns: &[Option<usize>], row: usize| {
        table.push_row(columns.iter().map(|at| at.map_or("", |at| source.cell(row, at))))
    };
    let keys = Rows::new(first);
    let mut known = HashSet::new();
    for row in 0..first.rows() {
        known.insert(keys.key(row));
        copy(first, &sources[0], row)?;
    }
    let keys = Rows::new(second);
    for row in 0..second.rows() {
        let cells: Vec<&str> = (0..second.columns().len()).map(|at| second.cell(row, at)).collect();
        if admits(&cells) && !known.contains(&keys.key(row)) {
            copy(second, &sources[1], row)?;
        }
    }
    Ok(table)
}

fn column(table: &RawTable, name: &str) -> Option<usize> {
    table.columns().iter().position(|column| fold(column) == fold(name))
}

/// The rows of a table by their keys.
struct Rows<'a> {
    table: &'a RawTable,
    key: Vec<usize>,
}

impl<'a> Rows<'a> {
    fn new(table: &'a RawTable) -> Self {
        let key = input_table(table.name()).map_or(&[][..], |table| table.key);
        Self { table, key: key.iter().filter_map(|name| column(table, name)).collect() }
    }

    fn key(&self, row: usize) -> String {
        let cells = self.key.iter().map(|at| fold(self.table.cell(row, *at)));
        cells.collect::<Vec<_>>().join("\u{1f}")
    }

    fn texts(&self, name: &str) -> impl Iterator<Item = String> {
        let (table, at) = (self.table, column(self.table, name));
        (0..table.rows()).filter_map(move |row| Some(fold(table.cell(row, at?))))
    }
}
