//! How far the run is from the best possible, and what binds it (part 10).

use powerfill_events::challenge::{RunCertificate, ShadowPriceFound};
use powerfill_events::values::Money;
use schemars::JsonSchema;
use serde::Serialize;

/// The prices that are listed.
const MAX_PRICES: usize = 50;

/// The certificate of a run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct OverviewCertificate {
    /// How far it is from the best possible.
    #[serde(flatten)]
    pub certificate: RunCertificate,
    /// What more room, or less priority, is worth: the highest prices.
    pub prices: Vec<OverviewPrice>,
    /// The number of the other prices above 0.
    pub other_prices: u64,
}

/// A shadow price.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct OverviewPrice {
    /// The price.
    #[serde(flatten)]
    pub found: ShadowPriceFound,
    /// What one more $100,000 is worth at most.
    pub hundred_thousand_amount: Money,
}

impl OverviewCertificate {
    /// A certificate with its prices, the highest first.
    pub fn new(certificate: RunCertificate, prices: Vec<ShadowPriceFound>) -> Self {
        let other_prices = prices.len().saturating_sub(MAX_PRICES) as u64;
        let prices = prices.into_iter().take(MAX_PRICES).map(|found| {
            let hundred_thousand_amount = found.of_hundred_thousand();
            OverviewPrice { found, hundred_thousand_amount }
        });
        Self { certificate, prices: prices.collect(), other_prices }
    }
}
