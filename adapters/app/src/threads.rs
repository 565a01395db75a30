//! Where a run is decided and recorded: on two threads of their own beside the rest, which waits for the store. A
//! simulation has it done in place instead, where nothing else goes on meanwhile: the same code, in the same order.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::Receiver;

use powerfill_events::run::event::RunRequested;
use powerfill_snapshot::Snapshot;
use tokio::sync::mpsc;
use tokio::task::{JoinHandle, spawn_blocking};

use crate::RunnerError;
use crate::decide::{Told, decide};
use crate::record::{Piece, Recording, Stop};
use crate::watch::Watch;

/// Where blocking work is done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Threads {
    /// Each on its own.
    Own,
    /// Where it is asked for.
    InPlace,
}

impl Threads {
    /// What takes a while.
    pub(crate) async fn blocking<T: Send + 'static>(
        self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, RunnerError> {
        match self {
            Self::Own => spawn_blocking(work)
                .await
                .map_err(|panic| RunnerError::BrokenOff(panic.to_string())),
            Self::InPlace => Ok(work()),
        }
    }
}

/// What a run is decided from.
pub(crate) struct Input {
    pub(crate) requested: RunRequested,
    pub(crate) snapshot: Arc<Snapshot>,
    pub(crate) watch: Arc<dyn Watch>,
    /// Set where nobody waits for the decisions any more.
    pub(crate) stop: Arc<AtomicBool>,
}

/// The pieces of a run, as they come.
pub(crate) enum Pieces {
    Coming { pieces: mpsc::Receiver<Piece>, threads: JoinHandle<Result<(), Stop>> },
    InPlace { recording: Box<Recording>, told: Receiver<Told>, ended: Result<(), Stop> },
}

impl Pieces {
    /// Begins deciding and recording.
    pub(crate) fn begin(threads: Threads, recording: Recording, input: Input) -> Self {
        match threads {
            Threads::Own => {
                let (to_store, pieces) = mpsc::channel(2);
                let threads = spawn_blocking(move || two_threads(recording, &input, &to_store));
                Self::Coming { pieces, threads }
            }
            Threads::InPlace => {
                let (tell, told) = std::sync::mpsc::channel();
                decide(&input, &tell);
                Self::InPlace { recording: Box::new(recording), told, ended: Ok(()) }
            }
        }
    }

    /// The next piece; after the last one, none.
    pub(crate) async fn next(&mut self) -> Option<Piece> {
        match self {
            Self::Coming { pieces, .. } => pieces.recv().await,
            Self::InPlace { recording, told, ended } => {
                recording.next(told).unwrap_or_else(|stop| {
                    *ended = Err(stop);
                    None
                })
            }
        }
    }

    /// How recording ended; what was not taken yet is given up.
    pub(crate) async fn end(self) -> Result<Result<(), Stop>, RunnerError> {
        match self {
            Self::Coming { pieces, threads } => {
                drop(pieces);
                threads.await.map_err(|panic| RunnerError::BrokenOff(panic.to_string()))
            }
            Self::InPlace { ended, .. } => Ok(ended),
        }
    }
}

/// One thread decides, this one records, and waits for the store, so that what is encoded and not yet durable stays
/// small.
fn two_threads(
    mut recording: Recording,
    input: &Input,
    to_store: &mpsc::Sender<Piece>,
) -> Result<(), Stop> {
    let (tell, told) = std::sync::mpsc::channel();
    std::thread::scope(|scope| {
        let deciding = scope.spawn(move || decide(input, &tell));
        let recorded = loop {
            match recording.next(&told) {
                Ok(Some(piece)) => {
                    if to_store.blocking_send(piece).is_err() {
                        break Err(Stop::Gone);
                    }
                }
                Ok(None) => break Ok(()),
                Err(stop) => break Err(stop),
            }
        };
        // What it says now, nobody hears.
        input.stop.store(true, Ordering::Relaxed);
        match deciding.join() {
            Ok(()) => recorded,
            Err(panic) => std::panic::resume_unwind(panic),
        }
    })
}
