//! Which past calls a request asks for, and how far its scope lets it.

use mangrove_history::{CdrFilter, Page};
use mangrove_proto::{
    id::GroupId,
    live::{Direction, Outcome},
};
use serde::Deserialize;
use utoipa::IntoParams;

use super::time;
use crate::access::{Access, Scope};

#[derive(Debug, Default, Deserialize, IntoParams)]
pub(crate) struct CdrQuery {
    /// Started at or after: Unix milliseconds or RFC 3339.
    #[serde(default, deserialize_with = "time::read")]
    #[param(value_type = Option<String>)]
    from: Option<u64>,
    /// Started before.
    #[serde(default, deserialize_with = "time::read")]
    #[param(value_type = Option<String>)]
    to: Option<u64>,
    /// Part of the caller's number.
    caller: Option<String>,
    /// Part of the called number.
    called: Option<String>,
    /// Part of either number.
    party: Option<String>,
    group: Option<String>,
    /// `me` is yourself.
    employee: Option<String>,
    outcome: Option<Outcome>,
    direction: Option<Direction>,
    recorded: Option<bool>,
    /// 1 to 500, 50 unless given.
    limit: Option<u32>,
    /// `next` of the page before.
    after: Option<String>,
}

impl CdrQuery {
    pub(crate) fn page(&self) -> Page {
        let first = Page::default();
        Page {
            limit: self.limit.unwrap_or(first.limit),
            after: self.after.clone().filter(|after| !after.is_empty()),
        }
    }

    pub(crate) fn filter(&self, access: &Access) -> CdrFilter {
        let given = |text: &Option<String>| text.clone().filter(|text| !text.is_empty());
        let mut filter = CdrFilter {
            from: self.from,
            to: self.to,
            caller: given(&self.caller),
            called: given(&self.called),
            party: given(&self.party),
            groups: given(&self.group).map(|group| vec![group.into()]),
            employee: given(&self.employee).map(Into::into),
            outcome: self.outcome,
            direction: self.direction,
            recorded: self.recorded,
        };
        if let Some(person) = access.who.person()
            && self.employee.as_deref() == Some("me")
        {
            filter.employee = Some(person.login.employee.clone());
        }
        narrow(&access.scope, &mut filter);
        filter
    }
}

fn narrow(scope: &Scope, filter: &mut CdrFilter) {
    match scope {
        Scope::Tenant { .. } | Scope::Everybody { .. } => {}
        Scope::Own(own) => {
            // A wish for somebody else's calls finds nothing.
            if filter.employee.as_ref().is_some_and(|wished| wished != own) {
                filter.groups = Some(Vec::new());
            }
            filter.employee = Some(own.clone());
        }
        Scope::Groups { .. } if filter.employee.as_ref().is_some_and(|wished| scope.is_own(wished)) => {}
        Scope::Groups { groups, .. } => {
            let wished = filter.groups.take();
            let seen = |group: &GroupId| wished.as_ref().is_none_or(|wished| wished.contains(group));
            filter.groups = Some(groups.iter().filter(|group| seen(group)).cloned().collect());
        }
    }
}
