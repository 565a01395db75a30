//! Where loans come from and go to: from the trade of their pool, a pool without a trade, or no
//! pool, to a trade or nowhere.

use std::cmp::Reverse;
use std::collections::HashMap;

use powerfill_events::values::Money;
use powerfill_tables::named_row::NamedRow;

use crate::document::{FlowEnd, FlowEndKind, FlowLink, NameText, OverviewFlow};
use crate::trades::Trades;

/// The listed links of a flow.
const MAX_LINKS: usize = 300;

type Links = HashMap<(FlowEnd, FlowEnd), (u64, Money)>;

/// The loans so far.
#[derive(Default)]
pub(crate) struct Flows {
    trades: Links,
    instruments: Links,
}

impl Flows {
    /// Takes a row of `pfill_powerfill_guide`. A held loan that is in no included trade is in no
    /// flow.
    pub(crate) fn place(&mut self, row: NamedRow<'_>, trades: &Trades) {
        let Some(trade) = row.text("trade_id").filter(|trade| trades.includes(trade)) else {
            return;
        };
        let from = origin(row.text("prior_trade_id"), row.text("prior_pool_name"));
        let to = FlowEnd { kind: FlowEndKind::Trade, name: Some(trade) };
        self.add(from, to, row, trades);
    }

    /// Takes a row of the kickouts, with the trade that the loan leaves.
    pub(crate) fn kick_out(&mut self, row: NamedRow<'_>, left: Option<NameText>, trades: &Trades) {
        let from = origin(left, row.text("pool_name"));
        self.add(from, FlowEnd { kind: FlowEndKind::KickedOut, name: None }, row, trades);
    }

    fn add(&mut self, from: FlowEnd, to: FlowEnd, row: NamedRow<'_>, trades: &Trades) {
        let amount: Money = row.amount("loan_amount");
        let coarse = [&from, &to].map(|end| by_instrument(end, trades));
        let [coarse_from, coarse_to] = coarse;
        for (links, ends) in
            [(&mut self.trades, (from, to)), (&mut self.instruments, (coarse_from, coarse_to))]
        {
            let (loans, sum) = links.entry(ends).or_default();
            *loans += 1;
            *sum += amount;
        }
    }

    /// The flow by trade, and that by instrument.
    pub(crate) fn finish(self) -> (OverviewFlow, OverviewFlow) {
        (largest(self.trades), largest(self.instruments))
    }
}

fn origin(trade: Option<NameText>, pool: Option<NameText>) -> FlowEnd {
    let kind = match (&trade, &pool) {
        (Some(_), _) => FlowEndKind::Trade,
        (None, Some(_)) => FlowEndKind::Pool,
        (None, None) => FlowEndKind::New,
    };
    FlowEnd { kind, name: trade.or(pool) }
}

fn by_instrument(end: &FlowEnd, trades: &Trades) -> FlowEnd {
    let name = match (end.kind, &end.name) {
        (FlowEndKind::Trade, Some(trade)) => trades.instrument(trade),
        _ => None,
    };
    FlowEnd { kind: end.kind, name }
}

fn largest(links: Links) -> OverviewFlow {
    let mut links: Vec<_> = links.into_iter().collect();
    links.sort_unstable_by(|(a, (_, more)), (b, (_, less))| {
        (Reverse(more), a).cmp(&(Reverse(less), b))
    });
    let mut flow = OverviewFlow::default();
    for ((from, to), (loans, amount)) in links {
        if flow.links.len() < MAX_LINKS {
            let stays = from == to;
            flow.links.push(FlowLink { from, to, stays, loans, amount });
        } else {
            flow.other_links += 1;
            flow.other_loans += loans;
            flow.other_amount += amount;
        }
    }
    flow
}
