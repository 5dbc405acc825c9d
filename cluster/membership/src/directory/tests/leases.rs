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
