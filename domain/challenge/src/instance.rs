//! The instance of a run: rooms, limits, candidates, and what each is worth (10.1).

use std::ops::Range;
use std::sync::Arc;

use powerfill_events::challenge::ChallengeWeights;
use powerfill_events::run::event::Node;
use powerfill_events::values::{LoanId, TradeId};

/// The room of an included trade. Amounts are in cents.
#[derive(Debug, Clone)]
pub struct TradeRoom {
    /// The trade.
    pub trade_id: TradeId,
    /// Lower end of the band.
    pub min: i64,
    /// Upper end of the band.
    pub max: i64,
    /// Of locked and held loans.
    pub held: i64,
}

impl TradeRoom {
    /// max − held, never negative.
    pub fn room(&self) -> i64 {
        (self.max - self.held).max(0)
    }

    /// Whether the trade is in its band with this amount of placed loans.
    pub fn is_filled_with(&self, placed: i64) -> bool {
        (self.min..=self.max).contains(&(self.held + placed))
    }
}

/// The room under the upper limit of a node in a trade.
#[derive(Debug, Clone)]
pub struct LimitRoom {
    /// The node.
    pub node: Arc<Node>,
    /// Position of the trade.
    pub trade: u32,
    /// hi − what locked and held loans use, never negative, in cents.
    pub room: i64,
}

/// An eligible loan.
#[derive(Debug, Clone)]
pub struct InstanceLoan {
    /// The loan.
    pub loan_id: LoanId,
    /// In cents; above 0.
    pub amount: i64,
    /// Position of the trade of its present pool, if that is in the run.
    pub present: Option<u32>,
    /// Whether it is in a pool.
    pub is_pooled: bool,
    /// The pair where the run placed it.
    pub placed: Option<u32>,
}

/// A candidate of the run.
#[derive(Debug, Clone, Copy)]
pub struct LoanPair {
    /// Position of the loan.
    pub loan: u32,
    /// Position of the trade.
    pub trade: u32,
    /// Its turn, from 1.
    pub turn: u32,
    /// Whether the loan fits the trade and its limits when no other eligible loan is there.
    pub is_usable: bool,
    /// Units of 10^−8 points.
    pub score: i64,
    /// Units of 10^−8 points.
    pub price: i64,
    /// What it is worth per 100 of par, without the dollars per loan; units of 10^−8 points.
    pub points: i64,
}

/// The instance of a run. Loans, trades, and pairs are known by their positions.
#[derive(Debug, Clone)]
pub struct Instance {
    /// The digest of the snapshot.
    pub snapshot_digest: String,
    /// What a placement is worth beside its score.
    pub weights: ChallengeWeights,
    /// The included trades, by id.
    pub trades: Vec<TradeRoom>,
    /// The limits, by node in walk order, then by trade.
    pub limits: Vec<LimitRoom>,
    /// The eligible loans, by id.
    pub loans: Vec<InstanceLoan>,
    /// The candidates, by loan, then by trade.
    pub pairs: Vec<LoanPair>,
    /// Per turn, from turn 1 at 0: the amount that the run placed by candidates of this turn and
    /// those before it.
    pub required: Vec<i64>,
    pub(crate) first_pair: Vec<u32>,
    pub(crate) first_limit: Vec<u32>,
    pub(crate) pair_limits: Vec<u32>,
}

impl Instance {
    /// The pairs of a loan.
    pub fn pairs_of(&self, loan: usize) -> Range<usize> {
        self.first_pair[loan] as usize..self.first_pair[loan + 1] as usize
    }

    /// The usable pairs of a loan.
    pub(crate) fn usable_pairs_of(&self, loan: usize) -> impl Iterator<Item = usize> {
        self.pairs_of(loan).filter(|pair| self.pairs[*pair].is_usable)
    }

    /// The positions of the limits that the loan of a pair uses in its trade.
    pub fn limits_of(&self, pair: usize) -> &[u32] {
        &self.pair_limits[self.first_limit[pair] as usize..self.first_limit[pair + 1] as usize]
    }

    /// The amount of the loan of a pair, in cents.
    pub fn amount_of(&self, pair: usize) -> i64 {
        self.loans[self.pairs[pair].loan as usize].amount
    }

    /// The pair of a loan and a trade.
    pub fn pair_at(&self, loan: usize, trade: u32) -> Option<usize> {
        let range = self.pairs_of(loan);
        let found = self.pairs[range.clone()].binary_search_by_key(&trade, |pair| pair.trade);
        found.ok().map(|at| range.start + at)
    }

    /// What a pair is worth, in units of 10^−12 dollars (10.1).
    pub fn worth(&self, pair: usize) -> i128 {
        self.dollars(self.pairs[pair].loan as usize, self.pairs[pair].points)
    }

    /// What a placement of a loan is worth at this many units of 10^−8 points, in units of 10^−12
    /// dollars.
    pub(crate) fn dollars(&self, loan: usize, points: i64) -> i128 {
        i128::from(points) * i128::from(self.loans[loan].amount) + self.per_loan()
    }

    /// The dollars per loan, in units of 10^−12 dollars.
    pub(crate) fn per_loan(&self) -> i128 {
        i128::from(self.weights.per_loan.units()) * 10_i128.pow(10)
    }

    /// What an allocation is worth, in units of 10^−12 dollars.
    pub fn worth_of(&self, allocation: &[Option<u32>]) -> i128 {
        allocation.iter().flatten().map(|pair| self.worth(*pair as usize)).sum()
    }

    /// The allocation of the run: per loan, its pair.
    pub fn run_allocation(&self) -> Vec<Option<u32>> {
        self.loans.iter().map(|loan| loan.placed).collect()
    }

    /// The amount of all eligible loans, in cents.
    pub fn eligible_amount(&self) -> i64 {
        self.loans.iter().map(|loan| loan.amount).sum()
    }

    /// Per turn, from turn 1 at 0: the amount that an allocation places by candidates of this turn
    /// and those before it.
    pub fn prefix_amounts(&self, allocation: &[Option<u32>]) -> Vec<i64> {
        let mut amounts = vec![0; self.required.len()];
        for pair in allocation.iter().flatten() {
            let pair = *pair as usize;
            amounts[self.pairs[pair].turn as usize - 1] += self.amount_of(pair);
        }
        let mut sum = 0;
        for amount in &mut amounts {
            sum += *amount;
            *amount = sum;
        }
        amounts
    }
}
