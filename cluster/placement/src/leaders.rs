//! Who leads: keep the leaders of before, then pass leads along while that makes them more even.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, VecDeque};

use crate::model::{GroupId, NodeId, Place, Plan, Problem, Standing};
use crate::replicas::Replicas;

pub(crate) fn choose(problem: &Problem, previous: &Plan, replicas: Replicas) -> Plan {
    let mut bench = Bench {
        leads: BTreeMap::new(),
        leaders: BTreeMap::new(),
        candidates: candidates(problem, &replicas),
    };
    for (group, nodes) in bench.candidates.clone() {
        let before = previous.groups.get(&group).map(|place| place.leader);
        let kept = before.filter(|leader| nodes.contains(leader));
        let leader = kept.or_else(|| nodes.iter().copied().min_by_key(|node| (bench.leads_of(*node), *node)));
        bench.give(group, leader.unwrap_or_default());
    }
    bench.even_out();
    let place = |(group, nodes): (GroupId, BTreeSet<NodeId>)| match bench.leaders.get(&group) {
        Some(leader) if !nodes.is_empty() => {
            Some((group, Place { replicas: nodes.into_iter().collect(), leader: *leader }))
        }
        // Nobody can hold it: it stays where it was.
        _ => previous.groups.get(&group).map(|place| (group, place.clone())),
    };
    Plan { groups: replicas.into_iter().filter_map(place).collect() }
}

/// The replicas of the best standing for leading: those that stay, else those that drain, else all.
fn candidates(problem: &Problem, replicas: &Replicas) -> BTreeMap<GroupId, Vec<NodeId>> {
    let of = |nodes: &BTreeSet<NodeId>| {
        let best = nodes.iter().map(|node| reluctance(problem, *node)).min();
        nodes.iter().copied().filter(|node| Some(reluctance(problem, *node)) == best).collect()
    };
    replicas.iter().filter(|(_, nodes)| !nodes.is_empty()).map(|(group, nodes)| (*group, of(nodes))).collect()
}

/// A node that does not answer leads nothing; one that drains does while nobody else can.
fn reluctance(problem: &Problem, node: NodeId) -> u8 {
    match problem.standing(node) {
        Standing::Staying => 0,
        Standing::Draining => 1,
        Standing::Away | Standing::Lost => 2,
    }
}

struct Bench {
    leads: BTreeMap<NodeId, usize>,
    leaders: BTreeMap<GroupId, NodeId>,
    candidates: BTreeMap<GroupId, Vec<NodeId>>,
}

impl Bench {
    fn leads_of(&self, node: NodeId) -> usize {
        self.leads.get(&node).copied().unwrap_or(0)
    }

    fn give(&mut self, group: GroupId, to: NodeId) {
        if let Some(from) = self.leaders.insert(group, to) {
            *self.leads.entry(from).or_default() -= 1;
        }
        *self.leads.entry(to).or_default() += 1;
    }

    /// Each round takes a lead from one node to another that has at least two fewer, so it ends.
    fn even_out(&mut self) {
        while let Some(path) = self.busiest_first().into_iter().find_map(|node| self.path_to_idler(node)) {
            path.into_iter().for_each(|(group, to)| self.give(group, to));
        }
    }

    fn busiest_first(&self) -> Vec<NodeId> {
        let mut nodes: Vec<_> = self.leads.iter().map(|(node, leads)| (Reverse(*leads), *node)).collect();
        nodes.sort();
        nodes.into_iter().map(|(_, node)| node).collect()
    }

    /// The shortest chain of handovers from `start` to a node with at least two leads fewer. A single handover may
    /// not do: A may share groups with B only, and B with C.
    fn path_to_idler(&self, start: NodeId) -> Option<Vec<(GroupId, NodeId)>> {
        let mut reached: BTreeMap<NodeId, Option<(NodeId, GroupId)>> = BTreeMap::from([(start, None)]);
        let mut waiting = VecDeque::from([start]);
        while let Some(node) = waiting.pop_front() {
            if self.leads_of(node) + 2 <= self.leads_of(start) {
                return Some(chain(&reached, node));
            }
            for (group, _) in self.leaders.iter().filter(|(_, leader)| **leader == node) {
                for next in self.candidates.get(group).into_iter().flatten() {
                    if !reached.contains_key(next) {
                        reached.insert(*next, Some((node, *group)));
                        waiting.push_back(*next);
                    }
                }
            }
        }
        None
    }
}

fn chain(reached: &BTreeMap<NodeId, Option<(NodeId, GroupId)>>, end: NodeId) -> Vec<(GroupId, NodeId)> {
    let mut handovers = Vec::new();
    let mut node = end;
    while let Some(Some((from, group))) = reached.get(&node) {
        handovers.push((*group, node));
        node = *from;
    }
    handovers
}
