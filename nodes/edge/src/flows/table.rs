//! The connections that are open, by their tokens and by their far ends.

use std::{
    collections::{BTreeMap, HashMap},
    net::{IpAddr, SocketAddr},
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
};

use bytes::Bytes;
use mangrove_sip::Destination;
use parking_lot::{Mutex, RwLock};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use crate::{metrics::CONNECTIONS, options::Limits};

/// One connection.
#[derive(Debug)]
pub(crate) struct Flow {
    pub(crate) token: String,
    pub(crate) remote: SocketAddr,
    /// Set when the far end opened it: only those count against one address's limit.
    accepted: bool,
    outbox: mpsc::Sender<Packet>,
    /// Ends the connection's tasks.
    pub(crate) close: CancellationToken,
    trusted: AtomicBool,
    heard_by: Mutex<BTreeMap<Arc<str>, u64>>,
}

/// Bytes for the far end.
#[derive(Debug)]
pub(crate) struct Packet {
    pub(crate) bytes: Bytes,
    /// Of a request: what to call failed when the bytes can't be written.
    pub(crate) destination: Option<Destination>,
}

impl Flow {
    /// Queues bytes. Err gives them back: the far end does not read, or the connection has ended.
    pub(crate) fn send(&self, packet: Packet) -> Result<(), Packet> {
        self.outbox.try_send(packet).map_err(|error| {
            self.close.cancel();
            error.into_inner()
        })
    }

    /// Notes that a tenant was told of this flow and will want to hear of its end.
    pub(crate) fn heard_by(&self, tenant: &Arc<str>, group: u64) {
        self.heard_by.lock().insert(tenant.clone(), group);
    }

    /// From now on it may be silent: its far end has proven who it is. Naming a leg of ours proves nothing.
    pub(crate) fn trust(&self) {
        self.trusted.store(true, Ordering::Relaxed);
    }

    /// Whether its far end has proven who it is, or was called by us.
    pub(crate) fn is_trusted(&self) -> bool {
        self.trusted.load(Ordering::Relaxed)
    }

    /// Every tenant that heard of it, with its group.
    pub(crate) fn audience(&self) -> Vec<(Arc<str>, u64)> {
        self.heard_by.lock().iter().map(|(tenant, group)| (tenant.clone(), *group)).collect()
    }
}

/// Why there is no connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Full {
    #[error("connections")]
    Connections,
    #[error("connections_per_source")]
    Source,
}

#[derive(Debug)]
pub(crate) struct Flows {
    /// In front of every token: tokens of another run, or of another edge, are never ours.
    prefix: String,
    next: AtomicU64,
    limit: usize,
    limit_per_source: usize,
    write_queue: usize,
    open: RwLock<Open>,
}

#[derive(Debug, Default)]
struct Open {
    by_token: HashMap<String, Arc<Flow>>,
    by_remote: HashMap<SocketAddr, Arc<Flow>>,
    accepted_from: HashMap<IpAddr, usize>,
}

impl Flows {
    pub(crate) fn new(node: &str, run: u64, limits: &Limits) -> Self {
        Self {
            prefix: format!("{node}-{run:x}-"),
            next: AtomicU64::new(1),
            limit: limits.connections,
            limit_per_source: limits.connections_per_source,
            write_queue: limits.write_queue.max(1),
            open: RwLock::default(),
        }
    }

    /// A new flow and the end from which its task takes what is to be written.
    pub(crate) fn add(
        &self,
        remote: SocketAddr,
        accepted: bool,
    ) -> Result<(Arc<Flow>, mpsc::Receiver<Packet>), Full> {
        let mut open = self.open.write();
        if open.by_token.len() >= self.limit {
            return Err(Full::Connections);
        }
        if accepted && !open.count(remote.ip(), self.limit_per_source) {
            return Err(Full::Source);
        }
        let (outbox, packets) = mpsc::channel(self.write_queue);
        let flow = Arc::new(Flow {
            token: format!("{}{:x}", self.prefix, self.next.fetch_add(1, Ordering::Relaxed)),
            remote,
            accepted,
            outbox,
            close: CancellationToken::new(),
            trusted: AtomicBool::new(!accepted),
            heard_by: Mutex::default(),
        });
        open.by_token.insert(flow.token.clone(), flow.clone());
        open.by_remote.insert(remote, flow.clone());
        metrics::gauge!(CONNECTIONS).increment(1);
        Ok((flow, packets))
    }

