//! What agents and administrators do.

use mangrove_proto::{edge::edge_command::Op, live::AgentState};
use mangrove_sip::Message;

use crate::{
    Action, AgentWish, Ask, Author, CallWish, Command, ObjectRef, Record, Reply,
    config::Strategy,
    routes,
    tests::{
        acme,
        world::{World, tenant_id},
    },
    view,
};

#[test]
fn a_break_counts_when_the_call_is_over() {
    let mut world = World::acme();
    let (caller, _) = world.talking("101");
    world.wish("anna", AgentWish::Break(Some("lunch".into())));
    assert_eq!(world.agent("anna").state(), AgentState::Busy);
    world.hang_up(caller);
    world.pass(5_000);
    assert_eq!(
        (world.agent("anna").state(), world.agent("anna").reason()),
        (AgentState::Break, Some("lunch"))
    );
    world.wish("anna", AgentWish::Available);
    assert_eq!(world.agent("anna").state(), AgentState::Available);
}

#[test]
fn a_wrap_up_may_be_cut_short() {
    let mut world = World::acme();
    let (caller, _) = world.talking("101");
    world.hang_up(caller);
    world.wish("anna", AgentWish::EndWrapUp);
    assert_eq!(world.agent("anna").state(), AgentState::Available);
}

#[test]
fn a_call_may_be_ended_from_outside() {
    let mut world = World::acme();
    let (caller, anna) = world.talking("101");
    let call = world.call(caller).id;
    let (wish, author) = (CallWish::HangUp, Author::default());
    let hang_up = Command::CommandCall { tenant: tenant_id(), call, wish, author, ask: None };
    assert_eq!(world.command(hang_up.clone()), Reply::Done);
    world.run();
    assert!(world.ends[caller].was_told("BYE") && world.ends[anna].was_told("BYE"));
    assert_eq!(world.record().cause, "ended-by-operator");
    assert!(matches!(world.command(hang_up), Reply::NotFound { .. }));
}

#[test]
fn a_wish_that_arrives_late_or_again_changes_nothing() {
    let mut world = World::acme();
    let lunch = || AgentWish::Break(Some("lunch".into()));
    let ask = |asker, number| Some(Ask { asker, number });
    let audits =
        |world: &World| world.state.outbox().filter(|(_, record)| matches!(record, Record::Audit(_))).count();
    let before = audits(&world);
    assert_eq!(world.ask("anna", lunch(), ask(7, 1)), Reply::Done);
    assert_eq!(world.ask("anna", lunch(), ask(7, 1)), Reply::Seen);
    assert_eq!(world.ask("anna", AgentWish::Available, ask(7, 2)), Reply::Done);
    assert!(matches!(world.ask("anna", lunch(), ask(7, 1)), Reply::Conflict { .. }));
    assert_eq!(world.agent("anna").state(), mangrove_proto::live::AgentState::Available);
    assert_eq!(audits(&world), before + 2, "what changes nothing is not written down");
    assert!(matches!(world.ask("nobody", lunch(), ask(7, 3)), Reply::NotFound { .. }));
    assert_eq!(world.ask("anna", lunch(), ask(8, 1)), Reply::Done, "another page counts for itself");
    assert_eq!(world.ask("boris", lunch(), ask(7, 1)), Reply::Done, "and each employee's wishes do");
}

#[test]
fn a_changed_password_outlives_a_configuration_made_before_it() {
    let mut config = acme::config();
    let login =
        crate::config::Login { email: "anna@acme.example".into(), password_hash: "old".into(), epoch: 1 };
    config.employees.get_mut(&"anna".into()).expect("anna").login = Some(login);
    let mut world = World::of(config.clone());
    let set = |hash: &str, number| Command::SetPassword {
        tenant: tenant_id(),
        employee: "anna".into(),
        hash: hash.into(),
        author: Author::default(),
        ask: Some(Ask { asker: 7, number }),
    };
    assert_eq!(world.command(set("new", 2)), Reply::Done);
    assert!(matches!(world.command(set("late", 1)), Reply::Conflict { .. }));
    world.configure(config);
    let login = routes::of(world.tenant()).logins.remove(0);
    assert_eq!((login.password_hash.as_str(), login.epoch), ("new", 2));
    assert!(
        world
            .state
            .outbox()
            .any(|(_, record)| matches!(record, Record::Audit(audit) if audit.change.action == "password"))
    );
}

#[test]
fn a_removed_group_lets_its_callers_go_and_a_removed_tenant_all() {
    let mut world = World::acme();
    world.talking("101");
    world.talking("102");
    let waiting = world.queued();
    let mut config = acme::config();
    config.version += 1;
    config.groups.clear();
    config.schemes.clear();
    config.numbers.clear();
    world.configure(config);
    world.run();
    assert_eq!(world.stage(waiting), "over");
    world.command(Command::RemoveTenant { tenant: tenant_id(), author: Author::default() });
    assert!(world.state.tenant(&tenant_id()).is_none());
    assert_eq!(world.records().len(), 3);
    let up_to = world.state.outbox().map(|(number, _)| number).max().expect("records");
    world.command(Command::OutboxDelivered { up_to });
    assert_eq!(world.state.outbox().count(), 0);
}

