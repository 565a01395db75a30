//! The output tables of 1.5, one file each, in one list. A table is a [`TableSpec`] and a [`Projector`] that makes its
//! rows from events and from nothing else (3.3).

use powerfill_events::run::RecordedEvent;

use crate::table::{RowBatch, TableSpec};

/// Makes the rows of one table from a run's events, in their order. Pure: no clock, no other input.
pub trait Projector: Send {
    /// The table.
    fn table(&self) -> &'static TableSpec;

    /// Grows when the same events lead to other rows than before, so that a store knows to rebuild.
    fn version(&self) -> u32;

    /// Takes the next event; whether it changed something.
    fn apply(&mut self, event: &RecordedEvent<'_>) -> bool;

    /// Moves rows that no later event can change, in table order, to the end of `out`. None, where a table's rows are
    /// final only at the end.
    fn drain(&mut self, _out: &mut RowBatch) {}

    /// Copies the rows that were not drained, as they stand now, in table order, to the end of `out`.
    fn rows(&self, out: &mut RowBatch);
}

/// A table whose rows each come from one event, which come in the order of the table. Its rows are final at once.
pub(crate) struct Streamed {
    version: u32,
    project: fn(&RecordedEvent<'_>, &mut RowBatch) -> bool,
    rows: RowBatch,
}

impl Streamed {
    pub(crate) const fn new(
        table: &'static TableSpec,
        version: u32,
        project: fn(&RecordedEvent<'_>, &mut RowBatch) -> bool,
    ) -> Self {
        Self { version, project, rows: RowBatch::new(table) }
    }
}

impl Projector for Streamed {
    fn table(&self) -> &'static TableSpec {
        self.rows.table
    }
    fn version(&self) -> u32 {
        self.version
    }
    fn apply(&mut self, event: &RecordedEvent<'_>) -> bool {
        (self.project)(event, &mut self.rows)
    }
    fn drain(&mut self, out: &mut RowBatch) {
        out.append(&mut self.rows);
    }
    fn rows(&self, out: &mut RowBatch) {
        out.cells.extend_from_slice(&self.rows.cells);
    }
}

macro_rules! tables {
    (decisions { $($decision:ident)* } records { $($record:ident)* }) => {
        $(pub mod $decision;)*
        $(pub mod $record;)*

        /// The tables that say what a run decided, in the order of 1.5: what the digest of the outputs covers.
        pub static DECISIONS: &[&TableSpec] = &[$(&$decision::TABLE),*];

        /// All tables, in the order of 1.5.
        pub static ALL: &[&TableSpec] = &[$(&$decision::TABLE,)* $(&$record::TABLE),*];

        /// A projector for each of [`ALL`], in that order, before the first event.
        pub fn projectors() -> Vec<Box<dyn Projector>> {
            vec![$(Box::new($decision::projector()),)* $(Box::new($record::projector())),*]
        }
    };
}

tables! {
    decisions {
        findings
        trade_base
        candy
        powerfill_guide
        pool_guide
        kickout
        trade_recap
        loan_constraint_pool
        syn_trade_base
        all_rank
        syn_guide
        cash_market_map
    }
    records {
        powerfill_log
        run_history
    }
}

/// The table with this name.
pub fn named(name: &str) -> Option<&'static TableSpec> {
    ALL.iter().copied().find(|table| table.name == name)
}

/// `trade_id_origin` of the synthetic tables (1.5).
pub(crate) const TRADE_ID_ORIGIN: &str = "pfill_syn_powerfill_guide";
