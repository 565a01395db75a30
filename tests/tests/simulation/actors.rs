//! Who lives in a world: workers, desks that ask and cancel, subscribers, and what goes wrong by itself.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU32, AtomicU64, Ordering};

use futures::StreamExt;
use powerfill_app::{Clock, RunControl, RunProgress, Runner, RunnerError};
use powerfill_events::run::RunId;
use powerfill_ports::StoreError;
use powerfill_ports::events::{EventStore, StoredEvent};
use powerfill_ports::runs::RunStore;
use powerfill_snapshot::Snapshot;

use crate::books::{self, ask};
use crate::trace::Who;
use crate::way::Way;
use crate::world::{LEASE, Process, SKEW_MS, World, pass};

/// A machine with a worker on it, which is started again when it dies.
pub(crate) struct Machine {
    number: u64,
    skew: Arc<AtomicI64>,
    process: std::sync::Mutex<Option<Arc<Process>>>,
}

impl Machine {
    pub(crate) fn new(world: &World, number: u64) -> Arc<Self> {
        let skew = world.from(0, SKEW_MS / 2) as i64;
        Arc::new(Self {
            number,
            skew: Arc::new(AtomicI64::new(if world.one_in(2) { skew } else { 0 })),
            process: std::sync::Mutex::new(None),
        })
    }

    /// Its clock is right again.
    pub(crate) fn set_clock(&self) {
        self.skew.store(0, Ordering::Relaxed);
    }

    fn process(&self) -> Option<Arc<Process>> {
        self.process.lock().expect("nobody panics with it").clone()
    }

    /// Lives and dies and lives again.
    pub(crate) async fn lives(self: Arc<Self>, world: Arc<World>) {
        for life in 1.. {
            let who = Who { role: "worker", number: self.number, life };
            let process = Process::new(&world, who, &self.skew);
            *self.process.lock().expect("nobody panics with it") = Some(Arc::clone(&process));
            tokio::select! {
                biased;
                () = process.died() => {}
                () = works(&process) => {}
            }
            pass(world.from(10, 6_000)).await;
        }
    }
}

async fn works(process: &Arc<Process>) {
    let world = &process.world;
    let clock = Arc::clone(process) as Arc<dyn Clock>;
    let (way, who) = (Arc::new(Way::new(process)), process.who);
    // Not even every life of a worker has the same settings.
    let runner = Runner::new(way, clock, format!("worker {}", who.number), LEASE)
        .in_place()
        .with_events_per_append(world.from(1, 40));
    loop {
        process.gate().await;
        let (digest, snapshot) = in_memory(world).await.unzip();
        let in_memory = digest.as_deref().zip(snapshot);
        let control = RunControl::default();
        let observer = Arc::new(own_cancel(world, control.clone()));
        let worked = runner.work(in_memory, control, observer).await;
        match worked {
            Ok(Some(_)) => {}
            Ok(None) => pass(world.from(200, 3_000)).await,
            Err(error) => {
                world.tell(who, "work", "", name_of(&error));
                pass(world.from(10, 1_000)).await;
            }
        }
    }
}

/// Most workers have the snapshot of the run that is to be done, as one that asked for it has; some have another one.
async fn in_memory(world: &World) -> Option<(String, Arc<Snapshot>)> {
    if world.one_in(8) {
        return None;
    }
    let runs = world.store.runs().await.expect("the queue answers");
    let active = runs.iter().find(|run| !run.status.is_over());
    let book = active.map_or(books::SOUND, |active| world.state().books[&active.run_id]);
    Some(books::digest_and_snapshot(if world.one_in(8) { books::SOUND } else { book }))
}

fn name_of(error: &RunnerError) -> &'static str {
    match error {
        RunnerError::Store(StoreError::LeaseLost(_)) => "lease lost",
        RunnerError::Store(StoreError::Unavailable(_)) => "store away",
        RunnerError::Store(_) => "store failed",
        _ => "broken off",
    }
}

/// Some workers have a user who cancels the run, after any of its steps and first events.
fn own_cancel(world: &Arc<World>, control: RunControl) -> impl Fn(RunProgress<'_>) + use<> {
    let at = (!world.is_calm() && world.one_in(8)).then(|| world.from(1, 30) as u32);
    let (world, seen) = (Arc::clone(world), AtomicU32::new(0));
    move |_| {
        if at == Some(seen.fetch_add(1, Ordering::Relaxed) + 1) {
            world.count("a worker's own user cancels");
            let now = world.now();
            let mut state = world.state();
            let runs: Vec<RunId> = state.leases.keys().copied().collect();
            runs.into_iter().for_each(|run| {
                state.cancelled.entry(run).or_insert(now);
            });
            control.cancel("whoever works here");
        }
    }
}

/// Asks for a run until the store has said yes, in as many lives as it takes.
pub(crate) async fn asks(world: Arc<World>, number: u64, run: RunId, book: usize) {
    world.state().books.insert(run, book);
    for life in 1.. {
        let who = Who { role: "desk", number, life };
        let process = Process::new(&world, who, &Arc::new(AtomicI64::new(0)));
        let clock = Arc::clone(&process) as Arc<dyn Clock>;
        let runner = Runner::new(Arc::new(Way::new(&process)), clock, "desk".to_owned(), LEASE);
        let request = ask(run, book);
        let answer = tokio::select! {
            biased;
            () = process.died() => None,
            answer = runner.ask(&request) => Some(answer),
        };
        match answer {
            Some(Ok(_)) => return,
            Some(Err(RunnerError::Store(StoreError::RunActive(active)))) => {
                if active == run {
                    world.broken(|| format!("{run} was asked for again, and not recognised"));
                }
                world.count("an ask is refused while a run is active");
            }
            Some(Err(RunnerError::Store(error))) if error.is_transient() => {}
            Some(Err(error)) => world.broken(|| format!("asking for {run}: {error}")),
            None => {}
        }
        if world.found().is_some() {
            return;
        }
        pass(world.from(50, 3_000)).await;
    }
}

