//! One random deed of somebody.

use mangrove_proto::{
    edge::{Failed, FlowClosed, edge_event, failed::Reason},
    id::{CallId, EmployeeId},
    media::{Digit, PlayFinished, Refused, Silent, media_event::Fact},
};
use mangrove_sip::Seed;

use crate::{
    AgentWish, Author, CallWish, Command, Mode, RecordingWish,
    config::{Member, Strategy, TenantConfig},
    tests::{
        acme::NUMBER,
        far_end::{image, sdp},
        world::{Pending, World, tenant_id},
    },
};

const EXTENSIONS: [&str; 5] = ["101", "102", "190", "110", "111"];
/// A number whose callers go before others.
pub(super) const VIP: &str = "74950000002";
const TARGETS: [&str; 8] = ["101", "102", "110", "190", "200", "999", "78125550000", NUMBER];
const PEOPLE: [&str; 3] = ["anna", "boris", "desk"];

fn pick<'a, T>(of: &'a [T], chance: &mut Seed) -> Option<&'a T> {
    let count = of.len() as u64;
    if count == 0 { None } else { of.get(chance.below(count) as usize) }
}

pub(super) fn any_of<'a>(of: &[&'a str], chance: &mut Seed) -> &'a str {
    pick(of, chance).copied().unwrap_or_default()
}

/// Does something.
pub(super) fn act(world: &mut World, chance: &mut Seed) {
    match chance.below(100) {
        0..=5 => drop(world.call_in(NUMBER)),
        6 => drop(world.call_in(VIP)),
        7..=10 => {
            let (from, to) = (any_of(&EXTENSIONS, chance), any_of(&TARGETS, chance));
            world.call_from(from, to);
        }
        11..=45 => (0..=chance.below(4)).for_each(|_| pending(world, chance)),
        46..=58 => final_answer(world, chance),
        59..=68 => prompt(world, chance),
        69..=72 => leave(world, chance),
        73..=77 => time(world, chance),
        78..=81 => in_dialog(world, chance),
        82..=84 => wish(world, chance),
        85..=86 => phone(world, chance),
        87..=89 => failure(world, chance),
        90..=93 => media(world, chance),
        94 => from_outside(world, chance),
        95 => repeat(world, chance),
        96 => take_over(world, chance),
        97 => invite_again(world, chance),
        98 => rare(world, chance),
        _ => drop(world.call_in("78120000000")),
    }
}

/// A phone comes or goes: the one on the desk, or a second one behind a connection.
fn phone(world: &mut World, chance: &mut Seed) {
    let extension = any_of(&EXTENSIONS, chance);
    let flow = format!("flow-{extension}");
    match chance.below(8) {
        0..=2 => world.register(extension),
        3 => world.register_over_websocket(extension, &flow),
        4 | 5 => world.register_at(extension, &format!("10.0.2.1:{}", 40_000 + chance.below(2)), &flow),
        6 => world.unregister(extension),
        _ => drop(world.edge("", edge_event::Fact::FlowClosed(FlowClosed { flow }))),
    }
}

fn rare(world: &mut World, chance: &mut Seed) {
    match chance.below(4) {
        0 => drop(world.command(Command::LeaderStarted { gap_ms: chance.below(3) * 1_000 })),
        1 => configure(world, chance),
        _ => timer(world, chance),
    }
}

/// A new version: other agents, another strategy, another patience.
fn configure(world: &mut World, chance: &mut Seed) {
    let mut config = TenantConfig::clone(world.tenant().config());
    config.version += 1;
    if let Some(group) = config.groups.get_mut(&"200".into()) {
        group.members.truncate(chance.below(3) as usize);
        if chance.below(2) == 0 {
            group.members =
                ["boris", "vera", "anna"].map(|id| Member { employee: id.into(), priority: 0 }).into();
        }
        group.strategy = pick(&Strategy::ALL, chance).copied().unwrap_or(group.strategy);
        group.queue.max_wait_ms = Some(5_000 + chance.below(20_000));
    }
    world.configure(config);
}

