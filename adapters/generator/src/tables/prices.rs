//! Tables `rmcat_todays_prices` and `rmusr_payups`.

use crate::calendar::iso;
use crate::catalog::{Catalog, Instrument};
use crate::error::GenerateError;
use crate::figures::{THIRTY_SECOND, price, rate};
use crate::folder::Folder;
use crate::kinds::Family;
use crate::market::{CAP_PAYUPS, grid_price};
use crate::rules::CAP_RULES;

/// Writes a row per settlement and step of the note rate.
pub(crate) fn write_grid(folder: &mut Folder, catalog: &Catalog) -> Result<(), GenerateError> {
    let mut table = folder.table("rmcat_todays_prices")?;
    for instrument in &catalog.instruments {
        for (settlement, days) in settlements(instrument) {
            for note_rate in note_rates(instrument) {
                table.row(&[
                    instrument.name.as_str(),
                    &iso(days),
                    &rate(note_rate),
                    &price(grid_price(instrument, settlement, note_rate)),
                ])?;
            }
        }
    }
    folder.close(table)
}

/// Each instrument has a grid for its next settlements, and every other one also for the one beyond
/// the horizon. The coupon that is off the run has prices for a past settlement only.
fn settlements(instrument: &Instrument) -> Vec<(usize, i64)> {
    let days = instrument.kind.class.days();
    if instrument.is_off_the_run() {
        return vec![(0, days[0] - 31)];
    }
    let count = if instrument.name.len().is_multiple_of(2) { 3 } else { 2 };
    days.into_iter().enumerate().take(count).collect()
}

/// Windows have prices by eighths, the others by quarters. The lowest window has some far below its
/// coupon.
fn note_rates(instrument: &Instrument) -> Vec<i64> {
    let step = if instrument.kind.family.is_window() { 125 } else { 250 };
    let first = instrument.coupon + 250;
    let below = if instrument.min_note_rate.is_none() { first - 1_000 } else { first };
    // Without a greatest note rate, there are prices up to four percent above the coupon.
    let last = instrument.max_note_rate.unwrap_or(instrument.coupon + 4_000);
    (below..=last).step_by(step).collect()
}

/// Writes pay-ups by tier, the best first. Each tier pays less than the one before.
pub(crate) fn write_payups(folder: &mut Folder, catalog: &Catalog) -> Result<(), GenerateError> {
    let mut table = folder.table("rmusr_payups")?;
    for instrument in &catalog.instruments {
        for (rule, thirty_seconds) in tiers(instrument.kind.family) {
            table.row(&[
                instrument.name.as_str(),
                &format!("{rule} payup"),
                rule,
                &price(thirty_seconds * THIRTY_SECOND),
            ])?;
        }
    }
    folder.close(table)
}

fn tiers(family: Family) -> Vec<(&'static str, i64)> {
    match family {
        // A window pays what the specified pool pays, less its spread.
        Family::Window30 => CAP_RULES.into_iter().zip(CAP_PAYUPS.map(|payup| payup - 4)).collect(),
        Family::Window15 => vec![(CAP_RULES[0], 24), (CAP_RULES[3], 12), (CAP_RULES[5], 5)],
        Family::SmallBalance => vec![("new york", 12), ("investor home", 6)],
        Family::Story => vec![(CAP_RULES[5], 8)],
        Family::GovBank => vec![("veteran", 6)],
        Family::Bank => vec![("fico from 780", 8), ("fico from 740", 4)],
        Family::SecondBank => vec![("fico from 780", 10), ("insured", 4)],
        _ => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::tiers;
    use crate::kinds::Family;

    #[test]
    fn earlier_tiers_pay_more() {
        for family in [Family::Window30, Family::Window15, Family::Bank] {
            let tiers = tiers(family);
            assert!(tiers.windows(2).all(|pair| pair[0].1 > pair[1].1));
            // From 0.1 to 2.5 points (5.1).
            assert!(tiers.iter().all(|tier| (4..=80).contains(&tier.1)));
        }
    }
}
