//! The connections that are open, by their tokens and by their far ends.

use std::{
    collections::{BTreeMap, HashMap},
    net::{IpAddr, SocketAddr},
    sync::{
        Arc, OnceLock,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
};

use bytes::Bytes;
use mangrove_sip::{Destination, Transport, ticket::Holder};
use parking_lot::{Mutex, RwLock};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use crate::{metrics::CONNECTIONS, options::Limits, rate::network};

/// One connection.
#[derive(Debug)]
pub(crate) struct Flow {
    pub(crate) token: String,
    pub(crate) transport: Transport,
    pub(crate) remote: SocketAddr,
    /// Set when the far end opened it: only those count against one address's limit.
    accepted: bool,
    outbox: mpsc::Sender<Packet>,
    /// Ends the connection's tasks.
    pub(crate) close: CancellationToken,
    trusted: AtomicBool,
    /// For whom the ticket speaks that it came with.
    holder: OnceLock<Holder>,
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

    /// It came with a ticket, which speaks for this person; said once, before it begins.
    pub(crate) fn hold(&self, holder: Holder) {
        let _ = self.holder.set(holder);
    }

    /// Whose page is at the other end, if it came with a ticket.
    pub(crate) fn holder(&self) -> Option<&Holder> {
        self.holder.get()
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
    #[error("websockets_per_source")]
    WebSockets,
}

#[derive(Debug)]
pub(crate) struct Flows {
    /// In front of every token, with the run: tokens of another run, or of another edge, are never of one of these.
    node: String,
    run: u64,
    next: AtomicU64,
    limits: Limits,
    open: RwLock<Open>,
}

#[derive(Debug, Default)]
struct Open {
    by_token: HashMap<String, Arc<Flow>>,
    /// Those over which a request may go that names no flow: of TCP alone, for who came by a WebSocket is known by its
    /// flow or not at all.
    by_remote: HashMap<SocketAddr, Arc<Flow>>,
    accepted_from: HashMap<Share, usize>,
}

/// What one address (of IPv6: its network) has a share of: WebSockets are counted apart, for behind a proxy's address
/// there are many persons.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct Share {
    websockets: bool,
    address: IpAddr,
}

impl Share {
    fn of(transport: Transport, remote: SocketAddr) -> Self {
        Self { websockets: transport.is_websocket(), address: network(remote.ip()) }
    }
}

impl Flows {
    pub(crate) fn new(node: &str, run: u64, limits: &Limits) -> Self {
        let (node, next, limits) = (node.to_owned(), AtomicU64::new(1), limits.clone());
        Self { node, run, next, limits, open: RwLock::default() }
    }

    /// A new flow and the end from which its task takes what is to be written.
    pub(crate) fn add(
        &self,
        transport: Transport,
        remote: SocketAddr,
        accepted: bool,
    ) -> Result<(Arc<Flow>, mpsc::Receiver<Packet>), Full> {
        let mut open = self.open.write();
        if open.by_token.len() >= self.limits.connections {
            return Err(Full::Connections);
        }
        if accepted {
            self.count(&mut open, Share::of(transport, remote))?;
        }
        let (outbox, packets) = mpsc::channel(self.limits.write_queue.max(1));
        let flow = Arc::new(Flow {
            token: self.next_token(),
            transport,
            remote,
            accepted,
            outbox,
            close: CancellationToken::new(),
            trusted: AtomicBool::new(!accepted),
            holder: OnceLock::new(),
            heard_by: Mutex::default(),
        });
        open.by_token.insert(flow.token.clone(), flow.clone());
        if transport == Transport::Tcp {
            open.by_remote.insert(remote, flow.clone());
        }
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
            open.uncount(Share::of(flow.transport, flow.remote));
        }
        metrics::gauge!(CONNECTIONS).decrement(1);
    }

    pub(crate) fn by_token(&self, token: &str) -> Option<Arc<Flow>> {
        self.open.read().by_token.get(token).cloned()
    }

    /// Whether a token was given out by this edge, in this run or a former one.
    pub(crate) fn is_own(&self, token: &str) -> bool {
        let rest = token.strip_prefix(self.node.as_str()).and_then(|rest| rest.strip_prefix('-'));
        let numbers = rest.and_then(|rest| rest.split_once('-'));
        let is_hex = |text: &str| u64::from_str_radix(text, 16).is_ok();
        numbers.is_some_and(|(run, number)| is_hex(run) && is_hex(number))
    }

    pub(crate) fn by_remote(&self, remote: SocketAddr) -> Option<Arc<Flow>> {
        self.open.read().by_remote.get(&remote).cloned()
    }

    pub(crate) fn len(&self) -> usize {
        self.open.read().by_token.len()
    }

    fn next_token(&self) -> String {
        format!("{}-{:x}-{:x}", self.node, self.run, self.next.fetch_add(1, Ordering::Relaxed))
    }

    fn count(&self, open: &mut Open, share: Share) -> Result<(), Full> {
        let (limit, full) = match share.websockets {
            true => (self.limits.websockets_per_source, Full::WebSockets),
            false => (self.limits.connections_per_source, Full::Source),
        };
        if open.count(share, limit) { Ok(()) } else { Err(full) }
    }
}

