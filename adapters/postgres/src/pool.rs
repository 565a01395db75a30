//! Connections: a pool, and connections outside of it for listening.

use std::ops::{Deref, DerefMut};
use std::sync::Arc;
use std::time::Duration;

use deadpool_postgres::{
    ClientWrapper, Connect, Manager, ManagerConfig, Object, Pool, RecyclingMethod, Runtime,
    Transaction,
};
use futures::future::{BoxFuture, FutureExt};
use powerfill_ports::{StoreError, StoreFault, StoreResult};
use tokio::sync::watch::{Receiver, Sender};
use tokio::task::JoinHandle;
use tokio::time::timeout;
use tokio_postgres::tls::TlsStream;
use tokio_postgres::{
    AsyncMessage, Client, Config, Connection, Error, IsolationLevel, NoTls, Socket,
};
use tokio_postgres_rustls::MakeRustlsConnect;

use crate::errors::{pool_error, store_error};
use crate::server_watch::{CallGuard, ServerWatch, silent};
use crate::tls::connector;
use crate::url::{LONG_READ, PostgresUrl};

/// The most connections of one process. More callers wait for each other.
const MAX_CONNECTIONS: usize = 16;
/// How long the server has to accept a connection, with its greeting, encryption, and password.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(15);
/// How long a caller waits for a connection of the pool.
const WAIT_TIMEOUT: Duration = Duration::from_secs(30);

/// Makes connections, and closes all of them at once.
pub(crate) struct Connector {
    config: Config,
    tls: Option<MakeRustlsConnect>,
    /// Each change closes the existing connections.
    closings: Sender<u64>,
}

/// The messages that a server sends by itself, and `None` at the end of the connection.
type ServerMessage = Option<AsyncMessage>;

impl Connector {
    /// A new connection, and the task that drives it.
    pub(crate) async fn connect(
        &self,
        receive: impl FnMut(ServerMessage) + Send + 'static,
    ) -> Result<(Client, JoinHandle<()>), Error> {
        let closings = self.closings.subscribe();
        match &self.tls {
            Some(tls) => {
                let (client, connection) = self.config.connect(tls.clone()).await?;
                Ok((client, tokio::spawn(drive(connection, receive, closings))))
            }
            None => {
                let (client, connection) = self.config.connect(NoTls).await?;
                Ok((client, tokio::spawn(drive(connection, receive, closings))))
            }
        }
    }

    /// Closes all connections. The calls on them fail.
    pub(crate) fn close_all(&self) {
        self.closings.send_modify(|number| *number += 1);
    }
}

struct PoolConnector(Arc<Connector>);

impl Connect for PoolConnector {
    fn connect(&self, _: &Config) -> BoxFuture<'_, Result<(Client, JoinHandle<()>), Error>> {
        self.0.connect(|_| {}).boxed()
    }
}

/// The connections to one database.
pub(crate) struct ConnectionPool {
    url: PostgresUrl,
    connector: Arc<Connector>,
    watch: Arc<ServerWatch>,
    pool: Pool,
}

impl ConnectionPool {
    /// Makes no connection yet.
    pub(crate) fn new(url: &PostgresUrl) -> StoreResult<Self> {
        let (config, tls) = (url.config.clone(), connector(&url.tls)?);
        let connector = Arc::new(Connector { config, tls, closings: Sender::new(0) });
        let manager = Manager::from_connect(
            url.config.clone(),
            PoolConnector(Arc::clone(&connector)),
            ManagerConfig { recycling_method: RecyclingMethod::Fast },
        );
        let pool = Pool::builder(manager)
            .max_size(MAX_CONNECTIONS)
            .wait_timeout(Some(WAIT_TIMEOUT))
            .create_timeout(Some(CONNECT_TIMEOUT))
            .recycle_timeout(Some(CONNECT_TIMEOUT))
            .runtime(Runtime::Tokio1)
            .build()
            .map_err(|error| StoreError::Failed(StoreFault::caused_by(error)))?;
        let watch = ServerWatch::new(Arc::clone(&connector));
        Ok(Self { url: url.clone(), connector, watch, pool })
    }

    /// The URL of the database.
    pub(crate) const fn url(&self) -> &PostgresUrl {
        &self.url
    }

    /// A connection of the pool. The pool replaces one that the server closed while it was idle.
    pub(crate) async fn get(&self) -> StoreResult<PooledConnection> {
        self.take(false).await
    }

    /// A connection of the pool that must not be used by others before it is clean again. It may be
    /// used for long.
    pub(crate) async fn session(&self) -> StoreResult<ExclusiveSession> {
        Ok(ExclusiveSession(Some(self.take(true).await?)))
    }

    async fn take(&self, is_long: bool) -> StoreResult<PooledConnection> {
        let call = self.watch.begin_call(is_long)?;
        tokio::select! {
            object = self.pool.get() => {
                Ok(PooledConnection { object: object.map_err(pool_error)?, _call: call })
            }
            () = self.watch.until_silent() => Err(silent()),
        }
    }

    /// A new connection outside of the pool. `receive` gets the messages that the server sends by
    /// itself, and `None` at the end of the connection.
    pub(crate) async fn connect_with_messages(
        &self,
        receive: impl FnMut(ServerMessage) + Send + 'static,
    ) -> StoreResult<Client> {
        Ok(in_time(self.connector.connect(receive)).await?.0)
    }
}

/// What a server answers at once, unless it is silent.
pub(crate) async fn in_time<T>(answer: impl Future<Output = Result<T, Error>>) -> StoreResult<T> {
    match timeout(CONNECT_TIMEOUT, answer).await {
        Ok(answer) => answer.map_err(store_error),
        Err(_) => Err(silent()),
    }
}

async fn drive<T>(
    mut connection: Connection<Socket, T>,
    mut receive: impl FnMut(ServerMessage) + Send,
    mut closings: Receiver<u64>,
) where
    T: TlsStream + Unpin + Send,
{
    let driving = async {
        while let Some(Ok(message)) =
            std::future::poll_fn(|context| connection.poll_message(context)).await
        {
            receive(Some(message));
        }
    };
    tokio::select! {
        () = driving => {}
        _ = closings.changed() => {}
    }
    drop(connection);
    receive(None);
}

/// A connection of the pool, and the call for which it is used.
pub(crate) struct PooledConnection {
    object: Object,
    _call: CallGuard,
}

impl Deref for PooledConnection {
    type Target = ClientWrapper;

    fn deref(&self) -> &ClientWrapper {
        &self.object
    }
}

impl DerefMut for PooledConnection {
    fn deref_mut(&mut self) -> &mut ClientWrapper {
        &mut self.object
    }
}

/// Begins a transaction that may read for long and sees one state of the database.
pub(crate) async fn begin_consistent_read(
    client: &mut ClientWrapper,
) -> StoreResult<Transaction<'_>> {
    let builder = client.build_transaction().isolation_level(IsolationLevel::RepeatableRead);
    let tx = in_time(builder.read_only(true).start()).await?;
    in_time(tx.batch_execute(LONG_READ)).await?;
    Ok(tx)
}

/// A connection with an open transaction or cursor. If it is dropped before it is given back, it is
/// closed, which ends both.
pub(crate) struct ExclusiveSession(Option<PooledConnection>);

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
        if let Some(connection) = self.0.take() {
            drop(Object::take(connection.object));
        }
    }
}