/// Something on its way arrives, at times twice or never.
fn pending(world: &mut World, chance: &mut Seed) {
    if world.pending.is_empty() {
        return;
    }
    // Mostly in order, as one edge delivers; sometimes not.
    let count = world.pending.len() as u64;
    let index = if chance.below(4) == 0 { chance.below(count) as usize } else { 0 };
    let next = match chance.below(20) {
        0 => world.pending[index].clone(),
        _ => world.pending.remove(index),
    };
    let is_sip = matches!(next, Pending::Sip(..));
    if is_sip && chance.below(20) == 0 {
        return;
    }
    world.deliver(next);
}

/// A phone picks up, refuses, or answers though it was told to stop.
fn final_answer(world: &mut World, chance: &mut Seed) {
    let rings = |index: &usize| {
        let end = &world.ends[*index];
        !end.calls && end.answered.is_none_or(|status| status == 487)
    };
    let ringing: Vec<usize> = (0..world.ends.len()).filter(rings).collect();
    let Some(index) = pick(&ringing, chance).copied() else { return };
    let status = pick(&[200, 200, 200, 486, 603, 480, 404, 503, 302], chance).copied().unwrap_or(200);
    world.final_answer(index, status);
}

fn prompt(world: &mut World, chance: &mut Seed) {
    let plays = |index: &usize| {
        world.try_call(*index).is_some() && world.plays(*index).is_some_and(|play| !play.repeat)
    };
    let playing: Vec<usize> = (0..world.ends.len()).filter(plays).collect();
    let Some(index) = pick(&playing, chance).copied() else { return };
    let (call, play) = (world.call(index).id, world.plays(index).map(|play| play.id).unwrap_or_default());
    let endpoint = world.ends[index].leg.clone();
    world.media(call, Fact::PlayFinished(PlayFinished { endpoint, play }));
}

/// Somebody hangs up: CANCEL, BYE, whatever they think fits.
fn leave(world: &mut World, chance: &mut Seed) {
    let Some(index) = any_end(world, chance) else { return };
    if world.ends[index].calls && chance.below(3) == 0 {
        let cancel = world.ends[index].cancel();
        world.outside(index, cancel);
    } else {
        let bye = world.ends[index].request("BYE", "", "");
        world.sip(index, bye);
    }
}

pub(super) fn any_end(world: &World, chance: &mut Seed) -> Option<usize> {
    let indices: Vec<usize> =
        (0..world.ends.len()).filter(|index| !world.ends[*index].leg.is_empty()).collect();
    pick(&indices, chance).copied()
}

fn time(world: &mut World, chance: &mut Seed) {
    pass(world, chance.below(9_000));
}

/// Timers fire, and what they bring about stays on its way.
fn pass(world: &mut World, ms: u64) {
    let until = world.now + ms;
    while let Some((due, object)) = world.next_timer().filter(|(due, _)| *due <= until) {
        world.now = world.now.max(due);
        world.command(Command::TimerDue { object });
    }
    world.now = until;
}

/// Hold, resume, transfer, refresh: at any time, fitting or not.
fn in_dialog(world: &mut World, chance: &mut Seed) {
    let Some(index) = any_end(world, chance) else { return };
    let version = 2 + chance.below(1_000) as u32;
    let bytes = match chance.below(7) {
        0 => world.ends[index].request("INVITE", "", &sdp(4000, "sendonly", version)),
        1 => world.ends[index].request("INVITE", "", &sdp(4000, "sendrecv", version)),
        2 => world.ends[index].request("INVITE", "", "v=0\r\n"),
        3 => world.ends[index].request("INFO", "", ""),
        4 => {
            let other = any_end(world, chance).unwrap_or(index);
            let names = world.ends[other].names().replace(';', "%3B").replace('=', "%3D").replace('@', "%40");
            let to = format!("Refer-To: <sip:102@acme.example?Replaces={names}>\r\n");
            world.ends[index].request("REFER", &to, "")
        }
        5 => world.ends[index].request("INVITE", "", &image(5_000, "T38FaxVersion:0", version)),
        _ => {
            let target = any_of(&TARGETS, chance);
            let to = format!("Refer-To: <sip:{target}@acme.example>\r\n");
            world.ends[index].request("REFER", &to, "")
        }
    };
    world.sip(index, bytes);
}

/// A phone wants to go on in somebody's dialog, mostly its own person's.
fn take_over(world: &mut World, chance: &mut Seed) {
    let Some(index) = any_end(world, chance) else { return };
    let own = world.ends[index].user.clone();
    let extension = if chance.below(4) == 0 { any_of(&EXTENSIONS, chance).to_owned() } else { own };
    let names = world.ends[index].names();
    world.call_replacing(&extension, &names);
}

