//! An INVITE that begins a call: is it a new one, whose is it, where does it lead, is there room. A call that is
//! refused is a call all the same: it has one leg, one cause and one record.

use std::sync::Arc;

use mangrove_proto::{
    edge::{Ingress, ingress::From},
    id::{CallId, EmployeeId, LegId},
    live::{Direction, EndedBy},
};
use mangrove_sip::Message;

use super::{
    Call, echo, end,
    incoming::Incoming,
    party::{Party, Role},
    plan::Plan,
    stage::Stage,
    unusable,
};
use crate::{
    agent::Engagement,
    ask::Asks,
    cause::Cause,
    config::{Step, TenantConfig},
    dial::{self, Dialled},
    effect::Reply,
    ingress,
    line::Line,
    media, routes,
    rules::keeps_calls,
    scene::Scene,
};

/// How long the media node may take to make a session.
const MEDIA_MS: u64 = 10_000;

/// What is known about a call before it is one.
pub(super) struct Arrival {
    pub(super) direction: Direction,
    pub(super) caller: String,
    pub(super) called: String,
    pub(super) employee: Option<EmployeeId>,
    pub(super) trunk: Option<String>,
    pub(super) number: Option<String>,
    pub(super) source: Option<String>,
    pub(super) priority: i32,
    pub(super) plan: Result<Plan, Cause>,
}

/// What marks an INVITE (and its CANCEL) wherever it comes in.
pub(crate) fn key(ingress: &Ingress, message: &Message) -> Option<String> {
    let peer = match ingress.from.as_ref()? {
        From::Trunk(trunk) => format!("trunk/{trunk}"),
        From::Device(device) => format!("device/{device}"),
        From::Page(page) => format!("page/{}", page.employee),
    };
    let (cseq, _) = message.cseq().ok()?;
    Some(format!("{peer}|{}|{}|{cseq}", message.call_id()?, message.from_tag().unwrap_or_default()))
}

/// A new call.
pub(crate) fn arrive(incoming: &Incoming<'_>, scene: &mut Scene<'_>) -> Reply {
    let arrival = match incoming.ingress.from.as_ref() {
        Some(From::Trunk(trunk)) => from_trunk(trunk, incoming.invite, scene),
        Some(From::Device(device)) => from_phone(device, incoming, scene),
        Some(From::Page(page)) => from_phone(&page.employee, incoming, scene),
        None => return Reply::Refused { why: "nobody vouches for the INVITE".into() },
    };
    let (id, leg) = (CallId(scene.draw()), LegId(scene.draw()));
    let (line, outputs) = match incoming.begin(leg, arrival.employee.is_some(), scene) {
        Ok(begun) => begun,
        Err(status) => {
            unusable::note(&incoming.key, &arrival, status, scene);
            return Reply::Refused { why: format!("the INVITE can't be used: {status}") };
        }
    };
    let mut call = new_call(id, leg, incoming.key.clone(), &arrival, line, scene);
    incoming.enter(&mut call, leg, outputs, scene);
    admit(&mut call, arrival, scene);
    scene.put(call);
    Reply::Done
}

fn new_call(
    id: CallId,
    leg: LegId,
    arrival: Arc<str>,
    from: &Arrival,
    line: Line,
    scene: &Scene<'_>,
) -> Call {
    let moment = scene.moment();
    let caller = Party::new(leg, Role::Caller, from.caller.clone(), from.employee.clone(), line, moment);
    Call {
        id,
        tenant: scene.id().clone(),
        direction: from.direction,
        caller: from.caller.clone(),
        called: from.called.clone(),
        number: from.number.clone(),
        source: from.source.clone(),
        trunk: from.trunk.clone(),
        arrival,
        started: moment,
        since: moment,
        answered: None,
        group: None,
        employee: None,
        priority: from.priority,
        plan: from.plan.clone().unwrap_or_else(|_| Plan::steps(&[])),
        stage: Stage::Arriving { until: moment.now + MEDIA_MS },
        parties: [(leg, Arc::new(caller))].into(),
        moved: Vec::new(),
        guest: leg,
        offers: Vec::new(),
        media: media::Session::default(),
        recording: None,
        earlier: Vec::new(),
        asks: Asks::default(),
        by_hand: false,
        wait_ms: 0,
        talk_ms: 0,
        hold_ms: 0,
        held_since: None,
        expects_sound_since: moment.now,
        relayed: None,
        channels: Vec::new(),
    }
}

/// Lets the call in, or ends it at once.
fn admit(call: &mut Call, arrival: Arrival, scene: &mut Scene<'_>) {
    let admitted = arrival
        .plan
        .and_then(|plan| limits(call, scene).map(|()| plan))
        .and_then(|plan| engage(call, arrival.employee.as_ref(), scene).map(|()| plan))
        .and_then(|plan| if media::open(call, scene) { Ok(plan) } else { Err(Cause::NoMedia) });
    match admitted {
        Ok(plan) => {
            call.plan = plan;
            scene.tell(call, "call admitted", call.direction_word());
        }
        Err(cause) => {
            scene.tell(call, "call refused", cause.name());
            end::end(call, cause, EndedBy::System, scene);
        }
    }
}

/// The called number's channels, then the trunk's.
fn limits(call: &mut Call, scene: &mut Scene<'_>) -> Result<(), Cause> {
    let config = scene.tenant.config.clone();
    if let Some(number) = call.number.as_ref().and_then(|number| config.numbers.get(number.as_str())) {
        let key = format!("number/{}", number.number);
        if !scene.take_channel(call, key, Some(number.channels), None) {
            return Err(Cause::NumberBusy);
        }
    }
    if let Some(trunk) = call.trunk.as_ref().and_then(|trunk| config.trunk(trunk)) {
        let key = format!("trunk/{}", trunk.name);
        if !scene.take_channel(call, key, trunk.channels, trunk.calls_per_second) {
            return Err(Cause::TrunkFull);
        }
    }
    Ok(())
}

