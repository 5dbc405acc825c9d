//! From the wanted state of a session to endpoints, ears and taps. What is as wanted already goes on untouched. And what
//! another process must know to go on in this one's place.

use std::{collections::BTreeMap, sync::Arc};

use mangrove_proto::media::{RecordingPaused, media_event::Fact};
use mangrove_rtp::{align::Side, prompt::Playout};

use super::{
    command::{EndpointPlan, HearsPlan, Paused, Place, Plan, RecordingPlan},
    conference::Seat,
    echo::Echo,
    endpoint::{Endpoint, Hears},
    hall::Hall,
    worker::Worker,
};
use crate::outbox::Owner;

/// A session's endpoints by id.
#[derive(Debug)]
pub(super) struct Session {
    owner: Owner,
    endpoints: BTreeMap<Arc<str>, usize>,
    pub(super) recording: Option<RecordingPlan>,
    /// Where somebody hears, or is recorded, as one of several.
    pub(super) hall: Option<Box<Hall>>,
}

impl Session {
    fn new(owner: Owner) -> Self {
        Self { owner, endpoints: BTreeMap::new(), recording: None, hall: None }
    }

    /// What is left of a session without its endpoints.
    pub(super) fn rest(plan: &Plan) -> Self {
        // Whether it is paused is not known: whatever the next plan says is carried out. Pauses count from one.
        let unknown = Paused { recording: String::new(), number: 0 };
        let recording =
            plan.recording.clone().map(|recording| RecordingPlan { pause: Some(unknown), ..recording });
        Self { recording, ..Self::new(plan.owner.clone()) }
    }

    pub(super) fn has(&self, index: usize) -> bool {
        self.indices().any(|one| one == index)
    }

    pub(super) fn indices(&self) -> impl Iterator<Item = usize> {
        self.endpoints.values().copied()
    }

    /// The endpoints of these ids that are there, in order, each once and one left out.
    pub(super) fn find<'a>(&self, ids: impl Iterator<Item = &'a str>, but: Option<usize>) -> Vec<usize> {
        let there = ids.filter_map(|id| self.endpoints.get(id).copied());
        let mut found: Vec<usize> = there.filter(|index| Some(*index) != but).collect();
        found.sort_unstable();
        found.dedup();
        found
    }

    pub(super) fn lose_endpoints(&mut self) {
        self.endpoints.clear();
        self.hall = None;
    }
}

impl Worker {
    /// Makes the session what is wanted.
    pub(super) fn set(&mut self, mut plan: Plan) {
        let known = self.sessions.remove(&plan.number);
        let mut session = known.unwrap_or_else(|| Session::new(plan.owner.clone()));
        session.owner = plan.owner.clone();
        let gone: Vec<Arc<str>> = session
            .endpoints
            .keys()
            // One with other sockets begins anew.
            .filter(|id| plan.endpoints.iter().all(|e| e.id != **id || e.sockets.is_some()))
            .cloned()
            .collect();
        for id in gone {
            if let Some(index) = session.endpoints.remove(&id) {
                self.stand_up(index, true);
                self.remove(index);
                session.hall.iter_mut().for_each(|hall| hall.forget(index));
            }
        }
        for endpoint in &mut plan.endpoints {
            endpoint.come_quietly();
            self.set_endpoint(&mut session, endpoint);
        }
        for endpoint in plan.endpoints {
            self.set_seat(&session, &endpoint, plan.conference);
            self.set_hearing(&session, endpoint);
        }
        self.set_listeners(&session);
        self.set_recording(&mut session, plan.recording);
        self.set_hall(&mut session, plan.number);
        session.indices().for_each(|index| self.drop_idle_codecs(index));
        self.sessions.insert(plan.number, session);
    }

    /// Lets another process bind all ports.
    pub(super) fn share(&mut self) {
        #[cfg(test)]
        super::tests::collapse(self);
        for index in 0..self.endpoints.end() {
            let now_us = self.now_us;
            let Some(endpoint) = self.endpoints.get_mut(index) else { continue };
            if let Err(error) = endpoint.share(now_us) {
                tracing::warn!(endpoint = %endpoint.id, %error, "an endpoint's ports can't be shared");
            }
        }
    }

