//! The far end of one dialog: a carrier's caller, a phone that rings or calls. Writes SIP by hand, so that nothing of
//! ours is used to test ours, and reads what it is sent.

use mangrove_proto::edge;
use mangrove_sip::Message;

/// Who speaks here, and what was said so far.
#[derive(Debug, Clone)]
pub(crate) struct FarEnd {
    /// Number, or the device's user name.
    pub(crate) user: String,
    /// How the edge proved a caller; none for a phone that was called.
    pub(crate) ingress: Option<edge::Ingress>,
    pub(crate) address: String,
    pub(crate) call_id: String,
    tag: String,
    our_tag: Option<String>,
    /// Our leg, once known from our Contact or the effect.
    pub(crate) leg: String,
    contact: String,
    cseq: u32,
    /// The INVITE that began it.
    pub(crate) invite: Message,
    /// Everything sent to it.
    pub(crate) heard: Vec<Message>,
    pub(crate) calls: bool,
    /// The branch of the INVITE that it got.
    pub(crate) branch: String,
    /// What it answered to the INVITE, if it was called.
    pub(crate) answered: Option<u16>,
    /// What it answers to an offer of T.38; 0: nothing.
    pub(crate) fax: u16,
}

pub(crate) fn sdp(port: u16, direction: &str, version: u32) -> String {
    format!(
        "v=0\r\no=- 77 {version} IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\n\
         m=audio {port} RTP/AVP 8 0 101\r\na=rtpmap:8 PCMA/8000\r\na=rtpmap:0 PCMU/8000\r\n\
         a=rtpmap:101 telephone-event/8000\r\na={direction}\r\n"
    )
}

/// A description of some codecs: `formats` are the numbers and `maps` what stands for them beyond RFC 3551.
pub(crate) fn sdp_of(formats: &str, maps: &[&str], version: u32) -> String {
    let maps: String = maps.iter().map(|map| format!("a=rtpmap:{map}\r\n")).collect();
    format!(
        "v=0\r\no=- 77 {version} IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\n\
         m=audio 4000 RTP/AVP {formats}\r\n{maps}a=sendrecv\r\n"
    )
}

/// A description of T.38 with one attribute.
pub(crate) fn image(port: u16, term: &str, version: u32) -> String {
    format!(
        "v=0\r\no=- 77 {version} IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\n\
         m=image {port} udptl t38\r\na={term}\r\n"
    )
}

/// Whether a message describes T.38 that is not refused.
pub(crate) fn is_fax(message: &Message) -> bool {
    let body = String::from_utf8_lossy(message.body()).into_owned();
    body.lines().any(|line| line.starts_with("m=image ") && !line.starts_with("m=image 0 "))
}

/// The key of far ends whose sound is SRTP.
pub(crate) const KEY: &str = "NzB4d1BINUAvLEw6UzF3WSJ+PSdFcGdUJShpX1Zj";

/// The same description for SRTP, with that key.
pub(crate) fn secret(plain: &str) -> String {
    let line = format!("a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:{KEY}|2^31\r\n");
    plain.replace("RTP/AVP", "RTP/SAVP") + &line
}

/// What a browser says, as Chrome writes it: its certificate is all of byte 0x37.
pub(crate) fn browser_sdp(direction: &str, setup: &str, version: u32) -> String {
    format!(
        "v=0\r\no=- 77 {version} IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\na=group:BUNDLE 0\r\na=msid-semantic: WMS a\r\n\
         m=audio 9 UDP/TLS/RTP/SAVPF 111 8 0 110 126\r\nc=IN IP4 0.0.0.0\r\na=rtcp:9 IN IP4 0.0.0.0\r\n\
         a=ice-ufrag:F7gI\r\na=ice-pwd:x9cml/YzichV2+XlhiMu8g\r\na=ice-options:trickle\r\n\
         a=fingerprint:sha-256 37{}\r\na=setup:{setup}\r\na=mid:0\r\na={direction}\r\na=rtcp-mux\r\n\
         a=rtpmap:111 opus/48000/2\r\na=rtpmap:8 PCMA/8000\r\na=rtpmap:0 PCMU/8000\r\n\
         a=rtpmap:110 telephone-event/48000\r\na=rtpmap:126 telephone-event/8000\r\n",
        ":37".repeat(31)
    )
}

/// The formats of a message's audio line.
pub(crate) fn formats(message: &Message) -> String {
    let body = String::from_utf8_lossy(message.body()).into_owned();
    let line = body.lines().find(|line| line.starts_with("m=audio "));
    line.and_then(|line| line.split_once(" RTP/AVP ")).map_or("", |(_, formats)| formats).to_owned()
}

fn finish(head: &str, body: &str) -> Vec<u8> {
    let kind = if body.is_empty() { "" } else { "Content-Type: application/sdp\r\n" };
    format!("{head}{kind}Content-Length: {}\r\n\r\n{body}", body.len()).into_bytes()
}

impl FarEnd {
    /// A caller who is about to send an INVITE for `to`.
    pub(crate) fn caller(user: &str, to: &str, ingress: edge::Ingress, address: &str, serial: u32) -> Self {
        let mut caller = Self {
            user: user.into(),
            ingress: Some(ingress),
            address: address.into(),
            call_id: format!("caller-{serial}"),
            tag: format!("tag{serial}"),
            our_tag: None,
            leg: String::new(),
            contact: String::new(),
            cseq: 1,
            invite: Message::response(200),
            heard: Vec::new(),
            calls: true,
            branch: String::new(),
            answered: None,
            fax: 200,
        };
        let head = format!(
            "INVITE sip:{to}@acme.example SIP/2.0\r\nVia: SIP/2.0/UDP {address};branch=z9hG4bKc{serial}\r\n\
             Max-Forwards: 70\r\nFrom: <sip:{user}@acme.example>;tag=tag{serial}\r\nTo: <sip:{to}@acme.example>\r\n\
             Call-ID: caller-{serial}\r\nCSeq: 1 INVITE\r\nContact: <sip:{user}@{address}>\r\n"
        );
        caller.invite = Message::parse(&finish(&head, &sdp(4000, "sendrecv", 1))).expect("a good INVITE");
        caller
    }

