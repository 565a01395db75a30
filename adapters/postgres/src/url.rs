//! Where a database is: `postgres://user:password@host:port/database?option=value`. The password is never shown.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use tokio_postgres::Config;
use tokio_postgres::config::{Host, SslMode};

/// A server that does not answer is given up after this long; the runner asks again.
const CONNECT: Duration = Duration::from_secs(10);
/// A connection that says nothing is asked whether it lives.
const KEEP_ALIVE: Duration = Duration::from_secs(20);
/// What was sent and not acknowledged for this long is lost with its connection.
const UNACKNOWLEDGED: Duration = Duration::from_secs(30);

/// What every session is given; what the URL says itself (`options=…`) comes after it and takes its place.
///
/// A statement is given up after two minutes, and after half a minute where it only waits for a lock (a report that
/// holds an output table keeps a run from publishing; the runner tries again). A transaction that its client has left
/// alone ends after a minute: whoever stalls in the middle of an append holds its locks no longer than that. A client
/// whose machine has gone is known to the server after a minute too.
const SESSION: &str = "-c search_path=powerfill,pg_temp -c statement_timeout=120000 -c lock_timeout=30000 \
     -c idle_in_transaction_session_timeout=60000 -c tcp_keepalives_idle=30 -c tcp_keepalives_interval=10 \
     -c tcp_keepalives_count=3 -c timezone=UTC -c datestyle=ISO -c client_min_messages=warning";

/// For a transaction that only reads, however much, and holds nobody up.
pub(crate) const READS_LONG: &str =
    "SET LOCAL statement_timeout = 0; SET LOCAL idle_in_transaction_session_timeout = 0";

/// Whether the connection is encrypted; where it is, the server's certificate and name are always verified.
#[derive(Clone, PartialEq, Eq)]
pub(crate) enum Tls {
    /// Not.
    Off,
    /// Against the certificates that the machine trusts.
    Native,
    /// Against those in this file.
    Roots(PathBuf),
}

/// The URL of a database, taken apart. Shown, it has no password.
#[derive(Clone, PartialEq, Eq)]
pub struct PostgresUrl {
    pub(crate) config: Config,
    pub(crate) tls: Tls,
    /// Of a source: where its tables are.
    pub(crate) schema: Option<String>,
}

/// Why a text is no such URL. It says nothing of what the text was, which may hold a password.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum UrlFault {
    /// It cannot be taken apart.
    #[error(
        "the URL cannot be read; it is postgres://USER@HOST:PORT/DATABASE, with special characters as %XX, and the password \
         in it or in PGPASSWORD"
    )]
    Unreadable,
    /// It names no host or no database.
    #[error("the URL names no {0}; it is postgres://USER@HOST:PORT/DATABASE")]
    Missing(&'static str),
    /// A mode that would look safe and not be.
    #[error(
        "sslmode is disable, require or verify-full (the last two are the same: certificate and name are always verified)"
    )]
    SslMode,
}

impl FromStr for PostgresUrl {
    type Err = UrlFault;

    /// Reads a URL with scheme `postgres` or `postgresql`, in libpq's form. Of its options, `sslmode` is `disable` (the
    /// default), `require` or `verify-full`, `sslrootcert` names a file of certificates to trust, and `schema` where the
    /// tables of a source are.
    fn from_str(text: &str) -> Result<Self, UrlFault> {
        if !text.starts_with("postgres://") && !text.starts_with("postgresql://") {
            return Err(UrlFault::Unreadable);
        }
        let (place, options) = text.split_once('?').unwrap_or((text, ""));
        let (mut encrypted, mut roots, mut rest) = (false, None, Vec::new());
        let mut schema = None;
        for option in options.split('&').filter(|option| !option.is_empty()) {
            match option.split_once('=') {
                Some(("sslmode", mode)) => {
                    encrypted = match mode {
                        "disable" => false,
                        "require" | "verify-full" => true,
                        _ => return Err(UrlFault::SslMode),
                    }
                }
                Some(("schema", name)) => schema = Some(decoded(name)?),
                Some(("sslrootcert", file)) => roots = Some(PathBuf::from(decoded(file)?)),
                _ => rest.push(option),
            }
        }
        let plain =
            if rest.is_empty() { place.to_owned() } else { format!("{place}?{}", rest.join("&")) };
        let mut config: Config = plain.parse().map_err(|_| UrlFault::Unreadable)?;
        if config.get_hosts().is_empty() {
            return Err(UrlFault::Missing("host"));
        }
        if config.get_dbname().is_none_or(str::is_empty) {
            return Err(UrlFault::Missing("database"));
        }
        let session = config.get_options().map(|own| format!("{SESSION} {own}"));
        config.options(session.unwrap_or_else(|| SESSION.to_owned()));
        if config.get_application_name().is_none() {
            config.application_name("powerfill");
        }
        if config.get_connect_timeout().is_none() {
            config.connect_timeout(CONNECT);
        }
        config
            .keepalives_idle(KEEP_ALIVE)
            .tcp_user_timeout(UNACKNOWLEDGED)
            .ssl_mode(if encrypted { SslMode::Require } else { SslMode::Disable });
        let tls = match (encrypted, roots) {
            (false, _) => Tls::Off,
            (true, None) => Tls::Native,
            (true, Some(file)) => Tls::Roots(file),
        };
        Ok(Self { config, tls, schema })
    }
}

