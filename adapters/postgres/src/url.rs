//! The URL of a database: `postgres://user:password@host:port/database?option=value`. The password
//! is never shown.

use std::borrow::Cow;
use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use percent_encoding::percent_decode_str;
use tokio_postgres::Config;
use tokio_postgres::config::{Host, SslMode};

/// How long to wait for a server that does not answer. The application tries again.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// After this much silence, TCP probes whether the connection is alive.
const KEEPALIVE_IDLE: Duration = Duration::from_secs(20);
/// A connection is closed if sent data stays unacknowledged for this long.
const ACKNOWLEDGE_TIMEOUT: Duration = Duration::from_secs(30);

/// The settings of every session. The URL's own settings (`options=…`) come after them and override
/// them.
///
/// - A statement ends after 2 minutes.
/// - Waiting for a lock ends after 30 s. (A report that locks an output table keeps a run from
///   publishing; the application tries again.)
/// - A transaction ends after its client was idle for a minute: a client that stalls during an
///   append keeps its locks no longer than that.
/// - The server notices after a minute that the machine of a client is gone.
const SESSION_OPTIONS: &str = "-c search_path=powerfill,pg_temp -c statement_timeout=120000 \
     -c lock_timeout=30000 -c idle_in_transaction_session_timeout=60000 \
     -c tcp_keepalives_idle=30 -c tcp_keepalives_interval=10 -c tcp_keepalives_count=3 \
     -c timezone=UTC -c datestyle=ISO -c client_min_messages=warning";

/// Lifts the time limits of a transaction that only reads: it may read much, and no writer waits
/// for it.
pub(crate) const LONG_READ: &str =
    "SET LOCAL statement_timeout = 0; SET LOCAL idle_in_transaction_session_timeout = 0";

/// Whether the connection is encrypted, and against which certificates the server is verified.
#[derive(Clone, PartialEq, Eq)]
pub(crate) enum TlsMode {
    /// Not encrypted.
    Off,
    /// Verified against the certificates that the system trusts.
    SystemRoots,
    /// Verified against the certificates in this file.
    RootsFile(PathBuf),
}

/// The URL of a database. Its text form has no password.
#[derive(Clone, PartialEq, Eq)]
pub struct PostgresUrl {
    pub(crate) config: Config,
    pub(crate) tls: TlsMode,
    /// The schema of a source's tables.
    pub(crate) schema: Option<String>,
}

/// Why a text is not the URL of a database. The message does not repeat the text, which may contain
/// a password.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PostgresUrlError {
    /// The text cannot be parsed.
    #[error(
        "the URL cannot be read; it is postgres://USER@HOST:PORT/DATABASE, with special \
         characters as %XX, and the password in it or in PGPASSWORD"
    )]
    Malformed,
    /// The host or the database is missing.
    #[error("the URL names no {0}; it is postgres://USER@HOST:PORT/DATABASE")]
    Missing(&'static str),
    /// Unknown, or a mode of libpq that does not verify the server.
    #[error(
        "sslmode is disable, require, or verify-full (the last two are the same: certificate and \
         name are always verified)"
    )]
    SslMode,
}

impl FromStr for PostgresUrl {
    type Err = PostgresUrlError;

