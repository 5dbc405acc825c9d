//! From options to a running node: identity, store, group 0, then the groups that the directory puts here.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, OnceLock};
use std::time::Duration;

use mangrove_raft::{GroupHost, GroupId, Handle, Leadership, Peer, Store};
use mangrove_transport::Network;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::{Instant, timeout};

use super::clocks::Clocks;
use super::lead::Lead;
use super::{Cluster, Factory, Node, join};
use crate::DIRECTORY;
use crate::directory::{Command, Founding, Member};
use crate::error::Error;
use crate::identity::log_folder;
use crate::machine::Known;
use crate::options::Options;

const PATIENCE: Duration = Duration::from_secs(30);

pub(super) async fn start(options: Options, factory: Factory) -> Result<Cluster, Error> {
    let (listener, local_addr) = listen(options.listen).await?;
    let mut member = describe(&options, local_addr);
    let network = Network::new(options.transport.clone());
    let identity = join::identify(&options, &member, &network).await?;
    (member.id, member.boot) = (identity.node, identity.boot);
    join::ask_back(&options, &identity, &member, &network).await?;
    let store = match &options.medium {
        None => Store::open(&log_folder(&options.data_dir), identity.owner())?,
        Some(medium) => Store::open_on(medium.clone(), identity.owner()).await?,
    };
    let host = GroupHost::new(store, identity.owner(), options.raft.clone());
    let known = Known::new();
    let cluster = Cluster {
        node: Arc::new(Node {
            holds_directory: AtomicBool::new(identity.holds_directory),
            identity,
            member: Mutex::new(member),
            options,
            host,
            network,
            factory,
            directory: known.watch(),
            known,
            groups: watch::channel(BTreeSet::new()).0,
            local_addr,
            wall_before: OnceLock::new(),
            began: Instant::now(),
            reporter: OnceLock::new(),
            clocks: Clocks::default(),
            lead: Lead::default(),
            stop: watch::channel(false).0,
            tasks: Mutex::new(JoinSet::new()),
        }),
    };
    match cluster.run(listener).await {
        Ok(()) => Ok(cluster),
        Err(error) => {
            cluster.shutdown().await;
            Err(error)
        }
    }
}

async fn listen(address: Option<SocketAddr>) -> Result<(Option<TcpListener>, Option<SocketAddr>), Error> {
    let Some(address) = address else { return Ok((None, None)) };
    let failed = |error: std::io::Error| Error::Listen { address, reason: error.to_string() };
    let listener = TcpListener::bind(address).await.map_err(failed)?;
    let bound = listener.local_addr().map_err(failed)?;
    Ok((Some(listener), Some(bound)))
}

fn describe(options: &Options, local_addr: Option<SocketAddr>) -> Member {
    let bound = || local_addr.map(|address| address.to_string()).unwrap_or_default();
    Member {
        name: options.node.clone(),
        roles: options.roles.clone(),
        zone: options.zone.clone(),
        address: options.advertise.clone().unwrap_or_else(bound),
        addresses: options.addresses.clone(),
        version: options.version.clone(),
        protocol: options.protocol,
        database: options.history(),
        ..Member::default()
    }
}

impl Cluster {
    async fn run(&self, listener: Option<TcpListener>) -> Result<(), Error> {
        if self.node.identity.holds_directory {
            self.run_group(DIRECTORY).await?;
        }
        if let Some(listener) = listener {
            self.serve(listener);
        }
        if self.node.identity.founding {
            self.found().await?;
        }
        self.keep_following();
        match self.group(DIRECTORY) {
            Some(directory) => self.wait_if_alone(&directory).await?,
            None => self.wait_to_know().await?,
        }
        self.open_groups().await?;
        let beats = self.directory().members.values().map(|member| member.heartbeat_ms).max();
        self.node.wall_before.get_or_init(|| beats.unwrap_or_default());
        self.keep_watch();
        self.keep_warm();
        self.compare_clocks();
        self.keep_up();
        Ok(())
    }

    /// Without a directory of its own a node knows nothing to begin with.
    async fn wait_to_know(&self) -> Result<(), Error> {
        let mut directory = self.watch_directory();
        let known = timeout(PATIENCE, directory.wait_for(|directory| directory.founding.is_some())).await;
        let nobody = || Error::NoDirectory { seconds: PATIENCE.as_secs(), asked: self.sources() };
        known.map_err(|_| nobody())?.map_err(|_| mangrove_raft::Error::Stopped)?;
        Ok(())
    }

    /// Keeps on disk whether this node has a replica of group 0.
    pub(super) fn note_directory(&self, holds: bool) -> Result<(), Error> {
        if self.node.holds_directory.swap(holds, Ordering::AcqRel) != holds {
            self.node.identity.holding_directory(holds).save(&self.node.options.data_dir)?;
        }
        Ok(())
    }

    fn serve(&self, listener: TcpListener) {
        let (routes, settings) = (self.routes(), self.node.options.transport.clone());
        let mut stop = self.node.stop.subscribe();
        self.tasks().spawn(async move {
            let stopped = async { drop(stop.wait_for(|stop| *stop).await) };
            if let Err(error) = mangrove_transport::serve(listener, routes, &settings, stopped).await {
                tracing::error!(%error, "the listener for other nodes failed");
            }
        });
    }

    /// May have been begun by an earlier start that was cut off: each step is done once only.
    async fn found(&self) -> Result<(), Error> {
        let options = &self.node.options;
        let directory = self.run_group(DIRECTORY).await?;
        let peer = Peer::new(&self.member().address);
        self.node.host.found_group(DIRECTORY, [(self.node(), peer)].into()).await?;
        wait_to_lead(&directory).await?;
        if self.directory().founding.is_none() {
            let founding = Founding {
                incarnation: self.incarnation(),
                shard_groups: options.shard_groups,
                nonce_key: rand::random(),
                token_key: rand::random(),
            };
            let member = Member { id: 0, ..self.member() };
            self.propose_directory(Command::Found { founding, member }).await?;
        }
        self.open_groups().await?;
        self.node.identity.founded().save(&options.data_dir)
    }

    /// Starts the groups that the directory puts here, and begins those that never were.
    async fn open_groups(&self) -> Result<(), Error> {
        let directory = self.directory();
        let mut begun = BTreeSet::new();
        for (group, place) in &directory.plan.groups {
            if *group == DIRECTORY || !place.replicas.contains(&self.node()) {
                continue;
            }
            let handle = self.run_group(*group).await?;
            if !directory.opened.contains(group) {
                let peer = Peer::new(&self.member().address);
                self.node.host.found_group(*group, [(self.node(), peer)].into()).await?;
                begun.insert(*group);
            }
            self.wait_if_alone(&handle).await?;
        }
        if !begun.is_empty() {
            self.propose_directory(Command::OpenGroups { groups: begun }).await?;
        }
        Ok(())
    }

    async fn wait_if_alone(&self, handle: &Handle) -> Result<(), Error> {
        if handle.voters().await? == [self.node()] { wait_to_lead(handle).await } else { Ok(()) }
    }
}

async fn wait_to_lead(handle: &Handle) -> Result<(), Error> {
    let mut leadership = handle.watch_leadership();
    let led = timeout(PATIENCE, leadership.wait_for(Leadership::is_leader)).await;
    let group: GroupId = handle.group();
    led.map_err(|_| Error::NoLeader { group, seconds: PATIENCE.as_secs() })?
        .map_err(|_| mangrove_raft::Error::Stopped)?;
    Ok(())
}
