//! Challenges of runs (specification part 10): how far a run is from the best possible, and a
//! better allocation. The events of a challenge are a stream of their own, beside that of the run.

mod certificate;
mod event;

use std::fmt;
use std::str::FromStr;

pub use certificate::RunCertificate;
pub use event::*;
use uuid::Uuid;

use crate::run::RunId;
use crate::values::derive_uuid;

/// The identity of a challenge: the run, and the number of the challenge among those of the run,
/// from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ChallengeId {
    /// The run.
    pub run: RunId,
    /// From 1.
    pub number: u32,
}

/// A text that is not the name of a challenge.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not the name of a challenge, challenge-<run_id>-<number>")]
pub struct NotAChallenge(String);

impl ChallengeId {
    /// The name of its stream, `challenge-<run_id>-<number>`.
    pub fn stream(self) -> String {
        format!("challenge-{}-{}", self.run, self.number)
    }

    /// The challenge whose stream has this name.
    pub fn from_stream(stream: &str) -> Option<Self> {
        let (run, number) = stream.strip_prefix("challenge-")?.rsplit_once('-')?;
        let challenge = Self { run: run.parse().ok()?, number: number.parse().ok()? };
        // One challenge has one name: no leading zero, no sign, no upper case.
        (challenge.number > 0 && challenge.stream() == stream).then_some(challenge)
    }

    /// The id of an event of this challenge: derived from run, number, and version, so that a retry
    /// gives the same (3.1).
    pub fn event_id(self, stream_version: u64) -> Uuid {
        let (number, version) = (self.number.to_le_bytes(), stream_version.to_le_bytes());
        let parts: [&[u8]; 3] = [self.run.0.as_bytes(), &number, &version];
        derive_uuid("powerfill 2026 challenge event id", &parts)
    }
}

impl fmt::Display for ChallengeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.stream())
    }
}

impl FromStr for ChallengeId {
    type Err = NotAChallenge;
    fn from_str(text: &str) -> Result<Self, NotAChallenge> {
        Self::from_stream(text).ok_or_else(|| NotAChallenge(text.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_challenge_has_one_name() {
        let id = "challenge-01970000-0000-7000-8000-000000000001-2";
        let challenge: ChallengeId = id.parse().unwrap();
        assert_eq!((challenge.number, challenge.to_string()), (2, id.to_owned()));
        assert_ne!(challenge.event_id(1), challenge.event_id(2));
        assert_ne!(challenge.event_id(1), ChallengeId { number: 1, ..challenge }.event_id(1));
        for other in [
            "challenge-01970000-0000-7000-8000-000000000001-0",
            "challenge-01970000-0000-7000-8000-000000000001-02",
            "challenge-01970000-0000-7000-8000-000000000001",
            "challenge-1",
            "run-01970000-0000-7000-8000-000000000001",
        ] {
            assert!(other.parse::<ChallengeId>().is_err(), "{other}");
        }
    }
}
