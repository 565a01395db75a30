//! 2.4 The constraint tree: walkable nodes in walk order, their turns, and which loans match them.

use std::collections::HashMap;
use std::ops::Range;
use std::sync::Arc;

use rayon::prelude::*;

use super::book::{Book, Ix};
use super::participation::{LoanStanding, Participation};
use powerfill_events::run::event::Node;
use powerfill_events::values::{ConstraintName, InstrumentName, InvestorId, Name, Share};
use powerfill_snapshot::rules::Truth;
use powerfill_snapshot::tables::{Instrument, Loan, NodeKey};

/// A walkable node. Its position is its place in the walk order.
pub(crate) struct WalkNode {
    /// Its row in `pfill_constraints`.
    pub(crate) constraint: Ix,
    /// As events show it.
    pub(crate) shown: Arc<Node>,
    /// From 1.
    pub(crate) turn: u32,
    /// Its instrument, where that exists and has the node's investor; a node without one matches nothing.
    pub(crate) instrument: Option<Ix>,
    pub(crate) lo_limit: Option<Share>,
    pub(crate) hi_limit: Option<Share>,
    /// Its own rules and those of its ancestors, by name.
    pub(crate) rules: Vec<Ix>,
}

impl WalkNode {
    pub(crate) const fn is_limited(&self) -> bool {
        self.lo_limit.is_some() || self.hi_limit.is_some()
    }
}

/// The walkable nodes, in walk order.
pub(crate) struct Tree {
    pub(crate) nodes: Vec<WalkNode>,
    /// Nodes of each instrument that can match, in walk order.
    of_instrument: Vec<Vec<Ix>>,
}

impl Tree {
    pub(crate) fn new(book: &Book<'_>) -> Self {
        let own_rules = own_rules(book);
        let constraints = &book.snapshot.constraints;
        let mut walk: Vec<Ix> = (0..constraints.len() as Ix)
            .filter(|ix| !book.constraint(*ix).key.investor_instrument_name.is_empty())
            .collect();
        walk.sort_by_key(|ix| {
            let row = book.constraint(*ix);
            (row.constraint_priority, row.key.constraint_name.is_empty(), &row.key)
        });
        let mut nodes: Vec<WalkNode> = Vec::with_capacity(walk.len());
        let mut of_instrument = vec![Vec::new(); book.snapshot.instruments.len()];
        for ix in walk {
            let priority = book.constraint(ix).constraint_priority;
            let turn = nodes.last().map_or(1, |last| {
                last.turn + u32::from(last.shown.constraint_priority != priority)
            });
            let node = walk_node(book, &own_rules, ix, turn);
            if let Some(instrument) = node.instrument {
                of_instrument[instrument as usize].push(nodes.len() as Ix);
            }
            nodes.push(node);
        }
        Self { nodes, of_instrument }
    }

    pub(crate) fn node(&self, ix: Ix) -> &WalkNode {
        &self.nodes[ix as usize]
    }

    /// The last turn; 0 where no node can be walked.
    pub(crate) fn turns(&self) -> u32 {
        self.nodes.last().map_or(0, |node| node.turn)
    }
}

fn own_rules<'a>(book: &Book<'a>) -> HashMap<&'a NodeKey, Vec<Ix>> {
    let mut own: HashMap<&NodeKey, Vec<Ix>> = HashMap::new();
    for row in &book.snapshot.constraint_rules {
        let rule = book.find_rule(&row.rule_name);
        let rule = rule.expect("validation refuses an unknown rule of a rule relation");
        own.entry(&row.key).or_default().push(rule);
    }
    own
}

fn walk_node(
    book: &Book<'_>,
    own_rules: &HashMap<&NodeKey, Vec<Ix>>,
    ix: Ix,
    turn: u32,
) -> WalkNode {
    let row = book.constraint(ix);
    let nothing = Name::new("");
    let at_instrument = NodeKey { constraint_name: nothing.clone(), ..row.key.clone() };
    let at_investor = NodeKey { investor_instrument_name: nothing, ..at_instrument.clone() };
    let mut rules: Vec<Ix> = [&row.key, &at_instrument, &at_investor]
        .iter()
        .filter_map(|key| own_rules.get(*key))
        .flatten()
        .copied()
        .collect();
    rules.sort_unstable();
    rules.dedup();
    let instrument = book.constraint_instrument[ix as usize]
        .filter(|instrument| book.instrument(*instrument).investor_id == row.key.investor_id);
    let shown = Node {
        investor_id: InvestorId::from(&row.key.investor_id),
        investor_instrument_name: InstrumentName::from(&row.key.investor_instrument_name),
        constraint_name: ConstraintName::from(&row.key.constraint_name),
        constraint_priority: row.constraint_priority,
    };
    WalkNode {
        constraint: ix,
        shown: Arc::new(shown),
        turn,
        instrument,
        lo_limit: row.lo_limit,
        hi_limit: row.hi_limit,
        rules,
    }
}

