//! Bearer tokens, each with a tenant, a role, and an end. A file has their hashes; the text of a
//! token is shown once, when it is created.
//!
//! A token has 256 random bits and cannot be guessed, so one round of BLAKE3 protects it. Hashes
//! are compared in constant time, and with every token of the file.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::SystemTime;

use parking_lot::Mutex;
use powerfill_events::values::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

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
    /// No token has this id.
    #[error("no token {0}; `powerfill token list` lists them")]
    Unknown(String),
}

#[derive(Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct TokenTable {
    #[serde(default)]
    token: Vec<Token>,
}

/// The file with the tokens.
#[derive(Debug)]
pub struct TokenFile {
    path: PathBuf,
    loaded: Mutex<Option<(FileVersion, Arc<Vec<Token>>)>>,
}

/// Time, length, and inode of a file, which is always replaced whole; `None` without a file.
type FileVersion = Option<(SystemTime, u64, u64)>;

impl TokenFile {
    /// The tokens of this file, which need not exist yet.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into(), loaded: Mutex::new(None) }
    }

    fn fault(&self, what: impl std::fmt::Display) -> TokenError {
        TokenError::File { file: self.path.display().to_string(), what: what.to_string() }
    }

    fn version(&self) -> Result<FileVersion, TokenError> {
        match fs::metadata(&self.path) {
            Ok(metadata) => {
                let changed = metadata.modified().map_err(|error| self.fault(error))?;
                Ok(Some((changed, metadata.len(), inode(&metadata))))
            }
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(self.fault(error)),
        }
    }

    /// The tokens. The file is read again if it was replaced.
    ///
    /// # Errors
    /// If the file cannot be read; then every request must be refused.
    pub fn all(&self) -> Result<Arc<Vec<Token>>, TokenError> {
        let version = self.version()?;
        let mut loaded = self.loaded.lock();
        if let Some((before, tokens)) = &*loaded
            && *before == version
        {
            return Ok(Arc::clone(tokens));
        }
        let tokens = Arc::new(self.load()?);
        *loaded = Some((version, Arc::clone(&tokens)));
        Ok(tokens)
    }

    fn load(&self) -> Result<Vec<Token>, TokenError> {
        match fs::read_to_string(&self.path) {
            Ok(text) => {
                // The message of the parser would quote the text.
                let unreadable = |_| self.fault("is not what `powerfill token` writes");
                Ok(toml::from_str::<TokenTable>(&text).map_err(unreadable)?.token)
            }
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(Vec::new()),
            Err(error) => Err(self.fault(error)),
        }
    }

    /// Creates a token, and returns its text, which is stored nowhere.
    ///
    /// # Errors
    /// If the file cannot be read or written.
    pub fn create(
        &self,
        tenant: &str,
        role: TokenRole,
        name: &str,
        created_at: Timestamp,
        expires_at: Timestamp,
    ) -> Result<(Token, String), TokenError> {
        let mut random = [0; 40];
        getrandom::fill(&mut random).map_err(|error| self.fault(error))?;
        let (secret, id) = random.split_at(32);
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
        let _lock = self.lock()?;
        let mut tokens = self.load()?;
        tokens.push(token.clone());
        self.write(tokens)?;
        Ok((token, text))
    }

    /// Revokes a token.
    ///
    /// # Errors
    /// [`TokenError::Unknown`], or if the file cannot be read or written.
    pub fn revoke(&self, id: &str) -> Result<Token, TokenError> {
        let _lock = self.lock()?;
        let mut tokens = self.load()?;
        let position = tokens.iter().position(|token| token.id == id);
        let revoked = tokens.remove(position.ok_or_else(|| TokenError::Unknown(id.to_owned()))?);
        self.write(tokens)?;
        Ok(revoked)
    }

    /// Locks the tokens against changes by other processes until the file is dropped.
    fn lock(&self) -> Result<fs::File, TokenError> {
        let lock = open_private(&with_suffix(&self.path, ".lock"));
        lock.and_then(|lock| lock.lock().map(|()| lock)).map_err(|error| self.fault(error))
    }

    /// Writes a new file that only its owner can read, and replaces the old one.
    fn write(&self, token: Vec<Token>) -> Result<(), TokenError> {
        let text = toml::to_string(&TokenTable { token }).map_err(|error| self.fault(error))?;
        let partial = with_suffix(&self.path, ".partial");
        let written = open_private(&partial)
            .and_then(|mut file| file.write_all(text.as_bytes()).and_then(|()| file.sync_all()))
            .and_then(|()| fs::rename(&partial, &self.path));
        written.map_err(|error| self.fault(error))
    }

    /// The token with this text, unless it is expired.
    ///
    /// # Errors
    /// If the file cannot be read.
    pub fn find(&self, text: &str, now: Timestamp) -> Result<Option<Token>, TokenError> {
        let given = blake3::hash(text.as_bytes());
        let mut found = None;
        for token in self.all()?.iter() {
            // Hashes compare in constant time, and the loop never ends early.
            let is_match = blake3::Hash::from_hex(&token.hash).is_ok_and(|hash| hash == given);
            if is_match && now < token.expires_at {
                found = Some(token.clone());
            }
        }
        Ok(found)
    }
}

#[cfg(unix)]
fn inode(metadata: &fs::Metadata) -> u64 {
    std::os::unix::fs::MetadataExt::ino(metadata)
}

#[cfg(not(unix))]
fn inode(_metadata: &fs::Metadata) -> u64 {
    0
}

/// The path with a suffix.
fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}

/// Opens a new file that only its owner can read.
fn open_private(path: &Path) -> std::io::Result<fs::File> {
    let mut options = fs::OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}
