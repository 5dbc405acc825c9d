//! The mail server that takes what callers have left in boxes with an address.

use std::path::PathBuf;

use serde::Deserialize;

/// Where mail goes, and as whose.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Smtp {
    /// `host` or `host:port`.
    pub(crate) server: String,
    /// `mangrove@acme.example` or `Mangrove <mangrove@acme.example>`.
    pub(crate) from: String,
    #[serde(default)]
    pub(crate) username: Option<String>,
    /// File with the password and nothing else.
    #[serde(default)]
    pub(crate) password_file: Option<PathBuf>,
    #[serde(default)]
    pub(crate) tls: SmtpTls,
}

/// How the way to the server is encrypted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum SmtpTls {
    /// After a word in the clear, before anything is said that matters; no mail where the server can't.
    #[default]
    Starttls,
    /// From the first byte on.
    Implicit,
    /// Not at all: a server on the same machine.
    Off,
}

impl SmtpTls {
    fn usual_port(self) -> u16 {
        match self {
            Self::Starttls => 587,
            Self::Implicit => 465,
            Self::Off => 25,
        }
    }
}

impl Smtp {
    /// Host and port; an IPv6 address without its brackets.
    pub(crate) fn place(&self) -> (&str, u16) {
        let parts =
            self.server.rsplit_once(':').filter(|(host, _)| !host.contains(':') || host.ends_with(']'));
        let port = parts.and_then(|(host, port)| Some((host, port.parse().ok()?)));
        let (host, port) = port.unwrap_or((self.server.as_str(), self.tls.usual_port()));
        (host.trim_start_matches('[').trim_end_matches(']'), port)
    }

    /// (key, what is wrong and what is allowed).
    pub(super) fn check(&self, find: &mut impl FnMut(&str, String)) {
        let (host, port) = self.place();
        let plain = |c: char| c.is_ascii_alphanumeric() || ".:-".contains(c);
        if host.is_empty() || !host.chars().all(plain) || port == 0 {
            let what =
                "this is no mail server; allowed: a host like mail.example, with or without :587 behind";
            find("smtp.server", what.to_owned());
        }
        if self.from.parse::<lettre::message::Mailbox>().is_err() {
            let what = "this is no sender; allowed: name@host or Name <name@host>";
            find("smtp.from", what.to_owned());
        }
        if self.username.is_some() != self.password_file.is_some() {
            let what = "a user name and a password belong together; allowed: both smtp.username and smtp.password_file, or neither";
            find("smtp.username", what.to_owned());
        }
        if self.username.is_some() && self.tls == SmtpTls::Off {
            let what = "the password would travel readable; allowed: starttls, implicit, or off without smtp.username";
            find("smtp.tls", what.to_owned());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_has_the_usual_port_unless_it_says_another() {
        for (server, tls, place) in [
            ("mail.example", SmtpTls::Starttls, ("mail.example", 587)),
            ("mail.example", SmtpTls::Implicit, ("mail.example", 465)),
            ("127.0.0.1", SmtpTls::Off, ("127.0.0.1", 25)),
            ("mail.example:2525", SmtpTls::Starttls, ("mail.example", 2525)),
            ("[::1]:25", SmtpTls::Starttls, ("::1", 25)),
            ("[::1]", SmtpTls::Off, ("::1", 25)),
        ] {
            let (username, password_file) = (None, None);
            let smtp = Smtp { server: server.into(), from: String::new(), username, password_file, tls };
            assert_eq!(smtp.place(), place, "{server}");
        }
    }
}
