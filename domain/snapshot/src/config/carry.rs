//! What is noticed about a carry curve that nothing forbids (specification 4.3): buckets that
//! overlap count together (2.3), and a rate that turns is rarely meant.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use powerfill_events::config::CarryBucketRow;
use powerfill_events::values::{InstrumentName, Key, Rate};

/// Something about a carry curve that deserves a look.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema, thiserror::Error)]
#[serde(tag = "code", rename_all = "snake_case")]
pub enum CarryWarning {
    /// Two buckets of an instrument have days in common.
    #[error(
        "{investor_instrument_name}: the buckets from day {on_day} and from day {other_on_day} overlap"
    )]
    Overlap {
        /// The instrument.
        investor_instrument_name: InstrumentName,
        /// The earlier bucket.
        on_day: i64,
        /// The later one.
        other_on_day: i64,
    },
    /// The rate falls where it rose before, or the other way round.
    #[error(
        "{investor_instrument_name}: from day {on_day} on the rate is {annual_rate}, which turns the curve"
    )]
    NotMonotone {
        /// The instrument.
        investor_instrument_name: InstrumentName,
        /// The bucket with which the curve turns.
        on_day: i64,
        /// Its rate: points a year, 6 decimals.
        annual_rate: Rate,
    },
}

/// What there is to notice about the carry curves of these buckets, instrument by instrument.
/// Buckets without a rate do not make a curve turn.
pub fn carry_warnings<'a>(
    buckets: impl IntoIterator<Item = &'a CarryBucketRow>,
) -> Vec<CarryWarning> {
    let mut curves: BTreeMap<&Key<InstrumentName>, Vec<&CarryBucketRow>> = BTreeMap::new();
    for bucket in buckets {
        curves.entry(&bucket.investor_instrument_name).or_default().push(bucket);
    }
    let mut warnings = Vec::new();
    for curve in curves.values_mut() {
        curve.sort_by_key(|bucket| bucket.on_day);
        overlaps(curve, &mut warnings);
        turns(curve, &mut warnings);
    }
    warnings
}

/// Each bucket against the one before it that reaches furthest.
fn overlaps(curve: &[&CarryBucketRow], warnings: &mut Vec<CarryWarning>) {
    let Some((mut furthest, later)) = curve.split_first() else { return };
    for bucket in later {
        if bucket.on_day <= furthest.to_day {
            warnings.push(CarryWarning::Overlap {
                investor_instrument_name: bucket.investor_instrument_name.id(),
                on_day: furthest.on_day,
                other_on_day: bucket.on_day,
            });
        }
        if bucket.to_day > furthest.to_day {
            furthest = bucket;
        }
    }
}

fn turns(curve: &[&CarryBucketRow], warnings: &mut Vec<CarryWarning>) {
    let mut rates = curve.iter().filter_map(|bucket| Some((*bucket, bucket.annual_rate?)));
    let Some((_, mut before)) = rates.next() else { return };
    let mut direction = std::cmp::Ordering::Equal;
    for (bucket, annual_rate) in rates {
        let step = annual_rate.cmp(&before);
        if step.is_ne() {
            if direction.is_ne() && direction != step {
                warnings.push(CarryWarning::NotMonotone {
                    investor_instrument_name: bucket.investor_instrument_name.id(),
                    on_day: bucket.on_day,
                    annual_rate,
                });
            }
            direction = step;
        }
        before = annual_rate;
    }
}