fn wish(world: &mut World, chance: &mut Seed) {
    let wish = match chance.below(6) {
        0 => AgentWish::Break(Some("lunch".into())),
        1 => AgentWish::Offline,
        2 => AgentWish::EndWrapUp,
        _ => AgentWish::Available,
    };
    world.wish(any_of(&PEOPLE, chance), wish);
}

/// The edge gives up on something that was sent, or thinks it did.
fn failure(world: &mut World, chance: &mut Seed) {
    let Some(index) = any_end(world, chance) else { return };
    let reasons = [Reason::TimedOut, Reason::TransportFailed, Reason::AckMissing, Reason::PrackMissing];
    let reason = pick(&reasons, chance).copied().unwrap_or(Reason::TimedOut);
    let method = any_of(&["INVITE", "BYE", "NOTIFY"], chance).into();
    let (leg, branch) = (world.ends[index].leg.clone(), world.ends[index].branch.clone());
    world.edge(&leg, edge_event::Fact::Failed(Failed { reason: reason.into(), branch, method }));
}

pub(super) fn any_call(world: &World, chance: &mut Seed) -> Option<CallId> {
    let calls: Vec<CallId> = world.tenant().calls().map(|call| call.id).collect();
    pick(&calls, chance).copied()
}

fn media(world: &mut World, chance: &mut Seed) {
    let Some(call) = any_call(world, chance) else { return };
    let legs: Vec<String> = world
        .tenant()
        .call(call)
        .map_or(vec![], |call| call.parties.keys().map(|leg| leg.to_string()).collect());
    let endpoint = pick(&legs, chance).cloned().unwrap_or_default();
    let kind = chance.below(5);
    if kind == 0 {
        pass(world, 31_000);
    }
    let version = world.tenant().call(call).map_or(0, |call| call.media.version);
    let fact = match kind {
        0 | 1 => Fact::Silent(Silent { endpoint, since_ms: 31_000 }),
        2 => Fact::Digit(Digit { endpoint, digit: "5".into(), duration_ms: 80 }),
        3 => Fact::Refused(Refused { version, why: "no port".into() }),
        _ => Fact::PlayFinished(PlayFinished { endpoint, play: "music-0".into() }),
    };
    world.media(call, fact);
}

fn from_outside(world: &mut World, chance: &mut Seed) {
    let Some(call) = any_call(world, chance) else { return };
    let (wish, author) = (call_wish(chance), Author::default());
    world.command(Command::CommandCall { tenant: tenant_id(), call, wish, author, ask: None });
}

fn call_wish(chance: &mut Seed) -> CallWish {
    match chance.below(7) {
        0 => CallWish::HangUp,
        1 | 2 => CallWish::Record(RecordingWish::ALL[chance.below(4) as usize]),
        3 => {
            let by = (chance.below(2) == 0).then(|| EmployeeId::from("anna"));
            CallWish::Transfer { by, to: any_of(&TARGETS, chance).to_owned() }
        }
        _ => {
            let mode = Mode::ALL.get(chance.below(5) as usize).copied();
            CallWish::Monitor { supervisor: EmployeeId::from("desk"), mode }
        }
    }
}

/// The last event comes again, with the same number.
fn repeat(world: &mut World, chance: &mut Seed) {
    let count = world.log.len() as u64;
    let back = chance.below(count.min(5)) as usize;
    let (command, _) = world.log[world.log.len() - 1 - back].clone();
    if matches!(
        command,
        Command::EdgeReported { .. } | Command::MediaReported { .. } | Command::TimerDue { .. }
    ) {
        world.command(command);
    }
}

fn invite_again(world: &mut World, chance: &mut Seed) {
    let callers: Vec<usize> = (0..world.ends.len()).filter(|index| world.ends[*index].calls).collect();
    let Some(index) = pick(&callers, chance).copied() else { return };
    if world.try_call(index).is_some() {
        let invite = world.ends[index].invite.to_bytes();
        world.outside(index, invite);
    }
}

/// A timer that is early, or of something that waits for nothing.
fn timer(world: &mut World, chance: &mut Seed) {
    let objects: Vec<_> = world.state.objects().collect();
    if let Some(object) = pick(&objects, chance).cloned() {
        world.command(Command::TimerDue { object });
    }
}
