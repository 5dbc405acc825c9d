//! The one table of routes and what each needs. A route that is not in it is closed to everybody.

use axum::http::Method;

use super::Right;

/// What a route needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Need {
    /// Nothing.
    Nobody,
    /// Anybody who is known.
    Anybody,
    /// This right, within the tenant of the path where there is one.
    Right(Right),
}

use Need::{Anybody, Nobody};

const fn need(right: Right) -> Need {
    Need::Right(right)
}

/// Method, path as routed, need.
pub(crate) const RULES: &[(&str, &str, Need)] = &[
    ("POST", "/api/v1/login", Nobody),
    ("GET", "/api/v1/openapi.json", Nobody),
    ("POST", "/api/v1/logout", Anybody),
    ("GET", "/api/v1/me", Anybody),
    ("PUT", "/api/v1/me/password", Anybody),
    ("POST", "/api/v1/me/phone", Anybody),
    ("GET", "/api/v1/status", need(Right::Operate)),
    ("GET", "/api/v1/cluster/backup", need(Right::Operate)),
    ("GET", "/api/v1/cluster/nodes", need(Right::Operate)),
    ("DELETE", "/api/v1/cluster/nodes/{node}", need(Right::Operate)),
    ("POST", "/api/v1/cluster/nodes/{node}/drain", need(Right::Operate)),
    ("DELETE", "/api/v1/cluster/nodes/{node}/drain", need(Right::Operate)),
    ("POST", "/api/v1/cluster/nodes/{node}/replace", need(Right::Operate)),
    ("GET", "/api/v1/tenants", Anybody),
    ("DELETE", "/api/v1/tenants/{tenant}", need(Right::Operate)),
    ("POST", "/api/v1/tenants/{tenant}/move", need(Right::Operate)),
    ("GET", "/api/v1/tenants/{tenant}/configuration", need(Right::Configure)),
    ("POST", "/api/v1/tenants/{tenant}/configuration", need(Right::Configure)),
    ("GET", "/api/v1/tenants/{tenant}/{kind}", need(Right::Configure)),
    ("GET", "/api/v1/tenants/{tenant}/{kind}/{id}", need(Right::Configure)),
    ("DELETE", "/api/v1/tenants/{tenant}/{kind}/{id}", need(Right::Configure)),
    ("GET", "/api/v1/tenants/{tenant}/sounds", need(Right::Configure)),
    ("GET", "/api/v1/tenants/{tenant}/sounds/{kind}/{name}", need(Right::Configure)),
    ("PUT", "/api/v1/tenants/{tenant}/sounds/{kind}/{name}", need(Right::Configure)),
    ("DELETE", "/api/v1/tenants/{tenant}/sounds/{kind}/{name}", need(Right::Configure)),
    ("GET", "/api/v1/tenants/{tenant}/names", need(Right::ReadCalls)),
    ("GET", "/api/v1/tenants/{tenant}/directory", need(Right::Follow)),
    ("GET", "/api/v1/tenants/{tenant}/live", need(Right::Watch)),
    ("GET", "/api/v1/tenants/{tenant}/live/conferences", need(Right::Watch)),
    ("POST", "/api/v1/tenants/{tenant}/live/conferences/{name}", need(Right::Conduct)),
    ("GET", "/api/v1/tenants/{tenant}/events", need(Right::Follow)),
    ("GET", "/api/v1/tenants/{tenant}/agents", need(Right::Watch)),
    ("GET", "/api/v1/tenants/{tenant}/agents/me", need(Right::Follow)),
    ("GET", "/api/v1/tenants/{tenant}/agents/{id}", need(Right::Watch)),
    ("POST", "/api/v1/tenants/{tenant}/agents/{id}/state", need(Right::SetState)),
    ("GET", "/api/v1/tenants/{tenant}/calls", need(Right::Watch)),
    ("POST", "/api/v1/tenants/{tenant}/calls/{id}/hang-up", need(Right::HangUp)),
    ("POST", "/api/v1/tenants/{tenant}/calls/{id}/recording", need(Right::Record)),
    ("POST", "/api/v1/tenants/{tenant}/calls/{id}/transfer", need(Right::HangUp)),
    ("POST", "/api/v1/tenants/{tenant}/calls/{id}/monitor", need(Right::Monitor)),
    ("DELETE", "/api/v1/tenants/{tenant}/calls/{id}/monitor", need(Right::Monitor)),
    ("POST", "/api/v1/tenants/{tenant}/calls/{id}/conference", need(Right::Conduct)),
    ("GET", "/api/v1/tenants/{tenant}/calls/{id}/story", need(Right::Explain)),
    ("GET", "/api/v1/tenants/{tenant}/cdrs", need(Right::ReadCalls)),
    ("GET", "/api/v1/tenants/{tenant}/cdrs.csv", need(Right::ReadCalls)),
    ("GET", "/api/v1/tenants/{tenant}/cdrs/{call}", need(Right::ReadCalls)),
    ("GET", "/api/v1/tenants/{tenant}/recordings/{call}/{id}", need(Right::Listen)),
    ("DELETE", "/api/v1/tenants/{tenant}/recordings/{call}", need(Right::KeepRecordings)),
    ("GET", "/api/v1/tenants/{tenant}/recordings/{call}/hold", need(Right::KeepRecordings)),
    ("PUT", "/api/v1/tenants/{tenant}/recordings/{call}/hold", need(Right::KeepRecordings)),
    ("DELETE", "/api/v1/tenants/{tenant}/recordings/{call}/hold", need(Right::KeepRecordings)),
    ("GET", "/api/v1/tenants/{tenant}/messages", need(Right::HearMessages)),
    ("GET", "/api/v1/tenants/{tenant}/messages/{name}/{id}", need(Right::HearMessages)),
    ("DELETE", "/api/v1/tenants/{tenant}/messages/{name}/{id}", need(Right::HearMessages)),
    ("PUT", "/api/v1/tenants/{tenant}/messages/{name}/{id}/heard", need(Right::HearMessages)),
    ("GET", "/api/v1/tenants/{tenant}/audit", need(Right::ReadAudit)),
];

/// What a demo adds; where there is none its routes are not there either.
const DEMO: &[(&str, &str, Need)] = &[
    ("GET", "/api/v1/demo/nodes", need(Right::Demonstrate)),
    ("POST", "/api/v1/demo/nodes/{node}/kill", need(Right::Demonstrate)),
    ("POST", "/api/v1/demo/nodes/{node}/revive", need(Right::Demonstrate)),
];

/// HEAD asks for no more than GET.
pub(crate) fn find(method: &Method, path: &str) -> Option<Need> {
    let method = if method == Method::HEAD { "GET" } else { method.as_str() };
    RULES.iter().chain(DEMO).find(|(m, p, _)| *m == method && *p == path).map(|(_, _, need)| *need)
}
