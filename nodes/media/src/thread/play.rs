//! Prompts and music: once in 20 ms each player gets the next frame of its shared prompt.

use mangrove_proto::media::{self, media_event::Fact};
use mangrove_rtp::{FRAME, g711::Law, header};

use super::{
    endpoint::Hears,
    worker::{PHASES, Worker},
};

impl Worker {
    /// Sends a frame to each player of the phase.
    pub(super) fn play(&mut self, phase: usize) {
        let mut players = std::mem::take(&mut self.players[phase]);
        players.retain(|index| self.with(*index, |worker| worker.play_frame(*index)).unwrap_or(false));
        self.players[phase] = players;
    }

    /// Makes the endpoint a player, or none.
    pub(super) fn set_player(&mut self, index: usize, plays: bool) {
        let players = &mut self.players[index % PHASES];
        match players.iter().position(|player| *player == index) {
            Some(place) if !plays => drop(players.swap_remove(place)),
            None if plays => players.push(index),
            _ => {}
        }
    }

    /// False when all was played. One that can't hear yet (no codec or address) waits at its beginning; one that
    /// may not hear now (hold) misses what is played meanwhile.
    fn play_frame(&mut self, index: usize) -> bool {
        let Some(endpoint) = self.endpoints.get_mut(index) else { return false };
        let (Some(codec), Some(_)) = (endpoint.formats.codec, endpoint.destination()) else {
            return true;
        };
        let law = codec.encoding.law();
        let Hears::Play { id, playout: Some(playout), first } = &mut endpoint.hears else { return false };
        let Some(frame) = playout.next(law.unwrap_or(Law::A)) else {
            let finished = media::PlayFinished { endpoint: endpoint.id.to_string(), play: id.to_string() };
            let id = id.clone();
            endpoint.hears = Hears::Play { id, playout: None, first: false };
            self.surroundings.outbox.post(&endpoint.owner, Fact::PlayFinished(finished));
            return false;
        };
        if !endpoint.send {
            *first = true;
            return true;
        }
        let out = &mut self.buffer[header::LENGTH..];
        let written = match (law, &mut endpoint.announcer) {
            (Some(_), _) => {
                out[..FRAME].copy_from_slice(frame);
                Some(FRAME)
            }
            (None, announcer) => {
                self.counts.transcoded += 1;
                announcer.as_mut().and_then(|announcer| announcer.encode(frame, out))
            }
        };
        let Some(length) = written else {
            *first = true;
            return true;
        };
        let packet = &mut self.buffer[..header::LENGTH + length];
        endpoint.outgoing.frame(packet, codec.payload_type, std::mem::take(first), self.now_us);
        endpoint.transmit(packet);
        self.counts.sent += 1;
        true
    }
}
