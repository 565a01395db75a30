//! What is noticed about carry curves.

use super::*;

fn bucket(instrument: &str, on_day: i64, to_day: i64, rate: Option<i64>) -> CarryBucketRow {
    CarryBucketRow {
        investor_instrument_name: instrument.into(),
        on_day,
        to_day,
        annual_rate: rate.map(powerfill_events::values::Rate::whole),
    }
}

#[test]
fn buckets_that_overlap_and_a_rate_that_turns_are_noticed() {
    let curve = [
        bucket("B", 31, 60, Some(5)),
        bucket("B", 0, 30, Some(4)),
        bucket("b", 61, 90, None),
        bucket("B", 91, 120, Some(3)),
        bucket("A", 0, 365, Some(4)),
        bucket("A", 10, 20, Some(4)),
        bucket("A", 30, 40, Some(4)),
    ];
    let says: Vec<String> = carry_warnings(&curve).iter().map(ToString::to_string).collect();
    assert_eq!(
        says,
        [
            "A: the buckets from day 0 and from day 10 overlap",
            "A: the buckets from day 0 and from day 30 overlap",
            "B: from day 91 on the rate is 3.000000, which turns the curve",
        ]
    );
    assert_eq!(carry_warnings(&curve[..3]), []);
}
