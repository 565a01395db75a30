//! The positions of subscribers that keep them in the store (specification 4.5), such as a relay.

use async_trait::async_trait;

use crate::StoreResult;

/// The positions of one tenant's subscribers.
///
/// # Errors
/// Each call returns an error if the store fails; a method names the others that it has.
#[async_trait]
pub trait SubscriberStore: Send + Sync {
    /// The global position of the last event that a subscriber has processed; `None` if it has no
    /// position yet.
    async fn subscriber(&self, name: &str) -> StoreResult<Option<u64>>;

    /// All subscribers with their positions, ordered by name.
    async fn subscribers(&self) -> StoreResult<Vec<(String, u64)>>;

    /// Moves a subscriber from the position `before` to `position`. Returns `false` and changes
    /// nothing if it is not at `before`: another process uses the same name.
    async fn advance(&self, name: &str, before: Option<u64>, position: u64) -> StoreResult<bool>;
}
