//! One tenant as edges know it.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
    net::SocketAddr,
    sync::Arc,
};

use mangrove_proto::{
    routes,
    service::{DeviceSecret, Route},
};
use mangrove_sip::matcher::SourceMatcher;

/// Equal ones route alike.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Tenant {
    pub(super) route: Route,
    pub(super) epoch: u64,
    /// In lower case.
    pub(super) domain: Arc<str>,
    /// Digits only.
    pub(super) numbers: BTreeSet<Arc<str>>,
    trunks: Vec<Trunk>,
    devices: BTreeMap<String, Digests>,
}

#[derive(Debug, PartialEq, Eq)]
struct Trunk {
    name: String,
    from: Vec<SourceMatcher>,
}

#[derive(PartialEq, Eq)]
struct Digests {
    md5: String,
    sha256: String,
}

impl fmt::Debug for Digests {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Digests")
    }
}

impl Tenant {
    pub(super) fn read(group: u32, told: routes::TenantRoutes) -> Self {
        let route =
            Route { tenant: told.tenant.into(), group: group.into(), domain: told.domain.as_str().into() };
        let trunks = told.trunks.into_iter().map(|trunk| Trunk::read(&route.tenant, trunk)).collect();
        let digests =
            |device: routes::Device| (device.username, Digests { md5: device.md5, sha256: device.sha256 });
        Self {
            epoch: told.epoch,
            domain: told.domain.to_ascii_lowercase().into(),
            numbers: told.numbers.into_iter().map(Arc::from).collect(),
            trunks,
            devices: told.devices.into_iter().map(digests).collect(),
            route,
        }
    }

    pub(super) fn id(&self) -> &Arc<str> {
        &self.route.tenant
    }

    pub(super) fn device(&self, username: &str) -> Option<DeviceSecret> {
        let Digests { md5, sha256 } = self.devices.get(username)?;
        Some(DeviceSecret { route: self.route.clone(), md5: md5.clone(), sha256: sha256.clone() })
    }

    /// The first trunk that calls from there.
    pub(super) fn trunk(&self, source: SocketAddr) -> Option<&str> {
        let calls = |trunk: &&Trunk| trunk.from.iter().any(|matcher| matcher.matches(source));
        self.trunks.iter().find(calls).map(|trunk| trunk.name.as_str())
    }

    /// The sources of all trunks.
    pub(super) fn sources(&self) -> impl Iterator<Item = SourceMatcher> {
        self.trunks.iter().flat_map(|trunk| &trunk.from).copied()
    }
}

impl Trunk {
    /// A source that can't be read is left out: a newer node may have learnt to write others.
    fn read(tenant: &str, told: routes::Trunk) -> Self {
        let read = |text: String| match text.parse() {
            Ok(matcher) => Some(matcher),
            Err(error) => {
                tracing::warn!(tenant, trunk = told.name, %error, "a trunk's source is left out");
                None
            }
        };
        Self { from: told.from.into_iter().filter_map(read).collect(), name: told.name }
    }
}
