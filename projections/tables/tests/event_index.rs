//! The index of a run's events: it lists every event that names a loan or a trade, and stories told
//! from what it lists are those that all events give.

use std::collections::{BTreeMap, BTreeSet};

use powerfill_events::run::event::EventType;
use powerfill_events::run::{RecordedEvent, RunEvent};
use powerfill_events::values::fold;
use powerfill_explain::{LoanStory, StorySubject, TradeStory};
use powerfill_fixtures::{cases, node, pricing, recorded};
use powerfill_tables::event_index::{EventIndex, Subject, SubjectKind, Versions};
use serde_json::Value;

/// The index, by subject.
struct Listed(BTreeMap<Subject, Vec<u64>>);

impl Listed {
    fn of(events: &[RunEvent]) -> Self {
        let mut index = EventIndex::new();
        recorded(events).for_each(|event| index.apply(&event));
        let index = index.finish();
        assert_eq!(index.up_to_version, events.len() as u64);
        assert!(index.entries.is_sorted_by(|one, other| one.subject < other.subject));
        let entries = index.entries.into_iter();
        Self(entries.map(|entry| (entry.subject, entry.versions.decode().unwrap())).collect())
    }

    fn versions(&self, subject: &Subject) -> &[u64] {
        self.0.get(subject).map_or(&[], Vec::as_slice)
    }

    /// What a story is told from, by versions.
    fn told_from(&self, events: &[RunEvent], about: StorySubject<'_>) -> BTreeSet<u64> {
        let subjects = about.subjects();
        let mut versions: BTreeSet<u64> =
            subjects.iter().flat_map(|subject| self.versions(subject)).copied().collect();
        let leads: Vec<Subject> = versions
            .iter()
            .filter_map(|version| about.leads_to(&events[*version as usize - 1]))
            .collect();
        versions.extend(leads.iter().flat_map(|subject| self.versions(subject)));
        versions
    }
}

