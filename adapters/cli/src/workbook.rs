//! The output tables of a run as a workbook, made from its events.

use std::io::{IsTerminal, Write};
use std::path::Path;

use powerfill_app::rebuild;
use powerfill_events::run::RunId;
use powerfill_ports::Store;
use powerfill_tables::table::TableSpec;
use powerfill_xlsx::{RunWorkbook, XlsxError};

use crate::failure::Failure;

/// Writes a workbook of a run as it stood after an event to a file, or, without one, to standard
/// output; not to a terminal, which has no use for it.
pub(crate) async fn write(
    store: &dyn Store,
    run: RunId,
    at: u64,
    of: &[&'static TableSpec],
    place: Option<&Path>,
    keep: impl Fn(&TableSpec) -> bool,
) -> Result<(), Failure> {
    match place {
        Some(place) => prepare(place)?,
        None if std::io::stdout().is_terminal() => {
            let message = "a workbook is nothing for a terminal: name a file with --out FILE";
            return Err(Failure::Environment(message.to_owned()));
        }
        None => {}
    }
    let failed = |error: XlsxError| Failure::Environment(error.to_string());
    let mut book = RunWorkbook::new(run, place, of).map_err(failed)?;
    let mut failure = None;
    rebuild::fold_to(store, run, at, async |batches, _| {
        for batch in batches {
            if failure.is_none()
                && let Err(error) = book.add(&batch)
            {
                failure = Some(error);
            }
        }
        Ok(())
    })
    .await?;
    if let Some(error) = failure {
        return Err(failed(error));
    }
    match place {
        Some(_) => book.save(keep).map_err(failed),
        None => {
            let bytes = book.into_bytes(keep).map_err(failed)?;
            std::io::stdout().lock().write_all(&bytes)?;
            Ok(())
        }
    }
}

/// Makes sure that a file can come to be there.
pub(crate) fn prepare(place: &Path) -> Result<(), Failure> {
    let shown = place.display();
    if place.is_dir() {
        let file = place.join("run.xlsx");
        let message = format!("{shown} is a folder; name a file, as {}", file.display());
        return Err(Failure::Environment(message));
    }
    match place.parent() {
        Some(folder) => std::fs::create_dir_all(folder)
            .map_err(|error| Failure::Environment(format!("cannot write {shown}: {error}"))),
        None => Ok(()),
    }
}
