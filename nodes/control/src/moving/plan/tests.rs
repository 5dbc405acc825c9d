//! A tenant moved by two leaders at once, of whom either may be the one that counts: each does what it finds to do, one
//! order at a time, sees the directory late, and is cut off between any two orders. Reports come to both groups meanwhile.

use std::collections::BTreeMap;

use mangrove_domain::{Author, Effects, Fence, NodeInfo, Reply, Sender, Stamp, Ticket, apply, invariant};
use mangrove_membership::{Founding, Member};
use mangrove_proto::media::MediaEvent;
use mangrove_sip::Seed;

use super::*;
use crate::tests::company::{company, configuration};

const ACME: &str = "acme";

fn acme() -> TenantId {
    ACME.into()
}

/// Group 0 and two shard groups, as their logs made them.
#[derive(Default)]
struct Cluster {
    directory: Directory,
    groups: BTreeMap<u32, State>,
    index: u64,
    /// Reports that were kept for acme, and how often each was heard.
    kept: usize,
    heard: BTreeMap<Ticket, usize>,
    /// Orders and reports so far, for the sentence that tells of a failure.
    told: Vec<String>,
}

/// One who takes itself for a group's leader.
struct Leader {
    group: u32,
    /// The directory as it knows it.
    known: Directory,
    orders: Vec<Order>,
}

impl Cluster {
    fn new() -> Self {
        let mut cluster = Self::default();
        let founding = Founding { incarnation: 7, shard_groups: 2, nonce_key: [1; 32], token_key: [2; 32] };
        let roles = [Member::CONTROL.to_owned()].into();
        let member = Member { name: "n".into(), roles, protocol: 2, ..Member::default() };
        for command in [
            membership::Command::Found { founding, member },
            membership::Command::OpenGroups { groups: [1, 2].into() },
            membership::Command::PlaceTenant { tenant: ACME.into() },
        ] {
            cluster.direct(command).expect("a directory");
        }
        for group in [1, 2] {
            let node = NodeInfo { name: "n".into(), contacts: vec![], media: true };
            cluster.commit(group, Command::NodeAnnounced { node });
        }
        let config = configuration(&company(ACME, "74951234567"));
        let epoch = cluster.directory.home(ACME).expect("a home").epoch;
        let author = Author::default();
        cluster.commit(1, Command::ConfigureTenant { config: config.into(), epoch, author, changes: vec![] });
        cluster.told.clear();
        cluster
    }

    fn direct(
        &mut self,
        command: membership::Command,
    ) -> Result<membership::Reply, mangrove_membership::Refusal> {
        self.index += 1;
        self.told.push(format!("{command:?}"));
        self.directory.apply(self.index, 1, command)
    }

    fn commit(&mut self, group: u32, command: Command) -> Reply {
        self.index += 1;
        let (index, now) = (self.index, self.index * 10 * u64::from(group));
        let fence = Fence { incarnation: 7, term: 1 };
        let stamp = Stamp { now, wall: 1_000 + index, seed: index, index, ordinal: 0, fence };
        let name = format!("{command:?}").chars().take(60).collect::<String>();
        let state = self.groups.entry(group).or_default();
        let ticket = match &command {
            Command::ReportHandedOn { ticket, .. } => Some(*ticket),
            _ => None,
        };
        let Effects { reply, .. } = apply(state, command, stamp);
        if let Some(ticket) = ticket
            && !matches!(reply, Reply::Seen | Reply::Gap { .. } | Reply::Moving { .. })
        {
            *self.heard.entry(ticket).or_default() += 1;
        }
        assert_eq!(invariant::check(state), [], "group {group} after {name}");
        self.told.push(format!("group {group}: {name} -> {reply:?}"));
        reply
    }

    /// One order; whether the next one may follow.
    fn obey(&mut self, order: Order) -> bool {
        match order {
            Order::Directory(command) => self.direct(command).is_ok(),
            Order::Group(group, command) => matches!(self.commit(group, command), Reply::Done | Reply::Seen),
        }
    }

