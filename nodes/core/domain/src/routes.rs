//! What edges must know of a tenant to bring messages to it: the read side for control's copy of the directory.

use std::{net::SocketAddr, sync::Arc};

use mangrove_proto::{id::TenantId, service};

use crate::{
    config::{Employee, PAGE, Role, SourceMatcher, TenantConfig},
    tenant::Tenant,
};

/// A tenant as edges see it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Routes {
    /// Which tenant.
    pub tenant: TenantId,
    /// Its epoch, part of the fence.
    pub epoch: u64,
    /// SIP domain, digest realm.
    pub domain: Arc<str>,
    /// Public numbers, digits only, in order.
    pub numbers: Vec<Arc<str>>,
    /// Who may call in without a password.
    pub trunks: Vec<TrunkRoute>,
    /// SIP devices.
    pub devices: Vec<DeviceRoute>,
    /// Logins of its people.
    pub logins: Vec<service::Login>,
}

/// A trunk's sources.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TrunkRoute {
    /// As ingress names it.
    pub name: Arc<str>,
    /// Any of these.
    pub from: Vec<SourceMatcher>,
}

/// A device's secrets: digests of user:realm:password.
#[derive(Clone, PartialEq, Eq)]
pub struct DeviceRoute {
    /// As ingress names it.
    pub username: Arc<str>,
    /// Lower-case hex.
    pub md5: Arc<str>,
    /// Lower-case hex.
    pub sha256: Arc<str>,
}

impl std::fmt::Debug for DeviceRoute {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("DeviceRoute").field("username", &self.username).finish_non_exhaustive()
    }
}

impl Routes {
    /// The trunk by which a call from `source` to `called` comes in; the number must be the tenant's.
    pub fn trunk(&self, source: SocketAddr, called: &str) -> Option<&str> {
        let digits = number(called);
        let ours = self.numbers.binary_search_by(|known| (**known).cmp(&digits)).is_ok();
        let trunk = self.trunks.iter().find(|trunk| trunk.from.iter().any(|matcher| matcher.matches(source)));
        trunk.filter(|_| ours).map(|trunk| &*trunk.name)
    }
}

/// A number as configuration keys write it: `+7 (495) 123-45-67` is `74951234567`.
pub fn number(text: &str) -> String {
    text.chars().filter(char::is_ascii_digit).collect()
}

/// The tenant's routes now. To be read again whenever the tenant was touched.
pub fn of(tenant: &Tenant) -> Routes {
    let config = tenant.config();
    let trunk =
        |trunk: &crate::config::Trunk| TrunkRoute { name: trunk.name.clone(), from: trunk.from.clone() };
    let devices = config.employees.values().flat_map(Employee::sip_devices).map(|device| DeviceRoute {
        username: device.username.clone(),
        md5: device.md5.clone(),
        sha256: device.sha256.clone(),
    });
    Routes {
        tenant: config.id.clone(),
        epoch: tenant.epoch(),
        domain: config.domain.clone(),
        numbers: config.numbers.keys().cloned().collect(),
        trunks: config.trunks.iter().map(trunk).collect(),
        devices: devices.collect(),
        logins: config.employees.values().filter_map(|employee| login(config, employee)).collect(),
    }
}

fn login(config: &TenantConfig, employee: &Employee) -> Option<service::Login> {
    let login = employee.login.as_ref()?;
    Some(service::Login {
        tenant: config.id.clone(),
        employee: employee.id.clone(),
        email: login.email.to_string(),
        name: employee.name.to_string(),
        roles: employee.roles.iter().map(|role| Role::as_str(*role).to_owned()).collect(),
        supervises: employee.supervises.iter().cloned().collect(),
        password_hash: login.password_hash.to_string(),
        epoch: login.epoch,
        page_phone: employee.has_device(PAGE).then(|| service::PagePhone {
            extension: employee.extension.to_string(),
            domain: config.domain.to_string(),
        }),
    })
}
