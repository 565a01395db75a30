//! The value bridge (9.4): from the value of the earlier run to that of the later one.

use powerfill_events::values::{Money, TradeId, fold};
use serde::Serialize;

use super::RerunValues;
use super::side::BriefSide;

/// The bridge: its steps add up from one value to the other, to the cent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ValueBridge {
    /// The value of the earlier run, in dollars.
    pub then_amount: Money,
    /// The steps, in order.
    pub steps: Vec<BridgeStep>,
    /// The value of the later run: the sum of all.
    pub now_amount: Money,
}

/// A step of the bridge.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct BridgeStep {
    /// Its name: `loans_gone`, `loans_new`, `prices`, `trades`, `configuration`, `reallocation`.
    pub step: &'static str,
    /// The loans that it is about; NULL for a step that compares runs.
    pub loans: Option<u64>,
    /// What it adds, in dollars.
    pub amount: Money,
}

/// A sum over loans.
#[derive(Default)]
struct LoanSum {
    loans: u64,
    amount: Money,
}

impl LoanSum {
    fn add(&mut self, amount: Money) {
        self.loans += 1;
        self.amount += amount;
    }

    const fn step(&self, step: &'static str) -> BridgeStep {
        BridgeStep { step, loans: Some(self.loans), amount: self.amount }
    }
}

impl ValueBridge {
    /// The bridge between two runs, the earlier one first.
    pub(super) fn new(then: &BriefSide, now: &BriefSide, reruns: RerunValues) -> Self {
        let [mut gone, mut new, mut prices] =
            [const { LoanSum { loans: 0, amount: Money::ZERO } }; 3];
        for (id, loan) in &then.loans {
            let Some(former) = then.value_of(loan) else { continue };
            match now.loans.get(id) {
                None => gone.add(-former),
                Some(_) => {
                    if let Some(repriced) = now.value_at(id, loan.trade_id.as_ref()) {
                        prices.add(repriced - former);
                    }
                }
            }
        }
        for (id, loan) in &now.loans {
            if let (false, Some(value)) = (then.loans.contains_key(id), now.value_of(loan)) {
                new.add(value);
            }
        }
        let (then_amount, now_amount) = (then.value(), now.value());
        let former_configuration = reruns.former_configuration.unwrap_or(now_amount);
        let former_trades = reruns.former_trades.unwrap_or(former_configuration);
        let repriced = then_amount + gone.amount + new.amount + prices.amount;
        let of_runs = |step, amount| BridgeStep { step, loans: None, amount };
        let steps = vec![
            gone.step("loans_gone"),
            new.step("loans_new"),
            prices.step("prices"),
            of_runs("trades", former_configuration - former_trades),
            of_runs("configuration", now_amount - former_configuration),
            of_runs("reallocation", former_trades - repriced),
        ];
        Self { then_amount, steps, now_amount }
    }
}

impl BriefSide {
    /// What a loan is worth at its former trade in this run: in that trade, or as its candidate.
    fn value_at(&self, id: &str, former_trade: Option<&TradeId>) -> Option<Money> {
        let (loan, former) = (self.loans.get(id)?, fold(former_trade?.as_str()));
        let is_there = loan.trade_id.as_ref().is_some_and(|trade| fold(trade.as_str()) == former);
        if is_there {
            return self.value_of(loan);
        }
        self.at_wanted.get(id).map(|price| price.value(loan.amount))
    }
}