    /// The same caller, who offers another description.
    pub(crate) fn offering(mut self, body: &str) -> Self {
        let text = String::from_utf8(self.invite.to_bytes()).expect("text");
        let (head, _) = text.split_once("\r\n\r\n").expect("a head");
        let lines = head.lines().filter(|line| !line.starts_with("Content-"));
        let head: String = lines.map(|line| format!("{line}\r\n")).collect();
        self.invite = Message::parse(&finish(&head, body)).expect("a good INVITE");
        self
    }

    /// A phone that gets an INVITE.
    pub(crate) fn called(invite: Message, (leg, branch): (&str, &str), address: &str, serial: u32) -> Self {
        Self {
            user: invite.request_uri().ok().and_then(|uri| uri.user).unwrap_or_default(),
            ingress: None,
            address: address.into(),
            call_id: invite.call_id().unwrap_or_default().into(),
            tag: format!("phone{serial}"),
            our_tag: invite.from_tag().map(str::to_owned),
            leg: leg.into(),
            contact: contact(&invite),
            cseq: 1,
            invite,
            heard: Vec::new(),
            calls: false,
            branch: branch.into(),
            answered: None,
            fax: 200,
        }
    }

    /// Takes what was sent to it.
    pub(crate) fn hear(&mut self, message: Message) {
        if message.is_response() && message.to_tag().is_some() {
            self.our_tag = message.to_tag().map(str::to_owned).filter(|_| self.calls).or(self.our_tag.take());
            if self.calls && message.status() == Some(200) && message.contact().ok().flatten().is_some() {
                self.contact = contact(&message);
            }
        }
        self.heard.push(message);
    }

    /// All it was told, in words: statuses with their method, methods.
    pub(crate) fn words(&self) -> Vec<String> {
        let word = |message: &Message| match message.status() {
            Some(status) => format!("{status} {}", message.method()),
            None => message.method().to_string(),
        };
        self.heard.iter().map(word).collect()
    }

    pub(crate) fn was_told(&self, word: &str) -> bool {
        self.words().iter().any(|told| told == word)
    }

    /// The names of its dialog, for Replaces.
    pub(crate) fn names(&self) -> String {
        let ours = self.our_tag.as_deref().unwrap_or("none");
        format!("{};to-tag={ours};from-tag={}", self.call_id, self.tag)
    }

    /// A response to `request`, with a description or without.
    pub(crate) fn reply(&self, request: &Message, status: u16, body: &str) -> Vec<u8> {
        let mut head = format!("SIP/2.0 {status} X\r\n");
        for name in ["Via", "From", "Call-ID", "CSeq"] {
            head += &format!("{name}: {}\r\n", request.header(name).unwrap_or_default());
        }
        let to = request.header("To").unwrap_or_default();
        let tag = if to.contains("tag=") { String::new() } else { format!(";tag={}", self.tag) };
        head += &format!("To: {to}{tag}\r\nContact: <sip:{}@{}>\r\n", self.user, self.address);
        finish(&head, body)
    }

    /// A request inside the dialog.
    pub(crate) fn request(&mut self, method: &str, extra: &str, body: &str) -> Vec<u8> {
        if method != "ACK" {
            self.cseq += 1;
        }
        let (cseq, branch) = (self.cseq, format!("z9hG4bK{}{}{}", self.tag, method, self.cseq));
        let (mut from, mut to) = (self.invite.header("From"), self.invite.header("To"));
        if !self.calls {
            std::mem::swap(&mut from, &mut to);
        }
        let from = from.unwrap_or_default().split(";tag").next().unwrap_or_default().to_owned();
        let to = to.unwrap_or_default().split(";tag").next().unwrap_or_default().to_owned();
        let head = format!(
            "{method} {} SIP/2.0\r\nVia: SIP/2.0/UDP {};branch={branch}\r\nMax-Forwards: 70\r\nFrom: {from};tag={}\r\n\
             To: {to};tag={}\r\nCall-ID: {}\r\nCSeq: {cseq} {method}\r\nContact: <sip:{}@{}>\r\n{extra}",
            self.contact,
            self.address,
            self.tag,
            self.our_tag.as_deref().unwrap_or("none"),
            self.call_id,
            self.user,
            self.address,
        );
        finish(&head, body)
    }

    /// The ACK to our 2xx.
    pub(crate) fn ack(&mut self) -> Vec<u8> {
        self.request("ACK", "", "")
    }

    /// CANCEL of the INVITE.
    pub(crate) fn cancel(&self) -> Vec<u8> {
        let mut head = String::new();
        let text = String::from_utf8(self.invite.to_bytes()).expect("text");
        for (index, line) in text.lines().take_while(|line| !line.is_empty()).enumerate() {
            let line = if index == 0 { line.replacen("INVITE", "CANCEL", 1) } else { line.to_owned() };
            if line.starts_with("Content") || line.starts_with("Contact") {
                continue;
            }
            head += &format!("{}\r\n", line.replace("1 INVITE", "1 CANCEL"));
        }
        finish(&head, "")
    }
}

fn contact(message: &Message) -> String {
    message.contact().ok().flatten().map(|contact| contact.uri.to_string()).unwrap_or_default()
}
