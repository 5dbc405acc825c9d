//! An endpoint that is a browser: STUN, DTLS, SRTP and RTCP come to its one socket and are told apart by their first byte
//! (RFC 7983). STUN is answered at once, DTLS only to who has proven by STUN to be the browser, and sound is understood when
//! DTLS has given its keys, or another node that had them.

use std::net::SocketAddr;

use bytes::Bytes;
use mangrove_proto::media::{self, media_event::Fact};
use mangrove_rtp::{
    ice::{Heard, Lite},
    stun,
};

use super::{
    command::BrowserPlan,
    endpoint::Endpoint,
    guard::{Guard, Keys},
    handshake::{Handshake, Progress, is_hello},
    worker::Worker,
};

/// Datagrams of DTLS that are looked at in a second, and handshakes that are begun in one: each costs.
const PER_SECOND: u32 = 100;
const BEGUN_PER_SECOND: u32 = 4;
const SECOND_US: u64 = 1_000_000;

/// What an endpoint knows of its browser.
#[derive(Debug)]
pub(super) struct Browser {
    pub(super) ice: Lite,
    /// Of the certificate that it is to show; none until signalling has named it.
    theirs: Option<Bytes>,
    /// Whether it was told of this node's certificate.
    may_shake: bool,
    handshake: Option<Box<Handshake>>,
    /// Whether this node has its keys by a handshake of its own: then it knows better than control.
    has_shaken: bool,
    second_us: u64,
    looks: u32,
    begun: u32,
}

impl Browser {
    pub(super) fn new(plan: &BrowserPlan, now_us: u64) -> Self {
        Self {
            ice: Lite::new(&plan.ufrag, &plan.pwd, now_us),
            theirs: plan.theirs.clone(),
            may_shake: plan.may_shake,
            handshake: None,
            has_shaken: false,
            second_us: now_us,
            looks: 0,
            begun: 0,
        }
    }

    /// Takes what control says; whether the keys that were agreed on are over.
    fn set(&mut self, plan: &BrowserPlan, now_us: u64) -> bool {
        if !self.ice.is_known_by(&plan.ufrag, &plan.pwd) {
            let is_known = self.theirs.is_some();
            *self = Self::new(plan, now_us);
            return is_known;
        }
        self.may_shake = plan.may_shake;
        let is_over = self.theirs.is_some() && self.theirs != plan.theirs;
        if is_over {
            (self.handshake, self.has_shaken) = (None, false);
        }
        self.theirs.clone_from(&plan.theirs);
        is_over
    }

    fn may_look(&mut self, now_us: u64) -> bool {
        if now_us.saturating_sub(self.second_us) >= SECOND_US {
            (self.second_us, self.looks, self.begun) = (now_us, 0, 0);
        }
        self.looks = self.looks.saturating_add(1);
        self.looks <= PER_SECOND
    }

    /// Whether a handshake goes on, or may begin with this datagram. One may follow another: a browser that was told of
    /// another node in between begins anew, and until that has led to keys the former ones hold.
    fn may_begin(&mut self, packet: &[u8]) -> bool {
        if self.handshake.is_some() {
            return true;
        }
        if !self.may_shake || !is_hello(packet) {
            return false;
        }
        self.begun = self.begun.saturating_add(1);
        self.begun <= BEGUN_PER_SECOND
    }
}

impl Endpoint {
    /// Takes what control says of its browser; `keys` are those that another node agreed on.
    pub(super) fn set_browser(
        &mut self,
        plan: &BrowserPlan,
        (keys, latched): (Option<&Keys>, Option<SocketAddr>),
        now_us: u64,
    ) {
        let browser = self.browser.get_or_insert_with(|| Box::new(Browser::new(plan, now_us)));
        if browser.set(plan, now_us) {
            self.guard = None;
            self.outgoing.renew(rand::random(), rand::random::<u16>() >> 1);
        }
        if let Some(latched) = latched {
            browser.ice.resume(latched, now_us);
            self.told = browser.ice.destination();
        }
        if let Some(keys) = keys.filter(|keys| !browser.has_shaken && keys.theirs.is_some()) {
            match &mut self.guard {
                Some(guard) => guard.set(keys),
                guard => *guard = Some(Box::new(Guard::new(keys))),
            }
        }
    }

    /// Where its sound goes; nowhere while that would not be understood.
    pub(super) fn destination(&self) -> Option<SocketAddr> {
        match &self.browser {
            Some(browser) => browser.ice.destination().filter(|_| self.guard.is_some()),
            None => self.latch.destination(),
        }
    }

    /// Lets go a browser that has said nothing for so long that nothing may be sent to it, words of a handshake that waits
    /// included. True: it has just gone.
    fn lets_go(&mut self, now_us: u64) -> bool {
        let Some(browser) = &mut self.browser else { return false };
        if !browser.ice.has_gone(now_us) {
            return false;
        }
        (browser.handshake, self.told) = (None, None);
        self.pause();
        true
    }

