//! I5: one owner. Every offer to a person is the one that reserved them, and no person rings without an offer.

use super::Violation;
use crate::{call::Call, tenant::Tenant};

pub(super) fn check(tenant: &Tenant, found: &mut Vec<Violation>) {
    for call in tenant.calls() {
        offers_hold_their_people(tenant, call, found);
    }
    for agent in tenant.agents() {
        let Some(engaged) = agent.engaged.filter(|engaged| engaged.ringing) else { continue };
        let offered = tenant.call(engaged.call).is_some_and(|call| {
            call.offers
                .iter()
                .any(|offer| offer.number == engaged.offer && offer.employee.as_ref() == Some(&agent.id))
        });
        if !offered {
            found.push(Violation::new("I5", format!("{} rings without an offer", agent.id)));
        }
    }
}

fn offers_hold_their_people(tenant: &Tenant, call: &Call, found: &mut Vec<Violation>) {
    for offer in &call.offers {
        let Some(employee) = &offer.employee else { continue };
        let engaged = tenant.agent(employee).and_then(|agent| agent.engaged);
        let reserved = engaged.is_some_and(|engaged| {
            engaged.ringing && engaged.offer == offer.number && engaged.call == call.id
        });
        if !reserved {
            let what = format!("offer {} of {} rings {employee}, who has {engaged:?}", offer.number, call.id);
            found.push(Violation::new("I5", what));
        }
        if offer.legs.iter().any(|leg| !call.party(*leg).is_some_and(|party| party.is_alive())) {
            found
                .push(Violation::new("I5", format!("offer {} of {} keeps dead legs", offer.number, call.id)));
        }
    }
}
