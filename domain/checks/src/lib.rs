//! The second opinion on every run: the invariants of 2.12, before a run is recorded as Complete.
//!
//! Nothing here looks at the passes. From the snapshot and the options alone this module works out again who takes
//! part, which trades are in, what they can take, which loan matches which node and what a pair is worth; from the
//! events it reads what the run decided; then it compares. It shares no code with the engine, so that a slip there is
//! not repeated here, and it stops at the first invariant that is broken.
//!
//! * `book`, `trades`, `tree`, `pricing`: the run's terms, from the snapshot (2.1, 2.3 to 2.5)
//! * `story`: what the events say
//! * `loans` (1, 5), `amounts` (2, 3), `placements` (4), `postings` (6), `leftovers` (7): the invariants

mod amounts;
mod arithmetic;
mod book;
mod leftovers;
mod loans;
mod placements;
mod postings;
mod pricing;
mod story;
mod trades;
mod tree;

use std::fmt;

use powerfill_events::run::RunEvent;
use powerfill_events::run::event::{InvariantCheck, InvariantsVerified, Node};
use powerfill_events::values::{LoanId, TradeId};
use powerfill_snapshot::{RunOptions, Snapshot};

use book::Book;
use story::Story;
use tree::Tree;

/// What each invariant of 2.12 says, in its order.
pub const STATEMENTS: [&str; 7] = [
    "every eligible loan is either allocated or kicked out, and no other loan is",
    "no trade is filled above its maximum, unless held loans alone exceed it; filled is the sum of its loans",
    "no limit is exceeded, unless held loans alone exceed it",
    "every allocation is a candidate of this run; score and price recompute from the snapshot",
    "no locked or held loan has moved",
    "every loan with a present or a destination pool has its posting; switches come in pairs",
    "no open candidate fits",
];

/// An invariant of 2.12 that a run breaks: where, and how.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "invariant {invariant} ({}) is broken at {subject}: expected {expected}, found {found}",
    STATEMENTS[usize::from(*invariant) - 1]
)]
pub struct Violation {
    /// Its number in 2.12, from 1.
    pub invariant: u8,
    /// Where it is broken.
    pub subject: Subject,
    /// What the snapshot calls for.
    pub expected: String,
    /// What the events say.
    pub found: String,
}

impl Violation {
    fn new(
        invariant: u8,
        subject: Subject,
        expected: impl Into<String>,
        found: impl Into<String>,
    ) -> Self {
        Self { invariant, subject, expected: expected.into(), found: found.into() }
    }
}

/// What an invariant is broken at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Subject {
    /// A loan.
    Loan(LoanId),
    /// A trade.
    Trade(TradeId),
    /// A limit of a node in a trade.
    Block {
        /// The node.
        node: Box<Node>,
        /// The trade.
        trade_id: TradeId,
    },
}

impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Loan(loan_id) => write!(f, "loan {loan_id}"),
            Self::Trade(trade_id) => write!(f, "trade {trade_id}"),
            Self::Block { node, trade_id } => write!(
                f,
                "node {}|{}|{} in trade {trade_id}",
                node.investor_id, node.investor_instrument_name, node.constraint_name
            ),
        }
    }
}

/// Judges a run by its events so far, in order, from its start to the UE pass (2.12).
///
/// `options` are the run's; their `as_of` may be NULL, which means the snapshot's. Costs one sweep over the events and
/// work in proportion to the loans and trades, not to the candidates.
///
/// # Errors
/// The first invariant that does not hold, in the order of 2.12 except that a story that contradicts itself (a loan
/// placed twice, a name that the snapshot lacks) is told first.
pub fn verify<C: AsRef<[RunEvent]>>(
    snapshot: &Snapshot,
    options: &RunOptions,
    chunks: &[C],
) -> Result<InvariantsVerified, Violation> {
    let chunks: Vec<&[RunEvent]> = chunks.iter().map(AsRef::as_ref).collect();
    let book = Book::new(snapshot, options);
    let tree = Tree::new(&book);
    let story = Story::read(&book, &chunks)?;
    // Finding the candidates of the placements takes about as long as all the rest.
    let (candidates, rest) = rayon::join(
        || story.candidates(&book, &chunks),
        || all_but_candidates(&book, &tree, &story),
    );
    let [one, two, three, five, six, seven] = rest;
    let four = || placements::are_candidates(&book, &tree, &story, &candidates);
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

/// The invariants that need no candidates of the events: 1, 2, 3, 5, 6, 7.
fn all_but_candidates(
    book: &Book<'_>,
    tree: &Tree<'_>,
    story: &Story<'_>,
) -> [Result<u64, Violation>; 6] {
    let amounts = amounts::Amounts::at_the_end(book, tree, story);
    [
        loans::one_end_each(book, story),
        amounts::within_the_bands(book, story, &amounts),
        amounts::within_the_limits(book, tree, story, &amounts),
        loans::pinned_stay(book, story),
        postings::complete(book, story),
        leftovers::none_fits(book, tree, story, &amounts),
    ]
}