    /// A sign of life.
    pub(super) fn is_there(&mut self, now_us: u64) {
        if let Some(since) = &mut self.silence.since_us {
            *since = now_us;
        }
    }
}

impl Worker {
    /// Takes what is no sound of a browser. True: it is RTP.
    pub(super) fn sort(&mut self, index: usize, length: usize, from: SocketAddr) -> bool {
        match self.buffer[..length].first().copied() {
            Some(0..=3) => self.hear_stun(index, length, from),
            Some(20..=63) => self.hear_dtls(index, length, from),
            // RTCP's packet types lie where no RTP has its own (RFC 5761 section 4).
            Some(128..=191) if length > 1 && (192..=223).contains(&self.buffer[1]) => {
                self.hear_rtcp(index, length, from);
            }
            Some(128..=191) => return true,
            _ => self.counts.malformed += 1,
        }
        false
    }

    fn hear_stun(&mut self, index: usize, length: usize, from: SocketAddr) {
        let now_us = self.now_us;
        let Some(endpoint) = self.endpoints.get_mut(index) else { return };
        let Some(browser) = &mut endpoint.browser else { return };
        let packet = &self.buffer[..length];
        if !stun::is_stun(packet) {
            self.counts.malformed += 1;
            return;
        }
        let heard = browser.ice.receive(packet, from, now_us, &mut self.compound);
        if heard == Heard::Nothing {
            self.counts.foreign += 1;
            return;
        }
        if let Err(error) = endpoint.rtp().send_to(&self.compound, from) {
            tracing::trace!(endpoint = %endpoint.id, %error, "an answer to STUN was not sent");
        }
        endpoint.is_there(now_us);
        if heard == Heard::Selected {
            self.report_selected(index);
        }
    }

    /// Says where the browser wants its sound, so that an heir can go on there.
    fn report_selected(&mut self, index: usize) {
        let Some(endpoint) = self.endpoints.get_mut(index) else { return };
        let address = endpoint.browser.as_ref().and_then(|browser| browser.ice.destination());
        let Some(address) = address else { return };
        if endpoint.told.replace(address) == Some(address) {
            return;
        }
        let latched = media::Latched { endpoint: endpoint.id.to_string(), address: address.to_string() };
        self.surroundings.outbox.post(&endpoint.owner, Fact::Latched(latched));
    }

    fn hear_dtls(&mut self, index: usize, length: usize, from: SocketAddr) {
        let now_us = self.now_us;
        let Some(endpoint) = self.endpoints.get_mut(index) else { return };
        let Some(browser) = &mut endpoint.browser else { return };
        let Some(theirs) = browser.theirs.clone().filter(|_| browser.ice.may_send(from)) else {
            self.counts.foreign += 1;
            return;
        };
        let packet = &self.buffer[..length];
        if !browser.may_look(now_us) || !browser.may_begin(packet) {
            self.counts.foreign += 1;
            return;
        }
        let certificate = &self.surroundings.certificate;
        let begin = || Box::new(Handshake::new(certificate, theirs, from));
        let mut handshake = browser.handshake.take().unwrap_or_else(begin);
        let progress = handshake.receive(packet, from, |packet, to| endpoint.send_plain(packet, to));
        if !self.shaking.contains(&index) {
            self.shaking.push(index);
        }
        self.heed(index, handshake, progress);
    }

    /// Goes on with all handshakes; once in a frame.
    pub(super) fn shake_hands(&mut self) {
        let mut shaking = std::mem::take(&mut self.shaking);
        shaking.retain(|index| self.with(*index, |worker| worker.shake(*index)).unwrap_or(false));
        self.shaking = shaking;
    }

    /// False when there is no handshake any more.
    fn shake(&mut self, index: usize) -> bool {
        let Some(endpoint) = self.endpoints.get_mut(index) else { return false };
        let handshake = endpoint.browser.as_mut().and_then(|browser| browser.handshake.take());
        let Some(mut handshake) = handshake else { return false };
        if handshake.is_over() {
            return false;
        }
        let progress = handshake.tick(|packet, to| endpoint.send_plain(packet, to));
        self.heed(index, handshake, progress)
    }

