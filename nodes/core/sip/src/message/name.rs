//! Header names: canonical spelling, compact forms, and which headers are comma lists.

use std::borrow::Cow;
use std::fmt;

use serde::{Deserialize, Serialize};

/// A header's name, spelled canonically when it is a known one. Compared without case.
#[derive(Debug, Clone, Eq, Serialize, Deserialize)]
#[serde(from = "String", into = "String")]
pub struct Name(Cow<'static, str>);

/// Canonical spelling; whether the value is a list whose elements stand on their own.
type Known = (&'static str, bool);

/// Known headers by their first letter, so that finding one looks at a handful.
fn known_by(letter: u8) -> &'static [Known] {
    match letter {
        b'a' => A,
        b'c' => C,
        b'd' => &[("Date", false), ("Diversion", true)],
        b'e' => &[("Expires", false), ("Event", false), ("Error-Info", true)],
        b'f' => &[("From", false), ("Flow-Timer", false)],
        b'g' => &[("Geolocation", true)],
        b'h' => &[("History-Info", true)],
        b'i' => &[("Identity", false), ("In-Reply-To", true)],
        b'j' => &[("Join", false)],
        b'm' => {
            &[("Max-Forwards", false), ("Min-SE", false), ("Min-Expires", false), ("MIME-Version", false)]
        }
        b'o' => &[("Organization", false)],
        b'p' => P,
        b'r' => R,
        b's' => S,
        b't' => &[("To", false), ("Timestamp", false), ("Target-Dialog", false)],
        b'u' => &[("User-Agent", false), ("Unsupported", true)],
        b'v' => &[("Via", true)],
        b'w' => &[("WWW-Authenticate", false), ("Warning", true)],
        _ => &[],
    }
}

const A: &[Known] = &[
    ("Allow", true),
    ("Authorization", false),
    ("Accept", true),
    ("Allow-Events", true),
    ("Accept-Encoding", true),
    ("Accept-Language", true),
    ("Accept-Contact", true),
    ("Alert-Info", true),
    ("Authentication-Info", false),
];
const C: &[Known] = &[
    ("Call-ID", false),
    ("CSeq", false),
    ("Contact", true),
    ("Content-Type", false),
    ("Content-Length", false),
    ("Content-Disposition", false),
    ("Content-Encoding", true),
    ("Content-Language", true),
    ("Content-ID", false),
    ("Call-Info", true),
];
const P: &[Known] = &[
    ("P-Asserted-Identity", true),
    ("P-Preferred-Identity", true),
    ("P-Called-Party-ID", false),
    ("Privacy", false),
    ("Path", true),
    ("Proxy-Authenticate", false),
    ("Proxy-Authorization", false),
    ("Proxy-Require", true),
    ("Priority", false),
];
const R: &[Known] = &[
    ("Record-Route", true),
    ("Route", true),
    ("Require", true),
    ("RSeq", false),
    ("RAck", false),
    ("Reason", true),
    ("Refer-To", false),
    ("Referred-By", false),
    ("Refer-Sub", false),
    ("Replaces", false),
    ("Reply-To", false),
    ("Retry-After", false),
    ("Remote-Party-ID", true),
    ("Request-Disposition", true),
    ("Reject-Contact", true),
];
const S: &[Known] = &[
    ("Supported", true),
    ("Session-Expires", false),
    ("Server", false),
    ("Subject", false),
    ("Subscription-State", false),
    ("Service-Route", true),
    ("SIP-ETag", false),
    ("SIP-If-Match", false),
];

/// The long name of a compact one (RFC 3261 section 7.3.3 and the IANA registry).
fn expanded(letter: u8) -> Option<&'static str> {
    Some(match letter {
        b'a' => "Accept-Contact",
        b'b' => "Referred-By",
        b'c' => "Content-Type",
        b'd' => "Request-Disposition",
        b'e' => "Content-Encoding",
        b'f' => "From",
        b'i' => "Call-ID",
        b'j' => "Reject-Contact",
        b'k' => "Supported",
        b'l' => "Content-Length",
        b'm' => "Contact",
        b'n' => "Identity-Info",
        b'o' => "Event",
        b'r' => "Refer-To",
        b's' => "Subject",
        b't' => "To",
        b'u' => "Allow-Events",
        b'v' => "Via",
        b'x' => "Session-Expires",
        b'y' => "Identity",
        _ => return None,
    })
}

/// The canonical spelling of a name if it is a known one, and whether its value is a comma list.
pub(crate) fn lookup(text: &str) -> Option<Known> {
    let first = text.bytes().next()?.to_ascii_lowercase();
    let long = if text.len() == 1 { expanded(first)? } else { text };
    let letter = long.bytes().next()?.to_ascii_lowercase();
    known_by(letter).iter().find(|(name, _)| name.eq_ignore_ascii_case(long)).copied()
}

impl Name {
    pub(crate) const fn known(canonical: &'static str) -> Name {
        Name(Cow::Borrowed(canonical))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether this is the header called `name`, in its long or compact form.
    pub fn is(&self, name: &str) -> bool {
        self.0.eq_ignore_ascii_case(name)
            || (name.len() == 1 && lookup(name).is_some_and(|(long, _)| self.0 == long))
    }
}

impl From<&str> for Name {
    fn from(text: &str) -> Name {
        match lookup(text) {
            Some((canonical, _)) => Name(Cow::Borrowed(canonical)),
            None => Name(Cow::Owned(text.to_owned())),
        }
    }
}

impl From<String> for Name {
    fn from(text: String) -> Name {
        Name::from(text.as_str())
    }
}

impl From<Name> for String {
    fn from(name: Name) -> String {
        name.0.into_owned()
    }
}

impl PartialEq for Name {
    fn eq(&self, other: &Name) -> bool {
        self.0.eq_ignore_ascii_case(&other.0)
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
