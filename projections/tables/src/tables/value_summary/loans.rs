//! What a loan is worth where it is, where it goes, and elsewhere.

use powerfill_events::run::event::{
    CandidateScored, HeldReason, KickoutReason, LoanAllocated, LoanKickedOut, LoanMoved, LoanPinned,
    Pass, PoolAction, Pricing, SyntheticOptionsRanked,
};
use powerfill_events::values::{Money, Price, TradeId};

/// The values of a loan at a trade for which it is a candidate.
pub(super) struct CandidateValue {
    pub(super) trade_id: TradeId,
    price: Price,
    payup: Price,
    pub(super) score: Price,
}

impl CandidateValue {
    pub(super) fn new(scored: &CandidateScored) -> Self {
        let Pricing { price, payup, score, .. } = scored.pricing;
        Self { trade_id: scored.trade_id.clone(), price, payup, score }
    }

    /// The proceeds without the pay-up.
    pub(super) fn base(&self, amount: Money) -> Money {
        amount.at_points(self.price) - amount.at_points(self.payup)
    }
}

/// The trade in which a loan is at the end.
pub(super) struct Place {
    pub(super) trade_id: TradeId,
    pub(super) amount: Money,
    /// The trade of its present pool.
    pub(super) prior_trade_id: Option<TradeId>,
    pub(super) placed_by: PlacedBy,
    pub(super) action: Option<PoolAction>,
    /// `None` if nothing prices the loan in the trade.
    pub(super) worth: Option<Worth>,
    /// The score of the best synthetic option less its own.
    pub(super) give_up: Option<Price>,
}

/// What put a loan into its trade.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum PlacedBy {
    Pass(Pass),
    /// Its pool is locked.
    Locked,
    /// It is held in its pool for another reason.
    Held,
}

impl PlacedBy {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Pass(pass) => pass.as_str(),
            Self::Locked => "locked",
            Self::Held => "held",
        }
    }
}

/// The worth of a loan in its trade, in points.
#[derive(Debug, Clone, Copy)]
pub(super) struct Worth {
    pub(super) price: Price,
    pub(super) payup: Price,
    /// Zero where it is not known (1.5).
    pub(super) carry: Price,
    pub(super) score: Option<Price>,
}

impl From<Pricing> for Worth {
    fn from(pricing: Pricing) -> Self {
        let Pricing { price, payup, carry_cost, score, .. } = pricing;
        Self { price, payup, carry: carry_cost, score: Some(score) }
    }
}

impl Place {
    /// The place of a pinned loan. Its pool must be designated to a trade.
    pub(super) fn pinned(pinned: &LoanPinned) -> Option<Self> {
        let worth = pinned.price.map(|price| Worth {
            price,
            payup: pinned.payup.unwrap_or_default(),
            carry: pinned.carry_cost.unwrap_or_default(),
            score: pinned.score,
        });
        let is_locked = pinned.held_reason == HeldReason::Locked;
        let trade_id = pinned.trade_id.clone()?;
        Some(Self {
            prior_trade_id: Some(trade_id.clone()),
            trade_id,
            amount: pinned.loan_amount,
            placed_by: if is_locked { PlacedBy::Locked } else { PlacedBy::Held },
            action: None,
            worth,
            give_up: None,
        })
    }

    pub(super) fn allocated(allocated: &LoanAllocated) -> Self {
        Self {
            trade_id: allocated.trade_id.clone(),
            amount: allocated.loan_amount,
            prior_trade_id: allocated.prior_trade_id.clone(),
            placed_by: PlacedBy::Pass(allocated.pass),
            action: None,
            worth: Some(allocated.pricing.into()),
            give_up: None,
        }
    }

    pub(super) fn move_to(&mut self, moved: &LoanMoved) {
        self.trade_id = moved.to_trade_id.clone();
        self.placed_by = PlacedBy::Pass(moved.pass);
        self.worth = Some(moved.pricing.into());
    }

    /// A loan that switches pools has two postings; the first names its action.
    pub(super) fn take_action(&mut self, action: PoolAction) {
        if action != PoolAction::SwappedIn {
            self.action = Some(action);
        }
    }

    pub(super) const fn is_placed(&self) -> bool {
        matches!(self.placed_by, PlacedBy::Pass(_))
    }
}

/// An eligible loan that is in no trade at the end.
pub(super) struct Kickout {
    pub(super) reason: KickoutReason,
    pub(super) amount: Money,
    /// The trade of the pool that it leaves.
    pub(super) left_trade: Option<TradeId>,
    /// The price of its best synthetic option.
    pub(super) synthetic_price: Option<Price>,
}

impl Kickout {
    pub(super) fn new(kickout: &LoanKickedOut) -> Self {
        let (reason, amount) = (kickout.reason, kickout.loan_amount);
        Self { reason, amount, left_trade: None, synthetic_price: None }
    }

    pub(super) fn take_options(&mut self, ranked: &SyntheticOptionsRanked) {
        let best = ranked.options.iter().find(|o| o.slot.syn_trade_id == ranked.best_syn_trade_id);
        self.synthetic_price = best.map(|option| option.price);
    }
}
