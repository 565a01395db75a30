//! A connection to NATS, and the stream with the events.

use std::error::Error;
use std::path::PathBuf;
use std::time::Duration;

use async_nats::jetstream::ErrorCode;
use async_nats::jetstream::context::{
    Context, CreateStreamError, CreateStreamErrorKind, PublishErrorKind,
};
use async_nats::jetstream::message::PublishMessage;
use async_nats::jetstream::stream::{Config, LastRawMessageErrorKind, Stream as JetStream};
use async_nats::{ConnectErrorKind, ConnectOptions, ServerAddr};
use async_trait::async_trait;
use powerfill_events::cloud_event::{CloudEvent, CloudEventError};
use powerfill_events::log::StoredEvent;
use powerfill_events::stream::Stream;
use powerfill_events::values::TenantId;
use powerfill_ports::broker::{BrokerError, EventBroker, LastEvent, SendOutcome};
use tokio::sync::Mutex;

use crate::error::NatsError;
use crate::subject::{self, event_subject, tenant_subjects};

/// The name of the stream.
pub const STREAM: &str = "POWERFILL";

/// The name under which a relay to NATS keeps its position in a store.
pub const SUBSCRIBER: &str = "nats";

/// The longest wait for an answer of the server.
const TIMEOUT: Duration = Duration::from_secs(5);

/// The URL of a NATS server, and the files that a connection needs.
#[derive(Clone, Default)]
pub struct NatsAccess {
    /// `nats://HOST:PORT`, or `tls://HOST:PORT` with a verified certificate. May contain a user
    /// with a password, or a token.
    pub url: String,
    /// A file with a user's credentials, as `nsc` writes them.
    pub credentials_file: Option<PathBuf>,
    /// A file with the certificate of the authority that signed the server's certificate, if the
    /// system does not trust it.
    pub authority_file: Option<PathBuf>,
}

impl std::fmt::Debug for NatsAccess {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("NatsAccess").finish_non_exhaustive()
    }
}

/// A connection to NATS. Relays that share it send their batches one after the other.
pub struct NatsBroker {
    address: String,
    context: Context,
    /// The last sequence number of the stream, if it is known. Locked while a batch is sent.
    last_sequence: Mutex<Option<u64>>,
}

impl NatsBroker {
    /// Connects, and creates the stream if it does not exist.
    ///
    /// # Errors
    /// [`BrokerError::Transient`] if another attempt may succeed; else [`BrokerError::Failed`] with
    /// a [`NatsError`].
    pub async fn connect(access: &NatsAccess) -> Result<Self, BrokerError> {
        let server: ServerAddr = access.url.parse().map_err(|_| NatsError::Url)?;
        let address = format!("{}://{}:{}", server.scheme(), server.host(), server.port());
        let mut options = ConnectOptions::new()
            .name("powerfill relay")
            .require_tls(server.scheme() == "tls")
            .connection_timeout(TIMEOUT)
            .request_timeout(Some(TIMEOUT));
        if let Some(user) = server.username() {
            options = match server.password() {
                Some(password) => options.user_and_password(user.to_owned(), password.to_owned()),
                // A user without a password is a token.
                None => options.token(user.to_owned()),
            };
        }
        if let Some(file) = &access.credentials_file {
            options = options.credentials_file(file).await.map_err(|source| {
                NatsError::Credentials { file: file.display().to_string(), source }
            })?;
        }
        if let Some(file) = &access.authority_file {
            options = options.add_root_certificates(file.clone());
        }
        let client = options.connect(server).await.map_err(|source| {
            let address = address.clone();
            match source.kind() {
                ConnectErrorKind::Authentication
                | ConnectErrorKind::AuthorizationViolation
                | ConnectErrorKind::Tls => NatsError::Refused { address, source }.into(),
                ConnectErrorKind::ServerParse => NatsError::Url.into(),
                ConnectErrorKind::Dns
                | ConnectErrorKind::TimedOut
                | ConnectErrorKind::Io
                | ConnectErrorKind::MaxReconnects => transient(&address, source),
            }
        })?;
        let mut context = async_nats::jetstream::new(client);
        context.set_timeout(TIMEOUT);
        let broker = Self { address, context, last_sequence: Mutex::new(None) };
        broker.ensure_stream().await?;
        Ok(broker)
    }

    fn transient(&self, source: impl Into<Box<dyn Error + Send + Sync>>) -> BrokerError {
        transient(&self.address, source)
    }

    fn stream_error(&self, problem: String) -> NatsError {
        NatsError::Stream { address: self.address.clone(), problem }
    }

    /// Creates the stream if it does not exist, and checks that it accepts every subject of
    /// PowerFill. An existing stream is never changed.
    async fn ensure_stream(&self) -> Result<(), BrokerError> {
        let wanted = Config {
            name: STREAM.to_owned(),
            subjects: vec![subject::ALL.to_owned()],
            description: Some("Events of PowerFill, each tenant's in order".to_owned()),
            ..Config::default()
        };
        let stream = self.context.get_or_create_stream(wanted).await;
        let mut stream = stream.map_err(|error| self.creation_error(error))?;
        let config = &stream.info().await.map_err(|error| self.transient(error))?.config;
        let problem = if !config.subjects.iter().any(|subject| subject == subject::ALL) {
            format!("has the subjects {}; give it {}", config.subjects.join(", "), subject::ALL)
        } else if config.no_ack {
            "acknowledges nothing; have it acknowledge".to_owned()
        } else if config.sealed {
            "is sealed; use another account or domain".to_owned()
        } else {
            return Ok(());
        };
        Err(self.stream_error(problem).into())
    }

