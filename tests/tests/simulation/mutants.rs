//! Stores with one bug each, which the simulation must find. A bug changes one call on its way to
//! the store.

/// A bug.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mutant {
    /// Any worker can publish staged rows.
    PublishWithoutFence,
    /// Any worker can stage rows.
    StageWithoutFence,
    /// Any worker can append events, at any version of the stream.
    AppendWithoutFenceAndVersion,
    /// A repeated append is not recognized.
    AppendNotRecognised,
    /// A lost lease can be renewed.
    RenewWithoutToken,
    /// Any worker can set the status of a run.
    StatusWithoutToken,
    /// A run can be claimed during another worker's lease.
    ClaimWithoutLease,
    /// The cancel request is lost.
    CancelForgotten,
    /// A run is in the queue for a while before its request is in the log.
    RequestAfterQueue,
    /// A subscription starts one event too late.
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
