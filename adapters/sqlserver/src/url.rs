//! The URL of a database: `mssql://USER:PASSWORD@HOST:PORT/DATABASE?option=value`, or
//! `HOST/INSTANCE/DATABASE` for a named instance. The password is never printed.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use percent_encoding::percent_decode_str;
use tiberius::{AuthMethod, Config, EncryptionLevel};

/// How long the server may be silent, if the URL does not say.
const DEFAULT_TIMEOUT: Duration = Duration::from_secs(120);

/// The longest time for connecting.
const MAX_CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// The longest wait for a lock.
const MAX_LOCK_TIMEOUT: Duration = Duration::from_secs(30);

const DEFAULT_SCHEMA: &str = "dbo";

const DEFAULT_PORT: u16 = 1433;

/// The parts of the URL of a database. [`fmt::Display`] and [`fmt::Debug`] leave the password out.
#[derive(Clone, PartialEq, Eq)]
pub struct MssqlUrl {
    host: String,
    port: Option<u16>,
    instance: Option<String>,
    database: String,
    user: String,
    password: Option<String>,
    /// A token of Azure AD in place of user and password.
    token: Option<String>,
    encrypted: bool,
    trust: ServerTrust,
    /// The schema of the tables or views.
    pub(crate) schema: String,
    /// How long the server may be silent while it works.
    timeout: Duration,
}

/// Which certificates of the server an encrypted connection accepts.
#[derive(Debug, Clone, PartialEq, Eq)]
enum ServerTrust {
    /// Those that the operating system trusts.
    Native,
    /// Those that the certificate in this file has signed.
    Authority(PathBuf),
    /// Any, because the URL says so.
    Any,
}

/// Why a text is not such a URL. The message never contains the text, which may have a password.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MssqlUrlError {
    /// The syntax is wrong.
    #[error(
        "the URL cannot be read; write mssql://USER@HOST:PORT/DATABASE, with special characters as \
         %XX, and the password in it or in MSSQL_PASSWORD"
    )]
    Malformed,
    /// A required part is missing.
    #[error(
        "the URL has no {0}; write mssql://USER@HOST:PORT/DATABASE or \
         mssql://USER@HOST/INSTANCE/DATABASE"
    )]
    Missing(&'static str),
    /// An unknown option, or an option with an invalid value.
    #[error(
        "{0}; the options are encrypt=true|false, trust=native|any, ca=FILE, schema=NAME, \
         timeout=SECONDS, and token=azure"
    )]
    Option(String),
}

impl FromStr for MssqlUrl {
    type Err = MssqlUrlError;

    /// Without options, the connection is encrypted, the server's certificate is verified, and the
    /// schema is `dbo`. With `token=azure`, the password is a token of Azure AD.
    fn from_str(text: &str) -> Result<Self, MssqlUrlError> {
        let url: ::url::Url = text.parse().map_err(|_| MssqlUrlError::Malformed)?;
        // An `@` in the path is the rest of a password with a `/`, which ends the address.
        if url.scheme() != "mssql" || url.path().contains('@') {
            return Err(MssqlUrlError::Malformed);
        }
        let decoded = |part: &str| match percent_decode_str(part).decode_utf8() {
            Ok(text) => Ok((!text.is_empty()).then(|| text.into_owned())),
            Err(_) => Err(MssqlUrlError::Malformed),
        };
        let host = url.host_str().filter(|host| !host.is_empty());
        let host = host.ok_or(MssqlUrlError::Missing("host"))?.to_owned();
        let path = url.path().trim_start_matches('/');
        let (instance, database) = match path.split_once('/') {
            Some((instance, database)) => (decoded(instance)?, decoded(database)?),
            None => (None, decoded(path)?),
        };
        let mut parsed = Self {
            host,
            port: url.port(),
            instance,
            database: database.ok_or(MssqlUrlError::Missing("database"))?,
            user: decoded(url.username())?.unwrap_or_default(),
            password: url.password().map(decoded).transpose()?.flatten(),
            token: None,
            encrypted: true,
            trust: ServerTrust::Native,
            schema: DEFAULT_SCHEMA.to_owned(),
            timeout: DEFAULT_TIMEOUT,
        };
        for (name, value) in url.query_pairs() {
            parsed.set_option(&name, &value)?;
        }
        if parsed.token.is_none() && parsed.user.is_empty() {
            return Err(MssqlUrlError::Missing("user"));
        }
        Ok(parsed)
    }
}

impl MssqlUrl {
    fn set_option(&mut self, name: &str, value: &str) -> Result<(), MssqlUrlError> {
        let invalid = |message: &str| Err(MssqlUrlError::Option(message.to_owned()));
        match (name, value) {
            ("encrypt", "true") => self.encrypted = true,
            ("encrypt", "false") => self.encrypted = false,
            ("trust", "native") => self.trust = ServerTrust::Native,
            ("trust", "any") => self.trust = ServerTrust::Any,
            ("ca", file) if !file.is_empty() => self.trust = ServerTrust::Authority(file.into()),
            ("schema", schema) if is_plain_name(schema) => self.schema = schema.to_owned(),
            ("timeout", seconds) => match seconds.parse() {
                Ok(seconds @ 1..) => self.timeout = Duration::from_secs(seconds),
                _ => return invalid("timeout must be a number of seconds"),
            },
            ("token", "azure") => self.token = Some(self.password.take().unwrap_or_default()),
            ("encrypt" | "trust" | "ca" | "schema" | "token", _) => {
                return invalid(&format!("{name} has an invalid value"));
            }
            // The name is not repeated: a malformed URL may have the password here.
            _ => return invalid("the URL has an unknown option"),
        }
        Ok(())
    }

