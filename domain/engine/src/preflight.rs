//! 2.2 Preflight: nine checks before a run. An error refuses it, a warning does not.

use std::collections::BTreeSet;

use super::book::Book;
use super::participation::Participation;
use super::prices::Grids;
use super::trades_of_instrument;
use super::tree::{Tree, WalkNode};
use powerfill_events::run::event::{Finding, FindingCode, Severity};
use powerfill_events::values::fold;
use powerfill_snapshot::tables::{Lockdown, TradeType};
use powerfill_snapshot::{PriceMode, RunOptions, Snapshot};

/// The findings of the nine checks, in their order, then by subject.
pub fn preflight(snapshot: &Snapshot, options: &RunOptions) -> Vec<Finding> {
    let book = Book::new(snapshot, options);
    let grids = Grids::new(&book);
    let participation = Participation::new(&book, &grids);
    findings(&book, &grids, &participation, &Tree::new(&book))
}

pub(super) fn findings(
    book: &Book<'_>,
    grids: &Grids,
    participation: &Participation,
    tree: &Tree,
) -> Vec<Finding> {
    let settings = &book.snapshot.preflight;
    let mut found = Found::default();

    let eligible = participation.eligible().count();
    if (eligible as i64) < settings.min_pipeline_loans {
        let least = settings.min_pipeline_loans;
        found.error(
            FindingCode::PipelineEmpty,
            Some(eligible.to_string()),
            format!("{eligible} eligible loans, at least {least} are asked for: check scope, min_status and max_eligible_days"),
        );
    }
    if participation.included.is_empty() {
        found.error(
            FindingCode::NoOpenTrades,
            None,
            "no trade is in the run: check status, settlement dates and max_trade_settle_days"
                .to_owned(),
        );
    }
    if tree.nodes.is_empty() {
        found.error(
            FindingCode::NoConstraints,
            None,
            "no constraint names an instrument: nothing can be matched".to_owned(),
        );
    }
    unreachable(book, participation, tree, &mut found);
    prices_missing(book, grids, participation, &mut found);
    if let Some(day) = book.snapshot.header.prices_as_of {
        let age = i64::from(day.days_until(book.as_of));
        if age > settings.max_price_age_days {
            let most = settings.max_price_age_days;
            found.warning(
                FindingCode::PricesStale,
                day.to_string(),
                format!("prices are {age} days old, at most {most} are allowed"),
            );
        }
    }
    carry_gaps(book, participation, &mut found);
    for row in &book.snapshot.lockdown {
        if let Some(message) = inconsistency(book, participation, row) {
            found.warning(
                FindingCode::LockdownInconsistent,
                row.pool_name.as_str().to_owned(),
                message,
            );
        }
    }
    let age = i64::from(book.snapshot.header.as_of.days_until(book.as_of));
    if age > settings.max_snapshot_age_days {
        let most = settings.max_snapshot_age_days;
        found.warning(
            FindingCode::SnapshotStale,
            age.to_string(),
            format!("the snapshot is {age} days older than the run, at most {most} are allowed"),
        );
    }
    found.in_order()
}

#[derive(Default)]
struct Found {
    findings: Vec<Finding>,
}

impl Found {
    fn error(&mut self, code: FindingCode, subject: Option<String>, message: String) {
        self.findings.push(Finding { code, severity: Severity::Error, subject, message });
    }

    fn warning(&mut self, code: FindingCode, subject: String, message: String) {
        let subject = Some(subject);
        self.findings.push(Finding { code, severity: Severity::Warning, subject, message });
    }

    fn in_order(mut self) -> Vec<Finding> {
        self.findings.sort_by_cached_key(|f| (f.code, f.subject.as_deref().map(fold)));
        self.findings
    }
}

fn unreachable(book: &Book<'_>, participation: &Participation, tree: &Tree, found: &mut Found) {
    let trades = trades_of_instrument(book, participation);
    let message = |node: &WalkNode| {
        let named = book.constraint_instrument[node.constraint as usize];
        match (named, node.instrument) {
            (None, _) => Some("its instrument does not exist"),
            (Some(_), None) => Some("its investor is not the instrument's"),
            (Some(ix), Some(_)) if trades[ix as usize].is_empty() => {
                Some("no trade of its instrument is in the run")
            }
            (Some(_), Some(_)) => None,
        }
    };
    for node in &tree.nodes {
        if let Some(message) = message(node) {
            let key = &book.constraint(node.constraint).key;
            let parts = [&key.investor_id, &key.investor_instrument_name, &key.constraint_name];
            let subject = parts.map(|name| name.as_str()).join("|");
            found.warning(FindingCode::ConstraintUnreachable, subject, message.to_owned());
        }
    }
}

fn prices_missing(
    book: &Book<'_>,
    grids: &Grids,
    participation: &Participation,
    found: &mut Found,
) {
    let priced_from_grid = participation.included.iter().filter(|ix| {
        let trade = book.trade(**ix);
        trade.trade_type == TradeType::Bx && !trade.priced_only
    });
    let slots: BTreeSet<_> = priced_from_grid
        .map(|ix| (book.trade_instrument[*ix as usize], participation.settles_on(*ix)))
        .collect();
    for (instrument, settles_on) in slots {
        if grids.slot(instrument, settles_on).is_none() {
            let name = &book.instrument(instrument).investor_instrument_name;
            found.warning(
                FindingCode::PricesMissing,
                format!("{name}|{settles_on}"),
                "the price grid has no row for this instrument and settlement date".to_owned(),
            );
        }
    }
}

/// `pc` mode: an instrument in the run without a rate for some day from 0 to max_trade_settle_days.
fn carry_gaps(book: &Book<'_>, participation: &Participation, found: &mut Found) {
    if book.options.price_mode != PriceMode::Pc {
        return;
    }
    let last = i64::from(book.options.max_trade_settle_days);
    let mut covered = vec![Vec::new(); book.snapshot.instruments.len()];
    for row in book.snapshot.carry_costs.iter().filter(|row| row.annual_rate.is_some()) {
        if let Some(ix) = book.find_instrument(&row.investor_instrument_name) {
            covered[ix as usize].push((row.on_day, row.to_day));
        }
    }
    let in_run = trades_of_instrument(book, participation);
    for (ix, buckets) in covered.iter_mut().enumerate().filter(|(ix, _)| !in_run[*ix].is_empty()) {
        buckets.sort_unstable();
        let open_from =
            buckets.iter().fold(
                0,
                |from: i64, (on_day, to_day)| {
                    if *on_day <= from { from.max(*to_day + 1) } else { from }
                },
            );
        if open_from <= last {
            let name = &book.snapshot.instruments[ix].investor_instrument_name;
            found.warning(
                FindingCode::CarryCurveGap,
                name.as_str().to_owned(),
                format!("no bucket with a rate for day {open_from}; carry counts as 0 there"),
            );
        }
    }
}

fn inconsistency(book: &Book<'_>, participation: &Participation, row: &Lockdown) -> Option<String> {
    let Some(pool) = book.find_pool(&row.pool_name) else {
        return Some("the lockdown guide names a pool that does not exist".to_owned());
    };
    let named = row.trade_id.as_ref()?;
    let designated = participation.pool_trade[pool as usize].map(|ix| &book.trade(ix).trade_id);
    (designated != Some(named)).then(|| match designated {
        Some(trade) => format!("the row names trade {named}, the pool is designated to {trade}"),
        None => format!("the row names trade {named}, the pool is designated to none"),
    })
}
