//! Connections: a pool, and some of their own for who waits or holds a cursor.

use std::ops::{Deref, DerefMut};
use std::time::Duration;

use deadpool_postgres::{
    ClientWrapper, Manager, ManagerConfig, Object, Pool, RecyclingMethod, Runtime, Transaction,
};
use powerfill_ports::StoreError;
use tokio_postgres::tls::TlsStream;
use tokio_postgres::{AsyncMessage, Connection, IsolationLevel, NoTls, Socket};
use tokio_postgres_rustls::MakeRustlsConnect;

use crate::fault::{fault, no_connection};
use crate::tls::connector;
use crate::url::{PostgresUrl, READS_LONG};

/// Of one process; beyond it callers wait for each other.
const CONNECTIONS: usize = 16;
/// How long a caller waits for one of them.
const WAIT: Duration = Duration::from_secs(30);

/// The way to one database.
pub(crate) struct Connections {
    url: PostgresUrl,
    tls: Option<MakeRustlsConnect>,
    pool: Pool,
}

impl Connections {
    /// No connection is made yet.
    pub(crate) fn new(url: &PostgresUrl) -> Result<Self, StoreError> {
        let tls = connector(&url.tls)?;
        let how = ManagerConfig { recycling_method: RecyclingMethod::Fast };
        let manager = match &tls {
            Some(tls) => Manager::from_config(url.config.clone(), tls.clone(), how),
            None => Manager::from_config(url.config.clone(), NoTls, how),
        };
        let pool = Pool::builder(manager)
            .max_size(CONNECTIONS)
            .wait_timeout(Some(WAIT))
            .runtime(Runtime::Tokio1)
            .build()
            .map_err(|error| StoreError::Failed(error.to_string()))?;
        Ok(Self { url: url.clone(), tls, pool })
    }

    /// Where to.
    pub(crate) const fn url(&self) -> &PostgresUrl {
        &self.url
    }

    /// One of the pool's. One whose server went away while nobody used it is passed by.
    pub(crate) async fn get(&self) -> Result<Object, StoreError> {
        self.pool.get().await.map_err(no_connection)
    }

    /// One whose session must not be given to others before it is clean again.
    pub(crate) async fn session(&self) -> Result<Session, StoreError> {
        Ok(Session(Some(self.get().await?)))
    }

    /// One of its own, with what the server sends without being asked.
    pub(crate) async fn listening(
        &self,
        told: impl FnMut(Option<AsyncMessage>) + Send + 'static,
    ) -> Result<tokio_postgres::Client, StoreError> {
        match &self.tls {
            Some(tls) => {
                let (client, connection) =
                    self.url.config.connect(tls.clone()).await.map_err(fault)?;
                tokio::spawn(pass_on(connection, told));
                Ok(client)
            }
            None => {
                let (client, connection) = self.url.config.connect(NoTls).await.map_err(fault)?;
                tokio::spawn(pass_on(connection, told));
                Ok(client)
            }
        }
    }
}

/// Drives a connection; `None` at its end.
async fn pass_on<T>(
    mut connection: Connection<Socket, T>,
    mut told: impl FnMut(Option<AsyncMessage>) + Send,
) where
    T: TlsStream + Unpin + Send,
{
    while let Some(Ok(message)) =
        std::future::poll_fn(|context| connection.poll_message(context)).await
    {
        told(Some(message));
    }
    told(None);
}

/// A transaction that reads, however much, and sees everything as of one moment.
pub(crate) async fn one_moment(client: &mut ClientWrapper) -> Result<Transaction<'_>, StoreError> {
    let reading = client.build_transaction().isolation_level(IsolationLevel::RepeatableRead);
    let tx = reading.read_only(true).start().await.map_err(fault)?;
    tx.batch_execute(READS_LONG).await.map_err(fault)?;
    Ok(tx)
}

/// A connection with a transaction or a cursor; dropped before it is clean, it is closed, which ends both.
pub(crate) struct Session(Option<Object>);

impl Session {
    /// Nothing is left open: the pool may have it back.
    pub(crate) fn give_back(mut self) {
        self.0 = None;
    }
}

impl Deref for Session {
    type Target = ClientWrapper;

    fn deref(&self) -> &ClientWrapper {
        self.0.as_ref().expect("it is there until it is given back")
    }
}

impl DerefMut for Session {
    fn deref_mut(&mut self) -> &mut ClientWrapper {
        self.0.as_mut().expect("it is there until it is given back")
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        if let Some(object) = self.0.take() {
            drop(Object::take(object));
        }
    }
}
