//! The story of a trade (specification 3.4): who filled it, in which order, who was turned away,
//! why it is short.

use std::collections::{BTreeMap, HashMap};

use powerfill_events::ignored;
use powerfill_events::run::event::{
    CandidateScored, ConstraintBlockEvaluated, FillStatus, KickoutReason, LoanAllocated, LoanMoved,
    LoanPinned, LoanReleased, Pass, RejectionReason, TradeAssessed, TradeFillEvaluated,
};
use powerfill_events::run::{RecordedEvent, RunEvent, RunId};
use powerfill_events::values::{LoanId, Money, Price, TradeId};
use serde::Serialize;

use super::NameMatcher;
use super::loan::RunInput;
use super::turned_away::TradeHistory;
use super::verdict::CandidateVerdict;
use powerfill_tables::status::RunStatus;

/// Everything that a run's events say about a trade.
#[derive(Debug, Clone, Serialize)]
pub struct TradeExplanation {
    /// The run; NULL before its first event.
    pub run_id: Option<RunId>,
    /// Where the run stands.
    pub status: RunStatus,
    /// What it was asked to decide on; NULL before its first event.
    pub input: Option<RunInput>,
    /// The trade, spelled as its table spells it where an event names it.
    pub trade_id: TradeId,
    /// Whether it is in the run, its band; NULL where no event names it.
    pub trade: Option<TradeAssessed>,
    /// Loans that were there before the run and stay.
    pub pinned: Vec<LoanPinned>,
    /// Who came and went, in order.
    pub entries: Vec<TradeEntry>,
    /// How many candidates it had.
    pub candidates: u64,
    /// Candidates that are not there at the end, in the order of turn and rank.
    pub turned_away: Vec<AbsentCandidate>,
    /// Loans that were no candidates, by reason.
    pub rejected: BTreeMap<RejectionReason, u64>,
    /// Its limits.
    pub limits: Vec<ConstraintBlockEvaluated>,
    /// How it ended up.
    pub fill: Option<TradeFillEvaluated>,
    /// Why it is short, where it is.
    pub shortage: Option<Shortage>,
}

/// A loan that came or went.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct TradeEntry {
    /// The loan.
    pub loan_id: LoanId,
    /// Its amount.
    pub loan_amount: Money,
    /// How.
    #[serde(flatten)]
    pub change: TradeChange,
    /// In which turn.
    pub turn: u32,
    /// By which pass.
    pub pass: Pass,
    /// The trade's filled amount after it.
    pub filled_after: Money,
}

/// How a loan came or went.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "change", rename_all = "snake_case")]
pub enum TradeChange {
    /// It had no place.
    Placed {
        /// Number of the placement.
        allocation_seq: u64,
        /// What the loan is worth here.
        score: Price,
    },
    /// From another trade.
    MovedIn {
        /// Number of the placement.
        allocation_seq: u64,
        /// What the loan is worth here.
        score: Price,
        /// From where.
        from_trade_id: TradeId,
        /// For whom it made room there, where it did.
        made_room_for: Option<LoanId>,
    },
    /// To another trade.
    MovedOut {
        /// To where.
        to_trade_id: TradeId,
        /// For whom it made room here, where it did.
        made_room_for: Option<LoanId>,
    },
    /// Without a place again.
    TakenOut {
        /// For whom.
        exchanged_for: LoanId,
    },
}

/// A candidate that is not in the trade at the end.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct AbsentCandidate {
    /// The loan.
    pub loan_id: LoanId,
    /// Its turn here.
    pub turn: u32,
    /// Its rank in the turn.
    pub candidate_rank: u32,
    /// What it is worth here.
    pub score: Price,
    /// Its amount; NULL where no event says it.
    pub loan_amount: Option<Money>,
    /// Why it was not taken, or did not stay.
    pub verdict: CandidateVerdict,
    /// Where it is instead.
    pub place: LoanPlace,
}

/// Where a loan is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "is", rename_all = "snake_case")]
pub enum LoanPlace {
    /// In a trade.
    Trade {
        /// Which.
        trade_id: TradeId,
        /// The pass that put it there.
        pass: Pass,
        /// What it is worth there.
        score: Price,
    },
    /// Nowhere, for this reason.
    KickedOut {
        /// The furthest that it got.
        reason: KickoutReason,
    },
    /// The events do not say yet.
    Unplaced,
}

