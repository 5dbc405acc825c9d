//! When two URIs mean the same (RFC 3261 section 19.1.4; RFC 3966 section 4 for `tel:`).

use super::{Uri, unescape};

/// Parameters that must agree even when only one side has them.
const DECIDING: [&str; 5] = ["user", "ttl", "method", "maddr", "transport"];

pub(super) fn equivalent(left: &Uri, right: &Uri) -> bool {
    if left.is_tel() && right.is_tel() {
        return left.number() == right.number() && params_agree(left, right);
    }
    left.scheme == right.scheme
        && left.user.as_deref().map(unescape) == right.user.as_deref().map(unescape)
        && left.password == right.password
        && left.host.eq_ignore_ascii_case(&right.host)
        && left.port == right.port
        && headers_agree(left, right)
        && params_agree(left, right)
}

fn params_agree(left: &Uri, right: &Uri) -> bool {
    let one_way = |from: &Uri, to: &Uri| {
        from.params.iter().all(|(name, value)| match to.params.get(name) {
            Some(other) => same_text(value.unwrap_or(""), other),
            None => !DECIDING.iter().any(|deciding| deciding.eq_ignore_ascii_case(name)),
        })
    };
    one_way(left, right) && one_way(right, left)
}

fn same_text(left: &str, right: &str) -> bool {
    unescape(left).eq_ignore_ascii_case(&unescape(right))
}

/// Headers never match when one side lacks them; their order does not count.
fn headers_agree(left: &Uri, right: &Uri) -> bool {
    let sorted = |uri: &Uri| {
        let mut parts: Vec<String> =
            uri.headers.iter().flat_map(|text| text.split('&')).map(normal).collect();
        parts.sort();
        parts
    };
    sorted(left) == sorted(right)
}

fn normal(header: &str) -> String {
    match header.split_once('=') {
        Some((name, value)) => format!("{}={}", unescape(name).to_ascii_lowercase(), unescape(value)),
        None => unescape(header).to_ascii_lowercase(),
    }
}
