//! The edges' copy of the directory: every tenant's routes, made again when its configuration changes.

use std::{
    collections::{BTreeMap, BTreeSet},
    net::SocketAddr,
    sync::Arc,
};

use mangrove_domain::{
    ObjectRef, State, Tenant,
    routes::{self, DeviceRoute, Routes as TenantRoutes},
};
use mangrove_proto::{
    id::TenantId,
    service::{DeviceSecret, Login, Route, Routes},
};
use parking_lot::RwLock;

use crate::control::Control;

/// Shared by the shards that refresh it and the edges that read it.
#[derive(Debug, Clone, Default)]
pub(crate) struct Table {
    tenants: Arc<RwLock<BTreeMap<TenantId, Arc<Entry>>>>,
}

#[derive(Debug)]
struct Entry {
    group: u32,
    routes: TenantRoutes,
    devices: BTreeMap<Arc<str>, DeviceRoute>,
}

impl Entry {
    fn new(group: u32, routes: TenantRoutes) -> Self {
        let devices = routes.devices.iter().map(|device| (device.username.clone(), device.clone())).collect();
        Self { group, routes, devices }
    }

    fn route(&self) -> Route {
        Route {
            tenant: self.routes.tenant.as_str().into(),
            group: self.group.into(),
            domain: self.routes.domain.clone(),
        }
    }
}

impl Table {
    /// Takes over the configurations that a command touched.
    pub(crate) fn refresh(&self, group: u32, state: &State, touched: &BTreeSet<ObjectRef>) {
        for object in touched {
            if let ObjectRef::Tenant(id) = object {
                self.set(group, id, state);
            }
        }
    }

    /// Makes all of a group's entries again. Nobody sees the table without a tenant that was and is there.
    pub(crate) fn rebuild(&self, group: u32, state: &State) {
        let entry = |(id, tenant): (&TenantId, &Tenant)| {
            (id.clone(), Arc::new(Entry::new(group, routes::of(tenant))))
        };
        let entries: Vec<_> = state.tenants().map(entry).collect();
        let mut tenants = self.tenants.write();
        tenants.retain(|_, entry| entry.group != group);
        tenants.extend(entries);
    }

    /// The login with this e-mail, in lower case.
    pub(crate) fn login(&self, tenant: &str, email: &str) -> Option<Login> {
        let entry = self.get(tenant)?;
        entry.routes.logins.iter().find(|login| login.email == email).cloned()
    }

    fn set(&self, group: u32, id: &TenantId, state: &State) {
        let entry = state.tenant(id).map(|tenant| Arc::new(Entry::new(group, routes::of(tenant))));
        let mut tenants = self.tenants.write();
        match entry {
            Some(entry) => tenants.insert(id.clone(), entry),
            None => tenants.remove(id),
        };
    }

    fn get(&self, tenant: &str) -> Option<Arc<Entry>> {
        self.tenants.read().get(&TenantId::from(tenant)).cloned()
    }
}

impl Routes for Control {
    fn tenant(&self, tenant: &str) -> Option<Route> {
        self.table().get(tenant).map(|entry| entry.route())
    }

    fn domain(&self, domain: &str) -> Option<Route> {
        self.tenant(self.cluster().directory().tenant_of("domain", &domain.to_ascii_lowercase())?)
    }

    fn device(&self, domain: &str, username: &str) -> Option<DeviceSecret> {
        let directory = self.cluster().directory();
        let entry = self.table().get(directory.tenant_of("domain", &domain.to_ascii_lowercase())?)?;
        let device = entry.devices.get(username)?;
        Some(DeviceSecret {
            route: entry.route(),
            md5: device.md5.to_string(),
            sha256: device.sha256.to_string(),
        })
    }

    fn trunk(&self, source: SocketAddr, called: &str) -> Option<(Route, String)> {
        let directory = self.cluster().directory();
        let entry = self.table().get(directory.tenant_of("number", &routes::number(called))?)?;
        let trunk = entry.routes.trunk(source, called)?.to_owned();
        Some((entry.route(), trunk))
    }

    fn is_trunk(&self, source: SocketAddr) -> bool {
        let tenants = self.table().tenants.read();
        tenants
            .values()
            .any(|entry| entry.routes.trunks.iter().any(|t| t.from.iter().any(|m| m.matches(source))))
    }

    fn lag_ms(&self) -> u64 {
        self.groups().iter().map(|group| group.lag_ms()).max().unwrap_or(0)
    }

    fn nonce_key(&self) -> [u8; 32] {
        self.cluster().directory().founding.as_ref().map_or([0; 32], |founding| founding.nonce_key)
    }
}
