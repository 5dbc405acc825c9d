//! Session timers (RFC 4028): who refreshes, when, and when the session is given up. A far end that does
//! not speak the extension has none.

use serde::{Deserialize, Serialize};

use super::turn::Turn;
use super::{Fact, Leg};
use crate::Message;

/// The shortest interval we agree to, in seconds (RFC 4028 4).
const SHORTEST: u32 = 90;
/// What we ask for.
const USUAL: u32 = 1800;
/// Longer intervals than a day only overflow.
const LONGEST: u32 = 86_400;

/// What was agreed, and what we would ask for.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct SessionTimer {
    shortest: u32,
    wanted: u32,
    running: Option<Running>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Running {
    interval: u32,
    /// We refresh.
    ours: bool,
    /// When to refresh; None while a refresh is under way, or never.
    refresh_at: Option<u64>,
    expires_at: u64,
}

/// What a request of the far end asks for.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Terms {
    supported: bool,
    interval: Option<u32>,
    shortest: u32,
    uas_refreshes: bool,
}

impl Terms {
    /// Reads a request; Err when its interval is too small and must be refused with 422.
    pub(super) fn of(request: &Message) -> Result<Self, TooShort> {
        let terms = Self {
            supported: request.has_token("Supported", "timer") || request.has_token("Require", "timer"),
            interval: request.u32_of("Session-Expires"),
            shortest: request.u32_of("Min-SE").unwrap_or(0),
            uas_refreshes: request.param_of("Session-Expires", "refresher") == Some("uas"),
        };
        if terms.supported && terms.interval.is_some_and(|interval| interval < SHORTEST) {
            return Err(TooShort);
        }
        Ok(terms)
    }

    /// What we answer: the interval, and whether we refresh.
    fn settled(&self) -> Option<(u32, bool)> {
        if !self.supported {
            return self.interval.map(|interval| (interval.clamp(SHORTEST, LONGEST), true));
        }
        let floor = self.shortest.clamp(SHORTEST, LONGEST);
        let interval = self.interval.unwrap_or(USUAL).clamp(SHORTEST, LONGEST);
        Some((interval.min(USUAL).max(floor), self.uas_refreshes))
    }
}

/// The far end asks for an interval below ours.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct TooShort;

impl TooShort {
    /// The headers of the 422.
    pub(super) fn headers() -> (&'static str, String) {
        ("Min-SE", SHORTEST.to_string())
    }
}

impl SessionTimer {
    pub(super) fn new() -> Self {
        Self { shortest: SHORTEST, wanted: USUAL, running: None }
    }

    /// Adds what our INVITE or UPDATE says.
    pub(super) fn ask(&self, message: Message) -> Message {
        let value = match &self.running {
            Some(running) if running.ours => format!("{};refresher=uac", self.wanted),
            Some(_) => format!("{};refresher=uas", self.wanted),
            None => self.wanted.to_string(),
        };
        message.with("Session-Expires", value).with("Min-SE", self.shortest)
    }

    /// Takes the far end's terms and adds what our 2xx says.
    pub(super) fn agree(&mut self, terms: &Terms, now: u64, message: Message) -> Message {
        let Some((interval, ours)) = terms.settled() else {
            self.running = None;
            return message;
        };
        self.run(interval, ours, now);
        let message = if ours { message } else { message.with("Require", "timer") };
        let refresher = if ours { "uas" } else { "uac" };
        message.with("Session-Expires", format!("{interval};refresher={refresher}"))
    }

    /// Takes the 2xx to a request of ours.
    pub(super) fn agreed(&mut self, response: &Message, now: u64) {
        let Some(interval) = response.u32_of("Session-Expires") else {
            self.running = None;
            return;
        };
        let ours = response.param_of("Session-Expires", "refresher") != Some("uas");
        self.run(interval.clamp(SHORTEST, LONGEST), ours, now);
    }

    fn run(&mut self, interval: u32, ours: bool, now: u64) {
        let length = u64::from(interval) * 1000;
        let refresh_at = ours.then_some(now + length / 2);
        self.wanted = interval;
        self.running = Some(Running { interval, ours, refresh_at, expires_at: now + length });
    }

    /// Takes a 422: asks for more the next time. False when it names nothing new.
    pub(super) fn raise(&mut self, response: &Message) -> bool {
        let Some(least) = response.u32_of("Min-SE").filter(|least| *least > self.shortest) else {
            return false;
        };
        self.shortest = least.min(LONGEST);
        self.wanted = self.wanted.max(self.shortest);
        true
    }

    /// A refresh failed: the next try is halfway to the end.
    pub(super) fn try_later(&mut self, now: u64) {
        if let Some(running) = self.running.as_mut().filter(|running| running.ours) {
            let left = running.give_up_at().saturating_sub(now);
            running.refresh_at = (left > 2_000).then_some(now + left / 2);
        }
    }

    pub(super) fn extend(&mut self, gap_ms: u64) {
        if let Some(running) = &mut self.running {
            running.expires_at = running.expires_at.saturating_add(gap_ms);
        }
    }

    pub(super) fn stop(&mut self) {
        self.running = None;
    }

    /// When something is to be done.
    pub(super) fn due(&self) -> Option<u64> {
        let running = self.running.as_ref()?;
        Some(running.refresh_at.map_or(running.give_up_at(), |at| at.min(running.give_up_at())))
    }
}

impl Running {
    /// BYE goes out a little before the end (RFC 4028 10).
    fn give_up_at(&self) -> u64 {
        self.expires_at.saturating_sub(u64::from(self.interval / 3).min(32) * 1000)
    }
}

impl Leg {
    /// Refreshes the session, or ends it when no refresh came in time.
    pub(super) fn session_due(&mut self, turn: &mut Turn<'_, '_>) {
        let now = turn.now();
        let Some(running) = &mut self.timer.running else { return };
        if running.give_up_at() <= now {
            self.timer.stop();
            self.over(turn, Fact::SessionExpired);
            self.say_bye(Some("SIP;cause=408;text=\"Session expired\""), turn);
        } else if running.refresh_at.is_some_and(|at| at <= now) {
            running.refresh_at = None;
            self.change.refresh = true;
        }
    }
}
