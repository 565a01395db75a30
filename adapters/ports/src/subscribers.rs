//! How far each subscriber outside has come that keeps its position here (specification 4.5), such
//! as a relay.

use async_trait::async_trait;

use crate::StoreError;

/// The positions of one tenant's subscribers.
#[async_trait]
pub trait SubscriberStore: Send + Sync {
    /// The global position of the last event that a subscriber is done with; `None` where it has
    /// never said.
    ///
    /// # Errors
    /// Where the store fails.
    async fn subscriber(&self, name: &str) -> Result<Option<u64>, StoreError>;

    /// All subscribers with their positions, by name.
    ///
    /// # Errors
    /// Where the store fails.
    async fn subscribers(&self) -> Result<Vec<(String, u64)>, StoreError>;

    /// Moves a subscriber on from where it was `before`. `false`, and nothing is kept, where it is
    /// not there any more: somebody else goes by this name.
    ///
    /// # Errors
    /// Where the store fails.
    async fn advance(
        &self,
        name: &str,
        before: Option<u64>,
        position: u64,
    ) -> Result<bool, StoreError>;
}
