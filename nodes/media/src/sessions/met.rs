//! What this node says of itself to browsers: names and passwords of ICE, and its certificate. They are made here where
//! control has none, or where those that it has are another node's who has not shaken hands: nobody else can then.

use mangrove_proto::media::{SetSession, Webrtc};
use rand::distr::{Alphanumeric, SampleString};

use super::Session;
use crate::{
    certificate::Certificate,
    thread::{BrowserPlan, EndpointPlan},
};

/// Characters of a name and of a password: some 48 and 190 bits (RFC 8839 section 5.4 asks for 24 and 128).
const UFRAG: usize = 8;
const PWD: usize = 32;

impl Session {
    /// Completes the plans of browsers; whether something was made, which control is to be told. What was made stays the
    /// same until control has it.
    pub(super) fn meet(&mut self, endpoints: &mut [EndpointPlan], certificate: &Certificate) -> bool {
        let mut are_new = false;
        for endpoint in endpoints {
            let has_keys = endpoint.keys.is_some();
            if let Some(plan) = &mut endpoint.browser {
                are_new |= self.meet_one(&endpoint.id, plan, has_keys, certificate);
            }
        }
        are_new
    }

    fn meet_one(&mut self, id: &str, plan: &mut BrowserPlan, has_keys: bool, own: &Certificate) -> bool {
        let is_own = |plan: &BrowserPlan| plan.fingerprint == *own.fingerprint();
        let (mut met, mut is_new) = (plan.clone(), false);
        if met.ufrag.is_empty() || !(has_keys || is_own(&met)) {
            let before = self.met.get(id).cloned().filter(is_own);
            is_new = before.is_none();
            let words = before.unwrap_or_else(|| made(own));
            (met.ufrag, met.pwd, met.fingerprint) = (words.ufrag, words.pwd, words.fingerprint);
        }
        met.may_shake = is_own(&met);
        plan.clone_from(&met);
        self.met.insert(id.to_owned(), met);
        is_new
    }

    /// What control is told with the address of a browser's endpoint.
    pub(super) fn webrtc_to_tell(&self, id: &str) -> Option<Webrtc> {
        let met = self.met.get(id)?;
        let (ufrag, pwd, fingerprint) = (met.ufrag.clone(), met.pwd.clone(), met.fingerprint.clone());
        Some(Webrtc { ufrag, pwd, fingerprint, ..Webrtc::default() })
    }

    /// Forgets the browsers whose endpoints are gone.
    pub(super) fn drop_met(&mut self, set: &SetSession) {
        let browsers = || set.endpoints.iter().filter(|endpoint| endpoint.webrtc.is_some());
        let is_one = |id: &str| browsers().any(|endpoint| endpoint.id == id);
        self.met.retain(|id, _| is_one(id));
    }
}

fn made(certificate: &Certificate) -> BrowserPlan {
    let word = |length| Alphanumeric.sample_string(&mut rand::rng(), length);
    BrowserPlan {
        ufrag: word(UFRAG),
        pwd: word(PWD),
        fingerprint: certificate.fingerprint().clone(),
        may_shake: true,
        theirs: None,
    }
}
