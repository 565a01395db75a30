//! Makes the document from the events of the head and the rows of tables.

use powerfill_events::run::event::EventType;
use powerfill_events::run::{RecordedEvent, RunId};
use powerfill_tables::named_row::{NamedRow, named_rows};
use powerfill_tables::table::{RowBatch, TableSpec};
use powerfill_tables::tables::{
    findings, kickout, pool_guide, powerfill_guide, powerfill_log, trade_base, trade_recap,
    value_summary,
};

use crate::document::{Overview, OverviewFinding, OverviewFindings, OverviewLogLine};
use crate::flow::Flows;
use crate::head::Head;
use crate::kickouts::Kickouts;
use crate::moves::Moves;
use crate::trades::Trades;
use crate::worth::Values;

/// The version of the document.
const VERSION: u32 = 1;

/// The findings that are listed.
const MAX_FINDINGS: usize = 100;

/// Makes an [`Overview`] from the events of [`EVENTS`](Self::EVENTS) and then the rows of
/// [`TABLES`](Self::TABLES), table by table, in their order.
#[derive(Default)]
pub struct OverviewBuilder {
    head: Head,
    values: Values,
    trades: Trades,
    flows: Flows,
    kickouts: Kickouts,
    moves: Moves,
    findings: OverviewFindings,
    log: Vec<OverviewLogLine>,
}

impl OverviewBuilder {
    /// The events that it needs.
    pub const EVENTS: [EventType; 4] = [
        EventType::RunRequested,
        EventType::RunStarted,
        EventType::InvariantsVerified,
        EventType::RunCompleted,
    ];

    /// The tables that it needs, in the order in which it takes their rows.
    pub const TABLES: [&TableSpec; 8] = [
        &trade_base::TABLE,
        &trade_recap::TABLE,
        &value_summary::TABLE,
        &pool_guide::TABLE,
        &powerfill_guide::TABLE,
        &kickout::TABLE,
        &findings::TABLE,
        &powerfill_log::TABLE,
    ];

    /// Before the first event.
    pub fn new(run_id: RunId) -> Self {
        Self { head: Head::new(run_id), ..Self::default() }
    }

    /// Applies the next event; other events than those that it needs change nothing.
    pub fn apply(&mut self, event: &RecordedEvent<'_>) {
        self.head.apply(event);
    }

    /// Takes the next rows; rows of other tables than those that it needs change nothing.
    pub fn take(&mut self, batch: &RowBatch) {
        let take: fn(&mut Self, NamedRow<'_>) = match batch.table.name {
            name if name == trade_base::TABLE.name => |to, row| to.trades.assess(row),
            name if name == trade_recap::TABLE.name => |to, row| to.trades.fill(row),
            name if name == value_summary::TABLE.name => Self::take_value,
            name if name == pool_guide::TABLE.name => |to, row| to.kickouts.post(row),
            name if name == powerfill_guide::TABLE.name => Self::take_loan,
            name if name == kickout::TABLE.name => Self::take_kickout,
            name if name == findings::TABLE.name => Self::take_finding,
            name if name == powerfill_log::TABLE.name => |to, row| {
                let (step, message) = (row.name("step"), row.name("message"));
                to.log.push(OverviewLogLine { step, message, row_count: row.count("row_count") });
            },
            _ => return,
        };
        named_rows(batch).for_each(|row| take(self, row));
    }

    fn take_value(&mut self, row: NamedRow<'_>) {
        match row.str("grouping") {
            "trade" => self.trades.set_value(row),
            "under_trade" => self.trades.set_cost(row),
            "kickout_reason" => self.kickouts.set_value(row),
            _ => self.values.take(row),
        }
    }

    fn take_loan(&mut self, row: NamedRow<'_>) {
        self.trades.place(row);
        self.flows.place(row, &self.trades);
        self.moves.place(row);
    }

    fn take_kickout(&mut self, row: NamedRow<'_>) {
        let left_trade = self.kickouts.take(row);
        self.flows.kick_out(row, left_trade.clone(), &self.trades);
        self.moves.leave(row, left_trade);
    }

    fn take_finding(&mut self, row: NamedRow<'_>) {
        let Some(code) = row.choice("code") else { return };
        self.findings.warnings += 1;
        *self.findings.codes.entry(row.str("code").to_owned()).or_default() += 1;
        if self.findings.first.len() < MAX_FINDINGS {
            let (subject, message) = (row.text("subject"), row.name("message"));
            self.findings.first.push(OverviewFinding { code, subject, message });
        }
    }

    /// The document, without a certificate; `None` before the run is Complete.
    pub fn finish(self) -> Option<Overview> {
        let run = self.head.finish()?;
        let kickouts = self.kickouts.finish(&self.trades);
        let (flow, instrument_flow) = self.flows.finish();
        let (trades, trade_groups) = self.trades.finish();
        Some(Overview {
            version: VERSION,
            run,
            value: self.values.value,
            waterfall: self.values.waterfall,
            certificate: None,
            trades,
            trade_groups,
            flow,
            instrument_flow,
            kickouts,
            moves: self.moves.finish(),
            findings: self.findings,
            log: self.log,
        })
    }
}
