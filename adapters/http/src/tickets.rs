//! Tickets for event streams. The EventSource of a browser can send no header, so a script fetches
//! a ticket with its token and puts it into the URL. A ticket is valid for a minute, on this
//! server.

use std::collections::HashMap;
use std::time::Duration;

use parking_lot::Mutex;
use powerfill_events::values::Timestamp;

use crate::caller::Caller;
use crate::private_file::random_hex;
use crate::problem::{ApiResult, internal};

/// How long a ticket opens streams. A stream goes on after it, until its token is invalid.
const LIFETIME: Duration = Duration::from_secs(60);

/// The tickets of this server.
#[derive(Default)]
pub(crate) struct Tickets(Mutex<HashMap<String, (Timestamp, Caller)>>);

impl Tickets {
    /// Makes a ticket for a caller. Returns it with the time from which it is invalid.
    pub(crate) fn create(&self, caller: Caller, now: Timestamp) -> ApiResult<(String, Timestamp)> {
        let ticket = random_hex::<32>().map_err(|error| internal(&error))?;
        let lifetime = i64::try_from(LIFETIME.as_micros()).unwrap_or(i64::MAX);
        let until = Timestamp::from_micros(now.micros().saturating_add(lifetime));
        let mut tickets = self.0.lock();
        tickets.retain(|_, (until, _)| now < *until);
        tickets.insert(ticket.clone(), (until, caller));
        Ok((ticket, until))
    }

    /// The caller for whom a ticket was made, unless it is too old.
    pub(crate) fn caller(&self, ticket: &str, now: Timestamp) -> Option<Caller> {
        let tickets = self.0.lock();
        let (until, caller) = tickets.get(ticket)?;
        (now < *until).then(|| caller.clone())
    }
}