    /// Takes what has become of a handshake; whether it goes on.
    fn heed(&mut self, index: usize, handshake: Box<Handshake>, progress: Progress) -> bool {
        let Some(endpoint) = self.endpoints.get_mut(index) else { return false };
        let Some(browser) = &mut endpoint.browser else { return false };
        match progress {
            Progress::Goes => {}
            Progress::Secured(keys) => {
                browser.has_shaken = true;
                endpoint.guard = Some(Box::new(Guard::new(&keys)));
                self.report_secured(index, &keys);
            }
            Progress::Failed(why) => {
                // Without its packets and addresses: who it is, the endpoint says.
                tracing::info!(endpoint = %endpoint.id, why, "a browser's handshake has failed");
                return false;
            }
        }
        if let Some(browser) = self.endpoints.get_mut(index).and_then(|endpoint| endpoint.browser.as_mut()) {
            browser.handshake = Some(handshake);
        }
        true
    }

    fn report_secured(&mut self, index: usize, keys: &Keys) {
        let Some(endpoint) = self.endpoints.get_mut(index) else { return };
        let Some(browser) = &endpoint.browser else { return };
        let srtp = media::Srtp {
            suite: keys.suite.name().to_owned(),
            ours: keys.ours.clone(),
            theirs: keys.theirs.clone().unwrap_or_default(),
        };
        let secured = media::Secured {
            endpoint: endpoint.id.to_string(),
            srtp: Some(srtp),
            ufrag: browser.ice.ufrag().to_owned(),
            theirs: browser.theirs.clone().unwrap_or_default(),
        };
        self.surroundings.outbox.post(&endpoint.owner, Fact::Secured(secured));
    }

    /// Lets go who has said nothing for long.
    pub(super) fn watch_browser(&mut self, index: usize) {
        let now_us = self.now_us;
        let Some(endpoint) = self.endpoints.get_mut(index) else { return };
        endpoint.go_on_alone(now_us);
        if endpoint.lets_go(now_us) {
            tracing::debug!(endpoint = %endpoint.id, "a browser has gone: nothing is sent to it");
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::{
        net::{IpAddr, UdpSocket},
        time::Duration,
    };

    use super::*;
    use crate::{certificate::Certificate, outbox::Owner, ports::Ports, thread::endpoint::TAKES_US};

    fn socket() -> UdpSocket {
        UdpSocket::bind("127.0.0.1:0").unwrap()
    }

    /// An endpoint whose browser is at this address, and where it is itself.
    fn endpoint(page: &UdpSocket) -> (Endpoint, SocketAddr) {
        let sockets = Ports::new(IpAddr::from([127, 0, 31, 8]), 0, 0, 0).open(0, 0).unwrap();
        sockets.rtp.set_nonblocking(false).unwrap();
        sockets.rtp.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
        let ours = sockets.rtp.local_addr().unwrap();
        let owner = Owner { group: 1, tenant: "acme".into(), session: "talk".into() };
        let mut endpoint = Endpoint::new(owner, "a".into(), sockets);
        let plan = BrowserPlan {
            ufrag: "evtj".into(),
            pwd: "VOkJxbRl1RmTxUk/WvJxBt".into(),
            fingerprint: Bytes::new(),
            may_shake: true,
            theirs: Some(vec![7; 32].into()),
        };
        endpoint.set_browser(&plan, (None, Some(page.local_addr().unwrap())), 0);
        (endpoint, ours)
    }

    /// Who is heard first, if both say their number, the one elsewhere before the other.
    fn heard(endpoint: &Endpoint, ours: SocketAddr, elsewhere: &UdpSocket, page: &UdpSocket) -> u8 {
        elsewhere.send_to(&[1], ours).unwrap();
        page.send_to(&[2], ours).unwrap();
        let mut first = [0];
        endpoint.rtp().recv(&mut first).unwrap();
        first[0]
    }

    #[test]
    fn a_browser_may_come_from_elsewhere_again_where_its_node_keeps_its_addresses() {
        let (page, elsewhere) = (socket(), socket());
        let (mut endpoint, ours) = endpoint(&page);
        endpoint.share(5).unwrap();
        assert_eq!(heard(&endpoint, ours, &elsewhere, &page), 2, "while another may take them");
        endpoint.go_on_alone(TAKES_US + 4);
        assert_eq!(heard(&endpoint, ours, &elsewhere, &page), 2);
        endpoint.go_on_alone(TAKES_US + 5);
        assert_eq!(heard(&endpoint, ours, &elsewhere, &page), 1);
    }

    #[test]
    fn who_may_be_sent_nothing_is_sent_no_words_of_a_handshake_either() {
        let (mut endpoint, _) = endpoint(&socket());
        let certificate = Certificate::generate().unwrap();
        let begun = Handshake::new(&certificate, Bytes::new(), "127.0.0.1:9".parse().unwrap());
        endpoint.browser.as_mut().unwrap().handshake = Some(Box::new(begun));
        assert!(!endpoint.lets_go(29_999_999));
        assert!(endpoint.browser.as_ref().unwrap().handshake.is_some());
        assert!(endpoint.lets_go(30_000_000));
        assert!(endpoint.browser.unwrap().handshake.is_none());
    }
}
