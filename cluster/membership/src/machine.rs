//! The directory under Raft: commands and answers as bytes, and every new state shown to the node.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use mangrove_raft::{SnapshotError, SnapshotWriter, StateMachine};
use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::sync::watch;

use crate::directory::{Command, Directory, Refusal, Reply};
use crate::error::Error;

// Before each command, answer and snapshot, so that a later build can read an earlier one's.
const VERSION: u8 = 1;

/// A command's position and its outcome.
pub(crate) type Answer = (u64, Result<Reply, Refusal>);

/// The newest directory that this node knows, whoever told it: its own replica of group 0, or another member.
#[derive(Debug, Clone)]
pub(crate) struct Known(watch::Sender<Arc<Directory>>);

impl Known {
    pub(crate) fn new() -> Self {
        Self(watch::channel(Arc::default()).0)
    }

    pub(crate) fn watch(&self) -> watch::Receiver<Arc<Directory>> {
        self.0.subscribe()
    }

    /// Takes it unless a newer one is known: a replica that is replayed or lags behind shows nothing old.
    pub(crate) fn show(&self, directory: &Directory) {
        self.0.send_if_modified(|known| {
            let newer = directory.version > known.version;
            if newer {
                *known = Arc::new(directory.clone());
            }
            newer
        });
    }
}

/// Group 0's state machine.
#[derive(Debug)]
pub(crate) struct DirectoryMachine {
    directory: Directory,
    copy: Known,
}

impl DirectoryMachine {
    pub(crate) fn new(copy: Known) -> Self {
        Self { directory: Directory::default(), copy }
    }
}

impl StateMachine for DirectoryMachine {
    fn apply(&mut self, index: u64, term: u64, payload: &[u8]) -> Vec<u8> {
        let outcome = match decode::<Command>(payload) {
            Ok(command) => whole(&mut self.directory, index, |next| next.apply(index, term, command)),
            Err(error) => Err(Refusal::Unreadable(error.to_string())),
        };
        self.copy.show(&self.directory);
        encode::<Answer>(&(index, outcome))
    }

    fn leader_blank(&mut self, _index: u64, _term: u64) {}

    fn snapshot(&self) -> SnapshotWriter {
        let directory = self.directory.clone();
        Box::new(move || Ok(encode(&directory)))
    }

    fn restore(&mut self, bytes: &[u8]) -> Result<(), SnapshotError> {
        self.directory = decode(bytes).map_err(SnapshotError::new)?;
        self.copy.show(&self.directory);
        Ok(())
    }
}

/// Changes the directory, or leaves it but for its version if the rules panic: they do so on every replica alike, at each
/// replay, and must not end group 0 everywhere.
fn whole(
    directory: &mut Directory,
    index: u64,
    change: impl FnOnce(&mut Directory) -> Result<Reply, Refusal>,
) -> Result<Reply, Refusal> {
    let mut next = directory.clone();
    match catch_unwind(AssertUnwindSafe(|| change(&mut next))) {
        Ok(outcome) => {
            *directory = next;
            outcome
        }
        Err(_) => {
            tracing::error!(index, "a command of the directory panicked and was dropped");
            directory.version = index;
            Err(Refusal::Panicked { index })
        }
    }
}

pub(crate) fn encode<T: Serialize>(value: &T) -> Vec<u8> {
    let mut bytes = vec![VERSION];
    rmp_serde::encode::write_named(&mut bytes, value).expect("plain data is always written to memory");
    bytes
}

pub(crate) fn decode<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Error> {
    let malformed = |reason: String| Error::Malformed(reason);
    match bytes.split_first() {
        Some((&VERSION, body)) => rmp_serde::from_slice(body).map_err(|error| malformed(error.to_string())),
        Some((version, _)) => Err(malformed(format!("version {version} is unknown to this build"))),
        None => Err(malformed("it is empty".into())),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::directory::{Founding, Member, Name};

    fn founder() -> Member {
        Member { name: "a".into(), roles: [Member::CONTROL.into()].into(), ..Member::default() }
    }

    #[test]
    fn a_snapshot_restores_the_directory() {
        let copy = Known::new();
        let (mut machine, watched) = (DirectoryMachine::new(copy.clone()), copy.watch());
        let founding = Founding { incarnation: 7, shard_groups: 3, nonce_key: [1; 32], token_key: [2; 32] };
        let commands = [
            Command::Found { founding, member: founder() },
            Command::PlaceTenant { tenant: "acme".into() },
            Command::Claim { tenant: "acme".into(), names: [Name::new("number", "1")].into() },
        ];
        for (index, command) in (1..).zip(commands) {
            let (position, outcome) = decode::<Answer>(&machine.apply(index, 1, &encode(&command))).unwrap();
            assert!(position == index && outcome.is_ok());
        }
        assert_eq!(watched.borrow().tenant_of("number", "1"), Some("acme"));
        let other = Known::new();
        let mut restored = DirectoryMachine::new(other.clone());
        restored.restore(&machine.snapshot()().unwrap()).unwrap();
        assert_eq!(**other.watch().borrow(), machine.directory);
    }

    #[test]
    fn a_replica_that_lags_shows_nothing_old() {
        let copy = Known::new();
        let mut newer = Directory::default();
        (newer.version, newer.minimum) = (9, 3);
        copy.show(&newer);
        DirectoryMachine::new(copy.clone()).apply(
            4,
            1,
            &encode(&Command::RetireSender { sender: "a".into() }),
        );
        assert_eq!(**copy.watch().borrow(), newer);
    }

    #[test]
    fn a_command_that_panics_leaves_the_directory_as_it_was() {
        let mut directory = Directory::default();
        (directory.version, directory.minimum) = (4, 3);
        let before = directory.clone();
        let outcome = whole(&mut directory, 5, |next| {
            next.minimum = 9;
            panic!("poison")
        });
        assert_eq!(outcome, Err(Refusal::Panicked { index: 5 }));
        assert_eq!(directory, Directory { version: 5, ..before });
        let outcome = whole(&mut directory, 6, |next| {
            next.version = 6;
            Ok(Reply::Done)
        });
        assert_eq!((outcome, directory.version), (Ok(Reply::Done), 6));
    }

    #[test]
    fn an_unreadable_command_is_refused_and_changes_nothing() {
        let copy = Known::new();
        let (mut machine, watched) = (DirectoryMachine::new(copy.clone()), copy.watch());
        for payload in [&b""[..], &[9, 1], &[VERSION, 0xc1]] {
            let (_, outcome) = decode::<Answer>(&machine.apply(1, 1, payload)).unwrap();
            assert!(matches!(outcome, Err(Refusal::Unreadable(_))));
        }
        assert_eq!(**watched.borrow(), Directory::default());
    }
}
