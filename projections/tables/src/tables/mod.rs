//! The output tables of 1.5, one file per table, in one list. A table is a declaration
//! ([`TableSpec`]) and a [`Projector`] that makes its rows from a run's events alone (3.3).

use powerfill_events::run::RecordedEvent;
use powerfill_events::run::event::SyntheticOption;
use powerfill_events::values::LoanId;

use crate::table::{Cell, ReportSpec, RowBatch, TableRef, TableRole, TableSpec};

/// Makes the rows of one table from a run's events, in their order. It has no other input.
///
/// What it writes into a column never changes for the same events, because digests of former runs
/// cover the column. Another meaning is another column, [added](crate::table::Column::since) by the
/// next version of the table.
pub trait Projector: Send {
    /// The declaration of the table.
    fn table(&self) -> TableRef;

    /// Applies the next event. Returns whether the rows changed.
    fn apply(&mut self, event: &RecordedEvent<'_>) -> bool;

    /// Moves the rows that no later event can change to the end of `out`, in table order. A table
    /// whose rows are final only at the end moves none.
    fn drain(&mut self, _out: &mut RowBatch) {}

    /// Copies the rows that were not drained to the end of `out`, in table order, as they are after
    /// the events so far.
    fn rows(&self, out: &mut RowBatch);
}

/// A table each of whose rows comes from one event, in the order of the events. Its rows are final
/// at once.
pub(crate) struct Streamed {
    project: fn(&RecordedEvent<'_>, &mut RowBatch) -> bool,
    rows: RowBatch,
}

impl Streamed {
    pub(crate) const fn new(
        table: TableRef,
        project: fn(&RecordedEvent<'_>, &mut RowBatch) -> bool,
    ) -> Self {
        Self { project, rows: RowBatch::new(table) }
    }
}

impl Projector for Streamed {
    fn table(&self) -> TableRef {
        self.rows.table
    }
    fn apply(&mut self, event: &RecordedEvent<'_>) -> bool {
        (self.project)(event, &mut self.rows)
    }
    fn drain(&mut self, out: &mut RowBatch) {
        let former = self.rows.cells.len();
        out.append(&mut self.rows);
        // About as many rows come until the next call.
        self.rows.cells.reserve(former);
    }
    fn rows(&self, out: &mut RowBatch) {
        out.cells.extend_from_slice(&self.rows.cells);
    }
}

/// Makes the projectors of a set of tables, before the first event.
pub type Projectors = fn() -> Vec<Box<dyn Projector>>;

macro_rules! tables {
    ($($table:ident: $kind:ident,)*) => {
        $(pub mod $table;)*

        /// All tables, in the order of 1.5.
        pub static ALL: &[&TableSpec] = &[$(&$table::TABLE),*];

        /// A projector for each of [`ALL`], in that order, before the first event.
        pub fn projectors() -> Vec<Box<dyn Projector>> {
            vec![$(Box::new(tables!(@$kind $table))),*]
        }
    };
    (@streamed $table:ident) => {
        Streamed::new(&$table::TABLE, $table::project)
    };
    (@folded $table:ident) => {
        $table::projector()
    };
}

// The rows of a streamed table come from one event each; a folded one has its own projector.
tables! {
    findings: streamed,
    trade_base: streamed,
    candy: streamed,
    powerfill_guide: folded,
    pool_guide: streamed,
    kickout: streamed,
    trade_recap: streamed,
    loan_constraint_pool: streamed,
    syn_trade_base: streamed,
    all_rank: streamed,
    syn_guide: streamed,
    cash_market_map: streamed,
    value_summary: folded,
    powerfill_log: folded,
    run_history: folded,
}

/// The tables that say what a run decided, in the order of 1.5. The output digest covers them.
pub fn decisions() -> impl Iterator<Item = TableRef> {
    ALL.iter().copied().filter(|table| table.role == TableRole::Decision)
}

/// The reports of all tables with their tables, in the order of 4.3.
pub fn reports() -> Vec<(TableRef, &'static ReportSpec)> {
    let mut reports = Vec::new();
    for table in ALL {
        reports.extend(table.reports.iter().map(|report| (*table, report)));
    }
    reports.sort_by_key(|(_, report)| report.position);
    reports
}

/// The table with this name.
pub fn named(name: &str) -> Option<TableRef> {
    ALL.iter().copied().find(|table| table.name == name)
}

/// The cells of a synthetic option, which begin the rows of both tables of options (2.11).
fn option_cells(loan_id: &LoanId, option: &SyntheticOption) -> [Cell; 12] {
    [
        loan_id.into(),
        (&option.slot.syn_trade_id).into(),
        (&option.slot.investor_instrument_name).into(),
        option.slot.settlement_date.into(),
        option.interest_earning_days.into(),
        option.price.into(),
        option.payup.into(),
        option.carry_cost.into(),
        option.prx_plus_carry.into(),
        option.rank_po.into(),
        option.rank_pc.into(),
        Cell::Name(TRADE_ID_ORIGIN),
    ]
}

/// `trade_id_origin` of the synthetic tables (1.5).
pub(crate) const TRADE_ID_ORIGIN: &str = "pfill_syn_powerfill_guide";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::table::DiffRules;

    #[test]
    fn declarations_name_their_own_columns_once() {
        for table in ALL {
            let DiffRules { pair_by, decision, remarks, because, .. } = table.diff;
            assert!(![table.purpose, table.rows, because].contains(&""), "{}", table.name);
            let judged = [pair_by, decision, remarks].concat();
            for names in [&judged[..], table.key] {
                for (at, name) in names.iter().enumerate() {
                    assert!(table.position(name).is_some(), "{}: {name}", table.name);
                    assert!(!names[..at].contains(name), "{}: {name} twice", table.name);
                }
            }
            // A comparison keeps a set of columns in one machine word, a bit per column.
            assert!(table.columns.len() <= 32, "{}", table.name);
        }
    }

    #[test]
    fn each_report_has_its_own_position() {
        let positions: Vec<u8> = reports().iter().map(|(_, report)| report.position).collect();
        assert_eq!(positions, (1..=u8::try_from(positions.len()).unwrap()).collect::<Vec<_>>());
    }
}
