//! Random mutations of valid input: no reader panics, and accepted input can be written and read
//! again (specification 5.4).
//!
//! `FUZZ_INPUTS` is the number of inputs per target. A failure prints the command that replays it.

mod mutate;

use std::io::Write;
use std::path::{Path, PathBuf};

use mutate::mutated;
use powerfill_events::log::EncodedBatch;
use powerfill_events::run::{EventType, RunEvent};
use powerfill_events::values::Name;
use powerfill_snapshot::config::{self, ConfigEventType, ConfigState};
use powerfill_snapshot::rules::Predicate;
use powerfill_snapshot::tables::{ColumnType, LoanColumn};
use powerfill_snapshot::{GivenOptions, Snapshot, table_names, validate};
use powerfill_tests::seeded::SeededRng;
use serde_json::value::RawValue;

/// Inputs per target in an ordinary test run.
const INPUTS: u64 = 2_000;

fn number(variable: &str, otherwise: u64) -> u64 {
    std::env::var(variable).map_or(otherwise, |text| text.parse().expect("a whole number"))
}

/// Prints the command that replays a failure: the target and the seed.
struct ReplayHint<'a>(&'a str, u64);

impl Drop for ReplayHint<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            let Self(target, seed) = self;
            eprintln!(
                "replay: FUZZ_SEED={seed} FUZZ_INPUTS=1 cargo test -p powerfill-tests --test fuzz \
                 {target}"
            );
        }
    }
}

/// Runs the target with one seed per input.
fn fuzz(target: &str, mut attempt: impl FnMut(&mut SeededRng)) {
    let first = number("FUZZ_SEED", 1);
    for seed in first..first + number("FUZZ_INPUTS", INPUTS) {
        let _hint = ReplayHint(target, seed);
        attempt(&mut SeededRng::new(seed));
    }
}

fn top() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).to_owned()
}

/// Small CSV files of the conformance cases, sorted by path, so that a seed gives the same input on
/// every machine.
fn csv_corpus() -> Vec<Vec<u8>> {
    let mut corpus = Vec::new();
    for case in
        ["22-payups-and-own-prices", "36-rule-syntax", "37-loan-columns", "34-text-collation"]
    {
        for table in table_names() {
            let path = top().join(format!("conformance/{case}/snapshot/{table}.csv"));
            corpus.extend(std::fs::read(path).ok().filter(|bytes| bytes.len() < 4_096));
        }
    }
    assert!(corpus.len() > 20, "the conformance cases have moved");
    corpus
}

#[test]
fn csv_reader() {
    let corpus = csv_corpus();
    let words =
        ["\"", "\"\"", ",", "\r\n", "\r", "\n\n", "\u{feff}", "\0", "1e9", "NaN", "1,000.00"];
    fuzz("csv_reader", |rng| {
        let bytes = mutated(&corpus, &words, rng);
        let read = powerfill_csv::read_table("loan", bytes.as_slice());
        let again = powerfill_csv::read_table("loan", SingleByteReader(&bytes));
        // The result does not depend on how the bytes are split.
        assert_eq!(format!("{read:?}"), format!("{again:?}"));
    });
}

/// A reader that returns one byte per call.
struct SingleByteReader<'a>(&'a [u8]);

impl std::io::Read for SingleByteReader<'_> {
    fn read(&mut self, out: &mut [u8]) -> std::io::Result<usize> {
        let length = self.0.len().min(out.len()).min(1);
        out[..length].copy_from_slice(&self.0[..length]);
        self.0 = &self.0[length..];
        Ok(length)
    }
}

