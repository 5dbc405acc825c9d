//! From options to a running node: identity, store, group 0, then the groups that the directory puts here.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, OnceLock};
use std::time::Duration;

use mangrove_proto::cluster::JoinRequest;
use mangrove_proto::cluster::membership_client::MembershipClient;
use mangrove_raft::{GroupHost, GroupId, Handle, Leadership, Peer, Store};
use mangrove_transport::Network;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::{Instant, timeout};

use super::{Cluster, Factory, Node};
use crate::DIRECTORY;
use crate::directory::{Command, Founding, Member};
use crate::error::Error;
use crate::identity::{Identity, log_folder};
use crate::machine::{self, DirectoryMachine};
use crate::options::Options;

const PATIENCE: Duration = Duration::from_secs(30);
const FOUNDER: u64 = 1;

pub(super) async fn start(options: Options, factory: Factory) -> Result<Cluster, Error> {
    let (listener, local_addr) = listen(options.listen).await?;
    let mut member = describe(&options, local_addr);
    let network = Network::new(options.transport.clone());
    let identity = identify(&options, &member, &network).await?;
    member.id = identity.node;
    let store = Store::open(&log_folder(&options.data_dir), identity.owner())?;
    let host = GroupHost::new(store, identity.owner(), options.raft.clone());
    let (machine, directory) = DirectoryMachine::new();
    let cluster = Cluster {
        node: Arc::new(Node {
            identity,
            member,
            host,
            network,
            settings: options.transport.clone(),
            factory,
            directory,
            groups: watch::channel(BTreeSet::new()).0,
            local_addr,
            wall_before: OnceLock::new(),
            stop: watch::channel(false).0,
            tasks: Mutex::new(JoinSet::new()),
        }),
    };
    match cluster.run(&options, listener, machine).await {
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
        ..Member::default()
    }
}

/// The identity on disk, or a new one; this start is counted before anything else happens.
async fn identify(options: &Options, member: &Member, network: &Network) -> Result<Identity, Error> {
    let mut identity = match Identity::load(&options.data_dir, &options.node)? {
        Some(identity) => identity,
        None if options.join.is_empty() => Identity::new(rand::random(), FOUNDER, &options.node, true),
        None => join(options, member, network).await?,
    };
    identity.boot += 1;
    identity.save(&options.data_dir)?;
    Ok(identity)
}

async fn join(options: &Options, member: &Member, network: &Network) -> Result<Identity, Error> {
    let mut last = String::from("nobody was asked");
    let deadline = Instant::now() + PATIENCE;
    while Instant::now() < deadline {
        for address in &options.join {
            match ask_to_join(address, member, network).await {
                Ok((incarnation, node)) => return Ok(Identity::new(incarnation, node, &options.node, false)),
                Err(status) if status.code() == tonic::Code::FailedPrecondition => {
                    return Err(Error::Join(status.message().into()));
                }
                Err(status) => last = format!("{address}: {}", status.message()),
            }
        }
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    Err(Error::Join(last))
}

async fn ask_to_join(address: &str, member: &Member, network: &Network) -> Result<(u64, u64), tonic::Status> {
    let channel =
        network.channel(address).map_err(|error| tonic::Status::failed_precondition(error.to_string()))?;
    let mut request = tonic::Request::new(JoinRequest { member: machine::encode(member).into() });
    request.set_timeout(Duration::from_secs(10));
    let answer = MembershipClient::new(channel).join(request).await?.into_inner();
    Ok((answer.incarnation, answer.node))
}

impl Cluster {
    async fn run(
        &self,
        options: &Options,
        listener: Option<TcpListener>,
        machine: DirectoryMachine,
    ) -> Result<(), Error> {
        let network = self.node.network.group(DIRECTORY);
        let directory = self.node.host.start_group(DIRECTORY, Box::new(machine), network).await?;
        if let Some(listener) = listener {
            self.serve(listener);
        }
        if self.node.identity.founding {
            self.found(options, &directory).await?;
        }
        self.wait_if_alone(&directory).await?;
        self.open_groups().await?;
        let beats = self.directory().members.values().map(|member| member.heartbeat_ms).max();
        self.node.wall_before.get_or_init(|| beats.unwrap_or_default());
        self.keep_up(options.heartbeat);
        Ok(())
    }

    fn serve(&self, listener: TcpListener) {
        let (routes, settings) = (self.routes(), self.node.settings.clone());
        let mut stop = self.node.stop.subscribe();
        self.tasks().spawn(async move {
            let stopped = async { drop(stop.wait_for(|stop| *stop).await) };
            if let Err(error) = mangrove_transport::serve(listener, routes, &settings, stopped).await {
                tracing::error!(%error, "the listener for other nodes failed");
            }
        });
    }

    /// May have been begun by an earlier start that was cut off: each step is done once only.
    async fn found(&self, options: &Options, directory: &Handle) -> Result<(), Error> {
        let peer = Peer::new(&self.node.member.address);
        self.node.host.found_group(DIRECTORY, [(self.node(), peer)].into()).await?;
        wait_to_lead(directory).await?;
        if self.directory().founding.is_none() {
            let founding = Founding {
                incarnation: self.incarnation(),
                shard_groups: options.shard_groups,
                nonce_key: rand::random(),
                token_key: rand::random(),
            };
            let member = Member { id: 0, ..self.node.member.clone() };
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
                let peer = Peer::new(&self.node.member.address);
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
