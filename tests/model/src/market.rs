//! 2.3 Prices, 2.4 The constraint tree, 2.6 Candidates.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use powerfill_events::run::event::RejectionReason;
use powerfill_events::values::{Day, InstrumentName, Key, LoanId, RuleName, TradeId};
use powerfill_snapshot::PriceMode;
use powerfill_snapshot::rules::Truth;
use powerfill_snapshot::tables::{ConstraintRow, Instrument, Loan, NodeKey, TradeType};
use rust_decimal::Decimal;

use crate::number::{CENTS, Exact, POINTS, SIX, exact, of_units, round, trunc, whole};
use crate::participation::{ModelInput, eligibility_date};

/// The pricing of a loan in a trade or slot, in hundred-millionths of a point. The fields that
/// depend on carry are `None` where the loan has no eligibility date.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ModelPricing {
    pub(crate) interest_earning_days: Option<i32>,
    pub(crate) price: i128,
    pub(crate) payup: i128,
    pub(crate) carry_cost: Option<i128>,
    pub(crate) prx_plus_carry: Option<i128>,
    pub(crate) score: Option<i128>,
}

/// A candidate (2.6).
#[derive(Debug, Clone)]
pub(crate) struct ModelCandidate {
    pub(crate) turn: usize,
    pub(crate) rank: usize,
    pub(crate) node: usize,
    pub(crate) loan: usize,
    pub(crate) trade: usize,
    pub(crate) pricing: ModelPricing,
    pub(crate) score: i128,
}

/// A walkable node.
pub(crate) struct ModelNode<'a> {
    pub(crate) row: &'a ConstraintRow,
    pub(crate) turn: usize,
}

/// The tree, the matches, and all candidates.
pub(crate) struct Market<'a> {
    pub(crate) input: &'a ModelInput<'a>,
    /// In walk order.
    pub(crate) nodes: Vec<ModelNode<'a>>,
    /// Per node, then per loan.
    pub(crate) matches: Vec<Vec<bool>>,
    /// Per turn from 1 (turn 0 is empty), in rank order.
    pub(crate) turns: Vec<Vec<ModelCandidate>>,
    /// By (loan, trade).
    pub(crate) rejections: BTreeMap<(usize, usize), RejectionReason>,
    /// Per trade: the walkable nodes of its instrument, in walk order.
    pub(crate) nodes_of_trade: Vec<Vec<usize>>,
    /// Per loan: its candidates by turn, then rank.
    pub(crate) of_loan: Vec<Vec<ModelCandidate>>,
    own_prices: BTreeMap<(&'a Key<LoanId>, &'a Key<TradeId>), i128>,
}

impl<'a> Market<'a> {
    pub(crate) fn new(input: &'a ModelInput<'a>) -> Self {
        let nodes = walk(input);
        let loans = &input.snapshot.loans;
        let matches = nodes
            .iter()
            .map(|node| {
                let key = node.row.node();
                let matching = matcher(input, &key);
                loans.iter().map(matching).collect()
            })
            .collect();
        let own_prices = input
            .snapshot
            .loan_prices
            .iter()
            .map(|row| ((&row.loan_id, &row.trade_id), i128::from(row.price.units())))
            .collect();
        let turns = vec![vec![]; nodes.last().map_or(0, |node| node.turn) + 1];
        let mut market = Self {
            input,
            nodes,
            matches,
            turns,
            rejections: BTreeMap::new(),
            nodes_of_trade: vec![],
            of_loan: vec![vec![]; loans.len()],
            own_prices,
        };
        market.nodes_of_trade = (0..input.trades.len())
            .map(|t| market.nodes_of(market.instrument_of(t)).collect())
            .collect();
        market.build_candidates();
        for candidate in market.turns.iter().flatten() {
            market.of_loan[candidate.loan].push(candidate.clone());
        }
        market
    }

