//! Tenants that move: what is refused, and that they are in one of two homes at any time.

use super::*;

/// Three groups that have begun, of a cluster whose members speak what moves need; acme is in group 1.
fn with_acme() -> (Directory, Home) {
    let mut directory = Directory::default();
    let member = Member { protocol: 2, ..named("a") };
    apply(&mut directory, Command::Found { founding: founding(), member }).unwrap();
    apply(&mut directory, Command::OpenGroups { groups: [1, 2].into() }).unwrap();
    let home = place(&mut directory, "acme");
    assert_eq!(home.group, 1);
    (directory, home)
}

fn begin(directory: &mut Directory, tenant: &str, to: GroupId) -> Result<Reply, Refusal> {
    apply(directory, Command::MoveTenant { tenant: tenant.into(), to })
}

fn begun(directory: &mut Directory, to: GroupId) -> u64 {
    match begin(directory, "acme", to) {
        Ok(Reply::Moving { epoch }) => epoch,
        other => panic!("{other:?}"),
    }
}

fn flip(directory: &mut Directory, epoch: u64) -> Result<Reply, Refusal> {
    apply(directory, Command::FlipTenant { tenant: "acme".into(), epoch })
}

fn give_up(directory: &mut Directory, epoch: u64) -> Result<Reply, Refusal> {
    apply(directory, Command::GiveUpMove { tenant: "acme".into(), epoch, why: "no leader".into() })
}

fn end(directory: &mut Directory, epoch: u64) -> Result<Reply, Refusal> {
    apply(directory, Command::EndMove { tenant: "acme".into(), epoch })
}

#[test]
fn what_can_not_be_moved_stays_as_it_is() {
    let (mut directory, home) = with_acme();
    let before = directory.clone();
    let unknown = |group| Refusal::UnknownGroup { group, groups: 3 };
    let table = [
        ("nobody", 2, Refusal::UnknownTenant("nobody".into())),
        ("acme", 0, unknown(0)),
        ("acme", 4, unknown(4)),
        ("acme", 3, unknown(3)),
        ("acme", 1, Refusal::AtHome { tenant: "acme".into(), group: 1 }),
    ];
    for (tenant, to, refusal) in table {
        assert_eq!(begin(&mut directory, tenant, to), Err(refusal), "{tenant} to {to}");
    }
    assert_eq!((directory.home("acme"), &directory.moves), (Some(home), &before.moves));
}

#[test]
fn a_tenant_moves_once_at_a_time_and_is_not_removed_meanwhile() {
    let (mut directory, _) = with_acme();
    begun(&mut directory, 2);
    let refused = begin(&mut directory, "acme", 2).unwrap_err();
    assert_eq!(refused, Refusal::UnderWay { tenant: "acme".into(), from: 1, to: 2 });
    let removed = apply(&mut directory, Command::RemoveTenant { tenant: "acme".into() });
    assert_eq!(removed, Err(refused));
}

#[test]
fn a_group_with_a_replica_on_a_draining_node_takes_nobody() {
    let (mut directory, home) = with_acme();
    let second = Member { protocol: 2, ..named("b") };
    apply(&mut directory, Command::JoinMember { member: second }).unwrap();
    apply(&mut directory, Command::MemberBack { id: 2, term: TERM }).unwrap();
    apply(&mut directory, Command::DrainMember { id: 1, draining: true }).unwrap();
    let refused = begin(&mut directory, "acme", 2).unwrap_err();
    assert_eq!(refused, Refusal::GroupDrained { group: 2, name: "a".into() });
    assert_eq!(directory.home("acme"), Some(home));
    apply(&mut directory, Command::DrainMember { id: 1, draining: false }).unwrap();
    begun(&mut directory, 2);
}

#[test]
fn builds_that_know_no_moves_hold_them_up() {
    let mut directory = founded();
    apply(&mut directory, Command::OpenGroups { groups: [1, 2].into() }).unwrap();
    place(&mut directory, "acme");
    assert_eq!(begin(&mut directory, "acme", 2), Err(Refusal::MovesNeed { oldest: 0, needed: 2 }));
}

#[test]
fn the_home_changes_at_the_flip_and_there_only() {
    let (mut directory, home) = with_acme();
    let epoch = begun(&mut directory, 2);
    assert!(epoch > home.epoch);
    assert_eq!(directory.home("acme"), Some(home));
    assert!(end(&mut directory, epoch).is_err(), "it has not come about");
    for _ in 0..2 {
        flip(&mut directory, epoch).unwrap();
        assert_eq!(directory.home("acme"), Some(Home { group: 2, epoch }));
    }
    let late = give_up(&mut directory, epoch);
    assert_eq!(late, Err(Refusal::Flipped { tenant: "acme".into() }));
    for _ in 0..2 {
        end(&mut directory, epoch).unwrap();
        assert_eq!(directory.move_of("acme"), None);
    }
    assert!(flip(&mut directory, epoch).is_err());
    begun(&mut directory, 1);
}

#[test]
fn a_move_that_was_given_up_is_never_made_and_says_why() {
    let (mut directory, home) = with_acme();
    let epoch = begun(&mut directory, 2);
    give_up(&mut directory, epoch).unwrap();
    assert!(flip(&mut directory, epoch).is_err());
    assert!(begin(&mut directory, "acme", 2).is_err(), "the new home still has a copy");
    for _ in 0..2 {
        end(&mut directory, epoch).unwrap();
    }
    let failed = Stage::Failed { why: "no leader".into() };
    assert_eq!(directory.move_of("acme").map(|last| &last.stage), Some(&failed));
    assert_eq!(directory.home("acme"), Some(home));
    let again = begun(&mut directory, 2);
    assert!(again > epoch && flip(&mut directory, epoch).is_err(), "the earlier one's word is late");
    flip(&mut directory, again).unwrap();
}
