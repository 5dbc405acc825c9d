//! A span per call, for the operator's collector: opened with the call's face, a child for each effect, and at the end
//! what became of it. Its level is `debug`, so that it costs nothing where no collector is configured.

use mangrove_domain::{Action, ObjectRef};
use mangrove_proto::{edge::edge_command::Op, live::Cdr};
use tracing::{Span, field::Empty};

/// Of all spans here; telemetry lets it through to a collector.
pub const TARGET: &str = "mangrove::call";

/// How a call ended.
#[derive(Debug, Clone)]
pub(crate) struct Ended {
    outcome: String,
    cause: String,
    status: u16,
}

/// Whether anybody collects the spans.
pub(crate) fn is_on() -> bool {
    tracing::enabled!(target: TARGET, tracing::Level::DEBUG)
}

/// The span of a call's face; none for other objects.
pub(crate) fn call(object: &ObjectRef) -> Span {
    let ObjectRef::Call(tenant, call) = object else { return Span::none() };
    tracing::debug_span!(
        target: TARGET, parent: None, "call", %tenant, %call, outcome = Empty, cause = Empty, sip_status = Empty
    )
}

/// The span of one effect of the call.
pub(crate) fn effect(call: &Span, action: &Action) -> Span {
    if call.is_disabled() {
        return Span::none();
    }
    let (node, what) = described(action);
    tracing::debug_span!(target: TARGET, parent: call, "effect", node, what, error = Empty)
}

/// No numbers: only what kind of thing goes out.
fn described(action: &Action) -> (&str, String) {
    match action {
        Action::Media { node, command } => {
            (node, format!("session {}", command.set.as_ref().map_or(0, |set| set.version)))
        }
        Action::Edge { node, command } => match &command.op {
            Some(Op::Request(request)) => (node, request.method.clone()),
            Some(Op::Response(response)) => (node, status_line(&response.message)),
            None => (node, String::new()),
        },
    }
}

fn status_line(message: &[u8]) -> String {
    let line = message.split(|byte| *byte == b'\r').next().unwrap_or_default();
    String::from_utf8_lossy(line).trim_start_matches("SIP/2.0 ").to_owned()
}

impl Ended {
    pub(crate) fn of(cdr: &Cdr) -> Self {
        // An outcome is a word of its own in JSON too.
        let outcome = serde_json::to_value(cdr.outcome).ok();
        let outcome = outcome.and_then(|word| word.as_str().map(str::to_owned)).unwrap_or_default();
        Self { outcome, cause: cdr.cause.clone(), status: cdr.sip_status }
    }

    pub(crate) fn record(&self, call: &Span) {
        call.record("outcome", &self.outcome).record("cause", &self.cause).record("sip_status", self.status);
    }
}
