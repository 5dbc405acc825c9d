//! Which leg a message belongs to, read from what we put into it: our Contact's user part `<tenant>.<leg>` comes
//! back as the Request-URI of in-dialog requests, our tag `<tenant>.<leg>-<token>` as their To tag, our branch
//! `z9hG4bK-<tenant>.<leg>-<token>` in responses. So any edge routes any message of any call without a table.

use mangrove_proto::id::LegId;
use mangrove_sip::MAGIC;

/// Characters of a leg's id as text: `leg_1` and 22 digits of base 62.
const LEG_LENGTH: usize = 27;

/// A leg of a tenant. Both come from outside: neither is known to exist.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct LegAddress {
    pub(crate) tenant: String,
    pub(crate) leg: String,
}

impl LegAddress {
    /// Reads our Contact's user part.
    pub(crate) fn of_user(user: &str) -> Option<Self> {
        let (address, rest) = read(user)?;
        rest.is_empty().then_some(address)
    }

    /// Reads a branch of ours.
    pub(crate) fn of_branch(branch: &str) -> Option<Self> {
        let rest = branch.strip_prefix(MAGIC)?;
        Self::of_tag(rest.trim_start_matches(['-', '.']))
    }

    /// Reads a tag of ours: the address, then a token behind a separator.
    pub(crate) fn of_tag(tag: &str) -> Option<Self> {
        let (address, token) = read(tag)?;
        let separated = !token.starts_with(|c: char| c.is_ascii_alphanumeric());
        separated.then_some(address)
    }
}

/// The address at the start of a text, and what follows it.
fn read(text: &str) -> Option<(LegAddress, &str)> {
    let dot = text.find(".leg_")?;
    let (tenant, leg) = (text.get(..dot)?, text.get(dot + 1..)?);
    let (leg, rest) = (leg.get(..LEG_LENGTH)?, leg.get(LEG_LENGTH..)?);
    leg.parse::<LegId>().ok()?;
    (!tenant.is_empty()).then(|| (LegAddress { tenant: tenant.to_owned(), leg: leg.to_owned() }, rest))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn what_we_wrote_is_read_back() {
        let leg = LegId(7).to_string();
        let wanted = LegAddress { tenant: "acme.north".into(), leg: leg.clone() };
        assert_eq!(LegAddress::of_user(&format!("acme.north.{leg}")), Some(wanted.clone()));
        assert_eq!(LegAddress::of_tag(&format!("acme.north.{leg}-77aa")), Some(wanted.clone()));
        for branch in ["z9hG4bK-", "z9hG4bK", "z9hG4bK."] {
            assert_eq!(
                LegAddress::of_branch(&format!("{branch}acme.north.{leg}-77aa")),
                Some(wanted.clone())
            );
        }
    }

    #[test]
    fn strangers_are_not_ours() {
        let leg = LegId(7).to_string();
        for user in [
            "",
            "101",
            "acme.101",
            &leg,
            &format!(".{leg}"),
            &format!("acme.{leg}x"),
            "acme.leg_1é000000000000000000000",
        ] {
            assert_eq!(LegAddress::of_user(user), None, "{user}");
        }
        for branch in ["z9hG4bK776", &format!("acme.{leg}-1"), &format!("z9hG4bKacme.{leg}1")] {
            assert_eq!(LegAddress::of_branch(branch), None, "{branch}");
        }
    }
}
