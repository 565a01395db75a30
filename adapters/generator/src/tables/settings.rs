//! The small tables: header, stages, columns, rules, carry curve, and settings.

use crate::calendar::AS_OF;
use crate::catalog::Catalog;
use crate::data::rules;
use crate::dice::{Dice, Topic};
use crate::error::GenerateError;
use crate::figures::rate;
use crate::folder::Folder;
use crate::roles::STAGES;
use crate::rules::desk_rule;

pub(crate) fn write_header(folder: &mut Folder) -> Result<(), GenerateError> {
    let mut table = folder.table("snapshot")?;
    let today = AS_OF.to_string();
    table.row(&["GENERATED", &today, &today])?;
    folder.close(table)?;

    let mut table = folder.table("pfill_preflight_settings")?;
    table.row(&["1", "3", "1", "2"])?;
    folder.close(table)?;

    let mut table = folder.table("pscat_loan_stages")?;
    for (stage, rank) in STAGES {
        table.row(&[stage.to_owned(), rank.map(|rank| rank.to_string()).unwrap_or_default()])?;
    }
    folder.close(table)?;

    let mut table = folder.table("loan_columns")?;
    for column in [["mi_coverage", "number"], ["first_payment_date", "date"], ["desk", "text"]] {
        table.row(&column)?;
    }
    folder.close(table)
}

pub(crate) fn write_rules(folder: &mut Folder, catalog: &Catalog) -> Result<(), GenerateError> {
    let mut table = folder.table("pscat_securitization_rules")?;
    for (name, syntax) in rules() {
        table.row(&[name, syntax])?;
    }
    for desk in 0..catalog.desks {
        let (name, syntax) = desk_rule(desk);
        table.row(&[name, syntax])?;
    }
    folder.close(table)
}

/// The first and the last day of each bucket of a curve. The first two cover the horizon; the third
/// overlaps them.
const BUCKETS: [(i64, i64); 5] = [(0, 30), (31, 90), (20, 45), (91, 365), (-60, -1)];

/// Writes the curves, one bucket of all instruments after the other, up to this number of rows.
pub(crate) fn write_carry(
    folder: &mut Folder,
    catalog: &Catalog,
    rows: u32,
    seed: u64,
) -> Result<(), GenerateError> {
    let mut table = folder.table("pfill_carry_cost")?;
    let mut dice = Dice::new(seed, Topic::Carry);
    for row in 0..rows as usize {
        let instrument = &catalog.instruments[row % catalog.instruments.len()];
        let bucket = row / catalog.instruments.len();
        let (on_day, to_day) = BUCKETS.get(bucket).copied().unwrap_or_else(|| {
            // Further buckets have a month each, beyond one year.
            let first = 366 + 30 * (bucket - BUCKETS.len()) as i64;
            (first, first + 29)
        });
        // Some overlapping buckets have no rate yet.
        let is_open = bucket == 2 && dice.permille(60);
        let annual = if is_open { String::new() } else { rate(dice.between(-650, 2_150)) };
        table.row(&[instrument.name.clone(), on_day.to_string(), to_day.to_string(), annual])?;
    }
    folder.close(table)
}

#[cfg(test)]
mod tests {
    use crate::calendar::iso;

    #[test]
    fn days_are_counted_from_the_date_of_the_snapshot() {
        assert_eq!(iso(0), "2026-01-15");
        assert_eq!(iso(28), "2026-02-12");
        assert_eq!(iso(-15), "2025-12-31");
    }
}
