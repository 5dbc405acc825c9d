//! Whether a talk is recorded, and as what file. What is said of the employees in it goes before what is said of the group
//! that it came through, that before the number that was called, and that before the company's rule. Whether it is recorded
//! at all is stricter in two things: a number's `never` holds whoever answers, for its callers were promised so; and of two
//! employees the more guarded one decides.

use mangrove_proto::{
    id::{EmployeeId, GroupId, LegId},
    live::{RecordingChannels, RecordingFormat},
};

use super::Call;
use crate::{
    config::{Recorded, RecordedAs, TenantConfig},
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

/// The file that a recording of the guest's talk with `peer` becomes: format and channels each as the most particular says
/// that says anything of it. Of two employees the one who has more kept decides.
pub(super) fn file(call: &Call, peer: LegId, scene: &Scene<'_>) -> (RecordingFormat, RecordingChannels) {
    if rules::records_by_rule(scene.state.rules()) {
        files(&scene.tenant.config, talk(call, peer))
    } else {
        Default::default()
    }
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

fn files(config: &TenantConfig, talk: Talk<'_>) -> (RecordingFormat, RecordingChannels) {
    let of = |employee: &EmployeeId| Some(config.employees.get(employee)?.recorded_as);
    let employees: Vec<RecordedAs> = talk.employees.into_iter().flatten().filter_map(of).collect();
    let group = talk.group.and_then(|group| config.groups.get(group)).map(|group| group.recorded_as);
    let number = talk.number.and_then(|number| config.numbers.get(number)).map(|number| number.recorded_as);
    let format = employees.iter().filter_map(|said| said.format).max();
    let channels = employees.iter().filter_map(|said| said.channels).max();
    let rest = || [group, number].into_iter().flatten();
    (
        format.or_else(|| rest().find_map(|said| said.format)).unwrap_or(config.recording.format),
        channels.or_else(|| rest().find_map(|said| said.channels)).unwrap_or(config.recording.channels),
    )
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
    fn of_the_file_the_most_particular_decides_for_format_and_channels_each() {
        use RecordingChannels::{Dual, Mixed};
        use RecordingFormat::{Opus, Wav};
        let said = |format, channels| RecordedAs { format, channels };
        let (none, opus, mixed) = (said(None, None), said(Some(Opus), None), said(None, Some(Mixed)));
        let wav = said(Some(Wav), Some(Dual));
        let table = [
            ([none, none, none, none, none], (Wav, Dual)),
            ([opus, none, none, none, none], (Opus, Dual)),
            ([opus, mixed, none, none, none], (Opus, Mixed)),
            ([none, opus, mixed, none, none], (Opus, Mixed)),
            ([opus, opus, wav, none, none], (Wav, Dual)),
            ([mixed, none, wav, opus, none], (Opus, Dual)),
            ([none, none, none, opus, mixed], (Opus, Mixed)),
            ([none, none, none, opus, wav], (Wav, Dual)),
        ];
        for ([company, number, group, anna, boris], expected) in table {
            let mut config = acme::config();
            config.recording.format = company.format.unwrap_or_default();
            config.recording.channels = company.channels.unwrap_or_default();
            config.numbers.values_mut().for_each(|of| of.recorded_as = number);
            config.groups.values_mut().for_each(|of| of.recorded_as = group);
            let (first, second) = (EmployeeId::from("anna"), EmployeeId::from("boris"));
            for (employee, said) in [(&first, anna), (&second, boris)] {
                if let Some(of) = config.employees.get_mut(employee) {
                    of.recorded_as = said;
                }
            }
            let (queue, employees) = (GroupId::from("200"), [Some(&first), Some(&second)]);
            let talk = Talk { number: Some(acme::NUMBER), group: Some(&queue), employees, outside: true };
            assert_eq!(files(&config, talk), expected, "{company:?} {number:?} {group:?} {anna:?} {boris:?}");
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
