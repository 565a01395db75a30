//! The world of one seed: a store, virtual time, chance, and what has happened. Everything that happens in it is decided
//! here, in the order in which it is asked for, so that the seed determines all of it.

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
use crate::trace::{Counts, Entry, Who};
use powerfill_tests::seeded::SeededRng;

/// How long a claim holds. Short, so that much happens in little virtual time; all other spans go by it.
pub(crate) const LEASE: Duration = Duration::from_secs(8);
/// The furthest that two clocks are apart.
pub(crate) const SKEW_MS: u64 = 60_000;

/// Milliseconds of virtual time.
pub(crate) async fn pass(milliseconds: u64) {
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
    pub(crate) trace: Vec<Entry>,
    pub(crate) counts: Counts,
    /// One call in so many meets a fault.
    pub(crate) rarity: u64,
    /// How long a call takes at most on its way, and its answer.
    pub(crate) latency: u64,
    /// No faults any more.
    pub(crate) calm: bool,
    /// Until when the store is away, by the world's milliseconds.
    pub(crate) away_until: u64,
    /// The lease that each run was last claimed with.
    pub(crate) leases: BTreeMap<RunId, Lease>,
    /// What each run was asked for with.
    pub(crate) books: BTreeMap<RunId, usize>,
    /// When each run entered the queue.
    pub(crate) asked_at: BTreeMap<RunId, u64>,
    /// Runs that somebody asked to cancel, and when the store said yes.
    pub(crate) cancelled: BTreeMap<RunId, u64>,
    /// The first thing that must never be.
    broken: Option<String>,
}

impl World {
    pub(crate) fn new(seed: u64, mutant: Option<Mutant>) -> Arc<Self> {
        let mut chance = SeededRng::new(seed);
        // From hardly ever to all the time.
        let rarity = [8, 15, 30, 80, 400][chance.in_range(0, 4) as usize];
        let latency = [4, 4, 30, 100][chance.in_range(0, 3) as usize];
        Arc::new(Self {
            store: MemoryStore::new(),
            mutant,
            began: Instant::now(),
            state: Mutex::new(State {
                chance,
                trace: Vec::new(),
                counts: Counts::default(),
                rarity,
                latency,
                calm: false,
                away_until: 0,
                leases: BTreeMap::new(),
                books: BTreeMap::new(),
                asked_at: BTreeMap::new(),
                cancelled: BTreeMap::new(),
                broken: None,
            }),
        })
    }

    /// There is one thread, and nobody holds it across an await.
    pub(crate) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("whoever holds it does not panic")
    }

    /// Milliseconds since the world began.
    pub(crate) fn now(&self) -> u64 {
        Instant::now().duration_since(self.began).as_millis() as u64
    }

    pub(crate) fn from(&self, first: u64, last: u64) -> u64 {
        self.state().chance.in_range(first, last)
    }

    pub(crate) fn one_in(&self, many: u64) -> bool {
        self.state().chance.one_in(many)
    }

    pub(crate) fn is_calm(&self) -> bool {
        self.state().calm
    }

    /// Notes what happened.
    pub(crate) fn tell(
        &self,
        who: Who,
        what: &'static str,
        how: &'static str,
        answer: &'static str,
    ) {
        let at = self.now();
        self.state().trace.push(Entry { at, who, what, how, answer });
    }

    pub(crate) fn count(&self, what: &'static str) {
        self.state().counts.add(what);
    }

    /// Notes that something is as it must never be; the first such thing counts.
    pub(crate) fn broken(&self, what: impl FnOnce() -> String) {
        let at = self.now();
        let mut state = self.state();
        if state.broken.is_none() {
            state.broken = Some(format!("at {at} ms: {}", what()));
        }
    }

    pub(crate) fn found(&self) -> Option<String> {
        self.state().broken.clone()
    }
}

/// A process: what dies at once, stands still at once, and has a clock of its own.
pub(crate) struct Process {
    pub(crate) world: Arc<World>,
    pub(crate) who: Who,
    dead: AtomicBool,
    died: Notify,
    /// By the world's milliseconds.
    stands_until: AtomicU64,
    /// How far its machine's clock is ahead, in milliseconds.
    skew: Arc<AtomicI64>,
}

impl Process {
    pub(crate) fn new(world: &Arc<World>, who: Who, skew: &Arc<AtomicI64>) -> Arc<Self> {
        Arc::new(Self {
            world: Arc::clone(world),
            who,
            dead: AtomicBool::new(false),
            died: Notify::new(),
            stands_until: AtomicU64::new(0),
            skew: Arc::clone(skew),
        })
    }

    pub(crate) fn kill(&self) {
        if !self.dead.swap(true, Ordering::Relaxed) {
            self.world.count("fault: a process dies");
            self.world.tell(self.who, "dies", "", "");
            self.died.notify_one();
        }
    }

    pub(crate) async fn died(&self) {
        self.died.notified().await;
    }

    /// Stops it for so long; then it lives on as if nothing had been.
    pub(crate) fn stand_still(&self, milliseconds: u64) {
        self.world.count("fault: a process stands still");
        self.world.tell(self.who, "stands still", "", "");
        self.stands_until.fetch_max(self.world.now() + milliseconds, Ordering::Relaxed);
    }

    /// Goes on only while the process does.
    pub(crate) async fn gate(&self) {
        loop {
            if self.dead.load(Ordering::Relaxed) {
                std::future::pending::<()>().await;
            }
            let (until, now) = (self.stands_until.load(Ordering::Relaxed), self.world.now());
            if until <= now {
                return;
            }
            pass(until - now).await;
        }
    }
}

impl Clock for Process {
    fn now(&self) -> Timestamp {
        let milliseconds = 1_770_000_000_000 + self.world.now() as i64;
        Timestamp::from_micros((milliseconds + self.skew.load(Ordering::Relaxed)) * 1_000)
    }
}