/// The nodes of one instrument that a loan matches.
#[derive(Debug, Clone, Copy)]
pub(crate) struct InstrumentMatch {
    pub(crate) instrument: Ix,
    /// The first one in walk order.
    pub(crate) first: Ix,
    /// How many.
    pub(crate) count: u32,
    /// Those with a limit: positions in [`Matches::limited`].
    limited_from: u32,
    limited_to: u32,
}

/// Which loans satisfy which rules and match which nodes. Worked out for the loans that can be in an included trade:
/// eligible ones, and pinned ones whose pool is designated to one.
pub(crate) struct Matches {
    /// Bits of the satisfied rules of each loan, `words` a loan.
    satisfied: Vec<u64>,
    words: usize,
    /// Where the instruments of each loan begin in `instruments`.
    from: Vec<u32>,
    instruments: Vec<InstrumentMatch>,
    limited: Vec<Ix>,
    /// How many loans match each node.
    pub(crate) loans_of_node: Vec<u64>,
}

/// What some loans match, one behind the other, before they are put behind those before them.
#[derive(Default)]
struct LoanMatches {
    satisfied: Vec<u64>,
    instruments: Vec<InstrumentMatch>,
    /// Where the instruments of each loan end.
    ends: Vec<u32>,
    limited: Vec<Ix>,
    nodes: Vec<Ix>,
}

impl Matches {
    pub(crate) fn new(book: &Book<'_>, tree: &Tree, participation: &Participation) -> Self {
        let matcher = Matcher::new(book, tree);
        let words = matcher.words;
        let mut all = Self {
            satisfied: Vec::with_capacity(book.snapshot.loans.len() * words),
            words,
            from: Vec::with_capacity(book.snapshot.loans.len() + 1),
            instruments: Vec::new(),
            limited: Vec::new(),
            loans_of_node: vec![0; tree.nodes.len()],
        };
        let takes_part = |ix: Ix| match participation.loans[ix as usize] {
            LoanStanding::Eligible => true,
            LoanStanding::Pinned(_) => participation.included_trade(book, ix).is_some(),
            LoanStanding::OutOfScope(_) => false,
        };
        all.from.push(0);
        let loans: Vec<Ix> = (0..book.snapshot.loans.len() as Ix).collect();
        for block in loans.chunks(1 << 14) {
            let found: Vec<LoanMatches> =
                block.par_chunks(1 << 8).map(|loans| matcher.all(loans, takes_part)).collect();
            for loans in found {
                all.push(loans);
            }
        }
        all
    }

    fn push(&mut self, loans: LoanMatches) {
        let (before, shift) = (self.instruments.len() as u32, self.limited.len() as u32);
        self.from.extend(loans.ends.iter().map(|end| before + end));
        self.satisfied.extend(loans.satisfied);
        self.limited.extend(loans.limited);
        self.instruments.extend(loans.instruments.into_iter().map(|mut found| {
            found.limited_from += shift;
            found.limited_to += shift;
            found
        }));
        for node in loans.nodes {
            self.loans_of_node[node as usize] += 1;
        }
    }

    /// Whether the rule is TRUE for the loan.
    pub(crate) fn satisfies(&self, loan: Ix, rule: Ix) -> bool {
        let word = self.satisfied[loan as usize * self.words + rule as usize / 64];
        word >> (rule % 64) & 1 == 1
    }

    /// The instruments with a node that the loan matches, by id.
    pub(crate) fn of_loan(&self, loan: Ix) -> &[InstrumentMatch] {
        let (from, to) = (self.from[loan as usize], self.from[loan as usize + 1]);
        &self.instruments[from as usize..to as usize]
    }

    /// The same, as positions that [`Matches::found`] takes.
    pub(crate) fn places_of_loan(&self, loan: Ix) -> Range<Ix> {
        self.from[loan as usize]..self.from[loan as usize + 1]
    }

    /// What is at such a position.
    pub(crate) fn found(&self, at: Ix) -> &InstrumentMatch {
        &self.instruments[at as usize]
    }

    /// The matched nodes of that instrument that have a limit, in walk order.
    pub(crate) fn limited(&self, found: &InstrumentMatch) -> &[Ix] {
        &self.limited[found.limited_from as usize..found.limited_to as usize]
    }

    /// The matched nodes with a limit of an instrument, in walk order.
    pub(crate) fn limited_at(&self, loan: Ix, instrument: Ix) -> &[Ix] {
        let found = self.of_loan(loan);
        match found.binary_search_by_key(&instrument, |found| found.instrument) {
            Ok(at) => self.limited(&found[at]),
            Err(_) => &[],
        }
    }
}

