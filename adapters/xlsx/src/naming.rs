//! The sheet name of a table. Excel allows 31 characters in the name of a sheet, ignores case when
//! it compares names, and has at most 1,048,576 rows per sheet: longer tables continue in further
//! sheets.

/// The largest number of rows of a sheet, the header included.
pub const MAX_ROWS: u32 = 1_048_576;

/// The largest length of a sheet's name.
const MAX_NAME_LENGTH: usize = 31;

/// The sheet name of a part of a table: the table's name, cut to 31 characters. The names of the
/// second and later parts end in ` (2)`, ` (3)`, and so on. Table names must be ASCII.
pub fn sheet_name(table: &str, part: u32) -> String {
    let suffix = if part > 1 { format!(" ({part})") } else { String::new() };
    let start: String = table.chars().take(MAX_NAME_LENGTH - suffix.len()).collect();
    start + &suffix
}

/// The table whose first part has this sheet name.
pub fn table_of<'t>(sheet: &str, tables: impl IntoIterator<Item = &'t str>) -> Option<&'t str> {
    tables.into_iter().find(|table| sheet.eq_ignore_ascii_case(&sheet_name(table, 1)))
}

/// Whether a sheet is this part of the table that begins in the sheet `first`.
pub(crate) fn is_continuation(sheet: &str, first: &str, part: u32) -> bool {
    sheet.eq_ignore_ascii_case(&sheet_name(first, part))
}

/// Words of column names that are not written as words.
const ABBREVIATIONS: [&str; 4] = ["id", "ltv", "ue", "bx"];

/// The name of a column for people: `Loan ID` for `loan_id`. A comparison takes both for one name.
pub(crate) fn readable(column: &str) -> String {
    let mut name = String::new();
    for (at, word) in column.split('_').enumerate() {
        if at > 0 {
            name.push(' ');
        }
        match word.chars().next() {
            _ if ABBREVIATIONS.contains(&word) => name.push_str(&word.to_uppercase()),
            Some(first) if at == 0 => {
                name.extend(first.to_uppercase());
                name.push_str(&word[first.len_utf8()..]);
            }
            _ => name.push_str(word),
        }
    }
    name
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use powerfill_snapshot::{table_named, table_names};
    use powerfill_tables::tables::ALL;

    use super::*;
    use crate::RUN_SHEET;

    #[test]
    fn the_sheet_of_an_input_table_has_its_name() {
        for table in table_names() {
            assert_eq!(sheet_name(table, 1), table);
            assert_eq!(table_named(&table.to_uppercase()), Some(table));
        }
        assert_eq!(table_named("loan (2)"), None);
        assert!(is_continuation("LOAN (2)", "loan", 2) && !is_continuation("loan (3)", "loan", 2));
    }

    /// One name is cut; it still differs from every other name and part.
    #[test]
    fn sheet_names_of_output_tables_and_parts_are_unique() {
        let tables = || ALL.iter().map(|table| table.name);
        let mut names = BTreeSet::from([RUN_SHEET.to_owned()]);
        let mut cut = Vec::new();
        for table in tables() {
            for part in [1, 2, 3, 9, 10, 99] {
                let name = sheet_name(table, part);
                assert!(name.len() <= 31, "{name}");
                assert!(names.insert(name.clone()), "{name} is not unique");
                assert_eq!(table_of(&name.to_uppercase(), tables()), (part == 1).then_some(table));
                assert!(part == 1 || is_continuation(&name, &sheet_name(table, 1), part));
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
