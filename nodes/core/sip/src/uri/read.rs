//! The reader of URIs.

use rsip::Scheme;

use super::{Error, Params, Uri, read_host_port};

pub(super) fn uri(text: &str) -> Result<Uri, Error> {
    let (scheme, rest) = text.split_once(':').ok_or(Error::Scheme)?;
    let valid = scheme.starts_with(|c: char| c.is_ascii_alphabetic())
        && scheme.bytes().all(|b| b.is_ascii_alphanumeric() || b"+-.".contains(&b));
    if !valid {
        return Err(Error::Scheme);
    }
    if rest.bytes().any(|b| b <= b' ' || b"<>\"".contains(&b) || b == 0x7f) {
        return Err(Error::Character);
    }
    let is = |name: &str| scheme.eq_ignore_ascii_case(name);
    match scheme.len() {
        3 if is("sip") => sip(Scheme::Sip, rest),
        4 if is("sips") => sip(Scheme::Sips, rest),
        3 if is("tel") => tel(rest),
        _ => opaque(&scheme.to_ascii_lowercase(), rest),
    }
}

/// The user part may hold `;` and `?`, so the `@` is looked for first: it stands unescaped nowhere else but, by
/// mistake of some phones, in headers.
fn sip(scheme: Scheme, rest: &str) -> Result<Uri, Error> {
    let (userinfo, rest) = match rest.split_once('@') {
        Some((userinfo, rest)) => (Some(userinfo), rest),
        None => (None, rest),
    };
    let (user, password) = match userinfo {
        None => (None, None),
        Some(text) => user(text)?,
    };
    let (rest, headers) = match rest.split_once('?') {
        Some((rest, headers)) => (rest, Some(headers.to_owned())),
        None => (rest, None),
    };
    let end = rest.find(';').unwrap_or(rest.len());
    let (host, port) = read_host_port(&rest[..end])?;
    let params = Params::read(&rest[end..])?;
    Ok(Uri { scheme, user, password, host: host.to_owned(), port, params, headers })
}

fn user(userinfo: &str) -> Result<(Option<String>, Option<String>), Error> {
    let (user, password) = match userinfo.split_once(':') {
        Some((user, password)) => (user, Some(password.to_owned())),
        None => (userinfo, None),
    };
    if user.is_empty() || userinfo.contains(['[', ']']) {
        return Err(Error::User);
    }
    Ok((Some(user.to_owned()), password))
}

fn tel(rest: &str) -> Result<Uri, Error> {
    let end = rest.find(';').unwrap_or(rest.len());
    let number = &rest[..end];
    let valid = number.bytes().any(|b| b.is_ascii_hexdigit() || b"*#".contains(&b))
        && number.bytes().all(|b| b.is_ascii_hexdigit() || b"+*#-.()".contains(&b));
    if !valid {
        return Err(Error::User);
    }
    Ok(Uri {
        scheme: Scheme::Other("tel".to_owned()),
        user: Some(number.to_owned()),
        password: None,
        host: String::new(),
        port: None,
        params: Params::read(&rest[end..])?,
        headers: None,
    })
}

fn opaque(scheme: &str, rest: &str) -> Result<Uri, Error> {
    if rest.is_empty() {
        return Err(Error::Host);
    }
    Ok(Uri {
        scheme: Scheme::Other(scheme.to_owned()),
        user: None,
        password: None,
        host: rest.to_owned(),
        port: None,
        params: Params::default(),
        headers: None,
    })
}
