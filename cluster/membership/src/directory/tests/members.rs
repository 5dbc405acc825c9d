//! Members that answer or not, join and come back, drain, leave and are replaced.

use super::*;

/// Three control nodes that answer, 1 founding, holding groups 0 to 3 together, and an edge node 4.
fn cluster() -> Directory {
    let mut directory = founded();
    for name in ["b", "c"] {
        apply(&mut directory, Command::JoinMember { member: named(name) }).unwrap();
    }
    let edge = Member { roles: ["edge".into()].into(), ..named("e") };
    apply(&mut directory, Command::JoinMember { member: edge }).unwrap();
    (2..=4).for_each(|id| hear(&mut directory, id, true));
    let groups = 0..=3u32;
    let place = |group| Place { replicas: vec![1, 2, 3], leader: NodeId::from(group % 3) + 1 };
    let plan = Plan { groups: groups.map(|group| (group, place(group))).collect() };
    apply(&mut directory, Command::SetPlan { plan }).unwrap();
    directory
}

fn hear(directory: &mut Directory, id: NodeId, alive: bool) {
    let term = TERM;
    let verdict = if alive { Command::MemberBack { id, term } } else { Command::MemberLost { id, term } };
    apply(directory, verdict).unwrap();
}

#[test]
fn only_the_present_leader_says_who_answers() {
    let mut directory = cluster();
    let late = apply(&mut directory, Command::MemberLost { id: 2, term: TERM - 1 });
    assert_eq!(late, Err(Refusal::StaleVerdict { seen: TERM - 1, now: TERM }));
    assert!(directory.member(2).unwrap().alive);
    hear(&mut directory, 2, false);
    assert!(!directory.member(2).unwrap().alive);
    let described = Member { id: 2, boot: 1, alive: true, draining: true, ..named("b") };
    apply(&mut directory, Command::JoinMember { member: described }).unwrap();
    let known = directory.member(2).unwrap();
    assert_eq!((known.alive, known.draining), (false, false), "a member does not say so of itself");
}

#[test]
fn who_may_join_or_come_back() {
    let old = |name: &str, id, boot| Member { id, boot, address: "here:1".into(), ..named(name) };
    let mut directory = cluster();
    apply(&mut directory, Command::JoinMember { member: old("b", 2, 5) }).unwrap();
    let before = directory.members.clone();
    let speaks = |protocol| Member { protocol, ..named("n") };
    let stale = Refusal::OldDisk { name: "b".into(), boot: 4, known: 5 };
    let copied = Refusal::OldDisk { name: "b".into(), boot: 5, known: 5 };
    let table = [
        (named("b"), Refusal::NameTaken { name: "b".into(), id: 2 }),
        (old("x", 9, 1), Refusal::UnknownMember(9)),
        (old("b", 2, 4), stale),
        (Member { address: "elsewhere:1".into(), ..old("b", 2, 5) }, copied),
        (
            Member { roles: ["edge".into()].into(), ..old("b", 2, 6) },
            Refusal::NeedsControl { name: "b".into(), groups: 4 },
        ),
        (speaks(2), Refusal::Protocol { protocol: 2, oldest: 0, newest: 1 }),
    ];
    for (member, refusal) in table {
        assert_eq!(
            apply(&mut directory, Command::JoinMember { member: member.clone() }),
            Err(refusal),
            "{member:?}"
        );
        assert_eq!(directory.members, before);
    }
    assert!(apply(&mut directory, Command::JoinMember { member: speaks(1) }).is_ok());
}

#[test]
fn a_cluster_is_upgraded_step_by_step_and_not_back() {
    let mut directory = founded();
    let mut speak = |id, name: &str, protocol| {
        let member = Member { id, protocol, boot: u64::from(protocol), ..named(name) };
        apply(&mut directory, Command::JoinMember { member }).map(|_| directory.minimum)
    };
    assert_eq!(speak(0, "b", 0), Ok(0));
    assert_eq!(speak(1, "a", 1), Ok(0), "one of two");
    assert_eq!(speak(2, "b", 1), Ok(1), "all have made the step");
    assert!(matches!(speak(0, "c", 0), Err(Refusal::Protocol { protocol: 0, oldest: 1, newest: 2 })));
    assert_eq!(speak(0, "c", 2), Ok(1));
}

