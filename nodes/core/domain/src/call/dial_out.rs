//! Rings somebody: makes the offer, reserves the person, plans one leg per phone. The INVITEs go out when the media
//! node has said where each phone is to send its sound ([`start_planned`]).

use std::sync::Arc;

use mangrove_proto::id::{EmployeeId, LegId};
use mangrove_sip::{Destination, NameAddr, Transport, Uri, sdp::Security, uri};

use super::{
    Call, Offer,
    devices::{self, Later},
    end,
    party::{Party, Role},
    secret,
    stage::Stage,
};
use crate::{
    agent::Engagement,
    cause::Cause,
    config::{Employee, Target, TenantConfig, Trunk},
    dial,
    line::{self, Dial, Line},
    scene::Scene,
};

/// How long an outside number may ring.
const OUTSIDE_RING_MS: u64 = 120_000;

/// A phone to ring, and the edge that reaches it.
pub(super) struct Phone {
    dial: Dial,
    edge: String,
}

/// Rings all phones of a person directly, for as long as theirs ring. Refused when they are in a call or out of reach.
pub(crate) fn ring_employee(
    call: &mut Call,
    employee: &EmployeeId,
    role: Role,
    scene: &mut Scene<'_>,
) -> Result<(), Cause> {
    let config = scene.tenant.config.clone();
    let Some(configured) = config.employees.get(employee) else { return Err(Cause::NotFound) };
    match scene.tenant.agent(employee) {
        Some(agent) if agent.engaged.is_some() => Err(Cause::Busy),
        _ => ring(call, configured, role, config.ring_ms(configured), scene),
    }
}

/// Reserves a person and rings their first device; [`devices`] rings the others. The caller has seen that they are free.
pub(crate) fn ring(
    call: &mut Call,
    employee: &Employee,
    role: Role,
    ring_ms: u64,
    scene: &mut Scene<'_>,
) -> Result<(), Cause> {
    let (device, later) = devices::first(employee, role, ring_ms, scene).ok_or(Cause::Unreachable)?;
    let phones = phones(call, employee, &device, scene);
    let number = scene.tenant.next_number();
    let engagement = Engagement { call: call.id, offer: number, ringing: true };
    scene.with_agent(&employee.id, |agent| agent.engaged = Some(engagement));
    scene.tell(call, format!("rings {}", employee.id), format!("{} phones", phones.len()));
    let (name, employee) = (employee.extension.to_string(), Some(employee.id.clone()));
    offer(call, Ring { number, employee, name, role, phones, ring_ms, channel: None, later }, scene);
    Ok(())
}

/// Rings a number outside through the call's trunk; the call ends if there is no way.
pub(crate) fn ring_outside(call: &mut Call, number: &str, scene: &mut Scene<'_>) {
    let employee = call.caller_party().and_then(|party| party.employee.clone());
    match outside(call, employee.as_ref(), number, Role::Offer, scene) {
        Ok(()) => call.move_to(Stage::Ringing { early: None }, scene.moment()),
        Err(cause) => end::end(call, cause, mangrove_proto::live::EndedBy::System, scene),
    }
}

/// Rings a number outside with the rights of `employee`.
pub(crate) fn outside(
    call: &mut Call,
    employee: Option<&EmployeeId>,
    number: &str,
    role: Role,
    scene: &mut Scene<'_>,
) -> Result<(), Cause> {
    let config = scene.tenant.config.clone();
    let employee = employee.and_then(|id| config.employees.get(id)).ok_or(Cause::Forbidden)?;
    let (trunk, shown) = dial::way_out(&config, employee).ok_or(Cause::NoRoute)?;
    let security = secret::of_trunk(Some(trunk), scene);
    let reach = |target: &Target| carrier(call, &target.uri, (number, &shown), security, &config, scene);
    let phone = trunk.to.iter().find_map(reach);
    let phone = phone.ok_or(Cause::NoRoute)?;
    let channel = if role == Role::Transfer { Some(take_channel(call, trunk, scene)?) } else { None };
    scene.tell(call, format!("calls out through {}", trunk.name), "");
    let (employee, name, phones, ring_ms) = (None, number.to_owned(), vec![phone], OUTSIDE_RING_MS);
    let number = scene.tenant.next_number();
    offer(call, Ring { number, employee, name, role, phones, ring_ms, channel, later: None }, scene);
    Ok(())
}

