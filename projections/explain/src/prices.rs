//! Shadow prices in words (specification 10.2): what more room, or less priority, is worth.

use std::fmt::{Formatter, Result};

use powerfill_events::challenge::{PriceSubject, ShadowPriceFound};
use powerfill_events::run::event::Node;
use powerfill_events::values::TradeId;
use schemars::JsonSchema;
use serde::Serialize;

use super::words::usd;

/// The shadow prices of a trade, as the certificate of the run has them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct TradePrices {
    /// The stream of the challenge that has them.
    pub challenge: String,
    /// Those of its room and of limits in it, the highest first. What is not listed is 0.
    pub prices: Vec<ShadowPriceFound>,
}

impl TradePrices {
    /// Those of a trade, among all prices of a certificate.
    pub fn new(challenge: String, all: Vec<ShadowPriceFound>, trade: &TradeId) -> Self {
        let is_of_trade = |found: &ShadowPriceFound| match &found.subject {
            PriceSubject::Trade { trade_id } | PriceSubject::Block { trade_id, .. } => {
                trade_id == trade
            }
            PriceSubject::Turn { .. } => false,
        };
        Self { challenge, prices: all.into_iter().filter(is_of_trade).collect() }
    }
}

/// What one more $100,000 is worth, and of what: `$2,036` and `of room in T0008724`.
pub fn price_words(found: &ShadowPriceFound) -> (String, String) {
    let what = subject_words(&found.subject);
    let what = match &found.subject {
        PriceSubject::Trade { trade_id } | PriceSubject::Block { trade_id, .. } => {
            format!("{what} in {trade_id}")
        }
        PriceSubject::Turn { .. } => what,
    };
    (worth(found), what)
}

/// What one more $100,000 would be, without its trade.
fn subject_words(subject: &PriceSubject) -> String {
    match subject {
        PriceSubject::Trade { .. } => "of room".to_owned(),
        PriceSubject::Block { node, .. } => {
            format!("under {} of {}", limit_name(node), node.investor_instrument_name)
        }
        PriceSubject::Turn { turn } => format!("less that turns 1 to {turn} must place"),
    }
}

fn worth(found: &ShadowPriceFound) -> String {
    let worth = usd(found.of_hundred_thousand());
    format!("${}", worth.split('.').next().unwrap_or_default())
}

/// A limit in words. An empty constraint name is the instrument's own limit.
pub fn limit_name(node: &Node) -> String {
    match node.constraint_name.as_str() {
        "" => "the limit".to_owned(),
        name => format!("limit {name}"),
    }
}

/// Writes what more room in a trade is worth; nothing where the run has no certificate.
pub(super) fn write_prices(prices: Option<&TradePrices>, f: &mut Formatter<'_>) -> Result {
    let Some(TradePrices { prices, .. }) = prices else { return Ok(()) };
    writeln!(f)?;
    if prices.is_empty() {
        return writeln!(f, "More room here is worth nothing.");
    }
    for found in prices {
        let what = subject_words(&found.subject);
        writeln!(f, "One more $100,000 {what} is worth {}.", worth(found))?;
    }
    Ok(())
}
