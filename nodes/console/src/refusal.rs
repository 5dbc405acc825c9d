//! The one shape of every error answer: a word for programs, a sentence for people, and what to do.

use axum::{
    Json,
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use mangrove_proto::service;
use serde::Serialize;
use utoipa::ToSchema;

/// An error answer.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Refusal {
    #[serde(skip)]
    pub status: StatusCode,
    /// The kind, stable: `not-found`, `forbidden`, …
    pub error: &'static str,
    /// What is wrong.
    pub message: String,
    /// What to do about it.
    pub action: String,
    /// Seconds after which the same request may succeed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub retry_after: Option<u64>,
}

impl Refusal {
    pub(crate) fn new(
        status: StatusCode,
        error: &'static str,
        message: impl Into<String>,
        action: impl Into<String>,
    ) -> Self {
        Self { status, error, message: message.into(), action: action.into(), retry_after: None }
    }

    /// No valid token or cookie.
    pub(crate) fn unauthenticated() -> Self {
        let action = "log in at POST /api/v1/login, or send a token as `Authorization: Bearer`";
        Self::new(StatusCode::UNAUTHORIZED, "unauthenticated", "there is no valid session", action)
    }

    pub(crate) fn forbidden() -> Self {
        let action = "ask an administrator for a role that includes it";
        Self::new(StatusCode::FORBIDDEN, "forbidden", "your roles don't include this", action)
    }

    /// Missing, another tenant's or out of sight: all alike.
    pub(crate) fn missing(what: &str) -> Self {
        Self::new(StatusCode::NOT_FOUND, "not-found", format!("there is no {what}"), "check the address")
    }

    pub(crate) fn bad(message: impl Into<String>, action: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "bad-request", message, action)
    }

    pub(crate) fn too_many(seconds: u64) -> Self {
        let action = format!("wait {seconds} s and try again");
        let refusal =
            Self::new(StatusCode::TOO_MANY_REQUESTS, "too-many-tries", "too many failed tries", action);
        Self { retry_after: Some(seconds), ..refusal }
    }

    pub(crate) fn unavailable(message: impl Into<String>) -> Self {
        let refusal =
            Self::new(StatusCode::SERVICE_UNAVAILABLE, "unavailable", message, "try again in a moment");
        Self { retry_after: Some(1), ..refusal }
    }

    /// A recording that can't be opened: its key is not here, or it is damaged. Waiting changes nothing.
    fn sealed(error: &object_store::Error) -> Self {
        tracing::error!(%error, "a recording can't be opened");
        let why = mangrove_objects::of_sealing(error).map(ToString::to_string).unwrap_or_default();
        let message = format!("the recording can't be opened: {why}");
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "sealed", message, "tell whoever runs the nodes")
    }

    /// A fault of ours: the log says more than the answer.
    pub(crate) fn fault(error: &dyn std::error::Error) -> Self {
        tracing::error!(%error, "request failed");
        let action = "report it with the time of the request";
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "internal", "the server failed", action)
    }
}

/// An error answer of a route that the binary adds, in the shape of all others.
pub fn refuse(
    status: StatusCode,
    error: &'static str,
    message: impl Into<String>,
    action: impl Into<String>,
) -> Response {
    let retry_after = (status == StatusCode::SERVICE_UNAVAILABLE).then_some(1);
    Refusal { retry_after, ..Refusal::new(status, error, message, action) }.into_response()
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let (status, retry) = (self.status, self.retry_after);
        let mut response = (status, Json(self)).into_response();
        if let Some(seconds) = retry {
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        if status == StatusCode::UNAUTHORIZED {
            response.headers_mut().insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        response
    }
}

impl From<service::Error> for Refusal {
    fn from(error: service::Error) -> Self {
        match &error {
            service::Error::NotFound { what } => Self::missing(what),
            service::Error::Refused { why } => {
                Self::new(StatusCode::UNPROCESSABLE_ENTITY, "refused", why, "change the request")
            }
            service::Error::Conflict { .. } => Self::new(
                StatusCode::CONFLICT,
                "conflict",
                error.to_string(),
                "read it again and repeat the change",
            ),
            service::Error::NoLeader { .. } | service::Error::Unavailable { .. } => {
                Self::unavailable(error.to_string())
            }
        }
    }
}

impl From<mangrove_history::Error> for Refusal {
    fn from(error: mangrove_history::Error) -> Self {
        if error.is_retryable() {
            tracing::warn!(%error, "history does not answer");
            return Self::unavailable("past calls are not available now, live calls are not affected");
        }
        match &error {
            mangrove_history::Error::Refused { .. } => Self::bad(error.to_string(), "change the request"),
            _ => Self::fault(&error),
        }
    }
}

impl From<object_store::Error> for Refusal {
    fn from(error: object_store::Error) -> Self {
        match error {
            object_store::Error::NotFound { .. } => Self::missing("recording"),
            other if mangrove_objects::of_sealing(&other).is_some() => Self::sealed(&other),
            other => {
                tracing::warn!(error = %other, "object store does not answer");
                Self::unavailable("recordings are not available now")
            }
        }
    }
}
