//! Which loans the upper limit of a node describes (2.4).

use powerfill_events::run::event::Node;
use powerfill_snapshot::Snapshot;
use powerfill_snapshot::rules::{Predicate, Truth};
use powerfill_snapshot::tables::{Instrument, Loan, NodeKey};
use rust_decimal::Decimal;

/// The conditions of a node.
pub(crate) struct LimitRules<'a> {
    /// `None`: the node matches nothing.
    instrument: Option<&'a Instrument>,
    rules: Vec<&'a Predicate>,
}

impl<'a> LimitRules<'a> {
    pub(crate) fn new(snapshot: &'a Snapshot, node: &Node) -> Self {
        let [investor, instrument, name] = [
            node.investor_id.as_str(),
            node.investor_instrument_name.as_str(),
            node.constraint_name.as_str(),
        ];
        let key = |instrument: &str, name: &str| NodeKey {
            investor_id: investor.into(),
            investor_instrument_name: instrument.into(),
            constraint_name: name.into(),
        };
        let own = key(instrument, name);
        let mut levels = vec![own.clone()];
        for level in [key(instrument, ""), key("", "")] {
            if !levels.contains(&level) {
                levels.push(level);
            }
        }
        let rules = levels.iter().flat_map(|level| rules_of(snapshot, level)).collect();
        let at = snapshot.instruments.binary_search_by(|row| {
            row.investor_instrument_name.cmp(&own.investor_instrument_name)
        });
        let instrument = at
            .ok()
            .map(|at| &snapshot.instruments[at])
            .filter(|row| row.investor_id == own.investor_id);
        Self { instrument, rules }
    }

    /// Whether a loan matches the node.
    pub(crate) fn matches(&self, loan: &Loan) -> bool {
        self.instrument.is_some_and(|instrument| buys(instrument, loan))
            && self.rules.iter().all(|rule| rule.evaluate(&loan.attributes) == Truth::True)
    }
}

/// The rules of one node, without those of its ancestors.
fn rules_of<'a>(
    snapshot: &'a Snapshot,
    key: &NodeKey,
) -> impl Iterator<Item = &'a Predicate> + use<'a> {
    let rows = &snapshot.constraint_rules;
    let from = rows.partition_point(|row| row.node() < *key);
    let key = key.clone();
    rows[from..].iter().take_while(move |row| row.node() == key).map(|row| {
        let at = snapshot
            .rules
            .binary_search_by(|rule| rule.row.rule_name.cmp(&row.rule_name))
            .expect("the rule of a relation exists in a validated snapshot");
        &snapshot.rules[at].predicate
    })
}

/// Whether the note rate and the term of a loan are within the bounds of an instrument.
fn buys(instrument: &Instrument, loan: &Loan) -> bool {
    let months = |months: Option<i64>| months.map(Decimal::from);
    let (shortest, longest) =
        (months(instrument.min_term_months), months(instrument.max_term_months));
    instrument.min_note_rate.is_none_or(|lowest| lowest <= loan.note_rate)
        && instrument.max_note_rate.is_none_or(|highest| loan.note_rate <= highest)
        && loan.term_months.is_none_or(|term| {
            shortest.is_none_or(|shortest| shortest <= term)
                && longest.is_none_or(|longest| term <= longest)
        })
}
