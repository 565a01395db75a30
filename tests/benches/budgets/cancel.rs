//! Measures how long a cancel takes at any moment of a run, also on a busy machine.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use crate::http::{Server, millis};
use crate::row;

/// The moments of a run at which it is cancelled.
const MOMENTS: u32 = 20;

/// Cancels runs of a book, on an idle machine and beside two busy loops per core.
pub(crate) async fn bench(powerfill: &Path, book: &Path, scale: &str) {
    let folder = tempfile::tempdir().unwrap();
    let url = format!("sqlite:{}", folder.path().join("cancelled.db").display());
    let server = Server::start(powerfill, "GENERATED", &url, book, &[]);
    // The first run creates the store.
    whole_run(&server).await;
    let lasts = whole_run(&server).await;
    cancels(&server, lasts, scale, "").await;
    let busy = Busy::start();
    let lasts = whole_run(&server).await;
    cancels(&server, lasts, scale, ", beside two busy loops per core").await;
    drop(busy);
}

/// The time from the request of a run to its end.
async fn whole_run(server: &Server) -> Duration {
    let begun = Instant::now();
    let path = server.request_run().await;
    assert_eq!(server.end_of(&path).await, "Complete");
    begun.elapsed()
}

/// Cancels a run at each moment, and prints how long the answers took.
async fn cancels(server: &Server, lasts: Duration, scale: &str, beside: &str) {
    let (mut times, mut over) = (Vec::new(), 0);
    for moment in 0..MOMENTS {
        let path = server.request_run().await;
        tokio::time::sleep(lasts * moment / MOMENTS).await;
        let mut connection = server.connect().await;
        let begun = Instant::now();
        let (status, _) = connection.request("POST", &format!("{path}/cancel"), "").await;
        times.push(begun.elapsed().as_micros());
        let ended = server.end_of(&path).await;
        match status {
            202 => assert_eq!(ended, "Cancelled"),
            409 => over += 1,
            other => panic!("{path}: {other}"),
        }
    }
    times.sort_unstable();
    let measured = format!(
        "median {}, longest {}; {over} of {MOMENTS} were over, the whole run takes {}",
        millis(times[times.len() / 2]),
        millis(times[times.len() - 1]),
        crate::seconds(lasts.as_micros()),
    );
    row(&format!("cancel at any moment of a run, `{scale}`{beside}"), "1 s", &measured);
}

/// Two busy loops per core, until this is dropped.
struct Busy {
    stop: Arc<AtomicBool>,
    threads: Vec<std::thread::JoinHandle<()>>,
}

impl Busy {
    fn start() -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let loops = 2 * std::thread::available_parallelism().unwrap().get();
        let threads = (0..loops).map(|_| {
            let stop = Arc::clone(&stop);
            std::thread::spawn(move || {
                while !stop.load(Ordering::Relaxed) {
                    std::hint::spin_loop();
                }
            })
        });
        Self { threads: threads.collect(), stop }
    }
}

impl Drop for Busy {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        self.threads.drain(..).for_each(|thread| thread.join().unwrap());
    }
}
