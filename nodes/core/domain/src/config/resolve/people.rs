//! Employees: passwords become digests, and what is not said stays as it is.

use mangrove_proto::id::EmployeeId;
use md5::Md5;
use sha2::{Digest, Sha256};

use super::{Made, digits};
use crate::config::{
    Device, Employee, Login, SipDevice,
    document::{self, Document, Secret},
    srtp,
    validate::Names,
};

/// Room for password changes below the epochs of a later version.
const EPOCHS_PER_VERSION: u64 = 1 << 20;

pub(super) fn employee(
    document: &Document,
    employee: &document::Employee,
    names: &Names<'_>,
    made: &mut Made<'_>,
) -> Result<Employee, String> {
    let id = EmployeeId::from(employee.id());
    let present = made.present.and_then(|p| p.employees.get(&id));
    let login = employee.login.as_ref().map(|login| self::login(&id, login, present, made));
    let devices = employee.devices.iter().map(|device| self::device(document, &id, device, made)).collect();
    Ok(Employee {
        extension: employee.extension.as_str().into(),
        name: employee.name.trim().into(),
        roles: employee.roles.iter().copied().collect(),
        supervises: employee.supervises.iter().map(|group| names.group(group)).collect::<Result<_, _>>()?,
        login,
        devices,
        ring_ms: employee.ring.map(|ring| ring.0),
        caller_id: employee.caller_id.as_deref().map(digits),
        recording: employee.recording,
        recorded_as: employee.recorded_as,
        id,
    })
}

fn login(id: &EmployeeId, login: &document::Login, present: Option<&Employee>, made: &mut Made<'_>) -> Login {
    let email = login.email.to_lowercase().into();
    if let Some(present) = present.and_then(|employee| employee.login.as_ref()) {
        return Login { email, password_hash: present.password_hash.clone(), epoch: present.epoch };
    }
    let password = match &login.initial_password {
        Some(Secret::Text(text)) => text.clone(),
        _ => made.generate(format!("employee/{id} login")),
    };
    Login {
        email,
        password_hash: (made.tools.hash)(&password).into(),
        epoch: made.version * EPOCHS_PER_VERSION,
    }
}

fn device(document: &Document, id: &EmployeeId, device: &document::Device, made: &mut Made<'_>) -> Device {
    match device {
        document::Device::Browser(_) => Device::Browser,
        document::Device::Sip(sip) => {
            Device::Sip(SipDevice { srtp: sip.srtp, ..phone(document, id, sip, made) })
        }
    }
}

/// With its password; the rest is as nobody has said anything of it.
fn phone(document: &Document, id: &EmployeeId, sip: &document::SipDevice, made: &mut Made<'_>) -> SipDevice {
    let domain = document.domain.to_lowercase();
    if let Some(Secret::Text(password)) = &sip.password {
        return digests(&sip.username, &domain, password);
    }
    let Some(present) = made.present.and_then(|p| Some((p, p.employees.get(id)?.sip(&sip.username)?))) else {
        let password = made.generate(format!("employee/{id} sip {}", sip.username));
        return digests(&sip.username, &domain, &password);
    };
    let (config, kept) = present;
    if *config.domain == *domain {
        return kept.clone();
    }
    // A digest holds for one domain only, and the password itself is not known.
    made.warnings
        .push(format!("the domain changed: phone {} of employee/{id} needs its new password", sip.username));
    let password = made.generate(format!("employee/{id} sip {}", sip.username));
    digests(&sip.username, &domain, &password)
}

fn digests(username: &str, domain: &str, password: &str) -> SipDevice {
    let secret = format!("{username}:{domain}:{password}");
    SipDevice {
        username: username.into(),
        md5: hex::encode(Md5::digest(&secret)).into(),
        sha256: hex::encode(Sha256::digest(&secret)).into(),
        srtp: srtp::usual(),
    }
}
