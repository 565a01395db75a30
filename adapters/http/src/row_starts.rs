//! Where the rows of a table that is built from events are among the events of its run. A page
//! begins to read there, and not at the beginning of the run.

use parking_lot::Mutex;

/// A row, and where its event is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct RowStart {
    /// The number of the row, from 0.
    pub(crate) row: u64,
    /// Its event has this version or a later one, and no row before it has.
    pub(crate) version: u64,
}

/// The beginning of a run.
const FIRST: RowStart = RowStart { row: 0, version: 1 };

/// The rows of a table that begin a batch, as far as the table was read.
#[derive(Debug, Default)]
pub(crate) struct RowStarts {
    /// In ascending order.
    known: Mutex<Vec<RowStart>>,
}

impl RowStarts {
    /// The last known start that is not after a row.
    pub(crate) fn before(&self, row: u64) -> RowStart {
        let known = self.known.lock();
        let end = known.partition_point(|start| start.row <= row);
        end.checked_sub(1).map_or(FIRST, |last| known[last])
    }

    /// Keeps a start.
    pub(crate) fn add(&self, start: RowStart) {
        let mut known = self.known.lock();
        if let Err(at) = known.binary_search_by_key(&start.row, |known| known.row) {
            known.insert(at, start);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_begins_at_the_last_start_before_its_first_row() {
        let starts = RowStarts::default();
        assert_eq!(starts.before(9), FIRST);
        let [second, third] = [(4, 100), (8, 300)].map(|(row, version)| RowStart { row, version });
        for start in [third, second, second] {
            starts.add(start);
        }
        let found = [0, 3, 4, 7, 8, 99].map(|row| starts.before(row));
        assert_eq!(found, [FIRST, FIRST, second, second, third, third]);
    }
}
