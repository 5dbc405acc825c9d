//! What employees ask of the recording by keys of their phones. Their media node looks for these keys and passes them on to
//! nobody; others it passes on as ever.

use mangrove_proto::{
    id::{EmployeeId, LegId},
    media::KeyCode,
};

use super::{Call, party::Party, recording};
use crate::{
    command::RecordingWish,
    config::{RecordingKeys, TenantConfig},
    record::{Audit, AuditChange, Author, Record},
    rules,
    scene::Scene,
};

/// The keys that are meant for us on this party's phone: only those that can be granted now.
pub(crate) fn codes(call: &Call, party: &Party, (config, rules): (&TenantConfig, u32)) -> Vec<String> {
    let talks = call.talkers().is_some_and(|(guest, peer)| [guest, peer].contains(&party.id));
    if party.employee.is_none() || !talks || !rules::records_by_rule(rules) {
        return Vec::new();
    }
    let RecordingKeys { record, pause } = &config.recording.keys;
    let is_running = call.recording.as_ref().is_some_and(|recording| recording.running);
    let record = record.as_ref().filter(|_| call.by_hand);
    let pause = pause.as_ref().filter(|_| is_running);
    record.into_iter().chain(pause).map(|keys| keys.to_string()).collect()
}

/// An employee has pressed one of them.
pub(super) fn pressed(call: &mut Call, code: &KeyCode, scene: &mut Scene<'_>) {
    let employee = code.endpoint.parse().ok().and_then(|leg: LegId| call.party(leg)?.employee.clone());
    let (Some(employee), Some(wish)) =
        (employee, wish(call, &code.code, &scene.tenant.config.recording.keys))
    else {
        return;
    };
    match recording::ask(call, wish, scene) {
        Ok(()) => note(call, &employee, wish, scene),
        Err(why) => scene.tell(call, format!("{employee} pressed keys for the recording"), why),
    }
}

/// The same keys begin and end.
fn wish(call: &Call, code: &str, keys: &RecordingKeys) -> Option<RecordingWish> {
    let running = call.recording.as_ref().filter(|recording| recording.running);
    if keys.record.as_deref() == Some(code) {
        return Some(if running.is_some() { RecordingWish::Stop } else { RecordingWish::Start });
    }
    let is_paused = running.is_some_and(|recording| recording.pause.is_some());
    let pause = if is_paused { RecordingWish::Resume } else { RecordingWish::Pause };
    (keys.pause.as_deref() == Some(code)).then_some(pause)
}

fn note(call: &Call, employee: &EmployeeId, wish: RecordingWish, scene: &mut Scene<'_>) {
    let change = AuditChange {
        object: format!("call/{}", call.id),
        action: wish.name().into(),
        before: String::new(),
        after: String::new(),
    };
    let author = Author { name: employee.to_string(), address: "phone".into() };
    let (tenant, at) = (call.tenant.clone(), scene.stamp.wall);
    scene.state.outbox.add(Record::Audit(Audit { tenant, at, author, version: 0, change }));
    scene.effects.outbox = true;
}
