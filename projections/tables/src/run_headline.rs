//! What the list of runs says about a run (specification 4.2 `runs`): a projection of its
//! events, and of those of its challenges.

use powerfill_events::challenge::RunCertificate;
use powerfill_events::run::event::{RunCompleted, RunRequested};
use powerfill_events::run::options::RunOptions;
use powerfill_events::values::{Day, Money};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::named_row::named_rows;
use crate::table::RowBatch;
use crate::tables::{kickout, value_summary};

/// The version of the projection. A headline of another version is read, and made again by
/// `migrate` and `rebuild`.
pub const VERSION: u32 = 1;

/// What the list of runs says about a run.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct RunHeadline {
    /// The version of the projection that made it.
    pub version: u32,
    /// Who requested it.
    pub requested_by: String,
    /// The day from which it counts (1.3).
    pub as_of: Option<Day>,
    /// The options that differ from their defaults, without `as_of`.
    pub options: Map<String, Value>,
    /// The name of the scenario; `None` for an official run.
    pub scenario: Option<String>,
    /// The loans that a pass placed; `None` unless the run is Complete.
    pub placed: Option<i64>,
    /// The kicked-out loans; `None` unless the run is Complete.
    pub kicked_out: Option<u64>,
    /// Its value (7.1); `None` unless the run is Complete.
    pub value_amount: Option<Money>,
    /// BLAKE3 of its output tables; `None` unless the run is Complete.
    pub output_digest: Option<String>,
    /// How far it is from the best possible, from the challenges of the run; `None` if nothing is
    /// recorded.
    pub certificate: Option<RunCertificate>,
}

impl RunHeadline {
    /// What the request of a run says.
    pub fn requested(request: &RunRequested) -> Self {
        let (given, defaults) = (object(&request.options), object(&RunOptions::default()));
        let mut options = given;
        options.retain(|name, value| name != "as_of" && defaults.get(name) != Some(value));
        Self {
            version: VERSION,
            requested_by: request.requested_by.clone(),
            as_of: request.options.as_of,
            options,
            scenario: request.origin.scenario.as_ref().map(|scenario| scenario.name.clone()),
            ..Self::default()
        }
    }

    /// What the end of a complete run adds.
    pub fn complete(&mut self, completed: &RunCompleted) {
        self.kicked_out = completed.counts.get(kickout::TABLE.name).copied();
        self.output_digest = Some(completed.output_digest.clone());
    }

    /// Takes the placed loans and the value of a Complete run from the rows of
    /// `pfill_value_summary`, if these are among the batches.
    pub(crate) fn take_value(&mut self, batches: &[RowBatch]) {
        if self.output_digest.is_none() {
            return;
        }
        let is_value = |batch: &&RowBatch| std::ptr::eq(batch.table, &value_summary::TABLE);
        let rows = batches.iter().filter(is_value).flat_map(named_rows);
        for row in rows.filter(|row| row.str("grouping") == "run") {
            match row.str("group_name") {
                "placed" => self.placed = row.count("loans").and_then(|n| i64::try_from(n).ok()),
                _ => self.value_amount = row.fixed("value_amount"),
            }
        }
    }

    /// The value of an option, also if it is the default; `None` if there is no such option.
    pub fn option(&self, name: &str) -> Option<Value> {
        let default = || object(&RunOptions::default()).get(name).cloned();
        match name {
            "as_of" => serde_json::to_value(self.as_of).ok(),
            _ => self.options.get(name).cloned().or_else(default),
        }
    }
}

fn object(options: &RunOptions) -> Map<String, Value> {
    match serde_json::to_value(options) {
        Ok(Value::Object(object)) => object,
        _ => Map::new(),
    }
}

/// The text of an option's value, as the command line takes it.
pub fn option_text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Null => String::new(),
        other => other.to_string(),
    }
}
