//! Edits applied to a snapshot and options.

use std::borrow::Cow;
use std::sync::{Arc, OnceLock};

use powerfill_events::input::{InputRow, InputTable};
use powerfill_events::values::Price;

use super::rows::EditedTables;
use super::{Edit, EditedTable};
use crate::RunOptions;
use crate::given::{GivenOptions, check_options_for};
use crate::near::suggestion;
use crate::raw::RawSnapshot;
use crate::report::{Fault, FaultCode, FaultReport, Severity, shortened};
use crate::tables::{
    CarryBucketRow, ConstraintRow, GridPrice, LoanPrice, Pool, PoolLockRow, RuleLinkRow, RuleRow,
    Snapshot, Trade,
};
use crate::validate::validate;

/// One unit of a price is 10⁻⁸ points; 0.001/32 of a point is this many.
const UNITS_PER_THOUSANDTH: i64 = 3_125;

/// A validated input that edits can be applied to, any number of times.
pub struct EditableInput {
    snapshot: Arc<Snapshot>,
    options: RunOptions,
    /// The canonical form of the snapshot, which every edited snapshot is made from.
    canonical: OnceLock<Vec<u8>>,
}

/// The input after edits.
#[derive(Debug, Clone)]
pub struct EditedInput {
    /// The validated snapshot; that of the base where no edit changes a table.
    pub snapshot: Arc<Snapshot>,
    /// The checked options.
    pub options: RunOptions,
}

impl EditableInput {
    /// The input before edits.
    pub const fn new(snapshot: Arc<Snapshot>, options: RunOptions) -> Self {
        Self { snapshot, options, canonical: OnceLock::new() }
    }

    /// The snapshot before edits.
    pub const fn snapshot(&self) -> &Arc<Snapshot> {
        &self.snapshot
    }

    /// The options before edits.
    pub const fn options(&self) -> &RunOptions {
        &self.options
    }

    /// The input after these edits, in their order, validated as any snapshot is.
    ///
    /// # Errors
    /// The report of every fault: of names that the input does not have; or, if there are none, of
    /// the edited options and of the edited snapshot. Rows are named by their keys.
    pub fn apply(&self, edits: &[Edit]) -> Result<EditedInput, FaultReport> {
        let mut given = GivenOptions::from_json(
            &serde_json::to_string(&self.options).expect("options are texts and whole numbers"),
        );
        let (mut tables, mut faults) = (None, Vec::new());
        for edit in edits {
            if let Edit::Option { option, value } = edit {
                given.set(*option, value.as_str());
                continue;
            }
            let tables = tables.get_or_insert_with(|| self.tables());
            faults.extend(apply(edit, tables).err().into_iter().flat_map(|report| report.faults));
        }
        let options = given.resolve();
        if !faults.is_empty() {
            faults.splice(0..0, options.err().into_iter().flat_map(|report| report.faults));
            return Err(FaultReport { faults });
        }
        let options = options?;
        let snapshot = match tables {
            None => Arc::clone(&self.snapshot),
            Some(EditedTables { tables }) => {
                let raw = RawSnapshot { tables, ..RawSnapshot::default() };
                Arc::new(validate(raw).map_err(errors_alone)?.snapshot)
            }
        };
        if options.min_status != self.options.min_status {
            check_options_for(&options, &snapshot)?;
        }
        Ok(EditedInput { snapshot, options })
    }

    fn tables(&self) -> EditedTables {
        let canonical = self.canonical.get_or_init(|| {
            let mut bytes = Vec::new();
            self.snapshot.write_canonical(&mut bytes).expect("a vector takes every write");
            bytes
        });
        let tables = Snapshot::tables_of_canonical(canonical);
        EditedTables { tables: tables.expect("these bytes are canonical") }
    }
}

/// The warnings of a refused snapshot are mostly those that it had before.
fn errors_alone(mut report: FaultReport) -> FaultReport {
    report.faults.retain(|fault| fault.severity == Severity::Error);
    report
}

fn apply(edit: &Edit, tables: &mut EditedTables) -> Result<(), FaultReport> {
    match edit {
        // Options are no table.
        Edit::Option { .. } => Ok(()),
        Edit::Column { table, key, column, value } => {
            set_column(tables, table.schema(), key, column, value)
        }
        Edit::AddRow { table, key, cells } => {
            let given = cells.iter().map(|(column, value)| (column.as_str(), value.as_str()));
            add_row(tables, table.schema(), key, table.new_cells().iter().copied().chain(given))
        }
        Edit::CopyRow { table, name, like } => copy_row(tables, table.schema(), name, like),
        Edit::RemoveRow { table, key } => remove_row(tables, *table, key),
        Edit::LinkRule { node, rule } => {
            add_row(tables, RuleLinkRow::TABLE, node, [("rule_name", rule.as_str())])
        }
        Edit::UnlinkRule { node, rule } => {
            let mut key = whole_key(ConstraintRow::TABLE, node);
            key.push(rule.clone());
            drop_row(tables, RuleLinkRow::TABLE, &key)
        }
        Edit::Rule { rule, syntax } => put(tables, RuleRow::TABLE, "rule_syntax", rule, syntax),
        Edit::TradeStatus { trade, is_in } => {
            let status = if *is_in { "open" } else { "phantom" };
            set_column(tables, Trade::TABLE, std::slice::from_ref(trade), "status", status)
        }
        Edit::ShiftPrices { instrument, settlement_date, thousandths } => {
            let key: Vec<String> = instrument.iter().chain(settlement_date).cloned().collect();
            let rows = tables.find_some(GridPrice::TABLE, &key)?;
            let at = tables.column(GridPrice::TABLE, "price").expect("a listed column");
            tables.set(GridPrice::TABLE, &rows, at, |price| shifted(price, *thousandths))
        }
        Edit::CarryRate { instrument, on_day, rate } => {
            let key: Vec<String> = [instrument].into_iter().chain(on_day).cloned().collect();
            set_column(tables, CarryBucketRow::TABLE, &key, "annual_rate", rate)
        }
        Edit::LockPool { pool, lock: Some(lock) } => {
            let key = std::slice::from_ref(pool);
            if tables.find(PoolLockRow::TABLE, key).is_empty() {
                tables.find_some(Pool::TABLE, key)?;
            }
            put(tables, PoolLockRow::TABLE, "lock_pool", pool, if *lock { "Y" } else { "N" })
        }
        Edit::LockPool { pool, lock: None } => {
            drop_row(tables, PoolLockRow::TABLE, std::slice::from_ref(pool))
        }
    }
}

