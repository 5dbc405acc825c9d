//! The far end of one dialog: a carrier's caller, or a phone that rings. Writes SIP by hand.

use mangrove_proto::edge::{Ingress, ingress::From};
use mangrove_sip::Message;

/// The number of a caller's INVITE.
const INVITED: u32 = 1;

/// How far a dialog is, as its far end sees it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Life {
    /// It calls or rings.
    Early,
    Up,
    /// It has said that it leaves and waits for the answer.
    Leaving,
    Over,
}

/// Who speaks here, and what was said so far.
#[derive(Debug)]
pub(crate) struct FarEnd {
    pub(crate) user: String,
    pub(crate) address: String,
    pub(crate) edge: usize,
    pub(crate) leg: String,
    pub(crate) calls: bool,
    pub(crate) life: Life,
    /// Whether our 200 was acknowledged, or any response came to our INVITE.
    pub(crate) heard_of: bool,
    /// Whether a caller's INVITE was answered with 200: there is a dialog, which it has to end.
    pub(crate) answered: bool,
    /// The last response to the INVITE, of a phone that was called.
    pub(crate) said: Vec<u8>,
    call_id: String,
    tag: String,
    our_tag: Option<String>,
    contact: String,
    cseq: u32,
    invite: Message,
}

fn sdp(port: u16) -> String {
    format!(
        "v=0\r\no=- 77 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio {port} RTP/AVP 8\r\n\
         a=rtpmap:8 PCMA/8000\r\na=sendrecv\r\n"
    )
}

fn finish(head: &str, body: &str) -> Vec<u8> {
    let kind = if body.is_empty() { "" } else { "Content-Type: application/sdp\r\n" };
    format!("{head}{kind}Content-Length: {}\r\n\r\n{body}", body.len()).into_bytes()
}

fn contact(message: &Message) -> String {
    message.contact().ok().flatten().map(|contact| contact.uri.to_string()).unwrap_or_default()
}

/// How an edge has proved a caller.
pub(crate) fn carrier() -> Ingress {
    Ingress { from: Some(From::Trunk("carrier".into())) }
}

/// How an edge has proved an agent's phone.
pub(crate) fn device(user: &str) -> Ingress {
    Ingress { from: Some(From::Device(user.into())) }
}

/// Where an agent's phone is.
pub(crate) fn phone(extension: &str) -> String {
    format!("10.0.3.{}:5060", extension.trim_start_matches('1').trim_start_matches('0'))
}

/// The REGISTER of an agent's phone.
pub(crate) fn register(extension: &str, attempt: u32) -> Vec<u8> {
    let address = phone(extension);
    format!(
        "REGISTER sip:acme.example SIP/2.0\r\nVia: SIP/2.0/UDP {address};branch=z9hG4bKr{extension}x{attempt}\r\n\
         Max-Forwards: 70\r\nFrom: <sip:{extension}@acme.example>;tag=r{extension}\r\n\
         To: <sip:{extension}@acme.example>\r\nCall-ID: register-{extension}\r\nCSeq: {attempt} REGISTER\r\n\
         Contact: <sip:{extension}@{address}>;expires=3600\r\nContent-Length: 0\r\n\r\n"
    )
    .into_bytes()
}

impl FarEnd {
    /// A caller who is about to send an INVITE for `to`.
    pub(crate) fn caller(user: &str, to: &str, edge: usize, serial: usize) -> Option<Self> {
        let address = "127.0.0.1:5080";
        let head = format!(
            "INVITE sip:{to}@acme.example SIP/2.0\r\nVia: SIP/2.0/UDP {address};branch=z9hG4bKc{serial}\r\n\
             Max-Forwards: 70\r\nFrom: <sip:{user}@carrier.example>;tag=tag{serial}\r\nTo: <sip:{to}@acme.example>\r\n\
             Call-ID: caller-{serial}\r\nCSeq: 1 INVITE\r\nContact: <sip:{user}@{address}>\r\n"
        );
        let invite = Message::parse(&finish(&head, &sdp(4000))).ok()?;
        Some(Self::new(invite, (user, address), edge, (true, format!("tag{serial}"))))
    }

    /// A phone that gets an INVITE.
    pub(crate) fn called(invite: Message, edge: usize, leg: &str, serial: usize) -> Self {
        let user = invite.request_uri().ok().and_then(|uri| uri.user).unwrap_or_default();
        let mut end = Self::new(invite, (&user, &phone(&user)), edge, (false, format!("phone{serial}")));
        end.leg = leg.into();
        end.our_tag = end.invite.from_tag().map(str::to_owned);
        end.contact = contact(&end.invite);
        end
    }