    /// How far the plays are that have not ended.
    pub(super) fn places(&mut self) -> Vec<Place> {
        let numbers = 0..self.endpoints.end();
        let place = |index| match self.endpoints.get_mut(index) {
            Some(Endpoint {
                owner, id, hears: Hears::Play { id: play, playout: Some(playout), .. }, ..
            }) => {
                let (owner, endpoint, play) = (owner.clone(), id.clone(), play.clone());
                Some(Place { owner, endpoint, play, frames: playout.place() })
            }
            _ => None,
        };
        numbers.filter_map(place).collect()
    }

    /// Ends the session, here or altogether.
    pub(super) fn close(&mut self, number: u64, goes_on: bool) {
        let Some(mut session) = self.sessions.remove(&number) else { return };
        if goes_on && let Some(recording) = session.recording.take() {
            self.tap.leave(recording.number, self.now_us);
        }
        self.set_recording(&mut session, None);
        for index in session.endpoints.into_values() {
            self.stand_up(index, !goes_on);
            self.remove(index);
        }
    }

    /// Closes an endpoint of which nothing is worth telling.
    pub(super) fn drop_endpoint(&mut self, index: usize) {
        self.stand_up(index, false);
        self.set_player(index, false);
        self.endpoints.remove(index);
    }

    fn remove(&mut self, index: usize) {
        self.set_player(index, false);
        if let Some(mut endpoint) = self.endpoints.remove(index) {
            if endpoint.digits.restart().is_some() {
                tracing::debug!(endpoint = %endpoint.id, "a key was pressed when the endpoint closed");
            }
            self.surroundings.outbox.post(&endpoint.owner, endpoint.counters());
        }
    }

    fn set_endpoint(&mut self, session: &mut Session, plan: &mut EndpointPlan) {
        let index = match (session.endpoints.get(&plan.id), plan.sockets.take()) {
            (Some(index), _) => *index,
            (None, Some(sockets)) => {
                let index = self.endpoints.next();
                if let Err(error) = self.watch(index, &sockets) {
                    tracing::error!(%error, endpoint = %plan.id, "an endpoint's sockets can't be watched");
                }
                self.endpoints.insert(Endpoint::new(session.owner.clone(), plan.id.clone(), sockets));
                session.endpoints.insert(plan.id.clone(), index);
                index
            }
            (None, None) => return,
        };
        if let Some(endpoint) = self.endpoints.get_mut(index) {
            endpoint.owner = session.owner.clone();
            endpoint.set(plan, self.now_us);
        }
    }

    fn set_hearing(&mut self, session: &Session, plan: EndpointPlan) {
        let Some(&index) = session.endpoints.get(&plan.id) else { return };
        let Some(endpoint) = self.endpoints.get_mut(index) else { return };
        let before = endpoint.hears.peer();
        endpoint.hears = match plan.hears {
            HearsPlan::Silence => Hears::Silence,
            HearsPlan::Peer(peer) => {
                session.endpoints.get(&peer).map_or(Hears::Silence, |peer| Hears::Peer(*peer))
            }
            HearsPlan::Mix(ids) => {
                let heard = session.find(ids.iter().map(Arc::as_ref), Some(index));
                let first = !matches!(endpoint.hears, Hears::Mix { first: false, .. });
                Hears::Mix { heard, first }
            }
            HearsPlan::Echo { delay_us } => match std::mem::replace(&mut endpoint.hears, Hears::Silence) {
                Hears::Echo(echo) if echo.delay_us() == delay_us => Hears::Echo(echo),
                _ => Hears::Echo(Box::new(Echo::new(delay_us))),
            },
            HearsPlan::Conference { .. } => {
                Hears::Conference { first: !matches!(endpoint.hears, Hears::Conference { first: false }) }
            }
            HearsPlan::Play { id, prompts, repeat, place } => {
                match std::mem::replace(&mut endpoint.hears, Hears::Silence) {
                    Hears::Play { id: running, playout, first } if running == id => {
                        Hears::Play { id, playout, first }
                    }
                    _ => {
                        let mut playout = Playout::new(prompts, repeat);
                        playout.go_to(place);
                        Hears::Play { id, playout: Some(playout), first: true }
                    }
                }
            }
        };
        // What its peer says meanwhile is not passed on: its numbers must not jump when it hears the peer again.
        if !matches!(endpoint.hears, Hears::Peer(_) | Hears::Echo(_)) {
            endpoint.outgoing.pause();
        }
        if matches!(endpoint.hears, Hears::Echo(_)) && !self.echoing.contains(&index) {
            self.echoing.push(index);
        }
        if endpoint.hears.peer() != before {
            endpoint.voice = None;
        }
        endpoint.ready_announcer();
        let plays = matches!(endpoint.hears, Hears::Play { playout: Some(_), .. });
        self.set_player(index, plays);
    }