    /// Sets the password, or token, if the URL has none.
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

    /// How long to wait for a lock, in milliseconds. It is shorter than the time-out of the
    /// connection, because a time-out of a lock has the clearer message.
    pub(crate) fn lock_timeout(&self) -> u128 {
        (self.timeout * 3 / 4).min(MAX_LOCK_TIMEOUT).as_millis()
    }

    pub(crate) fn connect_timeout(&self) -> Duration {
        self.timeout.min(MAX_CONNECT_TIMEOUT)
    }

    /// Whether there is a password or a token.
    pub(crate) fn has_secret(&self) -> bool {
        self.token.as_ref().map_or_else(|| self.password.is_some(), |token| !token.is_empty())
    }

    /// Host and port of the server, before a lookup of the instance's port.
    pub(crate) fn address(&self) -> (&str, u16) {
        (&self.host, self.port.unwrap_or(DEFAULT_PORT))
    }

    /// Whether the browser service of the server must tell the port of the instance.
    pub(crate) fn needs_port_lookup(&self) -> bool {
        self.instance.is_some() && self.port.is_none()
    }

    /// The driver's configuration for a connection to this address.
    pub(crate) fn config(&self, (host, port): (&str, u16)) -> Config {
        let mut config = Config::new();
        config.host(host);
        match &self.instance {
            Some(instance) if self.needs_port_lookup() => config.instance_name(instance),
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
            ServerTrust::Native => {}
            ServerTrust::Authority(file) => config.trust_cert_ca(file.display()),
            ServerTrust::Any => config.trust_cert(),
        }
        config
    }
}

/// Whether a name needs no escaping in T-SQL, neither in brackets nor in a string.
fn is_plain_name(name: &str) -> bool {
    !name.is_empty() && !name.chars().any(|c| c.is_control() || matches!(c, '\'' | '"' | '[' | ']'))
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
            DEFAULT_SCHEMA => Ok(()),
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

    fn parsed(text: &str) -> MssqlUrl {
        text.parse().unwrap_or_else(|error| panic!("{text}: {error}"))
    }

    #[test]
    fn a_url_has_server_instance_database_and_schema() {
        let url = parsed("mssql://ann:p%40ss@db.example:14330/Lender?schema=pf&encrypt=false");
        assert_eq!(url.address(), ("db.example", 14_330));
        assert_eq!((url.schema.as_str(), url.encrypted), ("pf", false));
        assert_eq!(url.password.as_deref(), Some("p@ss"));
        let named = parsed("mssql://ann@db.example/SQL2019/Lender");
        assert_eq!(named.to_string(), "mssql://ann@db.example/SQL2019/Lender");
        assert!(named.needs_port_lookup() && named.encrypted);
        assert_eq!(named.trust, ServerTrust::Native);
    }

    #[test]
    fn secrets_are_never_printed() {
        for text in ["mssql://ann:s3cret@db/L", "mssql://:s3cret@db/L?token=azure"] {
            let url = parsed(text);
            assert!(!format!("{url} {url:?}").contains("s3cret"));
        }
        for text in
            ["mssql://ann:s3cret@/L", "mssql://ann:s3cret@db", "mssql://ann:s3cret@db/L?s3cret=1"]
        {
            let error = text.parse::<MssqlUrl>().unwrap_err();
            assert!(!format!("{error} {error:?}").contains("s3cret"), "{error}");
        }
    }

    #[test]
    fn no_part_of_a_password_with_special_characters_is_printed() {
        let [first, second] = ["S3cretHalf1", "7351"];
        for special in "@/?#:%&=\\[]()<>{}|^`'\"+ ;,!$*~é".chars() {
            for [one, other] in [[first, second], [second, first]] {
                let text = format!("mssql://ann:{one}{special}{other}@db.example:1433/Lender");
                let shown = match text.parse::<MssqlUrl>() {
                    Ok(url) => format!("{url} {url:?}"),
                    Err(error) => format!("{error} {error:?}"),
                };
                assert!(!shown.contains(first) && !shown.contains(second), "{text}: {shown}");
            }
        }
    }

    #[test]
    fn a_given_password_does_not_replace_that_of_the_url() {
        let password = |text: &str| parsed(text).or_password(Some("other")).password;
        assert_eq!(password("mssql://ann@db/L").as_deref(), Some("other"));
        assert_eq!(password("mssql://ann:own@db/L").as_deref(), Some("own"));
        let token = parsed("mssql://db/L?token=azure").or_password(Some("jwt"));
        assert_eq!(token.token.as_deref(), Some("jwt"));
    }
}
