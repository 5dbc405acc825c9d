//! Keeps other sites' pages from writing with our users' cookies, and from opening WebSockets with their tickets:
//! `SameSite=Strict`, and here the origin's check.

use std::sync::Arc;

use axum::{
    extract::{Request, State},
    http::{HeaderMap, HeaderValue, StatusCode, header},
    middleware::Next,
    response::Response,
};

use crate::{app::App, refusal::Refusal};

pub(crate) async fn guard(
    State(app): State<Arc<App>>,
    request: Request,
    next: Next,
) -> Result<Response, Refusal> {
    if request.method().is_safe() || may_write(&app, request.headers()) {
        return Ok(next.run(request).await);
    }
    let action = "send the request from a page of this server, or use a token instead of the cookie";
    Err(Refusal::new(StatusCode::FORBIDDEN, "foreign-origin", "this page may not write here", action))
}

/// Browsers name the origin of every write. Without one, a request that lives on its cookie is refused.
fn may_write(app: &App, headers: &HeaderMap) -> bool {
    let Some(origin) = headers.get(header::ORIGIN) else {
        return headers.contains_key(header::AUTHORIZATION) || app.sessions.token(headers).is_none();
    };
    is_own(origin, headers, &app.options.allowed_origins)
}

/// Whether a request is of a page of this host or of one of the origins that are `allowed`, or of no page at all.
pub fn is_of_own_page(headers: &HeaderMap, allowed: &[String]) -> bool {
    headers.get(header::ORIGIN).is_none_or(|origin| is_own(origin, headers, allowed))
}

fn is_own(origin: &HeaderValue, headers: &HeaderMap, allowed: &[String]) -> bool {
    let Ok(origin) = origin.to_str() else { return false };
    let host = headers.get(header::HOST).and_then(|host| host.to_str().ok()).unwrap_or_default();
    let same =
        origin.split_once("://").is_some_and(|(_, from)| !host.is_empty() && from.eq_ignore_ascii_case(host));
    same || allowed.iter().any(|allowed| allowed == origin)
}