    /// Gives an endpoint its place in the session's conference, or takes it away.
    fn set_seat(&mut self, session: &Session, plan: &EndpointPlan, conference: Option<u64>) {
        let Some(&index) = session.endpoints.get(&plan.id) else { return };
        let wanted = match (&plan.hears, conference) {
            (HearsPlan::Conference { is_muted, chimes }, Some(number)) => {
                Some(Seat { conference: number, is_muted: *is_muted, chimes: *chimes })
            }
            _ => None,
        };
        match wanted {
            Some(seat) => self.sit_down(index, seat),
            None => self.stand_up(index, true),
        }
    }

    /// Turns "who is heard" round to "who hears".
    fn set_listeners(&mut self, session: &Session) {
        for index in session.endpoints.values() {
            if let Some(endpoint) = self.endpoints.get_mut(*index) {
                endpoint.listeners.clear();
            }
        }
        for listener in session.endpoints.values() {
            if let Some(&mut Endpoint { hears: Hears::Peer(peer), .. }) = self.endpoints.get_mut(*listener)
                && let Some(heard) = self.endpoints.get_mut(peer)
            {
                heard.listeners.push(*listener);
            }
        }
    }

    /// Moves the taps; a recording that is not wanted any more is finished.
    fn set_recording(&mut self, session: &mut Session, wanted: Option<RecordingPlan>) {
        let former = std::mem::replace(&mut session.recording, wanted);
        let is_paused = session.recording.as_ref().is_some_and(|recording| recording.pause.is_some());
        let now_us = self.now_us;
        for (id, index) in &session.endpoints {
            if let Some(endpoint) = self.endpoints.get_mut(*index) {
                let is_private = is_paused || endpoint.secret;
                if endpoint.is_private && !is_private {
                    endpoint.hush.end(now_us);
                }
                let tapped = session.recording.as_ref().filter(|_| !is_paused);
                endpoint.tap = tapped.and_then(|r| r.alone_on(id));
                endpoint.is_private = is_private;
            }
        }
        let former_pause = former.as_ref().and_then(|former| former.pause.clone());
        if let Some(former) = former
            && session.recording.as_ref().is_none_or(|r| r.number != former.number)
        {
            self.tap.finish(former.number, self.now_us);
        }
        self.set_pause(session, former_pause.as_ref());
    }

    /// Says that a recording is paused once nothing of it is taken any more, by whoever asked and for whichever pause.
    fn set_pause(&mut self, session: &Session, former: Option<&Paused>) {
        let Some(recording) = &session.recording else { return };
        match &recording.pause {
            Some(pause) if former != Some(pause) => {
                self.tap.pause(recording.number, self.now_us);
                let paused = RecordingPaused { recording: pause.recording.clone(), pause: pause.number };
                self.surroundings.outbox.post(&session.owner, Fact::RecordingPaused(paused));
            }
            None if former.is_some() => self.tap.resume(recording.number, self.now_us),
            _ => {}
        }
    }
}

impl RecordingPlan {
    /// The recording and the side on which it hears this endpoint and no other.
    fn alone_on(&self, endpoint: &str) -> Option<(u64, Side)> {
        let side = match endpoint {
            _ if endpoint == self.left => Side::Left,
            _ if endpoint == self.right => Side::Right,
            _ => return None,
        };
        self.others(side).is_empty().then_some((self.number, side))
    }

    fn others(&self, side: Side) -> &[String] {
        match side {
            Side::Left => &self.left_too,
            Side::Right => &self.right_too,
        }
    }

    /// Ids of those who are added up on this side; none where it is one alone.
    pub(super) fn added_up(&self, side: Side) -> impl Iterator<Item = &str> {
        let first = if side == Side::Left { &self.left } else { &self.right };
        let others = self.others(side);
        let first = (!others.is_empty()).then_some(first);
        first.into_iter().chain(others).map(String::as_str)
    }
}
