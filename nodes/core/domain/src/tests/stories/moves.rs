//! Acme moves to another shard group under its calls.

use mangrove_proto::media::{PlayFinished, media_event::Fact};
use mangrove_sip::Message;

use crate::{
    Action, AgentWish, Arrival, Author, Command, NodeInfo, Reply, Standing, Ticket,
    tests::{
        acme,
        world::{World, tenant_id},
    },
};

/// Clocks that a new group may show: long behind, and long ahead.
const CLOCKS: [u64; 2] = [7, 900_000_000];

#[test]
fn talk_queue_and_agents_are_as_they_were_and_the_new_group_commands() {
    for clock in CLOCKS {
        let mut world = World::acme();
        let (caller, anna) = world.talking("101");
        let second = world.queued();
        world.pick_up("102");
        let (third, fourth) = (world.queued(), world.queued());
        let before = world.sessions.clone();
        let heard: Vec<_> = world.ends.iter().map(|end| end.heard.len()).collect();
        world.move_to(clock);
        assert_eq!(world.sessions, before, "sessions are asked for again, in the same version");
        for (end, before) in world.ends.iter().zip(heard) {
            let (known, again) = end.heard.split_at(before);
            let is_new = |message: &&Message| known.iter().all(|old| old.to_bytes() != message.to_bytes());
            assert_eq!(again.iter().find(is_new), None, "nobody is told anything new");
        }
        assert!(world.are_joined(caller, anna));
        world.hang_up(caller);
        world.pass(5_000);
        assert!(world.ringing("101").is_some(), "who came first is offered first");
        world.pick_up("101");
        assert_eq!((world.stage(third), world.stage(fourth)), ("talking", "waiting"));
        world.hang_up(second);
        let ended = world.records();
        assert_eq!(ended.len(), 2, "{ended:#?}");
    }
}

#[test]
fn what_the_new_home_sends_bears_the_new_epoch() {
    let mut world = World::acme();
    let (_, _) = world.talking("101");
    let epoch = world.freeze();
    let copy = world.state.departure(&tenant_id()).expect("a copy");
    world.carry(epoch, 7);
    let admitted = world.log.len() - 1;
    let mut state = crate::State::default();
    world.log[admitted - 3..].iter().for_each(|(command, stamp)| {
        let done = crate::apply(&mut state, command.clone(), *stamp);
        let sessions = done.actions.iter().filter_map(|effect| match &effect.action {
            Action::Media { command, .. } => command.fence,
            Action::Edge { command, .. } => command.fence,
        });
        assert!(sessions.clone().all(|fence| fence.tenant_epoch == epoch && fence.index == stamp.index));
    });
    assert_eq!((copy.epoch(), world.tenant().epoch()), (epoch, epoch));
}

#[test]
fn timers_run_on_by_the_tenants_own_clock() {
    for clock in CLOCKS {
        let mut world = World::acme();
        world.talking("101");
        world.talking("102");
        let caller = world.queued();
        world.pass(9_000);
        world.move_to(clock);
        world.pass(5_999);
        assert_eq!(world.stage(caller), "waiting", "clock {clock}");
        world.pass(1);
        assert_eq!(world.stage(caller), "ringing", "clock {clock}");
        world.hang_up(caller);
        assert_eq!(world.record().wait_ms, 15_000);
    }
}

#[test]
fn what_is_reported_meanwhile_is_heard_once_and_in_its_order() {
    let mut world = World::acme();
    let caller = world.call_in(acme::NUMBER);
    world.run();
    let (call, play) = (world.call(caller).id, world.plays(caller).expect("a greeting").id);
    let endpoint = world.ends[caller].leg.clone();
    let epoch = world.freeze();
    let before = world.tenant().clone();
    // First in the old home, then in the new one: the caller hangs up after the greeting has ended.
    assert_eq!(world.media(call, Fact::PlayFinished(PlayFinished { endpoint, play })), Reply::Done);
    assert_eq!(world.tenant(), &before, "nothing happens to a frozen tenant");
    world.carry(epoch, 7);
    let bye = world.ends[caller].request("BYE", "", "");
    world.sip(caller, bye);
    assert_eq!(world.stage(caller), "playing");
    world.hand_on();
    assert_eq!(world.stage(caller), "waiting", "the prompt's end came first");
    world.settle(epoch);
    assert_eq!(world.stage(caller), "over");
    world.pass(12_000);
    assert_eq!(world.record().cause, "abandoned");
}

