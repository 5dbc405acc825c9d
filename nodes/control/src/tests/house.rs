//! A node with two shard groups in a folder, to be closed and opened again.

use std::{
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use mangrove_domain::NodeInfo;
use mangrove_history::History;
use mangrove_membership::{Cluster, Error as ClusterError};
use mangrove_proto::{
    common::Sender,
    control::{ConfigureRequest, DeleteRequest},
    edge::{EdgeEvent, EdgeEvents},
    media::{EndpointAddress, MediaEvent, MediaEvents, Ready, SetSession, media_event::Fact},
    service::{Console, Control as _, Error},
};
use mangrove_sip::Transport;
use tokio::time::{sleep, timeout};

use super::{
    company::company,
    fakes::{FakeEdge, FakeMedia},
    invite::invite,
};
use crate::{Control, Options, Prepared, group::Group, options::Pace};

pub(crate) const ACME: &str = "74951234567";
pub(crate) const BOLT: &str = "78121234567";

pub(crate) struct House {
    pub(crate) control: Control,
    pub(crate) history: History,
    pub(crate) edge: Arc<FakeEdge>,
    pub(crate) media: Arc<FakeMedia>,
    sequences: [AtomicU64; 2],
}

/// Pauses that a test can wait for.
pub(crate) fn pace() -> Pace {
    let ms = Duration::from_millis;
    Pace { fresh: ms(30), retry: ms(20), respawn: ms(1) }
}

pub(crate) async fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let polled = async {
        while !holds() {
            sleep(Duration::from_millis(2)).await;
        }
    };
    timeout(Duration::from_secs(20), polled).await.unwrap_or_else(|_| panic!("not in 20 s: {what}"));
}

impl House {
    /// Opened, with its edge and media node known, and not leading yet.
    pub(crate) async fn open(folder: &Path) -> Self {
        let (cluster, prepared) = cluster(folder).await;
        let history = History::open(&format!("sqlite:{}/history.db", folder.display())).await.unwrap();
        let options = Options { pace: pace(), ..Options::new(history.clone()) };
        let control = Control::new(cluster, prepared, options).unwrap();
        let house = Self {
            control,
            history,
            edge: Arc::default(),
            media: Arc::default(),
            sequences: [AtomicU64::new(1), AtomicU64::new(1)],
        };
        let contacts = vec![(Transport::Udp, "10.0.0.1:5060".into())];
        let info = NodeInfo { name: "n".into(), contacts, media: true };
        house.control.announce(info, Some(house.edge.clone()), Some(house.media.clone()));
        house
    }

    /// Opened and leading both groups.
    pub(crate) async fn lead(folder: &Path) -> Self {
        let house = Self::open(folder).await;
        house.control.lead().await.unwrap();
        until("both groups are led", || house.groups().iter().all(|group| group.is_led())).await;
        house
    }

    /// Leading, with acme in group 1 and bolt in group 2.
    pub(crate) async fn with_companies(folder: &Path) -> Self {
        let house = Self::lead(folder).await;
        house.configure("acme", ACME).await;
        house.configure("bolt", BOLT).await;
        house
    }

    pub(crate) async fn configure(&self, tenant: &str, number: &str) {
        let document = serde_json::to_vec(&company(tenant, number)).unwrap().into();
        let request = ConfigureRequest { tenant: tenant.into(), document, ..ConfigureRequest::default() };
        let reply = self.control.configure(request).await.unwrap();
        assert!(reply.problems.is_empty(), "{:?}", reply.problems);
    }

    pub(crate) async fn delete(&self, tenant: &str) -> Result<(), Error> {
        let request = DeleteRequest { tenant: tenant.into(), ..DeleteRequest::default() };
        self.control.delete(request).await.map(|_| ())
    }

    /// Ends as a process does, the state on disk.
    pub(crate) async fn close(self) {
        self.control.stop().await;
        self.control.cluster().shutdown().await;
        self.history.close().await;
    }

    pub(crate) fn groups(&self) -> Vec<Arc<Group>> {
        self.control.groups()
    }

    pub(crate) fn group(&self, id: u32) -> Arc<Group> {
        self.control.group(id).unwrap()
    }

    fn sender(&self) -> Option<Sender> {
        Some(Sender { node: "n".into(), run: self.control.cluster().boot() })
    }

    /// Delivers an event under the number given.
    pub(crate) async fn edge_event(&self, group: u32, sequence: u64, event: EdgeEvent) -> Result<u64, Error> {
        let events = vec![EdgeEvent { sequence, ..event }];
        let batch = EdgeEvents { sender: self.sender(), group: group.into(), events };
        self.control.deliver_edge(batch).await.map(|ack| ack.sequence)
    }

    /// A caller calls; returns once the call is committed. Of group 1 only.
    pub(crate) async fn call_in(&self, serial: u32) {
        let sequence = self.sequences[0].fetch_add(1, Ordering::Relaxed);
        self.edge_event(1, sequence, invite("acme", ACME, serial)).await.unwrap();
    }

    pub(crate) async fn cancel(&self, serial: u32) {
        let sequence = self.sequences[0].fetch_add(1, Ordering::Relaxed);
        self.edge_event(1, sequence, super::invite::cancel("acme", ACME, serial)).await.unwrap();
    }

    /// The media node says that the session stands. Of group 1 only.
    pub(crate) async fn ready(&self, set: &SetSession) {
        let address = |endpoint: &mangrove_proto::media::Endpoint| EndpointAddress {
            endpoint: endpoint.id.clone(),
            address: "10.0.0.2:20000".into(),
            ..Default::default()
        };
        let addresses = set.endpoints.iter().map(address).collect();
        let event = MediaEvent {
            sequence: self.sequences[1].fetch_add(1, Ordering::Relaxed),
            tenant: "acme".into(),
            session: set.session.clone(),
            fact: Some(Fact::Ready(Ready { version: set.version, addresses })),
        };
        let batch = MediaEvents { sender: self.sender(), group: 1, events: vec![event] };
        self.control.deliver_media(batch).await.unwrap();
    }

    /// A call whose caller was answered and has not acknowledged it; the first in the house.
    pub(crate) async fn answered(&self) {
        self.call_in(1).await;
        until("the session is asked for", || !self.media.heard().is_empty()).await;
        self.ready(&self.media.heard()[0]).await;
        until("the caller is answered", || !self.edge.responses(200).is_empty()).await;
    }

    pub(crate) fn calls(&self, group: u32) -> usize {
        crate::shard::call_count(&self.group(group).shared.get().state)
    }

    pub(crate) async fn status(&self) -> serde_json::Value {
        serde_json::from_slice(&self.control.status().await.unwrap().json).unwrap()
    }
}

/// Starts again; openraft's last tasks let go of the disk shortly after a shutdown.
pub(crate) async fn cluster(folder: &Path) -> (Cluster, Prepared) {
    let start = || async {
        let prepared = Prepared::default();
        let machines = prepared.clone();
        let mut options = mangrove_membership::Options::new(folder.join("node"), "n");
        options.shard_groups = 2;
        let cluster = Cluster::start(options, move |group| machines.machine(group)).await?;
        Ok::<_, ClusterError>((cluster, prepared))
    };
    for _ in 0..500 {
        match start().await {
            Ok(started) => return started,
            Err(ClusterError::Log(mangrove_raft::StoreError::InUse { .. })) => {
                sleep(Duration::from_millis(5)).await;
            }
            Err(error) => panic!("{error}"),
        }
    }
    panic!("the disk was never let go of");
}
