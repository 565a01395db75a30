//! A wire between a client and the server that a test can cut or hold.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

/// Where a message is lost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ProxyFault {
    /// The server never gets it.
    DropRequest,
    /// The server acts on it, and its answer is lost.
    DropResponse,
    /// Nothing is lost: the message is held back with everything after it, on all connections.
    Stall,
}

#[derive(Default)]
struct Plan {
    /// Messages of the client until the cut; 0 for none.
    left: AtomicUsize,
    cut: Mutex<Option<ProxyFault>>,
    was_cut: watch::Sender<bool>,
}

/// A port that passes everything on to another one.
pub struct TcpProxy {
    port: u16,
    plan: Arc<Plan>,
    /// Each new number ends the connections that are there.
    cuts: watch::Sender<u32>,
    /// Whether what comes is held back.
    stalled: watch::Sender<bool>,
}

impl TcpProxy {
    /// To a port of this machine.
    ///
    /// # Panics
    /// Where no port is free.
    pub async fn to_port(port: u16) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("a free port");
        let own = listener.local_addr().expect("a port").port();
        let proxy = Self {
            port: own,
            plan: Arc::default(),
            cuts: watch::Sender::new(0),
            stalled: watch::Sender::new(false),
        };
        let (plan, cuts, stalled) =
            (Arc::clone(&proxy.plan), proxy.cuts.clone(), proxy.stalled.clone());
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let Ok(server) = TcpStream::connect(("127.0.0.1", port)).await else { continue };
                tokio::spawn(pass_on(
                    client,
                    server,
                    Arc::clone(&plan),
                    cuts.subscribe(),
                    stalled.clone(),
                ));
            }
        });
        proxy
    }

    /// The port to connect to.
    pub const fn port(&self) -> u16 {
        self.port
    }

    /// Cuts the connection that sends the n-th packet from now on.
    pub fn fail_at_message(&self, message: usize, cut: ProxyFault) {
        *self.plan.cut.lock().expect("nobody panics with it") = Some(cut);
        self.plan.left.store(message, Ordering::SeqCst);
    }

    /// Whether that has happened.
    pub fn has_failed(&self) -> bool {
        *self.plan.was_cut.borrow()
    }

    /// Waits until it has.
    pub async fn wait_for_fault(&self) {
        let _ = self.plan.was_cut.subscribe().wait_for(|cut| *cut).await;
    }

    /// Holds everything back, in both directions; connections stay.
    pub fn stall(&self) {
        self.stalled.send_replace(true);
    }

    /// Lets go what was held back, as if it had only been slow.
    pub fn resume(&self) {
        self.stalled.send_replace(false);
    }

    /// Ends the connections that are there; new ones are passed on.
    pub fn disconnect_all(&self) {
        self.stalled.send_replace(false);
        self.cuts.send_modify(|number| *number += 1);
    }
}

impl Plan {
    /// Counts a packet of the client; how to cut at it, where it is the one.
    fn count(&self) -> Option<ProxyFault> {
        let count = |left: usize| left.checked_sub(1);
        let before = self.left.fetch_update(Ordering::SeqCst, Ordering::SeqCst, count);
        if before != Ok(1) {
            return None;
        }
        self.was_cut.send_replace(true);
        *self.cut.lock().expect("nobody panics with it")
    }
}

async fn pass_on(
    client: TcpStream,
    server: TcpStream,
    plan: Arc<Plan>,
    mut cuts: watch::Receiver<u32>,
    stalled: watch::Sender<bool>,
) {
    cuts.mark_unchanged();
    let (mut from_client, mut to_client) = client.into_split();
    let (mut from_server, mut to_server) = server.into_split();
    let mut held = (stalled.subscribe(), stalled.subscribe());
    // What the server says from now on is lost, and the connection with it.
    let deaf = AtomicBool::new(false);
    let up = async {
        let mut buffer = vec![0; 64 * 1024];
        loop {
            let Ok(count @ 1..) = from_client.read(&mut buffer).await else { return };
            let cut = plan.count();
            if cut == Some(ProxyFault::Stall) {
                stalled.send_replace(true);
            }
            let _ = held.0.wait_for(|held| !held).await;
            if cut == Some(ProxyFault::DropRequest) {
                return;
            }
            if to_server.write_all(&buffer[..count]).await.is_err() {
                return;
            }
            if cut == Some(ProxyFault::DropResponse) {
                deaf.store(true, Ordering::SeqCst);
            }
        }
    };
    let down = async {
        let mut buffer = vec![0; 64 * 1024];
        loop {
            let Ok(count @ 1..) = from_server.read(&mut buffer).await else { return };
            let _ = held.1.wait_for(|held| !held).await;
            if deaf.load(Ordering::SeqCst) {
                return;
            }
            if to_client.write_all(&buffer[..count]).await.is_err() {
                return;
            }
        }
    };
    tokio::select! {
        () = up => {}
        () = down => {}
        _ = cuts.changed() => {}
    }
}
