//! Tenants that come, go, and come back; and what history has of them.

use mangrove_domain::{Author, Command};
use mangrove_history::{AuditFilter, Page};
use mangrove_proto::service::{Console, Error};

use super::house::{ACME, House, until};

#[tokio::test(flavor = "multi_thread")]
async fn a_tenant_that_was_half_deleted_can_be_deleted_again() {
    let folder = tempfile::tempdir().unwrap();
    let house = House::with_companies(folder.path()).await;
    // The process was killed between the group's part and the directory's.
    let remove = Command::RemoveTenant { tenant: "acme".into(), author: Author::default() };
    house.group(1).proposer.propose(remove).await.unwrap();
    assert!(house.control.cluster().directory().home("acme").is_some());
    house.delete("acme").await.unwrap();
    let directory = house.control.cluster().directory();
    assert_eq!((directory.home("acme"), directory.tenant_of("number", ACME)), (None, None));
    assert!(matches!(house.delete("acme").await, Err(Error::NotFound { .. })));
    house.configure("acme", ACME).await;
    house.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_forgotten_calls_story_is_in_the_database_whole_and_in_memory_no_more() {
    let folder = tempfile::tempdir().unwrap();
    let house = House::with_companies(folder.path()).await;
    house.call_in(1).await;
    let state = house.group(1).shared.get().state;
    let call = state.tenant(&"acme".into()).unwrap().calls().next().unwrap().id;
    let known = || house.control.stories().of(&"acme".into(), call);
    until("the story begins", || !known().is_empty()).await;
    // Ends the call and forgets it at once.
    house.delete("acme").await.unwrap();
    until("it left memory", || known().is_empty()).await;
    let story = house.history.story(&"acme".into(), call).await.unwrap().expect("a story");
    let record = house.history.cdr(&"acme".into(), call).await.unwrap().expect("a record");
    let told: Vec<_> = story.iter().map(|entry| format!("{} {}", entry.title, entry.detail)).collect();
    assert!(told.iter().any(|line| line.contains(&record.cause)), "{} is not in {told:#?}", record.cause);
    assert!(told[0].starts_with("INVITE"), "{told:#?}");
    house.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_audit_line_names_the_founding_of_its_cluster() {
    let folder = tempfile::tempdir().unwrap();
    let house = House::with_companies(folder.path()).await;
    let page = || house.history.audit_lines();
    let mut lines = page().await;
    while lines.is_empty() {
        tokio::task::yield_now().await;
        lines = page().await;
    }
    let incarnation = format!("/{:016x}/", house.control.cluster().incarnation());
    assert!(lines.iter().all(|line| line.key.contains(&incarnation)), "{lines:#?}");
    house.close().await;
}

trait AuditLines {
    async fn audit_lines(&self) -> Vec<mangrove_history::Audit>;
}

impl AuditLines for mangrove_history::History {
    async fn audit_lines(&self) -> Vec<mangrove_history::Audit> {
        self.audit(&"acme".into(), &AuditFilter::default(), &Page::default()).await.unwrap().items
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deletion_waits_for_a_change_under_way() {
    let folder = tempfile::tempdir().unwrap();
    let house = House::with_companies(folder.path()).await;
    let changing = house.control.configuring().lock().await;
    let control = house.control.clone();
    let request = mangrove_proto::control::DeleteRequest { tenant: "acme".into(), ..Default::default() };
    let deletion = tokio::spawn(async move { control.delete(request).await });
    // A round trip through the same group: the deletion had the time of a commit.
    house.call_in(1).await;
    assert!(!deletion.is_finished());
    assert!(house.group(1).shared.get().state.tenant(&"acme".into()).is_some());
    drop(changing);
    deletion.await.unwrap().unwrap();
    house.close().await;
}
