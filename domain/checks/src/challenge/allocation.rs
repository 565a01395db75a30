//! The allocation of a run, and that of its challenger.

use powerfill_events::challenge::{AllocationTotals, ChallengeEvent};
use powerfill_events::values::{LoanId, Money, Price, TradeId};

use super::account::{Account, AccountCandidate, Prices};
use super::expect_same;
use super::fault::ChallengeFault;
use crate::arithmetic::{narrow, nearest};
use crate::decisions::Decisions;

/// Per loan of the snapshot: the trade that it is placed in.
#[derive(Clone)]
pub(super) struct FinalAllocation(Vec<Option<usize>>);

impl FinalAllocation {
    /// The candidate where a loan is placed.
    pub(super) fn candidate<'a>(
        &self,
        account: &'a Account<'_>,
        loan: usize,
    ) -> Option<&'a AccountCandidate> {
        let trade = self.0[loan]?;
        account.candidates[loan].iter().find(|candidate| candidate.trade == trade)
    }

    /// The placed loans with their candidates.
    pub(super) fn placed<'a>(
        &self,
        account: &'a Account<'_>,
    ) -> impl Iterator<Item = (usize, &'a AccountCandidate)> {
        (0..self.0.len()).filter_map(|loan| Some((loan, self.candidate(account, loan)?)))
    }

    /// The amounts per trade and per block.
    pub(super) fn amounts(&self, account: &Account<'_>) -> (Vec<Money>, Vec<Money>) {
        let mut in_trade = vec![Money::ZERO; account.terms.trades.len()];
        let mut in_block = vec![Money::ZERO; account.block_count()];
        for (loan, candidate) in self.placed(account) {
            in_trade[candidate.trade] += account.amount(loan);
            for block in account.blocks(candidate) {
                in_block[*block] += account.amount(loan);
            }
        }
        (in_trade, in_block)
    }
}

