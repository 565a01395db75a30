//! What would have given a kicked-out loan a place: for each kind of change the smallest that was found, by running the
//! passes again on the changed input.
//!
//! Kinds, in their order: more room in a trade, a higher limit, a lower price floor, a shorter buffer, a longer horizon.
//! One change at a time, everything else as it was. For each kind the least change that could do, had no other loan
//! moved, is worked out first and then tried; where others move and it does not do, larger ones follow, and a bisection
//! finds the edge. So what is reported has been tried on both sides: with the change the loan is placed, with one unit
//! less it is not. It is not proven to be the very smallest: fills are not monotone, and a smaller change may do by a
//! lucky chain of moves that nobody can see without trying them all.
//!
//! Room is given to a trade by raising its `trade_amount`: the open amount, the band around it and the limits' amounts
//! move along, by 2.1 and 2.5. A limit is raised at its node, and so for every trade of its instrument.

mod bench;
mod kinds;
mod search;

use powerfill_facts::what_if::{Kind, KindAnswer, WhatIf};

use bench::Bench;
use powerfill_events::values::{LoanId, Name};
use powerfill_snapshot::{RunOptions, Snapshot};

/// Re-runs that one kind of change may take.
pub const MOST_RUNS_OF_A_KIND: u32 = 96;

/// Trades, or limits, that one kind of change is tried on.
pub const MOST_TRIED: usize = 4;

/// Why there is no answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NoAnswer {
    /// The snapshot does not have it.
    #[error("the loan is not in the run's snapshot")]
    UnknownLoan,
    /// It has a place, or takes no part.
    #[error("the loan is not kicked out; only for a kicked-out loan is there something to change")]
    NotKickedOut,
    /// Preflight refuses the run.
    #[error("preflight refuses the run, so that no loan has a place")]
    Refused,
}

/// Asks what would have given a kicked-out loan, its id compared as text, a place. `progress` hears of each re-run.
///
/// # Errors
/// [`NoAnswer`].
pub fn what_if(
    snapshot: Snapshot,
    options: &RunOptions,
    loan_id: &str,
    progress: &mut dyn FnMut(Kind),
) -> Result<WhatIf, NoAnswer> {
    let wanted = Name::new(loan_id);
    let subject = snapshot.loans.binary_search_by(|loan| loan.loan_id.cmp(&wanted));
    let subject = subject.map_err(|_| NoAnswer::UnknownLoan)?;
    let loan_id = LoanId::from(&snapshot.loans[subject].loan_id);
    let mut bench = Bench::new(snapshot, options.clone(), subject as u32)?;
    let mut runs = 1;
    let mut kinds = Vec::with_capacity(Kind::ALL.len());
    for kind in Kind::ALL {
        let (answer, of_kind) = kinds::answer(kind, &mut bench, progress);
        runs += of_kind;
        kinds.push(KindAnswer { kind, runs: of_kind, answer });
    }
    Ok(WhatIf { loan_id, runs, kinds })
}