    /// The walkable nodes of an instrument, in walk order.
    pub(crate) fn nodes_of(&self, instrument: &Key<InstrumentName>) -> impl Iterator<Item = usize> {
        (0..self.nodes.len())
            .filter(move |k| self.nodes[*k].row.investor_instrument_name == *instrument)
    }

    pub(crate) fn instrument_of(&self, trade: usize) -> &'a Key<InstrumentName> {
        &self.input.snapshot.trades[trade].investor_instrument_name
    }

    /// 2.5 `hi(k, t) = round(hi_limit × open(t), 2)`.
    pub(crate) fn hi(&self, node: usize, trade: usize) -> Option<i128> {
        let open = of_units(self.input.trades[trade].open, CENTS);
        self.nodes[node].row.hi_limit.map(|share| round(&(exact(share) * open), CENTS))
    }

    /// 2.5 `lo(k, t) = round(lo_limit × open(t), 2)`.
    pub(crate) fn lo(&self, node: usize, trade: usize) -> Option<i128> {
        let open = of_units(self.input.trades[trade].open, CENTS);
        self.nodes[node].row.lo_limit.map(|share| round(&(exact(share) * open), CENTS))
    }

    /// 2.3 `price(l, t)`, with its carry.
    pub(crate) fn pricing(&self, loan: usize, trade: usize) -> Option<ModelPricing> {
        let (row, t) = (&self.input.snapshot.loans[loan], &self.input.snapshot.trades[trade]);
        let i = &t.investor_instrument_name;
        let date = self.input.trades[trade].settlement_date?;
        if let Some(price) = self.own_prices.get(&(&row.loan_id, &t.trade_id)) {
            return Some(self.with_carry(row, i, date, *price, 0));
        }
        if t.priced_only {
            return None;
        }
        let payup = self.payup(row, i);
        let price = match t.trade_type {
            TradeType::Forward => i128::from(t.trade_price?.units()) + self.buy_up(row, i) + payup,
            TradeType::Bx => self.grid_price(i, date, row)? + payup,
        };
        Some(self.with_carry(row, i, date, price, payup))
    }

    /// "round((note_rate − base_note_rate) × rate_multiple, 8), 0 where the instrument has none".
    fn buy_up(&self, loan: &Loan, instrument: &Key<InstrumentName>) -> i128 {
        match instrument_row(self.input, instrument).and_then(Instrument::buy_up) {
            None => 0,
            Some(buy_up) => round(
                &((exact(loan.note_rate) - exact(buy_up.base_note_rate))
                    * exact(buy_up.rate_multiple)),
                POINTS,
            ),
        }
    }

    /// 2.3 `grid_price(i, d, r)`: "the greatest note_rate ≤ r".
    pub(crate) fn grid_price(
        &self,
        instrument: &Key<InstrumentName>,
        date: Day,
        loan: &Loan,
    ) -> Option<i128> {
        self.input
            .snapshot
            .prices
            .iter()
            .filter(|row| row.investor_instrument_name == *instrument)
            .filter(|row| row.settlement_date == date && row.note_rate <= loan.note_rate)
            .max_by_key(|row| row.note_rate)
            .map(|row| row.price.units().into())
    }

    /// 2.3 `payup(l, i)`: "the largest payup among the rows … whose rule loan l satisfies".
    pub(crate) fn payup(&self, loan: &Loan, instrument: &Key<InstrumentName>) -> i128 {
        self.input
            .snapshot
            .payups
            .iter()
            .filter(|row| row.investor_instrument_name == *instrument)
            .filter(|row| satisfies(self.input, loan, &row.rule_name))
            .map(|row| row.payup.units().into())
            .max()
            .unwrap_or(0)
    }

    /// 2.3 Carry, and the score.
    pub(crate) fn with_carry(
        &self,
        loan: &Loan,
        instrument: &Key<InstrumentName>,
        date: Day,
        price: i128,
        payup: i128,
    ) -> ModelPricing {
        let n = eligibility_date(loan).map(|e| e.days_until(date));
        let carry_cost = n.map(|n| self.carry(instrument, n));
        let prx_plus_carry = carry_cost.map(|carry| price + carry);
        let score = match self.input.options.price_mode {
            PriceMode::Po => Some(price),
            PriceMode::Pc => prx_plus_carry,
        };
        ModelPricing { interest_earning_days: n, price, payup, carry_cost, prx_plus_carry, score }
    }

    /// "carry_cost = round(avg_rate × trunc(n / 365, 6), 8)".
    fn carry(&self, instrument: &Key<InstrumentName>, n: i32) -> i128 {
        let rates: Vec<Exact> = self
            .input
            .snapshot
            .carry_costs
            .iter()
            .filter(|row| row.investor_instrument_name == *instrument)
            .filter(|row| row.on_day <= n.into() && i64::from(n) <= row.to_day)
            .filter_map(|row| row.annual_rate)
            .map(exact)
            .collect();
        if rates.is_empty() {
            return 0;
        }
        let count = whole(rates.len());
        let sum: Exact = rates.into_iter().sum();
        let avg_rate = of_units(trunc(&(sum / count), SIX), SIX);
        let years = of_units(trunc(&(whole(n) / whole(365)), SIX), SIX);
        round(&(avg_rate * years), POINTS)
    }

    /// 2.6: "For each Eligible loan l and each included trade t such that l matches a walkable node
    /// of t's instrument".
    fn build_candidates(&mut self) {
        let input = self.input;
        for loan in input.eligible() {
            for trade in input.included() {
                let nodes = &self.nodes_of_trade[trade];
                let Some(node) = nodes.iter().copied().find(|k| self.matches[*k][loan]) else {
                    continue;
                };
                match self.assess_pair(loan, trade) {
                    Err(reason) => {
                        self.rejections.insert((loan, trade), reason);
                    }
                    Ok(pricing) => {
                        let turn = self.nodes[node].turn;
                        let score =
                            pricing.score.expect("an Eligible loan has an eligibility date");
                        self.turns[turn].push(ModelCandidate {
                            turn,
                            rank: 0,
                            node,
                            loan,
                            trade,
                            pricing,
                            score,
                        });
                    }
                }
            }
        }
        for turn in 0..self.turns.len() {
            let mut candidates = std::mem::take(&mut self.turns[turn]);
            candidates.sort_by_key(|c| self.rank_order(c));
            for (at, candidate) in candidates.iter_mut().enumerate() {
                candidate.rank = at + 1;
            }
            self.turns[turn] = candidates;
        }
    }

    /// The table of 2.6: "first line that holds".
    fn assess_pair(&self, loan: usize, trade: usize) -> Result<ModelPricing, RejectionReason> {
        let input = self.input;
        let e = eligibility_date(&input.snapshot.loans[loan])
            .expect("an Eligible loan has an eligibility date");
        let date =
            input.trades[trade].settlement_date.expect("an included trade has a settlement date");
        if date < e.plus(input.options.eligible_settle_buffer_days) {
            return Err(RejectionReason::SettlesTooSoon);
        }
        let pricing = self.pricing(loan, trade).ok_or(RejectionReason::NoPrice)?;
        if input.snapshot.trades[trade].trade_type == TradeType::Bx
            && input
                .options
                .bx_price_floor
                .is_some_and(|floor| pricing.price < floor.units().into())
        {
            return Err(RejectionReason::BelowPriceFloor);
        }
        Ok(pricing)
    }

    /// Lines 1 to 6 of 2.6.
    fn rank_order(&self, c: &ModelCandidate) -> impl Ord + use<> {
        let stays = self.input.prior_trade[c.loan] == Some(c.trade);
        let threshold =
            if stays { i128::from(self.input.options.switch_threshold.units()) } else { 0 };
        (Reverse(c.score + threshold), self.tie_order(c))
    }

    /// Lines 2 to 6 of 2.6. Tables are sorted by id, so a position orders as its id does.
    pub(crate) fn tie_order(&self, c: &ModelCandidate) -> impl Ord + use<> {
        let stays = self.input.prior_trade[c.loan] == Some(c.trade);
        let settles = self.input.trades[c.trade].settlement_date;
        (Reverse(stays), settles, Reverse(self.input.amount(c.loan)), c.loan, c.trade)
    }
}

