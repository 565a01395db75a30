//! A connection to NATS, and the stream that events go to.

use std::path::PathBuf;
use std::time::Duration;

use async_nats::jetstream::message::PublishMessage;
use async_nats::jetstream::stream::{Config, LastRawMessageErrorKind, Stream};
use async_nats::jetstream::{Context, context::PublishErrorKind};
use async_nats::{ConnectErrorKind, ConnectOptions, ServerAddr};
use bytes::Bytes;
use powerfill_ports::events::StoredEvent;
use tokio::sync::Mutex;

use crate::subject;

/// The name of the stream.
pub const STREAM: &str = "POWERFILL";

/// How long the broker may take to answer.
const PATIENCE: Duration = Duration::from_secs(5);

/// Where NATS is, and what opens it.
#[derive(Clone, Default)]
pub struct Access {
    /// `nats://HOST:PORT`, or `tls://HOST:PORT`, which is verified. May hold a user with a
    /// password, or a token.
    pub url: String,
    /// A file with a user's credentials, as `nsc` writes them.
    pub credentials_file: Option<PathBuf>,
    /// A file with the certificate of the authority that signed the server's, where the system does
    /// not know it.
    pub authority_file: Option<PathBuf>,
}

impl std::fmt::Debug for Access {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Access").finish_non_exhaustive()
    }
}

/// Why the broker cannot be had, or does not take what it is given.
#[derive(Debug, thiserror::Error)]
pub enum BrokerError {
    /// The URL is none.
    #[error("the URL of NATS is nats://HOST:PORT or tls://HOST:PORT")]
    Url,
    /// The credentials cannot be read.
    #[error("the credentials of NATS, {file}: {fault}")]
    Credentials {
        /// The file.
        file: String,
        /// What is wrong with it.
        fault: std::io::Error,
    },
    /// The broker refuses the user, or cannot prove who it is.
    #[error(
        "{place} does not let in: {fault}; look at the user, the credentials and the certificate"
    )]
    Refused {
        /// Where it is, without a password.
        place: String,
        /// What it says.
        fault: String,
    },
    /// The stream is not one that events can go to.
    #[error("stream {STREAM} at {place} {fault}")]
    Stream {
        /// Where it is, without a password.
        place: String,
        /// What is wrong, and what to do.
        fault: String,
    },
    /// An event is larger than the broker takes.
    #[error("event {position} has {bytes} bytes, more than {place} takes; raise max_payload there")]
    TooLarge {
        /// Where it is, without a password.
        place: String,
        /// The event's global position.
        position: u64,
        /// What its message has.
        bytes: usize,
    },
    /// It is away, or somebody else writes to the stream: to be tried again.
    #[error("{place}: {fault}")]
    Passing {
        /// Where it is, without a password.
        place: String,
        /// What happened.
        fault: String,
    },
}

/// A connection to NATS. What several relays send through one goes to the stream one batch after
/// the other.
pub struct Broker {
    place: String,
    context: Context,
    /// The stream's last sequence number, where it is known; held while a batch is on its way.
    last: Mutex<Option<u64>>,
}

/// The last event that a stream has of a tenant.
pub(crate) struct Last {
    /// The event's own hash, hexadecimal.
    pub(crate) hash: Option<String>,
    pub(crate) position: u64,
}

/// What became of a batch.
pub(crate) enum Sent {
    /// All of it is in the stream.
    All,
    /// The stream had this one, by its position, already.
    Known(u64),
}

impl Broker {
    /// Connects, and makes the stream where there is none.
    ///
    /// # Errors
    /// [`BrokerError`]; of these, only [`BrokerError::Passing`] is worth another try.
    pub async fn connect(access: &Access) -> Result<Self, BrokerError> {
        let address: ServerAddr = access.url.parse().map_err(|_| BrokerError::Url)?;
        let place = format!("{}://{}:{}", address.scheme(), address.host(), address.port());
        let mut options = ConnectOptions::new()
            .name("powerfill relay")
            .require_tls(address.scheme() == "tls")
            .connection_timeout(PATIENCE)
            .request_timeout(Some(PATIENCE));
        if let Some(user) = address.username() {
            options = match address.password() {
                Some(password) => options.user_and_password(user.to_owned(), password.to_owned()),
                // NATS takes a lone user for a token.
                None => options.token(user.to_owned()),
            };
        }
        if let Some(file) = &access.credentials_file {
            options = options.credentials_file(file).await.map_err(|fault| {
                BrokerError::Credentials { file: file.display().to_string(), fault }
            })?;
        }
        if let Some(file) = &access.authority_file {
            options = options.add_root_certificates(file.clone());
        }
        let client = options.connect(address).await.map_err(|error| {
            let (place, fault) = (place.clone(), error.to_string());
            match error.kind() {
                ConnectErrorKind::Authentication
                | ConnectErrorKind::AuthorizationViolation
                | ConnectErrorKind::Tls => BrokerError::Refused { place, fault },
                ConnectErrorKind::ServerParse => BrokerError::Url,
                ConnectErrorKind::Dns
                | ConnectErrorKind::TimedOut
                | ConnectErrorKind::Io
                | ConnectErrorKind::MaxReconnects => BrokerError::Passing { place, fault },
            }
        })?;
        let mut context = async_nats::jetstream::new(client);
        context.set_timeout(PATIENCE);
        let broker = Self { place, context, last: Mutex::new(None) };
        broker.ensure_stream().await?;
        Ok(broker)
    }

