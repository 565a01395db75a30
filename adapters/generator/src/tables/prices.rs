//! Tables `rmcat_todays_prices` and `rmusr_payups`.

use crate::calendar::iso;
use crate::catalog::{Catalog, Instrument};
use crate::error::GenerateError;
use crate::figures::{THIRTY_SECOND, price, rate};
use crate::folder::Folder;
use crate::market::{CAP_PAYUPS, grid_price};
use crate::rules::CAP_RULES;
use crate::shapes::Shape;

/// A row for each settlement and step of the note rate.
pub(crate) fn write_grid(folder: &mut Folder, catalog: &Catalog) -> Result<(), GenerateError> {
    let mut table = folder.table(
        "rmcat_todays_prices",
        &["investor_instrument_name", "settlement_date", "note_rate", "price"],
    )?;
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

/// Each instrument has a grid for its next settlements; every other one also for the one beyond the
/// horizon. The coupon that nobody trades was last priced for a settlement that is over.
fn settlements(instrument: &Instrument) -> Vec<(usize, i64)> {
    let days = instrument.shape.settlement().days();
    if instrument.is_off_the_run() {
        return vec![(0, days[0] - 31)];
    }
    let count = if instrument.name.len().is_multiple_of(2) { 3 } else { 2 };
    days.into_iter().enumerate().take(count).collect()
}

/// Windows quote by eighths, the others by quarters; the lowest window far below its coupon too.
fn note_rates(instrument: &Instrument) -> Vec<i64> {
    let is_window = matches!(instrument.shape, Shape::Window30(_) | Shape::Window15(_));
    let step = if is_window { 125 } else { 250 };
    let first = instrument.coupon + 250;
    let below = if instrument.min_note_rate.is_none() { first - 1_000 } else { first };
    // Whatever has no greatest note rate is quoted for four points.
    let last = instrument.max_note_rate.unwrap_or(instrument.coupon + 4_000);
    (below..=last).step_by(step).collect()
}

/// Pay-ups by tier, the best story first: each tier pays less than the one before.
pub(crate) fn write_payups(folder: &mut Folder, catalog: &Catalog) -> Result<(), GenerateError> {
    let mut table = folder
        .table("rmusr_payups", &["investor_instrument_name", "payup_name", "rule_name", "payup"])?;
    for instrument in &catalog.instruments {
        for (rule, thirty_seconds) in tiers(instrument.shape) {
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

fn tiers(shape: Shape) -> Vec<(&'static str, i64)> {
    match shape {
        // A window pays for the story what the specified pool pays, less its spread.
        Shape::Window30(_) => {
            CAP_RULES.into_iter().zip(CAP_PAYUPS.map(|payup| payup - 4)).collect()
        }
        Shape::Window15(_) => vec![(CAP_RULES[0], 24), (CAP_RULES[3], 12), (CAP_RULES[5], 5)],
        Shape::Small(..) => vec![("new york", 12), ("investor home", 6)],
        Shape::Told(..) => vec![(CAP_RULES[5], 8)],
        Shape::GovBank => vec![("veteran", 6)],
        Shape::Bank => vec![("fico from 780", 8), ("fico from 740", 4)],
        Shape::SecondBank => vec![("fico from 780", 10), ("insured", 4)],
        _ => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::tiers;
    use crate::shapes::{Agency, Shape};

    #[test]
    fn better_stories_pay_more() {
        for shape in
            [Shape::Window30(Agency::Fannie), Shape::Window15(Agency::Freddie), Shape::Bank]
        {
            let tiers = tiers(shape);
            assert!(tiers.windows(2).all(|pair| pair[0].1 > pair[1].1));
            // From 0.1 to 2.5 points (5.1).
            assert!(tiers.iter().all(|tier| (4..=80).contains(&tier.1)));
        }
    }
}
