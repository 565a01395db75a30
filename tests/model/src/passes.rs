//! 2.5 Capacity, and 2.7 The four passes, with a new search among all candidates for each step.

use std::collections::{BTreeMap, BTreeSet};

use crate::market::{Market, ModelCandidate};
use crate::number::{CENTS, POINTS, exact, of_units, round, text, whole};

/// The placement of a loan by a pass.
#[derive(Debug, Clone)]
pub(crate) struct ModelPlacement {
    pub(crate) candidate: ModelCandidate,
    pub(crate) pass: &'static str,
    pub(crate) seq: u64,
    /// The turn in which the loan was placed; `None` for orphan_handling.
    turn: Option<usize>,
}

/// A decision of a pass, with the texts that the events have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decision {
    /// `LoanAllocated`, `LoanMoved` or `LoanReleased`.
    pub event: &'static str,
    /// The turn of the candidate, or of the release.
    pub turn: u32,
    /// The loan that is placed, moved, or released.
    pub loan_id: String,
    /// The trade that the loan leaves.
    pub from_trade_id: Option<String>,
    /// The trade that the loan enters.
    pub to_trade_id: Option<String>,
    /// As events spell it.
    pub pass: &'static str,
    /// Number of the placement; `None` for a release.
    pub allocation_seq: Option<u64>,
    /// Dollars of a move, points of a release.
    pub marginal_cost: Option<String>,
    /// The loan that enters in its place (exchange, make room).
    pub other_loan_id: Option<String>,
    /// Filled amount of the trade that the loan leaves.
    pub from_filled_after: Option<String>,
    /// Filled amount of the trade that the loan enters.
    pub filled_after: Option<String>,
}

/// The counts of a pass in a turn.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PassCount {
    /// As events spell it.
    pub pass: &'static str,
    /// `None` for orphan_handling.
    pub turn: Option<u32>,
    /// Number of allocations.
    pub allocated: u64,
    /// Number of moves.
    pub moved: u64,
    /// Number of releases.
    pub released: u64,
}

/// A marginal cost, then what decides ties.
type CostKey = (i128, usize, usize);

/// The state that the passes work on.
pub(crate) struct ModelAllocation<'m> {
    market: &'m Market<'m>,
    /// Per loan.
    pub(crate) placed: Vec<Option<ModelPlacement>>,
    /// Per trade, in cents.
    pub(crate) filled: Vec<i128>,
    /// By (node, trade), in cents; an absent entry is 0.
    used: BTreeMap<(usize, usize), i128>,
    /// hi(k, t) by (node, trade), for nodes with a hi_limit.
    hi: BTreeMap<(usize, usize), i128>,
    seq: u64,
    pub(crate) decisions: Vec<Decision>,
    pub(crate) counts: Vec<PassCount>,
}

impl<'m> ModelAllocation<'m> {
    /// "filled(t) starts at held_amount and used(k, t) counts held loans too" (2.1); then all
    /// passes run.
    pub(crate) fn run(market: &'m Market<'m>) -> Self {
        let input = market.input;
        let mut allocation = Self {
            market,
            placed: vec![None; input.loans.len()],
            filled: vec![0; input.trades.len()],
            used: BTreeMap::new(),
            hi: BTreeMap::new(),
            seq: 0,
            decisions: vec![],
            counts: vec![],
        };
        for t in input.included() {
            for k in &market.nodes_of_trade[t] {
                if let Some(hi) = market.hi(*k, t) {
                    allocation.hi.insert((*k, t), hi);
                }
            }
            for l in input.held_in(t) {
                allocation.add(l, t, input.amount(l));
            }
        }
        // "exact_fit, best_fit, and fill_remaining run turn by turn, in walk order, on that turn's
        // candidates only. orphan_handling runs once, after the last turn."
        for turn in 1..market.turns.len() {
            allocation.counted("exact_fit", Some(turn), |a| a.exact_fit(turn));
            allocation.counted("best_fit", Some(turn), |a| a.best_fit(turn));
            allocation.counted("fill_remaining", Some(turn), |a| a.fill_remaining(turn));
        }
        allocation.counted("orphan_handling", None, Self::orphan_handling);
        allocation
    }

