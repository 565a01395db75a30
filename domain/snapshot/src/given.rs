//! Reading and checking the options of a run, from JSON and from flags (specification 1.3).

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use serde::Deserialize;
use serde::de::{MapAccess, Visitor};
use serde_json::value::RawValue;

use powerfill_events::input::{InputCell, InputCells, InputColumn, InputRow, InputType, Presence};
use powerfill_events::run::options::RunOptions;
use powerfill_events::values::Name;

use super::cell::{CellFault, read_cell, read_default, unfit_code};
use super::near::{has_word_like, suggestion, suggestion_of};
use super::report::{Fault, FaultCode, FaultReport, Severity, shortened};
use super::tables::Snapshot;

/// The options, in the order of 1.3.
pub fn options() -> &'static [InputColumn] {
    RunOptions::TABLE.columns
}

/// Options as they were given, not judged yet. A later value of a name takes the place of an
/// earlier one, so that flags come after a file.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct GivenOptions {
    values: BTreeMap<String, Given>,
    faults: Vec<Fault>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Given {
    Default,
    /// A text, or a whole number of JSON.
    Text(String),
    /// A number of JSON where a text is expected is a fault, though its digits would do.
    Whole(String),
    /// A value that no option can have, and what it is.
    Unfit(String, &'static str),
}

impl GivenOptions {
    /// The options of a JSON object. Decimals are strings; whole numbers may be numbers; null means
    /// the default. What is wrong is kept for [`Self::resolve`], so that one report has it all.
    pub fn from_json(json: &str) -> Self {
        let mut given = Self::default();
        match serde_json::from_str::<Members>(json) {
            Err(error) => {
                let reason = format!("a JSON object with options is expected: {error}");
                given.faults.push(fault("", "", FaultCode::Unreadable, reason.into()));
            }
            Ok(Members(members)) => {
                for (name, value) in members {
                    if given.values.contains_key(&name) {
                        let code = FaultCode::DuplicateKey;
                        let reason = "the option is there twice".into();
                        given.faults.push(fault(&name, value.get(), code, reason));
                    }
                    given.values.insert(name, Given::of_json(&value));
                }
            }
        }
        given
    }

    /// Sets an option from a text, as a flag gives it.
    pub fn set(&mut self, name: impl Into<String>, text: impl Into<String>) {
        self.values.insert(name.into(), Given::Text(text.into()));
    }

    /// Judges the options and fills in the defaults.
    ///
    /// # Errors
    /// The report of every fault, under the table `options`, each with the name, the value and the
    /// range.
    pub fn resolve(self) -> Result<RunOptions, FaultReport> {
        let Self { mut values, mut faults } = self;
        let mut cells = Vec::new();
        for option in RunOptions::TABLE.columns {
            let given = values.remove(option.name).unwrap_or(Given::Default);
            cells.push(given.read(option).unwrap_or_else(|CellFault { code, reason }| {
                let reason = format!("{reason}; allowed: {}", option.allowed());
                faults.push(fault(option.name, given.shown(), code, reason.into()));
                InputCell::Faulty
            }));
        }
        for (name, given) in values {
            faults.push(unknown_option(&name, given.shown()));
        }
        match faults.is_empty() {
            true => Ok(RunOptions::read(&mut InputCells::new(&mut cells))),
            false => Err(FaultReport { faults }),
        }
    }
}

/// Checks options against the book that they are for: `min_status` must be a stage or the status of
/// a loan (1.3). With another word, no loan of the book could take part.
///
/// # Errors
/// The fault, with the nearest of the known words.
pub fn check_options_for(options: &RunOptions, snapshot: &Snapshot) -> Result<(), FaultReport> {
    let lowest = &options.min_status;
    let stages = snapshot.stages.iter().map(|stage| &stage.stage_name);
    let known: BTreeSet<&Name> =
        stages.chain(snapshot.loans.iter().map(|loan| &loan.curr_status)).collect();
    if known.contains(lowest) {
        return Ok(());
    }
    let near = suggestion(lowest.as_str(), known.iter().map(|name| name.as_str()));
    let words: Vec<&str> = known.iter().map(|name| name.as_str()).collect();
    let reason = format!(
        "neither a stage nor the status of a loan{near}; this book has {}",
        words.join(", ")
    );
    let code = FaultCode::UnknownReference;
    Err(FaultReport { faults: vec![fault("min_status", lowest.as_str(), code, reason.into())] })
}

/// The options of a JSON object, the defaults filled in.
///
/// # Errors
/// The report of every fault.
pub fn options_from_json(json: &str) -> Result<RunOptions, FaultReport> {
    GivenOptions::from_json(json).resolve()
}

/// The options of names and texts, as flags give them, the defaults filled in.
///
/// # Errors
/// The report of every fault.
pub fn options_from_pairs<N: Into<String>, T: Into<String>>(
    pairs: impl IntoIterator<Item = (N, T)>,
) -> Result<RunOptions, FaultReport> {
    let mut given = GivenOptions::default();
    for (name, text) in pairs {
        given.set(name, text);
    }
    given.resolve()
}

impl Given {
    fn of_json(value: &RawValue) -> Self {
        let json = value.get();
        let unfit = |what| Self::Unfit(json.to_owned(), what);
        match json.as_bytes().first() {
            Some(b'"') => match serde_json::from_str(json) {
                Ok(text) => Self::Text(text),
                Err(_) => unfit("a text with an escape that stands for no character is given"),
            },
            Some(b'n') => Self::Default,
            Some(b't' | b'f') => unfit("true or false is given"),
            Some(b'[') => unfit("a list is given"),
            Some(b'{') => unfit("an object is given"),
            _ if json.contains(['.', 'e', 'E']) => unfit(
                "a JSON number with a fraction is given; write a decimal as a string, \"99.5\"",
            ),
            _ => Self::Whole(json.to_owned()),
        }
    }

    fn read(&self, option: &InputColumn) -> Result<InputCell, CellFault> {
        let input_type = option.input_type;
        let unfit = |what: &str| CellFault::new(unfit_code(input_type), format!("{what} is given"));
        match (self, input_type) {
            (Self::Default, _) => Ok(match option.presence {
                Presence::Default(text) => read_default(option, &text()),
                _ => InputCell::Null,
            }),
            (Self::Unfit(_, what), _) => Err(CellFault::new(unfit_code(input_type), *what)),
            (Self::Whole(_), InputType::Text) => Err(unfit("a number")),
            (Self::Text(text) | Self::Whole(text), _) => {
                let text = text.trim_end_matches(' ');
                if text.is_empty() {
                    return Err(CellFault::new(FaultCode::Required, "must not be empty"));
                }
                if text.contains('\0') {
                    let code = unfit_code(input_type);
                    return Err(CellFault::new(code, "a NUL character in a text"));
                }
                read_cell(input_type, option.bounds, text)
            }
        }
    }

    fn shown(&self) -> &str {
        match self {
            Self::Default => "null",
            Self::Text(text) | Self::Whole(text) | Self::Unfit(text, _) => text,
        }
    }
}

/// The fault of a name that is not one of an option.
pub(crate) fn unknown_option(name: &str, value: &str) -> Fault {
    let names: Vec<&str> = options().iter().map(|option| option.name).collect();
    let mut near = suggestion(name, names.iter().copied());
    if near.is_empty() {
        let with_word = names.iter().filter(|option| has_word_like(name, option));
        near = suggestion_of(with_word.copied().next());
    }
    let reason = format!("not an option{near}; there are {}", names.join(", "));
    fault(name, value, FaultCode::UnknownOption, reason.into())
}

pub(crate) fn fault(
    option: &str,
    value: &str,
    code: FaultCode,
    reason: Cow<'static, str>,
) -> Fault {
    Fault {
        severity: Severity::Error,
        table: "options".into(),
        row: String::new(),
        column: shortened(option).into(),
        value: shortened(value),
        code,
        reason,
    }
}

/// The members of a JSON object with their texts: a map would hide members that are there twice,
/// and a parsed number how it was written.
struct Members(Vec<(String, Box<RawValue>)>);

impl<'de> Deserialize<'de> for Members {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Object;
        impl<'de> Visitor<'de> for Object {
            type Value = Members;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Members, A::Error> {
                let mut members = Vec::new();
                while let Some(member) = map.next_entry()? {
                    members.push(member);
                }
                Ok(Members(members))
            }
        }
        deserializer.deserialize_map(Object)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{PriceMode, Scope};
    use powerfill_events::values::{Percent, Price};

    fn faults(json: &str) -> Vec<(String, &'static str)> {
        let report = crate::options_from_json(json).unwrap_err();
        report.faults.iter().map(|f| (f.column.to_string(), f.code.as_str())).collect()
    }

    #[test]
    fn absent_and_null_options_have_their_defaults() {
        assert_eq!(crate::options_from_json("{}"), Ok(RunOptions::default()));
        let nulls: Vec<String> =
            options().iter().map(|option| format!("{:?}: null", option.name)).collect();
        let json = format!("{{{}}}", nulls.join(","));
        assert_eq!(crate::options_from_json(&json), Ok(RunOptions::default()));
    }

    #[test]
    fn flags_take_the_place_of_the_file() {
        let json = r#"{"scope": "Closed_Only", "price_mode": "PC ", "min_status": "funded",
            "max_eligible_days": "045", "max_trade_settle_days": 9999, "exact_fit_variance": 1,
            "eligible_settle_buffer_days": "2.0", "bx_price_floor": "-99.5",
            "switch_threshold": "0.125", "max_fill_iterations": 0, "as_of": "2026-01-15"}"#;
        let mut given = GivenOptions::from_json(json);
        given.set("bx_price_floor", "98");
        let options = given.resolve().unwrap();
        assert_eq!(options.scope, Scope::ClosedOnly);
        assert_eq!(options.price_mode, PriceMode::Pc);
        assert_eq!(options.min_status, Name::new("FUNDED"));
        assert_eq!((options.max_eligible_days, options.max_trade_settle_days), (45, 9999));
        assert_eq!((options.eligible_settle_buffer_days, options.max_fill_iterations), (2, 0));
        assert_eq!(options.bx_price_floor, Some(Price::whole(98)));
        assert_eq!(options.exact_fit_variance, Percent::whole(1));
        assert_eq!(options.switch_threshold.to_string(), "0.12500000");
        assert_eq!(options.as_of, Some("2026-01-15".parse().unwrap()));
        let json = serde_json::to_string(&options).unwrap();
        assert_eq!(crate::options_from_json(&json), Ok(options));
    }

    #[test]
    fn every_fault_is_reported_with_its_range() {
        let json = r#"{"scope": 1, "price_mode": true, "min_status": " ", "max_eligible_days": 1.0,
            "max_trade_settle_days": "1e2", "eligible_settle_buffer_days": [],
            "bx_price_floor": 100.5, "exact_fit_variance": "0.0000001", "max_fill_iterations": -1,
            "switch_threshold": "1000", "as_of": 20260115, "colour": "red"}"#;
        let expected = [
            ("scope", "not_one_of"),
            ("price_mode", "not_one_of"),
            ("min_status", "required"),
            ("max_eligible_days", "not_a_number"),
            ("max_trade_settle_days", "not_a_number"),
            ("eligible_settle_buffer_days", "not_a_number"),
            ("bx_price_floor", "not_a_number"),
            ("exact_fit_variance", "too_many_decimals"),
            ("max_fill_iterations", "out_of_range"),
            ("switch_threshold", "out_of_range"),
            ("as_of", "not_a_date"),
            ("colour", "unknown_option"),
        ];
        assert_eq!(faults(json), expected.map(|(name, code)| (name.to_owned(), code)));
        let report = crate::options_from_pairs([("max_fill_iterations", "1001")]).unwrap_err();
        assert_eq!(report.faults[0].value, "1001");
        assert_eq!(report.faults[0].reason, "must be <= 1000; allowed: 0..1000");
    }

    #[test]
    fn what_is_no_object_or_says_something_twice_is_refused() {
        assert_eq!(faults("[1]"), [(String::new(), "unreadable")]);
        assert_eq!(faults("{"), [(String::new(), "unreadable")]);
        let twice = r#"{"scope": "closed_only", "scope": "closed_only"}"#;
        assert_eq!(faults(twice), [("scope".to_owned(), "duplicate_key")]);
        assert_eq!(
            faults(r#"{"min_status": "\ud800"}"#),
            [("min_status".to_owned(), "not_allowed")]
        );
        assert_eq!(faults(r#"{"min_status": 60}"#), [("min_status".to_owned(), "not_allowed")]);
    }
}
