//! Phones that break a rule and are served all the same: one place, each with its reason.

use mangrove_sip::Message;

/// libre before version 3 (baresip 0.x to 2.x, in Debian and in many door phones) gives up on the whole answer when it
/// holds one challenge with an algorithm other than MD5, though RFC 8760 section 2.4 lets it pass over those. It gets
/// the MD5 challenge only. That weakens nothing for others: MD5 is accepted from anybody, and a stranger who claims
/// to be baresip still has to know the password.
const ONLY_MD5: &[&str] = &["baresip v0.", "baresip v1.", "baresip v2."];

/// Leaves out the challenges that this phone would choke on.
pub(super) fn bearable(request: &Message, mut challenges: Vec<String>) -> Vec<String> {
    let agent = request.header("User-Agent").unwrap_or_default();
    if ONLY_MD5.iter().any(|start| agent.starts_with(start)) {
        challenges.retain(|challenge| challenge.contains("algorithm=MD5"));
    }
    challenges
}

#[cfg(test)]
mod tests {
    use mangrove_sip::Method;

    use super::*;

    #[test]
    fn old_libre_gets_md5_alone_and_others_both() {
        let both = || vec!["Digest algorithm=SHA-256".to_owned(), "Digest algorithm=MD5".to_owned()];
        let from =
            |agent: &str| Message::request(Method::REGISTER, "sip:acme.example").with("User-Agent", agent);
        assert_eq!(bearable(&from("baresip v1.0.0 (x86_64/linux)"), both()), ["Digest algorithm=MD5"]);
        assert_eq!(bearable(&from("baresip v3.5.0"), both()), both());
        assert_eq!(bearable(&Message::request(Method::REGISTER, "sip:acme.example"), both()), both());
    }
}