/// Why a trade is short: where the loans are that it could have had.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Shortage {
    /// To min.
    pub shortfall_amount: Money,
    /// Candidates that went to other trades.
    pub placed_elsewhere: u64,
    /// Their amount.
    pub placed_elsewhere_amount: Money,
    /// Candidates that found no place at all.
    pub kicked_out: u64,
    /// Their amount.
    pub kicked_out_amount: Money,
}

/// Gathers the story of one trade from a run's events, in their order.
#[derive(Debug)]
pub struct TradeStory {
    sought: NameMatcher,
    told: TradeExplanation,
    candidates: Vec<AbsentCandidate>,
    /// Position in `candidates`.
    positions: HashMap<LoanId, usize>,
    court: TradeHistory,
}

impl TradeStory {
    /// Of the trade with this id, compared as text (1.1).
    pub fn new(trade_id: &str) -> Self {
        Self {
            sought: NameMatcher::new(trade_id),
            told: TradeExplanation {
                run_id: None,
                status: RunStatus::Pending,
                input: None,
                trade_id: trade_id.into(),
                trade: None,
                pinned: Vec::new(),
                entries: Vec::new(),
                candidates: 0,
                turned_away: Vec::new(),
                rejected: BTreeMap::new(),
                limits: Vec::new(),
                fill: None,
                shortage: None,
            },
            candidates: Vec::new(),
            positions: HashMap::new(),
            court: TradeHistory::default(),
        }
    }

    /// Takes the next event of the run.
    pub fn apply(&mut self, recorded: &RecordedEvent<'_>) {
        let told = &mut self.told;
        told.run_id = Some(recorded.run_id);
        told.status = told.status.max(RunStatus::reached_with(recorded.event));
        match recorded.event {
            RunEvent::TradeAssessed(trade) => {
                if self.sought.is(trade.trade_id.as_str()) {
                    told.trade_id = trade.trade_id.clone();
                    told.trade = Some((**trade).clone());
                }
            }
            RunEvent::LoanPinned(pinned) => {
                if pinned.trade_id.as_ref() == Some(&told.trade_id) {
                    told.pinned.push((**pinned).clone());
                }
            }
            RunEvent::CandidateScored(candidate) => self.note_candidate(candidate),
            RunEvent::CandidatesRejected(rejected) => {
                let here = rejected.rejections.iter();
                for pair in here.filter(|pair| pair.trade_id == told.trade_id) {
                    *told.rejected.entry(pair.reason).or_default() += 1;
                }
            }
            RunEvent::LoanAllocated(placed) => self.allocate(placed),
            RunEvent::LoanMoved(moved) => self.shift(moved),
            RunEvent::LoanReleased(released) => self.release(released),
            RunEvent::ConstraintBlockEvaluated(block) => {
                if block.trade_id == told.trade_id {
                    told.limits.push((**block).clone());
                }
            }
            RunEvent::TradeFillEvaluated(fill) => {
                if fill.trade_id == told.trade_id {
                    told.fill = Some((**fill).clone());
                }
            }
            RunEvent::LoanKickedOut(kickout) => {
                let place = LoanPlace::KickedOut { reason: kickout.reason };
                self.put(&kickout.loan_id, kickout.loan_amount, place);
            }
            ignored!(
                Opening CashGrids ConstraintMatched PassCompleted PoolActionDerived Synthetic
                Verification End
            ) => {}
        }
        self.court.apply(recorded, &self.told.trade_id);
    }

    /// The story, from the events so far.
    pub fn finish(self) -> TradeExplanation {
        let Self { mut told, candidates, court, .. } = self;
        told.candidates = candidates.len() as u64;
        let here = |candidate: &AbsentCandidate| match &candidate.place {
            LoanPlace::Trade { trade_id, .. } => *trade_id == told.trade_id,
            LoanPlace::KickedOut { .. } | LoanPlace::Unplaced => false,
        };
        told.turned_away = candidates.into_iter().filter(|candidate| !here(candidate)).collect();
        for away in &mut told.turned_away {
            away.verdict = court.judge(away, &told.limits);
        }
        told.input = court.input;
        told.shortage = told
            .fill
            .as_ref()
            .filter(|fill| fill.fill_status == FillStatus::Under)
            .map(|fill| Shortage::new(fill.shortfall_amount, &told.turned_away));
        told
    }

