//! Whose a request is, for an edge beside control: what control's own groups say, and where it has no replica of one, a copy of
//! what other control nodes say.

use std::{net::SocketAddr, sync::Arc};

use mangrove_control::Control;
use mangrove_edge::directory::DirectoryCopy;
use mangrove_proto::service::{DeviceSecret, Route, Routes};

/// Both, control first: it knows a change as soon as it is committed.
#[derive(Debug)]
pub(super) struct NearRoutes {
    control: Control,
    copy: Arc<DirectoryCopy>,
}

impl NearRoutes {
    pub(super) fn new(control: Control, copy: Arc<DirectoryCopy>) -> Self {
        Self { control, copy }
    }
}

impl Routes for NearRoutes {
    fn tenant(&self, tenant: &str) -> Option<Route> {
        self.control.tenant(tenant).or_else(|| self.copy.tenant(tenant))
    }

    fn domain(&self, domain: &str) -> Option<Route> {
        self.control.domain(domain).or_else(|| self.copy.domain(domain))
    }

    fn device(&self, domain: &str, username: &str) -> Option<DeviceSecret> {
        self.control.device(domain, username).or_else(|| self.copy.device(domain, username))
    }

    fn trunk(&self, source: SocketAddr, called: &str) -> Option<(Route, String)> {
        self.control.trunk(source, called).or_else(|| self.copy.trunk(source, called))
    }

    fn is_trunk(&self, source: SocketAddr) -> bool {
        self.control.is_trunk(source) || self.copy.is_trunk(source)
    }

    fn lag_ms(&self) -> u64 {
        self.control.lag_ms().max(self.copy.lag_ms())
    }

    fn nonce_key(&self) -> [u8; 32] {
        self.control.nonce_key()
    }

    fn is_ready(&self) -> bool {
        self.control.is_ready() || self.copy.is_ready()
    }
}
