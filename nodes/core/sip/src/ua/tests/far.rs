//! One leg against a far end written by hand.

use crate::sdp::{Codec, Ours, Security, g711};
use crate::ua::{Call, Ctx, Fact, Leg, Outgoing, Output, Target};
use crate::{Destination, Local, Message, NameAddr, Replacing, Seed, Source, Transport, Uri};

use super::pair::{Caller, media, reborn};

pub(super) const ANSWER: &str = "v=0\r\no=- 7 1 IN IP4 203.0.113.9\r\ns=-\r\nc=IN IP4 203.0.113.9\r\nt=0 0\r\nm=audio 4000 RTP/AVP 8 101\r\na=rtpmap:101 telephone-event/8000\r\n";

pub(super) struct Far {
    pub(super) leg: Leg,
    pub(super) now: u64,
    seed: Seed,
    pub(super) local: Local,
    /// Every request the leg sent, with its branch on top.
    pub(super) requests: Vec<Message>,
    pub(super) responses: Vec<Message>,
    pub(super) destinations: Vec<Destination>,
    pub(super) facts: Vec<Fact>,
    pub(super) source: Source,
}

pub(super) fn source(remote: &str) -> Source {
    Source {
        transport: Transport::Udp,
        remote: remote.parse().unwrap(),
        local: "192.0.2.1:5060".parse().unwrap(),
        flow: None,
    }
}

fn local() -> Local {
    Local {
        contact_host: "192.0.2.1:5060".into(),
        contact_user: "acme.leg_1".into(),
        user_agent: "mangrove/test".into(),
        domain: "acme.example".into(),
        replaces: Replacing::Unknown,
        fax: true,
    }
}

impl Far {
    /// The leg calls it.
    pub(super) fn called(uri: &str, at: &str) -> Self {
        Self::offered(uri, at, Security::Off, None)
    }

    /// As [`Far::called`], where the leg offers SRTP with this key, or does not.
    pub(super) fn offered(uri: &str, at: &str, security: Security, ours: Option<Ours>) -> Self {
        let call = Call {
            target: Target {
                uri: Uri::parse(uri).unwrap(),
                route: vec!["<sip:edge.acme.example;lr>".into()],
                destination: Destination::new(Transport::Udp, at.parse().unwrap()),
            },
            from: NameAddr::parse("<sip:100@acme.example>").unwrap(),
            to: NameAddr::parse("<sip:101@acme.example>").unwrap(),
            offer: Some(media(Caller)),
            codecs: g711().to_vec(),
            security,
            ours,
            webrtc: None,
            headers: vec![("P-Asserted-Identity".into(), "<sip:100@acme.example>".into())],
        };
        let (mut seed, local) = (Seed::new(9), local());
        let (leg, out) = Leg::outgoing(call, &mut Ctx { now: 0, seed: &mut seed, local: &local });
        Self::with(leg, out, seed, source(at))
    }

    /// It calls the leg.
    pub(super) fn calling(invite: &Message, source: Source) -> Self {
        Self::taking(&g711(), Security::Off, invite, source)
    }

    /// As [`Far::calling`], where the leg takes these codecs, and SRTP or not.
    pub(super) fn taking(codecs: &[Codec], security: Security, invite: &Message, source: Source) -> Self {
        let (mut seed, local) = (Seed::new(9), local());
        let mut ctx = Ctx { now: 0, seed: &mut seed, local: &local };
        let (leg, out) = Leg::incoming(invite, &source, codecs, security, &mut ctx).expect("a good INVITE");
        Self::with(leg, out, seed, source)
    }

    fn with(leg: Leg, out: Vec<Output>, seed: Seed, source: Source) -> Self {
        let mut far = Self {
            leg,
            now: 0,
            seed,
            local: local(),
            requests: Vec::new(),
            responses: Vec::new(),
            destinations: Vec::new(),
            facts: Vec::new(),
            source,
        };
        far.note(out);
        far
    }

    pub(super) fn act(&mut self, decide: impl FnOnce(&mut Leg, &mut Ctx<'_>) -> Vec<Output>) {
        self.leg = reborn(&self.leg);
        let out = decide(&mut self.leg, &mut Ctx { now: self.now, seed: &mut self.seed, local: &self.local });
        self.note(out);
    }

    pub(super) fn say(&mut self, message: &Message) {
        let source = self.source.clone();
        self.act(|leg, ctx| leg.receive(message, &source, ctx));
    }

    fn note(&mut self, out: Vec<Output>) {
        for output in out {
            match output {
                Output::Fact(fact) => self.facts.push(fact),
                Output::Send(Outgoing::Request { branch, destination, message, .. }) => {
                    let mut message = Message::parse(&message).unwrap();
                    message.push_front("Via", format!("SIP/2.0/UDP 192.0.2.1;branch={branch}"));
                    self.requests.push(message);
                    self.destinations.push(destination);
                }
                Output::Send(Outgoing::Response { destination, message }) => {
                    self.responses.push(Message::parse(&message).unwrap());
                    self.destinations.push(destination);
                }
            }
        }
    }

    /// A response to the request at `index`, with a Contact that follows the tag.
    pub(super) fn answer_to(&self, index: usize, status: u16, tag: &str) -> Message {
        let mut response = Message::reply_to(&self.requests[index], status);
        response.set_to_tag(tag);
        response.with("Contact", format!("<sip:{tag}@203.0.113.9:5070>"))
    }

    pub(super) fn said(&self) -> Vec<String> {
        self.requests.iter().map(|request| request.method().to_string()).collect()
    }
}

pub(super) fn described(message: Message) -> Message {
    message.with_body("application/sdp", ANSWER.into())
}

pub(super) fn invite() -> Message {
    Message::request(crate::Method::INVITE, "sip:acme.leg_1@192.0.2.1")
        .with("Via", "SIP/2.0/UDP 203.0.113.9:5060;branch=z9hG4bKinvite;rport")
        .with("From", "<sip:caller@example.com>;tag=theirs")
        .with("To", "<sip:74951234567@acme.example>")
        .with("Call-ID", "call@example.com")
        .with("CSeq", "5 INVITE")
        .with("Contact", "<sip:caller@203.0.113.9:5060>")
        .with("Max-Forwards", "70")
        .with_body("application/sdp", ANSWER.into())
}

/// A request of the far end in the dialog of [`invite`].
pub(super) fn request(far: &Far, method: crate::Method, cseq: u32) -> Message {
    Message::request(method.clone(), "sip:acme.leg_1@192.0.2.1")
        .with("Via", format!("SIP/2.0/UDP 203.0.113.9:5060;branch=z9hG4bK{cseq}{method};rport"))
        .with("From", "<sip:caller@example.com>;tag=theirs")
        .with("To", format!("<sip:74951234567@acme.example>;tag={}", far.leg.local_tag()))
        .with("Call-ID", "call@example.com")
        .with("CSeq", format!("{cseq} {method}"))
}