#[test]
fn who_has_not_heard_of_the_move_is_heard_all_the_same() {
    let mut world = World::acme();
    let (caller, anna) = world.talking("101");
    world.move_to(7);
    world.late = true;
    world.hang_up(anna);
    assert_eq!(world.stage(caller), "over");
    world.run();
    let queued = world.queued();
    world.pick_up("102");
    assert_eq!(world.stage(queued), "talking");
}

#[test]
fn a_report_is_taken_once_whoever_repeats_it_and_none_before_its_turn() {
    let mut world = World::acme();
    let (caller, _) = world.talking("101");
    let epoch = world.freeze();
    let bye = world.ends[caller].request("BYE", "", "");
    world.sip(caller, bye);
    let (series, (_, report)) = {
        let hold = world.hold().expect("a hold");
        (hold.series(), hold.reports().next().map(|(number, report)| (number, report.clone())).expect("one"))
    };
    let told = |world: &mut World, group, series, number| {
        let ticket = Ticket { group, series, number };
        world.command(Command::ReportHandedOn { tenant: tenant_id(), ticket, report: report.clone() })
    };
    assert!(matches!(told(&mut world, 1, series, 1), Reply::Moving { .. }), "it is frozen here");
    world.carry(epoch, 7);
    let table = [
        ((1, series, 2), Reply::Gap { last: 0 }),
        ((1, series, 1), Reply::Done),
        ((1, series, 1), Reply::Seen),
        ((1, series, 3), Reply::Gap { last: 1 }),
        ((1, series - 1, 9), Reply::Seen),
        ((1, series + 1, 2), Reply::Gap { last: 0 }),
        ((9, 3, 1), Reply::Done),
    ];
    for ((group, series, number), expected) in table {
        let reply = told(&mut world, group, series, number);
        assert_eq!(reply, expected, "group {group}, series {series}, number {number}");
    }
}

#[test]
fn a_move_that_is_given_up_leaves_all_as_it_was() {
    let mut world = World::acme();
    let (caller, anna) = world.talking("101");
    let waiting = world.queued();
    world.pick_up("102");
    let epoch = world.freeze();
    let bye = world.ends[anna].request("BYE", "", "");
    world.sip(anna, bye);
    world.command(Command::SettleTenant { tenant: tenant_id(), epoch });
    assert_eq!(world.hold().map(crate::Hold::standing), Some(Standing::Settling), "the BYE is to be heard");
    world.hear_own();
    assert_eq!(world.hold(), None);
    assert_eq!((world.stage(caller), world.stage(waiting)), ("over", "talking"));
    world.command(Command::SettleTenant { tenant: tenant_id(), epoch });
    assert_eq!(world.hold(), None, "said again it changes nothing");
}

#[test]
fn a_tenant_that_comes_back_hears_what_came_for_it_here() {
    let mut world = World::acme();
    let (caller, anna) = world.talking("101");
    world.move_to(500_000_000);
    // Something comes late and is not handed on before the tenant is back.
    let mut behind = world.behind.take().expect("the old group");
    let mut stray = world.clone();
    stray.state = behind.state.clone();
    let bye = stray.ends[anna].request("BYE", "", "");
    stray.sip(anna, bye);
    behind.state = stray.state;
    world.behind = Some(behind);
    let epoch = world.freeze();
    world.carry_back(epoch);
    assert_eq!(world.stage(caller), "talking");
    world.settle(epoch);
    assert_eq!(world.stage(caller), "over");
    world.late = true;
    world.queued();
}

