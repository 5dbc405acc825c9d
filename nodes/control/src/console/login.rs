//! Logins: found by e-mail over all tenants; and what stands for them where the phone in a person's page connects.

use mangrove_domain::Command;
use mangrove_membership::Cluster;
use mangrove_proto::{
    control,
    id::TenantId,
    service::{Error, Login, Ticket},
};
use mangrove_sip::ticket::{Holder, LIFETIME_MS, Tickets};

use super::{ask, author, settle};
use crate::{clock, control::Control};

pub(super) fn find(control: &Control, email: &str) -> Option<Login> {
    let email = email.trim().to_lowercase();
    let directory = control.cluster().directory();
    control.table().login(directory.tenant_of("email", &email)?, &email)
}

/// Made now, under the epoch that the login has here. None: this node knows of no cluster yet.
pub(crate) fn ticket(cluster: &Cluster, person: &Login) -> Option<Ticket> {
    let nonce_key = cluster.directory().founding.as_ref()?.nonce_key;
    let (tenant, employee) = (person.tenant.to_string(), person.employee.to_string());
    let holder = Holder { tenant, employee, epoch: person.epoch };
    let text = Tickets::under(&nonce_key)?.issue(&holder, clock::wall());
    Some(Ticket { text, seconds: LIFETIME_MS / 1_000 })
}

pub(super) async fn set_password(
    control: &Control,
    email: &str,
    hash: String,
    by: control::Author,
) -> Result<(), Error> {
    let login = find(control, email).ok_or_else(|| Error::NotFound { what: "such login".into() })?;
    let (group, _) = control.home(login.tenant.as_str())?;
    let tenant = TenantId::clone(&login.tenant);
    let ask = ask(control, Some(&by));
    let command =
        Command::SetPassword { tenant, employee: login.employee, hash, author: author(Some(by)), ask };
    settle(group.proposer.ask(command).await?)
}
