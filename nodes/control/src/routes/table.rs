//! The editions of all groups that have a replica here, and what looking a tenant up needs of them.

use std::{
    collections::{BTreeMap, BTreeSet},
    net::SocketAddr,
    sync::Arc,
};

use imbl::{OrdMap, ordmap::DiffItem};
use mangrove_domain::{
    ObjectRef, Tenant,
    config::TenantConfig,
    routes::{self, DeviceRoute, Routes as TenantRoutes},
};
use mangrove_proto::{
    id::TenantId,
    service::{Login, Route},
};
use mangrove_sip::matcher::Sources;
use parking_lot::{Mutex, RwLock};
use tokio::sync::watch;

use crate::machine::Current;

/// Shared by the shards that refresh it, the edges that read it and the streams that follow it.
#[derive(Debug, Clone, Default)]
pub(crate) struct Table {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    seen: RwLock<Seen>,
    /// One edition is made at a time; readers of `seen` don't wait for that.
    making: Mutex<()>,
    /// Tells that an edition changed, not which: whoever follows compares.
    changed: watch::Sender<()>,
}

impl Default for Inner {
    fn default() -> Self {
        Self { seen: RwLock::default(), making: Mutex::default(), changed: watch::channel(()).0 }
    }
}

#[derive(Debug, Default)]
struct Seen {
    editions: BTreeMap<u32, Edition>,
    tenants: BTreeMap<TenantId, Arc<Entry>>,
    /// Of all tenants' trunks.
    sources: Sources,
}

/// A group's routes as of one index of its log. Persistent: a copy costs nothing, and comparing two of one descent costs
/// what differs.
#[derive(Debug, Clone, Default)]
pub(super) struct Edition {
    pub(super) index: u64,
    pub(super) tenants: OrdMap<TenantId, Arc<Entry>>,
}

/// One tenant's routes.
#[derive(Debug)]
pub(super) struct Entry {
    group: u32,
    /// Which configuration they were made of.
    config: Arc<TenantConfig>,
    routes: TenantRoutes,
    devices: BTreeMap<Arc<str>, DeviceRoute>,
}

/// Routes made of one configuration are the same; no others are compared.
impl PartialEq for Entry {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.config, &other.config) && self.routes.epoch == other.routes.epoch
    }
}

impl Entry {
    pub(super) fn new(group: u32, tenant: &Tenant) -> Self {
        let routes = routes::of(tenant);
        let devices = routes.devices.iter().map(|device| (device.username.clone(), device.clone())).collect();
        Self { group, config: tenant.config().clone(), routes, devices }
    }

    pub(super) fn route(&self) -> Route {
        Route {
            tenant: self.routes.tenant.as_str().into(),
            group: self.group.into(),
            domain: self.routes.domain.clone(),
        }
    }

    pub(super) fn routes(&self) -> &TenantRoutes {
        &self.routes
    }

    pub(super) fn device(&self, username: &str) -> Option<&DeviceRoute> {
        self.devices.get(username)
    }

    fn is_of(&self, tenant: &Tenant) -> bool {
        Arc::ptr_eq(&self.config, tenant.config()) && self.routes.epoch == tenant.epoch()
    }
}

impl Edition {
    /// The edition of this state: entries whose configuration is the same are kept.
    fn at(&self, group: u32, current: &Current) -> Self {
        let mut tenants = self.tenants.clone();
        for id in self.tenants.keys().filter(|id| current.state.tenant(id).is_none()) {
            tenants.remove(id);
        }
        for (id, tenant) in current.state.tenants() {
            if !self.tenants.get(id).is_some_and(|entry| entry.is_of(tenant)) {
                tenants.insert(id.clone(), Arc::new(Entry::new(group, tenant)));
            }
        }
        Self { index: current.index, tenants }
    }

    /// The tenants in which another edition differs.
    fn differing(&self, other: &Self) -> Vec<TenantId> {
        let id = |item: DiffItem<'_, '_, TenantId, Arc<Entry>>| match item {
            DiffItem::Add(id, _) | DiffItem::Update { new: (id, _), .. } | DiffItem::Remove(id, _) => {
                id.clone()
            }
        };
        self.tenants.diff(&other.tenants).map(id).collect()
    }
}

impl Seen {
    fn set(&mut self, group: u32, edition: Edition) -> bool {
        let before = self.editions.insert(group, edition);
        let changed = before.clone().unwrap_or_default().differing(&self.editions[&group]);
        changed.iter().for_each(|id| self.look_again(id));
        before.is_none() || !changed.is_empty()
    }

    /// A tenant that two groups have is moving: it is where its epoch is the higher one.
    fn look_again(&mut self, id: &TenantId) {
        let held = self.editions.values().filter_map(|edition| edition.tenants.get(id));
        let now = held.max_by_key(|entry| entry.routes.epoch).cloned();
        let before = match &now {
            Some(entry) => self.tenants.insert(id.clone(), entry.clone()),
            None => self.tenants.remove(id),
        };
        let matchers = |entry: Option<Arc<Entry>>| {
            let trunks = entry.into_iter().flat_map(|entry| entry.routes.trunks.clone());
            trunks.flat_map(|trunk| trunk.from)
        };
        matchers(before).for_each(|matcher| self.sources.remove(matcher));
        matchers(now).for_each(|matcher| self.sources.add(matcher));
    }
}

impl Table {
    /// Takes over the configurations that a command touched.
    pub(crate) fn refresh(&self, group: u32, current: &Current, touched: &BTreeSet<ObjectRef>) {
        if touched.iter().any(|object| matches!(object, ObjectRef::Tenant(_))) {
            self.rebuild(group, current);
        }
    }

    /// Makes a group's edition as of this state; an older one changes nothing. Nobody sees the table without a tenant
    /// that was and is there.
    pub(crate) fn rebuild(&self, group: u32, current: &Current) {
        let _alone = self.inner.making.lock();
        let before = self.inner.seen.read().editions.get(&group).cloned().unwrap_or_default();
        if before.index > current.index {
            return;
        }
        let edition = before.at(group, current);
        if self.inner.seen.write().set(group, edition) {
            self.inner.changed.send_replace(());
        }
    }

    /// The login with this e-mail, in lower case.
    pub(crate) fn login(&self, tenant: &str, email: &str) -> Option<Login> {
        let entry = self.get(tenant)?;
        entry.routes.logins.iter().find(|login| login.email == email).cloned()
    }

    pub(super) fn get(&self, tenant: &str) -> Option<Arc<Entry>> {
        self.inner.seen.read().tenants.get(&TenantId::from(tenant)).cloned()
    }

    pub(super) fn is_trunk(&self, source: SocketAddr) -> bool {
        self.inner.seen.read().sources.contain(source)
    }

    /// Whether all groups from 1 to this one are here.
    pub(super) fn has_all(&self, groups: u32) -> bool {
        let seen = self.inner.seen.read();
        (1..=groups).all(|group| seen.editions.contains_key(&group))
    }

    pub(super) fn editions(&self) -> BTreeMap<u32, Edition> {
        self.inner.seen.read().editions.clone()
    }

    /// Wakes when an edition changed since it was last asked for.
    pub(super) fn watch(&self) -> watch::Receiver<()> {
        self.inner.changed.subscribe()
    }
}
