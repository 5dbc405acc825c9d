//! RFC 4733 digits in a description: a number for each clock rate, for digits have the clock of the sound that they
//! interrupt (section 2.1), and one to expect where the far end numbers them otherwise than we do.

use serde::{Deserialize, Serialize};

use super::{Audio, codecs::RATE};

/// Digits at one clock rate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct TelephoneEvent {
    /// Clock rate in Hz.
    pub clock: u32,
    /// RTP payload type, as the far end numbers it: what we send them under.
    pub payload_type: u8,
    /// What we expect them under, where that is another number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ours: Option<u8>,
}

impl TelephoneEvent {
    pub(super) fn new(clock: u32, payload_type: u8) -> Self {
        Self { clock, payload_type, ours: None }
    }

    /// The number under which they come in.
    pub fn expected(&self) -> u8 {
        self.ours.unwrap_or(self.payload_type)
    }
}

impl Audio {
    /// Digits at a clock rate, if both sides use them.
    pub fn event(&self, clock: u32) -> Option<TelephoneEvent> {
        self.all_events().find(|event| event.clock == clock)
    }

    /// Digits at all clock rates, each once.
    pub fn all_events(&self) -> impl Iterator<Item = TelephoneEvent> + '_ {
        let told = self.events.iter().any(|event| event.clock == RATE);
        let plain = self.telephone_event.filter(|_| !told);
        plain.map(|number| TelephoneEvent::new(RATE, number)).into_iter().chain(self.events.iter().copied())
    }

    /// Takes them apart: what `telephone_event` says alone is said there alone.
    pub(super) fn set_events(&mut self, events: Vec<TelephoneEvent>) {
        let plain = events.iter().find(|event| event.clock == RATE);
        self.telephone_event = plain.map(|event| event.payload_type);
        self.events = events;
        self.events.retain(|event| event.clock != RATE || event.ours.is_some());
    }
}
