//! Who carries a member's addresses.

use super::*;

/// Members 1 to 4: `a` leads, `e1` and `e2` are edges of one network, `m` carries sound only.
fn cluster() -> Directory {
    let mut directory = founded();
    for (name, roles, network) in [("e1", "edge media", "n"), ("e2", "edge media", "n"), ("m", "media", "n")]
    {
        let roles = roles.split(' ').map(String::from).collect();
        let addresses = [(NETWORK.to_owned(), network.to_owned())].into();
        let member = Member { name: name.into(), roles, addresses, ..Member::default() };
        let id = directory.last_id + 1;
        apply(&mut directory, Command::JoinMember { member }).unwrap();
        hear(&mut directory, id, true);
        take(&mut directory, id);
    }
    directory
}

fn hear(directory: &mut Directory, id: NodeId, alive: bool) {
    let command = match alive {
        true => Command::MemberBack { id, term: TERM },
        false => Command::MemberLost { id, term: TERM },
    };
    apply(directory, command).unwrap();
}

fn take(directory: &mut Directory, id: NodeId) -> Lease {
    match apply(directory, Command::TakeLease { id }) {
        Ok(Reply::Leased { lease }) => lease,
        other => panic!("{other:?}"),
    }
}

fn host(directory: &Directory, name: &str) -> NodeId {
    directory.lease(name).unwrap().host
}

#[test]
fn each_start_of_a_member_has_a_later_epoch() {
    let mut directory = cluster();
    let first = directory.lease("e1").unwrap();
    let again = take(&mut directory, 2);
    assert!(again.host == 2 && again.epoch > first.epoch && !again.wanted);
}

#[test]
fn an_heir_has_the_roles_and_the_network_and_carries_the_least() {
    let mut directory = cluster();
    hear(&mut directory, 4, false);
    assert_eq!(host(&directory, "m"), 2, "an edge with media carries sound as well");
    hear(&mut directory, 2, false);
    assert_eq!((host(&directory, "e1"), host(&directory, "m")), (3, 3), "both go on to who is left");
    hear(&mut directory, 3, false);
    assert_eq!(host(&directory, "e1"), 3, "nobody is left: it is lost with its host");
}

fn judge(directory: &mut Directory, lost: &[NodeId], back: &[NodeId]) {
    let (lost, back) = (lost.iter().copied().collect(), back.iter().copied().collect());
    apply(directory, Command::MembersJudged { lost, back, term: TERM }).unwrap();
}

#[test]
fn who_is_lost_together_inherits_nothing_of_one_another_and_goes_on_when_back() {
    let mut directory = cluster();
    let before = directory.leases.clone();
    judge(&mut directory, &[2, 3, 9], &[]);
    assert!([2, 3].iter().all(|id| !directory.member(*id).unwrap().alive));
    judge(&mut directory, &[], &[2, 3]);
    assert!([2, 3].iter().all(|id| directory.member(*id).unwrap().alive));
    assert_eq!(directory.leases, before, "nobody is told to carry anything else");
}

#[test]
fn who_is_back_alone_may_inherit_from_the_others() {
    let mut directory = cluster();
    judge(&mut directory, &[2, 3], &[]);
    assert!(directory.orphaning().is_empty(), "nobody could");
    judge(&mut directory, &[], &[3]);
    assert_eq!(directory.orphaning(), [2].into());
    judge(&mut directory, &[2], &[]);
    assert_eq!((host(&directory, "e1"), directory.orphaning().len()), (3, 0));
}

#[test]
fn verdicts_of_another_term_are_refused_as_one() {
    let mut directory = cluster();
    let late = Command::MembersJudged { lost: [2].into(), back: [].into(), term: TERM - 1 };
    assert_eq!(apply(&mut directory, late), Err(Refusal::StaleVerdict { seen: TERM - 1, now: TERM }));
    assert!(directory.member(2).unwrap().alive);
}

