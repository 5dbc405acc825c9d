//! What becomes of a session that its media thread fell over: the thread has closed its sockets, and control, told that it
//! can't be had, asks for what the call can't do without. Its recording stays open meanwhile.

use mangrove_proto::media::{Refused, media_event::Fact};

use super::{Key, Session, Sessions};
use crate::outbox::Owner;

const WHY: &str = "the media thread fell over this session and has dropped it";

impl Session {
    /// Whether nothing is left of it but the recording, which goes on with it or ends with its call.
    pub(super) fn has_fallen(&self) -> bool {
        self.ports.is_empty() && self.recording.is_some()
    }
}

impl Sessions {
    /// The session of this number has no sockets any more.
    pub(crate) fn fell(&mut self, number: u64) {
        let found = self.sessions.iter().find(|(_, session)| session.number == number);
        let Some(key) = found.map(|(key, _)| key.clone()) else { return };
        let Some(mut session) = self.sessions.remove(&key) else { return };
        self.close_ports(&mut session, |_| true);
        // A session that is only prepared was promised to nobody.
        let version = std::mem::take(&mut session.version);
        if version > 0 {
            let refused = Refused { version, why: WHY.to_owned() };
            self.outbox.post(&owner_of(&key, &session), Fact::Refused(refused));
        }
        self.sessions.insert(key, session);
    }
}

fn owner_of((tenant, session): &Key, held: &Session) -> Owner {
    Owner { group: held.group, tenant: tenant.as_str().into(), session: session.as_str().into() }
}
