//! What stands between an endpoint's sockets and everything else where its packets are SRTP: nothing goes out that is not
//! sealed, nothing comes in that is not opened. Where there is no guard, packets go by as they are.

use std::fmt;

use bytes::Bytes;
use mangrove_rtp::srtp::{MOST_ADDED, Receiver, Sender, Suite};

use super::worker::DATAGRAM;

/// An endpoint's keys, each of the suite's length.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Keys {
    pub(crate) suite: Suite,
    pub(crate) ours: Bytes,
    /// None until the far end has said it: nothing is heard before.
    pub(crate) theirs: Option<Bytes>,
}

impl fmt::Debug for Keys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Keys").field("suite", &self.suite).finish_non_exhaustive()
    }
}

/// One endpoint's.
#[derive(Debug)]
pub(super) struct Guard {
    keys: Keys,
    sender: Option<Sender>,
    receiver: Option<Receiver>,
    /// What goes out is sealed here: others hear the same packet, each under a key of their own.
    sealed: Vec<u8>,
}

impl Guard {
    pub(super) fn new(keys: &Keys) -> Self {
        let Keys { suite, ours, theirs } = keys;
        Self {
            sender: Sender::new(*suite, ours),
            receiver: theirs.as_ref().and_then(|theirs| Receiver::new(*suite, theirs)),
            sealed: Vec::with_capacity(DATAGRAM + MOST_ADDED),
            keys: keys.clone(),
        }
    }

    /// Takes other keys. A direction whose key is the same goes on where it is.
    pub(super) fn set(&mut self, keys: &Keys) {
        if *keys == self.keys {
            return;
        }
        let is_same = keys.suite == self.keys.suite;
        let mut new = Self::new(keys);
        if is_same && keys.ours == self.keys.ours {
            new.sender = self.sender.take();
        }
        if is_same && keys.theirs == self.keys.theirs {
            new.receiver = self.receiver.take();
        }
        *self = new;
    }

    /// Whether the far end begins anew with these keys: what it knows of our stream is gone (RFC 4568 section 7.1.4).
    pub(super) fn is_over_for(&self, keys: &Keys) -> bool {
        self.keys.theirs.is_some() && self.keys.theirs != keys.theirs
    }

    /// A packet as it may go out; none that would be the second under its number.
    pub(super) fn seal(&mut self, packet: &[u8]) -> Option<&[u8]> {
        self.sealed.clear();
        self.sealed.extend_from_slice(packet);
        self.sender.as_mut()?.protect(&mut self.sealed).then_some(self.sealed.as_slice())
    }

    /// Bytes of the plain packet, at the front of what came in; none: it is not the far end's, or came before.
    pub(super) fn open(&mut self, packet: &mut [u8]) -> Option<usize> {
        self.receiver.as_mut()?.unprotect(packet)
    }

    /// The same for a compound, where it lies.
    pub(super) fn seal_rtcp(&mut self, compound: &mut Vec<u8>) -> bool {
        self.sender.as_mut().is_some_and(|sender| sender.protect_rtcp(compound))
    }

    /// As `open`.
    pub(super) fn open_rtcp(&mut self, compound: &mut [u8]) -> Option<usize> {
        self.receiver.as_mut()?.unprotect_rtcp(compound)
    }
}
