//! Errors of NATS that another attempt does not resolve.

use std::io;

use async_nats::ConnectError;
use powerfill_ports::broker::BrokerError;

use crate::STREAM;

/// Why NATS cannot be used. The messages have no secrets.
#[derive(Debug, thiserror::Error)]
pub enum NatsError {
    /// The URL cannot be read.
    #[error("the URL of NATS is nats://HOST:PORT or tls://HOST:PORT")]
    Url,
    /// The file of credentials cannot be read.
    #[error("the credentials of NATS, {file}: {source}")]
    Credentials {
        /// The path of the file.
        file: String,
        /// Why it cannot be read.
        source: io::Error,
    },
    /// The server refuses the user, or its certificate is not trusted.
    #[error(
        "{address} refuses the connection: {source}; check the user, the credentials, and the \
         certificate"
    )]
    Refused {
        /// The address of the server.
        address: String,
        /// The reason.
        source: ConnectError,
    },
    /// The stream has settings or messages that a relay cannot use.
    #[error("stream {STREAM} at {address} {problem}")]
    Stream {
        /// The address of the server.
        address: String,
        /// What is wrong, and what to do.
        problem: String,
    },
    /// An event is larger than the server accepts.
    #[error(
        "event {position} has {bytes} bytes, more than {address} accepts; raise max_payload there"
    )]
    TooLarge {
        /// The address of the server.
        address: String,
        /// The global position of the event.
        position: u64,
        /// The size of its message.
        bytes: usize,
    },
}

impl From<NatsError> for BrokerError {
    fn from(error: NatsError) -> Self {
        Self::Failed(Box::new(error))
    }
}
