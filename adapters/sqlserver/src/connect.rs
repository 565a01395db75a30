//! Connections, and the classification of the driver's errors.

use powerfill_ports::publishing::PublishError;
use tiberius::error::{Error, IoErrorKind, TokenError};
use tiberius::{Client, Row, SqlBrowser};
use tokio::net::TcpStream;
use tokio_util::compat::{Compat, TokioAsyncWriteCompatExt};

use crate::url::MssqlUrl;

/// A connection for one caller at a time.
pub type Connection = Client<Compat<TcpStream>>;

/// Connects. If a gateway redirects to another server, as Azure SQL does, follows it once.
///
/// # Errors
/// The driver's error, or a time-out.
pub async fn connect(url: &MssqlUrl) -> Result<Connection, Error> {
    let connecting = async {
        match connect_to(url, url.address()).await {
            Err(Error::Routing { host, port }) => connect_to(url, (&host, port)).await,
            connected => connected,
        }
    };
    let limit = url.connect_timeout();
    let timed_out = || Error::Io {
        kind: IoErrorKind::TimedOut,
        message: format!("no answer within {} s", limit.as_secs()),
    };
    tokio::time::timeout(limit, connecting).await.unwrap_or_else(|_| Err(timed_out()))
}

async fn connect_to(url: &MssqlUrl, address: (&str, u16)) -> Result<Connection, Error> {
    let config = url.config(address);
    let stream = match url.needs_port_lookup() {
        true => TcpStream::connect_named(&config).await?,
        false => TcpStream::connect(address).await?,
    };
    stream.set_nodelay(true)?;
    Client::connect(config, stream.compat_write()).await
}

/// Executes a batch of T-SQL and returns the rows of its last result.
///
/// # Errors
/// The driver's error.
pub async fn batch(client: &mut Connection, sql: &str) -> Result<Vec<Row>, Error> {
    let results = client.simple_query(sql).await?.into_results().await?;
    Ok(results.into_iter().last().unwrap_or_default())
}

/// A name in brackets, escaped.
pub(crate) fn quoted(name: &str) -> String {
    format!("[{}]", name.replace(']', "]]"))
}

/// Whether another attempt may succeed: the connection was lost, the server is busy, or this was
/// the victim of a deadlock.
pub(crate) fn is_transient(error: &Error) -> bool {
    match error {
        // The driver reports an untrusted certificate as one of these I/O errors.
        Error::Io { kind, .. } => {
            *kind != IoErrorKind::InvalidData && *kind != IoErrorKind::InvalidInput
        }
        Error::Server(token) => TRANSIENT_NUMBERS.contains(&error_number(token)),
        _ => false,
    }
}

/// The error number of SQL Server. Babelfish has one number for most errors; their text tells the
/// number that SQL Server has.
pub(crate) fn error_number(token: &TokenError) -> u32 {
    const BABELFISH: u32 = 33_557_097;
    const NUMBERS_BY_TEXT: [(&str, u32); 5] = [
        ("deadlock detected", 1_205),
        ("lock timeout", 1_222),
        ("could not serialize access", 3_960),
        ("permission denied", 229),
        ("does not exist", 208),
    ];
    let matches = |(text, _): &&(&str, u32)| token.message().contains(text);
    match token.code() {
        BABELFISH => NUMBERS_BY_TEXT.iter().find(matches).map_or(BABELFISH, |(_, number)| *number),
        code => code,
    }
}

/// Deadlock victim, lock time-out, update conflict of a snapshot transaction, and Azure SQL's
/// errors for a database that moves or is overloaded.
const TRANSIENT_NUMBERS: [u32; 13] = [
    1_205, 1_222, 3_960, 3_961, 10_928, 10_929, 40_143, 40_197, 40_501, 40_540, 40_613, 49_918,
    49_920,
];

/// What the user can do about an error.
pub(crate) fn advice(url: &MssqlUrl, error: &Error) -> &'static str {
    const CERTIFICATE: &str = "check encrypt, trust, and ca in the URL";
    match error {
        Error::Server(_) if !url.has_secret() => {
            "there is no password in the URL, in MSSQL_PASSWORD, or in a password file"
        }
        Error::Tls(_) => CERTIFICATE,
        Error::Io { kind: IoErrorKind::InvalidData | IoErrorKind::InvalidInput, .. } => CERTIFICATE,
        Error::Io { kind: IoErrorKind::TimedOut, .. } => {
            "check that the server is up, reachable, and not blocked; timeout=SECONDS in the URL \
             waits longer"
        }
        Error::Io { .. } => "check host and port, and that the server is up",
        Error::Server(token) => match error_number(token) {
            18_456 | 18_452 => "check the user and the password",
            4_060 | 911 => "check the database's name and the user's right to it",
            229 | 230 | 262 | 916 => "docs/guides/sqlserver.md says what to grant",
            1_222 => "another session holds locks on the tables; try again when it has finished",
            208 => "create the tables with `powerfill migrate --target`",
            _ => "see the server's message",
        },
        _ => "see the server's message",
    }
}

/// The driver's message, without its own introduction.
pub(crate) fn error_text(error: &Error) -> String {
    match error {
        Error::Server(token) => format!("{} (error {})", token.message(), token.code()),
        Error::Io { message, .. } => message.clone(),
        other => other.to_string(),
    }
}

/// The error of a publication that failed during `activity`.
pub(crate) fn publish_error(url: &MssqlUrl, activity: &str, error: &Error) -> PublishError {
    let message = format!("{url}: {activity}: {}; {}", error_text(error), advice(url, error));
    match is_transient(error) {
        true => PublishError::Transient(message),
        false => PublishError::Failed(message),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quoted_names_cannot_end_the_brackets() {
        assert_eq!(quoted("a]; DROP TABLE loan --"), "[a]]; DROP TABLE loan --]");
    }

    #[test]
    fn lost_connections_are_transient_and_certificates_are_not() {
        let io = |kind| Error::Io { kind, message: String::new() };
        for kind in
            [IoErrorKind::ConnectionReset, IoErrorKind::UnexpectedEof, IoErrorKind::TimedOut]
        {
            assert!(is_transient(&io(kind)), "{kind:?}");
        }
        assert!(!is_transient(&io(IoErrorKind::InvalidData)));
        assert!(!is_transient(&Error::Tls("unknown issuer".to_owned())));
        assert!(!is_transient(&Error::Protocol("odd".into())));
    }
}
