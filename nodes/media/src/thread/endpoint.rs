//! One endpoint: its sockets, whom it listens to, what it sends and hears.

use std::{
    io,
    net::{SocketAddr, UdpSocket},
    sync::Arc,
};

use mangrove_proto::media::{self, media_event::Fact};
use mangrove_rtp::{
    align::Side,
    digit,
    latch::{Latch, Verdict},
    prompt::Playout,
    rtcp::Block,
    statistics::Statistics,
    stream::Outgoing,
};

use socket2::SockRef;

use super::{
    announcer::Announcer,
    browser::Browser,
    command::EndpointPlan,
    conference::Seat,
    ear::Ear,
    echo::Echo,
    formats::Formats,
    guard::{Guard, Keys},
    hush::Hush,
    keys::Mouth,
    udptl,
    voice::Voice,
};
use crate::{clock, outbox::Owner, ports::Sockets, sys};

/// Longer than this no other process takes to come and let this one go, once it was let in.
pub(super) const TAKES_US: u64 = 15_000_000;

#[derive(Debug)]
pub(super) struct Endpoint {
    pub(super) owner: Owner,
    pub(super) id: Arc<str>,
    rtp: UdpSocket,
    pub(super) rtcp: UdpSocket,
    /// Whether the RTP socket hears only the believed address.
    connected: bool,
    /// When another process was last let in at the same ports.
    shared_us: Option<u64>,
    pub(super) latch: Latch,
    /// The address that control believes media to come from, where it is not the SDP's.
    pub(super) told: Option<SocketAddr>,
    /// What is known of it where it is a browser: then the latch has nothing to say.
    pub(super) browser: Option<Box<Browser>>,
    /// What seals and opens its packets, where they are SRTP.
    pub(super) guard: Option<Box<Guard>>,
    pub(super) formats: Formats,
    /// Its far end speaks T.38 over UDPTL, no RTP.
    pub(super) udptl: bool,
    pub(super) faxed: udptl::Counted,
    pub(super) send: bool,
    pub(super) receive: bool,
    pub(super) hears: Hears,
    /// Who hears this endpoint, and it alone.
    pub(super) listeners: Vec<usize>,
    /// The session in whose room it is heard beside others.
    pub(super) hall: Option<u64>,
    /// Its place in a conference.
    pub(super) seat: Option<Seat>,
    pub(super) tap: Option<(u64, Side)>,
    /// Its call's recording is paused, at this node or another: which of its keys are pressed is not reported.
    pub(super) secret: bool,
    /// The same, or its recording here is paused: nothing that tells what is said leaves but to its listeners, keys included.
    pub(super) is_private: bool,
    /// Knows what was said in a pause and comes late.
    pub(super) hush: Hush,
    /// What the tap hears where the far end does not speak G.711.
    pub(super) ear: Ear,
    /// What makes into its codec what it hears of its peer; there when that was needed.
    pub(super) voice: Option<Box<Voice>>,
    /// The same for what is played to it.
    pub(super) announcer: Option<Box<Announcer>>,
    /// What it was told of its peer's keys at another clock.
    pub(super) teller: digit::Teller,
    pub(super) incoming: Statistics,
    pub(super) digits: digit::Receiver,
    /// Codes among its keys.
    pub(super) codes: digit::Codes,
    /// Its keys that are still to be said to whoever hears it.
    pub(super) mouth: Mouth,
    /// The stream that digits come in: some far ends send them under another SSRC than their sound.
    pub(super) digits_ssrc: Option<u32>,
    pub(super) outgoing: Outgoing,
    pub(super) silence: Silence,
    pub(super) reports: Reports,
}

#[derive(Debug)]
pub(super) enum Hears {
    Silence,
    Peer(usize),
    /// The sum of these, in order. What is sent next is the `first` of a stretch of sound.
    Mix {
        heard: Vec<usize>,
        first: bool,
    },
    /// Itself.
    Echo(Box<Echo>),
    /// All others in a conference; `first` as above.
    Conference {
        first: bool,
    },
    /// Without a playout: it was played to its end.
    Play {
        id: Arc<str>,
        playout: Option<Playout>,
        first: bool,
    },
}

impl Hears {
    /// The endpoint that is heard.
    pub(super) fn peer(&self) -> Option<usize> {
        match self {
            Self::Peer(peer) => Some(*peer),
            Self::Silence
            | Self::Mix { .. }
            | Self::Conference { .. }
            | Self::Echo(_)
            | Self::Play { .. } => None,
        }
    }
}

/// Since when nothing came though something should.
#[derive(Debug, Default)]
pub(super) struct Silence {
    /// None while nothing is expected.
    pub(super) since_us: Option<u64>,
    pub(super) reported_us: u64,
}

