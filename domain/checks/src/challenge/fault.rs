//! What is wrong with a challenge.

use crate::violation::Violation;

/// A statement of a challenge that does not hold.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ChallengeFault {
    /// The run itself contradicts its snapshot.
    #[error("the challenged run is not valid: {0}")]
    Run(Violation),
    /// Something of the challenge.
    #[error("{subject}: expected {expected}, found {found}")]
    Statement {
        /// The loan, trade, limit, turn, or sum.
        subject: String,
        /// What follows from the snapshot and the run.
        expected: String,
        /// What the challenge says.
        found: String,
    },
}

impl ChallengeFault {
    pub(super) fn new(
        subject: impl Into<String>,
        expected: impl Into<String>,
        found: impl Into<String>,
    ) -> Self {
        Self::Statement { subject: subject.into(), expected: expected.into(), found: found.into() }
    }
}
