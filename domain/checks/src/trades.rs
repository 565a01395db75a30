//! The trades of a run: which are included, when they settle, and what they can take (2.1, 2.3).

use std::collections::HashMap;
use std::ops::Range;

use foldhash::fast::RandomState;
use powerfill_events::run::event::ExclusionReason;
use powerfill_events::values::{Day, Money, Name, Percent};
use powerfill_snapshot::tables::{ToleranceRule, ToleranceSide, Trade, TradeStatus};
use powerfill_snapshot::{RunOptions, Snapshot};

use super::arithmetic::{narrow, nearest};

/// Positions in a table by name. Each candidate looks three of them up. Nothing depends on their
/// order.
pub(super) type Positions<'a> = HashMap<&'a str, usize, RandomState>;

/// The assessment of a trade. The band has no meaning for an excluded trade.
pub(super) struct TradeTerms {
    /// Position in the table of instruments.
    pub(super) instrument: usize,
    /// As given, or the earliest date of the grid that the buffer allows.
    pub(super) settles_on: Option<Day>,
    /// `None` for an included trade.
    pub(super) exclusion: Option<ExclusionReason>,
    /// trade_amount − pair_off_amount.
    pub(super) open: Money,
    /// The tolerance amount in dollars, before the side applies.
    pub(super) tolerance: Money,
    /// Lower end of the band.
    pub(super) min: Money,
    /// Upper end of the band.
    pub(super) max: Money,
    /// Amount of the locked and held loans in its pools.
    pub(super) held: Money,
    /// The pool that entering loans go to; `None` for a new pool.
    pub(super) destination: Option<usize>,
}

impl TradeTerms {
    /// The table "Trades" of 2.1: the first line that holds.
    pub(super) fn assess(
        trade: &Trade,
        instrument: usize,
        grid: &GridDates<'_>,
        options: &RunOptions,
        as_of: Day,
    ) -> Self {
        let settles_on = trade
            .settlement_date
            .or_else(|| grid.earliest(instrument, as_of.plus(options.eligible_settle_buffer_days)));
        let open = trade.trade_amount - trade.pair_off_amount;
        let exclusion = match trade.status {
            TradeStatus::Cancelled => Some(ExclusionReason::Cancelled),
            TradeStatus::Phantom => Some(ExclusionReason::Phantom),
            TradeStatus::Settled => Some(ExclusionReason::Settled),
            TradeStatus::Open => match settles_on {
                None => Some(ExclusionReason::NoSettlement),
                Some(date) if date < as_of => Some(ExclusionReason::PastSettlement),
                Some(date) if as_of.days_until(date) > options.max_trade_settle_days => {
                    Some(ExclusionReason::BeyondHorizon)
                }
                Some(_) if open <= Money::ZERO => Some(ExclusionReason::PairedOff),
                Some(_) => None,
            },
        };
        let tolerance = tolerance_of(trade, open);
        let (below, above) = match trade.tolerance_side {
            ToleranceSide::Both => (true, true),
            ToleranceSide::Over => (false, true),
            ToleranceSide::Under => (true, false),
            ToleranceSide::None => (false, false),
        };
        Self {
            instrument,
            settles_on,
            exclusion,
            open,
            tolerance,
            min: if below { Money::ZERO.max(open - tolerance) } else { open },
            max: if above { open + tolerance } else { open },
            held: Money::ZERO,
            destination: None,
        }
    }

    pub(super) fn is_included(&self) -> bool {
        self.exclusion.is_none()
    }

    /// Whether its pools count as designated to no trade.
    pub(super) fn releases_its_pools(&self) -> bool {
        matches!(
            self.exclusion,
            Some(
                ExclusionReason::Cancelled | ExclusionReason::Phantom | ExclusionReason::PairedOff
            )
        )
    }
}

/// The tolerance in dollars, before the side applies (2.1).
fn tolerance_of(trade: &Trade, open: Money) -> Money {
    let exact = i128::from(open.units()) * i128::from(trade.tolerance.units());
    let hundred_percent = 100 * i128::from(Percent::ONE_UNITS);
    let percent = Money::from_units(narrow(nearest(exact, hundred_percent)));
    match (trade.tolerance_rule, trade.tolerance_amount) {
        (ToleranceRule::GreaterOf, Some(amount)) => percent.max(amount),
        (ToleranceRule::LesserOf, Some(amount)) => percent.min(amount),
        _ => percent,
    }
}

/// The rows of the price grid by instrument.
pub(super) struct GridDates<'a> {
    snapshot: &'a Snapshot,
    rows: &'a [Range<usize>],
}

impl<'a> GridDates<'a> {
    /// `rows` has the range of grid rows per instrument.
    pub(super) fn new(snapshot: &'a Snapshot, rows: &'a [Range<usize>]) -> Self {
        Self { snapshot, rows }
    }

    /// The earliest settlement date of an instrument's grid at or after a day.
    fn earliest(&self, instrument: usize, from: Day) -> Option<Day> {
        let rows = &self.snapshot.prices[self.rows[instrument].clone()];
        let at = rows.partition_point(|row| row.settlement_date < from);
        rows.get(at).map(|row| row.settlement_date)
    }
}

/// The range of rows per instrument of a table that is sorted by instrument. Rows of unknown
/// instruments are in no range.
pub(super) fn rows_by_instrument<R>(
    table: &[R],
    name: impl Fn(&R) -> &Name,
    instrument_at: &Positions<'_>,
) -> Vec<Range<usize>> {
    let mut ranges = vec![0..0; instrument_at.len()];
    let mut start = 0;
    for rows in table.chunk_by(|a, b| name(a) == name(b)) {
        let end = start + rows.len();
        if let Some(instrument) = instrument_at.get(name(&rows[0]).folded()) {
            ranges[*instrument] = start..end;
        }
        start = end;
    }
    ranges
}
