//! The threads of a run: one decides and one records, beside the worker's task, which waits for the
//! store. A simulation does the same in place, in the same order.

use tokio::runtime::Handle;
use tokio::sync::mpsc::{self, UnboundedReceiver, unbounded_channel};
use tokio::task::{JoinError, JoinHandle, spawn_blocking};

use super::control::StopReason;
use super::decide::decide;
use super::messages::{DecisionInput, EngineMessage};
use super::record::{Recorder, RecordingStop, RunPart};
use crate::{AppError, AppResult};

/// Where blocking work is done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ThreadMode {
    /// On threads of its own.
    Own,
    /// On the calling thread.
    InPlace,
}

impl ThreadMode {
    /// Does work that takes the processor for a while.
    pub(crate) async fn run_blocking<T: Send + 'static>(
        self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> AppResult<T> {
        match self {
            Self::Own => spawn_blocking(work).await.map_err(|error| panicked(&error)),
            Self::InPlace => Ok(work()),
        }
    }
}

pub(crate) fn panicked(error: &JoinError) -> AppError {
    AppError::Panicked(error.to_string())
}

/// The parts of a run, in order, while they are decided and recorded.
pub(crate) enum RunParts {
    FromThreads {
        parts: mpsc::Receiver<RunPart>,
        threads: JoinHandle<Result<(), RecordingStop>>,
    },
    InPlace {
        recorder: Box<Recorder>,
        messages: UnboundedReceiver<EngineMessage>,
        end: Result<(), RecordingStop>,
    },
}

impl RunParts {
    /// Begins deciding and recording.
    pub(crate) fn begin(mode: ThreadMode, recorder: Recorder, input: DecisionInput) -> Self {
        match mode {
            ThreadMode::Own => {
                // At most two encoded parts wait for the store.
                let (to_store, parts) = mpsc::channel(2);
                let runtime = Handle::current();
                let threads = spawn_blocking(move || {
                    record_beside_decider(recorder, &input, &to_store, &runtime)
                });
                Self::FromThreads { parts, threads }
            }
            ThreadMode::InPlace => {
                let (to_recorder, messages) = unbounded_channel();
                decide(&input, &to_recorder);
                Self::InPlace { recorder: Box::new(recorder), messages, end: Ok(()) }
            }
        }
    }

    /// The next part; `None` after the last one.
    pub(crate) async fn next(&mut self) -> Option<RunPart> {
        match self {
            Self::FromThreads { parts, .. } => parts.recv().await,
            Self::InPlace { recorder, messages, end } => {
                recorder.next(messages).await.unwrap_or_else(|stop| {
                    *end = Err(stop);
                    None
                })
            }
        }
    }

    /// Waits for the threads, and drops the parts that were not taken.
    pub(crate) async fn end(self) -> AppResult<Result<(), RecordingStop>> {
        match self {
            Self::FromThreads { parts, threads } => {
                drop(parts);
                threads.await.map_err(|error| panicked(&error))
            }
            Self::InPlace { end, .. } => Ok(end),
        }
    }
}

/// Records on this thread what another thread decides.
fn record_beside_decider(
    mut recorder: Recorder,
    input: &DecisionInput,
    to_store: &mpsc::Sender<RunPart>,
    runtime: &Handle,
) -> Result<(), RecordingStop> {
    let (to_recorder, mut messages) = unbounded_channel();
    std::thread::scope(|scope| {
        let deciding = scope.spawn(move || decide(input, &to_recorder));
        let recorded = runtime.block_on(async {
            while let Some(part) = recorder.next(&mut messages).await? {
                to_store.send(part).await.map_err(|_| RecordingStop::Stopped)?;
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
