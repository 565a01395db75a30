//! The six tables as a whole: read through the validation of snapshots, written for it.

use super::row_key::{GivenRow, RowKey};
use crate::{
    Fault, FaultCode, FaultReport, RawSnapshot, RawTable, Severity, TooLarge,
    validate_configuration,
};
use powerfill_events::config::{
    CarryBucketRow, ConfigRow, ConfigTable, ConstraintRow, PoolLockRow, PreflightRow, RuleLinkRow,
    RuleRow,
};
use powerfill_events::input::{RowCells, cells_of};
use powerfill_events::values::fold;

/// The tables of a configuration, sound, each in the order of its key.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ConfigTables {
    /// Table `pscat_securitization_rules`.
    pub rules: Vec<RuleRow>,
    /// Table `pfill_constraints`.
    pub constraints: Vec<ConstraintRow>,
    /// Table `pfill_constraint_sec_rule_rel`.
    pub links: Vec<RuleLinkRow>,
    /// Table `pfill_carry_cost`.
    pub carry: Vec<CarryBucketRow>,
    /// Table `pfill_lockdown_guide`.
    pub lockdown: Vec<PoolLockRow>,
    /// Table `pfill_preflight_settings`: its row, or the defaults.
    pub preflight: PreflightRow,
}

impl ConfigTables {
    /// The configuration that a source holds (specification 1.2). Tables that it does not have are
    /// empty, but for the constraints, which must be there; its other tables are left alone.
    ///
    /// # Errors
    /// Every fault, as [`validate_configuration`] says.
    pub fn read(raw: RawSnapshot) -> Result<Self, FaultReport> {
        validate_configuration(raw).map(|(tables, _)| tables)
    }

    /// Whether nothing was ever configured: no rows, and the settings' defaults.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// The rows of a table as cells, in the order of its key.
    pub fn cells(&self, table: ConfigTable) -> Vec<RowCells> {
        fn all<R: ConfigRow>(rows: &[R]) -> Vec<RowCells> {
            rows.iter().map(cells_of).collect()
        }
        match table {
            ConfigTable::Rules => all(&self.rules),
            ConfigTable::Constraints => all(&self.constraints),
            ConfigTable::Links => all(&self.links),
            ConfigTable::Carry => all(&self.carry),
            ConfigTable::Lockdown => all(&self.lockdown),
            ConfigTable::Preflight => all(std::slice::from_ref(&self.preflight)),
        }
    }

    /// Replaces the six tables of a source by these, which makes the input of a run with this
    /// configuration. Faults of the source's own six tables are dropped with them.
    ///
    /// # Errors
    /// [`TooLarge`].
    pub fn override_source_tables(&self, source: RawSnapshot) -> Result<RawSnapshot, TooLarge> {
        let RawSnapshot { mut tables, mut faults, ignored, warnings, mapping, provenance } = source;
        tables.retain(|table| ConfigTable::named(table.name()).is_none());
        faults.retain(|fault| ConfigTable::named(&fault.table).is_none());
        tables.extend(self.raw()?);
        Ok(RawSnapshot { tables, faults, ignored, warnings, mapping, provenance })
    }

    /// The six tables as a source hands them over: what a run of this configuration reads.
    ///
    /// # Errors
    /// [`TooLarge`].
    pub fn raw(&self) -> Result<Vec<RawTable>, TooLarge> {
        ConfigTable::ALL.into_iter().map(|table| raw_table(table, &self.cells(table))).collect()
    }
}

/// The rows of a table as a source hands them over; their columns are the table's, and those that
/// it does not have, which the validation refuses.
pub(super) fn raw_table<C: AsRef<str>>(
    table: ConfigTable,
    rows: &[Vec<(C, String)>],
) -> Result<RawTable, TooLarge> {
    let listed = table.schema().columns.iter();
    let mut named: Vec<String> = listed.map(|column| column.name.to_owned()).collect();
    for (column, _) in rows.iter().flatten() {
        if position(&named, column.as_ref()).is_none() {
            named.push(column.as_ref().to_owned());
        }
    }
    let mut raw = RawTable::new(table.name(), named.clone(), false);
    let mut cells = vec![""; named.len()];
    for row in rows {
        cells.fill("");
        for (column, text) in row {
            if let Some(position) = position(&named, column.as_ref()) {
                cells[position] = text;
            }
        }
        raw.push_row(&cells)?;
    }
    Ok(raw)
}

fn position(columns: &[String], name: &str) -> Option<usize> {
    columns.iter().position(|column| same_column(column, name))
}

/// Whether two names are of one column: they compare as text (1.1).
pub(super) fn same_column(one: &str, other: &str) -> bool {
    let (one, other) = (one.trim_end_matches(' '), other.trim_end_matches(' '));
    one.eq_ignore_ascii_case(other) || !other.is_ascii() && fold(one) == fold(other)
}

/// The text of a given cell.
pub(super) fn cell<'r, C: AsRef<str>>(row: &'r [(C, String)], column: &str) -> Option<&'r str> {
    let found = row.iter().find(|(name, _)| same_column(name.as_ref(), column));
    found.map(|(_, text)| text.as_str())
}

/// The key of given cells.
pub(super) fn key_of<C: AsRef<str>>(table: ConfigTable, row: &[(C, String)]) -> RowKey {
    let text = |column: &&str| cell(row, column).unwrap_or_default();
    RowKey::of(table, table.key_columns().iter().map(text))
}

/// Whether no given row names a column twice: one of the two texts would be lost.
pub(super) fn each_column_once(table: ConfigTable, rows: &[GivenRow]) -> Result<(), FaultReport> {
    let mut faults = Vec::new();
    for row in rows {
        for (at, (column, text)) in row.iter().enumerate() {
            if row[..at].iter().any(|(earlier, _)| same_column(earlier, column)) {
                faults.push(Fault {
                    severity: Severity::Error,
                    table: table.name().into(),
                    row: key_of(table, row).to_string(),
                    column: column.clone().into(),
                    value: text.clone(),
                    code: FaultCode::DuplicateColumn,
                    reason: "the column is there twice".into(),
                });
            }
        }
    }
    if faults.is_empty() { Ok(()) } else { Err(FaultReport { faults }) }
}
