//! A challenge as one document, with the field names of its events.

use std::io;

use powerfill_events::challenge::{ChallengeEvent, ChallengeId};
use powerfill_events::run::RunId;
use serde_json::{Value, json};

/// A challenge as one document. `recorded` is NULL for one that is not recorded.
///
/// # Errors
/// An event cannot be written as JSON, which is a fault of the program.
pub fn document(
    run: RunId,
    recorded: Option<ChallengeId>,
    events: &[ChallengeEvent],
) -> io::Result<Value> {
    let mut written = Vec::new();
    for event in events {
        let mut payload = Vec::new();
        event.write_payload(&mut payload)?;
        written.push((event, serde_json::from_slice::<Value>(&payload)?));
    }
    let of = |wanted: fn(&ChallengeEvent) -> bool| {
        written.iter().filter(move |(event, _)| wanted(event)).map(|(_, payload)| payload.clone())
    };
    let one = |wanted| of(wanted).next().unwrap_or(Value::Null);
    let all = |wanted| of(wanted).collect::<Vec<_>>();
    Ok(json!({
        "run_id": run,
        "challenge": recorded.map(ChallengeId::stream),
        "requested": one(|event| matches!(event, ChallengeEvent::ChallengeRequested(_))),
        "certified": one(|event| matches!(event, ChallengeEvent::BoundCertified(_))),
        "prices": all(|event| matches!(event, ChallengeEvent::ShadowPriceFound(_))),
        "placed": all(|event| matches!(event, ChallengeEvent::ChallengerPlaced(_))),
        "released": all(|event| matches!(event, ChallengeEvent::ChallengerReleased(_))),
        "verified": one(|event| matches!(event, ChallengeEvent::ChallengerVerified(_))),
        "completed": one(|event| matches!(event, ChallengeEvent::ChallengeCompleted(_))),
    }))
}
