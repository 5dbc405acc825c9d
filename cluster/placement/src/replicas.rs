//! Who holds what: keep what is good, fill what is missing, then even out by single moves.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use crate::model::{GroupId, NodeId, Plan, Problem, Standing};

pub(crate) type Replicas = BTreeMap<GroupId, BTreeSet<NodeId>>;

pub(crate) fn place(problem: &Problem, previous: &Plan) -> Replicas {
    let mut board = Board::new(problem, previous);
    for group in &problem.groups {
        board.trim(*group);
        board.fill(*group);
        board.spread(*group);
        board.keep_lost(*group, previous);
    }
    board.even_out();
    board.placed
}

struct Board<'p> {
    problem: &'p Problem,
    staying: BTreeSet<NodeId>,
    draining: BTreeSet<NodeId>,
    /// Groups that can't do without draining nodes.
    short: BTreeSet<GroupId>,
    placed: Replicas,
}

impl<'p> Board<'p> {
    fn new(problem: &'p Problem, previous: &Plan) -> Self {
        let (staying, draining) =
            (problem.standing_so(Standing::Staying), problem.standing_so(Standing::Draining));
        let mut board = Self { problem, staying, draining, short: BTreeSet::new(), placed: Replicas::new() };
        for group in &problem.groups {
            let before = holders_before(previous, *group);
            let away = before.iter().filter(|node| problem.standing(**node) == Standing::Away).count();
            if board.staying.len() + away < problem.wanted() {
                board.short.insert(*group);
            }
            let kept = before.into_iter().filter(|node| board.may_hold(*group, *node)).collect();
            board.placed.insert(*group, kept);
        }
        board
    }

    fn may_hold(&self, group: GroupId, node: NodeId) -> bool {
        match self.problem.standing(node) {
            Standing::Staying | Standing::Away => true,
            Standing::Draining => self.short.contains(&group),
            Standing::Lost => false,
        }
    }

    /// Nodes that may be given a replica of the group.
    fn takers(&self, group: GroupId) -> impl Iterator<Item = NodeId> {
        let draining = self.draining.iter().filter(move |_| self.short.contains(&group));
        self.staying.iter().chain(draining).copied()
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

    /// Moves replicas out of shared zones while a zone without one has a node that may take it.
    fn spread(&mut self, group: GroupId) {
        while let Some(crowded) = self.most_crowded(group)
            && let Some(better) = self.best_newcomer(group)
            && self.in_zone(group, better) == 0
        {
            self.holders_mut(group).remove(&crowded);
            self.holders_mut(group).insert(better);
        }
    }

    /// What nodes that are away hold stays with them.
    fn most_crowded(&self, group: GroupId) -> Option<NodeId> {
        let movable = self.holders(group).iter().copied().filter(|node| !self.is_away(*node));
        movable.filter(|node| self.in_zone(group, *node) > 1).max_by_key(|node| self.cost(group, *node))
    }

    /// While there are too few others, a replica that may come back is better than none.
    fn keep_lost(&mut self, group: GroupId, previous: &Plan) {
        let missing = self.problem.wanted().saturating_sub(self.holders(group).len());
        let lost = holders_before(previous, group).into_iter().filter(|node| {
            self.problem.nodes.contains_key(node) && self.problem.standing(*node) == Standing::Lost
        });
        let kept: Vec<_> = lost.take(missing).collect();
        self.holders_mut(group).extend(kept);
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
        let movable = self.staying.iter().chain(&self.draining);
        let loads: BTreeMap<_, _> = movable.map(|node| (*node, self.load(*node))).collect();
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
        self.may_hold(group, to) && holders.contains(&from) && !holders.contains(&to) && harmless
    }

    fn best_newcomer(&self, group: GroupId) -> Option<NodeId> {
        let holders = self.holders(group);
        self.takers(group).filter(|node| !holders.contains(node)).min_by_key(|node| self.cost(group, *node))
    }

    /// How bad a node is for a group: replicas in its zone first, its standing next, then its load.
    fn cost(&self, group: GroupId, node: NodeId) -> (usize, Standing, usize, NodeId) {
        (self.in_zone(group, node), self.problem.standing(node), self.load(node), node)
    }

    fn is_away(&self, node: NodeId) -> bool {
        self.problem.standing(node) == Standing::Away
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

fn holders_before(previous: &Plan, group: GroupId) -> Vec<NodeId> {
    previous.groups.get(&group).map(|place| place.replicas.clone()).unwrap_or_default()
}
