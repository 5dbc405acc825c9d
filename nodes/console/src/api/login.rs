//! Logging in and out.

use std::{net::SocketAddr, sync::Arc};

use axum::{
    Json,
    extract::{ConnectInfo, State},
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use mangrove_proto::service::Login;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::{
    access::Access,
    app::App,
    body::{Asked, Body},
    metrics,
    refusal::Refusal,
};

/// Longer ones only cost us time.
pub(crate) const LONGEST_PASSWORD: usize = 256;

#[derive(Deserialize, ToSchema)]
pub(crate) struct Credentials {
    email: String,
    password: String,
}

#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct LoggedIn {
    /// For `Authorization: Bearer`; browsers use the cookie instead.
    token: String,
    /// Unix seconds.
    expires: u64,
    tenant: String,
    employee: String,
    name: String,
    roles: Vec<String>,
}

/// Begins a session.
///
/// Wrong passwords and unknown logins look alike. After ten failures within a minute a login is closed to the
/// address for a minute (429).
#[utoipa::path(post, path = "/api/v1/login", tag = "session", request_body = Credentials, security(()), responses(
    (status = 200, body = LoggedIn), (status = 401, body = Refusal), (status = 429, body = Refusal)
))]
pub(crate) async fn login(
    State(app): State<Arc<App>>,
    ConnectInfo(address): ConnectInfo<SocketAddr>,
    Body(credentials): Body<Credentials>,
) -> Result<Response, Refusal> {
    let email = credentials.email.trim().to_lowercase();
    let login = check(&app, address, &email, credentials.password).await?;
    metrics::login("accepted");
    tracing::info!(tenant = %login.tenant, employee = %login.employee, "logged in");
    begin(&app, &email, &login)
}

/// The login of this e-mail and password, throttled.
pub(crate) async fn check(
    app: &App,
    address: SocketAddr,
    email: &str,
    password: String,
) -> Result<Login, Refusal> {
    if let Some(seconds) = app.throttle.wait(email, address.ip()) {
        metrics::login("throttled");
        return Err(Refusal::too_many(seconds));
    }
    let short = password.len() <= LONGEST_PASSWORD && email.len() <= 254;
    let login = if short { app.control.login(email).await? } else { None };
    let usable = login.filter(|login| !login.password_hash.is_empty());
    let hash = usable.as_ref().map(|login| login.password_hash.clone());
    let password = if short { password } else { String::new() };
    if app.passwords.check(hash, password).await
        && let Some(login) = usable
    {
        return Ok(login);
    }
    app.throttle.failed(email, address.ip());
    metrics::login("refused");
    Err(refused())
}

fn refused() -> Refusal {
    let action = "check both; an administrator can set a new password";
    Refusal::new(StatusCode::UNAUTHORIZED, "wrong-password", "the e-mail or the password is wrong", action)
}

/// Answers with a new session.
pub(crate) fn begin(app: &App, email: &str, login: &Login) -> Result<Response, Refusal> {
    let (session, token) = app.sessions.begin(email, login.epoch).map_err(|e| Refusal::fault(&e))?;
    let cookie = [(header::SET_COOKIE, app.sessions.cookie(&token))];
    let answer = LoggedIn {
        token,
        expires: session.exp,
        tenant: login.tenant.to_string(),
        employee: login.employee.to_string(),
        name: login.name.clone(),
        roles: login.roles.clone(),
    };
    Ok((cookie, Json(answer)).into_response())
}

#[derive(Debug, Deserialize, IntoParams)]
pub(crate) struct LogoutQuery {
    /// Ends all sessions of the login, on all nodes.
    #[serde(default)]
    everywhere: bool,
}

/// Ends the session.
#[utoipa::path(post, path = "/api/v1/logout", tag = "session", params(LogoutQuery), responses(
    (status = 204), (status = 401, body = Refusal)
))]
pub(crate) async fn logout(
    State(app): State<Arc<App>>,
    access: Access,
    Asked(query): Asked<LogoutQuery>,
) -> Result<Response, Refusal> {
    if let Some(person) = access.who.person() {
        if query.everywhere {
            // Setting the same hash raises the epoch, which voids every token of the login.
            let hash = person.login.password_hash.clone();
            app.control.set_password(&person.email, hash, access.author.clone()).await?;
            app.sessions.forget(&person.email);
        }
        app.sessions.end(&person.session);
    }
    let cookie = [(header::SET_COOKIE, app.sessions.cookie(""))];
    Ok((StatusCode::NO_CONTENT, cookie).into_response())
}
