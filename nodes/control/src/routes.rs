//! The directory as edges need it: every tenant's routes, made again when its configuration changes. An edge beside this
//! role reads them here; the copies of other edges follow a stream of the changes.

mod convert;
mod load;
mod serve;
mod step;
mod table;
mod watch;

use std::net::SocketAddr;

use mangrove_domain::routes;
use mangrove_proto::service::{DeviceSecret, Route, Routes};

pub use serve::{Server, server};
pub(crate) use table::Table;

use crate::control::Control;

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
        let device = entry.device(username)?;
        Some(DeviceSecret {
            route: entry.route(),
            md5: device.md5.to_string(),
            sha256: device.sha256.to_string(),
        })
    }

    fn trunk(&self, source: SocketAddr, called: &str) -> Option<(Route, String)> {
        let directory = self.cluster().directory();
        let entry = self.table().get(directory.tenant_of("number", &routes::number(called))?)?;
        let trunk = entry.routes().trunk(source, called)?.to_owned();
        Some((entry.route(), trunk))
    }

    fn is_trunk(&self, source: SocketAddr) -> bool {
        self.table().is_trunk(source)
    }

    fn lag_ms(&self) -> u64 {
        self.groups().iter().map(|group| group.lag_ms()).max().unwrap_or(0)
    }

    fn nonce_key(&self) -> [u8; 32] {
        self.cluster().directory().founding.as_ref().map_or([0; 32], |founding| founding.nonce_key)
    }

    fn is_ready(&self) -> bool {
        let directory = self.cluster().directory();
        directory.founding.as_ref().is_some_and(|founding| self.table().has_all(founding.shard_groups))
    }
}
