//! Who sends a new INVITE or REGISTER: a trunk by its address, a page by the ticket that its connection came with, or a
//! device by its password. Unknown user names and wrong passwords get the same answer after the same work; addresses that
//! guess are stopped from guessing.

use std::net::IpAddr;

use mangrove_proto::{
    edge::{Ingress, ingress},
    service::Route,
};
use mangrove_sip::{Message, Method, Source, digest};

use super::{Signalling, as_trunk, gate::Verdict, invites::Owner, quirk};
use crate::metrics::AUTH_FAILURES;

impl Signalling {
    /// The owner with its proof, or the answer that asks for one.
    pub(super) fn identify(&self, request: &Message, source: &Source) -> Result<Owner, Verdict> {
        if let Some(holder) = self.page(source) {
            return self.of_page(request, source, holder);
        }
        if !tries(request)
            && let Some(owner) = self.trunk(request, source)
        {
            return Ok(owner);
        }
        match self.domain(request) {
            Some(route) => self.device(request, source, route),
            None => self.trunk(request, source).ok_or_else(|| self.unknown(request, source, 404)),
        }
    }

    fn trunk(&self, request: &Message, source: &Source) -> Option<Owner> {
        if !request.is(&Method::INVITE) {
            return None;
        }
        let uri = request.request_uri().ok()?;
        let called = uri.number().or_else(|| Some(uri.user()?.into_owned()))?;
        let (route, trunk) = self.routes.trunk(as_trunk(source)?, &called)?;
        let ingress = Some(Ingress { from: Some(ingress::From::Trunk(trunk)) });
        Some(Owner { route, leg: String::new(), ingress })
    }

    /// The tenant in whose domain the sender claims to be: that of its registrar, or its own address's.
    fn domain(&self, request: &Message) -> Option<Route> {
        let target = request.request_uri().ok().map(|uri| uri.host);
        let named = if request.is(&Method::REGISTER) { request.to() } else { request.from() };
        let named = named.ok().map(|address| address.uri.host);
        let candidates = if request.is(&Method::REGISTER) { [target, named] } else { [named, target] };
        candidates.into_iter().flatten().find_map(|host| self.routes.domain(&host.to_ascii_lowercase()))
    }

    fn device(&self, request: &Message, source: &Source, route: Route) -> Result<Owner, Verdict> {
        let ip = source.remote.ip();
        let claim = self
            .nonces()
            .claim(request, &route.domain, ip, self.clock.wall())
            .map_err(|verdict| self.unclaimed(request, &route, ip, &verdict))?;
        let username = claim.username();
        if !self.guesses.lock().allow(ip, &route.domain, username, self.clock.now()) {
            return Err(Verdict::answer(request, 403));
        }
        if !claim.is_proven_by(self.secret(&route, username).as_ref()) {
            metrics::counter!(AUTH_FAILURES).increment(1);
            tracing::info!(tenant = %route.tenant, address = %ip, "wrong user name or password");
            self.guesses.lock().note(ip, &route.domain, username, self.clock.now());
            return Err(self.challenge(request, &route, ip));
        }
        let ingress = Some(Ingress { from: Some(ingress::From::Device(username.to_owned())) });
        Ok(Owner { route, leg: String::new(), ingress })
    }

    fn secret(&self, route: &Route, username: &str) -> Option<digest::Ha1s> {
        let secret = self.routes.device(&route.domain, username)?;
        Some(digest::Ha1s { md5: secret.md5, sha256: secret.sha256 })
    }

    /// What is answered where there is no password to check.
    fn unclaimed(&self, request: &Message, route: &Route, ip: IpAddr, verdict: &digest::Verdict) -> Verdict {
        match verdict {
            digest::Verdict::Malformed => Verdict::answer(request, 400),
            digest::Verdict::Stale => {
                challenge(request, self.nonces().challenge_stale(&route.domain, ip, self.clock.wall()))
            }
            _ => self.challenge(request, route, ip),
        }
    }

    fn challenge(&self, request: &Message, route: &Route, ip: IpAddr) -> Verdict {
        challenge(request, self.nonces().challenge(&route.domain, ip, self.clock.wall()))
    }

    fn nonces(&self) -> digest::Nonces {
        let lifetime_ms = self.options.limits.nonce_time.as_millis().try_into().unwrap_or(u64::MAX);
        digest::Nonces::new(self.routes.nonce_key(), lifetime_ms)
    }
}

fn tries(request: &Message) -> bool {
    request.header("Authorization").is_some() || request.header("Proxy-Authorization").is_some()
}

fn challenge(request: &Message, challenges: Vec<String>) -> Verdict {
    let answer = Message::reply_to(request, 401);
    let challenges = quirk::bearable(request, challenges);
    Verdict::Answer(challenges.into_iter().fold(answer, |answer, one| answer.with("WWW-Authenticate", one)))
}