/// A call that is sent outside takes a channel there, as one that was called in or out did when it came.
fn take_channel(call: &mut Call, trunk: &Trunk, scene: &mut Scene<'_>) -> Result<String, Cause> {
    let key = format!("trunk/{}", trunk.name);
    let taken = scene.take_channel(call, key.clone(), trunk.channels, trunk.calls_per_second);
    if taken { Ok(key) } else { Err(Cause::TrunkFull) }
}

fn carrier(
    call: &Call,
    target: &str,
    (number, shown): (&str, &str),
    security: Security,
    config: &TenantConfig,
    scene: &Scene<'_>,
) -> Option<Phone> {
    let mut to = Uri::parse(target).ok()?;
    let address = to.address()?;
    let transport = to.transport().unwrap_or(Transport::Udp);
    to.user = Some(uri::escape_user(number));
    let edge = scene.edge_for(transport, edge_of_caller(call))?;
    let destination = Destination { transport, address, flow: None };
    let from = NameAddr::new(Uri::sip(Some(shown), &config.domain, None));
    let (uri, to) = (to.clone(), NameAddr::new(to));
    let dial = Dial { uri, route: Vec::new(), destination, from, to, security, ours: None, browser: false };
    Some(Phone { dial, edge })
}

fn edge_of_caller(call: &Call) -> &str {
    call.caller_party().map_or("", |party| &party.line.edge)
}

/// Where a device is registered now.
pub(super) fn phones(call: &Call, employee: &Employee, device: &str, scene: &Scene<'_>) -> Vec<Phone> {
    let Some(agent) = scene.tenant.agent(&employee.id) else { return Vec::new() };
    let config = &scene.tenant.config;
    let shown = call.party(call.guest).map_or(call.caller.as_str(), |guest| &guest.name);
    let from = NameAddr::new(Uri::sip(Some(&uri::escape_user(shown)), &config.domain, None));
    let to = NameAddr::new(Uri::sip(Some(&employee.extension), &config.domain, None));
    let security = secret::of_device(employee, device, scene);
    let registered = agent.phones.get(device).filter(|_| employee.has_device(device));
    let bindings = registered.into_iter().flat_map(|phone| phone.live(scene.now()));
    bindings
        .map(|(binding, edge)| {
            let dial = Dial {
                uri: binding.contact.clone(),
                route: binding.path.clone(),
                destination: binding.destination(),
                from: from.clone(),
                to: to.clone(),
                security,
                ours: None,
                browser: binding.is_browser(),
            };
            let reached = scene.edge_for(dial.destination.transport, edge);
            Phone { dial, edge: reached.unwrap_or_else(|| edge.to_owned()) }
        })
        .collect()
}

/// What to ring: a person's phones, or one outside number.
struct Ring {
    number: u64,
    employee: Option<EmployeeId>,
    name: String,
    role: Role,
    phones: Vec<Phone>,
    ring_ms: u64,
    channel: Option<String>,
    later: Option<Later>,
}

fn offer(call: &mut Call, ring: Ring, scene: &mut Scene<'_>) {
    let since = scene.moment();
    let Ring { number, employee, name, role, phones, ring_ms, channel, later } = ring;
    let legs = plan_legs(call, phones, (role, &name, employee.as_ref()), scene);
    let until = since.now.saturating_add(ring_ms);
    call.offers.push(Offer { number, employee, legs, since, until, later, channel, failure: None });
}

/// A leg for each phone, to be started when its media address is known.
pub(super) fn plan_legs(
    call: &mut Call,
    phones: Vec<Phone>,
    (role, name, employee): (Role, &str, Option<&EmployeeId>),
    scene: &mut Scene<'_>,
) -> Vec<LegId> {
    let since = scene.moment();
    let mut legs = Vec::new();
    for Phone { dial, edge } in phones {
        let leg = LegId(scene.draw());
        legs.push(leg);
        scene.tenant.legs.insert(leg, call.id);
        let line = Line::planned(dial, &edge);
        let party = Party::new(leg, role, name.to_owned(), employee.cloned(), line, since);
        call.parties.insert(leg, Arc::new(party));
    }
    legs
}

/// Sends the INVITEs of all planned legs whose media address is known by now.
pub(crate) fn start_planned(call: &mut Call, scene: &mut Scene<'_>) {
    let ready = |party: &&Arc<Party>| party.line.is_planned() && party.address.is_some() && party.is_alive();
    let legs: Vec<LegId> = call.parties.values().filter(ready).map(|party| party.id).collect();
    for leg in legs {
        line::start(call, leg, scene);
    }
}
