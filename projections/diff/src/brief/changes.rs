//! What became of the loans and the trades between two runs (9.2).

use std::collections::BTreeMap;

use powerfill_events::run::event::FillStatus;
use powerfill_events::values::{Day, Money, TradeId, fold};
use serde::Serialize;

use super::side::{BriefLoan, BriefSide, TradeState};

/// The loans that a group lists at most: those with the largest amounts.
const LISTED: usize = 100;

/// The loans by what became of them.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct LoanChanges {
    /// They take part only in the later run.
    pub new: LoanChangeGroup,
    /// They took part only in the earlier run.
    pub gone: LoanChangeGroup,
    /// They are in another trade.
    pub moved: LoanChangeGroup,
    /// They were kicked out, and are in a trade.
    pub rescued: LoanChangeGroup,
    /// They were in a trade, and are kicked out.
    pub newly_kicked_out: LoanChangeGroup,
}

/// Loans to which the same happened.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct LoanChangeGroup {
    /// Their number.
    pub loans: u64,
    /// Their amount, in dollars.
    pub loan_amount: Money,
    /// What their value changed by (7.1), in dollars. A loan that does not count is worth 0.00.
    pub value_amount: Money,
    /// Those of them that are kicked out in the later run; of gone loans, in the earlier one.
    pub kicked_out: u64,
    /// The first hundred, by amount, the largest first.
    pub listed: Vec<LoanChange>,
}

/// A loan and what became of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LoanChange {
    /// The loan.
    pub loan_id: String,
    /// Its amount in the later run that has it, in dollars.
    pub loan_amount: Money,
    /// What its value changed by, in dollars.
    pub value_amount: Money,
    /// Its trade in the earlier run.
    pub from_trade_id: Option<TradeId>,
    /// Its trade in the later run.
    pub to_trade_id: Option<TradeId>,
    /// Why it is kicked out, in the later run that has it.
    pub reason: Option<&'static str>,
}

impl LoanChangeGroup {
    fn add(
        &mut self,
        then: (&BriefSide, Option<&BriefLoan>),
        now: (&BriefSide, Option<&BriefLoan>),
    ) {
        let value = |(side, loan): (&BriefSide, Option<&BriefLoan>)| {
            loan.and_then(|loan| side.value_of(loan)).unwrap_or_default()
        };
        let Some(loan) = now.1.or(then.1) else { return };
        let value_amount = value(now) - value(then);
        self.loans += 1;
        self.loan_amount += loan.amount;
        self.value_amount += value_amount;
        self.kicked_out += u64::from(loan.kickout.is_some());
        self.listed.push(LoanChange {
            loan_id: loan.loan_id.to_string(),
            loan_amount: loan.amount,
            value_amount,
            from_trade_id: then.1.and_then(|loan| loan.trade_id.clone()),
            to_trade_id: now.1.and_then(|loan| loan.trade_id.clone()),
            reason: loan.kickout.map(|reason| reason.as_str()),
        });
    }

    fn finish(&mut self) {
        // The sort is stable: loans of the same amount stay in the order of their ids.
        self.listed.sort_by_key(|loan| std::cmp::Reverse(loan.loan_amount));
        self.listed.truncate(LISTED);
    }
}

impl LoanChanges {
    /// The changes from one run to another.
    pub(super) fn new(then: &BriefSide, now: &BriefSide) -> Self {
        let mut changes = Self::default();
        for (id, former) in &then.loans {
            let present = now.loans.get(id);
            let group = match present {
                None => &mut changes.gone,
                Some(present) => match (former.kickout.is_some(), present.kickout.is_some()) {
                    (true, false) => &mut changes.rescued,
                    (false, true) => &mut changes.newly_kicked_out,
                    (false, false) if !is_same_trade(former, present) => &mut changes.moved,
                    (true, true) | (false, false) => continue,
                },
            };
            group.add((then, Some(former)), (now, present));
        }
        for (id, present) in &now.loans {
            if !then.loans.contains_key(id) {
                changes.new.add((then, None), (now, Some(present)));
            }
        }
        for group in changes.groups_mut() {
            group.finish();
        }
        changes
    }

    /// The groups with their titles, in the order of 9.2.
    pub fn groups(&self) -> [(&'static str, &LoanChangeGroup); 5] {
        let Self { new, gone, moved, rescued, newly_kicked_out } = self;
        [
            ("new", new),
            ("gone", gone),
            ("moved", moved),
            ("rescued", rescued),
            ("newly kicked out", newly_kicked_out),
        ]
    }

    const fn groups_mut(&mut self) -> [&mut LoanChangeGroup; 5] {
        let Self { new, gone, moved, rescued, newly_kicked_out } = self;
        [new, gone, moved, rescued, newly_kicked_out]
    }
}

fn is_same_trade(a: &BriefLoan, b: &BriefLoan) -> bool {
    let folded = |place: &BriefLoan| place.trade_id.as_ref().map(|trade| fold(trade.as_str()));
    folded(a) == folded(b)
}

/// The included trades by what became of them.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct TradeChanges {
    /// Only the later run has them.
    pub new: Vec<BriefTrade>,
    /// Only the earlier run had them: they are settled, canceled, or excluded.
    pub gone: Vec<BriefTrade>,
    /// They were short, and are not any more.
    pub filled: Vec<BriefTrade>,
    /// They were not short, and are now.
    pub fallen_short: Vec<BriefTrade>,
}

/// A trade and what became of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct BriefTrade {
    /// The trade.
    pub trade_id: TradeId,
    /// When it settles.
    pub settlement_date: Option<Day>,
    /// Its target, in dollars.
    pub open_amount: Money,
    /// Its fill status in the later run that has it.
    pub fill_status: Option<&'static str>,
    /// What is missing to min there, in dollars.
    pub shortfall_amount: Money,
}

impl From<&TradeState> for BriefTrade {
    fn from(trade: &TradeState) -> Self {
        Self {
            trade_id: trade.trade_id.clone(),
            settlement_date: trade.settlement_date,
            open_amount: trade.open_amount,
            fill_status: trade.fill.map(|(status, _)| status.as_str()),
            shortfall_amount: trade.fill.map_or(Money::ZERO, |(_, shortfall)| shortfall),
        }
    }
}

impl TradeState {
    /// Whether the trade is filled below min.
    pub(super) fn is_short(&self) -> bool {
        self.fill.is_some_and(|(status, _)| status == FillStatus::Under)
    }
}

impl TradeChanges {
    pub(super) fn new(then: &BriefSide, now: &BriefSide) -> Self {
        let included = |trades: &BTreeMap<String, TradeState>| -> BTreeMap<String, TradeState> {
            let included = trades.iter().filter(|(_, trade)| trade.is_included);
            included.map(|(id, trade)| (id.clone(), trade.clone())).collect()
        };
        let (former, present) = (included(&then.trades), included(&now.trades));
        let mut changes = Self::default();
        for (id, trade) in &present {
            match former.get(id) {
                None => changes.new.push(trade.into()),
                Some(before) if before.is_short() && !trade.is_short() => {
                    changes.filled.push(trade.into());
                }
                Some(before) if !before.is_short() && trade.is_short() => {
                    changes.fallen_short.push(trade.into());
                }
                Some(_) => {}
            }
        }
        let gone = former.iter().filter(|(id, _)| !present.contains_key(*id));
        changes.gone = gone.map(|(_, trade)| trade.into()).collect();
        changes
    }
}
