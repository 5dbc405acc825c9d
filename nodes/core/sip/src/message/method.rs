//! Methods: rsip's where it knows them, text for all others. Methods are case-sensitive (RFC 3261 section 7.1).

use std::fmt;

use serde::{Deserialize, Serialize};

/// A request's method. Compare with the constants: `Method::INVITE`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "String", into = "String")]
pub enum Method {
    Known(rsip::Method),
    Other(String),
}

impl Method {
    pub const ACK: Method = Method::Known(rsip::Method::Ack);
    pub const BYE: Method = Method::Known(rsip::Method::Bye);
    pub const CANCEL: Method = Method::Known(rsip::Method::Cancel);
    pub const INFO: Method = Method::Known(rsip::Method::Info);
    pub const INVITE: Method = Method::Known(rsip::Method::Invite);
    pub const MESSAGE: Method = Method::Known(rsip::Method::Message);
    pub const NOTIFY: Method = Method::Known(rsip::Method::Notify);
    pub const OPTIONS: Method = Method::Known(rsip::Method::Options);
    pub const PRACK: Method = Method::Known(rsip::Method::PRack);
    pub const PUBLISH: Method = Method::Known(rsip::Method::Publish);
    pub const REFER: Method = Method::Known(rsip::Method::Refer);
    pub const REGISTER: Method = Method::Known(rsip::Method::Register);
    pub const SUBSCRIBE: Method = Method::Known(rsip::Method::Subscribe);
    pub const UPDATE: Method = Method::Known(rsip::Method::Update);

    /// Reads a method; whatever is no known one becomes `Other`. rsip's own reader is not used: it ignores case.
    pub fn read(text: &str) -> Method {
        match text {
            "ACK" => Method::ACK,
            "BYE" => Method::BYE,
            "CANCEL" => Method::CANCEL,
            "INFO" => Method::INFO,
            "INVITE" => Method::INVITE,
            "MESSAGE" => Method::MESSAGE,
            "NOTIFY" => Method::NOTIFY,
            "OPTIONS" => Method::OPTIONS,
            "PRACK" => Method::PRACK,
            "PUBLISH" => Method::PUBLISH,
            "REFER" => Method::REFER,
            "REGISTER" => Method::REGISTER,
            "SUBSCRIBE" => Method::SUBSCRIBE,
            "UPDATE" => Method::UPDATE,
            other => Method::Other(other.to_owned()),
        }
    }

    pub fn as_str(&self) -> &str {
        match self {
            Method::Known(known) => spelling(known),
            Method::Other(text) => text,
        }
    }
}

fn spelling(known: &rsip::Method) -> &'static str {
    match known {
        rsip::Method::Ack => "ACK",
        rsip::Method::Bye => "BYE",
        rsip::Method::Cancel => "CANCEL",
        rsip::Method::Info => "INFO",
        rsip::Method::Invite => "INVITE",
        rsip::Method::Message => "MESSAGE",
        rsip::Method::Notify => "NOTIFY",
        rsip::Method::Options => "OPTIONS",
        rsip::Method::PRack => "PRACK",
        rsip::Method::Publish => "PUBLISH",
        rsip::Method::Refer => "REFER",
        rsip::Method::Register => "REGISTER",
        rsip::Method::Subscribe => "SUBSCRIBE",
        rsip::Method::Update => "UPDATE",
    }
}

impl fmt::Display for Method {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl From<String> for Method {
    fn from(text: String) -> Method {
        Method::read(&text)
    }
}

impl From<Method> for String {
    fn from(method: Method) -> String {
        method.as_str().to_owned()
    }
}
