//! Whose a tenant id, a domain, a number or an address is. Persistent: a reader has one whole state, and a change copies
//! what it changes.

use std::{net::SocketAddr, sync::Arc};

use imbl::HashMap;
use mangrove_proto::service::{DeviceSecret, Route};
use mangrove_sip::matcher::Sources;

use super::tenant::Tenant;

/// Names and who has them, the last to be heard of last: while a number moves from one tenant to another, both may be
/// heard to have it.
type Holders = HashMap<Arc<str>, Vec<Arc<str>>>;

#[derive(Debug, Clone, Default)]
pub(super) struct Lookup {
    tenants: HashMap<Arc<str>, Arc<Tenant>>,
    domains: Holders,
    numbers: Holders,
    /// Of all trunks. Copied whole by a change of one, which is rare.
    sources: Arc<Sources>,
}

impl Lookup {
    /// Puts a tenant in its place, or takes it out.
    pub(super) fn set(&mut self, id: &Arc<str>, tenant: Option<Arc<Tenant>>) {
        let before = match &tenant {
            Some(tenant) => self.tenants.insert(id.clone(), tenant.clone()),
            None => self.tenants.remove(id),
        };
        self.move_names(before.as_deref(), tenant.as_deref());
        self.move_sources(before.as_deref(), tenant.as_deref());
    }

    fn move_names(&mut self, before: Option<&Tenant>, now: Option<&Tenant>) {
        if let Some(tenant) = before {
            let kept = |number: &Arc<str>| now.is_some_and(|now| now.numbers.contains(number));
            let lost = tenant.numbers.iter().filter(|number| !kept(number));
            lost.for_each(|number| leave(&mut self.numbers, number, tenant.id()));
            if now.is_none_or(|now| now.domain != tenant.domain) {
                leave(&mut self.domains, &tenant.domain, tenant.id());
            }
        }
        if let Some(tenant) = now {
            tenant.numbers.iter().for_each(|number| hold(&mut self.numbers, number, tenant.id()));
            hold(&mut self.domains, &tenant.domain, tenant.id());
        }
    }

    fn move_sources(&mut self, before: Option<&Tenant>, now: Option<&Tenant>) {
        let of = |tenant: Option<&Tenant>| tenant.into_iter().flat_map(Tenant::sources).collect::<Vec<_>>();
        let (before, now) = (of(before), of(now));
        if before == now {
            return;
        }
        let sources = Arc::make_mut(&mut self.sources);
        before.into_iter().for_each(|matcher| sources.remove(matcher));
        now.into_iter().for_each(|matcher| sources.add(matcher));
    }

    pub(super) fn tenant(&self, id: &str) -> Option<Route> {
        self.tenants.get(id).map(|tenant| tenant.route.clone())
    }

    pub(super) fn domain(&self, domain: &str) -> Option<Route> {
        self.of_domain(domain).map(|tenant| tenant.route.clone())
    }

    pub(super) fn device(&self, domain: &str, username: &str) -> Option<DeviceSecret> {
        self.of_domain(domain)?.device(username)
    }

    pub(super) fn trunk(&self, source: SocketAddr, called: &str) -> Option<(Route, String)> {
        let digits: String = called.chars().filter(char::is_ascii_digit).collect();
        let holders = self.numbers.get(digits.as_str())?.iter().rev();
        holders.filter_map(|id| self.tenants.get(id)).find_map(|tenant| {
            let trunk = tenant.trunk(source)?;
            Some((tenant.route.clone(), trunk.to_owned()))
        })
    }

    pub(super) fn is_trunk(&self, source: SocketAddr) -> bool {
        self.sources.contain(source)
    }

    fn of_domain(&self, domain: &str) -> Option<&Arc<Tenant>> {
        self.tenants.get(self.domains.get(domain.to_ascii_lowercase().as_str())?.last()?)
    }
}

fn hold(names: &mut Holders, name: &Arc<str>, tenant: &Arc<str>) {
    let holders = names.entry(name.clone()).or_default();
    if !holders.contains(tenant) {
        holders.push(tenant.clone());
    }
}