#[derive(Debug, Default)]
pub(super) struct Reports {
    pub(super) due_us: u64,
    /// Packets sent when the last report went out.
    pub(super) sent: u64,
    /// The far end's last sender report: the middle of its NTP time, and when it came.
    pub(super) heard: Option<(u32, u64)>,
    /// Where the far end's reports really come from, when it is behind address translation.
    pub(super) from: Option<SocketAddr>,
}

impl Endpoint {
    pub(super) fn new(owner: Owner, id: Arc<str>, sockets: Sockets) -> Self {
        Self {
            owner,
            id,
            rtp: sockets.rtp,
            rtcp: sockets.rtcp,
            connected: false,
            shared_us: None,
            latch: Latch::new(),
            told: None,
            browser: None,
            guard: None,
            formats: Formats::default(),
            udptl: false,
            faxed: udptl::Counted::default(),
            send: false,
            receive: false,
            hears: Hears::Silence,
            listeners: Vec::new(),
            hall: None,
            seat: None,
            tap: None,
            secret: false,
            is_private: false,
            hush: Hush::default(),
            ear: Ear::default(),
            voice: None,
            announcer: None,
            teller: digit::Teller::default(),
            incoming: Statistics::default(),
            digits: digit::Receiver::default(),
            codes: digit::Codes::default(),
            mouth: Mouth::default(),
            digits_ssrc: None,
            // In the lower half, so that who misses the first packets of SRTP guesses right (RFC 3711 section 3.3.1).
            outgoing: Outgoing::new(rand::random(), rand::random::<u16>() >> 1, rand::random()),
            silence: Silence::default(),
            reports: Reports::default(),
        }
    }

    pub(super) fn rtp(&self) -> &UdpSocket {
        &self.rtp
    }

    /// Lets another process bind the same ports. What comes from the believed address stays here meanwhile: the kernel
    /// prefers a connected socket.
    pub(super) fn share(&mut self, now_us: u64) -> io::Result<()> {
        self.shared_us = Some(now_us);
        // A browser is heard from everywhere until now.
        if let Some(to) = self.browser.as_ref().and_then(|browser| browser.ice.destination()) {
            self.connected = self.connected || self.rtp.connect(to).is_ok();
        }
        SockRef::from(&self.rtp).set_reuse_port(true)?;
        SockRef::from(&self.rtcp).set_reuse_port(true)
    }

    /// Takes everything that needs no other endpoint.
    pub(super) fn set(&mut self, plan: &EndpointPlan, now_us: u64) {
        match &plan.browser {
            Some(browser) => self.set_browser(browser, (plan.keys.as_ref(), plan.latched), now_us),
            None => self.set_plain(plan, now_us),
        }
        self.formats.clone_from(&plan.formats);
        self.codes.set(&plan.codes);
        self.secret = plan.secret;
        if let Some(codec) = self.formats.codec {
            self.outgoing.set_clock(codec.encoding.clock());
        }
        if plan.udptl && !self.udptl {
            self.pause();
        }
        self.udptl = plan.udptl;
        (self.send, self.receive) = (plan.send, plan.receive);
        let has_stream = plan.udptl || plan.formats.codec.is_some();
        let has_way = plan.remote.is_some() || plan.browser.is_some();
        let expected = plan.receive && has_stream && has_way;
        self.silence.since_us = expected.then(|| self.silence.since_us.unwrap_or(now_us));
    }

    /// The same of who is no browser.
    fn set_plain(&mut self, plan: &EndpointPlan, now_us: u64) {
        self.latch.signal(plan.remote, plan.signalled, now_us);
        if self.latch.believed().is_none() {
            self.open_ears();
            self.reports.from = None;
            self.told = None;
        }
        if let Some(latched) = plan.latched {
            self.latch.resume(latched, now_us);
            self.told = self.latch.believed().filter(|_| self.latch.is_elsewhere());
        }
        self.begin_anew(plan);
        match (&mut self.guard, &plan.keys) {
            (Some(guard), Some(keys)) => guard.set(keys),
            (guard, keys) => *guard = keys.as_ref().map(|keys| Box::new(Guard::new(keys))),
        }
    }

    /// A far end that comes back from plain sound, or with another key, knows nothing of how often our numbers have turned over,
    /// and under a key no number may be used twice: it gets another stream.
    fn begin_anew(&mut self, plan: &EndpointPlan) {
        let is_over = |keys: &Keys| self.guard.as_ref().is_none_or(|guard| guard.is_over_for(keys));
        if plan.keys.as_ref().is_some_and(is_over) {
            self.outgoing.renew(rand::random(), rand::random::<u16>() >> 1);
        }
    }

    /// Judges where an RTP packet came from and follows a far end that moved.
    pub(super) fn admit(&mut self, from: SocketAddr, ssrc: u32, sequence: u16, now_us: u64) -> Verdict {
        if let Some(browser) = &mut self.browser {
            browser.ice.heard(now_us);
            self.is_there(now_us);
            return Verdict::Accept;
        }
        let verdict = self.latch.receive(from, ssrc, sequence, now_us);
        if matches!(verdict, Verdict::Accept | Verdict::Moved) {
            self.is_there(now_us);
            if verdict == Verdict::Moved {
                self.open_ears();
                self.reports.from = None;
            }
            if !self.latch.is_elsewhere() {
                self.close_ears();
            }
        }
        verdict
    }

