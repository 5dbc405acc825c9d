//! What a REGISTER asks for.

use sha2::{Digest, Sha256};

use super::{Binding, MAX_BINDINGS, MAX_EXPIRES, MIN_EXPIRES, Refused};
use crate::message::Message;
use crate::uri::NameAddr;
use crate::{Source, Uri};

/// The change asked for; no contacts at all is a question.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Change {
    /// A binding that expires when it was registered is to be removed.
    Contacts(Vec<Binding>),
    RemoveAll,
}

/// A REGISTER, read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Wanted {
    pub(super) change: Change,
    pub(super) path: Vec<String>,
    pub(super) outbound: bool,
    call_id: String,
    cseq: u32,
}

impl Wanted {
    pub(super) fn of(request: &Message, source: &Source, now: u64) -> Result<Wanted, Refused> {
        let address = request.to().map_err(|_| Refused::new(400, "Malformed To"))?;
        if !is_callable(&address.uri) {
            return Err(Refused::new(400, "Address of Record Is No SIP URI"));
        }
        let (cseq, _) = request.cseq().map_err(|_| Refused::new(400, "Malformed CSeq"))?;
        let mut wanted = Wanted {
            change: Change::RemoveAll,
            path: request.headers("Path").map(str::to_owned).collect(),
            outbound: false,
            call_id: request.call_id().unwrap_or_default().to_owned(),
            cseq,
        };
        if request.headers("Contact").nth(MAX_BINDINGS).is_some() {
            return Err(Refused::new(403, "Too Many Contacts"));
        }
        if !removes_all(request)? {
            let contacts =
                request.headers("Contact").map(|value| wanted.binding(value, request, source, now));
            let contacts = contacts.collect::<Result<Vec<_>, _>>()?;
            wanted.outbound = contacts.iter().any(|contact| contact.outbound);
            wanted.change = Change::Contacts(contacts);
        }
        Ok(wanted)
    }

    /// Whether a binding was made by a later request of the same client. The very same request counts as not older.
    pub(super) fn is_older_than(&self, binding: &Binding) -> bool {
        self.call_id == binding.call_id && self.cseq < binding.cseq
    }

    fn binding(&self, value: &str, request: &Message, source: &Source, now: u64) -> Result<Binding, Refused> {
        let mut contact = NameAddr::parse(value).map_err(|_| Refused::new(400, "Malformed Contact"))?;
        if !is_callable(&contact.uri) || contact.uri.host.is_empty() {
            return Err(Refused::new(400, "Contact Is No SIP URI"));
        }
        contact.uri.headers = None;
        let seconds = granted(expiry(&contact, request))?;
        let instance = contact.params.get("+sip.instance").filter(|instance| !instance.is_empty());
        let reg_id = contact.params.get("reg-id").and_then(|id| id.parse().ok()).filter(|id| *id > 0);
        Ok(Binding {
            path: self.path.clone(),
            outbound: instance.is_some() && reg_id.is_some() && supports_outbound(request),
            instance: instance.map(str::to_owned),
            reg_id,
            source: source.clone(),
            q: contact.params.get("q").map_or(1000, thousandths),
            user_agent: request.header("User-Agent").map(str::to_owned),
            ice: contact.params.has("+sip.ice"),
            registered_at: now,
            expires_at: now + u64::from(seconds) * 1000,
            call_id: self.call_id.clone(),
            cseq: self.cseq,
            contact: contact.uri,
        })
    }
}

/// `Contact: *` stands alone and with `Expires: 0` (RFC 3261 section 10.2.2).
fn removes_all(request: &Message) -> Result<bool, Refused> {
    if !request.headers("Contact").any(|contact| contact == "*") {
        return Ok(false);
    }
    let alone = request.headers("Contact").count() == 1;
    if alone && request.u32_of("Expires") == Some(0) {
        return Ok(true);
    }
    Err(Refused::new(400, "Contact * Needs Expires 0 and No Other Contact"))
}

fn is_callable(uri: &Uri) -> bool {
    uri.is_sip() || uri.is_sips()
}

/// The seconds asked for: the contact's own word, else the header's. Nonsense counts as nothing said.
fn expiry(contact: &NameAddr, request: &Message) -> Option<u32> {
    let own = contact.params.get("expires").and_then(|text| text.parse().ok());
    own.or_else(|| request.u32_of("Expires"))
}

fn granted(asked: Option<u32>) -> Result<u32, Refused> {
    match asked {
        Some(0) => Ok(0),
        Some(seconds) if seconds < MIN_EXPIRES => {
            let mut refused = Refused::new(423, "Interval Too Brief");
            refused.headers.push(("Min-Expires", MIN_EXPIRES.to_string()));
            Err(refused)
        }
        Some(seconds) => Ok(seconds.min(MAX_EXPIRES)),
        None => Ok(MAX_EXPIRES),
    }
}

/// A client that speaks outbound, directly or through an edge proxy that keeps its flow (RFC 5626 section 6).
fn supports_outbound(request: &Message) -> bool {
    let direct = request.headers("Via").count() == 1;
    let kept = || {
        let last = request.headers("Path").last().and_then(|path| NameAddr::parse(path).ok());
        last.is_some_and(|path| path.uri.params.has("ob"))
    };
    request.has_token("Supported", "outbound") && (direct || kept())
}

/// `0.7` as 700; nonsense as the least.
fn thousandths(q: &str) -> u16 {
    let (whole, fraction) = q.split_once('.').unwrap_or((q, ""));
    let digits = |text: &str| text.bytes().all(|b| b.is_ascii_digit());
    match whole {
        "1" => 1000,
        "0" | "" if digits(fraction) && fraction.len() <= 3 => format!("{fraction:0<3}").parse().unwrap_or(0),
        _ => 0,
    }
}

/// A To tag that any node gives the same request: a retransmission answered elsewhere is answered alike.
pub(super) fn tag_for(request: &Message) -> String {
    let mut hash = Sha256::new();
    for part in [request.call_id(), request.from_tag(), request.header("CSeq")] {
        hash.update(part.unwrap_or_default());
        hash.update([0]);
    }
    hex::encode(&hash.finalize()[..8])
}
