//! Bearer tokens: whose they are, what they allow, until when. A file holds their hashes; a token
//! itself is shown once, when it is made.
//!
//! A token is 256 random bits, so that one round of BLAKE3 keeps it: there is nothing to guess.
//! Hashes are compared in constant time, and with every token of the file.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;

use powerfill_events::values::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// What a token allows. Each role allows what those before it do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Reads: runs, reports, events, stories, audits.
    Viewer,
    /// Asks for runs and cancels them; has the tenant's source read.
    Operator,
    /// Whatever the service offers.
    Admin,
}

impl Role {
    /// Its name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Viewer => "viewer",
            Self::Operator => "operator",
            Self::Admin => "admin",
        }
    }
}

/// A token, as it is kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Token {
    /// What it is revoked by.
    pub id: String,
    /// Whose events and runs it opens.
    pub tenant: String,
    /// What it allows.
    pub role: Role,
    /// Who uses it: the actor of what is changed with it.
    pub name: String,
    /// When it was made.
    pub created_at: Timestamp,
    /// From when on it is none.
    pub expires_at: Timestamp,
    /// BLAKE3 of the token, hexadecimal.
    hash: String,
}

/// Why the tokens cannot be read or written.
#[derive(Debug, thiserror::Error)]
pub enum TokenError {
    /// The file, or chance, cannot be had.
    #[error("{file}: {what}")]
    File {
        /// The file.
        file: String,
        /// What is wrong with it.
        what: String,
    },
    /// There is no such token.
    #[error("no token {0}; `powerfill token list` lists them")]
    Unknown(String),
}

#[derive(Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Kept {
    #[serde(default)]
    token: Vec<Token>,
}

/// The file that tokens are kept in.
#[derive(Debug)]
pub struct TokenFile {
    path: PathBuf,
    read: Mutex<Option<(Stamp, Arc<Vec<Token>>)>>,
}

/// What tells that a file was replaced: it is always replaced whole.
type Stamp = Option<(SystemTime, u64, u64)>;

impl TokenFile {
    /// Tokens in this file, which need not be there yet.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into(), read: Mutex::new(None) }
    }

    fn fault(&self, what: impl std::fmt::Display) -> TokenError {
        TokenError::File { file: self.path.display().to_string(), what: what.to_string() }
    }

    fn stamp(&self) -> Result<Stamp, TokenError> {
        match fs::metadata(&self.path) {
            Ok(found) => {
                let changed = found.modified().map_err(|error| self.fault(error))?;
                Ok(Some((changed, found.len(), inode(&found))))
            }
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(self.fault(error)),
        }
    }

    /// The tokens, read again where the file is another one than before.
    ///
    /// # Errors
    /// Where the file cannot be read: then nobody is let in.
    pub fn all(&self) -> Result<Arc<Vec<Token>>, TokenError> {
        let stamp = self.stamp()?;
        let mut read = self.read.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((before, tokens)) = &*read
            && *before == stamp
        {
            return Ok(Arc::clone(tokens));
        }
        let tokens = Arc::new(self.load()?);
        *read = Some((stamp, Arc::clone(&tokens)));
        Ok(tokens)
    }

    fn load(&self) -> Result<Vec<Token>, TokenError> {
        match fs::read_to_string(&self.path) {
            Ok(text) => {
                // The message of the parser would show the text.
                let unreadable = |_| self.fault("is not what `powerfill token` writes");
                Ok(toml::from_str::<Kept>(&text).map_err(unreadable)?.token)
            }
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(Vec::new()),
            Err(error) => Err(self.fault(error)),
        }
    }

    /// Makes a token; the text is shown nowhere else.
    ///
    /// # Errors
    /// Where the file cannot be read or written.
    pub fn create(
        &self,
        tenant: &str,
        role: Role,
        name: &str,
        created_at: Timestamp,
        expires_at: Timestamp,
    ) -> Result<(Token, String), TokenError> {
        let mut chance = [0; 40];
        getrandom::fill(&mut chance).map_err(|error| self.fault(error))?;
        let (secret, id) = chance.split_at(32);
        let hex = |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
        let text = format!("pf_{}", hex(secret));
        let token = Token {
            id: hex(id),
            tenant: tenant.to_owned(),
            role,
            name: name.to_owned(),
            created_at,
            expires_at,
            hash: blake3::hash(text.as_bytes()).to_hex().to_string(),
        };
        let _alone = self.alone()?;
        let mut kept = self.load()?;
        kept.push(token.clone());
        self.write(kept)?;
        Ok((token, text))
    }

    /// Revokes a token.
    ///
    /// # Errors
    /// [`TokenError::Unknown`], or where the file cannot be read or written.
    pub fn revoke(&self, id: &str) -> Result<Token, TokenError> {
        let _alone = self.alone()?;
        let mut kept = self.load()?;
        let place = kept.iter().position(|token| token.id == id);
        let revoked = kept.remove(place.ok_or_else(|| TokenError::Unknown(id.to_owned()))?);
        self.write(kept)?;
        Ok(revoked)
    }

    /// Waits until nobody else changes the tokens; until it is dropped, nobody does.
    fn alone(&self) -> Result<fs::File, TokenError> {
        let lock = own(&beside(&self.path, ".lock"));
        lock.and_then(|lock| lock.lock().map(|()| lock)).map_err(|error| self.fault(error))
    }

    /// Writes the file aside, for its owner alone, and puts it in place.
    fn write(&self, token: Vec<Token>) -> Result<(), TokenError> {
        let text = toml::to_string(&Kept { token }).map_err(|error| self.fault(error))?;
        let aside = beside(&self.path, ".partial");
        let written = own(&aside)
            .and_then(|mut file| file.write_all(text.as_bytes()).and_then(|()| file.sync_all()))
            .and_then(|()| fs::rename(&aside, &self.path));
        written.map_err(|error| self.fault(error))
    }

    /// The token with this text, unless it is expired.
    ///
    /// # Errors
    /// Where the file cannot be read.
    pub fn find(&self, text: &str, now: Timestamp) -> Result<Option<Token>, TokenError> {
        let given = blake3::hash(text.as_bytes());
        let mut found = None;
        for token in self.all()?.iter() {
            // Hashes compare in constant time; the loop goes on.
            let is_it = blake3::Hash::from_hex(&token.hash).is_ok_and(|kept| kept == given);
            if is_it && now < token.expires_at {
                found = Some(token.clone());
            }
        }
        Ok(found)
    }
}

#[cfg(unix)]
fn inode(found: &fs::Metadata) -> u64 {
    std::os::unix::fs::MetadataExt::ino(found)
}

#[cfg(not(unix))]
fn inode(_found: &fs::Metadata) -> u64 {
    0
}

/// The file of this name with an ending more.
fn beside(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(ending);
    name.into()
}

/// A new file that its owner alone may read.
fn own(path: &Path) -> std::io::Result<fs::File> {
    let mut options = fs::OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}
