//! The actors of a world: workers, desks that request and cancel runs, subscribers, and the faults
//! that do not come from a call.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU32, AtomicU64, Ordering};

use futures::StreamExt;
use powerfill_app::{AppError, Clock, RunControl, RunProgress, Runner};
use powerfill_events::run::RunId;
use powerfill_ports::StoreError;
use powerfill_ports::events::{EventStore, StoredEvent};
use powerfill_ports::runs::RunStore;
use powerfill_snapshot::Snapshot;
use powerfill_tables::table::LargeTables;
use powerfill_tests::all_runs::AllRuns;

use crate::books::{self, ask};
use crate::connection::StoreConnection;
use crate::trace::ProcessName;
use crate::world::{LEASE, Process, SKEW_MS, World, sleep_ms};

/// A machine with a worker process, which is restarted when it dies.
pub(crate) struct Machine {
    number: u64,
    skew: Arc<AtomicI64>,
    process: std::sync::Mutex<Option<Arc<Process>>>,
}

impl Machine {
    pub(crate) fn new(world: &World, number: u64) -> Arc<Self> {
        let skew = world.between(0, SKEW_MS / 2) as i64;
        Arc::new(Self {
            number,
            skew: Arc::new(AtomicI64::new(if world.one_in(2) { skew } else { 0 })),
            process: std::sync::Mutex::new(None),
        })
    }

    /// Sets the machine's clock right.
    pub(crate) fn reset_clock(&self) {
        self.skew.store(0, Ordering::Relaxed);
    }

    fn process(&self) -> Option<Arc<Process>> {
        self.process.lock().expect("no holder panics").clone()
    }

    /// Runs one worker process after another.
    pub(crate) async fn run_processes(self: Arc<Self>, world: Arc<World>) {
        for life in 1.. {
            let name = ProcessName { role: "worker", number: self.number, life };
            let process = Process::new(&world, name, &self.skew);
            *self.process.lock().expect("no holder panics") = Some(Arc::clone(&process));
            tokio::select! {
                biased;
                () = process.died() => {}
                () = run_worker(&process) => {}
            }
            sleep_ms(world.between(10, 6_000)).await;
        }
    }
}

async fn run_worker(process: &Arc<Process>) {
    let world = &process.world;
    let clock = Arc::clone(process) as Arc<dyn Clock>;
    let (connection, name) = (Arc::new(StoreConnection::new(process)), process.name);
    // Each process of a worker has other settings.
    let runner = Runner::new(connection, clock, format!("worker {}", name.number), LEASE)
        .in_place()
        .with_events_per_append(world.between(1, 40))
        .with_large_tables(match name.life % 2 {
            0 => LargeTables::Built,
            _ => LargeTables::Stored,
        });
    loop {
        process.wait_while_paused().await;
        let (digest, snapshot) = in_memory(world).await.unzip();
        let in_memory = digest.as_deref().zip(snapshot);
        let control = RunControl::default();
        let observer = Arc::new(own_cancel(world, control.clone()));
        let worked = runner.work(in_memory, control, observer).await;
        match worked {
            Ok(Some(_)) => {}
            Ok(None) => sleep_ms(world.between(200, 3_000)).await,
            Err(error) => {
                world.record(name, "work", "", name_of(&error));
                sleep_ms(world.between(10, 1_000)).await;
            }
        }
    }
}

/// The snapshot that a worker has in memory: mostly that of the active run, as a worker that
/// requested the run has; sometimes another one, or none.
async fn in_memory(world: &World) -> Option<(String, Arc<Snapshot>)> {
    if world.one_in(8) {
        return None;
    }
    let runs = world.store.all_runs().await.expect("the queue answers");
    let active = runs.iter().find(|run| !run.status.is_over());
    let book = active.map_or(books::SOUND, |active| world.state().books[&active.run_id]);
    Some(books::digest_and_snapshot(if world.one_in(8) { books::SOUND } else { book }))
}

fn name_of(error: &AppError) -> &'static str {
    match error {
        AppError::Store(StoreError::LeaseLost(_)) => "lease lost",
        AppError::Store(StoreError::Unavailable(_)) => "store away",
        AppError::Store(_) => "store failed",
        _ => "broken off",
    }
}

/// A worker whose own user sometimes cancels the run, after any of its steps and first events.
fn own_cancel(world: &Arc<World>, control: RunControl) -> impl Fn(RunProgress<'_>) + use<> {
    let at = (!world.is_calm() && world.one_in(8)).then(|| world.between(1, 30) as u32);
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
            control.cancel("the worker's user");
        }
    }
}

/// Requests a run until the store accepts it, with as many processes as that takes.
pub(crate) async fn request_run(world: Arc<World>, number: u64, run: RunId, book: usize) {
    world.state().books.insert(run, book);
    for life in 1.. {
        let name = ProcessName { role: "desk", number, life };
        let process = Process::new(&world, name, &Arc::new(AtomicI64::new(0)));
        let clock = Arc::clone(&process) as Arc<dyn Clock>;
        let runner =
            Runner::new(Arc::new(StoreConnection::new(&process)), clock, "desk".to_owned(), LEASE);
        let request = ask(run, book);
        let answer = tokio::select! {
            biased;
            () = process.died() => None,
            answer = runner.request(&request) => Some(answer),
        };
        match answer {
            Some(Ok(_)) => return,
            Some(Err(AppError::Store(StoreError::RunActive(active)))) => {
                if active == run {
                    world.report(|| format!("{run} was asked for again, and not recognised"));
                }
                world.count("an ask is refused while a run is active");
            }
            Some(Err(AppError::Store(error))) if error.is_transient() => {}
            Some(Err(error)) => world.report(|| format!("asking for {run}: {error}")),
            None => {}
        }
        if world.violation().is_some() {
            return;
        }
        sleep_ms(world.between(50, 3_000)).await;
    }
}

