//! Control nodes that write history to different databases.

use super::*;
use crate::directory::Database;

fn sqlite() -> Database {
    Database::Sqlite { machine: "m".into(), path: "/srv/mangrove.db".into() }
}

fn postgres(host: &str) -> Database {
    Database::Postgres { place: format!("{host}:5432/mangrove") }
}

fn on(folder: &Path, name: &str, database: Database) -> Options {
    Options { database: Some(database), ..options(folder, name) }
}

fn joining(other: &Cluster, options: Options) -> Options {
    Options { join: vec![other.local_addr().unwrap().to_string()], ..options }
}

fn book(group: GroupId) -> Box<dyn StateMachine> {
    Box::new(Book(group, Books::default()))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_newcomer_with_another_database_ends_with_the_reason() {
    let folder = tempfile::tempdir().unwrap();
    let (first, _) = start(on(folder.path(), "a", sqlite())).await;
    let newcomer = |database| joining(&first, on(folder.path(), "b", database));
    let refused = Cluster::start(newcomer(postgres("db")), book).await.unwrap_err();
    let both = "node b writes history to PostgreSQL db:5432/mangrove, node a to SQLite /srv/mangrove.db on m";
    assert!(matches!(&refused, Error::Join(said) if said.contains(both)), "{refused}");
    assert_eq!(first.directory().members.len(), 1);
    // Where history is not written it does not matter.
    let edge = Options { roles: ["edge".into()].into(), ..newcomer(postgres("db")) };
    let (edge, _) = start(edge).await;
    assert_eq!(first.directory().member(edge.node()).map(|edge| edge.database.clone()), Some(None));
    edge.shutdown().await;
    first.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_founder_with_a_new_database_is_joined_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let (first, _) = start(on(folder.path(), "a", sqlite())).await;
    first.shutdown().await;
    drop(first);
    let (first, _) = restart(on(folder.path(), "a", postgres("db"))).await;
    let (second, _) = start(joining(&first, on(folder.path(), "b", postgres("db.example")))).await;
    let known = |id| first.directory().member(id).and_then(|member| member.database.clone());
    assert_eq!((known(1), known(2)), (Some(postgres("db")), Some(postgres("db.example"))));
    assert!(first.alarms().is_empty(), "one PostgreSQL may have two names: {:?}", first.alarms());
    until("b has said all of itself", || {
        first.directory().member(2).is_some_and(|member| member.heartbeat_ms > 0)
    })
    .await;
    // As if it had been started again with another one.
    let again = first.directory().member(2).unwrap().clone();
    let member = Member { database: Some(sqlite()), ..again };
    first.propose_directory(Command::JoinMember { member }).await.unwrap();
    let alarms = first.alarms();
    assert!(alarms.iter().any(|alarm| alarm.contains("node a writes history to PostgreSQL")), "{alarms:?}");
    second.shutdown().await;
    first.shutdown().await;
}
