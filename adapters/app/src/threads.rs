//! Where a run is decided and recorded: on two threads of their own beside the rest, which waits for the store. A
//! simulation has it done in place instead, where nothing else goes on meanwhile: the same code, in the same order.

use std::sync::Arc;

use powerfill_events::run::event::RunRequested;
use powerfill_snapshot::Snapshot;
use tokio::runtime::Handle;
use tokio::sync::mpsc::{self, UnboundedReceiver, unbounded_channel};
use tokio::task::{JoinHandle, spawn_blocking};

use crate::RunnerError;
use crate::control::{RunControl, StopReason};
use crate::decide::{Told, decide};
use crate::observer::RunObserver;
use crate::record::{Piece, Recording, Stop};

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
    pub(crate) observer: Arc<dyn RunObserver>,
    pub(crate) control: RunControl,
}

/// The pieces of a run, as they come.
pub(crate) enum Pieces {
    Coming { pieces: mpsc::Receiver<Piece>, threads: JoinHandle<Result<(), Stop>> },
    InPlace { recording: Box<Recording>, told: UnboundedReceiver<Told>, ended: Result<(), Stop> },
}

impl Pieces {
    /// Begins deciding and recording.
    pub(crate) fn begin(threads: Threads, recording: Recording, input: Input) -> Self {
        match threads {
            Threads::Own => {
                let (to_store, pieces) = mpsc::channel(2);
                let runtime = Handle::current();
                let threads =
                    spawn_blocking(move || two_threads(recording, &input, &to_store, &runtime));
                Self::Coming { pieces, threads }
            }
            Threads::InPlace => {
                let (tell, told) = unbounded_channel();
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
                recording.next(told).await.unwrap_or_else(|stop| {
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
    runtime: &Handle,
) -> Result<(), Stop> {
    let (tell, mut told) = unbounded_channel();
    std::thread::scope(|scope| {
        let deciding = scope.spawn(move || decide(input, &tell));
        let recorded = runtime.block_on(async {
            while let Some(piece) = recording.next(&mut told).await? {
                to_store.send(piece).await.map_err(|_| Stop::Gone)?;
            }
            Ok(())
        });
        input.control.stop(StopReason::Over);
        match deciding.join() {
            Ok(()) => recorded,
            Err(panic) => std::panic::resume_unwind(panic),
        }
    })
}