const RULE_WORDS: &str = r#"
    state fico ltv closes loan_id no_such_column "state" [fico] = <> != < >= IN NOT AND OR BETWEEN
    LIKE IS NULL ESCAPE ( ) , 'CA' '%' ' '' 700 -1 .5 1e9 99999999999999999999999999999999999
    '2026-02-30' '2026-01-15' DATE SELECT * + ; -- /* TRUE CASE é
"#;

#[test]
fn rule_parser() {
    let column = |name: &str, column_type| LoanColumn { column_name: Name::new(name), column_type };
    let columns = [
        column("loan_id", ColumnType::Text),
        column("state", ColumnType::Text),
        column("fico", ColumnType::Number),
        column("ltv", ColumnType::Number),
        column("closes", ColumnType::Date),
    ];
    let words: Vec<&str> = RULE_WORDS.split_whitespace().chain(["\0"]).collect();
    fuzz("rule_parser", |rng| {
        let mut rule = String::new();
        for _ in 0..rng.below(24) {
            let word = rng.pick(&words);
            // Sometimes a word is repeated very often: depth must be an error and not a stack
            // overflow.
            let times = if rng.below(200) == 0 { 5_000 } else { 1 };
            for _ in 0..times {
                rule.push_str(word);
                rule.push_str(if rng.below(8) == 0 { "" } else { " " });
            }
        }
        match Predicate::compile(&rule, &columns) {
            Ok(predicate) => {
                let nothing = vec![None; columns.len()];
                let _ = predicate.evaluate(&nothing);
            }
            Err(fault) => {
                let places = 1..=rule.chars().count() + 1;
                assert!(places.contains(&fault.position), "{rule:?}: {fault}");
            }
        }
    });
}

/// The samples of an event in all versions up to the present one.
fn golden(event_type: &str, present: u16) -> Vec<Vec<u8>> {
    let mut all = Vec::new();
    for version in 1..=present {
        let file = format!("golden/events/{event_type}.v{version}.json");
        let text = std::fs::read_to_string(top().join(file)).unwrap();
        let samples: Vec<&RawValue> = serde_json::from_str(&text).unwrap();
        all.extend(samples.into_iter().map(|sample| sample.get().as_bytes().to_vec()));
    }
    all
}

const JSON_WORDS: &str = r#"
    null true -1 0 1.5 1e999 18446744073709551616 "" {} [] [[[[ "NaN" "-0.00" "1"
    "99999999999999999999.00" "1.000000000000000001" "2026-02-30" "0000-01-01" "9999-12-31"
    "\ud800" "Locked" "po"
"#;

fn json_words() -> Vec<&'static str> {
    JSON_WORDS.split_whitespace().collect()
}

#[test]
fn event_decoder() {
    let samples = |of: EventType| golden(of.name(), of.schema_version());
    let corpora: Vec<(EventType, Vec<Vec<u8>>)> =
        EventType::ALL.iter().map(|of| (*of, samples(*of))).collect();
    fuzz("event_decoder", |rng| {
        let (event_type, corpus) = rng.pick(&corpora);
        let bytes = mutated(corpus, &json_words(), rng);
        for version in 0..=event_type.schema_version() + 1 {
            let Ok(event) = RunEvent::decode(*event_type, version, &bytes) else { continue };
            let batch = EncodedBatch::encode([&event]);
            let (_, written) = batch.iter().next().unwrap();
            let again =
                RunEvent::decode(*event_type, event_type.schema_version(), written).unwrap();
            assert_eq!(again, event);
        }
    });
}

/// An accepted event is written and read again unchanged, and folding any event does not panic.
#[test]
fn config_event_decoder() {
    let samples = |of: ConfigEventType| golden(of.name(), of.schema_version());
    let corpora: Vec<(ConfigEventType, Vec<Vec<u8>>)> =
        ConfigEventType::ALL.iter().map(|of| (*of, samples(*of))).collect();
    fuzz("config_event_decoder", |rng| {
        let (event_type, corpus) = rng.pick(&corpora);
        let bytes = mutated(corpus, &json_words(), rng);
        let mut state = ConfigState::default();
        for version in 0..=event_type.schema_version() + 1 {
            let Ok(event) = config::ConfigEvent::decode(*event_type, version, &bytes) else {
                continue;
            };
            let batch = EncodedBatch::encode([&event]);
            let (_, written) = batch.iter().next().unwrap();
            let present = event_type.schema_version();
            assert_eq!(config::ConfigEvent::decode(*event_type, present, written).unwrap(), event);
            if state.accept(&event).is_ok() {
                assert_eq!(state.version(), 1);
            }
            powerfill_snapshot::config::RowChange::of_event(&event)
                .iter()
                .for_each(|row| assert!(row.columns().len() <= 6));
        }
    });
}

#[test]
fn run_options() {
    let requested = EventType::RunRequested;
    let corpus: Vec<Vec<u8>> = golden(requested.name(), requested.schema_version())
        .into_iter()
        .map(|sample| {
            let request: serde_json::Value = serde_json::from_slice(&sample).unwrap();
            serde_json::to_vec(&request["options"]).unwrap()
        })
        .collect();
    fuzz("run_options", |rng| {
        let bytes = mutated(&corpus, &json_words(), rng);
        let text = String::from_utf8_lossy(&bytes);
        if let Ok(options) = GivenOptions::from_json(&text).resolve() {
            let written = serde_json::to_string(&options).unwrap();
            assert_eq!(GivenOptions::from_json(&written).resolve().unwrap(), options);
        }
    });
}

#[test]
fn snapshot_decoder() {
    let corpus: Vec<Vec<u8>> = ["01-exact-fit-completion", "36-rule-syntax", "37-loan-columns"]
        .iter()
        .map(|case| {
            let folder = top().join(format!("conformance/{case}/snapshot"));
            let raw = powerfill_csv::read_folder(&folder).unwrap();
            canonical(&validate(raw).unwrap().snapshot)
        })
        .collect();
    fuzz("snapshot_decoder", |rng| {
        let bytes = mutated(&corpus, &["\0", "\u{7f}", "Y", "-1", "\u{1}0", "powerfill"], rng);
        if let Ok(snapshot) = Snapshot::from_canonical(&bytes) {
            let written = canonical(&snapshot);
            let again = Snapshot::from_canonical(&written).unwrap();
            assert_eq!(again.digest(), snapshot.digest());
        }
    });
}

fn canonical(snapshot: &Snapshot) -> Vec<u8> {
    let mut bytes = Vec::new();
    snapshot.write_canonical(&mut bytes).unwrap();
    bytes.flush().unwrap();
    bytes
}
