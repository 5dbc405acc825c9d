//! Whether a call's dialogs are SRTP: as the configuration of their trunk or device says, under rules that know of it.
//! What a dialog was begun with holds for its whole life.

use mangrove_proto::edge::{Ingress, ingress::From};
use mangrove_sip::sdp::Security;

use crate::{
    config::{Employee, PAGE, Trunk},
    rules::speaks_srtp,
    scene::Scene,
};

/// Of phones in pages nothing is configured: a browser's sound is SRTP anyway.
const OF_PAGES: Security = Security::Accept;

/// For whoever calls.
pub(crate) fn of_caller(ingress: &Ingress, scene: &Scene<'_>) -> Security {
    let config = &scene.tenant.config;
    match ingress.from.as_ref() {
        Some(From::Trunk(name)) => of_trunk(config.trunk(name), scene),
        Some(From::Device(name)) => allowed(config.device(name).map(|(_, device)| device.srtp), scene),
        Some(From::Page(_)) => allowed(Some(OF_PAGES), scene),
        None => Security::Off,
    }
}

/// For whoever is called through a trunk.
pub(crate) fn of_trunk(trunk: Option<&Trunk>, scene: &Scene<'_>) -> Security {
    allowed(trunk.map(|trunk| trunk.srtp), scene)
}

/// For a person's device that is called.
pub(crate) fn of_device(employee: &Employee, name: &str, scene: &Scene<'_>) -> Security {
    let configured = match name {
        PAGE => Some(OF_PAGES),
        _ => employee.sip(name).map(|device| device.srtp),
    };
    allowed(configured, scene)
}

fn allowed(configured: Option<Security>, scene: &Scene<'_>) -> Security {
    configured.filter(|_| speaks_srtp(scene.state.rules())).unwrap_or_default()
}
