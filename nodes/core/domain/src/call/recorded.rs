//! Whether a talk is recorded. What is said of the employees in it goes before what is said of the group that it came
//! through, that before the number that was called, and that before the company's rule. Two things are stricter: a number's
//! `never` holds whoever answers, for its callers were promised so; and of two employees the more guarded one decides.

use mangrove_proto::id::{EmployeeId, GroupId, LegId};

use super::Call;
use crate::{
    config::{Recorded, TenantConfig},
    rules,
    scene::Scene,
};

/// What a talk is told by.
#[derive(Debug, Clone, Copy)]
struct Talk<'a> {
    /// The public number that was called.
    number: Option<&'a str>,
    /// The group whose queue it came through.
    group: Option<&'a GroupId>,
    employees: [Option<&'a EmployeeId>; 2],
    /// With somebody outside of the company.
    outside: bool,
}

/// The rule for the guest's talk with `peer`.
pub(super) fn rule(call: &Call, peer: LegId, scene: &Scene<'_>) -> Recorded {
    let (config, talk) = (&scene.tenant.config, talk(call, peer));
    let special = special(config, talk).filter(|_| rules::records_by_rule(scene.state.rules()));
    special.unwrap_or_else(|| company(config, talk.outside))
}

/// Whether it is said of the guest's talk with `peer` in particular that it is not recorded.
pub(super) fn is_forbidden(call: &Call, peer: LegId, scene: &Scene<'_>) -> bool {
    special(&scene.tenant.config, talk(call, peer)) == Some(Recorded::Never)
}

fn talk(call: &Call, peer: LegId) -> Talk<'_> {
    let employee = |leg| call.party(leg).and_then(|party| party.employee.as_ref());
    Talk {
        number: call.number.as_deref(),
        group: call.group.as_ref(),
        employees: [employee(call.guest), employee(peer)],
        outside: call.trunk.is_some(),
    }
}

/// What is said of the talk in particular.
fn special(config: &TenantConfig, talk: Talk<'_>) -> Option<Recorded> {
    let number = talk.number.and_then(|number| config.numbers.get(number)?.recording);
    if number == Some(Recorded::Never) {
        return number;
    }
    let of = |employee: &EmployeeId| config.employees.get(employee)?.recording;
    let employees = talk.employees.into_iter().flatten().filter_map(of).max();
    let group = talk.group.and_then(|group| config.groups.get(group)?.recording);
    employees.or(group).or(number)
}

fn company(config: &TenantConfig, outside: bool) -> Recorded {
    let rules = &config.recording;
    match (rules.calls.cover(outside), rules.on_demand.cover(outside)) {
        (true, _) => Recorded::Always,
        (false, true) => Recorded::OnDemand,
        (false, false) => Recorded::Never,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        config::{
            Recorded::{Always, Never, OnDemand},
            RecordedCalls,
        },
        tests::acme,
    };

    type Said = Option<Recorded>;

    /// What follows when this is said of number, group, anna and boris, who talk with each other.
    fn decided([number, group, anna, boris]: [Said; 4]) -> Said {
        let mut config = acme::config();
        if let Some(of) = config.numbers.get_mut(acme::NUMBER) {
            of.recording = number;
        }
        if let Some(of) = config.groups.get_mut(&GroupId::from("200")) {
            of.recording = group;
        }
        let (first, second) = (EmployeeId::from("anna"), EmployeeId::from("boris"));
        for (employee, said) in [(&first, anna), (&second, boris)] {
            if let Some(of) = config.employees.get_mut(employee) {
                of.recording = said;
            }
        }
        let (group, employees) = (GroupId::from("200"), [Some(&first), Some(&second)]);
        special(&config, Talk { number: Some(acme::NUMBER), group: Some(&group), employees, outside: true })
    }

    #[test]
    fn the_most_particular_rule_decides_and_a_numbers_never_holds_for_all() {
        let table = [
            ([None, None, None, None], None),
            ([Some(Always), None, None, None], Some(Always)),
            ([Some(Always), Some(OnDemand), None, None], Some(OnDemand)),
            ([Some(Always), Some(Never), Some(Always), None], Some(Always)),
            ([None, Some(Always), Some(Never), None], Some(Never)),
            ([None, None, Some(Always), Some(OnDemand)], Some(Always)),
            ([None, None, Some(Always), Some(Never)], Some(Never)),
            ([Some(Never), Some(Always), Some(Always), Some(Always)], Some(Never)),
        ];
        for (said, expected) in table {
            assert_eq!(decided(said), expected, "{said:?}");
        }
    }

    #[test]
    fn the_company_decides_by_who_is_outside() {
        let mut config = acme::config();
        let both = |config: &TenantConfig| [company(config, true), company(config, false)];
        assert_eq!(both(&config), [Always, Never]);
        config.recording.on_demand = RecordedCalls::All;
        assert_eq!(both(&config), [Always, OnDemand]);
        config.recording.calls = RecordedCalls::None;
        assert_eq!(both(&config), [OnDemand, OnDemand]);
    }
}
