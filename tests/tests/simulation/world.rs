//! The world of one seed: a store, virtual time, random choices, and the trace. All choices come
//! from here, in the order of the calls, so the seed determines everything.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use powerfill_app::Clock;
use powerfill_events::run::RunId;
use powerfill_events::values::Timestamp;
use powerfill_memory::MemoryStore;
use powerfill_ports::runs::Lease;
use tokio::sync::Notify;
use tokio::time::Instant;

use crate::mutants::Mutant;
use crate::trace::{EventCounts, ProcessName, TraceEntry};
use powerfill_tests::seeded::SeededRng;

/// The duration of a lease. It is short, so that much happens in little virtual time; the other
/// durations are multiples of it.
pub(crate) const LEASE: Duration = Duration::from_secs(8);
/// The largest difference between two clocks.
pub(crate) const SKEW_MS: u64 = 60_000;

/// Waits in virtual time.
pub(crate) async fn sleep_ms(milliseconds: u64) {
    tokio::time::sleep(Duration::from_millis(milliseconds)).await;
}

pub(crate) struct World {
    pub(crate) store: MemoryStore,
    pub(crate) mutant: Option<Mutant>,
    began: Instant,
    state: Mutex<State>,
}

pub(crate) struct State {
    pub(crate) chance: SeededRng,
    pub(crate) trace: Vec<TraceEntry>,
    pub(crate) counts: EventCounts,
    /// One call in this many meets a fault.
    pub(crate) rarity: u64,
    /// The most that a call takes to the store, and its answer back, in milliseconds.
    pub(crate) latency: u64,
    /// Whether faults have ended.
    pub(crate) calm: bool,
    /// The end of the store's outage, in the world's milliseconds.
    pub(crate) away_until: u64,
    /// The newest lease of each run.
    pub(crate) leases: BTreeMap<RunId, Lease>,
    /// The book of each run.
    pub(crate) books: BTreeMap<RunId, usize>,
    /// When each run entered the queue.
    pub(crate) asked_at: BTreeMap<RunId, u64>,
    /// Runs with a cancel request, and when the store accepted it.
    pub(crate) cancelled: BTreeMap<RunId, u64>,
    /// The first violation.
    violation: Option<String>,
}

impl World {
    pub(crate) fn new(seed: u64, mutant: Option<Mutant>) -> Arc<Self> {
        let mut chance = SeededRng::new(seed);
        // From frequent to rare faults.
        let rarity = [8, 15, 30, 80, 400][chance.in_range(0, 4) as usize];
        let latency = [4, 4, 30, 100][chance.in_range(0, 3) as usize];
        Arc::new(Self {
            store: MemoryStore::new(),
            mutant,
            began: Instant::now(),
            state: Mutex::new(State {
                chance,
                trace: Vec::new(),
                counts: EventCounts::default(),
                rarity,
                latency,
                calm: false,
                away_until: 0,
                leases: BTreeMap::new(),
                books: BTreeMap::new(),
                asked_at: BTreeMap::new(),
                cancelled: BTreeMap::new(),
                violation: None,
            }),
        })
    }

    /// There is one thread, and no caller holds the guard across an await.
    pub(crate) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("no holder panics")
    }

    /// Milliseconds since the world began.
    pub(crate) fn now(&self) -> u64 {
        Instant::now().duration_since(self.began).as_millis() as u64
    }

    pub(crate) fn between(&self, first: u64, last: u64) -> u64 {
        self.state().chance.in_range(first, last)
    }

    pub(crate) fn one_in(&self, many: u64) -> bool {
        self.state().chance.one_in(many)
    }

    pub(crate) fn is_calm(&self) -> bool {
        self.state().calm
    }

    /// Adds an entry to the trace.
    pub(crate) fn record(
        &self,
        name: ProcessName,
        what: &'static str,
        how: &'static str,
        answer: &'static str,
    ) {
        let at = self.now();
        self.state().trace.push(TraceEntry { at, name, what, how, answer });
    }

    pub(crate) fn count(&self, what: &'static str) {
        self.state().counts.add(what);
    }

    /// Reports a violation; the first one counts.
    pub(crate) fn report(&self, what: impl FnOnce() -> String) {
        let at = self.now();
        let mut state = self.state();
        if state.violation.is_none() {
            state.violation = Some(format!("at {at} ms: {}", what()));
        }
    }

    pub(crate) fn violation(&self) -> Option<String> {
        self.state().violation.clone()
    }
}

/// A process, which dies and pauses as a whole, and has the clock of its machine.
pub(crate) struct Process {
    pub(crate) world: Arc<World>,
    pub(crate) name: ProcessName,
    dead: AtomicBool,
    died: Notify,
    /// In the world's milliseconds.
    paused_until: AtomicU64,
    /// How far its machine's clock is ahead, in milliseconds.
    skew: Arc<AtomicI64>,
}

impl Process {
    pub(crate) fn new(world: &Arc<World>, name: ProcessName, skew: &Arc<AtomicI64>) -> Arc<Self> {
        Arc::new(Self {
            world: Arc::clone(world),
            name,
            dead: AtomicBool::new(false),
            died: Notify::new(),
            paused_until: AtomicU64::new(0),
            skew: Arc::clone(skew),
        })
    }

    pub(crate) fn kill(&self) {
        if !self.dead.swap(true, Ordering::Relaxed) {
            self.world.count("fault: a process dies");
            self.world.record(self.name, "dies", "", "");
            self.died.notify_one();
        }
    }

    pub(crate) async fn died(&self) {
        self.died.notified().await;
    }

    /// Pauses the process, which then continues without noticing.
    pub(crate) fn pause(&self, milliseconds: u64) {
        self.world.count("fault: a process pauses");
        self.world.record(self.name, "pauses", "", "");
        self.paused_until.fetch_max(self.world.now() + milliseconds, Ordering::Relaxed);
    }

    /// Waits while the process pauses, and forever once it is dead.
    pub(crate) async fn wait_while_paused(&self) {
        loop {
            if self.dead.load(Ordering::Relaxed) {
                std::future::pending::<()>().await;
            }
            let (until, now) = (self.paused_until.load(Ordering::Relaxed), self.world.now());
            if until <= now {
                return;
            }
            sleep_ms(until - now).await;
        }
    }
}

impl Clock for Process {
    fn now(&self) -> Timestamp {
        let milliseconds = 1_770_000_000_000 + self.world.now() as i64;
        Timestamp::from_micros((milliseconds + self.skew.load(Ordering::Relaxed)) * 1_000)
    }
}