    /// Parses a URL in the form of libpq, with the scheme `postgres` or `postgresql`. The option
    /// `sslmode` is `disable` (the default), `require`, or `verify-full`; `sslrootcert` names a
    /// file of certificates to trust; `schema` names the schema of a source's tables.
    fn from_str(text: &str) -> Result<Self, PostgresUrlError> {
        if !text.starts_with("postgres://") && !text.starts_with("postgresql://") {
            return Err(PostgresUrlError::Malformed);
        }
        let (address, options) = text.split_once('?').unwrap_or((text, ""));
        ensure_plain_password(address)?;
        let (mut is_encrypted, mut roots, mut rest) = (false, None, Vec::new());
        let mut schema = None;
        for option in options.split('&').filter(|option| !option.is_empty()) {
            match option.split_once('=') {
                Some(("sslmode", mode)) => {
                    is_encrypted = match mode {
                        "disable" => false,
                        "require" | "verify-full" => true,
                        _ => return Err(PostgresUrlError::SslMode),
                    }
                }
                Some(("schema", name)) => schema = Some(percent_decode(name)?),
                Some(("sslrootcert", file)) => roots = Some(PathBuf::from(percent_decode(file)?)),
                _ => rest.push(option),
            }
        }
        // A password can have an @ of its own: the last one ends it.
        let address = match address.rsplit_once('@') {
            Some((user, place)) => format!("{}@{place}", user.replace('@', "%40")),
            None => address.to_owned(),
        };
        let plain = if rest.is_empty() { address } else { format!("{address}?{}", rest.join("&")) };
        let mut config: Config = plain.parse().map_err(|_| PostgresUrlError::Malformed)?;
        if config.get_hosts().is_empty() {
            return Err(PostgresUrlError::Missing("host"));
        }
        if config.get_dbname().is_none_or(str::is_empty) {
            return Err(PostgresUrlError::Missing("database"));
        }
        let session = config.get_options().map(|own| format!("{SESSION_OPTIONS} {own}"));
        config.options(session.unwrap_or_else(|| SESSION_OPTIONS.to_owned()));
        if config.get_application_name().is_none() {
            config.application_name("powerfill");
        }
        if config.get_connect_timeout().is_none() {
            config.connect_timeout(CONNECT_TIMEOUT);
        }
        config
            .keepalives_idle(KEEPALIVE_IDLE)
            .tcp_user_timeout(ACKNOWLEDGE_TIMEOUT)
            .ssl_mode(if is_encrypted { SslMode::Require } else { SslMode::Disable });
        let tls = match (is_encrypted, roots) {
            (false, _) => TlsMode::Off,
            (true, None) => TlsMode::SystemRoots,
            (true, Some(file)) => TlsMode::RootsFile(file),
        };
        Ok(Self { config, tls, schema })
    }
}

/// Refuses an address whose password has a `/` and an `@` as they are: what is behind the `/` could
/// be the database, which is shown.
fn ensure_plain_password(address: &str) -> Result<(), PostgresUrlError> {
    let (_, rest) = address.split_once("://").unwrap_or_default();
    let (_, path) = rest.split_once('/').unwrap_or((rest, ""));
    (!path.contains('@')).then_some(()).ok_or(PostgresUrlError::Malformed)
}

fn percent_decode(text: &str) -> Result<String, PostgresUrlError> {
    let is_escape = |rest: &str| {
        rest.as_bytes().get(..2).is_some_and(|two| two.iter().all(u8::is_ascii_hexdigit))
    };
    // The library copies a malformed escape as it is.
    if !text.split('%').skip(1).all(is_escape) {
        return Err(PostgresUrlError::Malformed);
    }
    let decoded = percent_decode_str(text).decode_utf8();
    decoded.map(Cow::into_owned).map_err(|_| PostgresUrlError::Malformed)
}

impl PostgresUrl {
    /// The same URL with a password from another place (`PGPASSWORD`), if the URL has none.
    #[must_use]
    pub fn or_password(mut self, password: Option<&str>) -> Self {
        if let Some(password) = password.filter(|_| self.config.get_password().is_none()) {
            self.config.password(password);
        }
        self
    }

    /// Whether both URLs name one database by the same hosts and ports. The user does not matter.
    pub fn is_same_database(&self, other: &Self) -> bool {
        let address = |url: &Self| {
            let hosts: Vec<Host> = url.config.get_hosts().iter().map(lower_case).collect();
            let mut ports = url.config.get_ports().to_vec();
            ports.resize(hosts.len(), *ports.last().unwrap_or(&5432));
            (hosts, ports, url.config.get_dbname().map(str::to_owned))
        };
        address(self) == address(other)
    }
}

fn lower_case(host: &Host) -> Host {
    match host {
        Host::Tcp(name) => Host::Tcp(name.to_ascii_lowercase()),
        Host::Unix(folder) => Host::Unix(folder.clone()),
    }
}

impl fmt::Display for PostgresUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("postgres://")?;
        if let Some(user) = self.config.get_user() {
            f.write_str(user)?;
            if self.config.get_password().is_some() {
                f.write_str(":***")?;
            }
            f.write_str("@")?;
        }
        for (at, host) in self.config.get_hosts().iter().enumerate() {
            if at > 0 {
                f.write_str(",")?;
            }
            match host {
                Host::Tcp(name) => f.write_str(name)?,
                Host::Unix(folder) => write!(f, "{}", folder.display())?,
            }
            let ports = self.config.get_ports();
            if let Some(port) = ports.get(at).or_else(|| ports.first()) {
                write!(f, ":{port}")?;
            }
        }
        write!(f, "/{}", self.config.get_dbname().unwrap_or_default())?;
        match &self.schema {
            Some(schema) => write!(f, "?schema={schema}"),
            None => Ok(()),
        }
    }
}