    /// Something comes for acme by way of a group.
    fn report(&mut self, group: u32, sequence: u64) -> Reply {
        let event = MediaEvent { sequence, tenant: ACME.into(), ..MediaEvent::default() };
        let before = self.waiting();
        let sender = Sender { node: "n".into(), run: 1 };
        let reply = self.commit(group, Command::MediaReported { sender, event });
        self.kept += self.waiting() - before;
        reply
    }

    /// Reports that wait for acme's home.
    fn waiting(&self) -> usize {
        let holds = self.groups.values().flat_map(State::holds);
        holds.map(|(_, hold)| hold.reports().count()).sum()
    }

    /// Groups in which acme lives, frozen or not.
    fn homes(&self) -> Vec<u32> {
        let lives = |(_, state): &(&u32, &State)| state.tenant(&acme()).is_some();
        self.groups.iter().filter(lives).map(|(group, _)| *group).collect()
    }

    /// Whether nothing is left to do for anybody who knows all.
    fn is_quiet(&self) -> bool {
        self.groups.iter().all(|(group, state)| tasks(*group, &self.directory, state).is_empty())
    }
}

impl Leader {
    /// Does one thing, or looks what there is to do.
    fn act(&mut self, cluster: &mut Cluster, chance: &mut Seed) {
        if chance.below(3) == 0 {
            self.known = cluster.directory.clone();
        }
        if chance.below(12) == 0 {
            // Killed: who leads next knows nothing of what was begun.
            self.orders.clear();
        }
        match self.orders.pop() {
            Some(order) => {
                if !cluster.obey(order) {
                    self.orders.clear();
                }
            }
            None => self.look(cluster),
        }
    }

    fn look(&mut self, cluster: &Cluster) {
        let Some(state) = cluster.groups.get(&self.group) else { return };
        let orders = tasks(self.group, &self.known, state).into_iter().flat_map(|task| match task {
            Task::Carry { orders, .. } | Task::Settle { orders, .. } => orders,
            Task::HandOn { tenant, to, series, reports, .. } => {
                let hand_on = |(number, report): &(u64, Arc<Report>)| {
                    let ticket = Ticket { group: self.group, series, number: *number };
                    let (tenant, report) = (tenant.clone(), report.clone());
                    Order::Group(to, Command::ReportHandedOn { tenant, ticket, report })
                };
                let up_to = reports.last().map_or(0, |(number, _)| *number);
                let done = Command::ReportsDone { tenant: tenant.clone(), series, up_to };
                reports.iter().map(hand_on).chain([Order::Group(self.group, done)]).collect()
            }
        });
        self.orders = orders.collect::<Vec<_>>().into_iter().rev().collect();
    }
}

fn leaders(cluster: &Cluster) -> Vec<Leader> {
    let of = |group| Leader { group, known: cluster.directory.clone(), orders: Vec::new() };
    [1, 1, 2, 2].map(of).into()
}

/// Moves back and forth under everything that may go wrong; some moves are given up.
fn shaken(seed: u64) -> Cluster {
    let mut chance = Seed::new(seed);
    let mut cluster = Cluster::new();
    let mut leaders = leaders(&cluster);
    let mut sequences = [0, 0];
    for _ in 0..120 {
        match chance.below(20) {
            0 => {
                let to = 1 + chance.below(2) as u32;
                // Refused while another is under way.
                let _ = cluster.direct(membership::Command::MoveTenant { tenant: ACME.into(), to });
            }
            1 => {
                let epoch = cluster.directory.move_of(ACME).map_or(0, |going| going.epoch);
                let (tenant, why) = (ACME.into(), "enough".into());
                let _ = cluster.direct(membership::Command::GiveUpMove { tenant, epoch, why });
            }
            2..=5 => {
                let group = chance.below(2) as usize;
                sequences[group] += 1;
                cluster.report(group as u32 + 1, sequences[group]);
            }
            _ => {
                let one = chance.below(leaders.len() as u64) as usize;
                leaders[one].act(&mut cluster, &mut chance);
            }
        }
        assert!(cluster.homes().len() <= 2);
        let home = cluster.directory.home(ACME).expect("a home").group;
        let copy = cluster.groups[&home].arrivals().next().is_some();
        assert!(cluster.homes().contains(&home) || copy, "seed {seed}: {:#?}", cluster.told);
    }
    cluster
}

