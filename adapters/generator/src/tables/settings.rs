//! The small tables: header, stages, columns, rules, carry curve, settings.

use crate::calendar::AS_OF;
use crate::catalog::Catalog;
use crate::dice::{Dice, Topic};
use crate::error::GenerateError;
use crate::figures::rate;
use crate::folder::Folder;
use crate::roles::STAGES;
use crate::rules::{RULES, desk_rule};

pub(crate) fn write_header(folder: &mut Folder) -> Result<(), GenerateError> {
    let mut table = folder.table("snapshot", &["tenant_id", "as_of", "prices_as_of"])?;
    let today = AS_OF.to_string();
    table.row(&["GENERATED", &today, &today])?;
    folder.close(table)?;

    let columns =
        ["min_pipeline_loans", "max_snapshot_age_days", "max_price_age_days", "lockdown_days"];
    let mut table = folder.table("pfill_preflight_settings", &columns)?;
    table.row(&["1", "3", "1", "2"])?;
    folder.close(table)?;

    let mut table = folder.table("pscat_loan_stages", &["stage_name", "stage_rank"])?;
    for (stage, rank) in STAGES {
        table.row(&[stage.to_owned(), rank.map(|rank| rank.to_string()).unwrap_or_default()])?;
    }
    folder.close(table)?;

    let mut table = folder.table("loan_columns", &["column_name", "type"])?;
    for column in [["mi_coverage", "number"], ["first_payment_date", "date"], ["desk", "text"]] {
        table.row(&column)?;
    }
    folder.close(table)
}

pub(crate) fn write_rules(folder: &mut Folder, catalog: &Catalog) -> Result<(), GenerateError> {
    let mut table = folder.table("pscat_securitization_rules", &["rule_name", "rule_syntax"])?;
    for (name, syntax) in RULES {
        table.row(&[*name, *syntax])?;
    }
    for desk in 0..catalog.desks {
        let (name, syntax) = desk_rule(desk);
        table.row(&[name, syntax])?;
    }
    folder.close(table)
}

/// First and last day of each bucket of a curve. The third overlaps the first two; the first two
/// cover the horizon.
const BUCKETS: [(i64, i64); 5] = [(0, 30), (31, 90), (20, 45), (91, 365), (-60, -1)];

/// The curve of each instrument, a bucket of all of them at a time, until there are as many rows as
/// asked for.
pub(crate) fn write_carry(
    folder: &mut Folder,
    catalog: &Catalog,
    rows: u32,
    seed: u64,
) -> Result<(), GenerateError> {
    let mut table = folder.table(
        "pfill_carry_cost",
        &["investor_instrument_name", "on_day", "to_day", "annual_rate"],
    )?;
    let mut dice = Dice::new(seed, Topic::Carry);
    for row in 0..rows as usize {
        let instrument = &catalog.instruments[row % catalog.instruments.len()];
        let bucket = row / catalog.instruments.len();
        let (on_day, to_day) = BUCKETS.get(bucket).copied().unwrap_or_else(|| {
            // More than five: a month each, a year and more out.
            let first = 366 + 30 * (bucket - BUCKETS.len()) as i64;
            (first, first + 29)
        });
        // Some buckets that overlap others wait for a rate.
        let is_open = bucket == 2 && dice.permille(60);
        let annual = if is_open { String::new() } else { rate(dice.between(-650, 2_150)) };
        table.row(&[instrument.name.clone(), on_day.to_string(), to_day.to_string(), annual])?;
    }
    folder.close(table)
}

/// The day that the tests of this crate expect in every snapshot.
#[cfg(test)]
mod tests {
    use crate::calendar::iso;

    #[test]
    fn the_book_stands_at_its_day() {
        assert_eq!(iso(0), "2026-01-15");
        assert_eq!(iso(28), "2026-02-12");
        assert_eq!(iso(-15), "2025-12-31");
    }
}
