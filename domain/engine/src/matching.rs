//! 2.4 The constraint tree: which loans match which nodes.

use rayon::prelude::*;

use super::book::{InstrumentIdx, LoanIdx, RuleIdx, RunBook};
use super::context::RunContext;
use super::index::{Groups, Idx, IdxVec, count};
use super::participation::LoanParticipation;
use super::tree::{ConstraintTree, NodeIdx, WalkNode};
use powerfill_snapshot::rules::Truth;
use powerfill_snapshot::tables::{Instrument, Loan};

/// Position of an [`InstrumentMatch`] in [`Matches`].
pub(crate) type MatchIdx = Idx<InstrumentMatch>;

/// An instrument with at least one node that a loan matches.
#[derive(Debug, Clone, Copy)]
pub(crate) struct InstrumentMatch {
    pub(crate) instrument: InstrumentIdx,
    /// The first matched node in walk order.
    pub(crate) first: NodeIdx,
    /// Number of matched nodes.
    pub(crate) nodes: u64,
}

/// Which rules and nodes the loans match that can be in an included trade: eligible loans, and
/// pinned ones whose pool is designated to an included trade. Other loans match nothing here.
pub(crate) struct Matches {
    found: MatchBatch,
    /// Number of matching loans per node.
    pub(crate) loans_of_node: IdxVec<WalkNode, u64>,
}

/// What consecutive loans match.
struct MatchBatch {
    /// A bit per rule, in `words` words per loan.
    satisfied: Vec<u64>,
    words: usize,
    instruments: Groups<Loan, InstrumentMatch>,
    /// The matched nodes with a limit, in walk order.
    limited: Groups<InstrumentMatch, NodeIdx>,
    /// The matched nodes of all loans.
    nodes: Vec<NodeIdx>,
}

impl MatchBatch {
    fn with_capacity(words: usize, loans: usize) -> Self {
        Self {
            satisfied: Vec::with_capacity(loans * words),
            words,
            instruments: Groups::with_capacity(loans),
            limited: Groups::with_capacity(0),
            nodes: Vec::new(),
        }
    }
}

impl Matches {
    pub(crate) fn new(context: &RunContext<'_>) -> Self {
        let RunContext { book, participation, tree, .. } = context;
        let matcher = Matcher::new(book, tree);
        let takes_part = |loan: LoanIdx| match participation.loans[loan] {
            LoanParticipation::Eligible => true,
            LoanParticipation::Pinned(_) => {
                participation.present_included_trade(book, loan).is_some()
            }
            LoanParticipation::OutOfScope(_) => false,
        };
        let loans: Vec<LoanIdx> = participation.loans.indices().iter().collect();
        let mut found = MatchBatch::with_capacity(matcher.words, loans.len());
        let mut loans_of_node = IdxVec::per_row(tree.nodes.as_slice(), 0);
        // Blocks bound the memory of the batches that wait for the ones before them.
        for block in loans.chunks(1 << 14) {
            let batches = block.par_chunks(1 << 8).map(|loans| matcher.batch(loans, takes_part));
            for batch in batches.collect::<Vec<_>>() {
                found.satisfied.extend(batch.satisfied);
                found.instruments.append(batch.instruments);
                found.limited.append(batch.limited);
                for node in batch.nodes {
                    loans_of_node[node] += 1;
                }
            }
        }
        Self { found, loans_of_node }
    }

    /// Whether the rule is TRUE for the loan.
    pub(crate) fn satisfies(&self, loan: LoanIdx, rule: RuleIdx) -> bool {
        let (word, bit) = bit_of(rule);
        self.found.satisfied[loan.get() * self.found.words + word] & bit != 0
    }

    /// The instruments with a node that the loan matches, by id.
    pub(crate) fn of_loan(&self, loan: LoanIdx) -> &[InstrumentMatch] {
        self.found.instruments.group(loan)
    }

    /// Positions of the matches of a loan, by instrument.
    pub(crate) fn indices_of_loan(&self, loan: LoanIdx) -> impl Iterator<Item = MatchIdx> {
        self.found.instruments.range(loan).iter()
    }

    pub(crate) fn get(&self, idx: MatchIdx) -> &InstrumentMatch {
        &self.found.instruments[idx]
    }

    /// The matched nodes with a limit, in walk order.
    #[inline]
    pub(crate) fn limited(&self, idx: MatchIdx) -> &[NodeIdx] {
        self.found.limited.group(idx)
    }

    /// The nodes of an instrument with a limit that the loan matches, in walk order.
    pub(crate) fn limited_at(&self, loan: LoanIdx, instrument: InstrumentIdx) -> &[NodeIdx] {
        let mut matches = self.indices_of_loan(loan);
        match matches.find(|idx| self.get(*idx).instrument == instrument) {
            Some(idx) => self.limited(idx),
            None => &[],
        }
    }
}