    // 2.5

    /// "A loan l of amount a fits trade t when …"
    pub(crate) fn fits(&self, loan: usize, trade: usize) -> bool {
        self.has_room(loan, trade) && self.within_limits(loan, trade)
    }

    /// "filled(t) + a ≤ max(t)".
    pub(crate) fn has_room(&self, loan: usize, trade: usize) -> bool {
        self.filled[trade] + self.amount(loan) <= self.max(trade)
    }

    /// "for every walkable node k of t's instrument that has a hi_limit and that l matches, used(k,
    /// t) + a ≤ hi(k, t)".
    fn within_limits(&self, loan: usize, trade: usize) -> bool {
        self.market.nodes_of_trade[trade].iter().all(|k| match self.hi.get(&(*k, trade)) {
            Some(hi) if self.market.matches[*k][loan] => {
                self.used(*k, trade) + self.amount(loan) <= *hi
            }
            _ => true,
        })
    }

    /// used(k, t).
    pub(crate) fn used(&self, node: usize, trade: usize) -> i128 {
        self.used.get(&(node, trade)).copied().unwrap_or(0)
    }

    fn add(&mut self, loan: usize, trade: usize, amount: i128) {
        self.filled[trade] += amount;
        for k in &self.market.nodes_of_trade[trade] {
            if self.market.matches[*k][loan] {
                *self.used.entry((*k, trade)).or_insert(0) += amount;
            }
        }
    }

    // 2.7, (a) and (b) of exact_fit

    fn exact_fit(&mut self, turn: usize) {
        loop {
            if let Some(c) = self.best_completion(turn) {
                self.allocate(&c, "exact_fit", Some(turn));
            } else if self.trades_of(turn).len() == 1 {
                // Sole choice is "left out where the turn has only one trade".
                return;
            } else if let Some(c) = self.best_sole_choice(turn) {
                self.allocate(&c, "exact_fit", Some(turn));
            } else {
                return;
            }
        }
    }

    /// (a): the best-ranked open candidate that fits with |filled(t) + a − open(t)| ≤ round(open(t)
    /// × exact_fit_variance / 100, 2).
    fn best_completion(&self, turn: usize) -> Option<ModelCandidate> {
        self.open_candidates(turn).find(|c| self.completes(c)).cloned()
    }

    fn completes(&self, c: &ModelCandidate) -> bool {
        let open = self.market.input.trades[c.trade].open;
        let off = (self.filled[c.trade] + self.amount(c.loan) - open).abs();
        self.fits(c.loan, c.trade) && off <= self.variance(open)
    }

    fn variance(&self, open: i128) -> i128 {
        let percent = exact(self.market.input.options.exact_fit_variance);
        round(&(of_units(open, CENTS) * percent / whole(100)), CENTS)
    }

    /// (b): "among those loans' live candidates, the best-ranked".
    fn best_sole_choice(&self, turn: usize) -> Option<ModelCandidate> {
        let live: Vec<&ModelCandidate> = self
            .open_candidates(turn)
            .filter(|c| self.below_open(c.trade) && self.fits(c.loan, c.trade))
            .collect();
        let mut choices: BTreeMap<usize, usize> = BTreeMap::new();
        for c in &live {
            *choices.entry(c.loan).or_insert(0) += 1;
        }
        live.into_iter().find(|c| choices[&c.loan] == 1).cloned()
    }

    // 2.7, best_fit

    fn best_fit(&mut self, turn: usize) {
        for c in &self.market.turns[turn] {
            if self.is_open(c) && self.below_open(c.trade) && self.fits(c.loan, c.trade) {
                self.allocate(c, "best_fit", Some(turn));
            }
        }
    }

    // 2.7, fill_remaining