    fn new(
        invite: Message,
        (user, address): (&str, &str),
        edge: usize,
        (calls, tag): (bool, String),
    ) -> Self {
        Self {
            user: user.into(),
            address: address.into(),
            edge,
            leg: String::new(),
            calls,
            life: Life::Early,
            heard_of: false,
            answered: false,
            said: Vec::new(),
            call_id: invite.call_id().unwrap_or_default().into(),
            tag,
            our_tag: None,
            contact: String::new(),
            cseq: INVITED,
            invite,
        }
    }

    pub(crate) fn invite(&self) -> Vec<u8> {
        self.invite.to_bytes()
    }

    pub(crate) fn call_id(&self) -> &str {
        &self.call_id
    }

    /// Takes what was sent to it.
    pub(crate) fn hear(&mut self, message: &Message) {
        if self.calls && message.is_response() && message.to_tag().is_some() {
            self.our_tag = message.to_tag().map(str::to_owned);
            if message.status() == Some(200) && message.contact().ok().flatten().is_some() {
                self.contact = contact(message);
            }
        }
    }

    /// Whether it is the INVITE once more that this phone has.
    pub(crate) fn repeats_invite(&self, message: &Message) -> bool {
        let number = |message: &Message| message.cseq().ok().map(|(number, _)| number);
        !self.calls && number(message) == number(&self.invite)
    }

    /// A response to the INVITE, kept for when that comes again.
    pub(crate) fn answer(&mut self, status: u16) -> Vec<u8> {
        let body = if status == 200 { sdp(4200) } else { String::new() };
        self.said = self.reply(&self.invite, status, &body);
        self.said.clone()
    }

    /// A response to another request.
    pub(crate) fn reply_to(&self, request: &Message, status: u16) -> Vec<u8> {
        let body = if request.method().as_str() == "INVITE" { sdp(4100) } else { String::new() };
        self.reply(request, status, &body)
    }

    fn reply(&self, request: &Message, status: u16, body: &str) -> Vec<u8> {
        let end = format!("Contact: <sip:{}@{}>\r\n", self.user, self.address);
        finish(&format!("{}{end}", response(request, status, &self.tag)), body)
    }

    /// A request inside the dialog; ACK has the number of the INVITE, whatever was said since.
    pub(crate) fn request(&mut self, method: &str) -> Vec<u8> {
        let cseq = if method == "ACK" { INVITED } else { self.cseq + 1 };
        self.cseq = self.cseq.max(cseq);
        let branch = format!("z9hG4bK{}{method}{cseq}", self.tag);
        let (mut from, mut to) = (self.invite.header("From"), self.invite.header("To"));
        if !self.calls {
            std::mem::swap(&mut from, &mut to);
        }
        let bare =
            |text: Option<&str>| text.unwrap_or_default().split(";tag").next().unwrap_or_default().to_owned();
        let head = format!(
            "{method} {} SIP/2.0\r\nVia: SIP/2.0/UDP {};branch={branch}\r\nMax-Forwards: 70\r\nFrom: {};tag={}\r\n\
             To: {};tag={}\r\nCall-ID: {}\r\nCSeq: {cseq} {method}\r\nContact: <sip:{}@{}>\r\n",
            self.contact,
            self.address,
            bare(from),
            self.tag,
            bare(to),
            self.our_tag.as_deref().unwrap_or("none"),
            self.call_id,
            self.user,
            self.address,
        );
        finish(&head, "")
    }

    /// CANCEL of the INVITE.
    pub(crate) fn cancel(&self) -> Vec<u8> {
        let text = String::from_utf8_lossy(&self.invite.to_bytes()).into_owned();
        let mut head = String::new();
        for (index, line) in text.lines().take_while(|line| !line.is_empty()).enumerate() {
            if line.starts_with("Content") || line.starts_with("Contact") {
                continue;
            }
            let line = if index == 0 { line.replacen("INVITE", "CANCEL", 1) } else { line.to_owned() };
            head += &format!("{}\r\n", line.replace("1 INVITE", "1 CANCEL"));
        }
        finish(&head, "")
    }
}

fn response(request: &Message, status: u16, own_tag: &str) -> String {
    let mut head = format!("SIP/2.0 {status} X\r\n");
    for via in request.headers("Via") {
        head += &format!("Via: {via}\r\n");
    }
    for name in ["From", "Call-ID", "CSeq"] {
        head += &format!("{name}: {}\r\n", request.header(name).unwrap_or_default());
    }
    let to = request.header("To").unwrap_or_default();
    let tag = if to.contains("tag=") { String::new() } else { format!(";tag={own_tag}") };
    format!("{head}To: {to}{tag}\r\n")
}

/// What a phone says to a request of a dialog that it does not have.
pub(crate) fn unknown(request: &Message) -> Vec<u8> {
    finish(&response(request, 481, "nobody"), "")
}
