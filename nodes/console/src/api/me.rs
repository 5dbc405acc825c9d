//! The asker themselves.

use std::{net::SocketAddr, sync::Arc};

use axum::{
    Json,
    extract::{ConnectInfo, State},
    http::StatusCode,
    response::Response,
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::login;
use crate::{
    access::{Access, Principal, rights_of},
    app::App,
    body::Body,
    refusal::Refusal,
};

/// Shorter ones are guessed.
const SHORTEST_PASSWORD: usize = 10;

#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Me {
    /// Empty for the administrator's token.
    tenant: String,
    employee: String,
    name: String,
    email: String,
    roles: Vec<String>,
    supervises: Vec<String>,
    /// What the roles allow; `operate` for the administrator's token.
    rights: Vec<String>,
}

/// Who you are and what you may do.
#[utoipa::path(get, path = "/api/v1/me", tag = "session", responses(
    (status = 200, body = Me), (status = 401, body = Refusal)
))]
pub(crate) async fn me(State(app): State<Arc<App>>, access: Access) -> Json<Me> {
    let is_demo = app.options.demo.is_some();
    Json(match &access.who {
        Principal::Operator => Me {
            tenant: String::new(),
            employee: String::new(),
            name: "operator".into(),
            email: String::new(),
            roles: Vec::new(),
            supervises: Vec::new(),
            rights: ["operate"]
                .into_iter()
                .chain(is_demo.then_some("demonstrate"))
                .map(str::to_owned)
                .collect(),
        },
        Principal::Person(person) => Me {
            tenant: person.login.tenant.to_string(),
            employee: person.login.employee.to_string(),
            name: person.login.name.clone(),
            email: person.email.clone(),
            roles: person.login.roles.clone(),
            supervises: person.login.supervises.iter().map(ToString::to_string).collect(),
            rights: rights_of(&person.login.roles, is_demo),
        },
    })
}

#[derive(Deserialize, ToSchema)]
pub(crate) struct PasswordChange {
    old: String,
    /// 10 to 256 bytes.
    new: String,
}

/// Changes your password. All other sessions of the login end; the answer begins a new one.
#[utoipa::path(put, path = "/api/v1/me/password", tag = "session", request_body = PasswordChange, responses(
    (status = 200, body = login::LoggedIn), (status = 401, body = Refusal), (status = 422, body = Refusal)
))]
pub(crate) async fn change_password(
    State(app): State<Arc<App>>,
    ConnectInfo(address): ConnectInfo<SocketAddr>,
    access: Access,
    Body(change): Body<PasswordChange>,
) -> Result<Response, Refusal> {
    let email = access.person()?.email.clone();
    if !(SHORTEST_PASSWORD..=login::LONGEST_PASSWORD).contains(&change.new.len()) {
        let action = "take 10 to 256 bytes";
        let status = StatusCode::UNPROCESSABLE_ENTITY;
        return Err(Refusal::new(
            status,
            "bad-password",
            "the new password is too short or too long",
            action,
        ));
    }
    login::check(&app, address, &email, change.old).await?;
    let hash =
        app.passwords.hash(change.new).await.ok_or_else(|| Refusal::unavailable("hashing did not work"))?;
    app.control.set_password(&email, hash, access.author).await?;
    app.sessions.forget(&email);
    let login = app.control.login(&email).await?.ok_or_else(Refusal::unauthenticated)?;
    login::begin(&app, &email, &login)
}