#[test]
fn who_can_not_carry_inherits_nothing() {
    for spoil in [
        (|member: &mut Member| member.draining = true) as fn(&mut Member),
        |member| member.alive = false,
        |member| drop(member.addresses.insert(NETWORK.into(), "other".into())),
        |member| _ = member.roles.remove("edge"),
    ] {
        let mut directory = cluster();
        spoil(directory.members.get_mut(&3).unwrap());
        hear(&mut directory, 2, false);
        assert_eq!(host(&directory, "e1"), 2);
    }
}

#[test]
fn a_member_that_is_back_gets_its_addresses_when_its_heir_gives_them() {
    let mut directory = cluster();
    hear(&mut directory, 2, false);
    let inherited = directory.lease("e1").unwrap();
    hear(&mut directory, 2, true);
    assert_eq!(host(&directory, "e1"), 3, "not by itself");
    let asked = take(&mut directory, 2);
    assert_eq!(asked, Lease { wanted: true, ..inherited });
    let stranger = Command::ReturnLease { name: "e1".into(), from: 4 };
    apply(&mut directory, stranger).unwrap();
    assert_eq!(host(&directory, "e1"), 3);
    apply(&mut directory, Command::ReturnLease { name: "e1".into(), from: 3 }).unwrap();
    let back = directory.lease("e1").unwrap();
    assert!(back.host == 2 && back.epoch > inherited.epoch && !back.wanted);
}

#[test]
fn an_heir_keeps_the_addresses_of_a_member_that_does_not_count_as_alive_yet() {
    let mut directory = cluster();
    hear(&mut directory, 2, false);
    assert!(!take(&mut directory, 2).wanted, "it runs, but nobody has heard it answer");
    hear(&mut directory, 2, true);
    assert!(take(&mut directory, 2).wanted);
}

#[test]
fn a_dead_heir_does_not_keep_a_member_from_its_addresses() {
    let mut directory = cluster();
    hear(&mut directory, 2, false);
    directory.members.get_mut(&3).unwrap().alive = false;
    assert_eq!(take(&mut directory, 2).host, 2);
}

#[test]
fn an_heir_that_can_not_passes_on() {
    let mut directory = cluster();
    hear(&mut directory, 4, false);
    let first = host(&directory, "m");
    apply(&mut directory, Command::RefuseLease { name: "m".into(), from: first }).unwrap();
    assert_ne!(host(&directory, "m"), first);
}

#[test]
fn what_a_member_carries_outlives_its_leaving_and_its_own_goes_with_it() {
    let mut directory = cluster();
    hear(&mut directory, 2, false);
    apply(&mut directory, Command::LeaveMember { id: 2 }).unwrap();
    assert_eq!(directory.lease("e1"), None);
    apply(&mut directory, Command::DrainMember { id: 3, draining: true }).unwrap();
    apply(&mut directory, Command::LeaveMember { id: 3 }).unwrap();
    assert_eq!(directory.lease("m").map(|lease| lease.host), Some(4));
}

/// As `cluster`, of builds that hand addresses over.
fn newer() -> Directory {
    let mut directory = cluster();
    directory.minimum = HANDOVER;
    let speak = |member: Member| Member { protocol: HANDOVER, ..member };
    directory.members = directory.members.into_iter().map(|(id, member)| (id, speak(member))).collect();
    directory
}

/// As `newer`, of builds whose calls leave a media node; `m` is in a network of its own.
fn apart() -> Directory {
    let mut directory = newer();
    directory.minimum = LEAVING;
    let m = directory.members.get_mut(&4).unwrap();
    m.addresses = [(NETWORK.to_owned(), "elsewhere".to_owned())].into();
    directory
}

#[test]
fn calls_leave_a_media_node_that_goes_with_its_addresses() {
    let mut directory = apart();
    assert!(directory.has_to_be_left("m") && !directory.is_left("m"), "it stays");
    assert!(!directory.has_to_be_left("e1"), "e2 is its heir");
    assert!(!directory.has_to_be_left("a"), "it carries no sound");
    apply(&mut directory, Command::StopMember { id: 4 }).unwrap();
    assert!(directory.is_left("m"));
    for id in [2, 3] {
        hear(&mut directory, id, false);
    }
    assert!(!directory.is_left("m"), "nobody else carries sound");
    let mut older = apart();
    older.minimum = LEAVING - 1;
    drain(&mut older, 4, true).unwrap();
    assert!(!older.is_left("m"), "somebody has no words for it");
}

