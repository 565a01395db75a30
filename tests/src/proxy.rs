//! A TCP proxy between a client and a server. A test can cut or stall the connections.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use parking_lot::Mutex;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

const BUFFER_BYTES: usize = 64 * 1024;

/// A fault of the network.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ProxyFault {
    /// The message does not reach the server, and its connection ends.
    DropRequest,
    /// The server gets the message. Its response is lost, and the connection ends.
    DropResponse,
    /// Nothing is lost: the message and everything after it is held back, on all connections.
    Stall,
}

/// The fault that is planned next.
#[derive(Default)]
struct Plan {
    /// Messages of the clients until now.
    count: AtomicUsize,
    /// Messages of the clients until the fault; 0 if no fault is planned.
    remaining: AtomicUsize,
    fault: Mutex<Option<ProxyFault>>,
    has_failed: watch::Sender<bool>,
}

/// What the connections of a proxy share.
#[derive(Clone)]
struct Shared {
    plan: Arc<Plan>,
    /// Each change ends the existing connections.
    disconnects: watch::Sender<u32>,
    is_stalled: watch::Sender<bool>,
    /// Whether anything was held back since the last stall began.
    holds_back: watch::Sender<bool>,
}

/// A port that forwards to another port.
pub struct TcpProxy {
    port: u16,
    shared: Shared,
}

impl TcpProxy {
    /// Forwards to a port of this machine.
    ///
    /// # Panics
    /// If no port is free.
    pub async fn to_port(port: u16) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("a free port");
        let own_port = listener.local_addr().expect("a port").port();
        let shared = Shared {
            plan: Arc::default(),
            disconnects: watch::Sender::new(0),
            is_stalled: watch::Sender::new(false),
            holds_back: watch::Sender::new(false),
        };
        let proxy = Self { port: own_port, shared: shared.clone() };
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let Ok(server) = TcpStream::connect(("127.0.0.1", port)).await else { continue };
                tokio::spawn(forward(client, server, shared.clone()));
            }
        });
        proxy
    }

    /// The port to connect to.
    pub const fn port(&self) -> u16 {
        self.port
    }

    /// Plans a fault at the n-th message that a client sends from now on. A message is what one
    /// read of the proxy returns.
    pub fn fail_at_message(&self, number: usize, fault: ProxyFault) {
        self.shared.plan.has_failed.send_replace(false);
        *self.shared.plan.fault.lock() = Some(fault);
        self.shared.plan.remaining.store(number, Ordering::SeqCst);
    }

    /// How many messages clients have sent until now.
    pub fn message_count(&self) -> usize {
        self.shared.plan.count.load(Ordering::SeqCst)
    }

    /// Whether the planned fault has happened.
    pub fn has_failed(&self) -> bool {
        *self.shared.plan.has_failed.borrow()
    }

    /// Waits until the planned fault has happened.
    pub async fn wait_for_fault(&self) {
        let _ = self.shared.plan.has_failed.subscribe().wait_for(|failed| *failed).await;
    }

    /// Holds everything back, in both directions. The connections stay.
    pub fn stall(&self) {
        self.shared.holds_back.send_replace(false);
        self.shared.is_stalled.send_replace(true);
    }

    /// Waits until a stalled proxy holds something back.
    pub async fn wait_until_holding(&self) {
        let _ = self.shared.holds_back.subscribe().wait_for(|holds| *holds).await;
    }

    /// Forwards what was held back, as if the network had only been slow.
    pub fn resume(&self) {
        self.shared.is_stalled.send_replace(false);
    }

    /// Ends the existing connections, and forwards new ones.
    pub fn disconnect_all(&self) {
        self.shared.is_stalled.send_replace(false);
        self.shared.disconnects.send_modify(|number| *number += 1);
    }
}

impl Plan {
    /// Counts a message of a client. Returns the fault that happens at this message, if one does.
    fn count_message(&self) -> Option<ProxyFault> {
        self.count.fetch_add(1, Ordering::SeqCst);
        let decrement = |remaining: usize| remaining.checked_sub(1);
        let before = self.remaining.fetch_update(Ordering::SeqCst, Ordering::SeqCst, decrement);
        if before != Ok(1) {
            return None;
        }
        self.has_failed.send_replace(true);
        *self.fault.lock()
    }
}

impl Shared {
    /// Waits while the proxy is stalled.
    async fn hold_back(&self) {
        let mut is_stalled = self.is_stalled.subscribe();
        if *is_stalled.borrow_and_update() {
            self.holds_back.send_replace(true);
        }
        let _ = is_stalled.wait_for(|stalled| !stalled).await;
    }
}

async fn forward(client: TcpStream, server: TcpStream, shared: Shared) {
    let mut disconnects = shared.disconnects.subscribe();
    let (mut from_client, mut to_client) = client.into_split();
    let (mut from_server, mut to_server) = server.into_split();
    // The next response is lost, and the connection with it.
    let drops_response = AtomicBool::new(false);
    let requests = async {
        let mut buffer = vec![0; BUFFER_BYTES];
        loop {
            let Ok(count @ 1..) = from_client.read(&mut buffer).await else { return };
            let fault = shared.plan.count_message();
            if fault == Some(ProxyFault::Stall) {
                shared.is_stalled.send_replace(true);
            }
            shared.hold_back().await;
            if fault == Some(ProxyFault::DropRequest) {
                return;
            }
            if to_server.write_all(&buffer[..count]).await.is_err() {
                return;
            }
            if fault == Some(ProxyFault::DropResponse) {
                drops_response.store(true, Ordering::SeqCst);
            }
        }
    };
    let responses = async {
        let mut buffer = vec![0; BUFFER_BYTES];
        loop {
            let Ok(count @ 1..) = from_server.read(&mut buffer).await else { return };
            shared.hold_back().await;
            if drops_response.load(Ordering::SeqCst) {
                return;
            }
            if to_client.write_all(&buffer[..count]).await.is_err() {
                return;
            }
        }
    };
    tokio::select! {
        () = requests => {}
        () = responses => {}
        _ = disconnects.changed() => {}
    }
}
