//! The second opinion on every run: the invariants of 2.12, checked before a run is recorded as
//! Complete.
//!
//! This crate cannot see the engine, so a mistake there is not repeated here. From the snapshot and
//! the options it computes again who takes part, which trades are included, what they can take,
//! which loan matches which node, and the pricing of each pair. From the events it reads what the
//! run decided. Then it compares, and stops at the first invariant that is broken.
//!
//! * `terms`, `trades`, `tree`, `pricing`, `pairs`: the terms of the run, from the snapshot (2.1,
//!   2.3 to 2.6)
//! * `decisions`: what the events say
//! * `challenge`: the judgment of challenges (10.4)
//! * `loans` (1, 5), `amounts` (2, 3), `placements` (4), `postings` (6), `leftovers` (7): the
//!   invariants

#![warn(
    clippy::cast_lossless,
    clippy::cast_possible_truncation,
    clippy::cast_possible_wrap,
    clippy::cast_precision_loss,
    clippy::cast_sign_loss
)]

mod amounts;
mod arithmetic;
mod challenge;
mod decisions;
mod leftovers;
mod loans;
mod pairs;
mod placements;
mod postings;
mod pricing;
mod terms;
mod trades;
mod tree;
mod violation;

pub use challenge::{ChallengeFault, ChallengeJudgment, judge_challenge};
pub use violation::{STATEMENTS, Violation, ViolationSubject};

use powerfill_events::run::RunEvent;
use powerfill_events::run::event::{InvariantCheck, InvariantsVerified};
use powerfill_snapshot::{RunOptions, Snapshot};

use amounts::FinalAmounts;
use decisions::Decisions;
use terms::RunTerms;
use tree::NodeTree;

/// Checks a run by its events so far, in order, from its start to the UE pass (2.12).
///
/// `options` are the run's; their `as_of` can be NULL, which means the snapshot's. The work is one
/// sweep over the events, and then in proportion to loans and trades, not to candidates.
///
/// # Errors
/// The first invariant that does not hold, in the order of 2.12. Events that contradict each other
/// or name what the snapshot lacks are reported first.
pub fn verify<C: AsRef<[RunEvent]>>(
    snapshot: &Snapshot,
    options: &RunOptions,
    chunks: &[C],
) -> Result<InvariantsVerified, Violation> {
    let chunks: Vec<&[RunEvent]> = chunks.iter().map(AsRef::as_ref).collect();
    let terms = RunTerms::new(snapshot, options);
    let tree = NodeTree::new(&terms);
    let decisions = Decisions::read(&terms, &chunks)?;
    // The search for the candidates of the placements takes about as long as all the rest.
    let (candidates, rest) = rayon::join(
        || decisions.candidates(&terms, &chunks),
        || check_all_but_candidates(&terms, &tree, &decisions),
    );
    let [one, two, three, five, six, seven] = rest;
    let four = || placements::check_candidates(&terms, &tree, &decisions, &candidates);
    let checked = [one?, two?, three?, four()?, five?, six?, seven?];
    let checks = (1..)
        .zip(STATEMENTS)
        .zip(checked)
        .map(|((invariant, statement), checked)| InvariantCheck {
            invariant,
            statement: statement.to_owned(),
            checked,
        })
        .collect();
    Ok(InvariantsVerified { checks })
}

/// The invariants that need no candidates of the events: 1, 2, 3, 5, 6, and 7.
fn check_all_but_candidates(
    terms: &RunTerms<'_>,
    tree: &NodeTree<'_>,
    decisions: &Decisions<'_>,
) -> [Result<u64, Violation>; 6] {
    let amounts = FinalAmounts::new(terms, tree, decisions);
    [
        loans::check_ends(terms, decisions),
        amounts::check_bands(terms, decisions, &amounts),
        amounts::check_limits(terms, tree, decisions, &amounts),
        loans::check_pinned(terms, decisions),
        postings::check_postings(terms, decisions),
        leftovers::check_nothing_fits(terms, tree, decisions, &amounts),
    ]
}
