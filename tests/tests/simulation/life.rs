//! The life of a world, from its seed to what was found.

use std::sync::Arc;
use std::time::Duration;

use powerfill_ports::events::EventStore;
use powerfill_ports::runs::RunStore;
use tokio::task::JoinSet;
use tokio::time::timeout;

use crate::actors::{Machine, Subscriber, asks, cancels, fate, over};
use crate::books::{BOOKS, SOUND, run};
use crate::checks;
use crate::mutants::Mutant;
use crate::trace::{Counts, Entry, Who};
use crate::world::{LEASE, SKEW_MS, World, pass};

/// What came of a seed.
pub(crate) struct Life {
    /// The first thing that must never be, where there is one.
    pub(crate) found: Option<String>,
    pub(crate) trace: Vec<Entry>,
    pub(crate) counts: Counts,
}

/// Until when faults come at most, in virtual milliseconds.
const STORMS_MS: u64 = 40_000;
/// When all must be over: the clocks may be so far apart, and a call may hang, or a process stand still, for four leases.
const OVER_MS: u64 = STORMS_MS + 4 * SKEW_MS + 20 * LEASE.as_millis() as u64;

/// Lives through a seed.
pub(crate) fn live(seed: u64, mutant: Option<Mutant>) -> Life {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()
        .expect("a runtime");
    runtime.block_on(async {
        let world = World::new(seed, mutant);
        let mut tasks = JoinSet::new();
        let whole = timeout(Duration::from_millis(OVER_MS), lives(&world, &mut tasks)).await;
        if whole.is_err() {
            let runs = world.store.runs().await;
            world.broken(|| format!("the tenant is not free in time: {runs:?}"));
        }
        tasks.shutdown().await;
        if world.found().is_none() {
            checks::in_the_end(&world).await;
        }
        let found = world.found();
        let mut state = world.state();
        Life {
            found,
            trace: std::mem::take(&mut state.trace),
            counts: std::mem::take(&mut state.counts),
        }
    })
}

async fn lives(world: &Arc<World>, tasks: &mut JoinSet<()>) {
    let machines: Vec<_> =
        (1..=world.from(2, 4)).map(|number| Machine::new(world, number)).collect();
    for machine in &machines {
        tasks.spawn(Arc::clone(machine).lives(Arc::clone(world)));
    }
    let subscribers: Vec<_> = (1..=2).map(Subscriber::new).collect();
    for subscriber in &subscribers {
        tasks.spawn(Arc::clone(subscriber).follows(Arc::clone(world)));
    }
    tasks.spawn(fate(Arc::clone(world), machines.clone(), subscribers.clone()));
    let calm_at = world.from(STORMS_MS / 6, STORMS_MS);
    let storm = Arc::clone(world);
    tasks.spawn(async move {
        pass(calm_at).await;
        storm.state().calm = true;
        storm.tell(Who { role: "world", number: 0, life: 0 }, "is calm", "", "");
    });
    for number in 1..=world.from(1, 3) {
        one_run(world, tasks, number).await;
    }
    world.state().calm = true;
    // Nothing from before is on its way any more.
    pass(4 * LEASE.as_millis() as u64).await;
    nothing_goes_on(world).await;
    machines.iter().for_each(|machine| machine.set_clock());
    in_the_calm(world).await;
    have_seen_everything(world, &subscribers).await;
}

/// A run is asked for, perhaps by two at once, or another one beside it; perhaps it is cancelled.
async fn one_run(world: &Arc<World>, tasks: &mut JoinSet<()>, number: u64) {
    let (this, book) = (run(number), world.from(0, BOOKS as u64 - 1) as usize);
    if world.one_in(4) {
        world.count("a run is asked for by two at once");
        tasks.spawn(asks(Arc::clone(world), 10 + number, this, book));
    }
    let rival = world.one_in(4).then(|| run(10 + number));
    if let Some(rival) = rival {
        world.count("two runs are asked for at once");
        let book = world.from(0, BOOKS as u64 - 1) as usize;
        tasks.spawn(asks(Arc::clone(world), 20 + number, rival, book));
    }
    if world.one_in(3) {
        let (later, asking) = (world.from(0, 4_000), Arc::clone(world));
        tasks.spawn(async move {
            while asking.store.run(this).await.expect("the queue answers").is_none() {
                pass(20).await;
            }
            pass(later).await;
            cancels(asking, number, this).await;
        });
    }
    asks(Arc::clone(world), number, this, book).await;
    over(world, this).await;
    if let Some(rival) = rival {
        over(world, rival).await;
    }
}

async fn nothing_goes_on(world: &World) {
    while world.found().is_none() {
        let runs = world.store.runs().await.expect("the queue answers");
        if runs.iter().all(|run| run.status.is_over()) {
            return;
        }
        pass(500).await;
    }
}

/// The tenant is free to run again, and a cancel takes effect within a second, but for the time of the calls themselves.
async fn in_the_calm(world: &Arc<World>) {
    let last = run(50);
    asks(Arc::clone(world), 50, last, SOUND).await;
    if world.one_in(2) {
        over(world, last).await;
        let status = world.store.run(last).await.expect("it answers").map(|run| run.status.name());
        if status != Some("Complete") {
            world.broken(|| format!("the last run is {status:?}, and nothing was in its way"));
        }
        return;
    }
    while world.store.run(last).await.expect("it answers").is_none_or(|run| run.worker.is_none()) {
        pass(5).await;
    }
    pass(world.from(0, 800)).await;
    cancels(Arc::clone(world), 50, last).await;
    let calls = 20 * world.state().latency;
    if timeout(Duration::from_millis(1_000 + calls), over(world, last)).await.is_err() {
        world.broken(|| "a cancel has not taken effect within a second".to_owned());
    }
}

async fn have_seen_everything(world: &World, subscribers: &[Arc<Subscriber>]) {
    let head = world.store.head().await.expect("the log answers").position;
    for subscriber in subscribers {
        while subscriber.position.load(std::sync::atomic::Ordering::Relaxed) < head {
            if world.found().is_some() {
                return;
            }
            pass(200).await;
        }
    }
}