    fn note_candidate(&mut self, candidate: &CandidateScored) {
        if candidate.trade_id == self.told.trade_id {
            self.positions.insert(candidate.loan_id.clone(), self.candidates.len());
            self.candidates.push(AbsentCandidate {
                loan_id: candidate.loan_id.clone(),
                turn: candidate.turn,
                candidate_rank: candidate.candidate_rank,
                score: candidate.pricing.score,
                loan_amount: None,
                verdict: CandidateVerdict::NotReached,
                place: LoanPlace::Unplaced,
            });
        }
    }

    fn put(&mut self, loan_id: &LoanId, loan_amount: Money, place: LoanPlace) {
        if let Some(at) = self.positions.get(loan_id) {
            let candidate = &mut self.candidates[*at];
            candidate.loan_amount = Some(loan_amount);
            candidate.place = place;
        }
    }

    fn allocate(&mut self, placed: &LoanAllocated) {
        let (trade_id, pass, score) = (placed.trade_id.clone(), placed.pass, placed.pricing.score);
        if trade_id == self.told.trade_id {
            let allocation_seq = placed.allocation_seq;
            self.told.entries.push(TradeEntry {
                loan_id: placed.loan_id.clone(),
                loan_amount: placed.loan_amount,
                change: TradeChange::Placed { allocation_seq, score },
                turn: placed.turn,
                pass,
                filled_after: placed.filled_after,
            });
        }
        let place = LoanPlace::Trade { trade_id, pass, score };
        self.put(&placed.loan_id, placed.loan_amount, place);
    }

    fn shift(&mut self, moved: &LoanMoved) {
        let score = moved.pricing.score;
        let entry = |change, filled_after| TradeEntry {
            loan_id: moved.loan_id.clone(),
            loan_amount: moved.loan_amount,
            change,
            turn: moved.turn,
            pass: moved.pass,
            filled_after,
        };
        let made_room_for = moved.made_room_for.clone();
        if moved.from_trade_id == self.told.trade_id {
            let to_trade_id = moved.to_trade_id.clone();
            let change = TradeChange::MovedOut { to_trade_id, made_room_for };
            self.told.entries.push(entry(change, moved.from_filled_after));
        } else if moved.to_trade_id == self.told.trade_id {
            let (allocation_seq, from_trade_id) =
                (moved.allocation_seq, moved.from_trade_id.clone());
            let change =
                TradeChange::MovedIn { allocation_seq, score, from_trade_id, made_room_for };
            self.told.entries.push(entry(change, moved.filled_after));
        }
        let (trade_id, pass) = (moved.to_trade_id.clone(), moved.pass);
        let place = LoanPlace::Trade { trade_id, pass, score };
        self.put(&moved.loan_id, moved.loan_amount, place);
    }

    fn release(&mut self, released: &LoanReleased) {
        if released.trade_id == self.told.trade_id {
            self.told.entries.push(TradeEntry {
                loan_id: released.loan_id.clone(),
                loan_amount: released.loan_amount,
                change: TradeChange::TakenOut { exchanged_for: released.exchanged_for.clone() },
                turn: released.turn,
                pass: released.pass,
                filled_after: released.filled_after,
            });
        }
        self.put(&released.loan_id, released.loan_amount, LoanPlace::Unplaced);
    }
}

impl Shortage {
    fn new(shortfall_amount: Money, turned_away: &[AbsentCandidate]) -> Self {
        let mut shortage = Self {
            shortfall_amount,
            placed_elsewhere: 0,
            placed_elsewhere_amount: Money::ZERO,
            kicked_out: 0,
            kicked_out_amount: Money::ZERO,
        };
        for candidate in turned_away {
            let amount = candidate.loan_amount.unwrap_or_default();
            match candidate.place {
                LoanPlace::Trade { .. } => {
                    shortage.placed_elsewhere += 1;
                    shortage.placed_elsewhere_amount += amount;
                }
                LoanPlace::KickedOut { .. } => {
                    shortage.kicked_out += 1;
                    shortage.kicked_out_amount += amount;
                }
                LoanPlace::Unplaced => {}
            }
        }
        shortage
    }
}
