//! Tickets: what the phone in a person's page shows instead of a password, when its connection begins. A ticket says whose
//! it is, under which epoch of their login and since when, and carries its own proof, so that whoever has the key can
//! check it and nothing is kept of it.

use std::fmt;

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

/// How long a ticket may be shown after it was made: long enough to connect, too short to be passed on.
pub const LIFETIME_MS: u64 = 60_000;

/// A clock may be this far ahead of the one that made the ticket, in milliseconds.
const CLOCK_SKEW_MS: u64 = 30_000;
/// Bytes of the proof, in front of what it proves.
const PROOF: usize = 32;
/// Longer ones are not ours.
const LONGEST: usize = 512;

/// For whom a ticket speaks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Holder {
    pub tenant: String,
    pub employee: String,
    /// Of their login: under another one the ticket is void, which is for whoever knows logins to say.
    pub epoch: u64,
}

/// Why a ticket speaks for nobody.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// It was not made under this key, or was changed.
    #[error("the ticket is none of ours")]
    Foreign,
    /// Ours, but of another minute.
    #[error("the ticket has expired")]
    Expired,
}

/// Makes and checks tickets; equal keys check each other's.
#[derive(Clone, PartialEq, Eq)]
pub struct Tickets {
    key: [u8; PROOF],
}

impl Tickets {
    /// Under a key of their own, derived from that of the digest nonces. None: that one is not known yet.
    pub fn under(nonce_key: &[u8; 32]) -> Option<Self> {
        let is_known = nonce_key.iter().any(|byte| *byte != 0);
        is_known.then(|| Self { key: mac(nonce_key, b"tickets").finalize().into_bytes().into() })
    }

    /// A ticket, of letters, digits, `-` and `_`, made at time `now_ms` of the wall clock.
    pub fn issue(&self, holder: &Holder, now_ms: u64) -> String {
        let Holder { tenant, employee, epoch } = holder;
        let claims = format!("{now_ms}\n{epoch}\n{tenant}\n{employee}");
        let mut bytes = mac(&self.key, claims.as_bytes()).finalize().into_bytes().to_vec();
        bytes.extend_from_slice(claims.as_bytes());
        URL_SAFE_NO_PAD.encode(bytes)
    }

    /// For whom a ticket speaks at time `now_ms`. Proofs are compared in constant time, before anything is read.
    pub fn check(&self, ticket: &str, now_ms: u64) -> Result<Holder, Refused> {
        let short = Some(ticket).filter(|ticket| ticket.len() <= LONGEST).ok_or(Refused::Foreign)?;
        let bytes = URL_SAFE_NO_PAD.decode(short).map_err(|_| Refused::Foreign)?;
        let (proof, claims) = bytes.split_at_checked(PROOF).ok_or(Refused::Foreign)?;
        mac(&self.key, claims).verify_slice(proof).map_err(|_| Refused::Foreign)?;
        let (made_at, holder) = read(claims).ok_or(Refused::Foreign)?;
        let from_the_future = made_at > now_ms.saturating_add(CLOCK_SKEW_MS);
        let expired = now_ms.saturating_sub(made_at) > LIFETIME_MS;
        if from_the_future || expired { Err(Refused::Expired) } else { Ok(holder) }
    }
}

fn mac(key: &[u8], said: &[u8]) -> Hmac<Sha256> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("hmac takes keys of any length");
    mac.update(said);
    mac
}

fn read(claims: &[u8]) -> Option<(u64, Holder)> {
    let mut parts = std::str::from_utf8(claims).ok()?.splitn(4, '\n');
    let (made_at, epoch) = (parts.next()?.parse().ok()?, parts.next()?.parse().ok()?);
    let (tenant, employee) = (parts.next()?.to_owned(), parts.next()?.to_owned());
    Some((made_at, Holder { tenant, employee, epoch }))
}

impl fmt::Debug for Tickets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tickets").finish_non_exhaustive()
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    const NOW: u64 = 1_700_000_000_000;

    fn tickets(key: u8) -> Tickets {
        Tickets::under(&[key; 32]).unwrap()
    }

    fn anna() -> Holder {
        Holder { tenant: "acme".into(), employee: "anna".into(), epoch: 7 }
    }

    /// A ticket with one of its bytes changed.
    fn changed(ticket: &str, at: usize) -> String {
        let mut bytes = URL_SAFE_NO_PAD.decode(ticket).unwrap();
        bytes[at] ^= 1;
        URL_SAFE_NO_PAD.encode(bytes)
    }

    #[test]
    fn a_ticket_speaks_for_its_holder_for_a_minute() {
        let ticket = tickets(1).issue(&anna(), NOW);
        for (now, said) in [
            (NOW, Ok(anna())),
            (NOW + LIFETIME_MS, Ok(anna())),
            (NOW + LIFETIME_MS + 1, Err(Refused::Expired)),
            (NOW - CLOCK_SKEW_MS, Ok(anna())),
            (NOW - CLOCK_SKEW_MS - 1, Err(Refused::Expired)),
            (u64::MAX, Err(Refused::Expired)),
        ] {
            assert_eq!(tickets(1).check(&ticket, now), said, "{now}");
        }
    }

    #[test]
    fn tenant_employee_and_epoch_are_those_that_it_was_made_for() {
        for (tenant, employee, epoch) in [("other", "anna", 7), ("acme", "boris", 7), ("acme", "anna", 8)] {
            let other = Holder { tenant: tenant.into(), employee: employee.into(), epoch };
            assert_eq!(tickets(1).check(&tickets(1).issue(&other, NOW), NOW), Ok(other.clone()));
            assert_ne!(other, anna());
        }
    }

    #[test]
    fn what_was_changed_or_made_under_another_key_is_none_of_ours() {
        let ticket = tickets(1).issue(&anna(), NOW);
        let length = URL_SAFE_NO_PAD.decode(&ticket).unwrap().len();
        for at in 0..length {
            assert_eq!(tickets(1).check(&changed(&ticket, at), NOW), Err(Refused::Foreign), "byte {at}");
        }
        let proof_alone = URL_SAFE_NO_PAD.encode([0_u8; PROOF]);
        for other in
            ["", "x", "=", "anna", &ticket[1..], &format!("{ticket}AA"), &proof_alone, &"A".repeat(600)]
        {
            assert_eq!(tickets(1).check(other, NOW), Err(Refused::Foreign), "{other}");
        }
        assert_eq!(tickets(2).check(&ticket, NOW), Err(Refused::Foreign));
    }

    #[test]
    fn a_ticket_fits_into_the_name_of_a_sub_protocol() {
        let ticket = tickets(1).issue(&anna(), NOW);
        assert!(ticket.chars().all(|c| c.is_ascii_alphanumeric() || "-_".contains(c)), "{ticket}");
    }

    #[test]
    fn without_a_key_there_are_no_tickets_and_no_key_is_shown() {
        assert!(Tickets::under(&[0; 32]).is_none());
        assert_eq!(format!("{:?}", tickets(1)), "Tickets { .. }");
    }
}