    /// Says what to do about a stream that cannot be created.
    fn creation_error(&self, error: CreateStreamError) -> BrokerError {
        match error.kind() {
            CreateStreamErrorKind::JetStream(answer)
                if answer.error_code() == ErrorCode::STREAM_SUBJECT_OVERLAP =>
            {
                let problem = format!(
                    "cannot be created, because another stream has subjects of {}; take them out \
                     of it, delete it, or use another account",
                    subject::ALL
                );
                self.stream_error(problem).into()
            }
            CreateStreamErrorKind::JetStreamUnavailable => self.transient(
                "JetStream is not enabled there; start nats-server with --jetstream, or add \
                 jetstream {} to its configuration",
            ),
            _ => self.transient(error),
        }
    }

    async fn stream(&self) -> Result<JetStream, BrokerError> {
        self.context.get_stream(STREAM).await.map_err(|error| self.transient(error))
    }

    async fn read_last_sequence(&self) -> Result<u64, BrokerError> {
        let info = self.stream().await?.get_info().await;
        Ok(info.map_err(|error| self.transient(error))?.state.last_sequence)
    }
}

#[async_trait]
impl EventBroker for NatsBroker {
    fn subscriber(&self) -> &'static str {
        SUBSCRIBER
    }

    fn address(&self) -> &str {
        &self.address
    }

    async fn last_event(&self, tenant: &TenantId) -> Result<Option<LastEvent>, BrokerError> {
        let (stream, subjects) = (self.stream().await?, tenant_subjects(tenant.as_str()));
        let message = match stream.get_last_raw_message_by_subject(&subjects).await {
            Ok(message) => message,
            Err(error) if error.kind() == LastRawMessageErrorKind::NoMessageFound => {
                return Ok(None);
            }
            Err(error) => return Err(self.transient(error)),
        };
        let foreign = || {
            self.stream_error(format!(
                "has message {} under {}, which PowerFill did not write; take it out",
                message.sequence, message.subject
            ))
        };
        let event: serde_json::Value =
            serde_json::from_slice(&message.payload).map_err(|_| foreign())?;
        let position = event["globalposition"].as_str().and_then(|text| text.parse().ok());
        let hash = event["hash"].as_str().map(str::to_owned);
        Ok(Some(LastEvent { position: position.ok_or_else(foreign)?, hash }))
    }

    async fn send(&self, events: &[StoredEvent]) -> Result<SendOutcome, BrokerError> {
        let messages = events.iter().map(Message::new).collect::<Result<Vec<_>, _>>();
        let messages = messages.map_err(|error| BrokerError::Failed(Box::new(error)))?;
        let mut last_sequence = self.last_sequence.lock().await;
        let base = match last_sequence.take() {
            Some(last) => last,
            None => self.read_last_sequence().await?,
        };
        let mut acks = Vec::with_capacity(messages.len());
        let mut previous: Option<String> = None;
        for (sequence, Message { position, subject, id, payload }) in (base + 1..).zip(messages) {
            let bytes = payload.len();
            let message = PublishMessage::build()
                .message_id(&id)
                .expected_stream(STREAM)
                .header("Content-Type", "application/cloudevents+json")
                .payload(payload.into());
            // The first message must be at the known end of the stream, each other one right after
            // its predecessor. A sequence number would not do for these, because messages of other
            // senders count too.
            let message = match &previous {
                None => message.expected_last_sequence(base),
                Some(previous) => message.expected_last_message_id(previous),
            };
            previous = Some(id);
            let sent = self.context.send_publish(subject, message).await;
            acks.push((position, bytes, sequence, sent));
        }
        let end = base + acks.len() as u64;
        for (position, bytes, sequence, sent) in acks {
            let ack = match sent {
                Ok(ack) => ack.await,
                Err(error) => Err(error),
            };
            let ack = ack.map_err(|error| match error.kind() {
                PublishErrorKind::MaxPayloadExceeded => {
                    NatsError::TooLarge { address: self.address.clone(), position, bytes }.into()
                }
                _ => self.transient(error),
            })?;
            if ack.duplicate {
                return Ok(SendOutcome::Duplicate(position));
            }
            if ack.sequence != sequence {
                let what = format!("an event came in as {}, not as {sequence}", ack.sequence);
                return Err(self.transient(what));
            }
        }
        *last_sequence = Some(end);
        Ok(SendOutcome::All)
    }
}

fn transient(address: &str, source: impl Into<Box<dyn Error + Send + Sync>>) -> BrokerError {
    BrokerError::Transient { address: address.to_owned(), source: source.into() }
}

/// An event as a message.
struct Message {
    position: u64,
    subject: String,
    /// The id of the event.
    id: String,
    /// The CloudEvent.
    payload: Vec<u8>,
}

impl Message {
    fn new(event: &StoredEvent) -> Result<Self, CloudEventError> {
        let stream = Stream::from_name(&event.stream)
            .ok_or_else(|| CloudEventError::UnknownStream(event.stream.clone()))?;
        let cloud_event = CloudEvent::try_from(event)?;
        let payload = serde_json::to_vec(&cloud_event).map_err(|source| {
            let (stream, stream_version) = (event.stream.clone(), event.stream_version);
            CloudEventError::Payload { stream, stream_version, source }
        })?;
        Ok(Self {
            position: event.global_position,
            subject: event_subject(stream, event),
            id: cloud_event.id.to_string(),
            payload,
        })
    }
}
