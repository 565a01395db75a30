//! Which limits of a trade describe which loans (2.5).

use std::sync::Arc;

use powerfill_events::run::event::Node;
use powerfill_events::values::{LoanId, Money, Share, TradeId};

/// A limit of a trade.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LimitFacts {
    /// Whose.
    pub node: Arc<Node>,
    /// The trade.
    pub trade_id: TradeId,
    /// Share of the open amount.
    pub hi_limit: Share,
    /// In dollars.
    pub hi_amount: Money,
    /// The loans of the snapshot, or excerpt, that it binds: those that match the node and take
    /// part.
    pub describes: Vec<LoanId>,
}