impl Open {
    /// Counts one more accepted connection. False: the address has its share already.
    fn count(&mut self, share: Share, limit: usize) -> bool {
        let count = self.accepted_from.entry(share).or_default();
        let free = *count < limit;
        *count += usize::from(free);
        free
    }

    fn uncount(&mut self, share: Share) {
        if let Some(count) = self.accepted_from.get_mut(&share) {
            *count -= 1;
            if *count == 0 {
                self.accepted_from.remove(&share);
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

    type Added = Result<(Arc<Flow>, mpsc::Receiver<Packet>), Full>;

    fn accept(flows: &Flows, remote: SocketAddr) -> Added {
        flows.add(Transport::Tcp, remote, true)
    }

    fn open(flows: &Flows, remote: SocketAddr) -> Added {
        flows.add(Transport::Tcp, remote, false)
    }

    #[test]
    fn limits_hold_and_free_up() {
        let flows = flows(3, 2);
        let (first, _packets) = accept(&flows, remote(1, 1)).unwrap();
        accept(&flows, remote(1, 2)).unwrap();
        assert_eq!(accept(&flows, remote(1, 3)).unwrap_err(), Full::Source);
        open(&flows, remote(1, 4)).unwrap();
        assert_eq!(accept(&flows, remote(2, 1)).unwrap_err(), Full::Connections);
        flows.remove(&first);
        flows.remove(&first);
        assert_eq!(flows.len(), 2);
        accept(&flows, remote(1, 3)).unwrap();
    }

    #[test]
    fn a_host_has_one_share_however_many_addresses_of_ipv6_it_has() {
        let flows = flows(9, 1);
        let host = |network, host| SocketAddr::from(([0x2001, 0xdb8, 0, network, 0, 0, 0, host], 1));
        accept(&flows, host(1, 1)).unwrap();
        assert_eq!(accept(&flows, host(1, 2)).unwrap_err(), Full::Source);
        accept(&flows, host(2, 1)).unwrap();
    }

    #[test]
    fn websockets_have_a_share_of_their_own_and_are_known_by_their_tokens_alone() {
        let limits = Limits { connections_per_source: 1, websockets_per_source: 2, ..Limits::default() };
        let flows = Flows::new("a", 7, &limits);
        let seat = |port, transport| flows.add(transport, remote(1, port), true);
        accept(&flows, remote(1, 1)).unwrap();
        let (first, _packets) = seat(2, Transport::Ws).unwrap();
        seat(3, Transport::Wss).unwrap();
        assert_eq!(seat(4, Transport::Ws).unwrap_err(), Full::WebSockets);
        assert!(flows.by_remote(remote(1, 2)).is_none() && flows.by_token(&first.token).is_some());
        flows.remove(&first);
        seat(4, Transport::Ws).unwrap();
        assert_eq!(accept(&flows, remote(1, 5)).unwrap_err(), Full::Source);
    }

    #[test]
    fn tokens_of_former_runs_are_known_and_those_of_others_are_not() {
        let flows = Flows::new("a", 0x1f, &Limits::default());
        assert_eq!(flows.next_token(), "a-1f-1");
        for (token, own) in [
            ("a-1f-1", true),
            ("a-9-ff", true),
            ("b-1f-1", false),
            ("a-b-1f-1", false),
            ("ab-1f-1", false),
            ("a-1f", false),
            ("", false),
        ] {
            assert_eq!(flows.is_own(token), own, "{token}");
        }
    }

    #[test]
    fn a_newer_connection_from_the_same_far_end_outlives_the_older_ones_removal() {
        let flows = flows(9, 9);
        let (old, _old_packets) = accept(&flows, remote(1, 1)).unwrap();
        let (new, _new_packets) = accept(&flows, remote(1, 1)).unwrap();
        assert_ne!(old.token, new.token);
        flows.remove(&old);
        assert_eq!(flows.by_remote(remote(1, 1)).unwrap().token, new.token);
        assert!(flows.by_token(&old.token).is_none());
    }

    #[test]
    fn a_far_end_that_does_not_read_is_given_up() {
        let flows = Flows::new("a", 7, &Limits { write_queue: 1, ..Limits::default() });
        let (flow, _packets) = accept(&flows, remote(1, 1)).unwrap();
        assert!(flow.send(Packet { bytes: vec![1].into(), destination: None }).is_ok());
        assert_eq!(
            flow.send(Packet { bytes: vec![2].into(), destination: None }).unwrap_err().bytes[..],
            [2]
        );
        assert!(flow.close.is_cancelled());
    }
}
