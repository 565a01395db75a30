//! Stores with a bug, to see that the simulation finds it: each changes one call on its way to the sound store.

/// A bug.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mutant {
    /// What is staged is shown whoever asks for it.
    PublishWithoutFence,
    /// Rows are staged whoever brings them.
    StageWithoutFence,
    /// Events are appended whoever brings them, wherever the stream ends.
    AppendWithoutFenceAndVersion,
    /// An append that is made again is not recognised.
    AppendNotRecognised,
    /// A lease that was lost is renewed.
    RenewWithoutToken,
    /// Where a run stands is said by whoever says it.
    StatusWithoutToken,
    /// A run is claimed while its worker's lease holds.
    ClaimWithoutLease,
    /// Nobody is told of a cancel.
    CancelForgotten,
    /// A run is in the queue for a while before its request is in the log.
    RequestAfterQueue,
    /// A subscription begins one event too late.
    SubscriptionSkips,
}

impl Mutant {
    pub(crate) const ALL: [Self; 10] = [
        Self::PublishWithoutFence,
        Self::StageWithoutFence,
        Self::AppendWithoutFenceAndVersion,
        Self::AppendNotRecognised,
        Self::RenewWithoutToken,
        Self::StatusWithoutToken,
        Self::ClaimWithoutLease,
        Self::CancelForgotten,
        Self::RequestAfterQueue,
        Self::SubscriptionSkips,
    ];
}
