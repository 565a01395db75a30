//! Sessions of browsers (specification 4.3): a token is entered once, and a cookie stands for it.
//!
//! A session is a short-lived secret of its own. A file beside the tokens has its hash and the ids
//! of the tokens that were entered, so that it outlasts a restart, holds for every service of the
//! folder, and ends at once with its tokens. Who reads the file cannot make a cookie.

use std::path::PathBuf;

use powerfill_events::values::Timestamp;
use serde::{Deserialize, Serialize};

use crate::private_file::{PrivateFile, PrivateRow, has_hash, random_hex};
use crate::tokens::{Token, TokenError, TokenFile};

/// The longest time of a session: a working day.
const MICROS: i64 = 12 * 3_600_000_000;

/// The most sessions of the file. Beyond them, the oldest end.
const MAX_SESSIONS: usize = 1_000;

/// The name of the file, in the folder of the tokens.
const FILE: &str = "powerfill-sessions.toml";

/// The use of the key that CSRF tokens are derived with.
const CSRF: &str = "powerfill 2026 CSRF token of a session";

/// A session in the file.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Session {
    /// The ids of its tokens, each of another tenant.
    pub(crate) tokens: Vec<String>,
    created_at: Timestamp,
    /// The time from which it is invalid.
    pub(crate) expires_at: Timestamp,
    /// BLAKE3 of the secret, hexadecimal.
    hash: String,
}

impl PrivateRow for Session {
    const KEY: &'static str = "session";
    const WRITER: &'static str = "`powerfill serve`";
}

#[derive(Debug)]
pub(crate) struct SessionFile(PrivateFile<Session>);

impl SessionFile {
    /// The sessions for these tokens.
    pub(crate) fn beside(tokens: &TokenFile) -> Self {
        let path: PathBuf = tokens.path().with_file_name(FILE);
        Self(PrivateFile::new(path))
    }

    /// The session of this secret, unless it is expired.
    ///
    /// # Errors
    /// If the file cannot be read.
    pub(crate) fn find(&self, secret: &str, now: Timestamp) -> Result<Option<Session>, TokenError> {
        let is_it = |session: &&Session| has_hash(secret, &session.hash);
        let sessions = self.0.all()?;
        Ok(sessions.iter().find(is_it).filter(|session| now < session.expires_at).cloned())
    }

    /// Begins a session with these tokens, and returns its secret, which is stored nowhere. It ends
    /// at the latest with the last of its tokens, and replaces the session of a former secret.
    ///
    /// # Errors
    /// If the file cannot be read or written.
    pub(crate) fn begin(
        &self,
        tokens: &[Token],
        former: Option<&str>,
        now: Timestamp,
    ) -> Result<(String, Session), TokenError> {
        let secret = random_hex::<32>().map_err(|error| self.0.fault(error))?;
        let longest = Timestamp::from_micros(now.micros().saturating_add(MICROS));
        let last = tokens.iter().map(|token| token.expires_at).max();
        let session = Session {
            tokens: tokens.iter().map(|token| token.id.clone()).collect(),
            created_at: now,
            expires_at: last.map_or(longest, |last| last.min(longest)),
            hash: blake3::hash(secret.as_bytes()).to_hex().to_string(),
        };
        self.0.change(|sessions| {
            sessions.retain(|other| now < other.expires_at && !is_former(other, former));
            sessions.push(session.clone());
            sessions.drain(..sessions.len().saturating_sub(MAX_SESSIONS));
            Ok((secret, session))
        })
    }

    /// Ends the session of this secret.
    ///
    /// # Errors
    /// If the file cannot be read or written.
    pub(crate) fn end(&self, secret: &str) -> Result<(), TokenError> {
        self.0.change(|sessions| {
            sessions.retain(|session| !has_hash(secret, &session.hash));
            Ok(())
        })
    }
}

fn is_former(session: &Session, former: Option<&str>) -> bool {
    former.is_some_and(|secret| has_hash(secret, &session.hash))
}

/// The CSRF token of a session: a page of the service learns it, and a page of another one cannot.
pub(crate) fn csrf_token(secret: &str) -> String {
    blake3::Hash::from_bytes(blake3::derive_key(CSRF, secret.as_bytes())).to_hex().to_string()
}

/// Whether this is the CSRF token of the session. It takes the same time for every text.
pub(crate) fn is_csrf_token(secret: &str, given: &str) -> bool {
    let own = blake3::Hash::from_bytes(blake3::derive_key(CSRF, secret.as_bytes()));
    blake3::Hash::from_hex(given).is_ok_and(|given| given == own)
}