impl fmt::Debug for PostgresUrl {
    /// The text form, which has no password.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn url(text: &str) -> PostgresUrl {
        text.parse().unwrap()
    }

    #[test]
    fn a_url_is_shown_without_its_password() {
        let shown = [
            (
                "postgres://ann:s3cret@db.example:5433/acme",
                "postgres://ann:***@db.example:5433/acme",
            ),
            ("postgres://ann:p@s3cret@db.example/acme", "postgres://ann:***@db.example:5432/acme"),
            ("postgresql://ann@db.example/acme", "postgres://ann@db.example:5432/acme"),
            ("postgres://ann@h/acme?schema=pf", "postgres://ann@h:5432/acme?schema=pf"),
            (
                "postgres://ann:p%40ss%2Fs3cret@h/acme?application_name=x",
                "postgres://ann:***@h:5432/acme",
            ),
            ("postgres://ann:s3cret@%2Frun%2Fpg:5444/acme", "postgres://ann:***@/run/pg:5444/acme"),
        ];
        for (text, expected) in shown {
            assert_eq!(url(text).to_string(), expected);
            assert_eq!(format!("{:?}", url(text)), expected);
        }
        let given = url("postgres://ann@h/acme").or_password(Some("s3cret"));
        assert_eq!(given.config.get_password(), Some(&b"s3cret"[..]));
        let own = url("postgres://ann:own@h/acme").or_password(Some("s3cret"));
        assert_eq!(own.config.get_password(), Some(&b"own"[..]));
    }

    /// Passwords with each special character, as it is and as an escape.
    #[test]
    fn no_part_of_a_password_is_shown() {
        let [first, second] = ["S3cretHalf1", "7351942"];
        for special in "@/?#:%&=\\[]()<>{}|^`'\"+ ;,!$*~é".chars() {
            let text = special.to_string();
            let escape: String = text.bytes().map(|byte| format!("%{byte:02X}")).collect();
            for between in [text.repeat(2), text, escape] {
                for [one, other] in [[first, second], [second, first]] {
                    let text = format!("postgres://ann:{one}{between}{other}@db.example:5433/acme");
                    let shown = match text.parse::<PostgresUrl>() {
                        Ok(url) => format!("{url} {url:?}"),
                        Err(error) => error.to_string(),
                    };
                    assert!(!shown.contains(first) && !shown.contains(second), "{text}: {shown}");
                }
            }
        }
        let escaped = url("postgres://ann:a%40b@h/acme");
        assert_eq!(escaped.config.get_password(), Some(&b"a@b"[..]));
    }

    #[test]
    fn a_malformed_url_is_refused_and_not_repeated() {
        for (text, error) in [
            ("postgres://ann:s3cret@h:port/acme", PostgresUrlError::Malformed),
            ("postgres://ann:s3cret@h/acme?no_such_option=1", PostgresUrlError::Malformed),
            ("postgres://ann:s3cret@h/acme?sslrootcert=%ZZ", PostgresUrlError::Malformed),
            ("mysql://ann:s3cret@h/acme", PostgresUrlError::Malformed),
            ("postgres://ann:s3cret@/acme", PostgresUrlError::Missing("host")),
            ("postgres://ann:s3cret@h", PostgresUrlError::Missing("database")),
            ("postgres://ann:s3cret@h/", PostgresUrlError::Missing("database")),
            ("postgres://ann:s3cret@h/acme?sslmode=prefer", PostgresUrlError::SslMode),
        ] {
            let refused = text.parse::<PostgresUrl>().unwrap_err();
            assert_eq!(refused, error, "{text}");
            assert!(!refused.to_string().contains("s3cret"));
        }
    }

    #[test]
    fn the_url_decides_on_encryption() {
        let tls = |options: &str| {
            let url = url(&format!("postgres://ann@h/acme{options}"));
            (url.config.get_ssl_mode(), url.tls)
        };
        assert!(tls("") == (SslMode::Disable, TlsMode::Off));
        assert!(tls("?sslmode=disable") == (SslMode::Disable, TlsMode::Off));
        assert!(tls("?sslmode=require") == (SslMode::Require, TlsMode::SystemRoots));
        let roots = TlsMode::RootsFile(PathBuf::from("/etc/my ca.pem"));
        assert!(
            tls("?sslmode=verify-full&sslrootcert=/etc/my%20ca.pem") == (SslMode::Require, roots)
        );
    }

    #[test]
    fn the_session_options_of_the_url_come_last() {
        let url = url("postgres://ann@h/acme?options=-c%20statement_timeout%3D5");
        let options = url.config.get_options().unwrap();
        assert!(
            options.starts_with(SESSION_OPTIONS) && options.ends_with("-c statement_timeout=5")
        );
    }
}
