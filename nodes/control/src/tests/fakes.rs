//! An edge and a media node that note what they are told. The media node refuses what is late, as a real one does, and
//! can be told to fail.

use std::collections::BTreeMap;

use async_trait::async_trait;
use mangrove_proto::{
    common::Fence,
    edge::{EdgeCommand, EdgeCommands, EdgeExecuted, edge_command::Op},
    media::{Holding, Holdings, HoldingsRequest, MediaCommand, MediaCommands, MediaExecuted, SetSession},
    service::{Edge, Error, Media},
};
use parking_lot::Mutex;

use crate::machine::Shared;

#[derive(Debug, Default)]
pub(crate) struct FakeEdge {
    heard: Mutex<Vec<(EdgeCommand, u64)>>,
    /// Of the group whose index is noted beside each command.
    pub(crate) group: Mutex<Option<Shared>>,
}

impl FakeEdge {
    /// All commands so far, each with the index that its group had reached.
    pub(crate) fn heard(&self) -> Vec<(EdgeCommand, u64)> {
        self.heard.lock().clone()
    }

    /// The responses with this status, whole.
    pub(crate) fn responses(&self, status: u16) -> Vec<Vec<u8>> {
        let start = format!("SIP/2.0 {status} ").into_bytes();
        let bytes = |command: EdgeCommand| match command.op {
            Some(Op::Response(response)) => Some(response.message.to_vec()),
            _ => None,
        };
        let all = self.heard().into_iter().filter_map(|(command, _)| bytes(command));
        all.filter(|message| message.starts_with(&start)).collect()
    }
}

#[async_trait]
impl Edge for FakeEdge {
    async fn execute(&self, commands: EdgeCommands) -> Result<EdgeExecuted, Error> {
        let index = self.group.lock().as_ref().map_or(0, Shared::index);
        self.heard.lock().extend(commands.commands.into_iter().map(|command| (command, index)));
        Ok(EdgeExecuted::default())
    }
}

/// What the media node does with commands.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum Mood {
    #[default]
    Takes,
    /// As one that can't be reached.
    Fails,
    /// The face that hands a command over falls.
    Panics,
    /// Takes them, but does not say that it holds anything.
    Silent,
}

#[derive(Debug, Default)]
pub(crate) struct FakeMedia {
    inner: Mutex<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    mood: Mood,
    asked: usize,
    asked_what_it_holds: usize,
    heard: Vec<SetSession>,
    late: usize,
    newest: BTreeMap<String, (Fence, String, SetSession)>,
}

impl FakeMedia {
    pub(crate) fn set(&self, mood: Mood) {
        self.inner.lock().mood = mood;
    }

    /// Commands that came, taken or not.
    pub(crate) fn asked(&self) -> usize {
        self.inner.lock().asked
    }

    /// How often somebody asked what it holds.
    pub(crate) fn asked_what_it_holds(&self) -> usize {
        self.inner.lock().asked_what_it_holds
    }

    /// Those that were taken.
    pub(crate) fn heard(&self) -> Vec<SetSession> {
        self.inner.lock().heard.clone()
    }

    /// How many were refused as late.
    pub(crate) fn late(&self) -> usize {
        self.inner.lock().late
    }
}

impl Inner {
    fn take(&mut self, command: MediaCommand) -> Option<u64> {
        let (fence, set) = (command.fence.unwrap(), command.set.unwrap());
        let right = |fence: &Fence| (fence.incarnation, fence.tenant_epoch, fence.term, fence.index);
        let known = self.newest.get(&set.session);
        if known.is_some_and(|(seen, _, last)| right(&fence) < right(seen) || set.version < last.version) {
            self.late += 1;
            return Some(command.effect);
        }
        self.heard.push(set.clone());
        self.newest.insert(set.session.clone(), (fence, command.tenant, set));
        None
    }
}

#[async_trait]
impl Media for FakeMedia {
    async fn execute(&self, commands: MediaCommands) -> Result<MediaExecuted, Error> {
        let mut inner = self.inner.lock();
        inner.asked += 1;
        match inner.mood {
            Mood::Fails => Err(unreachable()),
            Mood::Panics => panic!("the media node's handle breaks"),
            Mood::Takes | Mood::Silent => {
                let refused =
                    commands.commands.into_iter().filter_map(|command| inner.take(command)).collect();
                Ok(MediaExecuted { refused })
            }
        }
    }

    async fn hold(&self, _: HoldingsRequest) -> Result<Holdings, Error> {
        let mut inner = self.inner.lock();
        inner.asked_what_it_holds += 1;
        if inner.mood == Mood::Fails {
            return Err(unreachable());
        }
        let open = inner.newest.values().filter(|(_, _, set)| !set.close && inner.mood != Mood::Silent);
        let holding = |(_, tenant, set): &(Fence, String, SetSession)| Holding {
            tenant: tenant.clone(),
            session: set.session.clone(),
            version: set.version,
        };
        Ok(Holdings { sessions: open.map(holding).collect() })
    }
}

fn unreachable() -> Error {
    Error::Unavailable { what: "media node n".into(), why: "it was told to".into() }
}
