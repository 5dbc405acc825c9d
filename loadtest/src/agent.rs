//! An agent's phone: rings, is picked up after a while (or rejected, or left ringing), talks, and sometimes hangs up first.

use std::time::Duration;

use mangrove_sip::ua;
use tokio::{
    sync::Notify,
    time::{sleep, timeout},
};

use crate::{
    endpoint::{Invite, Line},
    hold::Hold,
    ledger::{Counters, Ledger, Offer, wall},
    profile::{self, Profile},
    sound::{Sound, Studio},
};

/// How often an agent listens for the caller's tone.
const LOOK: Duration = Duration::from_millis(50);

/// Everything an agent needs to live one offer.
#[derive(Debug, Clone)]
pub(crate) struct Agent {
    pub studio: Studio,
    pub ledger: Ledger,
    pub profile: Profile,
    pub hold: Hold,
    pub name: String,
    pub hertz: u32,
    /// The tone of the caller with this number.
    pub tone_of: fn(&str) -> u32,
}

impl Agent {
    /// Lives the offer and writes it into the ledger.
    pub(crate) async fn run(self, invite: Invite) {
        let caller = invite.message.from().ok().and_then(|from| from.uri.number()).unwrap_or_default();
        let caller = caller.trim_start_matches('+').to_owned();
        let caller_hertz = (self.tone_of)(&caller);
        let mut offer = Offer {
            agent: self.name.clone(),
            caller,
            at: wall(),
            answered_at: None,
            confirmed_at: None,
            ended_at: 0,
            sound: Counters::default(),
            heard_caller: None,
            silences: Vec::new(),
            hung_up: false,
            hertz: self.hertz,
            caller_hertz,
        };
        let mut line = invite.line;
        line.ring();
        if self.pick_up(&mut line).await {
            self.talk(line, &mut offer).await;
        }
        offer.ended_at = wall();
        self.ledger.offer(offer);
    }

    /// Whether the phone is still ringing when its agent has made up their mind to answer.
    async fn pick_up(&self, line: &mut Line) -> bool {
        let wait = if profile::chance(self.profile.ignores) {
            Duration::from_secs(600)
        } else {
            self.profile.pickup.draw()
        };
        let over =
            timeout(wait, async { while line.facts.recv().await.is_some_and(|fact| !is_end(&fact)) {} })
                .await;
        let reject = profile::chance(self.profile.rejects);
        if over.is_err() && reject {
            line.reject(486);
        }
        over.is_err() && !reject
    }

    async fn talk(&self, mut line: Line, offer: &mut Offer) {
        let Ok(sound) = self.studio.open(line.local().ip(), self.hertz) else { return };
        line.answer(sound.media());
        offer.answered_at = Some(wall());
        let plan = if profile::chance(self.profile.agent_hangs_up) {
            self.profile.talk.draw()
        } else {
            Duration::from_secs(3_600)
        };
        let confirmed = Notify::new();
        let mut hold = self.hold.clone();
        // Nobody hangs up on a caller who is not there yet: an ACK may be as late as a decision.
        let plan = async {
            confirmed.notified().await;
            hold.is_over().await;
            sleep(plan).await;
        };
        tokio::select! {
            () = self.listen(&mut line, &sound, offer, &confirmed) => {}
            () = plan => {
                self.ledger.talk_over(&offer.caller);
                offer.hung_up = true;
            }
        }
        line.hang_up();
        offer.sound = sound.counters();
        offer.silences = sound.silences();
        offer.heard_caller = self.profile.verdict(&sound);
    }

    /// Until the far end hangs up.
    async fn listen(&self, line: &mut Line, sound: &Sound, offer: &mut Offer, confirmed: &Notify) {
        loop {
            tokio::select! {
                fact = line.facts.recv() => match fact {
                    Some(ua::Fact::OfferReceived { audio }) => {
                        self.aim(sound, Some(&audio));
                        line.accept_offer(sound.media());
                    }
                    Some(ua::Fact::OfferAccepted { audio }) => self.aim(sound, Some(&audio)),
                    Some(ua::Fact::Confirmed) => {
                        offer.confirmed_at.get_or_insert_with(wall);
                        confirmed.notify_one();
                        self.ledger.talks(&offer.caller, self.hertz);
                        self.aim(sound, line.audio().as_ref());
                        sound.listen(offer.caller_hertz);
                    }
                    Some(fact) if is_end(&fact) => return,
                    Some(_) => {}
                    None => return,
                },
                () = sleep(LOOK) => if self.ledger.is_talking(&offer.caller) {
                    sound.look();
                },
            }
        }
    }

    fn aim(&self, sound: &Sound, audio: Option<&mangrove_sip::sdp::Audio>) {
        if let Some(audio) = audio.filter(|_| self.profile.sound) {
            sound.send_to(audio.remote);
        }
    }
}

fn is_end(fact: &ua::Fact) -> bool {
    use ua::Fact::{AckMissing, Cancelled, Failed, HungUp, SessionExpired, Vanished};
    matches!(fact, HungUp { .. } | Cancelled { .. } | SessionExpired | Vanished | AckMissing | Failed { .. })
}
