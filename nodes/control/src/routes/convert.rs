//! A tenant's routes as edges in other processes are told. Logins stay here.

use mangrove_domain::routes::{DeviceRoute, Routes, TrunkRoute};
use mangrove_proto::routes::{Device, TenantRoutes, Trunk};

pub(super) fn tenant(routes: &Routes) -> TenantRoutes {
    TenantRoutes {
        tenant: routes.tenant.to_string(),
        epoch: routes.epoch,
        domain: routes.domain.to_string(),
        numbers: routes.numbers.iter().map(ToString::to_string).collect(),
        trunks: routes.trunks.iter().map(trunk).collect(),
        devices: routes.devices.iter().map(device).collect(),
    }
}

fn trunk(trunk: &TrunkRoute) -> Trunk {
    Trunk { name: trunk.name.to_string(), from: trunk.from.iter().map(ToString::to_string).collect() }
}

fn device(device: &DeviceRoute) -> Device {
    Device {
        username: device.username.to_string(),
        md5: device.md5.to_string(),
        sha256: device.sha256.to_string(),
    }
}