/// Sets a column of the rows whose key begins with these parts. The absent levels of a node are
/// empty.
fn set_column(
    tables: &mut EditedTables,
    schema: &InputTable,
    key: &[String],
    column: &str,
    value: &str,
) -> Result<(), FaultReport> {
    let is_node = schema.name == ConstraintRow::TABLE.name;
    let rows = match is_node {
        true => tables.find_some(schema, &whole_key(schema, key))?,
        false => tables.find_some(schema, key)?,
    };
    let Some(at) = tables.column(schema, column) else {
        let columns = tables.table(schema).columns().iter();
        let near = suggestion(column, columns.map(String::as_str));
        let (key, reason) = (key.join("|"), format!("not a column of this table{near}"));
        return Err(fault(schema.name, &key, column, value, FaultCode::UnknownColumn, reason));
    };
    tables.set(schema, &rows, at, |_| value.to_owned())
}

/// Adds a row with this key and these cells; of two cells of a column, the later one counts.
fn add_row<'e>(
    tables: &mut EditedTables,
    schema: &InputTable,
    key: &'e [String],
    cells: impl IntoIterator<Item = (&'e str, &'e str)>,
) -> Result<(), FaultReport> {
    let key = schema.key.iter().copied().zip(key.iter().map(String::as_str));
    tables.add(schema, &key.chain(cells).collect::<Vec<_>>())
}

/// Removes a row, and the rows of other tables that only say something about it.
fn remove_row(
    tables: &mut EditedTables,
    table: EditedTable,
    key: &[String],
) -> Result<(), FaultReport> {
    let key = whole_key(table.schema(), key);
    drop_row(tables, table.schema(), &key)?;
    let about = match table {
        EditedTable::Constraints => RuleLinkRow::TABLE,
        EditedTable::Loans => LoanPrice::TABLE,
        EditedTable::Trades | EditedTable::Payups | EditedTable::Carry => return Ok(()),
    };
    let rows = tables.find(about, &key);
    tables.drop_rows(about, &rows)
}

fn drop_row(
    tables: &mut EditedTables,
    schema: &InputTable,
    key: &[String],
) -> Result<(), FaultReport> {
    let rows = tables.find_some(schema, key)?;
    tables.drop_rows(schema, &rows)
}

fn copy_row(
    tables: &mut EditedTables,
    schema: &InputTable,
    name: &str,
    like: &str,
) -> Result<(), FaultReport> {
    let rows = tables.find_some(schema, &[like.to_owned()])?;
    let table = tables.table(schema);
    let cells = |row: &usize| -> Vec<String> {
        (0..table.columns().len()).map(|at| table.cell(*row, at).to_owned()).collect()
    };
    let mut copies: Vec<Vec<String>> = rows.iter().take(1).map(cells).collect();
    let id = tables.column(schema, schema.key[0]).expect("a listed column");
    copies.iter_mut().for_each(|copy| name.clone_into(&mut copy[id]));
    tables.rewrite(schema, |_, _| Some(Vec::new()), &copies)
}

/// Sets a column of the row with this name, or adds the row.
fn put(
    tables: &mut EditedTables,
    schema: &InputTable,
    column: &str,
    name: &str,
    value: &str,
) -> Result<(), FaultReport> {
    let rows = tables.find(schema, &[name.to_owned()]);
    if rows.is_empty() {
        return tables.add(schema, &[(schema.key[0], name), (column, value)]);
    }
    let at = tables.column(schema, column).expect("a listed column");
    tables.set(schema, &rows, at, |_| value.to_owned())
}

/// A key with empty texts for the levels that a node does not have.
fn whole_key(schema: &InputTable, key: &[String]) -> Vec<String> {
    let mut key = key.to_vec();
    key.resize(schema.key.len().max(key.len()), String::new());
    key
}

/// A price after a shift. Beyond the range of prices, the validation refuses it.
fn shifted(price: &str, thousandths: i64) -> String {
    let Ok(price) = Price::parse(price) else { return price.to_owned() };
    Price::from_units(price.units() + thousandths * UNITS_PER_THOUSANDTH).to_string()
}

/// A report of one fault.
pub(super) fn fault(
    table: &str,
    row: &str,
    column: &str,
    value: &str,
    code: FaultCode,
    reason: String,
) -> FaultReport {
    let fault = Fault {
        severity: Severity::Error,
        table: Cow::Owned(table.to_owned()),
        row: row.to_owned(),
        column: Cow::Owned(shortened(column)),
        value: shortened(value),
        code,
        reason: reason.into(),
    };
    FaultReport { faults: vec![fault] }
}
