//! The certificate of a run: how far it is from the best possible, as a recorded challenge says.

use rust_decimal::{Decimal, RoundingStrategy};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{BoundCertified, ChallengeId, ShadowPriceFound};
use crate::values::Money;

/// The certificate of a run (10.2).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct RunCertificate {
    /// The stream of the challenge that says so.
    pub challenge: String,
    /// The gap in basis points of the amount of all eligible loans, to one decimal.
    #[schemars(with = "String")]
    pub gap_bp: Decimal,
    /// What it says.
    #[serde(flatten)]
    pub certified: BoundCertified,
}

impl RunCertificate {
    /// The certificate that a challenge gives.
    pub fn new(challenge: ChallengeId, certified: BoundCertified) -> Self {
        let gap_bp = certified.basis_points(certified.gap);
        Self { challenge: challenge.stream(), gap_bp, certified }
    }
}

impl BoundCertified {
    /// Dollars as basis points of the amount of all eligible loans, to one decimal; 0.0 if that is
    /// zero.
    pub fn basis_points(&self, dollars: Decimal) -> Decimal {
        let points = dollars * Decimal::from(10_000);
        let points = points.checked_div(self.eligible_amount.to_decimal()).unwrap_or_default();
        let mut points = points.round_dp_with_strategy(1, RoundingStrategy::MidpointAwayFromZero);
        points.rescale(1);
        points
    }
}

impl ShadowPriceFound {
    /// What one more $100,000 of it is worth at most.
    pub fn of_hundred_thousand(&self) -> Money {
        Money::whole(100_000).at_points(self.price)
    }
}
