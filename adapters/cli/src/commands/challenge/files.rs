//! The files of `--out`: the shadow prices, the challenger's allocation, and the output tables that
//! it would give.

use std::fs;
use std::io;
use std::path::Path;

use powerfill_app::RunControl;
use powerfill_app::challenge::ChallengeResult;
use powerfill_events::challenge::{ChallengeEvent, PriceSubject};

use crate::out_folder::OutFolder;

/// The columns of `duals.csv`. What is not listed has the price 0.
pub(super) const DUALS_HEADER: [&str; 6] =
    ["kind", "investor_id", "investor_instrument_name", "constraint_name", "trade_id", "price"];

/// Writes `duals.csv` and `allocation.csv`, each as a whole, and the tables of a challenge that has
/// a search.
pub(super) fn write(folder: &Path, result: &ChallengeResult) -> io::Result<()> {
    fs::create_dir_all(folder)?;
    write_file(folder, "duals.csv", &DUALS_HEADER, duals(result))?;
    let placements = result.placements();
    let placed = placements.iter();
    let placed = placed.map(|placed| [placed.loan_id.to_string(), placed.trade_id.to_string()]);
    write_file(folder, "allocation.csv", &["loan_id", "trade_id"], placed)?;
    if result.judgment.challenger.is_some() { write_tables(folder, result) } else { Ok(()) }
}

/// The tables of the run that would adopt the allocation, under the id of the challenged run.
fn write_tables(folder: &Path, result: &ChallengeResult) -> io::Result<()> {
    let mut adopted = result.adopted(&RunControl::default()).map_err(io::Error::other)?;
    let out = OutFolder::new(result.run, folder)?;
    out.write(&adopted.complete());
    out.finish(&adopted.summary())
}

/// The rows of `duals.csv`: trades, limits, then turns; a turn's number is in `trade_id`.
pub(super) fn duals(result: &ChallengeResult) -> impl Iterator<Item = [String; 6]> {
    result.events.iter().filter_map(|event| {
        let ChallengeEvent::ShadowPriceFound(found) = event else { return None };
        let price = found.price.to_string();
        let none = String::new;
        Some(match &found.subject {
            PriceSubject::Trade { trade_id } => {
                ["trade".to_owned(), none(), none(), none(), trade_id.to_string(), price]
            }
            PriceSubject::Block { node, trade_id } => [
                "block".to_owned(),
                node.investor_id.to_string(),
                node.investor_instrument_name.to_string(),
                node.constraint_name.to_string(),
                trade_id.to_string(),
                price,
            ],
            PriceSubject::Turn { turn } => {
                ["turn".to_owned(), none(), none(), none(), turn.to_string(), price]
            }
        })
    })
}

fn write_file<const N: usize>(
    folder: &Path,
    name: &str,
    header: &[&str; N],
    rows: impl Iterator<Item = [String; N]>,
) -> io::Result<()> {
    let mut out = csv::Writer::from_writer(Vec::new());
    out.write_record(header)?;
    for row in rows {
        out.write_record(&row)?;
    }
    let text = out.into_inner().map_err(|error| io::Error::other(error.to_string()))?;
    let partial = folder.join(format!(".{name}.partial"));
    fs::write(&partial, text)?;
    fs::rename(&partial, folder.join(name))
}
