//! Where a database is: `mssql://USER:PASSWORD@HOST:PORT/DATABASE?option=value`, or `HOST/INSTANCE/DATABASE` for a named
//! instance. The password is never shown.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use tiberius::{AuthMethod, Config, EncryptionLevel};

/// How long the server may be silent, where the URL does not say it.
const TIMEOUT: Duration = Duration::from_secs(120);

/// How long a connection may take, at most.
const CONNECT: Duration = Duration::from_secs(10);

/// How long to wait for a lock, at most.
const LOCK_TIMEOUT: Duration = Duration::from_secs(30);

/// The schema where none is named.
const SCHEMA: &str = "dbo";

/// The port where none is named.
const PORT: u16 = 1433;

/// The URL of a database, taken apart. Shown, it has no password.
#[derive(Clone, PartialEq, Eq)]
pub struct MssqlUrl {
    host: String,
    port: Option<u16>,
    instance: Option<String>,
    database: String,
    user: String,
    password: Option<String>,
    /// A token of Azure AD instead of user and password.
    token: Option<String>,
    encrypted: bool,
    trust: Trust,
    /// Where the tables or views are.
    pub(crate) schema: String,
    /// How long the server may be silent while it works.
    timeout: Duration,
}

/// Whose certificate is believed where the connection is encrypted.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Trust {
    /// One that the machine trusts.
    Native,
    /// One that this file signs.
    Authority(PathBuf),
    /// Anybody's, because the URL says so.
    Anybody,
}

/// Why a text is no such URL. It says nothing of what the text was, which may hold a password.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum UrlFault {
    /// It cannot be taken apart.
    #[error(
        "the URL cannot be read; it is mssql://USER@HOST:PORT/DATABASE, with special characters as %XX, and the password in \
         it or in MSSQL_PASSWORD"
    )]
    Unreadable,
    /// A part that must be there is not.
    #[error(
        "the URL names no {0}; it is mssql://USER@HOST:PORT/DATABASE or mssql://USER@HOST/INSTANCE/DATABASE"
    )]
    Missing(&'static str),
    /// An option that there is not, or with another value than it takes.
    #[error(
        "{0}; the options are encrypt=true|false, trust=native|any, ca=FILE, schema=NAME, timeout=SECONDS and token=azure"
    )]
    Option(String),
}

impl FromStr for MssqlUrl {
    type Err = UrlFault;

    /// `encrypt` is `true` where it is not said; the server is verified unless `trust=any`. `schema` is `dbo` where it is not
    /// said. With `token=azure` the password is a token of Azure AD.
    fn from_str(text: &str) -> Result<Self, UrlFault> {
        let url: ::url::Url = text.parse().map_err(|_| UrlFault::Unreadable)?;
        if url.scheme() != "mssql" {
            return Err(UrlFault::Unreadable);
        }
        let decoded = |part: &str| {
            let text = percent(part).ok_or(UrlFault::Unreadable)?;
            Ok::<_, UrlFault>((!text.is_empty()).then_some(text))
        };
        let host = url.host_str().filter(|host| !host.is_empty());
        let host = host.ok_or(UrlFault::Missing("host"))?.to_owned();
        let mut path = url.path().trim_start_matches('/').splitn(2, '/');
        let (first, second) = (path.next().unwrap_or_default(), path.next());
        let (instance, database) = match second {
            Some(database) => (decoded(first)?, decoded(database)?),
            None => (None, decoded(first)?),
        };
        let mut this = Self {
            host,
            port: url.port(),
            instance,
            database: database.ok_or(UrlFault::Missing("database"))?,
            user: decoded(url.username())?.unwrap_or_default(),
            password: url.password().map(decoded).transpose()?.flatten(),
            token: None,
            encrypted: true,
            trust: Trust::Native,
            schema: SCHEMA.to_owned(),
            timeout: TIMEOUT,
        };
        for (name, value) in url.query_pairs() {
            this.option(&name, &value)?;
        }
        if this.token.is_none() && this.user.is_empty() {
            return Err(UrlFault::Missing("user"));
        }
        Ok(this)
    }
}

impl MssqlUrl {
    fn option(&mut self, name: &str, value: &str) -> Result<(), UrlFault> {
        match (name, value) {
            ("encrypt", "true") => self.encrypted = true,
            ("encrypt", "false") => self.encrypted = false,
            ("trust", "native") => self.trust = Trust::Native,
            ("trust", "any") => self.trust = Trust::Anybody,
            ("ca", file) if !file.is_empty() => self.trust = Trust::Authority(file.into()),
            ("schema", schema) if is_plain(schema) => self.schema = schema.to_owned(),
            ("timeout", seconds) => match seconds.parse() {
                Ok(seconds @ 1..) => self.timeout = Duration::from_secs(seconds),
                _ => return Err(UrlFault::Option("timeout is a number of seconds".to_owned())),
            },
            ("token", "azure") => self.token = Some(self.password.take().unwrap_or_default()),
            ("encrypt" | "trust" | "ca" | "schema" | "token", _) => {
                return Err(UrlFault::Option(format!("{name} has another value than it takes")));
            }
            _ => return Err(UrlFault::Option("there is an option that is not known".to_owned())),
        }
        Ok(())
    }

