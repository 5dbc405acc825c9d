//! A login on its way between processes.

use super::{Login, PagePhone};
use crate::{control, id};

impl From<Login> for control::Login {
    fn from(login: Login) -> Self {
        Self {
            email: login.email,
            tenant: login.tenant.to_string(),
            employee: login.employee.to_string(),
            name: login.name,
            roles: login.roles,
            supervises: login.supervises.iter().map(ToString::to_string).collect(),
            password_hash: login.password_hash,
            epoch: login.epoch,
            page_phone: login
                .page_phone
                .map(|PagePhone { extension, domain }| control::PagePhone { extension, domain }),
        }
    }
}

impl From<control::Login> for Login {
    fn from(login: control::Login) -> Self {
        Self {
            email: login.email,
            tenant: login.tenant.into(),
            employee: login.employee.into(),
            name: login.name,
            roles: login.roles,
            supervises: login.supervises.into_iter().map(id::GroupId::from).collect(),
            password_hash: login.password_hash,
            epoch: login.epoch,
            page_phone: login
                .page_phone
                .map(|control::PagePhone { extension, domain }| PagePhone { extension, domain }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_login_comes_back_as_it_was() {
        let login = Login {
            email: "anna@acme.example".into(),
            tenant: "acme".into(),
            employee: "anna".into(),
            name: "Anna".into(),
            roles: vec!["supervisor".into()],
            supervises: vec!["sales".into()],
            password_hash: "$argon2id$".into(),
            epoch: 3,
            page_phone: Some(PagePhone { extension: "101".into(), domain: "acme.example".into() }),
        };
        assert_eq!(Login::from(control::Login::from(login.clone())), login);
    }
}