fn drain(directory: &mut Directory, id: NodeId, draining: bool) -> Result<Reply, Refusal> {
    apply(directory, Command::DrainMember { id, draining })?;
    if draining { apply(directory, Command::YieldLeases { id }) } else { Ok(Reply::Done) }
}

#[test]
fn who_drains_or_stops_hands_its_addresses_to_an_heir_and_has_them_back_after() {
    for begin in [Command::DrainMember { id: 2, draining: true }, Command::StopMember { id: 2 }] {
        let mut directory = newer();
        let before = directory.lease("e1").unwrap();
        apply(&mut directory, begin).unwrap();
        assert_eq!(directory.lease("e1"), Some(before), "its leads go first");
        assert_eq!(directory.yields(2), ["e1"]);
        apply(&mut directory, Command::YieldLeases { id: 2 }).unwrap();
        assert!(directory.yields(2).is_empty());
        let handed = directory.lease("e1").unwrap();
        assert_eq!((handed.host, handed.from, handed.wanted), (3, Some(2), false));
        assert!(handed.epoch > before.epoch);
        assert!(handed.is_on_its_way(), "its host of before is talked to");
        apply(&mut directory, Command::ReadyLease { name: "e1".into(), host: 2 }).unwrap();
        assert_eq!(directory.lease("e1"), Some(handed), "the new host says so, nobody else");
        apply(&mut directory, Command::ReadyLease { name: "e1".into(), host: 3 }).unwrap();
        let handed = Lease { ready: true, ..handed };
        assert_eq!((directory.lease("e1"), handed.is_on_its_way()), (Some(handed), false));
        assert_eq!(take(&mut directory, 2), handed, "who is about to go takes nothing");
        let again = Member { boot: 1, ..directory.member(2).unwrap().clone() };
        apply(&mut directory, Command::JoinMember { member: again }).unwrap();
        let back = take(&mut directory, 2);
        assert_eq!((back.host, back.from), (2, Some(3)), "the heir carries on until it was asked");
    }
}

#[test]
fn a_draining_that_is_ended_brings_the_addresses_back() {
    let mut directory = newer();
    drain(&mut directory, 2, true).unwrap();
    drain(&mut directory, 2, false).unwrap();
    assert_eq!(directory.lease("e1").map(|lease| (lease.host, lease.from)), Some((2, Some(3))));
}

#[test]
fn an_heir_that_drains_hands_on_what_it_inherited() {
    let mut directory = newer();
    hear(&mut directory, 4, false);
    assert_eq!(host(&directory, "m"), 2);
    drain(&mut directory, 2, true).unwrap();
    assert_eq!((host(&directory, "e1"), host(&directory, "m")), (3, 3));
}

#[test]
fn a_host_that_dies_while_it_hands_over_is_waited_for_no_more() {
    let mut directory = newer();
    drain(&mut directory, 2, true).unwrap();
    hear(&mut directory, 3, false);
    let lease = directory.lease("e1").unwrap();
    assert_eq!(
        (lease.host, lease.from),
        (3, Some(2)),
        "nobody else can: it stays with the heir and is lost with it"
    );
}

#[test]
fn the_last_with_a_role_does_not_drain() {
    let mut directory = newer();
    drain(&mut directory, 3, true).unwrap();
    let refused = drain(&mut directory, 2, true);
    assert_eq!(refused, Err(Refusal::LastRole { name: "e1".into(), role: "edge".into() }));
    assert!(drain(&mut directory, 4, true).is_ok(), "another one carries sound");
}

#[test]
fn beside_an_older_build_addresses_move_as_it_knows() {
    let mut directory = cluster();
    apply(&mut directory, Command::StopMember { id: 2 }).unwrap();
    apply(&mut directory, Command::YieldLeases { id: 2 }).unwrap();
    assert_eq!(directory.lease("e1").map(|lease| (lease.host, lease.from)), Some((2, None)));
    drain(&mut directory, 3, true).unwrap();
    assert!(drain(&mut directory, 4, true).is_ok(), "its replicas must all decide alike");
}
