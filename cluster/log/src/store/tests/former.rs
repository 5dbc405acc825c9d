//! A folder of a build that kept its logs in a database is taken over, whatever interrupts that.

use fjall::{Database, KeyspaceCreateOptions, PersistMode};

use super::*;

const MARK: &str = "version";

/// As such a build left it: an owner, and a group with entries, a vote and what was purged.
fn write(folder: &Path) {
    let database = Database::builder(folder.join("log")).open().unwrap();
    let keyspace = |name: &str| database.keyspace(name, KeyspaceCreateOptions::default).unwrap();
    keyspace("owner").insert(record::OWNER, record::encode(&OWNER).unwrap()).unwrap();
    let group = keyspace("group-3");
    for index in 5..3000 {
        group.insert(record::entry_key(index), record::encode_entry(&entry(index)).unwrap()).unwrap();
    }
    let position = |index| LogId::new_term_index(1, index);
    group.insert(record::VOTE, record::encode(&Vote::new_committed(1, 1)).unwrap()).unwrap();
    group.insert(record::PURGED, record::encode(&position(4)).unwrap()).unwrap();
    group.insert(record::COMMITTED, record::encode(&Some(position(12))).unwrap()).unwrap();
    database.persist(PersistMode::SyncAll).unwrap();
}

async fn is_there(folder: &Path) {
    let store = Store::open(folder, OWNER).unwrap();
    let mut log = store.group(3).unwrap();
    assert_eq!(indexes(&mut log).await, (5..3000).collect::<Vec<_>>());
    assert_eq!(log.read_vote().await.unwrap(), Some(Vote::new_committed(1, 1)));
    assert_eq!(log.read_committed().await.unwrap(), Some(LogId::new_term_index(1, 12)));
    assert_eq!(log.get_log_state().await.unwrap().last_purged_log_id, Some(LogId::new_term_index(1, 4)));
}

fn names(folder: &Path) -> Vec<String> {
    let names = fs::read_dir(folder.join("log")).unwrap();
    let mut names: Vec<_> = names.map(|file| file.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

#[tokio::test]
async fn entries_votes_and_the_owner_are_found_again() {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path());
    is_there(folder.path()).await;
    let kept = names(folder.path());
    assert!(kept.iter().all(|name| name.ends_with(".segment") || name == "lock" || name == MARK), "{kept:?}");
    is_there(folder.path()).await;
    let other = Owner { incarnation: 7, node: 2 };
    assert!(matches!(Store::open(folder.path(), other).unwrap_err(), Error::Foreign { .. }));
}

#[tokio::test]
async fn what_was_interrupted_begins_anew_and_what_was_done_is_tidied() {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path());
    let log = folder.path().join("log");
    let journal = fs::read(log.join("0.jnl")).unwrap();
    fs::write(log.join("0000000001.segment"), b"of an earlier try").unwrap();
    fs::write(log.join("0000000002.partial"), b"of an earlier try").unwrap();
    is_there(folder.path()).await;
    fs::write(log.join("0.jnl"), journal).unwrap();
    fs::create_dir(log.join("keyspaces")).unwrap();
    is_there(folder.path()).await;
    assert!(!log.join("0.jnl").exists() && !log.join("keyspaces").exists());
}

/// It would begin with nothing, and vote a second time.
#[test]
fn the_builds_before_refuse_the_folder() {
    let folder = tempfile::tempdir().unwrap();
    drop(Store::open(folder.path(), OWNER).unwrap());
    assert!(Database::builder(folder.path().join("log")).open().is_err());
}

#[test]
fn a_database_that_lost_its_mark_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path());
    fs::remove_file(folder.path().join("log").join(MARK)).unwrap();
    assert!(matches!(Store::open(folder.path(), OWNER).unwrap_err(), Error::Corrupt { .. }));
}

#[tokio::test]
async fn a_damaged_journal_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path());
    let path = folder.path().join("log/0.jnl");
    let mut bytes = fs::read(&path).unwrap();
    bytes[1] ^= 4;
    fs::write(&path, bytes).unwrap();
    let error = Store::open(folder.path(), OWNER).unwrap_err();
    assert!(matches!(error, Error::Corrupt { .. }), "{error}");
}