fn leave(names: &mut Holders, name: &Arc<str>, tenant: &Arc<str>) {
    let Some(holders) = names.get_mut(name) else { return };
    holders.retain(|holder| holder != tenant);
    if holders.is_empty() {
        names.remove(name);
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use mangrove_proto::routes::{Device, TenantRoutes, Trunk};

    use super::*;

    fn tenant(id: &str, numbers: &[&str], from: &[&str]) -> Arc<Tenant> {
        let trunk = Trunk { name: "carrier".into(), from: from.iter().map(ToString::to_string).collect() };
        let device = Device { username: "101".into(), md5: "md5".into(), sha256: "sha".into() };
        let told = TenantRoutes {
            tenant: id.into(),
            epoch: 1,
            domain: format!("{id}.Example"),
            numbers: numbers.iter().map(ToString::to_string).collect(),
            trunks: vec![trunk],
            devices: vec![device],
        };
        Arc::new(Tenant::read(1, told))
    }

    fn put(lookup: &mut Lookup, tenant: Arc<Tenant>) {
        lookup.set(&tenant.id().clone(), Some(tenant));
    }

    fn called(lookup: &Lookup, source: &str, number: &str) -> Option<String> {
        lookup.trunk(source.parse().unwrap(), number).map(|(route, _)| route.tenant.to_string())
    }

    #[test]
    fn a_tenant_is_found_by_all_its_names_and_by_none_when_it_is_gone() {
        let mut lookup = Lookup::default();
        put(&mut lookup, tenant("acme", &["7495"], &["10.0.0.1:5060"]));
        let source = "10.0.0.1:5060".parse().unwrap();
        assert_eq!(lookup.tenant("acme"), lookup.domain("ACME.example"));
        assert_eq!(lookup.device("acme.example", "101").unwrap().md5, "md5");
        assert_eq!(lookup.device("acme.example", "102"), None);
        assert_eq!(called(&lookup, "10.0.0.1:0", "+7 (495)").as_deref(), Some("acme"));
        assert_eq!(called(&lookup, "10.0.0.1:5061", "7495"), None);
        assert!(lookup.is_trunk(source));
        lookup.set(&"acme".into(), None);
        assert_eq!((lookup.tenant("acme"), lookup.domain("acme.example")), (None, None));
        assert!(!lookup.is_trunk(source) && called(&lookup, "10.0.0.1:0", "7495").is_none());
        assert!(lookup.domains.is_empty() && lookup.numbers.is_empty());
    }

    #[test]
    fn a_change_takes_back_what_is_no_more() {
        let mut lookup = Lookup::default();
        put(&mut lookup, tenant("acme", &["1", "2"], &["10.0.0.1"]));
        put(&mut lookup, tenant("acme", &["2", "3"], &["10.0.0.2"]));
        let at = |source, number| called(&lookup, source, number).is_some();
        assert_eq!(
            [at("10.0.0.2:1", "1"), at("10.0.0.2:1", "2"), at("10.0.0.2:1", "3")],
            [false, true, true]
        );
        assert!(!lookup.is_trunk("10.0.0.1:1".parse().unwrap()));
    }

    #[test]
    fn a_number_that_moves_is_never_nobodys() {
        let mut lookup = Lookup::default();
        put(&mut lookup, tenant("acme", &["1"], &["10.0.0.1"]));
        put(&mut lookup, tenant("bolt", &["1"], &["10.0.0.1"]));
        assert_eq!(called(&lookup, "10.0.0.1:1", "1").as_deref(), Some("bolt"), "the last to be heard of");
        put(&mut lookup, tenant("acme", &[], &["10.0.0.1"]));
        assert_eq!(called(&lookup, "10.0.0.1:1", "1").as_deref(), Some("bolt"));
        lookup.set(&"bolt".into(), None);
        assert_eq!(called(&lookup, "10.0.0.1:1", "1"), None);
        assert!(lookup.is_trunk("10.0.0.1:1".parse().unwrap()), "acme's still");
    }
}
