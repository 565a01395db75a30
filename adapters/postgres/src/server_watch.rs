//! Whether the server answers at all (specification 5.3). A server that was stopped, or one behind
//! a network that passes no bytes, keeps its connections open, and a call would wait for minutes.
//!
//! While a call takes long, a connection of its own asks the server. If there is no answer, all
//! connections are closed: the calls in progress fail as unavailable, and new ones fail at once
//! until the server answers again. A long statement of a server that answers goes on.

use std::collections::BTreeMap;
use std::error::Error as _;
use std::sync::{Arc, Weak};
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use powerfill_ports::{StoreError, StoreResult};
use tokio::sync::watch::Sender;
use tokio::task::JoinHandle;
use tokio::time::{sleep, timeout};
use tokio_postgres::{Client, Error};

use crate::pool::Connector;

/// The pause between two questions, and the time after which a call takes long.
const PAUSE: Duration = Duration::from_secs(2);
/// The time in which the server must answer, also to a new connection.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(6);
/// The longest time of a call that has a connection for itself no longer than it needs: several
/// statements, each of which the server ends after two minutes. Beyond it, its connection is taken
/// for broken, even if the server answers on others.
const CALL_LIMIT: Duration = Duration::from_secs(300);

/// The question, which says in `pg_stat_activity` what it is for.
const QUESTION: &str = "SELECT 'does the server answer?'";

/// The calls to one server.
pub(crate) struct ServerWatch {
    connector: Arc<Connector>,
    is_silent: Sender<bool>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// The calls in progress by their numbers.
    calls: BTreeMap<u64, Call>,
    next_number: u64,
    monitor: Option<JoinHandle<()>>,
}

struct Call {
    began: Instant,
    /// Whether it may last longer than [`CALL_LIMIT`], as a verification does.
    is_long: bool,
}

/// A call in progress, until this is dropped.
pub(crate) struct CallGuard {
    watch: Arc<ServerWatch>,
    number: u64,
}

impl ServerWatch {
    pub(crate) fn new(connector: Arc<Connector>) -> Arc<Self> {
        let is_silent = Sender::new(false);
        Arc::new(Self { connector, is_silent, state: Mutex::default() })
    }

    /// Begins a call. It is watched until the guard is dropped.
    ///
    /// # Errors
    /// If the server is silent.
    pub(crate) fn begin_call(self: &Arc<Self>, is_long: bool) -> StoreResult<CallGuard> {
        if *self.is_silent.borrow() {
            return Err(silent());
        }
        let mut state = self.state.lock();
        let number = state.next_number;
        state.next_number += 1;
        state.calls.insert(number, Call { began: Instant::now(), is_long });
        if state.monitor.as_ref().is_none_or(JoinHandle::is_finished) {
            state.monitor = Some(tokio::spawn(monitor(Arc::downgrade(self))));
        }
        Ok(CallGuard { watch: Arc::clone(self), number })
    }

    /// Waits until the server is silent.
    pub(crate) async fn until_silent(&self) {
        // The sender is not dropped: this borrows it.
        let _ = self.is_silent.subscribe().wait_for(|is_silent| *is_silent).await;
    }

    fn set_silent(&self, is_silent: bool) {
        let was_silent = self.is_silent.send_replace(is_silent);
        if is_silent && !was_silent {
            self.connector.close_all();
        }
    }

    /// What there is to do now. Ends the monitor if there is nothing to watch.
    fn next_step(&self) -> Step {
        let mut state = self.state.lock();
        if *self.is_silent.borrow() {
            return Step::Ask;
        }
        if state.calls.is_empty() {
            state.monitor = None;
            return Step::End;
        }
        let (mut takes_long, mut is_broken) = (false, false);
        for call in state.calls.values() {
            let elapsed = call.began.elapsed();
            takes_long |= elapsed >= PAUSE;
            is_broken |= elapsed >= CALL_LIMIT && !call.is_long;
        }
        match (is_broken, takes_long) {
            (true, _) => Step::CloseAll,
            (false, true) => Step::Ask,
            (false, false) => Step::Wait,
        }
    }
}

impl Drop for CallGuard {
    fn drop(&mut self) {
        self.watch.state.lock().calls.remove(&self.number);
    }
}

enum Step {
    Wait,
    Ask,
    CloseAll,
    End,
}

/// The error of a call to a server that does not answer.
pub(crate) fn silent() -> StoreError {
    StoreError::Unavailable("PostgreSQL does not answer".into())
}

/// Watches the calls to a server while there are any, and a silent server until it answers.
async fn monitor(watch: Weak<ServerWatch>) {
    let mut client = None;
    loop {
        sleep(PAUSE).await;
        let Some(watch) = watch.upgrade() else { return };
        match watch.next_step() {
            Step::Wait => {}
            Step::End => return,
            Step::CloseAll => watch.connector.close_all(),
            Step::Ask => {
                let answer = timeout(ANSWER_TIMEOUT, ask(&watch.connector, &mut client)).await;
                // An error is an answer, too: the calls get their own.
                let is_silent = match &answer {
                    Ok(answer) => answer.as_ref().is_err_and(is_timeout),
                    Err(_) => true,
                };
                if !matches!(answer, Ok(Ok(()))) {
                    client = None;
                }
                watch.set_silent(is_silent);
            }
        }
    }
}

/// Asks the server, on a connection that is kept while it works.
async fn ask(connector: &Connector, client: &mut Option<Client>) -> Result<(), Error> {
    let asked = match client {
        Some(client) => client,
        None => client.insert(connector.connect(|_| {}).await?.0),
    };
    asked.batch_execute(QUESTION).await
}

/// Whether a connection was given up by a time limit of the URL or of the network.
fn is_timeout(error: &Error) -> bool {
    let cause = error.source().and_then(|cause| cause.downcast_ref::<std::io::Error>());
    cause.is_some_and(|cause| cause.kind() == std::io::ErrorKind::TimedOut)
}