    /// Where it is, without a password.
    pub fn place(&self) -> &str {
        &self.place
    }

    fn passing(&self, fault: impl std::fmt::Display) -> BrokerError {
        BrokerError::Passing { place: self.place.clone(), fault: fault.to_string() }
    }

    /// The stream is there and takes every subject of PowerFill. One that is there is never
    /// changed.
    async fn ensure_stream(&self) -> Result<(), BrokerError> {
        let wanted = Config {
            name: STREAM.to_owned(),
            subjects: vec![subject::ALL.to_owned()],
            description: Some("Events of PowerFill, each tenant's in order".to_owned()),
            ..Config::default()
        };
        let made = self.context.get_or_create_stream(wanted).await;
        let mut stream = made.map_err(|error| self.passing(error))?;
        let config = &stream.info().await.map_err(|error| self.passing(error))?.config;
        let fault = if !config.subjects.iter().any(|subject| subject == subject::ALL) {
            format!("has the subjects {}; give it {}", config.subjects.join(", "), subject::ALL)
        } else if config.no_ack {
            "acknowledges nothing; have it acknowledge".to_owned()
        } else if config.sealed {
            "is sealed; use another account or domain".to_owned()
        } else {
            return Ok(());
        };
        Err(BrokerError::Stream { place: self.place.clone(), fault })
    }

    async fn stream(&self) -> Result<Stream, BrokerError> {
        self.context.get_stream(STREAM).await.map_err(|error| self.passing(error))
    }

    /// The last event of a tenant that is in the stream.
    pub(crate) async fn last_of(&self, tenant: &str) -> Result<Option<Last>, BrokerError> {
        let stream = self.stream().await?;
        let found = stream.get_last_raw_message_by_subject(&subject::tenant_subjects(tenant)).await;
        let message = match found {
            Ok(message) => message,
            Err(error) if error.kind() == LastRawMessageErrorKind::NoMessageFound => {
                return Ok(None);
            }
            Err(error) => return Err(self.passing(error)),
        };
        let foreign = || BrokerError::Stream {
            place: self.place.clone(),
            fault: format!(
                "has message {} under {}, which PowerFill did not write; take it out",
                message.sequence, message.subject
            ),
        };
        let event: serde_json::Value =
            serde_json::from_slice(&message.payload).map_err(|_| foreign())?;
        let position = event["globalposition"].as_str().and_then(|at| at.parse().ok());
        let hash = event["hash"].as_str().map(str::to_owned);
        Ok(Some(Last { hash, position: position.ok_or_else(foreign)? }))
    }

    /// Sends events, which stand one after the other, to the end of the stream: together, and waits
    /// until all are there.
    ///
    /// Where it fails, a beginning of them may be in the stream, and nothing else.
    pub(crate) async fn send(
        &self,
        messages: Vec<(&StoredEvent, String, String, Bytes)>,
    ) -> Result<Sent, BrokerError> {
        let mut last = self.last.lock().await;
        let base = match last.take() {
            Some(last) => last,
            None => {
                let info = self.stream().await?.get_info().await;
                info.map_err(|error| self.passing(error))?.state.last_sequence
            }
        };
        let (mut acks, mut sequence) = (Vec::with_capacity(messages.len()), base);
        let mut before: Option<String> = None;
        for (event, subject, id, payload) in messages {
            let bytes = payload.len();
            let message = PublishMessage::build()
                .message_id(&id)
                .expected_stream(STREAM)
                .header("Content-Type", "application/cloudevents+json")
                .payload(payload);
            // The first only at the end that is known, each other one right behind the one before
            // it: a number would not do, for what somebody else sends counts as well.
            let message = match &before {
                None => message.expected_last_sequence(base),
                Some(before) => message.expected_last_message_id(before),
            };
            before = Some(id);
            sequence += 1;
            let sent = self.context.send_publish(subject, message).await;
            acks.push((event.global_position, bytes, sequence, sent));
        }
        for (position, bytes, wanted, sent) in acks {
            let ack = match sent {
                Ok(ack) => ack.await,
                Err(error) => Err(error),
            };
            let ack = ack.map_err(|error| match error.kind() {
                PublishErrorKind::MaxPayloadExceeded => {
                    BrokerError::TooLarge { place: self.place.clone(), position, bytes }
                }
                _ => self.passing(error),
            })?;
            if ack.duplicate {
                return Ok(Sent::Known(position));
            }
            if ack.sequence != wanted {
                let fault = format!("an event came in as {}, not as {wanted}", ack.sequence);
                return Err(self.passing(fault));
            }
        }
        *last = Some(sequence);
        Ok(Sent::All)
    }
}
