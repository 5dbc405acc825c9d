//! The cluster's edges and media nodes, as this node's control needs them: where effects for each go, and which are alive.
//! All of it from the directory and from what this process carries.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use mangrove_control::{Control, Guidance};
use mangrove_domain::NodeInfo;
use mangrove_edge::directory::{DirectoryCopy, Remote};
use mangrove_membership::{Cluster, Directory, LEAVING, Lease, Member, RULES};
use mangrove_proto::service;
use mangrove_sip::Transport;

use crate::{carrier::Carried, configuration::Role};

/// From which protocol on builds know which version of the rules (`mangrove_domain::rules`).
const KNOWN: [(u32, u32); 1] = [(RULES, 1)];
/// Before a transport's name in a member's addresses.
const SIP: &str = "sip-";

/// A member's addresses: where far ends are told to find its SIP.
pub(crate) fn addresses(contacts: &[(Transport, String)]) -> BTreeMap<String, String> {
    let address = |(transport, host): &(Transport, String)| (format!("{SIP}{transport}"), host.clone());
    contacts.iter().map(address).collect()
}

/// Tells control who carries whose edge and media node.
#[derive(Debug)]
pub(crate) struct Neighbours {
    cluster: Cluster,
    control: Control,
    carried: Carried,
    /// As they were announced, by name.
    met: BTreeMap<String, Met>,
    alive: BTreeSet<String>,
    guidance: Guidance,
}

/// Whatever of it changes, control is told anew.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Met {
    epoch: u64,
    /// The host's gRPC address; none: this process.
    host: Option<String>,
    info: NodeInfo,
    has_media: bool,
}

impl Neighbours {
    pub(crate) fn new(cluster: Cluster, control: Control, carried: Carried) -> Self {
        let (met, alive, guidance) = (BTreeMap::new(), BTreeSet::new(), Guidance::default());
        Self { cluster, control, carried, met, alive, guidance }
    }

    /// Follows the directory until the node stops.
    pub(crate) async fn follow(mut self) {
        let (mut directory, mut carried) = (self.cluster.watch_directory(), self.carried.changes());
        loop {
            directory.borrow_and_update();
            carried.borrow_and_update();
            self.meet();
            tokio::select! {
                changed = directory.changed() => if changed.is_err() { return },
                changed = carried.changed() => if changed.is_err() { return },
            }
        }
    }

    /// Tells what is new since the last time.
    pub(crate) fn meet(&mut self) {
        let directory = self.cluster.directory();
        let leased = directory.members.values().filter_map(|one| Some((one, directory.lease(&one.name)?)));
        let leased: Vec<_> =
            leased.filter(|(member, lease)| self.is_there(&directory, member, lease)).collect();
        let alive: BTreeSet<_> = leased.iter().map(|(member, _)| member.name.clone()).collect();
        self.met.retain(|name, _| alive.contains(name));
        let guidance = Guidance { left: left(&directory), rules: rules(&directory) };
        if guidance != self.guidance {
            self.control.guide(guidance.clone());
            self.guidance = guidance;
        }
        for (member, lease) in leased {
            let Some(now) = self.look(&directory, member, lease) else { continue };
            if self.met.get(&member.name) != Some(&now) {
                self.announce(&now);
                self.met.insert(member.name.clone(), now);
            }
        }
        if alive != self.alive {
            self.control.set_alive(alive.clone());
            self.alive = alive;
        }
    }

    /// Whose addresses get an heir soon, or the member itself back, is not lost: its calls wait for that.
    fn is_there(&self, directory: &Directory, member: &Member, lease: &Lease) -> bool {
        let is_alive = |host: &Member| host.alive;
        lease.host == self.cluster.node()
            || directory.member(lease.host).is_some_and(is_alive)
            || directory.is_orphaned(&member.name)
    }

    /// None while this process has not begun to carry what it should.
    fn look(&self, directory: &Directory, member: &Member, lease: Lease) -> Option<Met> {
        let Lease { epoch, .. } = lease;
        // Whoever carried it is talked to until the new host is ready.
        let host = match lease.from.filter(|_| lease.is_on_its_way()) {
            Some(_) if self.met.contains_key(&member.name) => return None,
            Some(before) => before,
            None => lease.host,
        };
        // A host that drains and could not hand them over gets no new sessions, nor does one that is away.
        let (here, known) = (self.cluster.node(), directory.member(host)?);
        let drains = known.draining || (host != here && !known.alive);
        if host != here {
            let host = Some(known.address.clone());
            let (info, has_media) = (info(member), has_media(member));
            return Some(Met {
                epoch,
                host,
                info: NodeInfo { media: has_media && !drains, ..info },
                has_media,
            });
        }
        let carrying = self.carried.get(&member.name).filter(|carrying| carrying.epoch == epoch)?;
        let contacts = carrying.edge.as_ref().map(mangrove_edge::Edge::contacts).unwrap_or_default();
        let has_media = carrying.media.is_some();
        let info = NodeInfo { name: member.name.clone(), contacts, media: has_media && !drains };
        Some(Met { epoch, host: None, info, has_media })
    }

