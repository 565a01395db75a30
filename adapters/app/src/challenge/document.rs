//! A challenge as one document, with the field names of its events.

use std::io;

use futures::TryStreamExt;
use powerfill_events::challenge::{
    BoundCertified, ChallengeEvent, ChallengeEventType, ChallengeId,
};
use powerfill_events::run::RunId;
use powerfill_events::values::Timestamp;
use powerfill_ports::Store;
use serde_json::{Value, json};

use super::{decode, stored_of_types};
use crate::{AppError, AppResult};

/// A recorded challenge in the list of those of a run.
#[derive(Debug, Clone, PartialEq)]
pub struct RecordedChallenge {
    /// The challenge.
    pub id: ChallengeId,
    /// When it was recorded.
    pub recorded_at: Timestamp,
    /// Its events, without those of prices and loans.
    pub events: Vec<ChallengeEvent>,
}

/// The challenges of a run, the first one first.
///
/// # Errors
/// An event cannot be read; the store fails.
pub async fn recorded_challenges(
    store: &dyn Store,
    run: RunId,
) -> AppResult<Vec<RecordedChallenge>> {
    let types = [
        ChallengeEventType::ChallengeRequested,
        ChallengeEventType::BoundCertified,
        ChallengeEventType::ChallengerVerified,
        ChallengeEventType::ChallengeCompleted,
    ];
    let mut challenges = Vec::new();
    for number in 1.. {
        let id = ChallengeId { run, number };
        let stored = stored_of_types(store, &id.stream(), &types).await?;
        let Some(first) = stored.first() else { break };
        let recorded_at = first.recorded_at;
        let events = stored.iter().map(decode).collect::<Result<_, _>>()?;
        challenges.push(RecordedChallenge { id, recorded_at, events });
    }
    Ok(challenges)
}

/// All events of a recorded challenge.
///
/// # Errors
/// [`NotFound`](powerfill_ports::StoreError::NotFound) if there is none; an event cannot be read;
/// the store fails.
pub async fn read_challenge(store: &dyn Store, id: ChallengeId) -> AppResult<Vec<ChallengeEvent>> {
    let stored = store.read(&id.stream(), 1).try_concat().await?;
    if stored.is_empty() {
        return Err(AppError::no_challenge(id));
    }
    stored.iter().map(decode).collect()
}

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

/// What a challenge certifies.
pub fn certified_by(events: &[ChallengeEvent]) -> Option<&BoundCertified> {
    events.iter().find_map(|event| match event {
        ChallengeEvent::BoundCertified(certified) => Some(certified.as_ref()),
        _ => None,
    })
}