#[test]
fn the_live_picture_shows_who_waits_who_rings_and_who_talks() {
    let mut world = World::acme();
    world.talking("101");
    let ringing = world.queued();
    let waiting = world.queued();
    let live = view::live(world.tenant(), 5, world.now, world.stamp().wall);
    assert_eq!((live.event, live.calls.len(), live.today.offered), (5, 3, 3));
    let queue = &live.queues[0];
    let line: Vec<_> = queue.waiting.iter().map(|waiting| (waiting.call, waiting.offered_to.len())).collect();
    assert_eq!(line, [(world.call(ringing).id, 1), (world.call(waiting).id, 0)]);
    let states: Vec<_> =
        live.agents.iter().map(|agent| (agent.extension.as_str(), agent.state, agent.reachable)).collect();
    assert_eq!(
        states,
        [
            ("101", AgentState::Busy, true),
            ("102", AgentState::Ringing, true),
            ("190", AgentState::Available, true),
            ("110", AgentState::Available, false),
        ]
    );
}

#[test]
fn routes_lead_a_carriers_call_to_its_tenant() {
    let world = World::acme();
    let routes = routes::of(world.tenant());
    let carrier = "127.0.0.1:5080".parse().expect("an address");
    assert_eq!(routes.trunk(carrier, "+74951234567"), Some("carrier"));
    assert_eq!(routes.trunk(carrier, "74950000000"), None);
    assert_eq!(routes.trunk("127.0.0.1:5081".parse().expect("an address"), acme::NUMBER), None);
    assert_eq!(routes.devices.len(), 4);
}

#[test]
fn a_phone_that_unregisters_is_offered_nothing() {
    let mut world = World::acme();
    assert!(world.agent("anna").is_assignable(world.now));
    world.pass(3_600_000);
    assert!(!world.agent("anna").is_reachable(world.now), "not refreshed for an hour");
    world.register("101");
    assert!(world.agent("anna").is_assignable(world.now));
}

#[test]
fn whoever_keeps_timers_hears_of_everybody_who_leaves_with_a_tenant() {
    let mut world = World::acme();
    let (caller, _) = world.talking("101");
    let call = world.call(caller).id;
    world.command(Command::RemoveTenant { tenant: tenant_id(), author: Author::default() });
    let agents = ["anna", "boris", "vera", "desk"].map(|id| ObjectRef::Agent(tenant_id(), id.into()));
    let others = [
        ObjectRef::Call(tenant_id(), call),
        ObjectRef::Queue(tenant_id(), "200".into()),
        ObjectRef::Tenant(tenant_id()),
    ];
    for object in agents.iter().chain(&others) {
        assert!(world.last.touched.contains(object), "{object:?}");
    }
}

#[test]
fn a_call_names_everybody_who_is_rung_for_it() {
    let mut config = acme::config();
    let group = config.groups.get_mut(&"200".into()).expect("sales");
    group.strategy = Strategy::Simultaneous;
    group.members.iter_mut().for_each(|member| member.priority = 0);
    let mut world = World::of(config);
    ["101", "102", "190"].into_iter().for_each(|extension| world.register(extension));
    let caller = world.queued();
    let rung = |world: &World| {
        let ringing = view::call(world.tenant(), world.call(caller)).ringing;
        ringing.iter().map(ToString::to_string).collect::<Vec<_>>()
    };
    assert_eq!(rung(&world), ["anna", "boris"]);
    let anna = world.pick_up("101");
    assert_eq!(rung(&world), [""; 0]);
    world.refer(anna, "190");
    assert_eq!(rung(&world), ["desk"]);
}

/// What the device of 101 is told that registers `to` with these contacts.
fn registered(world: &mut World, to: &str, contact: &str) -> u16 {
    world.register_as("101", to, contact, "10.0.1.101:5060", "");
    let answer = world.last.actions.iter().find_map(|effect| match &effect.action {
        Action::Edge { command, .. } => match command.op.as_ref()? {
            Op::Response(response) => Message::parse(&response.message).ok()?.status(),
            Op::Request(_) => None,
        },
        Action::Media { .. } => None,
    });
    answer.expect("an answer")
}

#[test]
fn a_device_registers_its_own_address_only() {
    let mut config = acme::config();
    config.employees.get_mut(&"anna".into()).expect("anna").extension = "501".into();
    let mut world = World::of(config);
    let contact = "Contact: <sip:101@10.0.1.101:5060>\r\n";
    for (to, status) in [
        ("101@acme.example", 200),
        ("501@ACME.example", 200),
        ("102@acme.example", 403),
        ("acme.example", 403),
        ("101@other.example", 404),
    ] {
        assert_eq!(registered(&mut world, to, contact), status, "{to}");
        assert_eq!(world.agent("anna").is_reachable(world.now), status == 200, "{to}");
        registered(&mut world, "101@acme.example", "Contact: *\r\nExpires: 0\r\n");
    }
}

#[test]
fn a_device_without_bindings_is_not_kept() {
    let mut world = World::of(acme::config());
    assert_eq!(registered(&mut world, "101@acme.example", ""), 200);
    assert_eq!(world.agent("anna").phones.len(), 0, "a question");
    world.register("101");
    assert_eq!(world.agent("anna").phones.len(), 1);
    world.unregister("101");
    assert_eq!(world.agent("anna").phones.len(), 0);
}