/// Words that have a bit for each rule.
fn words_of_rules(book: &Book<'_>) -> usize {
    book.snapshot.rules.len().div_ceil(64).max(1)
}

/// What a node asks of a loan, beside its instrument's bounds: all of these rules.
struct Asked {
    node: Ix,
    mask: Vec<u64>,
    limited: bool,
}

/// Finds what loans match.
pub(crate) struct Matcher<'a> {
    book: &'a Book<'a>,
    words: usize,
    /// Of each instrument that has nodes which can match: its position, and they in walk order.
    instruments: Vec<(Ix, Vec<Asked>)>,
}

impl<'a> Matcher<'a> {
    pub(crate) fn new(book: &'a Book<'a>, tree: &Tree) -> Self {
        let words = words_of_rules(book);
        let asked = |node: &Ix| {
            let row = tree.node(*node);
            let mut mask = vec![0; words];
            for rule in &row.rules {
                mask[*rule as usize / 64] |= 1 << (rule % 64);
            }
            Asked { node: *node, mask, limited: row.is_limited() }
        };
        let instruments = tree.of_instrument.iter().zip(0..).filter(|(nodes, _)| !nodes.is_empty());
        let instruments =
            instruments.map(|(nodes, ix)| (ix, nodes.iter().map(asked).collect())).collect();
        Self { book, words, instruments }
    }

    /// The nodes that a loan matches, in walk order, whether it takes part or not.
    pub(crate) fn nodes_of(&self, loan: Ix) -> Vec<Ix> {
        let mut nodes = self.all(&[loan], |_| true).nodes;
        nodes.sort_unstable();
        nodes
    }

    /// What these loans match; nothing, where they take no part.
    fn all(&self, loans: &[Ix], take_part: impl Fn(Ix) -> bool) -> LoanMatches {
        let mut found = LoanMatches::default();
        for loan in loans.iter().copied() {
            let before = found.satisfied.len();
            found.satisfied.resize(before + self.words, 0);
            if take_part(loan) {
                self.matches(loan, &mut found);
            }
            found.ends.push(found.instruments.len() as u32);
        }
        found
    }

    /// Adds what one loan matches; the words of its rules are there, at the end.
    fn matches(&self, loan: Ix, found: &mut LoanMatches) {
        let row = self.book.loan(loan);
        let rules = found.satisfied.len() - self.words;
        for (ix, rule) in self.book.snapshot.rules.iter().enumerate() {
            if rule.predicate.evaluate(&row.attributes) == Truth::True {
                found.satisfied[rules + ix / 64] |= 1 << (ix % 64);
            }
        }
        for (instrument, nodes) in &self.instruments {
            if !buys(self.book.instrument(*instrument), row) {
                continue;
            }
            let (before, limited_from) = (found.nodes.len(), found.limited.len() as u32);
            for asked in nodes {
                let satisfied = found.satisfied[rules..].iter();
                let satisfied = asked.mask.iter().zip(satisfied).all(|(m, s)| m & s == *m);
                if satisfied {
                    found.nodes.push(asked.node);
                    if asked.limited {
                        found.limited.push(asked.node);
                    }
                }
            }
            if let Some(first) = found.nodes.get(before) {
                found.instruments.push(InstrumentMatch {
                    instrument: *instrument,
                    first: *first,
                    count: (found.nodes.len() - before) as u32,
                    limited_from,
                    limited_to: found.limited.len() as u32,
                });
            }
        }
    }
}

/// A bound of an instrument on the loans that it buys.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Bound {
    LeastNoteRate,
    MostNoteRate,
    LeastTerm,
    MostTerm,
}

impl Bound {
    pub(crate) const ALL: [Self; 4] =
        [Self::LeastNoteRate, Self::MostNoteRate, Self::LeastTerm, Self::MostTerm];

    /// Whether it keeps the loan out; an absent bound is open, an absent term matches.
    pub(crate) fn refuses(self, instrument: &Instrument, loan: &Loan) -> bool {
        let (rate, term) = (loan.note_rate, loan.term_months);
        match self {
            Self::LeastNoteRate => instrument.min_note_rate.is_some_and(|min| rate < min),
            Self::MostNoteRate => instrument.max_note_rate.is_some_and(|max| rate > max),
            Self::LeastTerm => {
                term.zip(instrument.min_term_months).is_some_and(|(term, min)| term < min.into())
            }
            Self::MostTerm => {
                term.zip(instrument.max_term_months).is_some_and(|(term, max)| term > max.into())
            }
        }
    }
}

/// Whether the instrument's bounds on note rate and term hold.
fn buys(instrument: &Instrument, loan: &Loan) -> bool {
    !Bound::ALL.iter().any(|bound| bound.refuses(instrument, loan))
}
