//! What a message says.

use super::{Error, Message, Method, Start, Via};
use crate::uri::{self, NameAddr, Uri, address_params, tag_of};

impl Message {
    pub fn is_request(&self) -> bool {
        matches!(self.start, Start::Request { .. })
    }

    pub fn is_response(&self) -> bool {
        !self.is_request()
    }

    /// The method of a request; of a response, the one in its CSeq (`Other("")` when that is unreadable).
    pub fn method(&self) -> Method {
        match &self.start {
            Start::Request { method, .. } => method.clone(),
            Start::Response { .. } => self.cseq().map_or(Method::Other(String::new()), |(_, method)| method),
        }
    }

    /// Whether this is a request with this method.
    pub fn is(&self, wanted: &Method) -> bool {
        matches!(&self.start, Start::Request { method, .. } if method == wanted)
    }

    pub fn status(&self) -> Option<u16> {
        match self.start {
            Start::Response { status, .. } => Some(status),
            Start::Request { .. } => None,
        }
    }

    /// The reason phrase of a response; empty for a request.
    pub fn reason(&self) -> &str {
        match &self.start {
            Start::Response { reason, .. } => reason,
            Start::Request { .. } => "",
        }
    }

    /// The Request-URI; an error for a response.
    pub fn request_uri(&self) -> Result<Uri, uri::Error> {
        match &self.start {
            Start::Request { uri, .. } => Uri::parse(uri),
            Start::Response { .. } => Err(uri::Error::Scheme),
        }
    }

    /// The first value of a header.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known.is(name)).map(|(_, value)| value.as_str())
    }

    /// All values of a header, in order; elements of comma lists one by one.
    pub fn headers<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> + 'a {
        self.headers.iter().filter(move |(known, _)| known.is(name)).map(|(_, value)| value.as_str())
    }

    /// Whether a list header has this token, in any case: `Supported: 100rel`.
    pub fn has_token(&self, name: &str, token: &str) -> bool {
        self.headers(name).any(|value| value.eq_ignore_ascii_case(token))
    }

    /// The sequence number and method. The number is one of RFC 3261 section 8.1.1.5, or up to 2^32-1 from elements
    /// that take it as 32 bits wide.
    pub fn cseq(&self) -> Result<(u32, Method), Error> {
        let text = self.header("CSeq").ok_or(Error::Missing("CSeq"))?;
        let (number, method) = text.split_once([' ', '\t']).ok_or(Error::CSeq)?;
        let method = method.trim();
        if !number.bytes().all(|b| b.is_ascii_digit()) || method.is_empty() || method.contains([' ', '\t']) {
            return Err(Error::CSeq);
        }
        Ok((number.parse().map_err(|_| Error::CSeq)?, Method::read(method)))
    }

    pub fn call_id(&self) -> Option<&str> {
        self.header("Call-ID")
    }

    pub fn from_tag(&self) -> Option<&str> {
        self.header("From").and_then(tag_of)
    }

    pub fn to_tag(&self) -> Option<&str> {
        self.header("To").and_then(tag_of)
    }

    /// The From address; a missing header reads as an empty one.
    pub fn from(&self) -> Result<NameAddr, uri::Error> {
        NameAddr::parse(self.header("From").unwrap_or(""))
    }

    /// The To address; a missing header reads as an empty one.
    pub fn to(&self) -> Result<NameAddr, uri::Error> {
        NameAddr::parse(self.header("To").unwrap_or(""))
    }

    /// The first Contact, if there is one; `*` is an error here.
    pub fn contact(&self) -> Result<Option<NameAddr>, uri::Error> {
        self.contacts().next().transpose()
    }

    pub fn contacts(&self) -> impl Iterator<Item = Result<NameAddr, uri::Error>> + '_ {
        self.headers("Contact").map(NameAddr::parse)
    }

    pub fn top_via(&self) -> Result<Via, Error> {
        Via::parse(self.header("Via").ok_or(Error::Missing("Via"))?)
    }

    /// The branch of the top Via.
    pub fn branch(&self) -> Option<String> {
        self.top_via().ok()?.branch().map(str::to_owned)
    }

    pub fn body(&self) -> &[u8] {
        &self.body
    }

    /// The media type of the body without parameters, as sent.
    pub fn content_type(&self) -> Option<&str> {
        let value = self.header("Content-Type")?;
        Some(value.split(';').next().unwrap_or(value).trim())
    }

    /// The number a header begins with: 1800 of `1800;refresher=uac`. None when it is none or above 2^32-1.
    pub fn u32_of(&self, name: &str) -> Option<u32> {
        let value = self.header(name)?.trim_start();
        let end = value.bytes().position(|b| !b.is_ascii_digit()).unwrap_or(value.len());
        value[..end].parse().ok()
    }

    /// A parameter of a header's first value, unquoted; empty for a flag.
    pub fn param_of<'a>(&'a self, name: &str, param: &str) -> Option<&'a str> {
        let value = self.header(name)?;
        let params = if value.contains('<') { address_params(value) } else { value.split_once(';')?.1 };
        params.split(';').find_map(|piece| {
            let (known, value) = piece.split_once('=').unwrap_or((piece, ""));
            let value = value.trim();
            let plain = value.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')).unwrap_or(value);
            known.trim().eq_ignore_ascii_case(param).then_some(plain)
        })
    }
}
