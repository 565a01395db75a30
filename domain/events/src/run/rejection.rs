//! Why the aggregate does not accept something: one variant a rule (specification 3.1), in the
//! order in which the rules are tried. The names are part of the published behaviour.

use crate::values::{LoanId, Money, TradeId};

/// The rule that a command or an event would break.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RunRejection {
    /// Nothing may follow a terminal event.
    #[error("the run is over: no event may follow {ended_by}")]
    RunIsOver {
        /// The terminal event's type.
        ended_by: &'static str,
    },
    /// A run is asked for once.
    #[error("the run was requested before")]
    AlreadyRequested,
    /// The first event of a run is its request.
    #[error("the run has not been requested")]
    NotRequested,
    /// A run starts once.
    #[error("the run has started before")]
    AlreadyStarted,
    /// What a run decides comes after its start.
    #[error("{event} came before the run started")]
    NotStarted {
        /// The event's type.
        event: &'static str,
    },
    /// A trade is assessed once: a second band would forget what the trade is filled with.
    #[error("trade {trade} was assessed before")]
    TradeAssessedBefore {
        /// The trade.
        trade: TradeId,
    },
    /// A loan is allocated at most once at a time.
    #[error("loan {loan} is allocated to {trade} already")]
    LoanAlreadyAllocated {
        /// The loan.
        loan: LoanId,
        /// Where it is.
        trade: TradeId,
    },
    /// Only an allocated loan moves or is released, and only from where it is.
    #[error("loan {loan} is not allocated to {trade}")]
    LoanNotThere {
        /// The loan.
        loan: LoanId,
        /// Where it was said to be.
        trade: TradeId,
    },
    /// Only a loan that is not allocated is kicked out.
    #[error("loan {loan} cannot be kicked out: it is allocated to {trade}")]
    KickoutOfAllocatedLoan {
        /// The loan.
        loan: LoanId,
        /// Where it is.
        trade: TradeId,
    },
    /// A loan is kicked out once, and not allocated afterwards.
    #[error("loan {loan} was kicked out before")]
    LoanKickedOutBefore {
        /// The loan.
        loan: LoanId,
    },
    /// An allocation or a move needs a trade of this run.
    #[error("trade {trade} is not in the run")]
    TradeNotIncluded {
        /// The trade.
        trade: TradeId,
    },
    /// The filled amount that an event says is not the one that the events before it add up to.
    #[error("trade {trade} is filled with {actual}, not with {said}")]
    FillDoesNotAddUp {
        /// The trade.
        trade: TradeId,
        /// What the event says.
        said: Money,
        /// What the events add up to.
        actual: Money,
    },
    /// No allocation brings a trade above its max.
    #[error("trade {trade} would be filled with {filled}, above its max of {max}")]
    TradeAboveMax {
        /// The trade.
        trade: TradeId,
        /// With the loan.
        filled: Money,
        /// The upper end of its band.
        max: Money,
    },
    /// One posting for each key of 2.10.
    #[error("loan {loan} has this posting already")]
    PostingRepeated {
        /// The loan.
        loan: LoanId,
    },
}
