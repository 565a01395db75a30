//! 2.3 Prices, 2.4 The constraint tree, 2.6 Candidates.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use powerfill_events::values::{Day, InstrumentName, Key, LoanId, RuleName, TradeId};
use powerfill_snapshot::PriceMode;
use powerfill_snapshot::rules::Truth;
use powerfill_snapshot::tables::{ConstraintRow, Instrument, Loan, NodeKey, TradeType};
use rust_decimal::Decimal;

use crate::number::{CENTS, Exact, POINTS, SIX, of, of_units, round, trunc, whole};
use crate::who::{Cast, eligibility_date};

/// What a loan is worth somewhere, in hundred-millionths of a point. Carry and what hangs on it are NULL where the
/// loan has no eligibility date.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Worth {
    pub(crate) interest_earning_days: Option<i32>,
    pub(crate) price: i128,
    pub(crate) payup: i128,
    pub(crate) carry_cost: Option<i128>,
    pub(crate) prx_plus_carry: Option<i128>,
    pub(crate) score: Option<i128>,
}

/// A candidate (2.6).
#[derive(Debug, Clone)]
pub(crate) struct Candidate {
    pub(crate) turn: usize,
    pub(crate) rank: usize,
    pub(crate) node: usize,
    pub(crate) loan: usize,
    pub(crate) trade: usize,
    pub(crate) worth: Worth,
    pub(crate) score: i128,
}

/// A walkable node with its turn.
pub(crate) struct Walkable<'a> {
    pub(crate) row: &'a ConstraintRow,
    pub(crate) turn: usize,
}

/// The tree, who matches what, and every candidate.
pub(crate) struct Market<'a> {
    pub(crate) cast: &'a Cast<'a>,
    /// In walk order.
    pub(crate) nodes: Vec<Walkable<'a>>,
    /// By node, by loan.
    pub(crate) matches: Vec<Vec<bool>>,
    /// By turn from 1 (0 is empty), in rank order.
    pub(crate) turns: Vec<Vec<Candidate>>,
    /// (loan, trade) → why it is no candidate.
    pub(crate) rejections: BTreeMap<(usize, usize), &'static str>,
    /// By trade: the walkable nodes of its instrument, in walk order.
    pub(crate) nodes_of_trade: Vec<Vec<usize>>,
    /// By loan: its candidates by turn, then rank.
    pub(crate) of_loan: Vec<Vec<Candidate>>,
    own_prices: BTreeMap<(&'a Key<LoanId>, &'a Key<TradeId>), i128>,
}

impl<'a> Market<'a> {
    pub(crate) fn new(cast: &'a Cast<'a>) -> Self {
        let nodes = walk(cast);
        let loans = &cast.snapshot.loans;
        let matches = nodes
            .iter()
            .map(|node| {
                let key = node.row.node();
                let matching = matcher(cast, &key);
                loans.iter().map(matching).collect()
            })
            .collect();
        let own_prices = cast
            .snapshot
            .loan_prices
            .iter()
            .map(|row| ((&row.loan_id, &row.trade_id), i128::from(row.price.units())))
            .collect();
        let turns = vec![vec![]; nodes.last().map_or(0, |node| node.turn) + 1];
        let mut market = Self {
            cast,
            nodes,
            matches,
            turns,
            rejections: BTreeMap::new(),
            nodes_of_trade: vec![],
            of_loan: vec![vec![]; loans.len()],
            own_prices,
        };
        market.nodes_of_trade = (0..cast.trades.len())
            .map(|t| market.nodes_of(market.instrument_of(t)).collect())
            .collect();
        market.build_candidates();
        for candidate in market.turns.iter().flatten() {
            market.of_loan[candidate.loan].push(candidate.clone());
        }
        market
    }

    /// Nodes of an instrument that are walkable, in walk order.
    pub(crate) fn nodes_of(&self, instrument: &Key<InstrumentName>) -> impl Iterator<Item = usize> {
        (0..self.nodes.len())
            .filter(move |k| self.nodes[*k].row.investor_instrument_name == *instrument)
    }

