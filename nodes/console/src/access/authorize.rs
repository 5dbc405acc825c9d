//! The gate in front of every API route: finds out who asks, which tenant they mean, and whether the tables of rules
//! and rights let them. Handlers get an `Access` and look at nothing else.

use std::{net::SocketAddr, sync::Arc};

use axum::{
    extract::{ConnectInfo, FromRequestParts, MatchedPath, RawPathParams, Request, State},
    http::{HeaderMap, header, request::Parts},
    middleware::Next,
    response::Response,
};
use mangrove_proto::{control::Author, id::TenantId};

use super::{
    Person, Principal, Scope,
    rules::{self, Need},
};
use crate::{app::App, refusal::Refusal};

/// What the gate found out about a request.
#[derive(Debug, Clone)]
pub(crate) struct Access {
    pub who: Principal,
    /// The tenant of the path, which is the asker's own or the operator's choice. Never from body, query or header.
    pub tenant: TenantId,
    pub scope: Scope,
    pub author: Author,
}

/// Runs inside the router: the route is known.
pub(crate) async fn authorize(
    State(app): State<Arc<App>>,
    ConnectInfo(address): ConnectInfo<SocketAddr>,
    route: MatchedPath,
    params: RawPathParams,
    mut request: Request,
    next: Next,
) -> Result<Response, Refusal> {
    let need = rules::find(request.method(), route.as_str()).ok_or_else(|| Refusal::missing("such route"))?;
    if need != Need::Nobody {
        let who = identify(&app, request.headers()).await?.ok_or_else(Refusal::unauthenticated)?;
        let named = params.iter().find(|(name, _)| *name == "tenant").map(|(_, tenant)| tenant);
        let access = admit(who, named, need, address)?;
        request.extensions_mut().insert(access);
    }
    Ok(next.run(request).await)
}

fn admit(who: Principal, named: Option<&str>, need: Need, address: SocketAddr) -> Result<Access, Refusal> {
    let author =
        Author { name: who.name().to_owned(), address: address.ip().to_string(), ..Author::default() };
    let (tenant, scope) = match &who {
        Principal::Operator => (operators_tenant(named)?, Scope::Tenant { own: None }),
        Principal::Person(person) => (own_tenant(person, named)?, scope(person, need)?),
    };
    Ok(Access { who, tenant, scope, author })
}

fn operators_tenant(named: Option<&str>) -> Result<TenantId, Refusal> {
    match named {
        Some("-") => Err(Refusal::missing("tenant `-` of the administrator's token, name one")),
        named => Ok(named.unwrap_or_default().into()),
    }
}

/// Another tenant's name and a name that nobody has get the same answer, whatever the roles.
fn own_tenant(person: &Person, named: Option<&str>) -> Result<TenantId, Refusal> {
    let own = &person.login.tenant;
    match named {
        Some(named) if named != "-" && named != own.as_str() => {
            Err(Refusal::missing(&format!("tenant {named}")))
        }
        _ => Ok(own.clone()),
    }
}

fn scope(person: &Person, need: Need) -> Result<Scope, Refusal> {
    match need {
        Need::Right(right) => Scope::of(person, right).ok_or_else(Refusal::forbidden),
        Need::Anybody | Need::Nobody => Ok(Scope::Own(person.login.employee.clone())),
    }
}

/// None: no token, or one that is void.
async fn identify(app: &App, headers: &HeaderMap) -> Result<Option<Principal>, Refusal> {
    if is_operator(&app.options.admin_token, headers) {
        return Ok(Some(Principal::Operator));
    }
    let token = bearer(headers).or_else(|| app.sessions.token(headers));
    let Some(session) = token.and_then(|token| app.sessions.read(token)) else { return Ok(None) };
    let login = app.sessions.login(&session, app.control.as_ref()).await?;
    Ok(login.map(|login| {
        let email = session.sub.clone();
        Principal::Person(Box::new(Person { email, login, session }))
    }))
}

/// Whether the request carries the administrator's token.
pub(crate) fn is_operator(admin_token: &str, headers: &HeaderMap) -> bool {
    let wanted = admin_token.as_bytes();
    !wanted.is_empty() && bearer(headers).is_some_and(|token| same(token.as_bytes(), wanted))
}

fn bearer(headers: &HeaderMap) -> Option<&str> {
    let value = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, token) = value.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

/// Takes as long for a near miss as for a far one.
fn same(a: &[u8], b: &[u8]) -> bool {
    a.len() == b.len() && a.iter().zip(b).fold(0, |difference, (a, b)| difference | (a ^ b)) == 0
}

impl Access {
    /// The person, where a route makes sense for people only.
    pub(crate) fn person(&self) -> Result<&Person, Refusal> {
        let action = "log in with an e-mail and a password";
        self.who.person().ok_or_else(|| Refusal::bad("the administrator's token is no login", action))
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Access {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Refusal> {
        parts.extensions.get::<Self>().cloned().ok_or_else(Refusal::unauthenticated)
    }
}
