//! What each column of an output table is to a comparison (specification 1.5, 3.4): what a row is known by, what it
//! decides, what only goes with the decision, and what is said rather than decided. Here for every table, and nowhere
//! else.

use powerfill_tables::table::TableSpec;
use powerfill_tables::tables::{
    all_rank, candy, cash_market_map, findings, kickout, loan_constraint_pool, pool_guide,
    powerfill_guide, powerfill_log, run_history, syn_guide, syn_trade_base, trade_base,
    trade_recap,
};

/// How the rows of a table are judged. A column that is in none of the lists is a number of the decision: where it
/// alone differs, the decision is the same with other numbers.
#[derive(Debug)]
pub struct Judged {
    /// The table.
    pub table: &'static TableSpec,
    /// What rows pair by. Not always the key of the table: a posting or a candidate is the same one also where its
    /// trade or its rank is another.
    pub key: &'static [&'static str],
    /// A difference here is another decision.
    pub decision: &'static [&'static str],
    /// Words about the row, or of the one run that made it; they are not compared.
    pub remarks: &'static [&'static str],
    /// Whether the run decides which rows there are, so that two tables may well have no key in common.
    pub presence_decides: bool,
    /// Whether the table says what was decided. The others are compared only where a mapping names them.
    pub decides: bool,
    /// Why it is so.
    pub because: &'static str,
}

impl Judged {
    const fn new(table: &'static TableSpec, key: &'static [&'static str]) -> Self {
        let (decision, remarks): (&[&str], &[&str]) = (&[], &[]);
        let (presence_decides, decides) = (false, true);
        Self { table, key, decision, remarks, presence_decides, decides, because: "" }
    }

    const fn decides(mut self, decision: &'static [&'static str]) -> Self {
        self.decision = decision;
        self
    }

    const fn remarks(mut self, remarks: &'static [&'static str]) -> Self {
        self.remarks = remarks;
        self
    }

    const fn by_presence(mut self) -> Self {
        self.presence_decides = true;
        self
    }

    const fn record(mut self) -> Self {
        self.decides = false;
        self
    }

    const fn because(mut self, because: &'static str) -> Self {
        self.because = because;
        self
    }

    /// Whether its rows are what becomes of a loan, so that a difference has the loan's story. Candidates and ranked
    /// options are what a loan could do, not what it does.
    pub fn is_of_loans(&self) -> bool {
        matches!(self.key, ["loan_id"] | ["loan_id", "pool_action"])
    }

    /// Position of a column in the table.
    pub fn position(&self, column: &str) -> Option<usize> {
        self.table.columns.iter().position(|known| known.name == column)
    }
}

/// Every table, in the order of 1.5.
pub static JUDGED: [Judged; 14] = [
    Judged::new(&findings::TABLE, &["code", "subject"])
        .decides(&["severity"])
        .remarks(&["message"])
        .by_presence()
        .because("a finding is there or not, and refuses the run or not; its words are free"),
    Judged::new(&trade_base::TABLE, &["trade_id"])
        .decides(&["included", "exclusion_reason"])
        .because("a trade is in the run or out of it, for a reason; amounts follow from the book"),
    Judged::new(&candy::TABLE, &["loan_id", "trade_id"])
        .decides(&["turn", "investor_id", "investor_instrument_name", "constraint_name"])
        .by_presence()
        .because(
            "a pair is a candidate or not, and belongs to one node and turn; a rank moves with \
             every score before it, so that it is a number and not what pairs rows",
        ),
    Judged::new(&powerfill_guide::TABLE, &["loan_id"])
        .decides(&["trade_id", "pool_name", "pool_action", "held_reason"])
        .because(
            "the desk acts on the trade, the pool, what to do about it and why a loan is held; \
             pass, sequence and node say how it came there",
        ),
    Judged::new(&pool_guide::TABLE, &["loan_id", "pool_action"])
        .decides(&["trade_id", "settlement_date", "pool_name", "from_pool_name", "to_pool_name"])
        .by_presence()
        .because(
            "a loan has each action at most once; a posting is where to, when and from which pool",
        ),
    Judged::new(&kickout::TABLE, &["loan_id"])
        .decides(&["reason"])
        .by_presence()
        .because("a loan is kicked out or not, for a reason; counts and the nearest trade inform"),
    Judged::new(&trade_recap::TABLE, &["trade_id"])
        .decides(&["fill_status"])
        .because("a trade ends filled, under or over; everything else is how much"),
    Judged::new(
        &loan_constraint_pool::TABLE,
        &["investor_id", "investor_instrument_name", "constraint_name", "trade_id"],
    )
    .decides(&["lo_met"])
    .because("a goal is met or not; the amounts say by how much"),
    Judged::new(
        &syn_trade_base::TABLE,
        &["investor_instrument_name", "settlement_date", "note_rate"],
    )
    .remarks(&["trade_id_origin"])
    .because("a price list decides nothing"),
    Judged::new(&all_rank::TABLE, &["loan_id", "syn_trade_id"])
        .remarks(&["trade_id_origin"])
        .because("options are compared, not taken: the one that counts stands in the next table"),
    Judged::new(&syn_guide::TABLE, &["loan_id"])
        .decides(&["syn_trade_id", "allocated_trade_id"])
        .remarks(&["trade_id_origin"])
        .because("the best option, and the allocation that it is set against"),
    Judged::new(&cash_market_map::TABLE, &["loan_id"])
        .decides(&["investor_instrument_name", "settlement_date"])
        .because("the instrument and date to sell for cash"),
    Judged::new(&powerfill_log::TABLE, &["seq"])
        .decides(&["step"])
        .remarks(&["message"])
        .record()
        .because("it tells of the run, not of its decisions"),
    Judged::new(&run_history::TABLE, &[])
        .decides(&["status", "failure_step"])
        .remarks(&[
            "requested_by",
            "requested_at",
            "started_at",
            "ended_at",
            "failure_message",
            "counts",
        ])
        .record()
        .because("one row a run; who asked and when differs between any two"),
];

/// How the table with this name is judged, and its position in [`JUDGED`].
pub fn judged(name: &str) -> Option<(usize, &'static Judged)> {
    JUDGED.iter().enumerate().find(|(_, judged)| judged.table.name == name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use powerfill_tables::tables::{ALL, DECISIONS};

    #[test]
    fn every_table_is_judged_in_the_order_of_the_specification() {
        assert_eq!(JUDGED.len(), ALL.len());
        for (judged, table) in JUDGED.iter().zip(ALL) {
            assert!(std::ptr::eq(judged.table, *table), "{}", table.name);
            let is_decision = DECISIONS.iter().any(|decision| std::ptr::eq(*decision, *table));
            assert_eq!(judged.decides, is_decision, "{}", table.name);
            assert!(!judged.because.is_empty());
            // A set of columns is one machine word, a bit each.
            assert!(table.columns.len() <= 32);
        }
    }

    #[test]
    fn a_column_is_one_thing_to_a_comparison() {
        for judged in &JUDGED {
            let lists = [judged.key, judged.decision, judged.remarks].concat();
            for (at, column) in lists.iter().enumerate() {
                assert!(judged.position(column).is_some(), "{} {column}", judged.table.name);
                assert!(!lists[..at].contains(column), "{} {column}", judged.table.name);
            }
        }
    }
}
