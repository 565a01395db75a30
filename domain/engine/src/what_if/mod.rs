//! What would have placed a kicked-out loan: for each kind of change the smallest one that was
//! found, by running the passes again on changed input.
//!
//! The kinds, in their order: more room in a trade, a higher limit, a lower price floor, a shorter
//! buffer, a longer horizon. One value changes at a time. For each kind, the search starts from the
//! least change that would place the loan if no other loan moved. Where that is not enough, larger
//! changes follow, and a bisection finds the edge. So a reported change has been tried on both
//! sides: with it the loan is placed, with one unit less it is not. It is not proven to be the
//! smallest one, because placements are not monotone in the input: a smaller change can place the
//! loan through a chain of moves.
//!
//! A trade gets room by a higher `trade_amount`; its open amount, its band, and the amounts of its
//! limits follow (2.1, 2.5). A limit is raised at its node, and so for every trade of its
//! instrument.

mod changes;
mod error;
mod experiment;
mod search;

pub use changes::{MAX_LEVERS_PER_KIND, MAX_RUNS_PER_KIND};
pub use error::NoAnswer;

use experiment::Experiment;
use powerfill_events::values::{Key, LoanId};
use powerfill_facts::what_if::{ChangeKind, ChangeResult, WhatIf};
use powerfill_snapshot::{RunOptions, Snapshot};

use crate::book::LoanIdx;

/// Searches for the changes that place a kicked-out loan. The loan's id compares as text.
/// `progress` is called before each re-run.
///
/// # Errors
/// [`NoAnswer`].
pub fn what_if(
    snapshot: Snapshot,
    options: &RunOptions,
    loan_id: &str,
    progress: &mut dyn FnMut(ChangeKind),
) -> Result<WhatIf, NoAnswer> {
    let wanted = Key::<LoanId>::from(loan_id);
    let subject = snapshot.loans.binary_search_by(|loan| loan.loan_id.cmp(&wanted));
    let subject = subject.map_err(|_| NoAnswer::UnknownLoan)?;
    let loan_id = LoanId::from(&snapshot.loans[subject].loan_id);
    let mut experiment = Experiment::new(snapshot, options.clone(), LoanIdx::new(subject))?;
    let mut runs = 1;
    let mut kinds = Vec::with_capacity(ChangeKind::ALL.len());
    for kind in ChangeKind::ALL {
        let (answer, runs_of_kind) = changes::answer(kind, &mut experiment, progress);
        runs += runs_of_kind;
        kinds.push(ChangeResult { kind, runs: runs_of_kind, answer });
    }
    Ok(WhatIf { loan_id, runs, kinds })
}
