//! The phone in a person's page: it comes with a ticket, is theirs and nobody else's, and only as long as their login stands.

use mangrove_sip::Transport;

use crate::{
    Author, Command, NodeInfo,
    config::{Device, Login, TenantConfig},
    rules::NEWEST,
    tests::{
        acme,
        world::{World, tenant_id, ticket},
    },
};

/// Acme, whose Anna has a login of this epoch.
fn config() -> TenantConfig {
    let mut config = acme::config();
    let login = Login { email: "anna@acme.example".into(), password_hash: "hash".into(), epoch: 7 };
    config.employees.get_mut(&"anna".into()).expect("anna").login = Some(login);
    config
}

fn world() -> World {
    let mut world = World::of(config());
    world.command(Command::RaiseRules { to: NEWEST });
    let contacts = [(Transport::Udp, "10.0.0.1:5060"), (Transport::Ws, "10.0.0.1:8080")];
    let contacts = contacts.map(|(transport, at)| (transport, at.to_owned())).to_vec();
    world.command(Command::NodeAnnounced { node: NodeInfo { name: "e1".into(), contacts, media: false } });
    world
}

/// How many phones of Anna's were rung.
fn rung(world: &World) -> usize {
    world.ends.iter().filter(|end| !end.calls && end.user == "101").count()
}

#[test]
fn a_page_is_rung_and_calls_as_its_person() {
    let mut world = world();
    assert_eq!(world.page_registers(ticket("anna", 7), "101"), Some(200));
    let (caller, anna) = world.talking("101");
    assert!(world.are_joined(caller, anna));
    world.hang_up(caller);
    world.register("102");
    let page = world.page_calls(ticket("anna", 7), "101", "102");
    world.run();
    let boris = world.pick_up("102");
    assert!(world.are_joined(page, boris));
    assert_eq!(world.call(page).caller, "101");
}

#[test]
fn a_ticket_of_another_epoch_or_person_opens_nothing() {
    for (employee, epoch, extension) in [
        ("anna", 6, "101"),
        ("anna", 8, "101"),
        ("boris", 7, "102"),
        ("nobody", 7, "101"),
        ("anna", 7, "102"),
    ] {
        let mut world = world();
        let who = format!("{employee} {epoch} as {extension}");
        assert_eq!(world.page_registers(ticket(employee, epoch), extension), Some(403), "{who}");
        assert!(!world.agent("anna").is_reachable(world.now), "{who}");
        world.page_calls(ticket(employee, epoch), extension, "102");
        assert_eq!(world.last_status(), Some(403), "{who}");
        assert_eq!(world.tenant().calls().count(), 0, "{who}");
    }
}

#[test]
fn with_a_new_password_the_page_is_out_at_its_next_word() {
    let mut world = world();
    assert_eq!(world.page_registers(ticket("anna", 7), "101"), Some(200));
    let (tenant, employee, author) = (tenant_id(), "anna".into(), Author::default());
    world.command(Command::SetPassword { tenant, employee, hash: "new".into(), author, ask: None });
    world.page_calls(ticket("anna", 7), "101", "102");
    assert_eq!(world.last_status(), Some(403));
    assert_eq!(world.page_registers(ticket("anna", 7), "101"), Some(403));
    assert_eq!(world.page_registers(ticket("anna", 8), "101"), Some(200), "a ticket of the new login");
}

#[test]
fn a_page_that_is_no_device_of_its_person_any_more_does_not_ring() {
    let mut world = world();
    assert_eq!(world.page_registers(ticket("anna", 7), "101"), Some(200));
    let mut config = config();
    config.version += 1;
    let anna = config.employees.get_mut(&"anna".into()).expect("anna");
    anna.devices.retain(|device| *device != Device::Browser);
    world.configure(config);
    assert!(!world.agent("anna").is_reachable(world.now));
    assert_eq!(world.page_registers(ticket("anna", 7), "101"), Some(403));
}

#[test]
fn a_page_rings_in_its_turn_beside_the_phone_on_the_desk() {
    let mut world = world();
    world.register("101");
    assert_eq!(world.page_registers(ticket("anna", 7), "101"), Some(200));
    world.queued();
    assert_eq!(rung(&world), 1);
    let page = world.ringing("101").expect("Anna's page rings");
    let target = world.ends[page].invite.request_uri().map(|uri| uri.to_string());
    assert_eq!(target.as_deref(), Ok("sip:101@df7jal23ls0d.invalid;transport=ws"));
    world.pass(3_500);
    assert_eq!(rung(&world), 2, "her desk phone too");
}

#[test]
fn under_the_first_rules_no_page_is_known() {
    let mut world = World::of(config());
    assert_eq!(world.page_registers(ticket("anna", 7), "101"), Some(503));
    world.page_calls(ticket("anna", 7), "101", "102");
    assert_eq!(world.last_status(), Some(503));
}