/// Undoes `%XX`.
fn decoded(text: &str) -> Result<String, UrlFault> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, others)) = rest.split_first() {
        rest = others;
        if *first != b'%' {
            bytes.push(*first);
            continue;
        }
        let digits = others.get(..2).and_then(|two| std::str::from_utf8(two).ok());
        let byte = digits.and_then(|two| u8::from_str_radix(two, 16).ok());
        bytes.push(byte.ok_or(UrlFault::Unreadable)?);
        rest = &others[2..];
    }
    String::from_utf8(bytes).map_err(|_| UrlFault::Unreadable)
}

impl PostgresUrl {
    /// The same place with a password from elsewhere (`PGPASSWORD`), where the URL has none.
    #[must_use]
    pub fn or_password(mut self, password: Option<&str>) -> Self {
        if let Some(password) = password.filter(|_| self.config.get_password().is_none()) {
            self.config.password(password);
        }
        self
    }
}

impl PostgresUrl {
    /// Whether both name one database, as far as names tell: the same hosts and ports, by whatever user.
    pub fn is_same_database(&self, other: &Self) -> bool {
        let place = |url: &Self| {
            let hosts: Vec<Host> = url.config.get_hosts().iter().map(lower_case).collect();
            let mut ports = url.config.get_ports().to_vec();
            ports.resize(hosts.len(), *ports.last().unwrap_or(&5432));
            (hosts, ports, url.config.get_dbname().map(str::to_owned))
        };
        place(self) == place(other)
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
        write!(f, "/{}", self.config.get_dbname().unwrap_or_default())
    }
}

impl fmt::Debug for PostgresUrl {
    /// As it is shown: without the password.
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
            ("postgresql://ann@db.example/acme", "postgres://ann@db.example:5432/acme"),
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

    #[test]
    fn what_is_no_url_is_refused_without_being_repeated() {
        for (text, fault) in [
            ("postgres://ann:s3cret@h:port/acme", UrlFault::Unreadable),
            ("postgres://ann:s3cret@h/acme?no_such_option=1", UrlFault::Unreadable),
            ("postgres://ann:s3cret@h/acme?sslrootcert=%ZZ", UrlFault::Unreadable),
            ("mysql://ann:s3cret@h/acme", UrlFault::Unreadable),
            ("postgres://ann:s3cret@/acme", UrlFault::Missing("host")),
            ("postgres://ann:s3cret@h", UrlFault::Missing("database")),
            ("postgres://ann:s3cret@h/", UrlFault::Missing("database")),
            ("postgres://ann:s3cret@h/acme?sslmode=prefer", UrlFault::SslMode),
        ] {
            let refused = text.parse::<PostgresUrl>().unwrap_err();
            assert_eq!(refused, fault, "{text}");
            assert!(!refused.to_string().contains("s3cret"));
        }
    }

    #[test]
    fn encryption_is_as_the_url_says() {
        let tls = |options: &str| {
            let url = url(&format!("postgres://ann@h/acme{options}"));
            (url.config.get_ssl_mode(), url.tls)
        };
        assert!(tls("") == (SslMode::Disable, Tls::Off));
        assert!(tls("?sslmode=disable") == (SslMode::Disable, Tls::Off));
        assert!(tls("?sslmode=require") == (SslMode::Require, Tls::Native));
        let roots = Tls::Roots(PathBuf::from("/etc/my ca.pem"));
        assert!(
            tls("?sslmode=verify-full&sslrootcert=/etc/my%20ca.pem") == (SslMode::Require, roots)
        );
    }

    #[test]
    fn what_the_url_says_of_the_session_comes_last() {
        let url = url("postgres://ann@h/acme?options=-c%20statement_timeout%3D5");
        let options = url.config.get_options().unwrap();
        assert!(options.starts_with(SESSION) && options.ends_with("-c statement_timeout=5"));
    }
}