    fn fill_remaining(&mut self, turn: usize) {
        for _ in 0..self.market.input.options.max_fill_iterations {
            let before = self.decisions.len();
            let mut short: Vec<usize> =
                self.trades_of(turn).into_iter().filter(|t| self.is_short(*t)).collect();
            short.sort_by_key(|t| (self.market.input.trades[*t].settlement_date, *t));
            for t in short {
                while self.is_short(t) && self.substitute(turn, t) {}
                if self.is_short(t) {
                    self.exchange(turn, t);
                }
                if self.is_short(t) {
                    self.refill(turn, t);
                }
            }
            if self.decisions.len() == before {
                return;
            }
        }
    }

    /// 1. Substitution: the loan with the least marginal cost that this turn allocated to another
    ///    trade and that t can take.
    fn substitute(&mut self, turn: usize, t: usize) -> bool {
        let mut best: Option<((i128, usize), &ModelCandidate)> = None;
        for c in self.market.turns[turn].iter().filter(|c| c.trade == t) {
            let Some(now) = self.placed_by(c.loan, turn) else { continue };
            let (d, a) = (now.trade, self.amount(c.loan));
            if d == t || !self.fits(c.loan, t) {
                continue;
            }
            let donor_keeps_its_min = self.filled[d] - a >= self.min(d);
            let short_donor_completes =
                self.filled[d] < self.min(d) && self.filled[t] + a >= self.min(t);
            if donor_keeps_its_min || short_donor_completes {
                let key = ((now.score - c.score) * a, c.rank);
                if best.as_ref().is_none_or(|(least, _)| key < *least) {
                    best = Some((key, c));
                }
            }
        }
        match best {
            None => false,
            Some(((cost, _), c)) => {
                self.move_to(c, "fill_remaining", Some(turn), cost, None);
                true
            }
        }
    }

    /// 2. Exchange: x out, a larger y in, so that t is in its band.
    fn exchange(&mut self, turn: usize, t: usize) {
        let mut best: Option<(CostKey, (&ModelCandidate, &ModelCandidate))> = None;
        let candidates: Vec<&ModelCandidate> =
            self.market.turns[turn].iter().filter(|c| c.trade == t).collect();
        for x in &candidates {
            if self.placed_by(x.loan, turn).is_none_or(|now| now.trade != t) {
                continue;
            }
            for y in candidates.iter().filter(|y| self.is_open(y)) {
                if self.amount(y.loan) <= self.amount(x.loan) || !self.brings_into_band(x, y) {
                    continue;
                }
                let key = (x.score - y.score, y.rank, x.rank);
                if best.as_ref().is_none_or(|(least, _)| key < *least) {
                    best = Some((key, (x, y)));
                }
            }
        }
        if let Some(((cost, _, _), (x, y))) = best {
            self.release(x, turn, cost, y);
            self.allocate(y, "fill_remaining", Some(turn));
        }
    }

    /// "such that with x out and y in, y fits and min(t) ≤ filled(t) ≤ max(t)".
    fn brings_into_band(&self, x: &ModelCandidate, y: &ModelCandidate) -> bool {
        let t = x.trade;
        let filled = self.filled[t] - self.amount(x.loan) + self.amount(y.loan);
        self.min(t) <= filled && filled <= self.max(t) && self.fits_without(y.loan, t, x.loan)
    }

    /// Whether a loan fits a trade after another loan has left it.
    fn fits_without(&self, loan: usize, t: usize, leaving: usize) -> bool {
        let a = self.amount(leaving);
        self.filled[t] - a + self.amount(loan) <= self.max(t)
            && self.market.nodes_of_trade[t].iter().all(|k| match self.hi.get(&(*k, t)) {
                Some(hi) if self.market.matches[*k][loan] => {
                    let freed = if self.market.matches[*k][leaving] { a } else { 0 };
                    self.used(*k, t) - freed + self.amount(loan) <= *hi
                }
                _ => true,
            })
    }