/// 2.4 Walk order and turns.
fn walk<'a>(input: &ModelInput<'a>) -> Vec<ModelNode<'a>> {
    let mut rows: Vec<&ConstraintRow> = input
        .snapshot
        .constraints
        .iter()
        .filter(|row| !row.investor_instrument_name.is_empty())
        .collect();
    rows.sort_by(|a, b| {
        (a.constraint_priority.cmp(&b.constraint_priority))
            // Sub-constraints before instrument-level nodes.
            .then(a.constraint_name.is_empty().cmp(&b.constraint_name.is_empty()))
            .then(a.investor_id.cmp(&b.investor_id))
            .then(a.investor_instrument_name.cmp(&b.investor_instrument_name))
            .then(a.constraint_name.cmp(&b.constraint_name))
    });
    let mut turn = 0;
    let mut before = None;
    rows.into_iter()
        .map(|row| {
            if before.replace(row.constraint_priority) != Some(row.constraint_priority) {
                turn += 1;
            }
            ModelNode { row, turn }
        })
        .collect()
}

/// 2.4: which loans match a node.
fn matcher<'a>(input: &'a ModelInput<'a>, key: &NodeKey) -> impl Fn(&Loan) -> bool {
    let instrument_level = NodeKey { constraint_name: "".into(), ..key.clone() };
    let investor_level =
        NodeKey { investor_instrument_name: "".into(), ..instrument_level.clone() };
    // "Its effective rules are its own rules and those of its ancestors."
    let rules: Vec<&Key<RuleName>> = input
        .snapshot
        .constraint_rules
        .iter()
        .filter(|row| [key, &instrument_level, &investor_level].contains(&&row.node()))
        .map(|row| &row.rule_name)
        .collect();
    let instrument = instrument_row(input, &key.investor_instrument_name)
        .filter(|row| row.investor_id == key.investor_id);
    move |loan| {
        instrument.is_some_and(|instrument| within_bounds(instrument, loan))
            && rules.iter().all(|rule| satisfies(input, loan, rule))
    }
}

