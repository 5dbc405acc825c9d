//! Which node this is: the identity on disk, or a new one from a cluster founded or joined; and whether the cluster
//! takes it back.

use std::net::SocketAddr;
use std::time::Duration;

use mangrove_proto::cluster::membership_client::MembershipClient;
use mangrove_proto::cluster::{JoinRequest, JoinResponse};
use mangrove_transport::Network;
use tokio::net::lookup_host;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, timeout};
use tonic::{Code, Status};

use crate::directory::Member;
use crate::error::Error;
use crate::identity::Identity;
use crate::options::Options;
use crate::{machine, peers};

const PATIENCE: Duration = Duration::from_secs(30);
/// How long the founder asks for others first: it may have lost its disk while they run.
const FOUNDING: Duration = Duration::from_secs(10);
const ASKING: Duration = Duration::from_secs(10);
/// A cluster that starts all at once has nobody to answer: then nobody is waited for.
const ASKING_BACK: Duration = Duration::from_secs(2);
const BETWEEN_TRIES: Duration = Duration::from_millis(200);
const FOUNDER: u64 = 1;

/// The identity on disk, or a new one; this start is counted before anything else happens.
pub(super) async fn identify(
    options: &Options,
    member: &Member,
    network: &Network,
) -> Result<Identity, Error> {
    let mut identity = match Identity::load(&options.data_dir, &options.node)? {
        Some(identity) => identity,
        None if options.join.is_empty() => founder(options),
        None => match join(options, member, network).await {
            Err(Error::Nobody(why)) if options.founds => {
                tracing::info!(why, "nobody answers: this node founds the cluster");
                founder(options)
            }
            joined => joined?,
        },
    };
    identity.boot += 1;
    identity.save(&options.data_dir)?;
    Ok(identity)
}

fn founder(options: &Options) -> Identity {
    Identity::new(rand::random(), FOUNDER, &options.node, true)
}

async fn join(options: &Options, member: &Member, network: &Network) -> Result<Identity, Error> {
    let mut last = String::from("nobody was asked");
    let deadline = Instant::now() + if options.founds { FOUNDING } else { PATIENCE };
    while Instant::now() < deadline {
        for address in others(options, member).await {
            match ask(&address, 0, member, network, ASKING).await {
                Ok(JoinResponse { incarnation, node }) => {
                    return Ok(Identity::new(incarnation, node, &options.node, false));
                }
                Err(status) if status.code() == Code::FailedPrecondition => {
                    return Err(Error::Join(status.message().into()));
                }
                Err(status) => last = format!("{address}: {}", status.message()),
            }
        }
        sleep(BETWEEN_TRIES).await;
    }
    Err(Error::Nobody(last))
}

/// The addresses to ask. A name, such as that of a headless service, stands for all its addresses, of which one may be
/// this node's own.
async fn others(options: &Options, member: &Member) -> Vec<String> {
    let own = addresses(&member.address).await;
    let mut all = Vec::new();
    for join in &options.join {
        all.extend(addresses(join).await);
    }
    all.retain(|address| !own.contains(address));
    all.iter().map(SocketAddr::to_string).collect()
}

async fn addresses(host: &str) -> Vec<SocketAddr> {
    match lookup_host(host).await {
        Ok(found) => found.collect(),
        Err(error) => {
            tracing::warn!(host, %error, "a node's name has no address");
            Vec::new()
        }
    }
}

/// Describes a known node anew to whoever of the cluster answers. A refusal stops the node before it votes, unless
/// another member takes it back: an address may be another cluster's by now. Silence does not stop it: the others may
/// be starting too.
pub(super) async fn ask_back(
    options: &Options,
    identity: &Identity,
    member: &Member,
    network: &Network,
) -> Result<(), Error> {
    let others = options.join.iter().cloned().chain(peers::load(&options.data_dir));
    let mut asked = JoinSet::new();
    for address in others.filter(|address| *address != member.address) {
        let (member, network, incarnation) = (member.clone(), network.clone(), identity.incarnation);
        asked.spawn(async move { ask(&address, incarnation, &member, &network, ASKING_BACK).await });
    }
    let mut refused = None;
    while let Some(answer) = asked.join_next().await {
        match answer {
            Ok(Ok(_)) => return Ok(()),
            Ok(Err(status)) if status.code() == Code::FailedPrecondition => refused = Some(status),
            Ok(Err(_)) | Err(_) => {}
        }
    }
    refused.map_or(Ok(()), |status| Err(Error::NotTakenBack(status.message().into())))
}

async fn ask(
    address: &str,
    incarnation: u64,
    member: &Member,
    network: &Network,
    limit: Duration,
) -> Result<JoinResponse, Status> {
    let channel = network.channel(address).map_err(|error| Status::invalid_argument(error.to_string()))?;
    let mut request =
        tonic::Request::new(JoinRequest { member: machine::encode(member).into(), incarnation });
    request.set_timeout(limit);
    let answer = timeout(limit, async { MembershipClient::new(channel).join(request).await }).await;
    Ok(answer.map_err(|_| Status::unavailable("no answer in time"))??.into_inner())
}