impl Account<'_> {
    pub(super) fn run_allocation(
        &self,
        decisions: &Decisions<'_>,
    ) -> Result<FinalAllocation, ChallengeFault> {
        let trades = (0..self.candidates.len()).map(|loan| decisions.trade_of(loan));
        let allocation = FinalAllocation(trades.collect());
        self.check_candidates(&allocation)?;
        Ok(allocation)
    }

    /// The allocation of the challenger: that of the run, with what is decided otherwise.
    pub(super) fn challenger(
        &self,
        run: &FinalAllocation,
        challenge: &[ChallengeEvent],
        prices: &Prices,
    ) -> Result<FinalAllocation, ChallengeFault> {
        let mut own = run.clone();
        let mut is_seen = vec![false; own.0.len()];
        for event in challenge {
            let (loan_id, amount, from, to) = match event {
                ChallengeEvent::ChallengerPlaced(event) => {
                    let from = event.from_trade_id.as_ref().zip(event.from_score);
                    let from = from.zip(event.from_score_after_prices);
                    let from = from.map(|((trade, score), after)| (trade, score, after));
                    let to = (&event.to_trade_id, event.to_score, event.to_score_after_prices);
                    (&event.loan_id, event.loan_amount, from, Some(to))
                }
                ChallengeEvent::ChallengerReleased(event) => {
                    let after = event.from_score_after_prices;
                    let from = (&event.from_trade_id, event.from_score, after);
                    (&event.loan_id, event.loan_amount, Some(from), None)
                }
                _ => continue,
            };
            let loan = self.find(loan_id)?;
            let subject = format!("loan {loan_id}");
            expect_same(&subject, &self.amount(loan), &amount)?;
            if std::mem::replace(&mut is_seen[loan], true) {
                return Err(ChallengeFault::new(subject, "one decision", "another one"));
            }
            let present = run.0[loan];
            let from_trade = self.check_place(loan, from, prices)?;
            expect_same(&format!("{subject} in the run"), &present, &from_trade)?;
            let to_trade = self.check_place(loan, to, prices)?;
            if to_trade == present {
                return Err(ChallengeFault::new(subject, "a decision that differs", "the same"));
            }
            own.0[loan] = to_trade;
        }
        self.check_candidates(&own)?;
        Ok(own)
    }

    fn find(&self, loan: &LoanId) -> Result<usize, ChallengeFault> {
        let found = self.terms.find_loan(loan).filter(|loan| self.is_eligible(*loan));
        let subject = format!("loan {loan}");
        found.ok_or_else(|| ChallengeFault::new(subject, "an eligible loan", "none"))
    }

    /// The trade of a place, whose scores must be those of the candidate.
    fn check_place(
        &self,
        loan: usize,
        place: Option<(&TradeId, Price, Price)>,
        prices: &Prices,
    ) -> Result<Option<usize>, ChallengeFault> {
        let Some((trade_id, score, after)) = place else { return Ok(None) };
        let trade = self.terms.find_trade(trade_id);
        let candidate = self.candidates[loan].iter().find(|c| Some(c.trade) == trade);
        let expected = candidate.map(|c| (c.score, self.score_after_prices(prices, c)));
        let subject = format!("the scores of loan {} in {trade_id}", self.loan_id(loan));
        expect_same(&subject, &expected, &Some((score, after)))?;
        Ok(trade)
    }

    fn loan_id(&self, loan: usize) -> &str {
        self.terms.snapshot.loans[loan].loan_id.as_str()
    }

    /// Every placed loan is eligible, and a candidate where it is placed.
    fn check_candidates(&self, allocation: &FinalAllocation) -> Result<(), ChallengeFault> {
        for (loan, trade) in allocation.0.iter().enumerate() {
            let is_right = trade.is_none()
                || (self.is_eligible(loan) && allocation.candidate(self, loan).is_some());
            if !is_right {
                let subject = format!("loan {}", self.loan_id(loan));
                return Err(ChallengeFault::new(
                    subject,
                    "a candidate of the run",
                    "another trade",
                ));
            }
        }
        Ok(())
    }

    /// The allocation is within the rooms of trades and limits.
    pub(super) fn check_rooms(&self, allocation: &FinalAllocation) -> Result<(), ChallengeFault> {
        let (in_trade, in_block) = allocation.amounts(self);
        for (trade, amount) in in_trade.iter().enumerate() {
            if *amount > Money::ZERO && *amount > self.trade_room(trade) {
                let room = self.trade_room(trade);
                return Err(ChallengeFault::new(
                    self.terms.trade_subject(trade).to_string(),
                    format!("at most {room}"),
                    amount.to_string(),
                ));
            }
        }
        for (block, amount) in in_block.iter().enumerate() {
            if let Some(room) = self.block_room(block).filter(|room| amount > room) {
                return Err(ChallengeFault::new(
                    self.block_subject(block).to_string(),
                    format!("at most {room}"),
                    amount.to_string(),
                ));
            }
        }
        Ok(())
    }

    /// What an allocation is worth, in units of 10^−12 dollars.
    pub(super) fn worth(&self, allocation: &FinalAllocation) -> i128 {
        allocation.placed(self).map(|(loan, candidate)| self.candidate_worth(loan, candidate)).sum()
    }

    /// The sums of an allocation.
    pub(super) fn totals(&self, allocation: &FinalAllocation) -> AllocationTotals {
        let (in_trade, _) = allocation.amounts(self);
        let filled = self.terms.trades.iter().zip(in_trade).filter(|(trade, placed)| {
            let filled = trade.held + *placed;
            trade.is_included() && trade.min <= filled && filled <= trade.max
        });
        let filled_trades = crate::arithmetic::count(filled.count());
        let mut totals = AllocationTotals { filled_trades, ..AllocationTotals::default() };
        for loan in (0..self.candidates.len()).filter(|loan| self.is_eligible(*loan)) {
            let Some(candidate) = allocation.candidate(self, loan) else {
                totals.kicked_out += 1;
                continue;
            };
            let amount = self.amount(loan);
            totals.placed += 1;
            totals.placed_amount += amount;
            totals.proceeds += dollars_at(amount, candidate.price);
            let stays = self.terms.prior_trade(loan) == Some(candidate.trade);
            totals.stays += u64::from(stays);
            totals.switches += u64::from(!stays && self.terms.pool_of[loan].is_some());
        }
        totals
    }
}

/// dollars(a, p) of 7.1.
fn dollars_at(amount: Money, price: Price) -> Money {
    let exact = i128::from(amount.units()) * i128::from(price.units());
    Money::from_units(narrow(nearest(exact, 100 * i128::from(Price::ONE_UNITS))))
}
