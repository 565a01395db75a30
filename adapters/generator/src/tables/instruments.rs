//! Table `pscat_instruments`.

use crate::catalog::{Catalog, Instrument};
use crate::error::GenerateError;
use crate::figures::{or_empty, rate};
use crate::folder::Folder;

pub(crate) fn write(folder: &mut Folder, catalog: &Catalog) -> Result<(), GenerateError> {
    let mut table = folder.table("pscat_instruments")?;
    for instrument in &catalog.instruments {
        let (least, greatest) = instrument.kind.terms;
        let (base, multiple) = buy_up(instrument);
        table.row(&[
            instrument.kind.investor.to_owned(),
            instrument.name.clone(),
            instrument.kind.kind().to_owned(),
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

/// The base note rate and the rate multiple of instruments with a buy-up (2.3).
fn buy_up(instrument: &Instrument) -> (String, String) {
    let multiple = match instrument.kind.code.as_str() {
        "MERIDIAN WL" => "1.75",
        "FH15" => "1.25",
        _ => return (String::new(), String::new()),
    };
    (rate(instrument.coupon + 625), multiple.to_owned())
}