    fn announce(&self, Met { host, info, has_media, .. }: &Met) {
        let (edge, media) = match host {
            None => self.near(&info.name),
            Some(address) => self.far(info, *has_media, address),
        };
        self.control.announce(info.clone(), edge, media);
    }

    fn near(&self, name: &str) -> Ways {
        let carrying = self.carried.get(name);
        let edge = carrying.as_ref().and_then(|one| one.edge.clone());
        let media = carrying.and_then(|one| one.media);
        (edge.map(|edge| Arc::new(edge) as _), media.map(|media| Arc::new(media) as _))
    }

    fn far(&self, info: &NodeInfo, has_media: bool, address: &str) -> Ways {
        let channel = match self.cluster.channel(address) {
            Ok(channel) => channel,
            Err(error) => {
                tracing::error!(node = info.name, address, %error, "a member can't be reached there");
                return (None, None);
            }
        };
        let edge = (!info.contacts.is_empty())
            .then(|| Arc::new(mangrove_edge::grpc::Client::new(info.name.clone(), channel.clone())) as _);
        let media =
            has_media.then(|| Arc::new(mangrove_media::grpc::Client::new(info.name.clone(), channel)) as _);
        (edge, media)
    }
}

/// To a node's edge and to its media role, where it has them.
type Ways = (Option<Arc<dyn service::Edge>>, Option<Arc<dyn service::Media>>);

fn info(member: &Member) -> NodeInfo {
    let contact = |(kind, host): (&String, &String)| {
        let transport = kind.strip_prefix(SIP)?.parse::<Transport>().ok()?;
        Some((transport, host.clone()))
    };
    NodeInfo {
        name: member.name.clone(),
        contacts: member.addresses.iter().filter_map(contact).collect(),
        media: has_media(member),
    }
}

fn has_media(member: &Member) -> bool {
    member.roles.contains(Role::Media.as_str())
}

/// Tells an edge which nodes know whose a request is, until the node stops: none where control beside it has a replica of
/// every group.
pub(crate) async fn follow_routes(cluster: Cluster, control: Option<Control>, routes: Arc<DirectoryCopy>) {
    let mut directory = cluster.watch_directory();
    loop {
        let now = directory.borrow_and_update().clone();
        let knows_all = now.plan.groups.values().all(|place| place.replicas.contains(&cluster.node()));
        let knows = |member: &&Member| member.alive && member.roles.contains(Role::Control.as_str());
        let sources = now.members.values().filter(|_| !knows_all).filter(knows);
        let feed = |member: &Member| Some((member.name.clone(), feed(&cluster, control.as_ref(), member)?));
        routes.set_sources(sources.filter_map(feed).collect());
        if directory.changed().await.is_err() {
            return;
        }
    }
}

/// A control node's word on its groups: of this one directly.
fn feed(
    cluster: &Cluster,
    control: Option<&Control>,
    member: &Member,
) -> Option<Arc<dyn service::RouteFeed>> {
    match control.filter(|_| member.id == cluster.node()) {
        Some(control) => Some(Arc::new(control.clone())),
        None => Some(Arc::new(Remote::new(cluster.channel(&member.address).ok()?))),
    }
}

/// Media nodes that are to be left by their calls, the dead among them until they are lost; none before all nodes know how.
fn left(directory: &Directory) -> Option<BTreeSet<String>> {
    let names = directory.members.values().map(|member| &member.name);
    directory.all_speak(LEAVING).then(|| names.filter(|name| directory.is_left(name)).cloned().collect())
}

/// The newest version of the rules that all nodes know.
fn rules(directory: &Directory) -> u32 {
    let known = KNOWN.into_iter().filter(|(protocol, _)| directory.all_speak(*protocol));
    known.map(|(_, rules)| rules).max().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use mangrove_domain::rules::NEWEST;
    use mangrove_membership::PROTOCOL;

    use super::*;

    #[test]
    fn rules_are_those_that_the_oldest_member_knows() {
        let mut directory = Directory::default();
        for (minimum, expected) in [(0, 0), (RULES - 1, 0), (RULES, 1), (PROTOCOL, NEWEST)] {
            directory.minimum = minimum;
            assert_eq!(rules(&directory), expected, "protocol {minimum}");
        }
    }
}