#[test]
fn who_may_drain_and_leave() {
    use Command::{DrainMember, LeaveMember, ReplaceMember};
    let (a, b) = (|| String::from("a"), || String::from("b"));
    let drain = |id| DrainMember { id, draining: true };
    // Who is lost, who drains already, what is asked, the refusal.
    #[allow(clippy::type_complexity, reason = "a table's row")]
    let table: &[(&[NodeId], &[NodeId], Command, Option<Refusal>)] = &[
        (&[], &[], drain(1), None),
        (&[], &[2, 3], drain(1), Some(Refusal::LastControl { name: a() })),
        (&[2, 3], &[], drain(1), Some(Refusal::LastControl { name: a() })),
        (&[], &[1, 2], drain(4), None),
        (&[], &[], LeaveMember { id: 2 }, Some(Refusal::NotDrained { name: b() })),
        (&[], &[2], LeaveMember { id: 2 }, Some(Refusal::StillLeads { name: b(), group: 1 })),
        (&[2], &[], LeaveMember { id: 2 }, None),
        (&[1, 2, 3], &[], LeaveMember { id: 2 }, Some(Refusal::LastReplica { group: 0 })),
        (&[1, 2, 3], &[], LeaveMember { id: 7 }, Some(Refusal::UnknownMember(7))),
        (&[], &[4], LeaveMember { id: 4 }, None),
        (&[], &[], ReplaceMember { id: 2 }, Some(Refusal::StillAlive { name: b() })),
        (&[2], &[], ReplaceMember { id: 2 }, None),
    ];
    for (lost, draining, asked, refusal) in table {
        let mut directory = cluster();
        for id in *draining {
            apply(&mut directory, drain(*id)).unwrap();
        }
        lost.iter().for_each(|id| hear(&mut directory, *id, false));
        let (members, plan) = (directory.members.clone(), directory.plan.clone());
        assert_eq!(
            apply(&mut directory, asked.clone()).err(),
            *refusal,
            "{asked:?}: {lost:?} lost, {draining:?} drain"
        );
        assert_eq!(refusal.is_some(), (members, plan) == (directory.members.clone(), directory.plan.clone()));
    }
}

#[test]
fn the_last_control_node_stays() {
    let mut directory = founded();
    let last = Refusal::LastControl { name: "a".into() };
    for asked in [Command::DrainMember { id: 1, draining: true }, Command::LeaveMember { id: 1 }] {
        assert_eq!(apply(&mut directory, asked), Err(last.clone()));
    }
    let edge = Member { roles: ["edge".into()].into(), ..named("e") };
    let founds = Command::Found { founding: founding(), member: edge };
    assert_eq!(apply(&mut Directory::default(), founds), Err(Refusal::NoControl));
}

#[test]
fn who_leaves_is_taken_from_the_plan() {
    let mut directory = cluster();
    hear(&mut directory, 2, false);
    apply(&mut directory, Command::LeaveMember { id: 2 }).unwrap();
    assert!(directory.plan.groups.values().all(|place| place.replicas == [1, 3] && place.leader != 2));
    let back = Member { id: 2, boot: 9, ..named("b") };
    assert_eq!(apply(&mut directory, Command::JoinMember { member: back }), Err(Refusal::HasLeft(2)));
}

#[test]
fn a_replaced_node_gives_up_its_name() {
    let mut directory = cluster();
    hear(&mut directory, 2, false);
    let newcomer = || Command::JoinMember { member: named("b") };
    assert!(apply(&mut directory, newcomer()).is_err());
    apply(&mut directory, Command::ReplaceMember { id: 2 }).unwrap();
    assert_eq!(apply(&mut directory, newcomer()), Ok(Reply::Joined { id: 5 }));
    assert_eq!(directory.member_named("b").map(|member| member.id), Some(5));
    assert_eq!(directory.member(2).map(|member| member.name.as_str()), Some("b~2"));
}

#[test]
fn a_directory_of_an_earlier_build_is_read() {
    #[derive(serde::Serialize)]
    struct Old {
        id: NodeId,
        name: &'static str,
        roles: BTreeSet<String>,
        zone: &'static str,
        address: &'static str,
        addresses: BTreeMap<String, String>,
        version: &'static str,
        heartbeat_ms: u64,
        draining: bool,
    }
    let (roles, addresses) = (BTreeSet::new(), BTreeMap::new());
    let old = Old {
        id: 1,
        name: "a",
        roles,
        zone: "",
        address: "",
        addresses,
        version: "0.1",
        heartbeat_ms: 7,
        draining: false,
    };
    let read: Member = crate::machine::decode(&crate::machine::encode(&old)).unwrap();
    assert!(read.alive && !read.replaced && read.heartbeat_ms == 7);
}
