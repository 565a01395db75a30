//! The mapping file of a comparison: the names of tables, columns, and values on the other side,
//! the formats of its cells, and what the comparison leaves out (specification 3.4).

mod bind;
mod draft;

pub use bind::export_side;
pub use draft::draft;

use powerfill_mapping::{
    ComparisonSettings, Mapping, MappingError, MappingUse, TargetColumn, TargetSchema, TargetTable,
};
use powerfill_tables::table::{Column, TableRole};
use powerfill_tables::tables::ALL;

use crate::grid::value_kind;

/// A mapping of the tables of 1.5.
#[derive(Debug)]
pub struct ComparisonMapping {
    mapping: Mapping,
    /// Whether the tables of options are left out unless the file names them: the candidates and
    /// the ranked synthetic options, which say what a loan could do, and not what became of it.
    skips_options: bool,
}

impl Default for ComparisonMapping {
    /// The mapping without a file: all names are the same on both sides, in any case.
    fn default() -> Self {
        Self { mapping: Mapping::none(schema()), skips_options: false }
    }
}

impl ComparisonMapping {
    /// Reads a mapping file. Messages call it `file`.
    ///
    /// # Errors
    /// [`MappingError`]: the text is no TOML, or has an unknown key, table, or column.
    pub fn parse(file: &str, text: &str) -> Result<Self, MappingError> {
        let mapping = Mapping::parse(schema(), file, text)?;
        Ok(Self { mapping, skips_options: false })
    }

    /// How the tables of the export become ours.
    pub fn mapping(&self) -> &Mapping {
        &self.mapping
    }

    /// Leaves the tables of options out, unless the file names them.
    #[must_use]
    pub fn without_options(self) -> Self {
        Self { skips_options: true, ..self }
    }

    /// Whether a table is left out because its rows are options of loans.
    pub(crate) fn skips_options(&self, at: usize) -> bool {
        self.skips_options && self.settings(at).is_none() && ALL[at].built_from.is_some()
    }

    pub(crate) fn settings(&self, at: usize) -> Option<&ComparisonSettings> {
        self.mapping.table(at).map(|table| &table.comparison)
    }

    /// Whether a table is compared: the decision tables that the file does not skip, and the
    /// records that it names.
    pub(crate) fn compares(&self, at: usize) -> bool {
        match self.settings(at) {
            Some(settings) => !settings.skip,
            None => ALL[at].role == TableRole::Decision && !self.skips_options(at),
        }
    }

    /// Checks that the mapping fits a comparison of two runs.
    ///
    /// # Errors
    /// If it has names, values, or formats of an export.
    pub fn check_for_runs(&self) -> Result<(), MappingError> {
        self.mapping.translation().map_or(Ok(()), Err)
    }
}

/// The tables that a mapping can name.
fn schema() -> TargetSchema {
    let tables = ALL.iter().map(|spec| TargetTable {
        name: spec.name,
        columns: spec.columns.iter().map(target_column).collect(),
        takes_more_columns: false,
    });
    TargetSchema { mapping_use: MappingUse::Comparison, tables: tables.collect() }
}

fn target_column(column: &Column) -> TargetColumn {
    TargetColumn { name: column.name, kind: value_kind(column), is_required: false }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_recognized_by_its_name_in_many_forms() {
        let mapping = ComparisonMapping::default().mapping;
        let position = |name: &str| ALL.iter().position(|spec| spec.name == name);
        let recap = position("pfill_trade_recap");
        for name in [
            "pfill_trade_recap",
            "PFILL_TRADE_RECAP",
            "dbo.pfill_trade_recap",
            "[Tenant].[dbo].[Pfill_Trade_Recap]",
            "Pfill Trade Recap ",
        ] {
            assert_eq!(mapping.default_table(name), recap, "{name}");
        }
        assert_eq!(mapping.default_table("trade_recap"), None);
        let all_rank = position("pfill_syn_powerfill_guide_all_rank");
        assert_eq!(mapping.default_table("pfill_syn_powerfill_guide_all_r"), all_rank);
        let candidates = position("pfill_loan2trade_candy_level_01");
        assert_eq!(mapping.default_table("pfill_loan2trade_candy_level_01"), candidates);
    }
}
