//! What the brief reads of a run.

use std::collections::{BTreeMap, HashMap};

use powerfill_events::ignored;
use powerfill_events::run::event::{
    FillStatus, Finding, KickoutReason, LoanKickedOut, LoanPinned, Pricing, TradeAssessed,
};
use powerfill_events::run::{RecordedEvent, RunEvent, RunId};
use powerfill_events::values::{Day, LoanId, Money, Price, TradeId, fold};

use super::BriefHead;
use crate::side::RunSideHead;

/// The price of a loan in a trade, in points.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PairPrice {
    /// All-in, with the pay-up.
    pub price: Price,
    /// Zero where it is not known.
    pub carry: Price,
}

impl PairPrice {
    /// Proceeds and carry of an amount (7.1), in dollars.
    pub fn value(self, amount: Money) -> Money {
        amount.at_points(self.price) + amount.at_points(self.carry)
    }
}

impl From<Pricing> for PairPrice {
    fn from(pricing: Pricing) -> Self {
        Self { price: pricing.price, carry: pricing.carry_cost }
    }
}

/// Where a loan is at the end of a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BriefLoan {
    /// The loan, as the run spells it.
    pub loan_id: LoanId,
    /// Its amount, in dollars.
    pub amount: Money,
    /// Its trade; `None` if it is kicked out, or its pool has none.
    pub trade_id: Option<TradeId>,
    /// What it is worth there; `None` if nothing prices it.
    pub price: Option<PairPrice>,
    /// Why it is kicked out.
    pub kickout: Option<KickoutReason>,
    /// Whether it is locked or held.
    pub is_pinned: bool,
}

/// An assessed trade.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TradeState {
    /// The trade, as the run spells it.
    pub trade_id: TradeId,
    /// When it settles.
    pub settlement_date: Option<Day>,
    /// The target, in dollars.
    pub open_amount: Money,
    /// Whether it is in the run.
    pub is_included: bool,
    /// Its result; `None` until the run has one.
    pub fill: Option<(FillStatus, Money)>,
}

/// Collects what the brief needs from the events of a run, in their order.
#[derive(Debug, Default)]
pub struct BriefSide {
    /// The run.
    pub run: RunSideHead,
    /// By folded id.
    pub(super) loans: BTreeMap<String, BriefLoan>,
    /// By folded id.
    pub(super) trades: BTreeMap<String, TradeState>,
    pub(super) findings: Vec<Finding>,
    /// The trades whose prices are wanted, by folded id of the loan.
    wanted: HashMap<String, TradeId>,
    /// What loans are worth at the wanted trades.
    pub(super) at_wanted: HashMap<String, PairPrice>,
}

impl BriefSide {
    /// A run before its first event.
    pub fn new(run_id: RunId) -> Self {
        Self { run: RunSideHead::new(run_id), ..Self::default() }
    }

    /// The later run before its first event; it also learns what loans are worth at their former
    /// trades.
    pub fn after(run_id: RunId, then: &Self) -> Self {
        let former = then.loans.iter();
        let wanted = former.filter_map(|(id, loan)| Some((id.clone(), loan.trade_id.clone()?)));
        Self { wanted: wanted.collect(), ..Self::new(run_id) }
    }

