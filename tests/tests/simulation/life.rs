//! The simulation of one seed.

use std::sync::Arc;
use std::time::Duration;

use powerfill_ports::events::EventStore;
use powerfill_ports::runs::RunStore;
use powerfill_tests::all_runs::AllRuns;
use tokio::task::JoinSet;
use tokio::time::timeout;

use crate::actors::{Machine, Subscriber, cancel_run, inject_faults, request_run, wait_until_over};
use crate::books::{BOOKS, SOUND, run};
use crate::checks;
use crate::mutants::Mutant;
use crate::trace::{EventCounts, ProcessName, TraceEntry};
use crate::world::{LEASE, SKEW_MS, World, sleep_ms};

pub(crate) struct SeedResult {
    /// The first violation.
    pub(crate) found: Option<String>,
    pub(crate) trace: Vec<TraceEntry>,
    pub(crate) counts: EventCounts,
}

/// The last time of a fault, in virtual milliseconds.
const STORMS_MS: u64 = 40_000;
/// The end of the simulation. Clocks can differ by `SKEW_MS`, and a call or a process can hang for
/// four leases.
const OVER_MS: u64 = STORMS_MS + 4 * SKEW_MS + 20 * LEASE.as_millis() as u64;

/// Simulates a seed.
pub(crate) fn run_seed(seed: u64, mutant: Option<Mutant>) -> SeedResult {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()
        .expect("a runtime");
    runtime.block_on(async {
        let world = World::new(seed, mutant);
        let mut tasks = JoinSet::new();
        let whole =
            timeout(Duration::from_millis(OVER_MS), run_processes(&world, &mut tasks)).await;
        if whole.is_err() {
            let runs = world.store.all_runs().await;
            world.report(|| format!("the tenant is not free in time: {runs:?}"));
        }
        tasks.shutdown().await;
        if world.violation().is_none() {
            checks::check_end(&world).await;
        }
        let found = world.violation();
        let mut state = world.state();
        SeedResult {
            found,
            trace: std::mem::take(&mut state.trace),
            counts: std::mem::take(&mut state.counts),
        }
    })
}

async fn run_processes(world: &Arc<World>, tasks: &mut JoinSet<()>) {
    let machines: Vec<_> =
        (1..=world.between(2, 4)).map(|number| Machine::new(world, number)).collect();
    for machine in &machines {
        tasks.spawn(Arc::clone(machine).run_processes(Arc::clone(world)));
    }
    let subscribers: Vec<_> = (1..=2).map(Subscriber::new).collect();
    for subscriber in &subscribers {
        tasks.spawn(Arc::clone(subscriber).run_subscriber(Arc::clone(world)));
    }
    tasks.spawn(inject_faults(Arc::clone(world), machines.clone(), subscribers.clone()));
    let calm_at = world.between(STORMS_MS / 6, STORMS_MS);
    let storm = Arc::clone(world);
    tasks.spawn(async move {
        sleep_ms(calm_at).await;
        storm.state().calm = true;
        storm.record(ProcessName { role: "world", number: 0, life: 0 }, "is calm", "", "");
    });
    for number in 1..=world.between(1, 3) {
        simulate_run(world, tasks, number).await;
    }
    world.state().calm = true;
    // No earlier call is still on its way.
    sleep_ms(4 * LEASE.as_millis() as u64).await;
    wait_until_all_over(world).await;
    machines.iter().for_each(|machine| machine.reset_clock());
    run_without_faults(world).await;
    wait_for_subscribers(world, &subscribers).await;
}

/// Requests a run, sometimes twice at once, or beside another run; sometimes cancels it.
async fn simulate_run(world: &Arc<World>, tasks: &mut JoinSet<()>, number: u64) {
    let (this, book) = (run(number), world.between(0, BOOKS as u64 - 1) as usize);
    if world.one_in(4) {
        world.count("a run is asked for by two at once");
        tasks.spawn(request_run(Arc::clone(world), 10 + number, this, book));
    }
    let rival = world.one_in(4).then(|| run(10 + number));
    if let Some(rival) = rival {
        world.count("two runs are asked for at once");
        let book = world.between(0, BOOKS as u64 - 1) as usize;
        tasks.spawn(request_run(Arc::clone(world), 20 + number, rival, book));
    }
    if world.one_in(3) {
        let (later, asking) = (world.between(0, 4_000), Arc::clone(world));
        tasks.spawn(async move {
            while asking.store.run(this).await.expect("the queue answers").is_none() {
                sleep_ms(20).await;
            }
            sleep_ms(later).await;
            cancel_run(asking, number, this).await;
        });
    }
    request_run(Arc::clone(world), number, this, book).await;
    wait_until_over(world, this).await;
    if let Some(rival) = rival {
        wait_until_over(world, rival).await;
    }
}

async fn wait_until_all_over(world: &World) {
    while world.violation().is_none() {
        let runs = world.store.all_runs().await.expect("the queue answers");
        if runs.iter().all(|run| run.status.is_over()) {
            return;
        }
        sleep_ms(500).await;
    }
}

/// Without faults, the tenant can run again, and a cancel takes effect within a second plus the
/// time of the calls.
async fn run_without_faults(world: &Arc<World>) {
    let last = run(50);
    request_run(Arc::clone(world), 50, last, SOUND).await;
    if world.one_in(2) {
        wait_until_over(world, last).await;
        let status = world.store.run(last).await.expect("it answers").map(|run| run.status.name());
        if status != Some("Complete") {
            world.report(|| format!("the last run is {status:?}, and there were no faults"));
        }
        return;
    }
    while world.store.run(last).await.expect("it answers").is_none_or(|run| run.worker.is_none()) {
        sleep_ms(5).await;
    }
    sleep_ms(world.between(0, 800)).await;
    cancel_run(Arc::clone(world), 50, last).await;
    let calls = 20 * world.state().latency;
    if timeout(Duration::from_millis(1_000 + calls), wait_until_over(world, last)).await.is_err() {
        world.report(|| "a cancel has not taken effect within a second".to_owned());
    }
}

async fn wait_for_subscribers(world: &World, subscribers: &[Arc<Subscriber>]) {
    let head = world.store.head().await.expect("the log answers").position;
    for subscriber in subscribers {
        while subscriber.position.load(std::sync::atomic::Ordering::Relaxed) < head {
            if world.violation().is_some() {
                return;
            }
            sleep_ms(200).await;
        }
    }
}
