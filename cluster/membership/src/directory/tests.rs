//! The directory's rules, a table a noun.

#![allow(clippy::unwrap_used)]

mod databases;
mod leases;
mod members;
mod moves;

use super::*;

const TERM: u64 = 3;

fn founding() -> Founding {
    Founding { incarnation: 7, shard_groups: 3, nonce_key: [1; 32], token_key: [2; 32] }
}

fn named(name: &str) -> Member {
    Member { name: name.into(), roles: [Member::CONTROL.into()].into(), ..Member::default() }
}

fn founded() -> Directory {
    let mut directory = Directory::default();
    apply(&mut directory, Command::Found { founding: founding(), member: named("a") }).unwrap();
    directory
}

fn apply(directory: &mut Directory, command: Command) -> Result<Reply, Refusal> {
    directory.apply(directory.version + 1, TERM, command)
}

fn names(numbers: &[&str]) -> BTreeSet<Name> {
    numbers.iter().map(|number| Name::new("number", *number)).collect()
}

fn place(directory: &mut Directory, tenant: &str) -> Home {
    match apply(directory, Command::PlaceTenant { tenant: tenant.into() }) {
        Ok(Reply::Placed { home }) => home,
        other => panic!("{other:?}"),
    }
}

fn claim(directory: &mut Directory, tenant: &str, numbers: &[&str]) -> Result<Reply, Refusal> {
    apply(directory, Command::Claim { tenant: tenant.into(), names: names(numbers) })
}

#[test]
fn the_founder_holds_every_group_and_founds_once() {
    let mut directory = founded();
    assert_eq!(directory.plan.groups.len(), 4);
    assert!(directory.plan.groups.values().all(|place| place.replicas == [1] && place.leader == 1));
    assert_eq!(directory.opened, OrdSet::unit(0));
    let again = Command::Found { founding: founding(), member: named("b") };
    assert_eq!(apply(&mut directory, again), Err(Refusal::AlreadyFounded));
    let early = Command::JoinMember { member: named("b") };
    assert_eq!(apply(&mut Directory::default(), early), Err(Refusal::NotFounded));
}

#[test]
fn members_join_change_and_leave_for_good() {
    let mut directory = founded();
    let join = |directory: &mut Directory, member| apply(directory, Command::JoinMember { member });
    assert_eq!(join(&mut directory, named("b")), Ok(Reply::Joined { id: 2 }));
    assert_eq!(join(&mut directory, named("b")), Err(Refusal::NameTaken { name: "b".into(), id: 2 }));
    let moved = Member { id: 2, address: "host:1".into(), boot: 1, ..named("b") };
    assert_eq!(join(&mut directory, moved.clone()), Ok(Reply::Joined { id: 2 }));
    assert_eq!(directory.member(2), Some(&moved));
    assert_eq!(join(&mut directory, Member { id: 9, ..named("c") }), Err(Refusal::UnknownMember(9)));
    apply(&mut directory, Command::DrainMember { id: 2, draining: true }).unwrap();
    apply(&mut directory, Command::HeartbeatMember { id: 2, at_ms: 50 }).unwrap();
    apply(&mut directory, Command::HeartbeatMember { id: 2, at_ms: 40 }).unwrap();
    assert_eq!(directory.member(2).map(|member| (member.draining, member.heartbeat_ms)), Some((true, 50)));
    apply(&mut directory, Command::LeaveMember { id: 2 }).unwrap();
    assert_eq!(apply(&mut directory, Command::LeaveMember { id: 2 }), Err(Refusal::HasLeft(2)));
    assert_eq!(join(&mut directory, named("b")), Ok(Reply::Joined { id: 3 }));
}

#[test]
fn tenants_are_spread_and_stay() {
    let mut directory = founded();
    let groups: Vec<_> = ["a", "b", "c", "d"].map(|tenant| place(&mut directory, tenant).group).into();
    assert_eq!(groups, [1, 2, 3, 1]);
    let home = place(&mut directory, "b");
    assert_eq!((home.group, place(&mut directory, "b")), (2, home), "asked again it is the same");
    apply(&mut directory, Command::RemoveTenant { tenant: "b".into() }).unwrap();
    assert_eq!(place(&mut directory, "e").group, 2);
    let unknown = apply(&mut directory, Command::RemoveTenant { tenant: "b".into() });
    assert_eq!(unknown, Err(Refusal::UnknownTenant("b".into())));
}

#[test]
fn a_tenant_that_is_made_again_has_a_higher_epoch() {
    let mut directory = founded();
    let first = place(&mut directory, "a");
    apply(&mut directory, Command::RemoveTenant { tenant: "a".into() }).unwrap();
    let second = place(&mut directory, "a");
    assert!(second.epoch > first.epoch, "{second:?} after {first:?}: the first one's commands would count");
}

#[test]
fn a_claim_takes_all_names_or_none() {
    let mut directory = founded();
    place(&mut directory, "a");
    place(&mut directory, "b");
    claim(&mut directory, "a", &["1", "2"]).unwrap();
    let before = directory.claims.clone();
    let refused = claim(&mut directory, "b", &["2", "3"]).unwrap_err();
    assert_eq!(refused.to_string(), "number 2 belongs to tenant a");
    assert_eq!(directory.claims, before);
    claim(&mut directory, "a", &["1", "4"]).unwrap();
    claim(&mut directory, "b", &["2", "3"]).unwrap();
    assert_eq!(directory.tenant_of("number", "2"), Some("b"));
    assert_eq!(directory.names_of("a"), names(&["1", "4"]).into_iter().collect::<Vec<_>>());
    assert_eq!(claim(&mut directory, "nobody", &[]), Err(Refusal::UnknownTenant("nobody".into())));
}

#[test]
fn only_the_holder_releases_and_a_removed_tenant_holds_nothing() {
    let mut directory = founded();
    place(&mut directory, "a");
    place(&mut directory, "b");
    claim(&mut directory, "a", &["1", "2"]).unwrap();
    apply(&mut directory, Command::Release { tenant: "b".into(), names: names(&["1"]) }).unwrap();
    assert_eq!(directory.tenant_of("number", "1"), Some("a"));
    apply(&mut directory, Command::Release { tenant: "a".into(), names: names(&["1"]) }).unwrap();
    assert_eq!(directory.tenant_of("number", "1"), None);
    apply(&mut directory, Command::RemoveTenant { tenant: "a".into() }).unwrap();
    assert!(directory.claims.is_empty());
}

#[test]
fn an_older_sender_is_refused_and_the_same_may_repeat() {
    let mut directory = founded();
    let mut start =
        |incarnation| apply(&mut directory, Command::StartSender { sender: "edge-1".into(), incarnation });
    assert_eq!(start(5), Ok(Reply::Done));
    assert_eq!(start(5), Ok(Reply::Done));
    assert_eq!(start(4), Err(Refusal::StaleSender { sender: "edge-1".into(), known: 5 }));
    assert_eq!(start(6), Ok(Reply::Done));
    apply(&mut directory, Command::RetireSender { sender: "edge-1".into() }).unwrap();
    assert!(directory.senders.is_empty());
}

#[test]
fn a_plan_may_name_members_only() {
    let mut directory = founded();
    let mut plan = directory.plan.clone();
    plan.groups.get_mut(&2).unwrap().replicas.push(5);
    assert_eq!(apply(&mut directory, Command::SetPlan { plan }), Err(Refusal::BadPlan(5)));
}

#[test]
fn keys_are_never_shown() {
    assert!(!format!("{:?}", founded()).contains("key"));
}
