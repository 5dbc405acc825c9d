//! What a story looks at.

use mangrove_proto::{
    id::{CallId, EmployeeId},
    live::Cdr,
    media::{self, endpoint::Hears},
};

use super::{World, tenant_id};
use crate::{
    ObjectRef, Record, Tenant,
    agent::Agent,
    call::{Call, party::Role, stage::Stage},
    tests::far_end::FarEnd,
};

impl World {
    pub(crate) fn next_timer(&self) -> Option<(u64, ObjectRef)> {
        self.state.objects().filter_map(|object| Some((self.state.due(&object)?, object))).min()
    }

    pub(crate) fn tenant(&self) -> &Tenant {
        self.state.tenant(&tenant_id()).expect("acme is there")
    }

    /// The call of a far end.
    pub(crate) fn call(&self, index: usize) -> &Call {
        self.try_call(index).expect("the call is kept")
    }

    pub(crate) fn try_call(&self, index: usize) -> Option<&Call> {
        let leg = self.ends[index].leg.parse().ok()?;
        self.tenant().calls().find(|call| call.party(leg).is_some())
    }

    pub(crate) fn stage(&self, index: usize) -> &'static str {
        self.call(index).stage.name()
    }

    /// The stage, unless the call is over or forgotten.
    pub(crate) fn stage_or_gone(&self, index: usize) -> Option<&'static str> {
        self.try_call(index).filter(|call| !call.is_over()).map(|call| call.stage.name())
    }

    pub(crate) fn agent(&self, id: &str) -> &Agent {
        self.tenant().agent(&EmployeeId::from(id)).expect("an employee")
    }

    /// The phone of `extension` that rings now.
    pub(crate) fn ringing(&self, extension: &str) -> Option<usize> {
        let rings = |end: &FarEnd| !end.calls && end.user == extension && end.answered.is_none();
        self.ends.iter().rposition(rings)
    }

    /// What a far end is played.
    pub(crate) fn plays(&self, index: usize) -> Option<media::Play> {
        match self.hears(index)? {
            Hears::Play(play) => Some(play),
            Hears::Peer(_) | Hears::Mix(_) | Hears::Echo(_) | Hears::Conference(_) => None,
        }
    }

    pub(crate) fn hears(&self, index: usize) -> Option<Hears> {
        let session = self.sessions.get(&self.call(index).id)?;
        session.endpoints.iter().find(|endpoint| endpoint.id == self.ends[index].leg)?.hears.clone()
    }

    /// Agents who talk with a caller whom their group's queue gave them.
    pub(super) fn served(&self) -> Vec<(CallId, EmployeeId)> {
        let Some(tenant) = self.state.tenant(&tenant_id()) else { return Vec::new() };
        let served = tenant.calls().filter_map(|call| {
            let Stage::Talking(talk) = &call.stage else { return None };
            let peer = call.party(talk.peer).filter(|peer| peer.role != Role::Caller)?;
            let group = tenant.config().groups.get(talk.group.as_ref()?)?;
            Some((call.id, peer.employee.clone().filter(|_| group.wrap_up_ms > 0)?))
        });
        served.collect()
    }

    /// Whoever was [`Self::served`] before a command and whose call has ended with it does after-call work, or talks on in
    /// another call.
    pub(super) fn wrap_up_follows(&self, served: &[(CallId, EmployeeId)]) {
        let Some(tenant) = self.state.tenant(&tenant_id()) else { return };
        for (call, employee) in served {
            let over = tenant.call(*call).is_none_or(Call::is_over);
            let works = tenant.agent(employee).is_some_and(|agent| {
                agent.wrap_up.is_some() || agent.engaged.is_some_and(|engaged| engaged.call != *call)
            });
            assert!(works || !over, "{employee} has no wrap-up after {call}, {:?}", self.log.last());
        }
    }

    /// Whether two far ends hear each other.
    pub(crate) fn are_joined(&self, one: usize, other: usize) -> bool {
        let hears = |a: usize, b: usize| match self.hears(a) {
            Some(Hears::Peer(peer)) => peer.endpoint == self.ends[b].leg,
            _ => false,
        };
        hears(one, other) && hears(other, one)
    }

    pub(crate) fn records(&self) -> Vec<Cdr> {
        let records = self.state.outbox().filter_map(|(_, record)| match record {
            Record::Cdr(cdr) => Some(cdr.clone()),
            Record::Audit(_) | Record::LateRecording(_) => None,
        });
        records.collect()
    }

    /// The only record there is.
    pub(crate) fn record(&self) -> Cdr {
        let records = self.records();
        assert_eq!(records.len(), 1, "one record: {records:#?}");
        records[0].clone()
    }
}
