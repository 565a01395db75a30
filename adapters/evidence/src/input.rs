//! The captured snapshot as CSV files, for readers without PowerFill.

use powerfill_snapshot::Snapshot;
use powerfill_snapshot::canonical::CanonicalFault;

use crate::EvidenceError;
use crate::parts::{input_part, names};

/// The tables of a captured snapshot as parts: names and contents, in the order of 1.2.
///
/// # Errors
/// [`EvidenceError::Damaged`] if it is no canonical form.
pub(crate) fn input_parts(canonical: &[u8]) -> Result<Vec<(String, Vec<u8>)>, EvidenceError> {
    let unreadable = |error: CanonicalFault| EvidenceError::damaged(names::INPUT, error);
    let tables = Snapshot::tables_of_canonical(canonical).map_err(unreadable)?;
    let part = |table: powerfill_snapshot::RawTable| {
        let mut csv = csv::Writer::from_writer(Vec::new());
        csv.write_record(table.columns())?;
        for row in 0..table.rows() {
            csv.write_record((0..table.columns().len()).map(|column| table.cell(row, column)))?;
        }
        let csv = csv.into_inner().map_err(csv::IntoInnerError::into_error)?;
        Ok::<_, csv::Error>((input_part(table.name()), csv))
    };
    let parts = tables.into_iter().map(part).collect::<Result<_, _>>();
    parts.map_err(|error| EvidenceError::damaged(names::INPUT, error))
}
