//! A report that came to a group where the tenant was on hold. The tenant hears it once, in its turn.

use std::{cmp::Ordering, sync::Arc};

use mangrove_proto::id::TenantId;
use serde::{Deserialize, Serialize};

use super::{edge_reported, media_reported};
use crate::{
    effect::{Effects, Reply},
    moving::{Heard, Report},
    stamp::Stamp,
    state::State,
};

/// Which report it is: of which group's hold, in which series, and where in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Ticket {
    /// The group that took it.
    pub group: u32,
    /// Where its numbers began.
    pub series: u64,
    /// Its number.
    pub number: u64,
}

pub(super) fn apply(
    state: &mut State,
    id: &TenantId,
    ticket: Ticket,
    report: &Report,
    stamp: Stamp,
    effects: &mut Effects,
) -> Reply {
    if let Err(reply) = take(state, id, ticket) {
        return reply;
    }
    match report {
        Report::Edge { sender, event } => edge_reported::hear(state, sender, event, stamp, effects),
        Report::Media { sender, event } => media_reported::hear(state, sender, event, stamp, effects),
    }
}

/// Takes the report by its number.
pub(crate) fn take(state: &mut State, id: &TenantId, ticket: Ticket) -> Result<(), Reply> {
    let Ticket { group, series, number } = ticket;
    let is_home = state.tenant(id).is_some() && state.hold(id).is_none_or(|hold| hold.is_home());
    let tenant = state.tenants.get_mut(id).filter(|_| is_home);
    let Some(tenant) = tenant.map(Arc::make_mut) else {
        return Err(Reply::Moving { tenant: id.to_string() });
    };
    let heard = tenant.heard.get(&group).copied().unwrap_or_default();
    let last = if heard.series == series { heard.number } else { 0 };
    match (Heard { series, number }).cmp(&heard) {
        Ordering::Greater if number == last + 1 => {
            tenant.heard.insert(group, Heard { series, number });
            Ok(())
        }
        Ordering::Greater => Err(Reply::Gap { last }),
        _ => Err(Reply::Seen),
    }
}
