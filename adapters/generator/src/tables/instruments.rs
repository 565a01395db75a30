//! Table `pscat_instruments`.

use crate::catalog::{Catalog, Instrument};
use crate::error::GenerateError;
use crate::figures::{or_empty, rate};
use crate::folder::Folder;
use crate::shapes::{Agency, Shape};

pub(crate) fn write(folder: &mut Folder, catalog: &Catalog) -> Result<(), GenerateError> {
    let mut table = folder.table(
        "pscat_instruments",
        &[
            "investor_id",
            "investor_instrument_name",
            "kind",
            "coupon",
            "min_note_rate",
            "max_note_rate",
            "min_term_months",
            "max_term_months",
            "base_note_rate",
            "rate_multiple",
        ],
    )?;
    for instrument in &catalog.instruments {
        let (least, greatest) = instrument.shape.terms();
        let (base, multiple) = buy_up(instrument);
        table.row(&[
            instrument.shape.investor().to_owned(),
            instrument.name.clone(),
            instrument.shape.kind().to_owned(),
            rate(instrument.coupon),
            or_empty(instrument.min_note_rate, rate),
            or_empty(instrument.max_note_rate, rate),
            least.to_string(),
            greatest.to_string(),
            base,
            multiple,
        ])?;
    }
    folder.close(table)
}

/// Who pays for servicing above the base, and at which multiple (2.3).
fn buy_up(instrument: &Instrument) -> (String, String) {
    let multiple = match instrument.shape {
        Shape::SecondBank => "1.75",
        Shape::Plain15(Agency::Freddie) => "1.25",
        _ => return (String::new(), String::new()),
    };
    (rate(instrument.coupon + 625), multiple.to_owned())
}
