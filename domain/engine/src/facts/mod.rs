//! What the input of a run says about a loan or a trade, by the rules of the run and with the values that decided: who
//! takes part (2.1), which nodes match (2.4), which limits describe which loans (2.5), why pairs are no candidates (2.6).
//! Events say what a run decided; these are the reasons that stand in the snapshot. Found by the functions that decide
//! runs.

mod limits;
mod nodes;
mod pairs;
mod participation;
mod trade;

use powerfill_facts::LoanFacts;
use std::sync::OnceLock;

use super::book::{Book, Ix};
use super::participation::Participation;
use super::prices::Grids;
use super::trades_of_instrument;
use super::tree::{Matcher, Matches, Tree};
use powerfill_events::values::{LoanId, Name};
use powerfill_snapshot::{RunOptions, Snapshot};

/// A snapshot, or an excerpt of one ([`Snapshot::excerpt`]), under the rules of a run.
pub struct Facts<'a> {
    book: Book<'a>,
    grids: Grids,
    participation: Participation,
    tree: Tree,
    /// The included trades of each instrument.
    trades_of_instrument: Vec<Vec<Ix>>,
    /// What the loans that take part match, once it is asked for.
    matches: OnceLock<Matches>,
}

impl<'a> Facts<'a> {
    /// Finds who takes part, and the constraint tree.
    pub fn new(snapshot: &'a Snapshot, options: &'a RunOptions) -> Self {
        let book = Book::new(snapshot, options);
        let grids = Grids::new(&book);
        let participation = Participation::new(&book, &grids);
        let tree = Tree::new(&book);
        let trades_of_instrument = trades_of_instrument(&book, &participation);
        Self { book, grids, participation, tree, trades_of_instrument, matches: OnceLock::new() }
    }

    /// What there is to say about a loan, its id compared as text (1.1); `None` where it is not in the snapshot.
    pub fn loan(&self, loan_id: &str) -> Option<LoanFacts> {
        let ix = self.find_loan(loan_id)?;
        let row = self.book.loan(ix);
        let matched = Matcher::new(&self.book, &self.tree).nodes_of(ix);
        Some(LoanFacts {
            loan_id: LoanId::from(&row.loan_id),
            curr_status: row.curr_status.as_str().to_owned(),
            loan_amount: row.loan_amount,
            note_rate: row.note_rate,
            term_months: row.term_months,
            close_date: row.close_date,
            lock_expiration_date: row.lock_expiration_date,
            deliverable_on: self.book.eligible_on[ix as usize],
            pool: self.pool(ix),
            participation: self.participates(ix),
            nodes: self.nodes(ix, &matched),
            rejections: self.rejections(ix),
        })
    }

    fn matches(&self) -> &Matches {
        self.matches.get_or_init(|| Matches::new(&self.book, &self.tree, &self.participation))
    }

    fn find_loan(&self, loan_id: &str) -> Option<Ix> {
        let (loans, wanted) = (&self.book.snapshot.loans, Name::new(loan_id));
        loans.binary_search_by(|loan| loan.loan_id.cmp(&wanted)).ok().map(|at| at as Ix)
    }
}