    /// Forgets a flow whose connection ended.
    pub(crate) fn remove(&self, flow: &Arc<Flow>) {
        let mut open = self.open.write();
        if open.by_token.remove(&flow.token).is_none() {
            return;
        }
        if open.by_remote.get(&flow.remote).is_some_and(|other| Arc::ptr_eq(other, flow)) {
            open.by_remote.remove(&flow.remote);
        }
        if flow.accepted {
            open.uncount(flow.remote.ip());
        }
        metrics::gauge!(CONNECTIONS).decrement(1);
    }

    pub(crate) fn by_token(&self, token: &str) -> Option<Arc<Flow>> {
        self.open.read().by_token.get(token).cloned()
    }

    pub(crate) fn by_remote(&self, remote: SocketAddr) -> Option<Arc<Flow>> {
        self.open.read().by_remote.get(&remote).cloned()
    }

    pub(crate) fn len(&self) -> usize {
        self.open.read().by_token.len()
    }
}

impl Open {
    /// Counts one more accepted connection. False: the address has its share already.
    fn count(&mut self, address: IpAddr, limit: usize) -> bool {
        let count = self.accepted_from.entry(address).or_default();
        let free = *count < limit;
        *count += usize::from(free);
        free
    }

    fn uncount(&mut self, address: IpAddr) {
        if let Some(count) = self.accepted_from.get_mut(&address) {
            *count -= 1;
            if *count == 0 {
                self.accepted_from.remove(&address);
            }
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn flows(connections: usize, connections_per_source: usize) -> Flows {
        Flows::new("a", 7, &Limits { connections, connections_per_source, ..Limits::default() })
    }

    fn remote(host: u8, port: u16) -> SocketAddr {
        SocketAddr::from(([192, 0, 2, host], port))
    }

    #[test]
    fn limits_hold_and_free_up() {
        let flows = flows(3, 2);
        let (first, _packets) = flows.add(remote(1, 1), true).unwrap();
        flows.add(remote(1, 2), true).unwrap();
        assert_eq!(flows.add(remote(1, 3), true).unwrap_err(), Full::Source);
        flows.add(remote(1, 4), false).unwrap();
        assert_eq!(flows.add(remote(2, 1), true).unwrap_err(), Full::Connections);
        flows.remove(&first);
        flows.remove(&first);
        assert_eq!(flows.len(), 2);
        flows.add(remote(1, 3), true).unwrap();
    }

    #[test]
    fn a_newer_connection_from_the_same_far_end_outlives_the_older_ones_removal() {
        let flows = flows(9, 9);
        let (old, _old_packets) = flows.add(remote(1, 1), true).unwrap();
        let (new, _new_packets) = flows.add(remote(1, 1), true).unwrap();
        assert_ne!(old.token, new.token);
        flows.remove(&old);
        assert_eq!(flows.by_remote(remote(1, 1)).unwrap().token, new.token);
        assert!(flows.by_token(&old.token).is_none());
    }

    #[test]
    fn a_far_end_that_does_not_read_is_given_up() {
        let flows = Flows::new("a", 7, &Limits { write_queue: 1, ..Limits::default() });
        let (flow, _packets) = flows.add(remote(1, 1), true).unwrap();
        assert!(flow.send(Packet { bytes: vec![1].into(), destination: None }).is_ok());
        assert_eq!(
            flow.send(Packet { bytes: vec![2].into(), destination: None }).unwrap_err().bytes[..],
            [2]
        );
        assert!(flow.close.is_cancelled());
    }
}
