//! Employees, their logins and devices.

use super::{Findings, Names, Once, SECOND, names::unknown, text};
use crate::config::document::{Device, Document, Employee, Secret, SipDevice};

/// What must be unique over a tenant's people.
#[derive(Default)]
struct Taken {
    ids: Once,
    emails: Once,
    usernames: Once,
}

pub(super) fn employees(document: &Document, names: &Names<'_>, findings: &mut Findings) {
    let mut taken = Taken::default();
    let mut extensions = Once::default();
    for (at, employee) in document.employees.iter().enumerate() {
        let path = format!("employees[{at}]");
        extensions.check("extension", &employee.extension, format!("{path}.extension"), findings);
        one(document, employee, &path, names, &mut taken, findings);
    }
    for (at, group) in document.groups.iter().enumerate() {
        extensions.check("extension", &group.extension, format!("groups[{at}].extension"), findings);
    }
    for (at, conference) in document.conferences.iter().enumerate() {
        if let Some(extension) = &conference.extension {
            extensions.check("extension", extension, format!("conferences[{at}].extension"), findings);
        }
    }
}

fn one(
    document: &Document,
    employee: &Employee,
    path: &str,
    names: &Names<'_>,
    taken: &mut Taken,
    findings: &mut Findings,
) {
    findings.check(format!("{path}.extension"), text::extension(&employee.extension));
    let id_path = format!("{path}.{}", if employee.id.is_some() { "id" } else { "extension" });
    if employee.id.is_some() {
        findings.check(&id_path, text::id(employee.id()));
    }
    taken.ids.check("id", employee.id(), id_path, findings);
    findings.check(format!("{path}.name"), text::label(&employee.name));
    if let Some(ring) = employee.ring {
        findings.time(format!("{path}.ring"), ring, SECOND..=600 * SECOND);
    }
    caller_id(document, &format!("{path}.caller_id"), employee.caller_id.as_deref(), findings);
    for (at, group) in employee.supervises.iter().enumerate() {
        findings.check(format!("{path}.supervises[{at}]"), names.group(group).map(drop));
    }
    login(employee, path, taken, findings);
    devices(employee, path, taken, findings);
}

fn login(employee: &Employee, path: &str, taken: &mut Taken, findings: &mut Findings) {
    let Some(login) = &employee.login else { return };
    let email = format!("{path}.login.email");
    findings.check(&email, text::email(&login.email));
    taken.emails.check("e-mail", &login.email.to_lowercase(), email, findings);
    secret(format!("{path}.login.initial_password"), login.initial_password.as_ref(), findings);
}

fn devices(employee: &Employee, path: &str, taken: &mut Taken, findings: &mut Findings) {
    let browsers = employee.devices.iter().filter(|device| matches!(device, Device::Browser(_))).count();
    if browsers > 1 {
        findings.add(format!("{path}.devices"), "the browser is listed twice; allowed: once");
    }
    findings.number(format!("{path}.devices"), employee.devices.len(), 0..=10);
    for (at, device) in employee.devices.iter().enumerate() {
        if let Device::Sip(device) = device {
            phone(device, &format!("{path}.devices[{at}].sip"), taken, findings);
        }
    }
}

fn phone(device: &SipDevice, path: &str, taken: &mut Taken, findings: &mut Findings) {
    let username = format!("{path}.username");
    findings.check(&username, text::username(&device.username));
    taken.usernames.check("user name", &device.username, username, findings);
    secret(format!("{path}.password"), device.password.as_ref(), findings);
}

fn secret(path: String, secret: Option<&Secret>, findings: &mut Findings) {
    told(path, secret, text::password, findings);
}

/// A secret's text is spelled so; the places where others are kept are not looked at here.
pub(super) fn told(
    path: String,
    secret: Option<&Secret>,
    spelled: impl Fn(&str) -> Result<(), String>,
    findings: &mut Findings,
) {
    match secret {
        Some(Secret::Text(text)) => findings.check(path, spelled(text)),
        Some(Secret::Env { .. } | Secret::File { .. }) => findings.add(
            path,
            "the server does not open variables or files; allowed here: a text (`mangrove apply` puts it in)",
        ),
        None => {}
    }
}

/// A number may be shown when some trunk of the tenant carries it.
pub(super) fn caller_id(document: &Document, path: &str, number: Option<&str>, findings: &mut Findings) {
    let Some(number) = number else { return };
    findings.check(path, text::number(number));
    let mut allowed = document.trunks.iter().flat_map(|trunk| &trunk.caller_ids).map(String::as_str);
    if !allowed.any(|shown| shown == number) {
        let listed = document.trunks.iter().flat_map(|trunk| &trunk.caller_ids).map(String::as_str);
        findings.add(path, unknown("trunk caller_id", number, listed));
    }
}