#[test]
fn wishes_wait_until_the_tenant_is_there() {
    let mut world = World::acme();
    world.talking("101");
    let epoch = world.freeze();
    let before = world.tenant().clone();
    let author = Author::default;
    let config = world.tenant().config().clone();
    let mut newer = crate::config::TenantConfig::clone(&config);
    newer.version += 1;
    let wishes = [
        Command::CommandAgent {
            tenant: tenant_id(),
            employee: "anna".into(),
            wish: AgentWish::Offline,
            author: author(),
            ask: None,
        },
        Command::RemoveTenant { tenant: tenant_id(), author: author() },
        Command::ConfigureTenant { config: newer.into(), epoch: 1, author: author(), changes: vec![] },
        Command::SetPassword {
            tenant: tenant_id(),
            employee: "anna".into(),
            hash: "x".into(),
            author: author(),
            ask: None,
        },
    ];
    let refused = Reply::Moving { tenant: "acme".into() };
    for wish in &wishes {
        assert_eq!(world.command(wish.clone()), refused, "{wish:?}");
        assert_eq!(world.tenant(), &before);
    }
    world.carry(epoch, 7);
    world.settle(epoch);
    let mut behind = world.behind.take().expect("the old group");
    for wish in wishes {
        assert_eq!(behind.apply(wish, 0).reply, refused, "what comes late to the old home");
    }
}

#[test]
fn a_tenant_of_the_same_name_may_be_made_where_the_first_one_was() {
    let mut world = World::acme();
    world.move_to(7);
    let mut behind = world.behind.take().expect("the old group");
    let config = world.tenant().config().clone();
    let epoch = world.tenant().epoch() + 5;
    let made = Command::ConfigureTenant { config, epoch, author: Author::default(), changes: vec![] };
    assert_eq!(behind.apply(made, 0).reply, Reply::Done);
    assert_eq!(behind.state.hold(&tenant_id()), None);
}

#[test]
fn a_node_that_is_lost_meanwhile_is_done_without() {
    let mut world = World::acme();
    let (caller, anna) = world.talking("101");
    let spare = NodeInfo { name: "m2".into(), contacts: vec![], media: true };
    world.command(Command::NodeAnnounced { node: spare });
    let epoch = world.freeze();
    world.command(Command::NodeLost { name: "m1".into(), tells: true });
    assert_eq!(world.call(caller).media.node, "m1", "nothing happens to a frozen tenant");
    world.command(Command::SettleTenant { tenant: tenant_id(), epoch });
    assert_eq!(world.call(caller).media.node, "m2");
    world.run();
    assert!(world.are_joined(caller, anna));
}

#[test]
fn records_go_out_where_the_tenant_is_under_the_name_they_were_made() {
    let mut world = World::acme();
    let (caller, _) = world.talking("101");
    world.hang_up(caller);
    world.pass(12_000);
    assert_eq!(world.records().len(), 1);
    let (number, _) = world.state.outbox().next().expect("a record");
    world.move_to(7);
    assert_eq!(world.behind.as_ref().map(|behind| behind.state.outbox_len()), Some(0));
    assert_eq!(world.records().len(), 1);
    let (at, _) = world.state.outbox().next().expect("the record");
    let origin = world.state.origin(at).expect("where it was made");
    assert_eq!((origin.incarnation, origin.group, origin.number), (1, 1, number));
    world.command(Command::OutboxDelivered { up_to: at });
    assert_eq!((world.state.outbox_len(), world.state.origin(at)), (0, None));
}

#[test]
fn a_copy_counts_once_and_only_the_newest() {
    let mut world = World::acme();
    let epoch = world.freeze();
    let copy = world.state.departure(&tenant_id()).expect("a copy");
    let older = Arrival { epoch: epoch - 1, ..copy.clone() };
    let mut home = World::of(acme::config());
    home.state = crate::State::default();
    let take_in = |world: &mut World, copy: &Arrival| {
        world.command(Command::TakeInTenant { arrival: copy.clone().into() })
    };
    assert_eq!(take_in(&mut home, &copy), Reply::Done);
    assert_eq!(take_in(&mut home, &older), Reply::Seen);
    home.command(Command::DiscardArrival { tenant: tenant_id(), epoch: epoch - 1 });
    assert_eq!(home.state.arrivals().count(), 1, "an earlier move's word is late");
    let made = Command::ConfigureTenant {
        config: copy.tenant.config().clone(),
        epoch,
        author: Author::default(),
        changes: vec![],
    };
    assert_eq!(home.command(made), Reply::Moving { tenant: "acme".into() }, "it would be made anew");
    let admit = Command::AdmitTenant { tenant: tenant_id(), epoch };
    assert_eq!([home.command(admit.clone()), home.command(admit)], [Reply::Done, Reply::Seen]);
    assert_eq!(take_in(&mut home, &copy), Reply::Seen);
    assert_eq!(home.state.arrivals().count(), 0);
}