/// Waits until a run is over; the tenant must be free in time.
pub(crate) async fn over(world: &World, run: RunId) {
    loop {
        let found = world.store.run(run).await.expect("the queue answers");
        if found.is_some_and(|found| found.status.is_over()) || world.found().is_some() {
            return;
        }
        pass(200).await;
    }
}

/// Asks to cancel a run at some time.
pub(crate) async fn cancels(world: Arc<World>, number: u64, run: RunId) {
    let who = Who { role: "chief", number, life: 1 };
    let process = Process::new(&world, who, &Arc::new(AtomicI64::new(0)));
    let way = Way::new(&process);
    let asking = async {
        loop {
            match way.request_cancel(run, "chief").await {
                Ok(true) => {
                    world.count("a cancel is asked for");
                    return;
                }
                Ok(false) => return world.count("a cancel comes too late"),
                Err(_) => pass(100).await,
            }
        }
    };
    // Also one who dies, or is told no, may have been heard.
    world.state().cancelled.entry(run).or_insert(u64::MAX);
    tokio::select! {
        biased;
        () = process.died() => {}
        () = asking => {
            let now = world.now();
            world.state().cancelled.insert(run, now);
        }
    }
}

/// Follows the log, fast or slowly, and begins anew from what it remembers.
pub(crate) struct Subscriber {
    slow: bool,
    number: u64,
    pub(crate) position: AtomicU64,
    pub(crate) anew: AtomicBool,
}

impl Subscriber {
    pub(crate) fn new(number: u64) -> Arc<Self> {
        let (position, anew) = (AtomicU64::new(0), AtomicBool::new(false));
        Arc::new(Self { slow: number % 2 == 1, number, position, anew })
    }

    pub(crate) async fn follows(self: Arc<Self>, world: Arc<World>) {
        for life in 1.. {
            let who = Who { role: "subscriber", number: self.number, life };
            let process = Process::new(&world, who, &Arc::new(AtomicI64::new(0)));
            tokio::select! {
                biased;
                () = process.died() => {}
                () = self.reads(&process) => {}
            }
            world.count("fault: a subscriber begins anew");
            pass(world.from(10, 2_000)).await;
        }
    }

    async fn reads(&self, process: &Arc<Process>) {
        let (world, way) = (&process.world, Way::new(process));
        let after = self.position.load(Ordering::Relaxed);
        let mut batches =
            if self.slow && world.one_in(2) { way.read_all(after) } else { way.subscribe(after) };
        while let Some(Ok(batch)) = batches.next().await {
            // Which of those who wait for news is woken first is left to chance that no seed determines.
            pass(self.number).await;
            if self.anew.swap(false, Ordering::Relaxed) {
                return;
            }
            if self.slow {
                pass(world.from(1, 3_000)).await;
            }
            process.gate().await;
            batch.iter().for_each(|event| self.sees(world, event));
        }
    }

    fn sees(&self, world: &World, event: &StoredEvent) {
        let before = self.position.swap(event.global_position, Ordering::Relaxed);
        if event.global_position != before + 1 {
            let number = self.number;
            world.broken(|| {
                let position = event.global_position;
                format!("subscriber {number} sees position {position} after {before}")
            });
        }
    }
}

/// What goes wrong by itself until the world is calm.
pub(crate) async fn fate(
    world: Arc<World>,
    machines: Vec<Arc<Machine>>,
    all: Vec<Arc<Subscriber>>,
) {
    let lease = LEASE.as_millis() as u64;
    let rarity = world.state().rarity;
    loop {
        pass(world.from(50, 1_000 + rarity * 150)).await;
        if world.is_calm() {
            return;
        }
        let machine = &machines[world.from(0, machines.len() as u64 - 1) as usize];
        match world.from(0, 9) {
            0 | 1 => machine.process().into_iter().for_each(|process| process.kill()),
            2 | 3 => {
                let long = world.from(lease / 2, 3 * lease);
                machine.process().into_iter().for_each(|process| process.stand_still(long));
            }
            4 | 5 => jumps(&world, machine),
            6 | 7 => {
                // Some of them are longer than anybody is patient.
                let long = world.from(500, 30_000);
                world.count("fault: the store is away for long");
                world.state().away_until = world.now() + long;
            }
            _ => {
                let number = world.from(0, all.len() as u64 - 1) as usize;
                all[number].anew.store(true, Ordering::Relaxed);
            }
        }
    }
}

fn jumps(world: &World, machine: &Machine) {
    let to = world.from(0, SKEW_MS) as i64 - SKEW_MS as i64 / 2;
    let from = machine.skew.swap(to, Ordering::Relaxed);
    let how =
        if to < from { "fault: a clock jumps backward" } else { "fault: a clock jumps forward" };
    world.count(how);
    let who = Who { role: "worker", number: machine.number, life: 0 };
    world.tell(who, "clock jumps", if to < from { "backward" } else { "forward" }, "");
}
