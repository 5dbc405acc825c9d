//! In which order a person's devices ring: the first at once, each further one after an equal share of the ringing time,
//! or as soon as nothing rings any more. A device that rings goes on ringing beside the next, so that whichever is picked
//! up first has the call; all of it is one offer, one reservation, one missed call. See ADR 8.

use std::{collections::VecDeque, sync::Arc};

use serde::{Deserialize, Serialize};

use super::{Call, dial_out, party::Role};
use crate::{
    config::{Device, Employee},
    scene::Scene,
};

/// Devices whose turn has not come.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Later {
    /// Names, the next one first; never empty.
    devices: VecDeque<Arc<str>>,
    /// When the next one rings, if the ones before it still do.
    at: u64,
    /// Milliseconds from one to the next.
    share_ms: u64,
    role: Role,
}

/// The first device to ring of those that are registered, and what comes after it. None: nothing can ring.
pub(super) fn first(
    employee: &Employee,
    role: Role,
    ring_ms: u64,
    scene: &Scene<'_>,
) -> Option<(Arc<str>, Option<Later>)> {
    let (now, agent) = (scene.now(), scene.tenant.agent(&employee.id)?);
    let is_live = |name: &str| agent.phones.get(name).is_some_and(|phone| phone.is_live(now));
    let names = employee.devices.iter().map(Device::name);
    let mut devices: VecDeque<Arc<str>> = names.filter(|name| is_live(name)).map(Arc::from).collect();
    let share_ms = ring_ms / (devices.len() as u64).max(1);
    let first = devices.pop_front()?;
    let later = Later { devices, at: now.saturating_add(share_ms), share_ms, role };
    Some((first, (!later.devices.is_empty()).then_some(later)))
}

/// When the next device of an offer rings; none: all of them were rung.
pub(super) fn due(later: &Option<Later>) -> Option<u64> {
    later.as_ref().map(|later| later.at)
}

/// Rings the next device of an offer that can still be reached. False: there is none.
pub(super) fn ring_next(call: &mut Call, index: usize, scene: &mut Scene<'_>) -> bool {
    let config = scene.tenant.config.clone();
    let employee = call.offers[index].employee.as_ref().and_then(|id| config.employees.get(id));
    let Some(employee) = employee else {
        call.offers[index].later = None;
        return false;
    };
    while let Some((device, role)) = take_next(&mut call.offers[index].later, scene.now()) {
        let phones = dial_out::phones(call, employee, &device, scene);
        if !phones.is_empty() {
            scene.tell(call, format!("rings {} too", employee.id), format!("{} phones", phones.len()));
            let legs =
                dial_out::plan_legs(call, phones, (role, &employee.extension, Some(&employee.id)), scene);
            call.offers[index].legs.extend(legs);
            return true;
        }
    }
    false
}

fn take_next(later: &mut Option<Later>, now: u64) -> Option<(Arc<str>, Role)> {
    let waiting = later.as_mut()?;
    let (device, role) = (waiting.devices.pop_front(), waiting.role);
    waiting.at = now.saturating_add(waiting.share_ms);
    if waiting.devices.is_empty() {
        *later = None;
    }
    device.map(|device| (device, role))
}