/// The word of a rule among the words of a loan, and its bit there.
fn bit_of(rule: RuleIdx) -> (usize, u64) {
    (rule.get() / 64, 1 << (rule.get() % 64))
}

/// A node that can match: a loan must satisfy all these rules.
struct NodeRules {
    node: NodeIdx,
    mask: Vec<u64>,
    is_limited: bool,
}

/// Finds the nodes that loans match.
pub(crate) struct Matcher<'a> {
    book: &'a RunBook<'a>,
    words: usize,
    /// The instruments with nodes that can match, and those nodes in walk order.
    instruments: Vec<(InstrumentIdx, Vec<NodeRules>)>,
}

impl<'a> Matcher<'a> {
    pub(crate) fn new(book: &'a RunBook<'a>, tree: &ConstraintTree) -> Self {
        let words = book.snapshot.rules.len().div_ceil(64).max(1);
        let node_rules = |node: &NodeIdx| {
            let row = &tree.nodes[*node];
            let mut mask = vec![0; words];
            for rule in &row.rules {
                let (word, bit) = bit_of(*rule);
                mask[word] |= bit;
            }
            NodeRules { node: *node, mask, is_limited: row.is_limited() }
        };
        let instruments = tree.of_instrument.enumerate().filter(|(_, nodes)| !nodes.is_empty());
        let instruments =
            instruments.map(|(idx, nodes)| (idx, nodes.iter().map(node_rules).collect()));
        Self { book, words, instruments: instruments.collect() }
    }

    /// The nodes that a loan matches, in walk order, also where the loan does not take part.
    pub(crate) fn nodes_of(&self, loan: LoanIdx) -> Vec<NodeIdx> {
        let mut nodes = self.batch(&[loan], |_| true).nodes;
        nodes.sort_unstable();
        nodes
    }

    fn batch(&self, loans: &[LoanIdx], takes_part: impl Fn(LoanIdx) -> bool) -> MatchBatch {
        let mut batch = MatchBatch::with_capacity(self.words, loans.len());
        for loan in loans.iter().copied() {
            batch.satisfied.resize(batch.satisfied.len() + self.words, 0);
            if takes_part(loan) {
                self.add_matches(loan, &mut batch);
            }
            batch.instruments.end_group();
        }
        batch
    }

    /// Adds the matches of one loan. The words of its rules are the last ones of the batch.
    fn add_matches(&self, loan: LoanIdx, batch: &mut MatchBatch) {
        let row = self.book.loan(loan);
        let words = batch.satisfied.len() - self.words;
        let satisfied = &mut batch.satisfied[words..];
        for (at, rule) in self.book.snapshot.rules.iter().enumerate() {
            if rule.predicate.evaluate(&row.attributes) == Truth::True {
                let (word, bit) = bit_of(RuleIdx::new(at));
                satisfied[word] |= bit;
            }
        }
        for (instrument, nodes) in &self.instruments {
            if !buys(self.book.instrument(*instrument), row) {
                continue;
            }
            let before = batch.nodes.len();
            for rules in nodes {
                if rules.mask.iter().zip(&*satisfied).all(|(mask, word)| mask & word == *mask) {
                    batch.nodes.push(rules.node);
                    if rules.is_limited {
                        batch.limited.push(rules.node);
                    }
                }
            }
            if let Some(first) = batch.nodes.get(before).copied() {
                let nodes = count(batch.nodes.len() - before);
                batch.instruments.push(InstrumentMatch { instrument: *instrument, first, nodes });
                batch.limited.end_group();
            }
        }
    }
}

/// A bound of an instrument on the loans that it buys.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum InstrumentBound {
    MinNoteRate,
    MaxNoteRate,
    MinTerm,
    MaxTerm,
}

impl InstrumentBound {
    pub(crate) const ALL: [Self; 4] =
        [Self::MinNoteRate, Self::MaxNoteRate, Self::MinTerm, Self::MaxTerm];

    /// Whether the bound excludes the loan. An absent bound is open, and an absent term matches.
    pub(crate) fn excludes(self, instrument: &Instrument, loan: &Loan) -> bool {
        let (rate, term) = (loan.note_rate, loan.term_months);
        match self {
            Self::MinNoteRate => instrument.min_note_rate.is_some_and(|min| rate < min),
            Self::MaxNoteRate => instrument.max_note_rate.is_some_and(|max| rate > max),
            Self::MinTerm => {
                term.zip(instrument.min_term_months).is_some_and(|(term, min)| term < min.into())
            }
            Self::MaxTerm => {
                term.zip(instrument.max_term_months).is_some_and(|(term, max)| term > max.into())
            }
        }
    }
}

/// Whether the note rate and the term of the loan are within the instrument's bounds.
fn buys(instrument: &Instrument, loan: &Loan) -> bool {
    !InstrumentBound::ALL.iter().any(|bound| bound.excludes(instrument, loan))
}