    /// 3. Refill.
    fn refill(&mut self, turn: usize, t: usize) {
        for c in self.market.turns[turn].iter().filter(|c| c.trade == t) {
            if self.is_open(c) && self.below_open(t) && self.fits(c.loan, t) {
                self.allocate(c, "fill_remaining", Some(turn));
            }
        }
    }

    // 2.7, orphan_handling

    fn orphan_handling(&mut self) {
        self.top_up();
        self.make_room();
        self.top_up();
    }

    /// 1. and 3. Top up.
    fn top_up(&mut self) {
        for c in self.market.turns.iter().flatten() {
            if self.is_open(c) && self.fits(c.loan, c.trade) {
                self.allocate(c, "orphan_handling", None);
            }
        }
    }

    /// 2. Make room.
    fn make_room(&mut self) {
        let mut orphans: Vec<usize> = (0..self.placed.len())
            .filter(|l| self.placed[*l].is_none() && !self.market.of_loan[*l].is_empty())
            .collect();
        orphans.sort_by_key(|l| (-self.amount(*l), *l));
        for l in orphans {
            for c in &self.market.of_loan[l] {
                if self.fits(l, c.trade) {
                    self.allocate(c, "orphan_handling", None);
                    break;
                }
                if let Some((cost, away)) = self.cheapest_move_away(c) {
                    self.move_to(&away, "orphan_handling", None, cost, Some(l));
                    self.allocate(c, "orphan_handling", None);
                    break;
                }
            }
        }
    }

    /// The pair (x, d) with the least marginal cost whose move makes room for a candidate (l, t).
    fn cheapest_move_away(&self, c: &ModelCandidate) -> Option<(i128, ModelCandidate)> {
        let t = c.trade;
        let mut best: Option<(CostKey, &ModelCandidate)> = None;
        for x in 0..self.placed.len() {
            let Some(now) = self.placed[x].as_ref().map(|p| &p.candidate) else { continue };
            if now.trade != t || !self.fits_without(c.loan, t, x) {
                continue;
            }
            let after = self.filled[t] - self.amount(x) + self.amount(c.loan);
            if self.filled[t] >= self.min(t) && after < self.min(t) {
                continue;
            }
            for away in &self.market.of_loan[x] {
                if away.trade != t && self.fits(x, away.trade) {
                    let key = ((now.score - away.score) * self.amount(x), x, away.trade);
                    if best.as_ref().is_none_or(|(least, _)| key < *least) {
                        best = Some((key, away));
                    }
                }
            }
        }
        best.map(|((cost, _, _), away)| (cost, away.clone()))
    }

    // What all passes share

    fn amount(&self, loan: usize) -> i128 {
        self.market.input.amount(loan)
    }

    fn min(&self, trade: usize) -> i128 {
        self.market.input.trades[trade].min
    }

    fn max(&self, trade: usize) -> i128 {
        self.market.input.trades[trade].max
    }

    fn below_open(&self, trade: usize) -> bool {
        self.filled[trade] < self.market.input.trades[trade].open
    }

    fn is_short(&self, trade: usize) -> bool {
        self.filled[trade] < self.min(trade)
    }

    /// "Open candidate: its loan is not allocated."
    pub(crate) fn is_open(&self, c: &ModelCandidate) -> bool {
        self.placed[c.loan].is_none()
    }

