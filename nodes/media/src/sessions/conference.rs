//! Conferences: all sessions of one are carried by one thread, where their people hear each other.

use std::collections::BTreeSet;

use mangrove_proto::media::SetSession;

use super::{Key, Session, Sessions};

/// One of which a session is here.
#[derive(Debug)]
pub(super) struct Conference {
    /// Within this process.
    number: u64,
    thread: usize,
    /// How many sessions are of it.
    sessions: usize,
}

fn key(tenant: &str, name: &str) -> Key {
    (tenant.to_owned(), name.to_owned())
}

impl Sessions {
    /// Where the conference is carried, if it is.
    pub(super) fn thread_of(&self, tenant: &str, name: &str) -> Option<usize> {
        self.conferences.get(&key(tenant, name)).map(|conference| conference.thread)
    }

    /// The number of the session's conference.
    pub(super) fn conference_of(&self, tenant: &str, session: &Session) -> Option<u64> {
        let name = session.conference.as_deref()?;
        self.conferences.get(&key(tenant, name)).map(|conference| conference.number)
    }

    /// A session that comes to name a conference which another thread carries is opened there anew, with other ports. The
    /// recordings that it knows are known there, too.
    pub(super) fn go_to_conference(&mut self, session: &Key, set: &SetSession) -> BTreeSet<String> {
        let there = self.thread_of(&session.0, &set.conference);
        let is_elsewhere = |held: &&Session| there.is_some_and(|there| held.thread != there);
        let known = self.sessions.get(session).filter(is_elsewhere).map(|held| held.known.clone());
        if known.is_some() {
            self.end_session(session, false);
        }
        known.unwrap_or_default()
    }

    /// The session is of the conference of this name from now on; of none where that is empty. True if it was of another,
    /// or of none, and is of one now.
    pub(super) fn join_conference(&mut self, tenant: &str, session: &mut Session, name: &str) -> bool {
        if session.conference.as_deref().unwrap_or_default() == name {
            return false;
        }
        self.leave_conference(tenant, session);
        if name.is_empty() {
            return false;
        }
        session.conference = Some(name.to_owned());
        let (thread, number) = (session.thread, self.last_number + 1);
        let known = self.conferences.entry(key(tenant, name));
        let known = known.or_insert(Conference { number, thread, sessions: 0 });
        known.sessions += 1;
        // Given out, if it is a new one; a number that is left out hurts nobody.
        self.last_number = number;
        true
    }

    /// The session is of no conference any more.
    pub(super) fn leave_conference(&mut self, tenant: &str, session: &mut Session) {
        let Some(name) = session.conference.take() else { return };
        let key = key(tenant, &name);
        let Some(conference) = self.conferences.get_mut(&key) else { return };
        conference.sessions = conference.sessions.saturating_sub(1);
        if conference.sessions == 0 {
            self.conferences.remove(&key);
        }
    }
}