    /// Lets the kernel drop what does not come from the believed address, and find the way to it only once.
    pub(super) fn close_ears(&mut self) {
        if let Some(believed) = self.latch.believed()
            && !self.connected
        {
            self.connected = self.rtp.connect(believed).is_ok();
        }
    }

    /// Lets addresses other than the believed one be heard again.
    pub(super) fn open_ears(&mut self) {
        if self.connected && self.browser.is_none() && sys::disconnect(&self.rtp).is_ok() {
            self.connected = false;
        }
    }

    /// Lets a browser be heard from everywhere again, where whoever was let in has not taken its place in time: it may come
    /// by another network.
    pub(super) fn go_on_alone(&mut self, now_us: u64) {
        let is_over = self.shared_us.is_some_and(|at| now_us.saturating_sub(at) >= TAKES_US);
        if is_over && self.browser.is_some() {
            self.shared_us = None;
            self.connected = self.connected && sys::disconnect(&self.rtp).is_err();
        }
    }

    /// Nothing is sent for now: what comes then is another stretch of sound.
    pub(super) fn pause(&mut self) {
        self.outgoing.pause();
        if let Some(voice) = &mut self.voice {
            voice.pause();
        }
    }

    /// Whether the sound of an RTP packet may go to the far end now.
    pub(super) fn is_sending(&self) -> bool {
        self.send && self.formats.codec.is_some() && self.destination().is_some()
    }

    /// Whether a packet from there is worth opening: each try costs.
    pub(super) fn may_come(&self, from: SocketAddr) -> bool {
        match &self.browser {
            Some(browser) => browser.ice.may_send(from),
            None => self.guard.is_none() || self.latch.may_be(from),
        }
    }

    /// Bytes of the plain packet that came in, at the front of the buffer. None: it is not the far end's.
    pub(super) fn open(&mut self, packet: &mut [u8]) -> Option<usize> {
        match &mut self.guard {
            Some(guard) => guard.open(packet),
            None => Some(packet.len()).filter(|_| self.browser.is_none()),
        }
    }

    /// As `open`, of a compound of reports.
    pub(super) fn open_rtcp(&mut self, compound: &mut [u8]) -> Option<usize> {
        match &mut self.guard {
            Some(guard) => guard.open_rtcp(compound),
            None => Some(compound.len()).filter(|_| self.browser.is_none()),
        }
    }

    /// Sends something that is neither sound nor sealed.
    pub(super) fn send_plain(&self, packet: &[u8], to: SocketAddr) {
        if let Err(error) = self.rtp.send_to(packet, to) {
            tracing::trace!(endpoint = %self.id, %error, "a packet was not sent");
        }
    }

    /// Sends a report as it is; a browser's goes beside its sound.
    pub(super) fn send_report(&self, compound: &[u8], to: SocketAddr) -> io::Result<usize> {
        let socket = if self.browser.is_some() { &self.rtp } else { &self.rtcp };
        socket.send_to(compound, to)
    }

    /// Sends one packet, sealed where it must be; what the network does not take is lost, as RTP may be.
    pub(super) fn transmit(&mut self, packet: &[u8]) {
        let destination = self.destination();
        let packet = match &mut self.guard {
            None if self.browser.is_some() => return,
            None => packet,
            Some(guard) => match guard.seal(packet) {
                Some(sealed) => sealed,
                None => return,
            },
        };
        let sent = match destination {
            _ if self.connected => self.rtp.send(packet),
            Some(to) => self.rtp.send_to(packet, to),
            None => return,
        };
        if let Err(error) = sent {
            tracing::trace!(endpoint = %self.id, %error, "a packet was not sent");
        }
    }

    /// The block of our next report about what the far end sends.
    pub(super) fn block(&mut self, now_us: u64) -> Option<Block> {
        let heard = self.reports.heard.map(|(ntp, at)| (ntp, now_us.saturating_sub(at)));
        self.incoming.block(heard)
    }

    /// What this endpoint counted.
    pub(super) fn counters(&self) -> Fact {
        Fact::Counters(media::Counters {
            endpoint: self.id.to_string(),
            packets_received: self.incoming.received() + self.faxed.received,
            packets_sent: self.outgoing.packets() + self.faxed.sent,
            packets_lost: self.incoming.lost(),
            jitter_us: self.incoming.jitter_us(),
        })
    }

    /// The present moment for reports: NTP time.
    pub(super) fn ntp() -> u64 {
        mangrove_rtp::rtcp::ntp(clock::unix_us())
    }
}
