//! Connections: a pool, and connections outside of it for listening.

use std::ops::{Deref, DerefMut};
use std::time::Duration;

use deadpool_postgres::{
    ClientWrapper, Manager, ManagerConfig, Object, Pool, RecyclingMethod, Runtime, Transaction,
};
use powerfill_ports::{StoreError, StoreFault};
use tokio::time::timeout;
use tokio_postgres::tls::TlsStream;
use tokio_postgres::{AsyncMessage, Connection, IsolationLevel, NoTls, Socket};
use tokio_postgres_rustls::MakeRustlsConnect;

use crate::errors::{pool_error, store_error};
use crate::tls::connector;
use crate::url::{LONG_READ, PostgresUrl};

/// The most connections of one process. More callers wait for each other.
const MAX_CONNECTIONS: usize = 16;
/// How long the server has to accept a connection, with its greeting, encryption, and password.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(15);
/// How long a caller waits for a connection of the pool.
const WAIT_TIMEOUT: Duration = Duration::from_secs(30);

/// The connections to one database.
pub(crate) struct ConnectionPool {
    url: PostgresUrl,
    tls: Option<MakeRustlsConnect>,
    pool: Pool,
}

impl ConnectionPool {
    /// Makes no connection yet.
    pub(crate) fn new(url: &PostgresUrl) -> Result<Self, StoreError> {
        let tls = connector(&url.tls)?;
        let config = ManagerConfig { recycling_method: RecyclingMethod::Fast };
        let manager = match &tls {
            Some(tls) => Manager::from_config(url.config.clone(), tls.clone(), config),
            None => Manager::from_config(url.config.clone(), NoTls, config),
        };
        let pool = Pool::builder(manager)
            .max_size(MAX_CONNECTIONS)
            .wait_timeout(Some(WAIT_TIMEOUT))
            .create_timeout(Some(CONNECT_TIMEOUT))
            .recycle_timeout(Some(CONNECT_TIMEOUT))
            .runtime(Runtime::Tokio1)
            .build()
            .map_err(|error| StoreError::Failed(StoreFault::caused_by(error)))?;
        Ok(Self { url: url.clone(), tls, pool })
    }

    /// The URL of the database.
    pub(crate) const fn url(&self) -> &PostgresUrl {
        &self.url
    }

    /// A connection of the pool. The pool replaces one that the server closed while it was idle.
    pub(crate) async fn get(&self) -> Result<Object, StoreError> {
        self.pool.get().await.map_err(pool_error)
    }

    /// A connection of the pool that must not be used by others before it is clean again.
    pub(crate) async fn session(&self) -> Result<ExclusiveSession, StoreError> {
        Ok(ExclusiveSession(Some(self.get().await?)))
    }

    /// A new connection outside of the pool. `receive` gets the messages that the server sends by
    /// itself, and `None` at the end of the connection.
    pub(crate) async fn connect_with_messages(
        &self,
        receive: impl FnMut(Option<AsyncMessage>) + Send + 'static,
    ) -> Result<tokio_postgres::Client, StoreError> {
        let config = &self.url.config;
        match &self.tls {
            Some(tls) => {
                let (client, connection) = in_time(config.connect(tls.clone())).await?;
                tokio::spawn(drive(connection, receive));
                Ok(client)
            }
            None => {
                let (client, connection) = in_time(config.connect(NoTls)).await?;
                tokio::spawn(drive(connection, receive));
                Ok(client)
            }
        }
    }
}

/// What a server answers at once, unless it is silent.
pub(crate) async fn in_time<T>(
    answer: impl Future<Output = Result<T, tokio_postgres::Error>>,
) -> Result<T, StoreError> {
    match timeout(CONNECT_TIMEOUT, answer).await {
        Ok(answer) => answer.map_err(store_error),
        Err(_) => Err(StoreError::Unavailable("PostgreSQL does not answer".into())),
    }
}

async fn drive<T>(
    mut connection: Connection<Socket, T>,
    mut receive: impl FnMut(Option<AsyncMessage>) + Send,
) where
    T: TlsStream + Unpin + Send,
{
    while let Some(Ok(message)) =
        std::future::poll_fn(|context| connection.poll_message(context)).await
    {
        receive(Some(message));
    }
    receive(None);
}

/// Begins a transaction that may read for long and sees one state of the database.
pub(crate) async fn begin_consistent_read(
    client: &mut ClientWrapper,
) -> Result<Transaction<'_>, StoreError> {
    let builder = client.build_transaction().isolation_level(IsolationLevel::RepeatableRead);
    let tx = in_time(builder.read_only(true).start()).await?;
    in_time(tx.batch_execute(LONG_READ)).await?;
    Ok(tx)
}

/// A connection with an open transaction or cursor. If it is dropped before it is given back, it is
/// closed, which ends both.
pub(crate) struct ExclusiveSession(Option<Object>);

impl ExclusiveSession {
    /// Returns the connection to the pool. No transaction or cursor may be open.
    pub(crate) fn give_back(mut self) {
        self.0 = None;
    }
}

impl Deref for ExclusiveSession {
    type Target = ClientWrapper;

    fn deref(&self) -> &ClientWrapper {
        self.0.as_ref().expect("only give_back takes the connection, and it consumes the session")
    }
}

impl DerefMut for ExclusiveSession {
    fn deref_mut(&mut self) -> &mut ClientWrapper {
        self.0.as_mut().expect("only give_back takes the connection, and it consumes the session")
    }
}

impl Drop for ExclusiveSession {
    fn drop(&mut self) {
        if let Some(object) = self.0.take() {
            drop(Object::take(object));
        }
    }
}
