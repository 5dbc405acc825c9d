//! After-call work is due to the agent whom the queue gave the call, whatever legs they had in it, and to nobody else.

use mangrove_proto::live::AgentState;

use crate::tests::world::World;

#[test]
fn a_second_phone_that_lost_takes_nothing_away() {
    let mut world = World::acme();
    world.register_at("101", "10.0.2.1:5060", "");
    for number in 0..20 {
        let caller = world.queued();
        let rings = |end: &usize| world.ends[*end].user == "101" && world.ends[*end].answered.is_none();
        let phones: Vec<usize> = (0..world.ends.len()).filter(rings).collect();
        assert_eq!(phones.len(), 2);
        let anna = phones[number % 2];
        world.final_answer(anna, 200);
        world.run();
        world.hang_up(if number < 10 { caller } else { anna });
        assert_eq!(world.agent("anna").state(), AgentState::WrapUp, "call {number}");
        world.pass(40_000);
    }
}

#[test]
fn an_offer_that_was_missed_takes_nothing_away() {
    for number in 0..10 {
        let mut world = World::acme();
        (0..number).for_each(|_| world.register("101"));
        let caller = world.queued();
        // Anna and Boris let it ring; then it is Anna's turn again.
        world.pass(14_000);
        world.pick_up("101");
        world.hang_up(caller);
        assert_eq!(world.agent("anna").state(), AgentState::WrapUp, "call {number}");
    }
}

#[test]
fn who_called_the_group_has_none_by_sending_the_agent_on() {
    let mut world = World::acme();
    let desk = world.call_from("190", "200");
    world.run();
    let anna = world.pick_up("101");
    world.refer(desk, "102");
    world.run();
    let boris = world.pick_up("102");
    assert!(world.are_joined(anna, boris) && world.ends[desk].was_told("BYE"));
    assert_eq!(world.agent("desk").state(), AgentState::Available);
}
