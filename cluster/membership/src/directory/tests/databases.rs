//! Control members that write history to the same database or to different ones.

use super::*;

fn sqlite(machine: &str) -> Database {
    Database::Sqlite { machine: machine.into(), path: "/srv/mangrove.db".into() }
}

fn postgres(place: &str) -> Database {
    Database::Postgres { place: place.into() }
}

fn on(name: &str, database: Database) -> Member {
    Member { protocol: DATABASES, database: Some(database), ..named(name) }
}

fn join(directory: &mut Directory, member: Member) -> Result<Reply, Refusal> {
    apply(directory, Command::JoinMember { member })
}

/// Founded by `a`.
fn founded_by(member: Member) -> Directory {
    let mut directory = Directory::default();
    apply(&mut directory, Command::Found { founding: founding(), member }).unwrap();
    directory
}

#[test]
fn two_databases_are_one_unless_they_surely_are_not() {
    let elsewhere = Database::Sqlite { machine: "m".into(), path: "/elsewhere/mangrove.db".into() };
    for (one, other, apart) in [
        (sqlite("m"), sqlite("m"), false),
        (sqlite("m"), sqlite("n"), true),
        (sqlite("m"), elsewhere, true),
        (sqlite("m"), postgres("db:5432/mangrove"), true),
        (postgres("db:5432/mangrove"), postgres("db:5432/mangrove"), false),
        (postgres("db:5432/mangrove"), postgres("10.0.0.9:5432/mangrove"), false),
    ] {
        assert_eq!(one.is_apart_from(&other), apart, "{one} and {other}");
        assert_eq!(other.is_apart_from(&one), apart, "{other} and {one}");
    }
}

#[test]
fn a_new_control_node_with_another_database_is_refused_by_both_names() {
    for (first, second) in [
        (sqlite("m"), postgres("db:5432/mangrove")),
        (postgres("db:5432/mangrove"), sqlite("m")),
        (sqlite("m"), sqlite("n")),
    ] {
        let mut directory = founded_by(on("a", first.clone()));
        let before = directory.members.clone();
        let said = join(&mut directory, on("b", second.clone())).unwrap_err().to_string();
        let both = format!("node b writes history to {second}, node a to {first}");
        assert!(said.contains(&both) && said.contains("`database.url`"), "{said}");
        assert_eq!(directory.members, before);
    }
}

#[test]
fn who_has_the_same_database_or_tells_of_none_is_taken_in() {
    let edge = Member { roles: ["edge".into()].into(), ..on("e", sqlite("n")) };
    let silent = Member { database: None, ..on("s", sqlite("n")) };
    for (first, second) in [
        (sqlite("m"), on("b", sqlite("m"))),
        (postgres("db:5432/mangrove"), on("b", postgres("10.0.0.9:5432/mangrove"))),
        (sqlite("m"), edge),
        (postgres("db:5432/mangrove"), silent),
    ] {
        let mut directory = founded_by(on("a", first));
        assert_eq!(join(&mut directory, second.clone()), Ok(Reply::Joined { id: 2 }), "{second:?}");
        assert_eq!(directory.two_histories(directory.member(2).unwrap()), None);
    }
}

#[test]
fn a_name_that_differs_is_told_though_it_may_mean_the_same_database() {
    let mut directory = founded_by(on("a", postgres("db:5432/mangrove")));
    join(&mut directory, on("b", postgres("10.0.0.9:5432/mangrove"))).unwrap();
    join(&mut directory, on("c", postgres("10.0.0.9:5432/mangrove"))).unwrap();
    let second = directory.member(2).unwrap();
    let others: Vec<_> = directory.other_databases(second).map(|(other, _)| other.name.as_str()).collect();
    assert_eq!(others, ["a"]);
}

#[test]
fn who_is_given_up_is_compared_with_nobody() {
    let mut directory = founded_by(on("a", postgres("db:5432/mangrove")));
    let changed = Member { id: 1, boot: 1, ..on("a", sqlite("m")) };
    join(&mut directory, on("b", postgres("db:5432/mangrove"))).unwrap();
    join(&mut directory, changed).unwrap();
    assert!(join(&mut directory, on("c", postgres("db:5432/mangrove"))).is_err());
    let (id, term) = (1, TERM);
    apply(&mut directory, Command::MemberBack { id: 2, term }).unwrap();
    apply(&mut directory, Command::MemberLost { id, term }).unwrap();
    apply(&mut directory, Command::ReplaceMember { id }).unwrap();
    assert_eq!(join(&mut directory, on("c", postgres("db:5432/mangrove"))), Ok(Reply::Joined { id: 3 }));
}

#[test]
fn known_members_change_their_database_one_after_the_other() {
    let mut directory = founded_by(on("a", sqlite("m")));
    join(&mut directory, on("b", sqlite("m"))).unwrap();
    let differ = |directory: &Directory| {
        [1, 2].map(|id| directory.two_histories(directory.member(id).unwrap()).is_some())
    };
    for (id, name, expected) in [(1, "a", [true, true]), (2, "b", [false, false])] {
        let changed = Member { id, boot: 1, ..on(name, postgres("db:5432/mangrove")) };
        assert_eq!(join(&mut directory, changed), Ok(Reply::Joined { id }));
        assert_eq!(differ(&directory), expected, "{name} has changed");
    }
}

/// Replicas of the build before would keep nothing and take everybody in: all must do the same.
#[test]
fn databases_count_once_all_builds_know_of_them() {
    let mut directory = founded_by(Member { protocol: DATABASES - 1, ..on("a", sqlite("m")) });
    join(&mut directory, on("b", postgres("db:5432/mangrove"))).unwrap();
    assert!(directory.members.values().all(|member| member.database.is_none()));
    let again = |id, boot, name: &str, database| Member { id, boot, ..on(name, database) };
    join(&mut directory, again(1, 1, "a", sqlite("m"))).unwrap();
    assert!(directory.all_speak(DATABASES));
    join(&mut directory, again(1, 1, "a", sqlite("m"))).unwrap();
    join(&mut directory, again(2, 0, "b", postgres("db:5432/mangrove"))).unwrap();
    let kept: Vec<_> = directory.members.values().map(|member| member.database.clone()).collect();
    assert_eq!(kept, [Some(sqlite("m")), Some(postgres("db:5432/mangrove"))]);
    assert!(join(&mut directory, on("c", sqlite("m"))).is_err(), "two histories are not made three");
}
