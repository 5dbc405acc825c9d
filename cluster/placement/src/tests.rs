//! The promises of `solve`, on random problems, and the cases that have names.

#![allow(clippy::unwrap_used)]

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;

use super::*;

fn node(zone: &str) -> Node {
    Node { zone: zone.into(), draining: false }
}

fn problem(groups: u32, replicas: usize, nodes: &[(NodeId, Node)]) -> Problem {
    Problem { groups: (0..groups).collect(), nodes: nodes.iter().cloned().collect(), replicas }
}

fn loads(plan: &Plan, of: impl Fn(&Place) -> Vec<NodeId>) -> BTreeMap<NodeId, usize> {
    let mut loads = BTreeMap::new();
    plan.groups.values().flat_map(of).for_each(|node| *loads.entry(node).or_default() += 1);
    loads
}

fn leads(plan: &Plan) -> BTreeMap<NodeId, usize> {
    loads(plan, |place| vec![place.leader])
}

#[test]
fn one_node_holds_and_leads_everything() {
    let plan = solve(&problem(17, 3, &[(1, node("a"))]), &Plan::default());
    assert_eq!(plan.groups.len(), 17);
    assert!(plan.groups.values().all(|place| *place == Place { replicas: vec![1], leader: 1 }));
}

#[test]
fn three_nodes_share_the_lead_of_seventeen_groups() {
    let nodes = [(1, node("a")), (2, node("b")), (3, node("c"))];
    let plan = solve(&problem(17, 3, &nodes), &Plan::default());
    let leads: Vec<_> = leads(&plan).into_values().collect();
    assert!(leads.iter().all(|count| (5..=6).contains(count)), "{leads:?}");
}

#[test]
fn a_newcomer_takes_its_share_and_nothing_else_moves() {
    let before = solve(&problem(18, 2, &[(1, node("a")), (2, node("a"))]), &Plan::default());
    let after = solve(&problem(18, 2, &[(1, node("a")), (2, node("a")), (3, node("a"))]), &before);
    assert_eq!(loads(&after, |place| place.replicas.clone())[&3], 12);
    let moved = |(group, place): (&GroupId, &Place)| {
        let old = &before.groups[group].replicas;
        place.replicas.iter().filter(|node| !old.contains(node)).count()
    };
    assert_eq!(after.groups.iter().map(moved).sum::<usize>(), 12);
    assert!(leads(&after).values().all(|count| *count == 6), "{after:?}");
}

#[test]
fn a_draining_node_gives_up_its_lead_first_and_its_replicas_if_others_can_take_them() {
    let mut three = problem(6, 3, &[(1, node("a")), (2, node("b")), (3, node("c"))]);
    let before = solve(&three, &Plan::default());
    three.nodes.get_mut(&1).unwrap().draining = true;
    let drained = solve(&three, &before);
    assert!(!leads(&drained).contains_key(&1));
    assert!(drained.groups.values().all(|place| place.replicas == [1, 2, 3]));
    three.nodes.insert(4, node("d"));
    let replaced = solve(&three, &drained);
    assert!(replaced.groups.values().all(|place| place.replicas == [2, 3, 4]));
}

#[test]
fn without_nodes_the_plan_stays() {
    let before = solve(&problem(2, 1, &[(1, node("a"))]), &Plan::default());
    assert_eq!(solve(&problem(2, 1, &[]), &before), before);
}

prop_compose! {
    fn any_problem()(
        groups in 1..20u32,
        replicas in 1..6usize,
        nodes in prop::collection::btree_map(1..12u64, (0..4u8, prop::bool::weighted(0.2)), 1..9),
    ) -> Problem {
        let node = |(zone, draining): (u8, bool)| Node { zone: zone.to_string(), draining };
        let nodes = nodes.into_iter().map(|(id, described)| (id, node(described))).collect();
        Problem { groups: (0..groups).collect(), nodes, replicas }
    }
}

/// A plan that any earlier problem may have left behind.
fn any_history() -> impl Strategy<Value = Plan> {
    prop::collection::vec(any_problem(), 0..3)
        .prop_map(|problems| problems.iter().fold(Plan::default(), |plan, problem| solve(problem, &plan)))
}

proptest! {
    #[test]
    fn every_group_has_its_replicas(problem in any_problem(), history in any_history()) {
        let plan = solve(&problem, &history);
        prop_assert_eq!(plan.groups.keys().copied().collect::<BTreeSet<_>>(), problem.groups.iter().copied().collect());
        for place in plan.groups.values() {
            prop_assert_eq!(place.replicas.len(), problem.wanted());
            prop_assert!(place.replicas.is_sorted_by(|left, right| left < right));
            prop_assert!(place.replicas.iter().all(|node| problem.usable().contains(node)));
            prop_assert!(place.replicas.contains(&place.leader));
        }
    }

    #[test]
    fn zones_are_shared_only_when_there_are_too_few(problem in any_problem(), history in any_history()) {
        let zones: BTreeSet<_> = problem.usable().iter().map(|node| problem.zone(*node).to_owned()).collect();
        for place in solve(&problem, &history).groups.values() {
            let used: BTreeSet<_> = place.replicas.iter().map(|node| problem.zone(*node)).collect();
            prop_assert_eq!(used.len(), zones.len().min(place.replicas.len()));
        }
    }

    #[test]
    fn solving_again_changes_nothing(problem in any_problem(), history in any_history()) {
        let plan = solve(&problem, &history);
        prop_assert_eq!(solve(&problem, &plan), plan);
    }

    #[test]
    fn loads_are_even_within_one_zone(
        groups in 1..20u32, replicas in 1..5usize, count in 1..8u64, history in any_history()
    ) {
        let nodes: Vec<_> = (1..=count).map(|id| (id, node("a"))).collect();
        let plan = solve(&problem(groups, replicas, &nodes), &history);
        for loads in [loads(&plan, |place| place.replicas.clone()), leads(&plan)] {
            let load = |node: &NodeId| loads.get(node).copied().unwrap_or(0);
            let (least, most) = ((1..=count).map(|id| load(&id)).min(), (1..=count).map(|id| load(&id)).max());
            prop_assert!(most.unwrap() - least.unwrap() <= 1, "{:?}", loads);
        }
    }

    #[test]
    fn draining_nodes_do_not_lead_while_another_replica_stays(problem in any_problem(), history in any_history()) {
        for place in solve(&problem, &history).groups.values() {
            let all_drain = place.replicas.iter().all(|node| problem.drains(*node));
            prop_assert!(all_drain || !problem.drains(place.leader));
        }
    }
}
