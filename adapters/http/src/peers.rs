//! The connections of each peer, so that one machine cannot take all connections.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::Arc;

use parking_lot::Mutex;

/// The number of connections per peer.
#[derive(Clone)]
pub(crate) struct PeerConnections {
    most: usize,
    counts: Arc<Mutex<HashMap<IpAddr, usize>>>,
}

/// A connection of a peer, which counts until this is dropped.
pub(crate) struct PeerConnection {
    peer: IpAddr,
    counts: Arc<Mutex<HashMap<IpAddr, usize>>>,
}

impl PeerConnections {
    pub(crate) fn new(most: usize) -> Self {
        Self { most, counts: Arc::default() }
    }

    /// Counts another connection of a peer; `None` if it has as many as it may have.
    pub(crate) fn admit(&self, address: IpAddr) -> Option<PeerConnection> {
        let peer = network(address);
        let mut counts = self.counts.lock();
        let count = counts.entry(peer).or_default();
        if *count >= self.most {
            return None;
        }
        *count += 1;
        Some(PeerConnection { peer, counts: Arc::clone(&self.counts) })
    }
}

impl Drop for PeerConnection {
    fn drop(&mut self) {
        let mut counts = self.counts.lock();
        if let Some(count) = counts.get_mut(&self.peer) {
            *count -= 1;
            if *count == 0 {
                counts.remove(&self.peer);
            }
        }
    }
}

/// One machine: an address of IPv4, or the network of 64 bits that a machine with IPv6 has.
fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => Ipv6Addr::from_bits(address.to_bits() >> 64 << 64).into(),
        address => address,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_machine_has_its_own_connections() {
        let peers = PeerConnections::new(2);
        let address = |text: &str| text.parse::<IpAddr>().unwrap();
        let one = [peers.admit(address("2001:db8::1")), peers.admit(address("2001:db8::2"))];
        assert!(one.iter().all(Option::is_some) && peers.admit(address("2001:db8::3")).is_none());
        assert!(peers.admit(address("2001:db8:0:1::1")).is_some(), "it is not counted any more");
        let other = [peers.admit(address("192.0.2.1")), peers.admit(address("::ffff:192.0.2.1"))];
        assert!(other.iter().all(Option::is_some) && peers.admit(address("192.0.2.1")).is_none());
        drop((one, other));
        assert!(peers.counts.lock().is_empty());
    }
}
