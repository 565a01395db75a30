//! Which report is which output table, or which rows of it.

use powerfill_tables::table::TableSpec;
use powerfill_tables::tables::{
    candy, cash_market_map, kickout, loan_constraint_pool, pool_guide, powerfill_guide, syn_guide,
    trade_base, trade_recap,
};

/// A report.
#[derive(Debug)]
pub(crate) struct Report {
    /// As in its path.
    pub(crate) name: &'static str,
    /// What a row is.
    pub(crate) about: &'static str,
    /// The table.
    pub(crate) table: &'static TableSpec,
    /// Only rows whose column has one of these values.
    pub(crate) only: Option<(&'static str, &'static [&'static str])>,
}

const fn whole(name: &'static str, about: &'static str, table: &'static TableSpec) -> Report {
    Report { name, about, table, only: None }
}

/// Postings with some pool actions (2.10).
const fn postings(
    name: &'static str,
    about: &'static str,
    actions: &'static [&'static str],
) -> Report {
    Report { name, about, table: &pool_guide::TABLE, only: Some(("pool_action", actions)) }
}

/// The reports, in the order of 4.3.
pub(crate) static ALL: [Report; 11] = [
    whole("guide", "where each allocated, locked or held loan goes", &powerfill_guide::TABLE),
    whole("recap", "how full each included trade is", &trade_recap::TABLE),
    postings(
        "switching",
        "loans that go from one pool to another: both postings of each",
        &["Switching", "Swapped In"],
    ),
    whole("pool-candidates", "each candidate pair of loan and trade, by rank", &candy::TABLE),
    postings(
        "existing-pool-disposition",
        "what becomes of each loan that is in a pool and in the run: it remains, leaves or switches",
        &["Remaining", "Leaving", "Switching"],
    ),
    whole("pooling-guide", "every posting about pools", &pool_guide::TABLE),
    whole("cash-trade-slotting", "the best cash option of each loan", &cash_market_map::TABLE),
    whole("kickouts", "loans without a place, with the reason", &kickout::TABLE),
    whole("synthetic", "the best synthetic option of each loan", &syn_guide::TABLE),
    whole("trade-base", "the trades that were looked at", &trade_base::TABLE),
    whole(
        "constraint-blocks",
        "how much of each limit is used in each trade",
        &loan_constraint_pool::TABLE,
    ),
];
