//! Bearer tokens, each with a tenant, a role, and an end. A file has their hashes; the text of a
//! token is shown once, when it is created.
//!
//! A token has 256 random bits and cannot be guessed, so one round of BLAKE3 protects it. Hashes
//! are compared in constant time, and with every token of the file.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use powerfill_events::values::{Timestamp, is_invisible};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::private_file::{PrivateFile, PrivateRow, has_hash, random_hex};

/// What a token allows. A role also allows what the roles before it allow.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum TokenRole {
    /// Read runs, reports, events, and stories; audit runs.
    Viewer,
    /// Request and cancel runs; read the tenant's source.
    Operator,
    /// Use every operation.
    Admin,
}

impl TokenRole {
    /// The name in the file and on the command line.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Viewer => "viewer",
            Self::Operator => "operator",
            Self::Admin => "admin",
        }
    }
}

/// A token in the file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Token {
    /// The id, which `revoke` needs.
    pub id: String,
    /// The tenant that it opens.
    pub tenant: String,
    /// The highest role of its caller.
    pub role: TokenRole,
    /// The user, who is the actor of every change.
    pub name: String,
    /// The time of creation.
    pub created_at: Timestamp,
    /// The time from which it is invalid.
    pub expires_at: Timestamp,
    /// BLAKE3 of the text, hexadecimal.
    hash: String,
}

/// A failure of the token file.
#[derive(Debug, thiserror::Error)]
pub enum TokenError {
    /// The file, or the source of random numbers, cannot be used.
    #[error("{file}: {what}")]
    File {
        /// The file.
        file: String,
        /// The cause.
        what: String,
    },
    /// A name has this character, which is not visible, or none at all.
    #[error("the name of a token has visible characters only; {}", match .0 {
        Some(c) => format!("this one has U+{:04X}", u32::from(*c)),
        None => "this one is empty".to_owned(),
    })]
    Name(Option<char>),
    /// No token has this id.
    #[error("no token {0}; `powerfill token list` lists them")]
    Unknown(String),
}

impl PrivateRow for Token {
    const KEY: &'static str = "token";
    const WRITER: &'static str = "`powerfill token`";
}

/// The file with the tokens.
#[derive(Debug)]
pub struct TokenFile(PrivateFile<Token>);

impl TokenFile {
    /// The tokens of this file, which need not exist yet.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self(PrivateFile::new(path))
    }

    pub(crate) fn path(&self) -> &Path {
        self.0.path()
    }

    /// The tokens. The file is read again if it was replaced.
    ///
    /// # Errors
    /// If the file cannot be read; then every request must be refused.
    pub fn all(&self) -> Result<Arc<Vec<Token>>, TokenError> {
        self.0.all()
    }

    /// Creates a token, and returns its text, which is stored nowhere.
    ///
    /// # Errors
    /// [`TokenError::Name`], or if the file cannot be read or written.
    pub fn create(
        &self,
        tenant: &str,
        role: TokenRole,
        name: &str,
        created_at: Timestamp,
        expires_at: Timestamp,
    ) -> Result<(Token, String), TokenError> {
        ensure_visible(name)?;
        let no_random = |error| self.0.fault(error);
        let text = format!("pf_{}", random_hex::<32>().map_err(no_random)?);
        let token = Token {
            id: random_hex::<8>().map_err(no_random)?,
            tenant: tenant.to_owned(),
            role,
            name: name.to_owned(),
            created_at,
            expires_at,
            hash: blake3::hash(text.as_bytes()).to_hex().to_string(),
        };
        self.0.change(|tokens| {
            tokens.push(token.clone());
            Ok((token, text))
        })
    }

    /// Revokes a token.
    ///
    /// # Errors
    /// [`TokenError::Unknown`], or if the file cannot be read or written.
    pub fn revoke(&self, id: &str) -> Result<Token, TokenError> {
        self.0.change(|tokens| {
            let position = tokens.iter().position(|token| token.id == id);
            Ok(tokens.remove(position.ok_or_else(|| TokenError::Unknown(id.to_owned()))?))
        })
    }

    /// The token with this text, unless it is expired.
    ///
    /// # Errors
    /// If the file cannot be read.
    pub fn find(&self, text: &str, now: Timestamp) -> Result<Option<Token>, TokenError> {
        let mut found = None;
        for token in self.all()?.iter() {
            // The loop never ends early.
            if has_hash(text, &token.hash) && now < token.expires_at {
                found = Some(token.clone());
            }
        }
        Ok(found)
    }

    /// The tokens with these ids that are neither revoked nor expired.
    ///
    /// # Errors
    /// If the file cannot be read.
    pub(crate) fn valid(&self, ids: &[String], now: Timestamp) -> Result<Vec<Token>, TokenError> {
        let tokens = self.all()?;
        let valid = tokens.iter().filter(|token| ids.contains(&token.id) && now < token.expires_at);
        Ok(valid.cloned().collect())
    }
}

/// Refuses a name that is empty, or has characters that a terminal obeys or does not show: it is
/// recorded with changes, and people read it in logs.
fn ensure_visible(name: &str) -> Result<(), TokenError> {
    match name.chars().find(|c| is_invisible(*c)) {
        None if !name.trim().is_empty() => Ok(()),
        found => Err(TokenError::Name(found)),
    }
}
