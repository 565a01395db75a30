//! Why a what-if question has no answer.

/// Why a what-if question has no answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NoAnswer {
    /// The id names no row of `loan`.
    #[error("the loan is not in the run's snapshot")]
    UnknownLoan,
    /// The loan is placed, pinned, or out of scope.
    #[error("the loan is not kicked out; only for a kicked-out loan is there something to change")]
    NotKickedOut,
    /// A run of the unchanged input fails at preflight.
    #[error("preflight refuses the run, so that no loan has a place")]
    Refused,
}
