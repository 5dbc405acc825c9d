//! A media node's sessions go to another process and come from one, with the same ports, while people talk:
//!
//! ```text
//! host                                         next host (Options::joins)
//! share: others may bind the same ports        bind: relays what control wants, beside the host
//! close: sockets closed, plays at their places begin: plays on from there
//! finish: reports and recordings are in        complete: reports, and records on
//! ```

use std::time::Duration;

use mangrove_proto::{handover::Playing, media::Holding};

use crate::{Media, thread::Place};

/// Control may take this long to take the last events.
const REPORTS: Duration = Duration::from_secs(2);

impl Media {
    /// As host: from now on another process may bind the same ports. Whom this node hears it goes on hearing, for the
    /// kernel prefers its connected sockets. What the node carries.
    pub async fn share(&self) -> Vec<Holding> {
        let asked = self.inner.sessions.lock().share();
        for shared in asked {
            // A thread that ended has no ports.
            let _ = shared.await;
        }
        self.inner.sessions.lock().all_holdings()
    }

    /// As host: closes all sockets, within a tick; how far is what was played.
    pub fn close(&self) -> Vec<Playing> {
        let threads = self.inner.sessions.lock().end();
        threads.into_iter().flat_map(|mut thread| thread.end()).map(playing).collect()
    }

    /// As host, when it is closed: returns when control has its reports and the store what was recorded.
    pub async fn finish(&self) {
        self.inner.recorder.suspend().await;
        self.inner.recorder_task.abort();
        self.inner.outbox.finish(REPORTS).await;
        self.inner.outbox.stop();
    }

    /// As next host: the host shares its ports, so all that is known is relayed, and what comes is at once.
    pub fn bind(&self) {
        self.inner.sessions.lock().bind();
    }

    /// As next host: how many of the host's sessions are not relayed here yet.
    pub fn missing(&self, held: &[Holding]) -> usize {
        self.inner.sessions.lock().missing(held)
    }

    /// As next host: the host has closed its sockets. Plays go on from their places; reports and recordings wait.
    pub fn begin(&self, playing: Vec<Playing>) {
        let kept = self.inner.sessions.lock().begin(playing);
        for (group, tenant, set) in kept {
            self.carry_out(group, tenant, set);
        }
    }

    /// As next host: control and the store have all of the host's, and take this node's.
    pub fn complete(&self) {
        self.inner.gate.open();
    }
}

fn playing(place: Place) -> Playing {
    Playing {
        tenant: place.owner.tenant.to_string(),
        session: place.owner.session.to_string(),
        endpoint: place.endpoint.to_string(),
        play: place.play.to_string(),
        frames: place.frames,
    }
}
