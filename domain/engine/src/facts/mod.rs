//! What the input of a run says about a loan or a trade, by the rules of the run and with the
//! values that decided: who takes part (2.1), which nodes match (2.4), which limits describe which
//! loans (2.5), and why pairs are rejected (2.6).
//!
//! Events carry decisions, and these are the reasons, which only the snapshot has. They come from
//! the functions that decide runs.

mod limits;
mod nodes;
mod pairs;
mod participation;
mod trade;

use std::sync::OnceLock;

use super::context::RunContext;
use super::matching::{Matcher, Matches};
use powerfill_events::values::LoanId;
use powerfill_facts::LoanFacts;
use powerfill_snapshot::{RunOptions, Snapshot};

/// A snapshot, or an excerpt of one ([`Snapshot::excerpt`]), under the rules of a run.
pub struct Facts<'a> {
    context: RunContext<'a>,
    /// What the loans that take part match; computed on first use.
    matches: OnceLock<Matches>,
}

impl<'a> Facts<'a> {
    /// Resolves the input; loans are matched later, when a question needs it.
    pub fn new(snapshot: &'a Snapshot, options: &'a RunOptions) -> Self {
        Self { context: RunContext::new(snapshot, options), matches: OnceLock::new() }
    }

    /// The facts about a loan, whose id compares as text (1.1); `None` where the snapshot does not
    /// have it.
    pub fn loan(&self, loan_id: &str) -> Option<LoanFacts> {
        let RunContext { book, tree, .. } = &self.context;
        let idx = book.find_loan(loan_id)?;
        let row = book.loan(idx);
        let matched = Matcher::new(book, tree).nodes_of(idx);
        Some(LoanFacts {
            loan_id: LoanId::from(&row.loan_id),
            curr_status: row.curr_status.as_str().to_owned(),
            loan_amount: row.loan_amount,
            note_rate: row.note_rate,
            term_months: row.term_months,
            close_date: row.close_date,
            lock_expiration_date: row.lock_expiration_date,
            deliverable_on: book.eligible_on[idx],
            pool: self.pool(idx),
            participation: self.participation(idx),
            nodes: self.nodes(idx, &matched),
            rejections: self.rejections(idx),
        })
    }

    fn matches(&self) -> &Matches {
        self.matches.get_or_init(|| Matches::new(&self.context))
    }
}
