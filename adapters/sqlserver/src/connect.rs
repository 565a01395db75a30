//! Connections, and what to make of what the driver says.

use powerfill_ports::publishing::PublishError;
use tiberius::error::{Error, IoErrorKind, TokenError};
use tiberius::{Client, Row, SqlBrowser};
use tokio::net::TcpStream;
use tokio_util::compat::{Compat, TokioAsyncWriteCompatExt};

use crate::url::MssqlUrl;

/// A connection, which one caller uses at a time.
pub type Connection = Client<Compat<TcpStream>>;

/// Connects. A gateway that names another server, as Azure SQL has them, is followed once.
///
/// # Errors
/// As the driver has them.
pub async fn connect(url: &MssqlUrl) -> Result<Connection, Error> {
    let connecting = async {
        let (host, port) = match reach(url, url.address()).await {
            Err(Error::Routing { host, port }) => (host, port),
            reached => return reached,
        };
        reach(url, (&host, port)).await
    };
    let limit = url.connect_timeout();
    let late = || Error::Io {
        kind: IoErrorKind::TimedOut,
        message: format!("no answer within {} s", limit.as_secs()),
    };
    tokio::time::timeout(limit, connecting).await.unwrap_or_else(|_| Err(late()))
}

async fn reach(url: &MssqlUrl, address: (&str, u16)) -> Result<Connection, Error> {
    let config = url.config(address);
    let stream = match url.asks_for_port() {
        true => TcpStream::connect_named(&config).await?,
        false => TcpStream::connect(address).await?,
    };
    stream.set_nodelay(true)?;
    Client::connect(config, stream.compat_write()).await
}

/// Carries out a batch of T-SQL, and answers the rows of its last result.
///
/// # Errors
/// As the driver has them.
pub async fn batch(client: &mut Connection, sql: &str) -> Result<Vec<Row>, Error> {
    let results = client.simple_query(sql).await?.into_results().await?;
    Ok(results.into_iter().last().unwrap_or_default())
}

/// A name in brackets, which nothing in it can leave.
pub(crate) fn quoted(name: &str) -> String {
    format!("[{}]", name.replace(']', "]]"))
}

/// Whether another try may go well: the connection is gone, the server is busy, or this was the victim of a deadlock.
pub(crate) fn is_passing(error: &Error) -> bool {
    match error {
        // A certificate that is not believed comes as a fault of the connection, too.
        Error::Io { kind, .. } => {
            *kind != IoErrorKind::InvalidData && *kind != IoErrorKind::InvalidInput
        }
        Error::Server(token) => PASSING.contains(&number(token)),
        _ => false,
    }
}

/// The number of an error. Babelfish has one for most of its own; by what they say, they have those of SQL Server.
pub(crate) fn number(token: &TokenError) -> u32 {
    const BABELFISH: u32 = 33_557_097;
    const SAYS: [(&str, u32); 5] = [
        ("deadlock detected", 1_205),
        ("lock timeout", 1_222),
        ("could not serialize access", 3_960),
        ("permission denied", 229),
        ("does not exist", 208),
    ];
    let says = |(words, _): &&(&str, u32)| token.message().contains(words);
    match token.code() {
        BABELFISH => SAYS.iter().find(says).map_or(BABELFISH, |(_, number)| *number),
        code => code,
    }
}

/// Deadlock victim, lock time-out, a snapshot that a change overtook; and what Azure SQL says when it moves a database or
/// has too much to do.
const PASSING: [u32; 13] = [
    1_205, 1_222, 3_960, 3_961, 10_928, 10_929, 40_143, 40_197, 40_501, 40_540, 40_613, 49_918,
    49_920,
];

/// What to do about it.
pub(crate) fn advice(url: &MssqlUrl, error: &Error) -> &'static str {
    match error {
        Error::Server(_) if !url.has_secret() => {
            "there is no password, neither in the URL nor in MSSQL_PASSWORD or a password file"
        }
        Error::Tls(_) => "look at encrypt, trust and ca in the URL",
        Error::Io { kind: IoErrorKind::InvalidData | IoErrorKind::InvalidInput, .. } => {
            "look at encrypt, trust and ca in the URL"
        }
        Error::Io { kind: IoErrorKind::TimedOut, .. } => {
            "look whether the server is up, reachable, and not held up; timeout=SECONDS in the URL waits longer"
        }
        Error::Io { .. } => "look at host and port, and whether the server is up",
        Error::Server(token) => match number(token) {
            18_456 | 18_452 => "look at the user and the password",
            4_060 | 911 => "look at the database's name and the user's right to it",
            229 | 230 | 262 | 916 => "see what to grant in docs/guides/sqlserver.md",
            1_222 => "somebody holds locks on the tables; try again when they are done",
            208 => "make the tables with `powerfill migrate --target`",
            _ => "look at what the server says",
        },
        _ => "look at what the server says",
    }
}

/// What the driver says, without its own preface.
pub(crate) fn said(error: &Error) -> String {
    match error {
        Error::Server(token) => format!("{} (error {})", token.message(), token.code()),
        Error::Io { message, .. } => message.clone(),
        other => other.to_string(),
    }
}

/// As a fault of publishing, where `doing` says what was under way.
pub(crate) fn publish_error(url: &MssqlUrl, doing: &str, error: &Error) -> PublishError {
    let message = format!("{url}: {doing}: {}; {}", said(error), advice(url, error));
    match is_passing(error) {
        true => PublishError::Transient(message),
        false => PublishError::Failed(message),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_stay_names() {
        assert_eq!(quoted("a]; DROP TABLE loan --"), "[a]]; DROP TABLE loan --]");
    }

    #[test]
    fn what_passes_is_tried_again_and_a_certificate_is_not() {
        let io = |kind| Error::Io { kind, message: String::new() };
        for kind in
            [IoErrorKind::ConnectionReset, IoErrorKind::UnexpectedEof, IoErrorKind::TimedOut]
        {
            assert!(is_passing(&io(kind)), "{kind:?}");
        }
        assert!(!is_passing(&io(IoErrorKind::InvalidData)));
        assert!(!is_passing(&Error::Tls("unknown issuer".to_owned())));
        assert!(!is_passing(&Error::Protocol("odd".into())));
    }
}
