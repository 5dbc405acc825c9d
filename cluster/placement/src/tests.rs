//! The promises of `solve`, on random problems, and the cases that have names.

#![allow(clippy::unwrap_used)]

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;

use super::*;

fn node(zone: &str) -> Node {
    Node { zone: zone.into(), standing: Standing::Staying }
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
    three.nodes.get_mut(&1).unwrap().standing = Standing::Draining;
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

#[test]
fn a_node_that_is_away_keeps_its_replicas_and_leads_nothing_until_it_is_lost() {
    let nodes = [(1, node("a")), (2, node("b")), (3, node("c")), (4, node("d"))];
    let mut four = problem(8, 3, &nodes);
    let before = solve(&four, &Plan::default());
    let held = |plan: &Plan| -> Vec<GroupId> {
        plan.groups.iter().filter(|(_, place)| place.replicas.contains(&1)).map(|(group, _)| *group).collect()
    };
    four.nodes.get_mut(&1).unwrap().standing = Standing::Away;
    let away = solve(&four, &before);
    assert_eq!(held(&away), held(&before));
    assert!(!leads(&away).contains_key(&1));
    four.nodes.get_mut(&1).unwrap().standing = Standing::Lost;
    let lost = solve(&four, &away);
    assert!(lost.groups.values().all(|place| place.replicas == [2, 3, 4]), "{lost:?}");
    four.nodes.get_mut(&1).unwrap().standing = Standing::Staying;
    let back = leads(&solve(&four, &lost));
    assert!(back.values().all(|count| *count == 2), "{back:?}");
}

#[test]
fn a_lost_node_is_kept_while_nobody_can_take_its_place() {
    let mut three = problem(4, 3, &[(1, node("a")), (2, node("b")), (3, node("c"))]);
    let before = solve(&three, &Plan::default());
    three.nodes.get_mut(&3).unwrap().standing = Standing::Lost;
    let lost = solve(&three, &before);
    assert!(lost.groups.values().all(|place| place.replicas == [1, 2, 3] && place.leader != 3));
    three.nodes.insert(4, node("c"));
    let replaced = solve(&three, &lost);
    assert!(replaced.groups.values().all(|place| place.replicas == [1, 2, 4]));
}

#[test]
fn nothing_new_goes_to_a_node_that_does_not_answer() {
    for standing in [Standing::Away, Standing::Lost] {
        let silent = Node { zone: "c".into(), standing };
        let plan = solve(&problem(4, 3, &[(1, node("a")), (2, node("b")), (3, silent)]), &Plan::default());
        assert!(plan.groups.values().all(|place| place.replicas == [1, 2]), "{plan:?}");
    }
}

prop_compose! {
    fn any_problem()(
        groups in 1..20u32,
        replicas in 1..6usize,
        nodes in prop::collection::btree_map(1..12u64, (0..4u8, any_standing()), 1..9),
    ) -> Problem {
        let node = |(zone, standing): (u8, Standing)| Node { zone: zone.to_string(), standing };
        let nodes = nodes.into_iter().map(|(id, described)| (id, node(described))).collect();
        Problem { groups: (0..groups).collect(), nodes, replicas }
    }
}

fn any_standing() -> impl Strategy<Value = Standing> {
    prop_oneof![
        7 => Just(Standing::Staying),
        1 => Just(Standing::Draining),
        1 => Just(Standing::Away),
        1 => Just(Standing::Lost),
    ]
}

/// A plan that any earlier problem may have left behind.
fn any_history() -> impl Strategy<Value = Plan> {
    prop::collection::vec(any_problem(), 0..3)
        .prop_map(|problems| problems.iter().fold(Plan::default(), |plan, problem| solve(problem, &plan)))
}

fn before(history: &Plan, group: GroupId) -> Vec<NodeId> {
    history.groups.get(&group).map(|place| place.replicas.clone()).unwrap_or_default()
}

/// Nodes that may hold this group's replica, the best standing first: as many of these as are needed.
fn usable(problem: &Problem, held: &[NodeId]) -> BTreeSet<NodeId> {
    let known = |wanted: Standing| problem.standing_so(wanted);
    let kept = |wanted: Standing| held.iter().copied().filter(move |node| known(wanted).contains(node));
    let mut usable: BTreeSet<_> = known(Standing::Staying).into_iter().chain(kept(Standing::Away)).collect();
    if usable.len() < problem.wanted() {
        usable.extend(known(Standing::Draining));
    }
    if usable.len() < problem.wanted() {
        usable.extend(kept(Standing::Lost));
    }
    usable
}

proptest! {
    #[test]
    fn every_group_has_its_replicas(problem in any_problem(), history in any_history()) {
        let plan = solve(&problem, &history);
        for group in &problem.groups {
            let usable = usable(&problem, &before(&history, *group));
            let Some(place) = plan.groups.get(group).filter(|_| !usable.is_empty()) else {
                prop_assert_eq!(plan.groups.get(group), history.groups.get(group));
                continue;
            };
            prop_assert_eq!(place.replicas.len(), problem.wanted().min(usable.len()));
            prop_assert!(place.replicas.is_sorted_by(|left, right| left < right));
            prop_assert!(place.replicas.iter().all(|node| usable.contains(node)));
            prop_assert!(place.replicas.contains(&place.leader));
        }
    }

    #[test]
    fn zones_are_shared_only_when_there_are_too_few(problem in any_problem(), history in any_history()) {
        for (group, place) in solve(&problem, &history).groups {
            let usable = usable(&problem, &before(&history, group));
            let silent = |node: &NodeId| problem.standing(*node) > Standing::Staying && problem.standing(*node) != Standing::Draining;
            if place.replicas.iter().any(silent) || usable.is_empty() {
                continue;
            }
            let takers = usable.iter().filter(|node| !silent(node));
            let zones: BTreeSet<_> = takers.map(|node| problem.zone(*node).to_owned()).collect();
            let used: BTreeSet<_> = place.replicas.iter().map(|node| problem.zone(*node)).collect();
            prop_assert_eq!(used.len(), zones.len().min(place.replicas.len()));
        }
    }

    #[test]
    fn a_node_that_is_away_loses_nothing_that_fits(problem in any_problem(), history in any_history()) {
        for (group, place) in solve(&problem, &history).groups {
            let before = before(&history, group);
            let away = before.iter().filter(|node| problem.standing(**node) == Standing::Away);
            if before.len() <= problem.wanted() {
                prop_assert!(away.clone().all(|node| place.replicas.contains(node)));
            }
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
    fn who_drains_or_is_silent_does_not_lead_while_another_replica_stays(problem in any_problem(), history in any_history()) {
        for place in solve(&problem, &history).groups.values() {
            let stays = |node: &NodeId| problem.standing(*node) == Standing::Staying;
            prop_assert!(stays(&place.leader) || !place.replicas.iter().any(stays));
        }
    }
}
