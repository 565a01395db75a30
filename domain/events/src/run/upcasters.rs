//! Conversions of stored payloads from one schema version to the next (specification 3.1).

use serde_json::{Value, json};

use super::event::EventType;
use crate::log::Upcaster;

/// The upcasters of an event, oldest first: entry 0 converts version 1 to version 2.
pub(super) const fn upcasters(event_type: EventType) -> &'static [Upcaster] {
    match event_type {
        EventType::RunRequested => &[Some(add_source_warnings), Some(add_mapping_and_origin)],
        EventType::RunCompleted => &[Some(add_tables)],
        // Version 2 of the events of passes has one more value of `pass`, `challenger`.
        EventType::LoanAllocated
        | EventType::LoanMoved
        | EventType::LoanReleased
        | EventType::PassCompleted => &[None],
        _ => &[],
    }
}

/// `RunRequested` version 1 to 2: version 1 has no warnings.
fn add_source_warnings(mut requested: Value) -> Value {
    if let Value::Object(fields) = &mut requested {
        fields.insert("source_warnings".to_owned(), Value::Array(Vec::new()));
    }
    requested
}

/// `RunRequested` version 2 to 3: version 2 has no mapping and no origin.
fn add_mapping_and_origin(mut requested: Value) -> Value {
    if let Value::Object(fields) = &mut requested {
        fields.insert("mapping".to_owned(), Value::Null);
        let origin = json!({ "provenance": null, "scenario": null, "challenge": null });
        fields.insert("origin".to_owned(), origin);
    }
    requested
}

/// The tables that the output digest covers where `RunCompleted` has version 1: those of release
/// 0.1.0, in the order of the digest. This list never changes, whatever tables are added.
const FIRST_RELEASE_TABLES: [&str; 12] = [
    "pfill_preflight_findings",
    "pfill_trade_base",
    "pfill_loan2trade_candy_level_01",
    "pfill_powerfill_guide",
    "pfill_pool_guide",
    "pfill_kickout_guide_01",
    "pfill_trade_recap",
    "pfill_loan_constraint_pool",
    "pfill_syn_trade_base",
    "pfill_syn_powerfill_guide_all_rank",
    "pfill_syn_powerfill_guide",
    "pfill_cash_market_map",
];

/// `RunCompleted` version 1 to 2: version 1 does not name the tables that its digest covers.
fn add_tables(mut completed: Value) -> Value {
    if let Value::Object(fields) = &mut completed {
        let tables = FIRST_RELEASE_TABLES.map(|table| json!({ "table": table, "version": 1 }));
        fields.insert("tables".to_owned(), Value::Array(tables.to_vec()));
    }
    completed
}
