//! The output tables of a run as a workbook, made from its events.

use std::io::{IsTerminal, Write};
use std::path::Path;

use powerfill_domain::run::RunId;
use powerfill_ports::Store;
use powerfill_projections::table::TableSpec;
use powerfill_runner::rebuild;
use powerfill_xlsx::{RunBook, XlsxError};

use crate::failure::Failure;

/// Writes a workbook to a file, or, without one, to standard output; not to a terminal, which has no use for it.
pub(crate) async fn write(
    store: &dyn Store,
    run: RunId,
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
    let mut book = RunBook::new(run, place, of).map_err(failed)?;
    let mut failure = None;
    rebuild::fold(store, run, async |batches, _| {
        for batch in batches {
            if failure.is_none()
                && let Err(error) = book.take(&batch)
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
