//! What the list of runs says about each run.

use powerfill_events::values::Money;
use powerfill_ports::run_list::{AnnotationHead, HeadlineStore, KeptHeadline};
use powerfill_tables::run_headline::RunHeadline;

use super::samples::run;
use super::{StoreLocation, SuiteStore};

fn headline(placed: i64) -> RunHeadline {
    RunHeadline {
        requested_by: "ann \u{1f600}".to_owned(),
        placed: Some(placed),
        value_amount: Some(Money::from_units(-12_345_678_901)),
        ..RunHeadline::default()
    }
}

fn named(name: &str) -> AnnotationHead {
    AnnotationHead { name: Some(name.to_owned()), notes: 1, last_note: Some("a\nb".to_owned()) }
}

/// A headline and annotations are replaced one by one, and stay after reopening.
pub async fn a_headline_and_annotations_are_kept_side_by_side(location: &impl StoreLocation) {
    let store = location.open().await;
    assert!(store.headlines(vec![run(1), run(2)]).await.unwrap().is_empty());
    store.put_headline(run(1), &headline(1)).await.unwrap();
    store.put_annotation_head(run(1), &named("Month End")).await.unwrap();
    store.put_annotation_head(run(2), &AnnotationHead::default()).await.unwrap();
    store.put_headline(run(1), &headline(2)).await.unwrap();
    let reopened = location.open().await;
    let kept = reopened.headlines(vec![run(3), run(2), run(1)]).await.unwrap();
    let expected = KeptHeadline { headline: Some(headline(2)), annotations: named("Month End") };
    assert_eq!(kept.keys().copied().collect::<Vec<_>>(), [run(1), run(2)]);
    assert_eq!((&kept[&run(1)], &kept[&run(2)]), (&expected, &KeptHeadline::default()));
}

/// Names compare as text (1.1), and a name that was taken away is free.
pub async fn a_run_is_found_by_its_name(store: impl SuiteStore) {
    store.put_annotation_head(run(2), &named("Month End")).await.unwrap();
    store.put_annotation_head(run(1), &named("Stra\u{df}e")).await.unwrap();
    assert_eq!(store.runs_named("month END ").await.unwrap(), [run(2)]);
    assert_eq!(store.runs_named("STRASSE").await.unwrap(), [run(1)]);
    assert!(store.runs_named("month").await.unwrap().is_empty());
    store.put_annotation_head(run(2), &AnnotationHead::default()).await.unwrap();
    assert!(store.runs_named("Month End").await.unwrap().is_empty());
    for number in [5, 4, 3] {
        store.put_annotation_head(run(number), &named("same")).await.unwrap();
    }
    assert_eq!(store.runs_named("same").await.unwrap(), [run(3), run(4)]);
}