/// 2.4: note_rate and, where the loan has one, term_months are within the instrument's bounds.
fn within_bounds(instrument: &Instrument, loan: &Loan) -> bool {
    let not_below = |min: Option<i64>| {
        min.zip(loan.term_months).is_none_or(|(min, term)| term >= Decimal::from(min))
    };
    let not_above = |max: Option<i64>| {
        max.zip(loan.term_months).is_none_or(|(max, term)| term <= Decimal::from(max))
    };
    instrument.min_note_rate.is_none_or(|min| loan.note_rate >= min)
        && instrument.max_note_rate.is_none_or(|max| loan.note_rate <= max)
        && not_below(instrument.min_term_months)
        && not_above(instrument.max_term_months)
}

/// 1.4: "a loan satisfies a rule only where it is TRUE".
fn satisfies(input: &ModelInput<'_>, loan: &Loan, rule: &Key<RuleName>) -> bool {
    let row = input.snapshot.rules.iter().find(|row| row.row.rule_name == *rule);
    row.expect("a known rule").predicate.evaluate(&loan.attributes) == Truth::True
}

pub(crate) fn instrument_row<'a>(
    input: &ModelInput<'a>,
    name: &Key<InstrumentName>,
) -> Option<&'a Instrument> {
    input.snapshot.instruments.iter().find(|row| row.investor_instrument_name == *name)
}