/// Waits until a run is over, or until a check has failed.
pub(crate) async fn wait_until_over(world: &World, run: RunId) {
    loop {
        let found = world.store.run(run).await.expect("the queue answers");
        if found.is_some_and(|found| found.status.is_over()) || world.violation().is_some() {
            return;
        }
        sleep_ms(200).await;
    }
}

/// Requests the cancel of a run.
pub(crate) async fn cancel_run(world: Arc<World>, number: u64, run: RunId) {
    let name = ProcessName { role: "chief", number, life: 1 };
    let process = Process::new(&world, name, &Arc::new(AtomicI64::new(0)));
    let connection = StoreConnection::new(&process);
    let asking = async {
        loop {
            match connection.request_cancel(run, "chief").await {
                Ok(true) => {
                    world.count("a cancel is asked for");
                    return;
                }
                Ok(false) => return world.count("a cancel comes too late"),
                Err(_) => sleep_ms(100).await,
            }
        }
    };
    // The store can have recorded the request also where the process dies or gets an error.
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

/// Reads the log, fast or slowly, and restarts from its last position.
pub(crate) struct Subscriber {
    slow: bool,
    number: u64,
    pub(crate) position: AtomicU64,
    pub(crate) restart: AtomicBool,
}

impl Subscriber {
    pub(crate) fn new(number: u64) -> Arc<Self> {
        let (position, restart) = (AtomicU64::new(0), AtomicBool::new(false));
        Arc::new(Self { slow: number % 2 == 1, number, position, restart })
    }

    pub(crate) async fn run_subscriber(self: Arc<Self>, world: Arc<World>) {
        for life in 1.. {
            let name = ProcessName { role: "subscriber", number: self.number, life };
            let process = Process::new(&world, name, &Arc::new(AtomicI64::new(0)));
            tokio::select! {
                biased;
                () = process.died() => {}
                () = self.read(&process) => {}
            }
            world.count("fault: a subscriber restarts");
            sleep_ms(world.between(10, 2_000)).await;
        }
    }

    async fn read(&self, process: &Arc<Process>) {
        let (world, connection) = (&process.world, StoreConnection::new(process));
        let after = self.position.load(Ordering::Relaxed);
        let mut batches = if self.slow && world.one_in(2) {
            connection.read_all(after)
        } else {
            connection.subscribe(after)
        };
        while let Some(Ok(batch)) = batches.next().await {
            // The seed does not determine the order in which waiting readers wake, so each waits
            // for a time of its own.
            sleep_ms(self.number).await;
            if self.restart.swap(false, Ordering::Relaxed) {
                return;
            }
            if self.slow {
                sleep_ms(world.between(1, 3_000)).await;
            }
            process.wait_while_paused().await;
            batch.iter().for_each(|event| self.check_position(world, event));
        }
    }

    fn check_position(&self, world: &World, event: &StoredEvent) {
        let before = self.position.swap(event.global_position, Ordering::Relaxed);
        if event.global_position != before + 1 {
            let number = self.number;
            world.report(|| {
                let position = event.global_position;
                format!("subscriber {number} sees position {position} after {before}")
            });
        }
    }
}

/// Injects the faults that do not come from a call, until the world is calm.
pub(crate) async fn inject_faults(
    world: Arc<World>,
    machines: Vec<Arc<Machine>>,
    all: Vec<Arc<Subscriber>>,
) {
    let lease = LEASE.as_millis() as u64;
    let rarity = world.state().rarity;
    loop {
        sleep_ms(world.between(50, 1_000 + rarity * 150)).await;
        if world.is_calm() {
            return;
        }
        let machine = &machines[world.between(0, machines.len() as u64 - 1) as usize];
        match world.between(0, 9) {
            0 | 1 => machine.process().into_iter().for_each(|process| process.kill()),
            2 | 3 => {
                let long = world.between(lease / 2, 3 * lease);
                machine.process().into_iter().for_each(|process| process.pause(long));
            }
            4 | 5 => jump_clock(&world, machine),
            6 | 7 => {
                // Some outages are longer than any retry.
                let long = world.between(500, 30_000);
                world.count("fault: the store is away for long");
                world.state().away_until = world.now() + long;
            }
            _ => {
                let number = world.between(0, all.len() as u64 - 1) as usize;
                all[number].restart.store(true, Ordering::Relaxed);
            }
        }
    }
}

fn jump_clock(world: &World, machine: &Machine) {
    let to = world.between(0, SKEW_MS) as i64 - SKEW_MS as i64 / 2;
    let from = machine.skew.swap(to, Ordering::Relaxed);
    let how =
        if to < from { "fault: a clock jumps backward" } else { "fault: a clock jumps forward" };
    world.count(how);
    let name = ProcessName { role: "worker", number: machine.number, life: 0 };
    world.record(name, "clock jumps", if to < from { "backward" } else { "forward" }, "");
}
