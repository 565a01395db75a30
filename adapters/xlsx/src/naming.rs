//! Which sheet has which table. Excel allows 31 characters for the name of a sheet, compares names without regard to
//! case, and has no room for more than 1,048,576 rows: a longer table goes on in a further sheet.

use powerfill_snapshot::table_named;

/// The most rows of a sheet, the header included.
pub const MOST_ROWS: u32 = 1_048_576;

/// The longest name of a sheet.
const LONGEST: usize = 31;

/// The sheet of a table: its name, cut to 31 characters; that of a further part ends in ` (2)`, ` (3)` and so on.
/// Names of tables are ASCII.
pub fn sheet_name(table: &str, part: u32) -> String {
    let suffix = if part > 1 { format!(" ({part})") } else { String::new() };
    let kept: String = table.chars().take(LONGEST - suffix.len()).collect();
    kept + &suffix
}

/// The table of a sheet, among these: the other way round.
pub fn table_of<'t>(sheet: &str, tables: impl IntoIterator<Item = &'t str>) -> Option<&'t str> {
    tables.into_iter().find(|table| sheet.eq_ignore_ascii_case(&sheet_name(table, 1)))
}

/// The input table of a sheet. No name of an input table is cut.
pub(crate) fn input_table(sheet: &str) -> Option<&'static str> {
    table_named(sheet)
}

/// Whether a sheet carries on another one.
pub(crate) fn goes_on(sheet: &str, first: &str, part: u32) -> bool {
    sheet.eq_ignore_ascii_case(&sheet_name(first, part))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use powerfill_snapshot::table_names;
    use powerfill_tables::tables::ALL;

    use super::*;
    use crate::RUN_SHEET;

    #[test]
    fn every_input_table_has_a_sheet_of_its_own_name() {
        for table in table_names() {
            assert_eq!(sheet_name(table, 1), table);
            assert_eq!(input_table(&table.to_uppercase()), Some(table));
        }
        assert_eq!(input_table("loan (2)"), None);
        assert!(goes_on("LOAN (2)", "loan", 2) && !goes_on("loan (3)", "loan", 2));
    }

    /// One name is cut; it is still nobody else's, and neither is that of any further part.
    #[test]
    fn every_output_table_and_every_part_has_a_sheet_of_its_own() {
        let tables = || ALL.iter().map(|table| table.name);
        let mut names = BTreeSet::from([RUN_SHEET.to_owned()]);
        let mut cut = Vec::new();
        for table in tables() {
            for part in [1, 2, 3, 9, 10, 99] {
                let name = sheet_name(table, part);
                assert!(name.len() <= 31, "{name}");
                assert!(names.insert(name.clone()), "{name} is there twice");
                assert_eq!(table_of(&name.to_uppercase(), tables()), (part == 1).then_some(table));
                assert!(part == 1 || goes_on(&name, &sheet_name(table, 1), part));
                if part == 1 && name != table {
                    cut.push(name);
                }
            }
        }
        assert_eq!(cut, ["pfill_syn_powerfill_guide_all_r"]);
        assert_eq!(
            sheet_name("pfill_loan2trade_candy_level_01", 2),
            "pfill_loan2trade_candy_leve (2)"
        );
    }
}