    pub(crate) fn instrument_of(&self, trade: usize) -> &'a Key<InstrumentName> {
        &self.cast.snapshot.trades[trade].investor_instrument_name
    }

    /// 2.5 `hi(k, t) = round(hi_limit × open(t), 2)`.
    pub(crate) fn hi(&self, node: usize, trade: usize) -> Option<i128> {
        let open = of_units(self.cast.trades[trade].open, CENTS);
        self.nodes[node].row.hi_limit.map(|share| round(&(of(share) * open), CENTS))
    }

    /// 2.5 `lo(k, t) = round(lo_limit × open(t), 2)`.
    pub(crate) fn lo(&self, node: usize, trade: usize) -> Option<i128> {
        let open = of_units(self.cast.trades[trade].open, CENTS);
        self.nodes[node].row.lo_limit.map(|share| round(&(of(share) * open), CENTS))
    }

    /// 2.3 `price(l, t)`, with its carry.
    pub(crate) fn worth(&self, loan: usize, trade: usize) -> Option<Worth> {
        let (row, t) = (&self.cast.snapshot.loans[loan], &self.cast.snapshot.trades[trade]);
        let i = &t.investor_instrument_name;
        let date = self.cast.trades[trade].settlement_date?;
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
        match instrument_row(self.cast, instrument).and_then(Instrument::buy_up) {
            None => 0,
            Some(buy_up) => round(
                &((of(loan.note_rate) - of(buy_up.base_note_rate)) * of(buy_up.rate_multiple)),
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
        self.cast
            .snapshot
            .prices
            .iter()
            .filter(|row| row.investor_instrument_name == *instrument)
            .filter(|row| row.settlement_date == date && row.note_rate <= loan.note_rate)
            .max_by_key(|row| row.note_rate)
            .map(|row| row.price.units().into())
    }

    /// 2.3 `payup(l, i)`: the largest that the loan qualifies for.
    pub(crate) fn payup(&self, loan: &Loan, instrument: &Key<InstrumentName>) -> i128 {
        self.cast
            .snapshot
            .payups
            .iter()
            .filter(|row| row.investor_instrument_name == *instrument)
            .filter(|row| satisfies(self.cast, loan, &row.rule_name))
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
    ) -> Worth {
        let n = eligibility_date(loan).map(|e| e.days_until(date));
        let carry_cost = n.map(|n| self.carry(instrument, n));
        let prx_plus_carry = carry_cost.map(|carry| price + carry);
        let score = match self.cast.options.price_mode {
            PriceMode::Po => Some(price),
            PriceMode::Pc => prx_plus_carry,
        };
        Worth { interest_earning_days: n, price, payup, carry_cost, prx_plus_carry, score }
    }

    /// "carry_cost = round(avg_rate × trunc(n / 365, 6), 8)".
    fn carry(&self, instrument: &Key<InstrumentName>, n: i32) -> i128 {
        let rates: Vec<Exact> = self
            .cast
            .snapshot
            .carry_costs
            .iter()
            .filter(|row| row.investor_instrument_name == *instrument)
            .filter(|row| row.on_day <= n.into() && i64::from(n) <= row.to_day)
            .filter_map(|row| row.annual_rate)
            .map(of)
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

    /// 2.6: every pair of an Eligible loan and an included trade with a matching walkable node.
    fn build_candidates(&mut self) {
        let cast = self.cast;
        for loan in cast.eligible() {
            for trade in cast.included() {
                let nodes = &self.nodes_of_trade[trade];
                let Some(node) = nodes.iter().copied().find(|k| self.matches[*k][loan]) else {
                    continue;
                };
                match self.judge(loan, trade) {
                    Err(reason) => {
                        self.rejections.insert((loan, trade), reason);
                    }
                    Ok(worth) => {
                        let turn = self.nodes[node].turn;
                        let score = worth.score.expect("an Eligible loan has an eligibility date");
                        self.turns[turn].push(Candidate {
                            turn,
                            rank: 0,
                            node,
                            loan,
                            trade,
                            worth,
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
    fn judge(&self, loan: usize, trade: usize) -> Result<Worth, &'static str> {
        let cast = self.cast;
        let e = eligibility_date(&cast.snapshot.loans[loan]).expect("Eligible");
        let date = cast.trades[trade].settlement_date.expect("included");
        if date < e.plus(cast.options.eligible_settle_buffer_days) {
            return Err("SettlesTooSoon");
        }
        let worth = self.worth(loan, trade).ok_or("NoPrice")?;
        if cast.snapshot.trades[trade].trade_type == TradeType::Bx
            && cast.options.bx_price_floor.is_some_and(|floor| worth.price < floor.units().into())
        {
            return Err("BelowPriceFloor");
        }
        Ok(worth)
    }

    /// Lines 1 to 6 of 2.6.
    fn rank_order(&self, c: &Candidate) -> impl Ord + use<> {
        let stays = self.cast.prior_trade[c.loan] == Some(c.trade);
        let threshold =
            if stays { i128::from(self.cast.options.switch_threshold.units()) } else { 0 };
        (Reverse(c.score + threshold), self.tie_order(c))
    }

    /// Lines 2 to 6 of 2.6. Positions in the tables stand for loan_id and trade_id: the tables are in that order.
    pub(crate) fn tie_order(&self, c: &Candidate) -> impl Ord + use<> {
        let stays = self.cast.prior_trade[c.loan] == Some(c.trade);
        let settles = self.cast.trades[c.trade].settlement_date;
        (Reverse(stays), settles, Reverse(self.cast.amount(c.loan)), c.loan, c.trade)
    }
}

/// 2.4 Walk order and turns.
fn walk<'a>(cast: &Cast<'a>) -> Vec<Walkable<'a>> {
    let mut rows: Vec<&ConstraintRow> = cast
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
            Walkable { row, turn }
        })
        .collect()
}

/// 2.4: which loans match a node.
fn matcher<'a>(cast: &'a Cast<'a>, key: &NodeKey) -> impl Fn(&Loan) -> bool {
    let instrument_level = NodeKey { constraint_name: "".into(), ..key.clone() };
    let investor_level =
        NodeKey { investor_instrument_name: "".into(), ..instrument_level.clone() };
    // Its own rules and those of its ancestors.
    let rules: Vec<&Key<RuleName>> = cast
        .snapshot
        .constraint_rules
        .iter()
        .filter(|row| [key, &instrument_level, &investor_level].contains(&&row.node()))
        .map(|row| &row.rule_name)
        .collect();
    let instrument = instrument_row(cast, &key.investor_instrument_name)
        .filter(|row| row.investor_id == key.investor_id);
    move |loan| {
        instrument.is_some_and(|instrument| within_bounds(instrument, loan))
            && rules.iter().all(|rule| satisfies(cast, loan, rule))
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
fn satisfies(cast: &Cast<'_>, loan: &Loan, rule: &Key<RuleName>) -> bool {
    let row = cast.snapshot.rules.iter().find(|row| row.row.rule_name == *rule);
    row.expect("a known rule").predicate.evaluate(&loan.attributes) == Truth::True
}

pub(crate) fn instrument_row<'a>(
    cast: &Cast<'a>,
    name: &Key<InstrumentName>,
) -> Option<&'a Instrument> {
    cast.snapshot.instruments.iter().find(|row| row.investor_instrument_name == *name)
}