/// Text and JSON of a story, from the events that are wanted.
fn told(events: &[RunEvent], about: StorySubject<'_>, wanted: impl Fn(u64) -> bool) -> [String; 2] {
    let events = recorded(events).filter(|event| wanted(event.stream_version));
    match about {
        StorySubject::Loan(id) => {
            let mut story = LoanStory::new(id);
            events.for_each(|event: RecordedEvent<'_>| story.apply(&event));
            let told = story.finish();
            [told.to_string(), serde_json::to_string(&told).unwrap()]
        }
        StorySubject::Trade(id) => {
            let mut story = TradeStory::new(id);
            events.for_each(|event: RecordedEvent<'_>| story.apply(&event));
            let told = story.finish();
            [told.to_string(), serde_json::to_string(&told).unwrap()]
        }
    }
}

/// Every text under a key that names a loan, or a trade, anywhere in the payload.
fn named(payload: &Value, keys: &[&str], into: &mut BTreeSet<String>) {
    match payload {
        Value::Object(fields) => {
            for (key, value) in fields {
                match value {
                    Value::String(text) if keys.contains(&key.as_str()) => {
                        into.insert(text.clone());
                    }
                    other => named(other, keys, into),
                }
            }
        }
        Value::Array(items) => items.iter().for_each(|item| named(item, keys, into)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

fn payload(event: &RunEvent) -> Value {
    let mut json = Vec::new();
    event.write_payload(&mut json).unwrap();
    serde_json::from_slice(&json).unwrap()
}

/// The loans, or the trades, of all events.
fn all_named(events: &[RunEvent], keys: &[&str]) -> BTreeSet<String> {
    let mut all = BTreeSet::new();
    events.iter().for_each(|event| named(&payload(event), keys, &mut all));
    all
}

const LOANS: &[&str] = &["loan_id", "made_room_for", "exchanged_for"];
const TRADES: &[&str] = &["trade_id", "from_trade_id", "to_trade_id"];

/// Found here by the names of the payload's fields, and there by the types of the events.
#[test]
fn every_event_is_listed_under_the_loans_and_trades_that_it_names() {
    let mut seen = BTreeSet::new();
    for case in cases::cases() {
        let events = cases::run(&case);
        let mut expected: BTreeMap<(&str, String), Vec<u64>> = BTreeMap::new();
        for (version, event) in (1..).zip(&events) {
            seen.insert(event.event_type());
            let payload = payload(event);
            let mut of = |what: &'static str, keys| {
                let mut found = BTreeSet::new();
                named(&payload, keys, &mut found);
                for id in found {
                    expected.entry((what, fold(&id))).or_default().push(version);
                }
            };
            of("loan", LOANS);
            of("trade", TRADES);
        }
        let mut found: BTreeMap<(&str, String), Vec<u64>> = BTreeMap::new();
        for (subject, versions) in Listed::of(&events).0 {
            let what = match subject.kind {
                SubjectKind::Loan | SubjectKind::Place => "loan",
                SubjectKind::Trade | SubjectKind::Fill => "trade",
                SubjectKind::Run => continue,
            };
            let all = found.entry((what, subject.name)).or_default();
            all.extend(versions);
            all.sort_unstable();
        }
        assert_eq!(found, expected, "{}", case.display());
    }
    let unseen: Vec<_> = EventType::ALL.iter().filter(|unseen| !seen.contains(unseen)).collect();
    assert_eq!(unseen, [&EventType::InvariantsVerified, &EventType::RunCancelled]);
}

/// Covers all loans and trades of all cases, a name in lower case, and an unknown name; also runs
/// whose events end early, because a run may be cancelled at any event.
#[test]
fn stories_from_the_index_are_those_of_all_events() {
    let (mut stories, mut fewer) = (0, 0);
    for case in cases::cases() {
        let whole = cases::run(&case);
        let loans = all_named(&whole, LOANS);
        let trades = all_named(&whole, TRADES);
        // Everyone at the end; some of them after the last events, one by one, and after a few
        // before.
        let stride = (whole.len() / 4).max(1);
        let early = (1..whole.len()).rev().enumerate();
        let early = early.filter(|(at, _)| *at < 3 || at % stride == 0).map(|(_, length)| length);
        for length in early.chain([whole.len()]) {
            let events = &whole[..length];
            let listed = Listed::of(events);
            let some = if length < whole.len() { loans.len().max(trades.len()) / 8 + 1 } else { 1 };
            let (lower, unknown) =
                (loans.first().map(|id| id.to_lowercase()), "unknown".to_owned());
            let loans = loans.iter().step_by(some).chain(&lower).chain([&unknown]);
            let abouts = loans.map(|id| StorySubject::Loan(id));
            let trades =
                trades.iter().step_by(some).chain([&unknown]).map(|id| StorySubject::Trade(id));
            for about in abouts.chain(trades) {
                let versions = listed.told_from(events, about);
                let few = told(events, about, |version| versions.contains(&version));
                assert_eq!(
                    few,
                    told(events, about, |_| true),
                    "{about:?} after event {length} of {}",
                    case.display()
                );
                stories += 1;
                fewer += usize::from(versions.len() * 2 < length);
            }
        }
    }
    assert!(stories > 3_000 && fewer > stories / 4, "{fewer} of {stories} from less than half");
}

/// One event too few, and some story is another one: the test above would see it.
#[test]
fn a_story_misses_each_of_its_events_that_says_something() {
    let events = cases::run(&cases::case("05-fill-remaining-substitution"));
    let listed = Listed::of(&events);
    let about = StorySubject::Loan("C");
    let versions = listed.told_from(&events, about);
    let whole = told(&events, about, |_| true);
    let missed: BTreeSet<EventType> = versions
        .iter()
        .filter(|missing| {
            told(&events, about, |v| v != **missing && versions.contains(&v)) != whole
        })
        .map(|missing| events[*missing as usize - 1].event_type())
        .collect();
    for event_type in [
        EventType::TradeAssessed,
        EventType::CandidateScored,
        EventType::LoanAllocated,
        EventType::LoanMoved,
        EventType::PoolActionDerived,
        EventType::RunCompleted,
    ] {
        assert!(missed.contains(&event_type), "{event_type:?} of {missed:?}");
    }
}

/// Spelled otherwise, it is the same loan (1.1).
#[test]
fn spellings_of_one_name_share_an_entry() {
    let candidate = |loan_id: &str| {
        RunEvent::CandidateScored(powerfill_events::run::event::CandidateScored {
            turn: 1,
            candidate_rank: 1,
            node: node("", 10),
            loan_id: loan_id.into(),
            trade_id: "T1".into(),
            pricing: pricing("101"),
        })
    };
    let events = ["Straße", "STRASSE", "other", "strasse"].map(candidate);
    let listed = Listed::of(&events);
    let of = |id| listed.versions(&Subject::named(SubjectKind::Loan, id)).to_vec();
    assert_eq!((of("strasse"), of("Straße"), of("OTHER")), (vec![1, 2, 4], vec![1, 2, 4], vec![3]));
    assert_eq!(listed.versions(&Subject::named(SubjectKind::Trade, "t1")), [1, 2, 3, 4]);
    let list: Versions = [1, 2, 4].into_iter().collect();
    assert_eq!(list.as_bytes(), [1, 1, 2]);
}