    /// With this password, or token, where the URL has none.
    #[must_use]
    pub fn or_password(mut self, password: Option<&str>) -> Self {
        let password = password.map(str::to_owned);
        match &mut self.token {
            Some(token) if token.is_empty() => *token = password.unwrap_or_default(),
            Some(_) => {}
            None => self.password = self.password.take().or(password),
        }
        self
    }

    /// Milliseconds to wait for a lock: less than for any answer, since a lock's time-out says more.
    pub(crate) fn lock_timeout(&self) -> u128 {
        (self.timeout * 3 / 4).min(LOCK_TIMEOUT).as_millis()
    }

    /// How long a connection may take.
    pub(crate) fn connect_timeout(&self) -> Duration {
        self.timeout.min(CONNECT)
    }

    /// Whether there is something to log in with.
    pub(crate) fn has_secret(&self) -> bool {
        self.token.as_ref().map_or_else(|| self.password.is_some(), |token| !token.is_empty())
    }

    /// Where the server is found: the host and its port, where the instance does not say another one.
    pub(crate) fn address(&self) -> (&str, u16) {
        (&self.host, self.port.unwrap_or(PORT))
    }

    /// Whether the server has to be asked which port the instance has.
    pub(crate) fn asks_for_port(&self) -> bool {
        self.instance.is_some() && self.port.is_none()
    }

    /// For the driver, at an address.
    pub(crate) fn config(&self, (host, port): (&str, u16)) -> Config {
        let mut config = Config::new();
        config.host(host);
        match &self.instance {
            // The browser of the server says the port.
            Some(instance) if self.asks_for_port() => config.instance_name(instance),
            _ => config.port(port),
        }
        config.command_timeout(Some(self.timeout));
        config.database(&self.database);
        config.application_name("powerfill");
        config.authentication(match &self.token {
            Some(token) => AuthMethod::aad_token(token),
            None => {
                AuthMethod::sql_server(&self.user, self.password.as_deref().unwrap_or_default())
            }
        });
        config.encryption(match self.encrypted {
            true => EncryptionLevel::Required,
            false => EncryptionLevel::NotSupported,
        });
        match &self.trust {
            Trust::Native => {}
            Trust::Authority(file) => config.trust_cert_ca(file.display()),
            Trust::Anybody => config.trust_cert(),
        }
        config
    }
}

/// A name that means itself in T-SQL, in brackets and in a text.
fn is_plain(name: &str) -> bool {
    !name.is_empty() && !name.chars().any(|c| c.is_control() || matches!(c, '\'' | '"' | '[' | ']'))
}

/// `%XX` undone; `None` where it is not UTF-8.
fn percent(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((byte, after)) = rest.split_first() {
        rest = after;
        if *byte == b'%' {
            let hex = std::str::from_utf8(rest.get(..2)?).ok()?;
            bytes.push(u8::from_str_radix(hex, 16).ok()?);
            rest = &rest[2..];
        } else {
            bytes.push(*byte);
        }
    }
    String::from_utf8(bytes).ok()
}

impl fmt::Display for MssqlUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("mssql://")?;
        if !self.user.is_empty() {
            write!(f, "{}@", self.user)?;
        }
        f.write_str(&self.host)?;
        if let Some(port) = self.port {
            write!(f, ":{port}")?;
        }
        if let Some(instance) = &self.instance {
            write!(f, "/{instance}")?;
        }
        write!(f, "/{}", self.database)?;
        match self.schema.as_str() {
            SCHEMA => Ok(()),
            schema => write!(f, "?schema={schema}"),
        }
    }
}

impl fmt::Debug for MssqlUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> MssqlUrl {
        text.parse().unwrap_or_else(|fault| panic!("{text}: {fault}"))
    }

    #[test]
    fn a_url_names_server_instance_database_and_schema() {
        let url = read("mssql://ann:p%40ss@db.example:14330/Lender?schema=pf&encrypt=false");
        assert_eq!(url.address(), ("db.example", 14_330));
        assert_eq!((url.schema.as_str(), url.encrypted), ("pf", false));
        assert_eq!(url.password.as_deref(), Some("p@ss"));
        let named = read("mssql://ann@db.example/SQL2019/Lender");
        assert_eq!(named.to_string(), "mssql://ann@db.example/SQL2019/Lender");
        assert!(named.asks_for_port() && named.encrypted);
        assert_eq!(named.trust, Trust::Native);
    }

    #[test]
    fn no_secret_is_shown() {
        for text in ["mssql://ann:s3cret@db/L", "mssql://:s3cret@db/L?token=azure"] {
            let url = read(text);
            assert!(!format!("{url} {url:?}").contains("s3cret"));
        }
        for text in
            ["mssql://ann:s3cret@/L", "mssql://ann:s3cret@db", "mssql://ann:s3cret@db/L?s3cret=1"]
        {
            let fault = text.parse::<MssqlUrl>().unwrap_err();
            assert!(!format!("{fault} {fault:?}").contains("s3cret"), "{fault}");
        }
    }

    #[test]
    fn a_password_comes_from_elsewhere_only_where_the_url_has_none() {
        let given = |text: &str| read(text).or_password(Some("other")).password;
        assert_eq!(given("mssql://ann@db/L").as_deref(), Some("other"));
        assert_eq!(given("mssql://ann:own@db/L").as_deref(), Some("own"));
        let token = read("mssql://db/L?token=azure").or_password(Some("jwt"));
        assert_eq!(token.token.as_deref(), Some("jwt"));
    }
}
