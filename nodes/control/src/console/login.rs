//! Logins: found by e-mail over all tenants.

use mangrove_domain::Command;
use mangrove_proto::{
    control,
    id::TenantId,
    service::{Error, Login},
};

use super::{ask, author, settle};
use crate::control::Control;

pub(super) fn find(control: &Control, email: &str) -> Option<Login> {
    let email = email.trim().to_lowercase();
    let directory = control.cluster().directory();
    control.table().login(directory.tenant_of("email", &email)?, &email)
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
