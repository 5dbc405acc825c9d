//! The spelling of names, numbers and addresses. Each check says what is allowed.

type Outcome = Result<(), String>;

fn spelled(text: &str, longest: usize, allowed: &str, fits: impl Fn(char) -> bool) -> Outcome {
    if !text.is_empty() && text.len() <= longest && text.chars().all(fits) {
        return Ok(());
    }
    let shown: String = text.chars().take(64).collect();
    Err(format!("`{shown}` can't be used here; allowed: {allowed}"))
}

/// Ids stand in SIP addresses and object keys: `acme`, `anna`, `200`.
pub(super) fn id(text: &str) -> Outcome {
    let allowed = "1 to 32 letters a-z, digits and hyphens, beginning with a letter or digit";
    spelled(text, 32, allowed, |c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-')?;
    if text.starts_with('-') {
        return Err(format!("`{text}` can't be used here; allowed: {allowed}"));
    }
    Ok(())
}

/// Names of schemes, trunks, prompts, music.
pub(super) fn name(text: &str) -> Outcome {
    let allowed = "1 to 64 letters, digits, hyphens and underscores";
    spelled(text, 64, allowed, |c| c.is_alphanumeric() || c == '-' || c == '_')
}

/// What people read.
pub(super) fn label(text: &str) -> Outcome {
    if text.trim().is_empty() {
        return Err("this is empty; allowed: 1 to 100 characters".to_owned());
    }
    if text.chars().count() > 100 || text.chars().any(char::is_control) {
        return Err("this is too long or has control characters; allowed: 1 to 100 characters".to_owned());
    }
    Ok(())
}

pub(super) fn extension(text: &str) -> Outcome {
    spelled(text, 8, "1 to 8 digits in quotes, like \"101\"", |c| c.is_ascii_digit())
}

/// What is pressed on a phone and is no part of a number.
pub(super) fn keys(text: &str) -> Outcome {
    let allowed = "2 to 6 keys in quotes, beginning with `*` or `#`, like \"*2\"";
    spelled(text, 6, allowed, |c| c.is_ascii_digit() || c == '*' || c == '#')?;
    if text.len() < 2 || !text.starts_with(['*', '#']) {
        return Err(format!("`{text}` can't be used here; allowed: {allowed}"));
    }
    Ok(())
}

/// What is typed to come to a conference; empty: none.
pub(super) fn pin(text: &str) -> Outcome {
    let is_pin = (3..=12).contains(&text.len()) && text.chars().all(|c| c.is_ascii_digit());
    if text.is_empty() || is_pin {
        return Ok(());
    }
    Err("this is no PIN; allowed: 3 to 12 digits in quotes, or \"\" for none".to_owned())
}

/// A public number, with or without its `+`.
pub(super) fn number(text: &str) -> Outcome {
    let allowed = "3 to 15 digits with country code in quotes, like \"74951234567\"";
    let digits = text.strip_prefix('+').unwrap_or(text);
    spelled(digits, 15, allowed, |c| c.is_ascii_digit())?;
    if digits.len() < 3 {
        return Err(format!("`{text}` can't be used here; allowed: {allowed}"));
    }
    Ok(())
}

pub(super) fn username(text: &str) -> Outcome {
    let allowed = "1 to 64 letters a-z, A-Z, digits and . _ -";
    spelled(text, 64, allowed, |c| c.is_ascii_alphanumeric() || "._-".contains(c))
}

/// Not measured for strength: phones often limit what can be typed.
pub(super) fn password(text: &str) -> Outcome {
    let length = text.chars().count();
    if (8..=128).contains(&length) && !text.chars().any(char::is_control) {
        return Ok(());
    }
    Err(format!("the password has {length} characters; allowed: 8 to 128, none of them control characters"))
}

pub(super) fn email(text: &str) -> Outcome {
    let wrong = || {
        format!("`{}` is no e-mail address; allowed: name@host", text.chars().take(64).collect::<String>())
    };
    let (name, host) = text.split_once('@').ok_or_else(wrong)?;
    let plain = |part: &str| {
        !part.is_empty() && !part.contains(|c: char| c == '@' || c.is_whitespace() || c.is_control())
    };
    if text.len() <= 254 && plain(name) && plain(host) { Ok(()) } else { Err(wrong()) }
}

/// Where mail goes: what servers take of it without quotes, so that nothing in it can be read as another command.
pub(super) fn address(text: &str) -> Outcome {
    email(text)?;
    spelled(text, 254, "name@host of ASCII letters, digits and . _ + - @", |c| {
        c.is_ascii_alphanumeric() || "._+-@".contains(c)
    })
}

/// The host of SIP addresses and the digest realm.
pub(super) fn domain(text: &str) -> Outcome {
    let label = |part: &str| {
        (1..=63).contains(&part.len())
            && part.chars().all(|c| c.is_ascii_alphanumeric() || c == '-')
            && !part.starts_with('-')
            && !part.ends_with('-')
    };
    if text.len() <= 253 && text.split('.').all(label) {
        return Ok(());
    }
    let shown: String = text.chars().take(64).collect();
    Err(format!("`{shown}` is no domain; allowed: a host name like acme.example"))
}

pub(super) fn language(text: &str) -> Outcome {
    let allowed = "a language tag: en, ru, or another one with prompts of your own, like de or pt-br";
    spelled(text, 16, allowed, |c| c.is_ascii_alphanumeric() || c == '-')
}

/// `sip:address[:port][;transport=…]`, without a user: the dialled number comes there. Host names are not looked up in
/// this version and there is no TLS, so both are refused here rather than at the first call.
pub(super) fn target(text: &str) -> Outcome {
    let wrong = |why: &str| {
        let shown: String = text.chars().take(64).collect();
        Err(format!(
            "`{shown}` {why}; allowed: sip:host or sip:host:port with an IP address as host, like sip:203.0.113.10:5060, \
             with ;transport=udp or tcp behind"
        ))
    };
    let Some(rest) = text.strip_prefix("sip:") else { return wrong("is no trunk address") };
    let (address, transport) = rest.split_once(';').unwrap_or((rest, "transport=udp"));
    match transport {
        "transport=udp" | "transport=tcp" => {}
        "transport=tls" => return wrong("wants TLS, which this version does not speak to trunks yet"),
        _ => return wrong("is no trunk address"),
    }
    match host(address) {
        Host::Address => Ok(()),
        Host::Name => wrong("has a host name, which this version does not look up yet"),
        Host::Neither => wrong("is no trunk address"),
    }
}

enum Host {
    Address,
    Name,
    Neither,
}

fn host(text: &str) -> Host {
    if let Ok(address) = text.parse::<std::net::SocketAddr>() {
        return if address.port() == 0 { Host::Neither } else { Host::Address };
    }
    if let Some(v6) = text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
        return if v6.parse::<std::net::Ipv6Addr>().is_ok() { Host::Address } else { Host::Neither };
    }
    if text.parse::<std::net::Ipv4Addr>().is_ok() {
        return Host::Address;
    }
    let (host, port) = text.split_once(':').unwrap_or((text, "5060"));
    let named = domain(host).is_ok() && port.parse::<u16>().is_ok_and(|port| port != 0);
    if named { Host::Name } else { Host::Neither }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::target;

    #[test]
    fn a_trunk_is_called_at_an_address_over_udp_or_tcp() {
        for good in
            ["sip:203.0.113.10", "sip:203.0.113.10:5080;transport=tcp", "sip:[2001:db8::1]:5060", "sip:[::1]"]
        {
            assert_eq!(target(good), Ok(()), "{good}");
        }
        for (bad, why) in [
            ("sip:carrier.example:5060", "host name"),
            ("sip:203.0.113.10;transport=tls", "TLS"),
            ("203.0.113.10", "no trunk address"),
            ("sip:203.0.113.10:0", "no trunk address"),
            ("sip:1@203.0.113.10", "no trunk address"),
        ] {
            let said = target(bad).unwrap_err();
            assert!(said.contains(why) && said.contains("allowed: sip:host"), "{bad}: {said}");
        }
    }
}
