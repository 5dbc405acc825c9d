//! What a run is like: how many call, how often, how long they talk, how long they wait.

use rand::Rng;
use serde::{Deserialize, Serialize};

use crate::sound::Sound;

/// A run's shape. Every field has a default: a small office on an ordinary day.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Profile {
    pub name: String,
    /// New calls a second. Arrivals are independent of one another (exponential gaps).
    pub calls_per_second: f64,
    /// How long new calls come, seconds; 0 = until stopped.
    pub seconds: u64,
    /// Callers at once at most: further arrivals are skipped and counted.
    pub at_once: usize,
    /// Seconds a caller waits for an agent before hanging up.
    pub patience: Span,
    /// Seconds of talk, from the agent's answer until one side hangs up.
    pub talk: Span,
    /// Seconds an agent's phone rings before it is answered.
    pub pickup: Span,
    /// Share of talks, 0 to 1, that the agent ends.
    pub agent_hangs_up: f64,
    /// Share of offers, 0 to 1, that an agent rejects.
    pub rejects: f64,
    /// Share of offers, 0 to 1, that an agent lets ring.
    pub ignores: f64,
    /// Whether sound is sent and measured. Talks under two seconds are too short for that.
    pub sound: bool,
    /// Share of a talk, 0 to 1, in which each side must hear the other's tone; its last second always.
    pub heard: f64,
    /// Whether the scheme may hang up on callers before an agent answers.
    pub turns_away: bool,
}

impl Default for Profile {
    fn default() -> Self {
        Self {
            name: "office".into(),
            calls_per_second: 0.4,
            seconds: 60,
            at_once: 200,
            patience: Span(15.0, 60.0),
            talk: Span(6.0, 25.0),
            pickup: Span(0.8, 3.0),
            agent_hangs_up: 0.5,
            rejects: 0.03,
            ignores: 0.02,
            sound: true,
            heard: 0.95,
            turns_away: false,
        }
    }
}

/// Seconds between two bounds, evenly spread.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Span(pub f64, pub f64);

impl Span {
    /// One draw.
    pub(crate) fn draw(self) -> std::time::Duration {
        let seconds = if self.1 > self.0 { rand::rng().random_range(self.0..self.1) } else { self.0 };
        std::time::Duration::from_secs_f64(seconds.max(0.0))
    }
}

impl Profile {
    /// What a party's ear says of its talk.
    pub(crate) fn verdict(&self, sound: &Sound) -> Option<bool> {
        sound.verdict(self.heard).filter(|_| self.sound)
    }

    /// The gap until the next arrival.
    pub(crate) fn gap(&self) -> std::time::Duration {
        let chance: f64 = rand::rng().random_range(f64::MIN_POSITIVE..1.0);
        std::time::Duration::from_secs_f64(-chance.ln() / self.calls_per_second.max(0.001))
    }
}

/// True with this probability.
pub(crate) fn chance(share: f64) -> bool {
    rand::rng().random_bool(share.clamp(0.0, 1.0))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn the_examples_are_profiles_and_name_every_key() {
        let office: Profile =
            serde_json::from_str(include_str!("../../examples/profiles/office.json")).unwrap();
        assert_eq!(office, Profile::default(), "the office is the default");
        let keys = |text: &str| -> Vec<String> {
            let map: serde_json::Map<String, serde_json::Value> = serde_json::from_str(text).unwrap();
            map.keys().cloned().collect()
        };
        let all = keys(&serde_json::to_string(&office).unwrap());
        let rush = include_str!("../../examples/profiles/rush.json");
        serde_json::from_str::<Profile>(rush).unwrap();
        assert_eq!(keys(rush), all);
    }
}
