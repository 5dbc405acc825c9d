//! Each invariant notices what it is there for: a state is broken by hand, one way at a time.

use std::sync::Arc;

use mangrove_proto::id::{EmployeeId, GroupId, TenantId};

use super::check;
use crate::{State, call::Call, queue::Place, record::Record, tenant::Tenant, tests::world::World};

/// A state with a talking call, a ringing one and a waiting one.
fn world() -> World {
    let mut world = World::acme();
    world.talking("101");
    world.queued();
    world.queued();
    world
}

fn tenant(state: &mut State) -> &mut Tenant {
    Arc::make_mut(state.tenants.get_mut(&TenantId::from("acme")).expect("acme"))
}

fn call<'a>(state: &'a mut State, stage: &str) -> &'a mut Call {
    let tenant = tenant(state);
    let id = tenant.calls().find(|call| call.stage.name() == stage).expect("a call in that stage").id;
    Arc::make_mut(tenant.calls.get_mut(&id).expect("that call"))
}

fn ringing(state: &mut State) -> &mut Call {
    let tenant = tenant(state);
    let id = tenant.calls().find(|call| !call.offers.is_empty()).expect("a ringing call").id;
    Arc::make_mut(tenant.calls.get_mut(&id).expect("that call"))
}

/// A way to break a state.
type Break = fn(&mut State);

#[test]
fn a_sound_state_breaks_none() {
    assert_eq!(check(&world().state), []);
}

#[test]
fn every_break_is_noticed_by_its_name() {
    let breaks: [(&str, Break); 10] = [
        ("I1", |state| {
            let call = call(state, "talking");
            let peer = call.talkers().expect("two").1;
            call.party_mut(peer).expect("a party").ended = Some((call.since, crate::Cause::HungUp));
        }),
        ("I1", |state| {
            let since = call(state, "talking").since;
            let ringing = ringing(state);
            let leg = ringing.offers[0].legs[0];
            ringing.party_mut(leg).expect("a phone").answered = Some(since);
        }),
        ("I2", |state| {
            let agent = tenant(state).agents.get_mut(&EmployeeId::from("anna")).expect("anna");
            Arc::make_mut(agent).engaged = None;
        }),
        ("I2", |state| {
            ringing(state)
                .parties
                .values_mut()
                .map(Arc::make_mut)
                .for_each(|party| party.employee = Some("anna".into()));
        }),
        ("I3", |state| {
            let mut world = world();
            let caller = world.ends.iter().position(|end| end.calls).expect("a caller");
            world.hang_up(caller);
            *state = world.state.clone();
            state.outbox.add(Record::Cdr(world.record()));
        }),
        ("I5", |state| ringing(state).offers[0].number += 1),
        ("I5", |state| ringing(state).offers.clear()),
        ("I6", |state| {
            let queue = tenant(state).queues.get_mut(&GroupId::from("200")).expect("sales");
            let queue = Arc::make_mut(queue);
            let (place, id) = queue.waiting.get_min().map(|(place, id)| (*place, *id)).expect("somebody");
            queue.waiting.remove(&place);
            queue.waiting.insert(Place { priority: 0, number: place.number + 1_000 }, id);
        }),
        ("I8", |state| {
            let tenant = tenant(state);
            let leg = *tenant.legs.keys().next().expect("a leg");
            tenant.legs.remove(&leg);
        }),
        ("I10", |state| {
            let tenant = tenant(state);
            let key = tenant.usage.keys().next().expect("a limit").clone();
            tenant.usage.get_mut(&key).expect("that limit").allowed = Some(1);
        }),
    ];
    for (number, (id, break_it)) in breaks.into_iter().enumerate() {
        let mut state = world().state;
        break_it(&mut state);
        let found = check(&state);
        assert!(found.iter().any(|violation| violation.id == id), "break {number} of {id}: {found:?}");
    }
}