/// A leader that knows all and is not cut off brings everything to an end.
fn calmed(mut cluster: Cluster, seed: u64) -> Cluster {
    for _ in 0..200 {
        if cluster.is_quiet() {
            return cluster;
        }
        for mut leader in leaders(&cluster) {
            leader.look(&cluster);
            while let Some(order) = leader.orders.pop() {
                if !cluster.obey(order) {
                    break;
                }
            }
        }
    }
    panic!("seed {seed}: it does not come to rest: {:#?}", cluster.told)
}

#[test]
fn whatever_is_cut_off_a_tenant_ends_in_one_home_and_has_heard_all() {
    for seed in 0..400 {
        let cluster = calmed(shaken(seed), seed);
        let home = cluster.directory.home(ACME).expect("a home");
        assert_eq!(cluster.homes(), [home.group], "seed {seed}: {:#?}", cluster.told);
        let state = &cluster.groups[&home.group];
        assert_eq!(state.tenant(&acme()).map(|tenant| tenant.epoch()), Some(home.epoch), "seed {seed}");
        for state in cluster.groups.values() {
            assert_eq!(state.arrivals().count(), 0, "seed {seed}: {:#?}", cluster.told);
        }
        assert_eq!(cluster.waiting(), 0, "seed {seed}: {:#?}", cluster.told);
        assert_eq!(cluster.heard.len(), cluster.kept, "seed {seed}: {:#?}", cluster.told);
        assert!(cluster.heard.values().all(|times| *times == 1), "seed {seed}: {:#?}", cluster.told);
        assert!(state.hold(&acme()).is_none(), "seed {seed}: {:#?}", cluster.told);
    }
}

#[test]
fn a_copy_of_the_directory_from_before_the_move_undoes_nothing() {
    let mut cluster = Cluster::new();
    let old = cluster.directory.clone();
    cluster.direct(membership::Command::MoveTenant { tenant: ACME.into(), to: 2 }).expect("a move");
    let mut leader = Leader { group: 1, known: cluster.directory.clone(), orders: Vec::new() };
    for _ in 0..2 {
        leader.look(&cluster);
        let first = leader.orders.pop().expect("an order");
        assert!(cluster.obey(first));
    }
    assert_eq!(tasks(1, &old, &cluster.groups[&1]), [], "frozen, and this copy does not know why");
    assert_eq!(tasks(2, &old, &cluster.groups[&2]), [], "a copy has come, and this one does not know why");
}

#[test]
fn a_tenant_that_its_group_does_not_know_stays() {
    let mut cluster = Cluster::new();
    cluster.direct(membership::Command::PlaceTenant { tenant: "bolt".into() }).expect("a place");
    cluster.direct(membership::Command::MoveTenant { tenant: "bolt".into(), to: 1 }).expect("a move");
    let cluster = calmed(cluster, 0);
    let last = cluster.directory.move_of("bolt").map(|last| last.stage.clone());
    assert_eq!(last, Some(Stage::Failed { why: "group 2 has no such tenant".into() }));
}

#[test]
fn a_tenant_that_was_deleted_leaves_nothing_behind() {
    let mut cluster = Cluster::new();
    cluster.direct(membership::Command::MoveTenant { tenant: ACME.into(), to: 2 }).expect("a move");
    let mut cluster = calmed(cluster, 0);
    cluster.report(1, 1);
    cluster.commit(2, Command::RemoveTenant { tenant: acme(), author: Author::default() });
    cluster.direct(membership::Command::RemoveTenant { tenant: ACME.into() }).expect("removed");
    let cluster = calmed(cluster, 0);
    assert!(cluster.groups.values().all(|state| state.holds().count() == 0));
}
