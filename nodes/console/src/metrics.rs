//! Names of what the role counts.

use std::time::Duration;

use axum::http::{Method, StatusCode};
use metrics::{counter, describe_counter, describe_gauge, describe_histogram, gauge, histogram};

/// Answered requests, by method, route and status.
pub const REQUESTS: &str = "mangrove_http_requests_total";
/// Seconds from a request's head to its answer's head, by route.
pub const DURATION: &str = "mangrove_http_request_duration_seconds";
/// Open event streams.
pub const STREAMS: &str = "mangrove_http_event_streams";
/// Logins, by outcome: `accepted`, `refused`, `throttled`.
pub const LOGINS: &str = "mangrove_logins_total";

/// Tells the recorder what the names mean; call once after it is installed.
pub fn describe() {
    describe_counter!(REQUESTS, "answered http requests");
    describe_histogram!(DURATION, metrics::Unit::Seconds, "time until the head of an http answer");
    describe_gauge!(STREAMS, "open event streams");
    describe_counter!(LOGINS, "tries to log in");
}

pub(crate) fn answered(method: &Method, route: String, status: StatusCode, took: Duration) {
    let method = method.as_str().to_owned();
    counter!(REQUESTS, "method" => method, "route" => route.clone(), "status" => status.as_str().to_owned())
        .increment(1);
    histogram!(DURATION, "route" => route).record(took.as_secs_f64());
}

pub(crate) fn login(outcome: &'static str) {
    counter!(LOGINS, "outcome" => outcome).increment(1);
}

/// Counts a stream as open until dropped.
#[derive(Debug)]
pub(crate) struct OpenStream;

impl OpenStream {
    pub(crate) fn new() -> Self {
        gauge!(STREAMS).increment(1.0);
        Self
    }
}

impl Drop for OpenStream {
    fn drop(&mut self) {
        gauge!(STREAMS).decrement(1.0);
    }
}
