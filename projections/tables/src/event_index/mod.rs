//! The index of a run's events by loan and trade (specification 3.3). With it, a story needs a few
//! events instead of the whole stream.
//!
//! The index is a projection like the output tables: it comes from the events and nothing else, is
//! kept for every run, and a rebuild makes it again. Verification compares it, because an event
//! that is missing here would be missing in a story. It is no output, so the output digest does not
//! cover it.

mod names;
mod subject;
mod versions;

use powerfill_events::ignored;
use powerfill_events::run::{RecordedEvent, RunEvent};
use powerfill_events::values::TradeId;

use crate::status::RunStatus;
use names::{Names, Postings};
pub use subject::{Subject, SubjectKind};
pub use versions::{NoVersions, Versions};

/// The version of this projector. It grows with every change of what the projector lists; an index
/// of another version is not read.
pub const PROJECTOR_VERSION: u32 = 1;

/// The events of one subject.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IndexEntry {
    /// The subject.
    pub subject: Subject,
    /// The versions of its events in the run's stream.
    pub versions: Versions,
}

/// A finished index of a run's events, as a store keeps it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunIndex {
    /// The [`PROJECTOR_VERSION`] that made it.
    pub projector_version: u32,
    /// The version of the stream that it reaches up to.
    pub up_to_version: u64,
    /// By subject; subjects without events are left out.
    pub entries: Vec<IndexEntry>,
}

/// Collects the index of one run from its events, in their order.
#[derive(Debug, Default)]
pub struct EventIndex {
    up_to_version: u64,
    status: Option<RunStatus>,
    allocation_over: bool,
    run: Postings,
    loans: Names,
    trades: Names,
}

impl EventIndex {
    /// The index before the first event.
    pub fn new() -> Self {
        Self::default()
    }

    /// The version of the last event that was applied.
    pub const fn up_to_version(&self) -> u64 {
        self.up_to_version
    }

    /// Applies the next event of the run.
    pub fn apply(&mut self, recorded: &RecordedEvent<'_>) {
        let version = recorded.stream_version;
        self.up_to_version = version;
        if self.is_milestone(recorded.event) {
            self.run.named.push(version);
        }
        match recorded.event {
            RunEvent::RunRequested(_)
            | RunEvent::RunStarted(_)
            | RunEvent::PreflightCompleted(_)
            | RunEvent::ConstraintMatched(_)
            | RunEvent::PassCompleted(_)
            | RunEvent::InvariantsVerified(_)
            | RunEvent::RunCompleted(_)
            | RunEvent::RunFailed(_)
            | RunEvent::RunCancelled(_) => self.run.named.push(version),
            RunEvent::TradeAssessed(e) => self.fill(&e.trade_id, version),
            RunEvent::TradeSettlementSet(e) => {
                self.trades.of(e.trade_id.as_str()).named.push(version);
            }
            RunEvent::LoanPinned(e) => {
                self.loans.of(e.loan_id.as_str()).named.push(version);
                if let Some(trade_id) = &e.trade_id {
                    self.fill(trade_id, version);
                }
            }
            RunEvent::CandidateScored(e) => {
                self.loans.of(e.loan_id.as_str()).named.push(version);
                self.trades.of(e.trade_id.as_str()).named.push(version);
            }
            RunEvent::CandidatesRejected(e) => {
                self.loans.of(e.loan_id.as_str()).named.push(version);
                for rejection in &e.rejections {
                    self.trades.of(rejection.trade_id.as_str()).named.push(version);
                }
            }
            RunEvent::LoanAllocated(e) => {
                self.loans.of(e.loan_id.as_str()).placed.push(version);
                self.fill(&e.trade_id, version);
            }
            RunEvent::LoanMoved(e) => {
                self.loans.of(e.loan_id.as_str()).placed.push(version);
                self.fill(&e.from_trade_id, version);
                self.fill(&e.to_trade_id, version);
                if let Some(other) = &e.made_room_for {
                    self.loans.of(other.as_str()).named.push(version);
                }
            }
            RunEvent::LoanReleased(e) => {
                self.loans.of(e.loan_id.as_str()).placed.push(version);
                self.fill(&e.trade_id, version);
                self.loans.of(e.exchanged_for.as_str()).named.push(version);
            }
            RunEvent::ConstraintBlockEvaluated(e) => self.fill(&e.trade_id, version),
            RunEvent::TradeFillEvaluated(e) => self.fill(&e.trade_id, version),
            RunEvent::LoanKickedOut(e) => self.loans.of(e.loan_id.as_str()).placed.push(version),
            RunEvent::PoolActionDerived(e) => {
                self.loans.of(e.loan_id.as_str()).named.push(version);
                if let Some(trade_id) = &e.trade_id {
                    self.trades.of(trade_id.as_str()).named.push(version);
                }
            }
            RunEvent::SyntheticOptionsRanked(e) => {
                self.loans.of(e.loan_id.as_str()).named.push(version);
            }
            RunEvent::CashMarketMapped(e) => self.loans.of(e.loan_id.as_str()).named.push(version),
            // These events are about instruments, not about a loan or a trade.
            ignored!(CashGridBuilt SyntheticTradePriced) => {}
        }
    }

    fn fill(&mut self, trade_id: &TradeId, version: u64) {
        self.trades.of(trade_id.as_str()).placed.push(version);
    }

    /// Whether the event brings the run to another status, or beyond the last pass. With these
    /// events, a reader of a few events knows the status of the run.
    fn is_milestone(&mut self, event: &RunEvent) -> bool {
        let status = self.status.max(Some(RunStatus::reached_with(event)));
        let evaluated = matches!(
            event,
            RunEvent::ConstraintBlockEvaluated(_)
                | RunEvent::TradeFillEvaluated(_)
                | RunEvent::LoanKickedOut(_)
        );
        let is = status != self.status || (evaluated && !self.allocation_over);
        self.status = status;
        self.allocation_over |= evaluated;
        is
    }

    /// The index of the events so far.
    pub fn finish(self) -> RunIndex {
        let mut entries = Vec::new();
        let mut list = |subject: Subject, versions: versions::Rising| {
            if !versions.is_empty() {
                entries.push(IndexEntry { subject, versions: versions.finish() });
            }
        };
        list(Subject::run(), self.run.named);
        for (name, Postings { named, placed }) in self.loans.into_folded() {
            list(Subject { kind: SubjectKind::Place, name: name.clone() }, placed);
            list(Subject { kind: SubjectKind::Loan, name }, named);
        }
        for (name, Postings { named, placed }) in self.trades.into_folded() {
            list(Subject { kind: SubjectKind::Fill, name: name.clone() }, placed);
            list(Subject { kind: SubjectKind::Trade, name }, named);
        }
        entries.sort_unstable_by(|one, other| one.subject.cmp(&other.subject));
        RunIndex {
            projector_version: PROJECTOR_VERSION,
            up_to_version: self.up_to_version,
            entries,
        }
    }
}
