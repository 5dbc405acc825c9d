//! Who holds what: keep what is good, fill what is missing, then even out by single moves.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use crate::model::{GroupId, NodeId, Plan, Problem};

pub(crate) type Replicas = BTreeMap<GroupId, BTreeSet<NodeId>>;

pub(crate) fn place(problem: &Problem, previous: &Plan) -> Replicas {
    let mut board = Board::new(problem, previous);
    for group in &problem.groups {
        board.trim(*group);
        board.fill(*group);
        board.spread(*group);
    }
    board.even_out();
    board.placed
}

struct Board<'p> {
    problem: &'p Problem,
    usable: BTreeSet<NodeId>,
    placed: Replicas,
}

impl<'p> Board<'p> {
    fn new(problem: &'p Problem, previous: &Plan) -> Self {
        let usable = problem.usable();
        let kept = |group: &GroupId| {
            let before =
                previous.groups.get(group).map(|place| place.replicas.as_slice()).unwrap_or_default();
            (*group, before.iter().copied().filter(|node| usable.contains(node)).collect())
        };
        let placed = problem.groups.iter().map(kept).collect();
        Self { problem, usable, placed }
    }

    /// Takes the replicas that are too many from the most crowded zones and nodes.
    fn trim(&mut self, group: GroupId) {
        while self.holders(group).len() > self.problem.wanted() {
            let worst = self.holders(group).iter().copied().max_by_key(|node| self.cost(group, *node));
            self.holders_mut(group).remove(&worst.unwrap_or_default());
        }
    }

    fn fill(&mut self, group: GroupId) {
        while self.holders(group).len() < self.problem.wanted() {
            match self.best_newcomer(group) {
                Some(node) => self.holders_mut(group).insert(node),
                None => return,
            };
        }
    }

    /// Moves replicas out of shared zones while a zone without one has a usable node.
    fn spread(&mut self, group: GroupId) {
        while let Some(crowded) =
            self.holders(group).iter().copied().max_by_key(|node| self.cost(group, *node))
            && self.in_zone(group, crowded) > 1
            && let Some(better) = self.best_newcomer(group)
            && self.in_zone(group, better) == 0
        {
            self.holders_mut(group).remove(&crowded);
            self.holders_mut(group).insert(better);
        }
    }

    /// Moves single replicas from fuller to emptier nodes while that evens them out and harms no zone. Each move
    /// lessens the sum of squares of the loads, so it ends.
    fn even_out(&mut self) {
        while let Some((group, from, to)) = self.evening_move() {
            self.holders_mut(group).remove(&from);
            self.holders_mut(group).insert(to);
        }
    }

    fn evening_move(&self) -> Option<(GroupId, NodeId, NodeId)> {
        let loads: BTreeMap<_, _> = self.usable.iter().map(|node| (*node, self.load(*node))).collect();
        let mut pairs: Vec<_> = loads
            .iter()
            .flat_map(|(from, full)| loads.iter().map(move |(to, empty)| (*full, *empty, *from, *to)))
            .filter(|(full, empty, ..)| *full > *empty + 1)
            .collect();
        pairs.sort_by_key(|(full, empty, from, to)| (Reverse(full - empty), *from, *to));
        pairs.into_iter().find_map(|(_, _, from, to)| {
            let group = self.placed.keys().find(|group| self.may_move(**group, from, to))?;
            Some((*group, from, to))
        })
    }

    fn may_move(&self, group: GroupId, from: NodeId, to: NodeId) -> bool {
        let holders = self.holders(group);
        let same_zone = self.problem.zone(from) == self.problem.zone(to);
        let harmless = same_zone || self.in_zone(group, to) < self.in_zone(group, from);
        holders.contains(&from) && !holders.contains(&to) && harmless
    }

    fn best_newcomer(&self, group: GroupId) -> Option<NodeId> {
        let holders = self.holders(group);
        self.usable
            .iter()
            .copied()
            .filter(|node| !holders.contains(node))
            .min_by_key(|node| self.cost(group, *node))
    }

    /// How bad a node is for a group: replicas in its zone first, draining next, then its load.
    fn cost(&self, group: GroupId, node: NodeId) -> (usize, bool, usize, NodeId) {
        (self.in_zone(group, node), self.problem.drains(node), self.load(node), node)
    }

    fn in_zone(&self, group: GroupId, node: NodeId) -> usize {
        let zone = self.problem.zone(node);
        self.holders(group).iter().filter(|other| self.problem.zone(**other) == zone).count()
    }

    fn load(&self, node: NodeId) -> usize {
        self.placed.values().filter(|holders| holders.contains(&node)).count()
    }

    fn holders(&self, group: GroupId) -> &BTreeSet<NodeId> {
        static NONE: BTreeSet<NodeId> = BTreeSet::new();
        self.placed.get(&group).unwrap_or(&NONE)
    }

    fn holders_mut(&mut self, group: GroupId) -> &mut BTreeSet<NodeId> {
        self.placed.entry(group).or_default()
    }
}
