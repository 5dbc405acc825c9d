//! Whether a call's dialogs are SRTP: as the configuration of their trunk or device says, under rules that know of it.
//! What a dialog was begun with holds for its whole life.

use mangrove_proto::edge::{Ingress, ingress::From};
use mangrove_sip::sdp::Security;

use crate::{
    config::{SipDevice, Trunk},
    rules::speaks_srtp,
    scene::Scene,
};

/// For whoever calls.
pub(crate) fn of_caller(ingress: &Ingress, scene: &Scene<'_>) -> Security {
    let config = &scene.tenant.config;
    match ingress.from.as_ref() {
        Some(From::Trunk(name)) => of_trunk(config.trunk(name), scene),
        Some(From::Device(name)) => of_device(config.device(name).map(|(_, device)| device), scene),
        None => Security::Off,
    }
}

/// For whoever is called through a trunk.
pub(crate) fn of_trunk(trunk: Option<&Trunk>, scene: &Scene<'_>) -> Security {
    allowed(trunk.map(|trunk| trunk.srtp), scene)
}

/// For a device that is called.
pub(crate) fn of_device(device: Option<&SipDevice>, scene: &Scene<'_>) -> Security {
    allowed(device.map(|device| device.srtp), scene)
}

fn allowed(configured: Option<Security>, scene: &Scene<'_>) -> Security {
    configured.filter(|_| speaks_srtp(scene.state.rules())).unwrap_or_default()
}