    /// Applies the next event.
    pub fn apply(&mut self, recorded: &RecordedEvent<'_>) {
        self.run.apply(recorded);
        match recorded.event {
            RunEvent::PreflightCompleted(completed) => {
                self.findings.clone_from(&completed.findings);
            }
            RunEvent::TradeAssessed(trade) => {
                let state = TradeState::from(&**trade);
                self.trades.insert(fold(trade.trade_id.as_str()), state);
            }
            RunEvent::TradeSettlementSet(set) => {
                if let Some(trade) = self.trades.get_mut(&fold(set.trade_id.as_str())) {
                    trade.settlement_date = set.settlement_date;
                }
            }
            RunEvent::TradeFillEvaluated(fill) => {
                if let Some(trade) = self.trades.get_mut(&fold(fill.trade_id.as_str())) {
                    trade.fill = Some((fill.fill_status, fill.shortfall_amount));
                }
            }
            RunEvent::CandidateScored(scored) => {
                let loan = fold(scored.loan_id.as_str());
                let is_same = |trade: &TradeId| {
                    *trade == scored.trade_id
                        || fold(trade.as_str()) == fold(scored.trade_id.as_str())
                };
                if self.wanted.get(&loan).is_some_and(is_same) {
                    self.at_wanted.insert(loan, scored.pricing.into());
                }
            }
            RunEvent::LoanPinned(pinned) => self.put(BriefLoan::from(&**pinned)),
            RunEvent::LoanAllocated(placed) => self.put(BriefLoan {
                loan_id: placed.loan_id.clone(),
                amount: placed.loan_amount,
                trade_id: Some(placed.trade_id.clone()),
                price: Some(placed.pricing.into()),
                kickout: None,
                is_pinned: false,
            }),
            RunEvent::LoanMoved(moved) => {
                if let Some(place) = self.loans.get_mut(&fold(moved.loan_id.as_str())) {
                    place.trade_id = Some(moved.to_trade_id.clone());
                    place.price = Some(moved.pricing.into());
                }
            }
            RunEvent::LoanReleased(released) => {
                self.loans.remove(&fold(released.loan_id.as_str()));
            }
            RunEvent::LoanKickedOut(kickout) => self.put(BriefLoan::from(&**kickout)),
            ignored!(
                RunRequested RunStarted CashGridBuilt ConstraintMatched CandidatesRejected
                PassCompleted ConstraintBlockEvaluated PoolActionDerived Synthetic Verification End
            ) => {}
        }
    }

    fn put(&mut self, place: BriefLoan) {
        self.loans.insert(fold(place.loan_id.as_str()), place);
    }

    /// What a loan is worth in the run (7.1); `None` if it does not count.
    pub(super) fn value_of(&self, loan: &BriefLoan) -> Option<Money> {
        let trade = self.trades.get(&fold(loan.trade_id.as_ref()?.as_str()))?;
        let price = loan.price.filter(|_| trade.is_included)?;
        Some(price.value(loan.amount))
    }

    /// The value of the run (7.1).
    pub fn value(&self) -> Money {
        self.loans.values().filter_map(|loan| self.value_of(loan)).sum()
    }

    pub(super) fn head(&self) -> BriefHead {
        let count =
            |is: fn(&BriefLoan) -> bool| self.loans.values().filter(|loan| is(loan)).count() as u64;
        let mut trades: BTreeMap<&'static str, u64> = BTreeMap::new();
        for (status, _) in self.trades.values().filter_map(|trade| trade.fill) {
            *trades.entry(status.as_str()).or_default() += 1;
        }
        BriefHead {
            run_id: self.run.run_id,
            as_of: self.run.options.as_ref().and_then(|options| options.as_of),
            requested_by: self.run.requested_by.clone(),
            requested_at: self.run.requested_at,
            value_amount: self.value(),
            placed: count(|loan| !loan.is_pinned && loan.kickout.is_none()),
            pinned: count(|loan| loan.is_pinned),
            kicked_out: count(|loan| loan.kickout.is_some()),
            trades,
        }
    }
}

impl From<&TradeAssessed> for TradeState {
    fn from(trade: &TradeAssessed) -> Self {
        Self {
            trade_id: trade.trade_id.clone(),
            settlement_date: trade.settlement_date,
            open_amount: trade.open_amount,
            is_included: trade.band.is_some(),
            fill: None,
        }
    }
}

impl From<&LoanPinned> for BriefLoan {
    fn from(pinned: &LoanPinned) -> Self {
        let carry = pinned.carry_cost.unwrap_or_default();
        Self {
            loan_id: pinned.loan_id.clone(),
            amount: pinned.loan_amount,
            trade_id: pinned.trade_id.clone(),
            price: pinned.price.map(|price| PairPrice { price, carry }),
            kickout: None,
            is_pinned: true,
        }
    }
}

impl From<&LoanKickedOut> for BriefLoan {
    fn from(kickout: &LoanKickedOut) -> Self {
        Self {
            loan_id: kickout.loan_id.clone(),
            amount: kickout.loan_amount,
            trade_id: None,
            price: None,
            kickout: Some(kickout.reason),
            is_pinned: false,
        }
    }
}