/// A person has one call at a time; who talks may call somebody beside it, once.
fn engage(call: &Call, employee: Option<&EmployeeId>, scene: &mut Scene<'_>) -> Result<(), Cause> {
    let Some(employee) = employee else { return Ok(()) };
    let consults = may_consult(employee, scene);
    let taken = scene.with_agent(employee, |agent| {
        if agent.engaged.is_none() {
            agent.engaged = Some(Engagement::own(call.id));
        } else if consults {
            agent.consults = Some(call.id);
        }
        agent.has(call.id)
    });
    if taken == Some(true) { Ok(()) } else { Err(Cause::Busy) }
}

fn may_consult(employee: &EmployeeId, scene: &Scene<'_>) -> bool {
    let agent = scene.tenant.agent(employee).filter(|agent| agent.consults.is_none());
    let call = agent.and_then(|agent| agent.engaged).and_then(|engaged| scene.tenant.call(engaged.call));
    let theirs = |leg: &LegId| {
        let party = call.and_then(|call| call.party(*leg));
        party.is_some_and(|party| party.employee.as_ref() == Some(employee))
    };
    let talkers = call.and_then(Call::talkers).map(|(guest, peer)| [guest, peer]);
    keeps_calls(scene.state.rules()) && talkers.is_some_and(|talkers| talkers.iter().any(theirs))
}

fn from_trunk(trunk: &str, invite: &Message, scene: &Scene<'_>) -> Arrival {
    let called = dialled(invite);
    let config = &scene.tenant.config;
    let number = config.numbers.get(routes::number(&called).as_str());
    let scheme = number.and_then(|number| config.schemes.get(&number.scheme));
    Arrival {
        direction: Direction::Inbound,
        caller: caller_of(invite),
        called,
        employee: None,
        trunk: Some(trunk.to_owned()),
        number: number.map(|number| number.number.to_string()),
        source: number.and_then(|number| number.source.as_deref().map(str::to_owned)),
        priority: number.map_or(0, |number| number.priority),
        plan: scheme.map(|scheme| Plan::steps(&scheme.steps)).ok_or(Cause::NotFound),
    }
}

/// An employee's; `name` is how the phone named itself, which is shown only where there is no such phone.
fn from_phone(name: &str, incoming: &Incoming<'_>, scene: &Scene<'_>) -> Arrival {
    let called = dialled(incoming.invite);
    let config = &scene.tenant.config;
    let mut arrival = Arrival {
        direction: Direction::Internal,
        caller: name.to_owned(),
        called,
        employee: None,
        trunk: None,
        number: None,
        source: None,
        priority: 0,
        plan: Err(Cause::Forbidden),
    };
    let Some(employee) = ingress::employee(incoming.ingress, config) else { return arrival };
    arrival.caller = employee.extension.to_string();
    arrival.employee = Some(employee.id.clone());
    if echo::is_meant(&arrival.called, scene.state.rules()) {
        arrival.plan = Ok(Plan::Echo);
        return arrival;
    }
    arrival.plan = match dial::read(config, &arrival.called) {
        None => Err(Cause::NotFound),
        Some(Dialled::Employee(id)) => Ok(Plan::steps(&to_employee(config, id))),
        Some(Dialled::Group(id)) => Ok(Plan::steps(&[Step::Group { id, priority: None }])),
        Some(Dialled::Conference(name)) => Ok(Plan::steps(&[Step::Conference { name }])),
        Some(Dialled::Number(number)) => {
            let configured = config.numbers.get(number.as_str());
            let scheme = configured.and_then(|number| config.schemes.get(&number.scheme));
            arrival.priority = configured.map_or(0, |number| number.priority);
            arrival.number = Some(number);
            scheme.map(|scheme| Plan::steps(&scheme.steps)).ok_or(Cause::NotFound)
        }
        Some(Dialled::Outside(number)) => {
            arrival.direction = Direction::Outbound;
            match dial::way_out(config, employee) {
                Some((trunk, _)) => {
                    arrival.trunk = Some(trunk.name.to_string());
                    Ok(Plan::Outside { number })
                }
                None => Err(Cause::NoRoute),
            }
        }
    };
    arrival
}

/// What nobody answers goes into a box of theirs, if they have one.
fn to_employee(config: &TenantConfig, id: EmployeeId) -> Vec<Step> {
    let mailbox = config.boxes_of(&id).next();
    let message = mailbox.map(|mailbox| Step::Voicemail { mailbox: mailbox.name.clone(), greeting: None });
    std::iter::once(Step::Employee { id }).chain(message).collect()
}

fn dialled(invite: &Message) -> String {
    let user = invite.request_uri().ok().and_then(|uri| uri.user().map(|user| user.into_owned()));
    user.unwrap_or_default().chars().take(64).collect()
}

fn caller_of(invite: &Message) -> String {
    let uri = invite.from().ok().map(|from| from.uri);
    let number = uri.as_ref().and_then(|uri| uri.number());
    let user = || uri.as_ref().and_then(|uri| uri.user().map(|user| user.into_owned()));
    let text = number.filter(|number| !number.is_empty()).or_else(user).unwrap_or_else(|| "anonymous".into());
    text.chars().take(64).collect()
}