    fn open_candidates(&self, turn: usize) -> impl Iterator<Item = &'m ModelCandidate> {
        self.market.turns[turn].iter().filter(|c| self.is_open(c))
    }

    /// "The turn's trades: those with any candidate in the turn, also candidates of loans that an
    /// earlier turn has placed."
    fn trades_of(&self, turn: usize) -> BTreeSet<usize> {
        self.market.turns[turn].iter().map(|c| c.trade).collect()
    }

    /// The candidate by which this turn placed the loan.
    fn placed_by(&self, loan: usize, turn: usize) -> Option<&ModelCandidate> {
        let placed = self.placed[loan].as_ref()?;
        (placed.turn == Some(turn)).then_some(&placed.candidate)
    }

    fn allocate(&mut self, c: &ModelCandidate, pass: &'static str, turn: Option<usize>) {
        self.put(c, pass, turn);
        let decision = self.decision("LoanAllocated", c, pass);
        self.decisions.push(decision);
    }

    /// Moves a placed loan to another of its candidates.
    fn move_to(
        &mut self,
        c: &ModelCandidate,
        pass: &'static str,
        turn: Option<usize>,
        cost: i128,
        made_room_for: Option<usize>,
    ) {
        let from = self.remove(c.loan);
        self.put(c, pass, turn);
        // Points are per 100 of par, and amounts are in cents: 8 + 2 decimals of 100 dollars.
        let dollars = round(&(of_units(cost, POINTS + CENTS) / whole(100)), CENTS);
        let decision = Decision {
            from_trade_id: Some(self.trade_id(from)),
            from_filled_after: Some(text(self.filled[from], CENTS)),
            marginal_cost: Some(text(dollars, CENTS)),
            other_loan_id: made_room_for.map(|l| self.loan_id(l)),
            ..self.decision("LoanMoved", c, pass)
        };
        self.decisions.push(decision);
    }

    fn release(&mut self, x: &ModelCandidate, turn: usize, cost: i128, y: &ModelCandidate) {
        let from = self.remove(x.loan);
        self.decisions.push(Decision {
            event: "LoanReleased",
            turn: turn as u32,
            loan_id: self.loan_id(x.loan),
            from_trade_id: Some(self.trade_id(from)),
            to_trade_id: None,
            pass: "fill_remaining",
            allocation_seq: None,
            marginal_cost: Some(text(cost, POINTS)),
            other_loan_id: Some(self.loan_id(y.loan)),
            from_filled_after: Some(text(self.filled[from], CENTS)),
            filled_after: None,
        });
    }

    fn put(&mut self, c: &ModelCandidate, pass: &'static str, turn: Option<usize>) {
        assert!(self.placed[c.loan].is_none(), "a loan is allocated at most once at a time");
        self.seq += 1;
        self.placed[c.loan] =
            Some(ModelPlacement { candidate: c.clone(), pass, seq: self.seq, turn });
        self.add(c.loan, c.trade, self.amount(c.loan));
    }

    fn remove(&mut self, loan: usize) -> usize {
        let placed = self.placed[loan].take().expect("only a placed loan is removed");
        self.add(loan, placed.candidate.trade, -self.amount(loan));
        placed.candidate.trade
    }

    fn decision(&self, event: &'static str, c: &ModelCandidate, pass: &'static str) -> Decision {
        Decision {
            event,
            turn: c.turn as u32,
            loan_id: self.loan_id(c.loan),
            from_trade_id: None,
            to_trade_id: Some(self.trade_id(c.trade)),
            pass,
            allocation_seq: Some(self.seq),
            marginal_cost: None,
            other_loan_id: None,
            from_filled_after: None,
            filled_after: Some(text(self.filled[c.trade], CENTS)),
        }
    }

    fn counted(&mut self, pass: &'static str, turn: Option<usize>, work: impl FnOnce(&mut Self)) {
        let from = self.decisions.len();
        work(self);
        let count = |event: &str| {
            self.decisions[from..].iter().filter(|decision| decision.event == event).count() as u64
        };
        self.counts.push(PassCount {
            pass,
            turn: turn.map(|turn| turn as u32),
            allocated: count("LoanAllocated"),
            moved: count("LoanMoved"),
            released: count("LoanReleased"),
        });
    }

    fn loan_id(&self, loan: usize) -> String {
        self.market.input.snapshot.loans[loan].loan_id.to_string()
    }

    fn trade_id(&self, trade: usize) -> String {
        self.market.input.snapshot.trades[trade].trade_id.to_string()
    }
}
